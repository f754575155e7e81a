import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as RpcClient from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import type * as RpcGroup from "@effect/rpc/RpcGroup"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Api, host, type Ports } from "./api.js"

export type Client = RpcClient.RpcClient<RpcGroup.Rpcs<typeof Api>, RpcClientError>

/** By default a client waits longer each time, up to 5 seconds, and never forgets how often it has had to. */
const options = { retrySchedule: Schedule.spaced("100 millis") }

/** The protocol of a client, by transport. */
export const protocols = {
  TCP: ({ tcp }: Ports) =>
    RpcClient.layerProtocolSocket(options).pipe(
      Layer.provide(NodeSocket.layerNet({ host, port: tcp, noDelay: true }))
    ),
  WebSocket: ({ http }: Ports) =>
    RpcClient.layerProtocolSocket(options).pipe(
      Layer.provide(NodeSocket.layerWebSocket(`ws://${host}:${http}/webSocket`))
    ),
  HTTP: ({ http }: Ports) =>
    RpcClient.layerProtocolHttp({ url: `http://${host}:${http}/http` }).pipe(
      Layer.provide(NodeHttpClient.layerUndici)
    )
}

export type Protocol = Layer.Layer<RpcClient.Protocol, unknown, RpcSerialization.RpcSerialization>

/** A client whose connection lives as long as the scope. */
export const clientOver = <E>(protocol: Layer.Layer<RpcClient.Protocol, E, RpcSerialization.RpcSerialization>) =>
  Effect.flatMap(
    Layer.build(Layer.provide(protocol, RpcSerialization.layerNdjson)),
    (context) => Effect.provide(RpcClient.make(Api), context)
  )
