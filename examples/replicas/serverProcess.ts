/** A replica, in a process of its own. Its arguments are the seed and the port, 0 for a free one. See server.ts. */
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import * as SocketServer from "@effect/platform/SocketServer"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import { fate } from "../support/fate.js"
import { Api } from "./api.js"
import { type Answer, type Question, tail } from "./server.js"

const [seed = 0, port = 0] = process.argv.slice(2).map(Number)
let slowness = 1
let running = 0

const handlers = Api.toLayer({
  Get: ({ attempt, id }) =>
    Effect.suspend(() => {
      const { millis } = fate(seed, id, attempt, tail)
      running++
      return Effect.as(Effect.sleep(millis * slowness), millis * slowness)
    }).pipe(
      // A call that its caller has given up is interrupted here.
      Effect.ensuring(Effect.sync(() => running--))
    )
})

const tell = (answer: Answer) => process.send?.(answer)

const listening = Effect.map(
  SocketServer.SocketServer,
  ({ address }) => tell({ id: 0, running, port: address._tag === "TcpAddress" ? address.port : 0 })
)

process
  .on("message", (question: Question) => {
    slowness = question.slowness
    tell({ id: question.id, running })
  })
  // The parent has died.
  .on("disconnect", () => process.exit())
  // Ctrl-C reaches all processes, and the parent ends this one.
  .on("SIGINT", () => {})

RpcServer.layer(Api, { disableTracing: true }).pipe(
  Layer.provide(handlers),
  Layer.provide(RpcServer.layerProtocolSocketServer),
  Layer.provide(RpcSerialization.layerNdjson),
  Layer.merge(Layer.effectDiscard(listening)),
  Layer.provide(NodeSocketServer.layer({ host: "127.0.0.1", port, noDelay: true })),
  Layer.launch,
  Effect.runPromise
)
