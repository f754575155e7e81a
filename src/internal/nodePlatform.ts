import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as Undici from "@effect/platform-node/Undici"
import type * as HttpClient from "@effect/platform/HttpClient"
import * as Socket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type { Duplex } from "node:stream"
import type * as HappyEyeballs from "../HappyEyeballs.js"
import * as NodeHappyEyeballs from "../NodeHappyEyeballs.js"
import type * as NodeHappyEyeballsPlatform from "../NodeHappyEyeballsPlatform.js"
import { stoppable } from "./nodeConnector.js"

const fromConnection = <R>(
  connection: Effect.Effect<Duplex, HappyEyeballs.ConnectionFailed<NodeHappyEyeballs.SocketFailed>, R>,
  options: NodeHappyEyeballsPlatform.SocketOptions | undefined
) =>
  NodeSocket.fromDuplex(
    Effect.mapError(connection, (cause) => new Socket.SocketGenericError({ reason: "Open", cause })),
    { openTimeout: options?.openTimeout }
  )

/** @internal */
export const makeSocket = (
  target: HappyEyeballs.Target,
  options?: NodeHappyEyeballs.ConnectOptions & NodeHappyEyeballsPlatform.SocketOptions
) => fromConnection(NodeHappyEyeballs.connect(target, options), options)

/** @internal */
export const makeSocketTls = (
  target: HappyEyeballs.Target,
  options?: NodeHappyEyeballs.ConnectTlsOptions & NodeHappyEyeballsPlatform.SocketOptions
) => fromConnection(NodeHappyEyeballs.connectTls(target, options), options)

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

const connectorOf = ({ connect, connectTimeout, ...options }: NodeHappyEyeballsPlatform.DispatcherOptions) =>
  typeof connect === "function" ? connect : Undici.buildConnector({
    ...(options.allowH2 === undefined ? {} : { allowH2: options.allowH2 }),
    ...(options.maxCachedSessions === undefined ? {} : { maxCachedSessions: options.maxCachedSessions }),
    ...(connectTimeout === undefined ? {} : { timeout: connectTimeout }),
    ...connect
  })

/** @internal */
export const makeDispatcher = (
  { happyEyeballs, ...options }: NodeHappyEyeballsPlatform.DispatcherOptions = {}
): Effect.Effect<Undici.Dispatcher, never, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { connector, stop } = stoppable(connectorOf(options), happyEyeballs)
      return { dispatcher: new Undici.Agent({ ...options, connect: connector }), stop }
    }),
    ({ dispatcher, stop }) => {
      const destroyed = Effect.promise(() => dispatcher.destroy())
      return Effect.zipRight(Effect.sync(stop), destroyed)
    }
  ).pipe(Effect.map(({ dispatcher }) => dispatcher))

/** @internal */
export const layerDispatcher = (
  options?: NodeHappyEyeballsPlatform.DispatcherOptions
): Layer.Layer<NodeHttpClient.Dispatcher> => Layer.scoped(NodeHttpClient.Dispatcher, makeDispatcher(options))

/** @internal */
export const layerHttpClient: Layer.Layer<HttpClient.HttpClient> = Layer.provide(
  NodeHttpClient.layerWithoutAgent,
  layerAgent()
)

/** @internal */
export const layerHttpClientUndici: Layer.Layer<HttpClient.HttpClient> = Layer.provide(
  NodeHttpClient.layerUndiciWithoutDispatcher,
  layerDispatcher()
)
