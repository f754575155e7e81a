/**
 * Happy Eyeballs (RFC 8305) for what `@effect/platform-node` connects: its `Socket`, and its `HttpClient`, over
 * `node:http` and over undici. It is {@link NodeHappyEyeballs} with their types.
 *
 * | in the place of | take |
 * |---|---|
 * | `NodeSocket.makeNet` | {@link makeSocket}, {@link makeSocketTls} |
 * | `NodeHttpClient.layer` | {@link layerHttpClient} |
 * | `NodeHttpClient.layerUndici` | {@link layerHttpClientUndici} |
 *
 * @module
 * @since 0.1.0
 */
import type * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type * as Undici from "@effect/platform-node/Undici"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Socket from "@effect/platform/Socket"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as HappyEyeballs from "./HappyEyeballs.js"
import * as internal from "./internal/node/platform.js"
import type * as NodeHappyEyeballs from "./NodeHappyEyeballs.js"

/**
 * What a `Socket` is given besides.
 *
 * @since 0.1.0
 * @category models
 */
export interface SocketOptions {
  /** How long connecting may take, all addresses together. Milliseconds of the `Clock`. Default: no limit. */
  readonly openTimeout?: Duration.DurationInput | undefined
}

/**
 * A `Socket` of `@effect/platform`, which connects when it is run, to whichever of a host's addresses answers first.
 *
 * **When to use**
 *
 * In the place of `NodeSocket.makeNet`, which leaves its connection behind when it is interrupted while it connects.
 *
 * **Details**
 *
 * It fails with a `SocketGenericError` whose `reason` is `"Open"` and whose `cause` is
 * {@link HappyEyeballs.ConnectionFailed}.
 *
 * @example
 * ```ts
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as NodeHappyEyeballsPlatform from "effect-staggered-race/NodeHappyEyeballsPlatform"
 * import * as Effect from "effect/Effect"
 * import { once } from "node:events"
 * import * as net from "node:net"
 *
 * const server = net.createServer((socket) => socket.end("welcome")).listen(0)
 * await once(server, "listening")
 * const { port } = server.address() as net.AddressInfo
 *
 * const program = Effect.gen(function*() {
 *   const socket = yield* NodeHappyEyeballsPlatform.makeSocket({ host: "localhost", port })
 *   yield* socket.run((data) => Effect.log(new TextDecoder().decode(data)))
 * })
 *
 * await Effect.runPromise(Effect.provide(program, NodeHappyEyeballs.layer))
 * server.close()
 * ```
 *
 * @since 0.1.0
 * @category sockets
 */
export const makeSocket: (
  target: HappyEyeballs.Target,
  options?: NodeHappyEyeballs.ConnectOptions & SocketOptions
) => Effect.Effect<Socket.Socket, never, HappyEyeballs.Resolver> = internal.makeSocket

/**
 * As {@link makeSocket}, with TLS, and with the handshake as a part of the race.
 *
 * **Example** (a connection of RPC or of WebSockets is a `Socket`, too)
 *
 * @example
 * ```ts
 * import * as Socket from "@effect/platform/Socket"
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as NodeHappyEyeballsPlatform from "effect-staggered-race/NodeHappyEyeballsPlatform"
 * import * as Layer from "effect/Layer"
 *
 * export const SocketLive = Layer.effect(
 *   Socket.Socket,
 *   NodeHappyEyeballsPlatform.makeSocketTls({ host: "example.com", port: 6001 }, { openTimeout: "10 seconds" })
 * ).pipe(Layer.provide(NodeHappyEyeballs.layer))
 * ```
 *
 * @since 0.1.0
 * @category sockets
 */
export const makeSocketTls: (
  target: HappyEyeballs.Target,
  options?: NodeHappyEyeballs.ConnectTlsOptions & SocketOptions
) => Effect.Effect<Socket.Socket, never, HappyEyeballs.Resolver> = internal.makeSocketTls

/**
 * The agents of `node:http` and `node:https` for `NodeHttpClient`, which race, and are destroyed with the scope.
 *
 * @example
 * ```ts
 * import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
 * import * as NodeHappyEyeballsPlatform from "effect-staggered-race/NodeHappyEyeballsPlatform"
 * import * as Effect from "effect/Effect"
 *
 * export const client = Effect.flatMap(
 *   NodeHappyEyeballsPlatform.makeAgent({ keepAlive: true }),
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
 * The agents of {@link makeAgent} as a layer, for `NodeHttpClient.layerWithoutAgent`.
 *
 * **Example** (connections that are kept alive)
 *
 * @example
 * ```ts
 * import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
 * import * as NodeHappyEyeballsPlatform from "effect-staggered-race/NodeHappyEyeballsPlatform"
 * import * as Layer from "effect/Layer"
 *
 * export const HttpClientLive = NodeHttpClient.layerWithoutAgent.pipe(
 *   Layer.provide(NodeHappyEyeballsPlatform.layerAgent({ keepAlive: true, maxSockets: 50 }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const layerAgent: (options?: NodeHappyEyeballs.HttpsAgentOptions) => Layer.Layer<NodeHttpClient.HttpAgent> =
  internal.layerAgent

/**
 * `NodeHttpClient.layer`, racing: an `HttpClient` over `node:http`.
 *
 * @example
 * ```ts no-run
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as NodeHappyEyeballsPlatform from "effect-staggered-race/NodeHappyEyeballsPlatform"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const response = yield* HttpClient.get("https://example.com")
 *   console.log(response.status)
 * })
 *
 * await Effect.runPromise(Effect.provide(program, NodeHappyEyeballsPlatform.layerHttpClient))
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient> = internal.layerHttpClient

/**
 * Options of undici's `Agent`, and how to race. `connect` is what connects to each address, and `connectTimeout` is for
 * each; the time that the name takes to resolve is not in it.
 *
 * @since 0.1.0
 * @category models
 */
export interface DispatcherOptions extends Undici.Agent.Options {
  /** How to resolve and race. Default: as RFC 8305 says. */
  readonly happyEyeballs?: NodeHappyEyeballs.PlainOptions | undefined
}

/**
 * An `Agent` of undici for `NodeHttpClient`, which races, and is destroyed with the scope.
 *
 * **Details**
 *
 * Unlike an agent that is made with `NodeHappyEyeballs.connector`, it stops connecting as it is destroyed.
 *
 * @example
 * ```ts
 * import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
 * import * as NodeHappyEyeballsPlatform from "effect-staggered-race/NodeHappyEyeballsPlatform"
 * import * as Effect from "effect/Effect"
 *
 * export const client = Effect.map(
 *   NodeHappyEyeballsPlatform.makeDispatcher({ connect: { timeout: 5000 }, connections: 10 }),
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
 * The agent of {@link makeDispatcher} as a layer, for `NodeHttpClient.layerUndiciWithoutDispatcher`.
 *
 * @example
 * ```ts
 * import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
 * import * as NodeHappyEyeballsPlatform from "effect-staggered-race/NodeHappyEyeballsPlatform"
 * import * as Layer from "effect/Layer"
 *
 * export const HttpClientLive = NodeHttpClient.layerUndiciWithoutDispatcher.pipe(
 *   Layer.provide(NodeHappyEyeballsPlatform.layerDispatcher({ allowH2: true }))
 * )
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const layerDispatcher: (options?: DispatcherOptions) => Layer.Layer<NodeHttpClient.Dispatcher> =
  internal.layerDispatcher

/**
 * `NodeHttpClient.layerUndici`, racing: an `HttpClient` over undici. {@link layerHttpClient} shows how it is used.
 *
 * @since 0.1.0
 * @category http
 */
export const layerHttpClientUndici: Layer.Layer<HttpClient.HttpClient> = internal.layerHttpClientUndici
