import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
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
    Layer.effect(
      RpcClient.Protocol,
      Effect.flatMap(HttpClient.HttpClient, (client) =>
        RpcClient.makeProtocolHttp(client.pipe(
          HttpClient.mapRequest(HttpClientRequest.prependUrl(`http://${host}:${http}/http`)),
          // Without it, a call waits for ever if the answer is an error without a body, such as a proxy's.
          HttpClient.filterStatusOk
        )))
    ).pipe(Layer.provide(NodeHttpClient.layerUndici))
}

export type Protocol = ReturnType<(typeof protocols)[keyof typeof protocols]>

/** A client whose connection lives as long as the scope. */
export const clientOver = <E>(protocol: Layer.Layer<RpcClient.Protocol, E, RpcSerialization.RpcSerialization>) =>
  Effect.flatMap(
    Layer.build(Layer.provide(protocol, RpcSerialization.layerNdjson)),
    (context) => Effect.provide(RpcClient.make(Api), context)
  )
