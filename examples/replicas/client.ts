import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { Api } from "./api.js"

/**
 * A client of one replica, over a TCP connection of its own.
 *
 * It connects again after half a second when the connection is lost. Until then, its calls fail at once, and not after a
 * timeout. The connection closes with the scope: a layer that is only provided to `make` would close it right away.
 */
export const client = (port: number) =>
  RpcClient.layerProtocolSocket({ retrySchedule: Schedule.spaced("500 millis") }).pipe(
    // Without `noDelay`, a request that follows another waits for the acknowledgement of that one.
    Layer.provide(NodeSocket.layerNet({ host: "127.0.0.1", port, noDelay: true })),
    Layer.provide(RpcSerialization.layerNdjson),
    Layer.build,
    Effect.flatMap((context) => Effect.provide(RpcClient.make(Api), context))
  )
