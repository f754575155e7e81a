import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import * as Record from "effect/Record"
import type * as Scope from "effect/Scope"
import type * as net from "node:net"
import type * as HappyEyeballsHttpClient from "../../HappyEyeballsHttpClient.js"
import * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import { stoppable } from "./undici.js"

const agentOf = <A extends { readonly destroy: () => void }>(make: () => A) =>
  Effect.acquireRelease(Effect.sync(make), (agent) => Effect.sync(() => agent.destroy()))

/** @internal */
export const makeAgent = (
  options?: NodeHappyEyeballs.HttpsAgentOptions
): Effect.Effect<NodeHttpClient.HttpAgent, never, Scope.Scope> =>
  Effect.all({
    [NodeHttpClient.HttpAgentTypeId]: Effect.succeed<typeof NodeHttpClient.HttpAgentTypeId>(
      NodeHttpClient.HttpAgentTypeId
    ),
    http: agentOf(() => new NodeHappyEyeballs.HttpAgent(options)),
    https: agentOf(() => new NodeHappyEyeballs.HttpsAgent(options))
  })

/** @internal */
export const layerAgent = (options?: NodeHappyEyeballs.HttpsAgentOptions): Layer.Layer<NodeHttpClient.HttpAgent> =>
  Layer.scoped(NodeHttpClient.HttpAgent, makeAgent(options))

/** Does what undici does with its options if it is given no connector. */
const connectorOf = (options: HappyEyeballsHttpClient.DispatcherOptions) => {
  const { allowH2, connect, connectTimeout, maxCachedSessions, socketPath } = options
  return typeof connect === "function" ? connect : Undici.buildConnector({
    ...Record.filter(
      { allowH2, maxCachedSessions, socketPath, timeout: connectTimeout },
      Predicate.isNotUndefined
    ),
    ...connect
  })
}

/** A connector gets addresses, so its options for names must take effect here. */
const resolutionOf = (
  { connect, connectTimeout }: HappyEyeballsHttpClient.DispatcherOptions
): NodeHappyEyeballs.PlainOptions => {
  const names = typeof connect === "object" ? connect : {}
  // In undici, zero means no limit.
  const timeout = names.timeout ?? connectTimeout
  const { family, hints, lookup } = names as Pick<net.TcpNetConnectOpts, "family" | "hints" | "lookup">
  return {
    family: family === 4 || family === 6 ? family : undefined,
    ...(typeof timeout === "number" && { timeout: timeout === 0 ? Infinity : timeout }),
    resolver: NodeHappyEyeballs.makeResolver({ hints, lookup })
  }
}

/** @internal */
export const makeDispatcher = (
  { happyEyeballs, ...options }: HappyEyeballsHttpClient.DispatcherOptions = {}
): Effect.Effect<Undici.Dispatcher, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { connector, stop } = stoppable(connectorOf(options), { ...resolutionOf(options), ...happyEyeballs })
      return { dispatcher: new Undici.Agent({ ...options, connect: connector }), stop }
    }),
    ({ dispatcher, stop }) =>
      Effect.promise(() => {
        // Destroy first: a destroyed dispatcher starts nothing new when its connections are stopped.
        const destroyed = dispatcher.destroy()
        stop()
        return destroyed
      })
  ).pipe(Effect.map(({ dispatcher }) => dispatcher))

/** @internal */
export const layerDispatcher = (
  options?: HappyEyeballsHttpClient.DispatcherOptions
): Layer.Layer<NodeHttpClient.Dispatcher> => Layer.scoped(NodeHttpClient.Dispatcher, makeDispatcher(options))

/** @internal */
export const layer: Layer.Layer<HttpClient.HttpClient> = Layer.provide(
  NodeHttpClient.layerWithoutAgent,
  layerAgent()
)

/** @internal */
export const layerUndici: Layer.Layer<HttpClient.HttpClient> = Layer.provide(
  NodeHttpClient.layerUndiciWithoutDispatcher,
  layerDispatcher()
)
