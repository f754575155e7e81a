/**
 * An `HttpClient` of `@effect/platform` that connects by Happy Eyeballs (RFC 8305), over `node:http` or undici.
 *
 * | in place of | use |
 * |---|---|
 * | `NodeHttpClient.layer` | {@link layer} |
 * | `NodeHttpClient.layerUndici` | {@link layerUndici} |
 * | `NodeHttpClient.makeAgentLayer` | {@link layerAgent} |
 * | `NodeHttpClient.dispatcherLayer` | {@link layerDispatcher} |
 *
 * @module
 * @since 0.1.0
 */
import type * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type * as Undici from "@effect/platform-node/Undici"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as internal from "./internal/node/httpClient.js"
import type * as NodeHappyEyeballs from "./NodeHappyEyeballs.js"

/**
 * Makes agents of `node:http` and `node:https` for `NodeHttpClient` that race their connections. Destroyed with the
 * scope.
 *
 * @example
 * ```ts
 * import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
 * import * as HappyEyeballsHttpClient from "effect-staggered-race/HappyEyeballsHttpClient"
 * import * as Effect from "effect/Effect"
 *
 * export const client = Effect.flatMap(
 *   HappyEyeballsHttpClient.makeAgent({ keepAlive: true }),
 *   (agent) => Effect.provideService(NodeHttpClient.make, NodeHttpClient.HttpAgent, agent)
 * )
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const makeAgent: (
  options?: NodeHappyEyeballs.HttpsAgentOptions
) => Effect.Effect<NodeHttpClient.HttpAgent, never, Scope.Scope> = internal.makeAgent

/**
 * Provides the agents of {@link makeAgent}, for `NodeHttpClient.layerWithoutAgent`.
 *
 * **Example** (connections that are kept alive)
 *
 * @example
 * ```ts
 * import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
 * import * as HappyEyeballsHttpClient from "effect-staggered-race/HappyEyeballsHttpClient"
 * import * as Layer from "effect/Layer"
 *
 * export const HttpClientLive = NodeHttpClient.layerWithoutAgent.pipe(
 *   Layer.provide(HappyEyeballsHttpClient.layerAgent({ keepAlive: true, maxSockets: 50 }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const layerAgent: (options?: NodeHappyEyeballs.HttpsAgentOptions) => Layer.Layer<NodeHttpClient.HttpAgent> =
  internal.layerAgent

/**
 * Provides an `HttpClient` over `node:http` that races its connections. Replaces `NodeHttpClient.layer`.
 *
 * @example
 * ```ts no-run
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as HappyEyeballsHttpClient from "effect-staggered-race/HappyEyeballsHttpClient"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const response = yield* HttpClient.get("https://example.com")
 *   console.log(response.status)
 * })
 *
 * await Effect.runPromise(Effect.provide(program, HappyEyeballsHttpClient.layer))
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const layer: Layer.Layer<HttpClient.HttpClient> = internal.layer

/**
 * Options of undici's `Agent`, and how to race.
 *
 * **Details**
 *
 * `connect` connects to each address. `connectTimeout`, or `connect.timeout`, limits the time for each address. It is
 * also the default of `happyEyeballs.timeout`, which limits the race and includes the look-up.
 *
 * @since 0.1.0
 * @category models
 */
export interface DispatcherOptions extends Undici.Agent.Options {
  /** How to resolve and race. Default: as in RFC 8305. */
  readonly happyEyeballs?: NodeHappyEyeballs.PlainOptions | undefined
}

/**
 * Makes an `Agent` of undici for `NodeHttpClient` that races its connections. Destroyed with the scope.
 *
 * **Details**
 *
 * When it is destroyed, it stops connecting. An agent made with `NodeHappyEyeballs.connector` does not.
 *
 * @example
 * ```ts
 * import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
 * import * as HappyEyeballsHttpClient from "effect-staggered-race/HappyEyeballsHttpClient"
 * import * as Effect from "effect/Effect"
 *
 * export const client = Effect.map(
 *   HappyEyeballsHttpClient.makeDispatcher({ connect: { timeout: 5000 }, connections: 10 }),
 *   NodeHttpClient.makeUndici
 * )
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const makeDispatcher: (
  options?: DispatcherOptions
) => Effect.Effect<Undici.Dispatcher, never, Scope.Scope> = internal.makeDispatcher

/**
 * Provides the agent of {@link makeDispatcher}, for `NodeHttpClient.layerUndiciWithoutDispatcher`.
 *
 * @example
 * ```ts
 * import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
 * import * as HappyEyeballsHttpClient from "effect-staggered-race/HappyEyeballsHttpClient"
 * import * as Layer from "effect/Layer"
 *
 * export const HttpClientLive = NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
 *   Layer.provide(HappyEyeballsHttpClient.layerDispatcher({ allowH2: true }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const layerDispatcher: (options?: DispatcherOptions) => Layer.Layer<NodeHttpClient.Dispatcher> =
  internal.layerDispatcher

/**
 * Provides an `HttpClient` over undici that races its connections. Replaces `NodeHttpClient.layerUndici`.
 *
 * **Details**
 *
 * Use it like {@link layer}.
 *
 * @since 0.1.0
 * @category http
 */
export const layerUndici: Layer.Layer<HttpClient.HttpClient> = internal.layerUndici
