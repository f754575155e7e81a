import * as NodeHttpServer from "@effect/platform-node/NodeHttpServer"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as NodeSocketServer from "@effect/platform-node/NodeSocketServer"
import * as HttpRouter from "@effect/platform/HttpRouter"
import * as HttpServer from "@effect/platform/HttpServer"
import * as SocketServer from "@effect/platform/SocketServer"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import * as RpcServer from "@effect/rpc/RpcServer"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Queue from "effect/Queue"
import * as Stream from "effect/Stream"
import * as http from "node:http"
import { Api, type FromServer, host, Overloaded, type Task, type ToServer, type Word } from "./api.js"

// Serves the group over TCP, WebSockets and HTTP, and tells its parent what happens to each call. It ends with its parent.

process.on("disconnect", () => process.exit())
if (!process.connected) {
  process.exit()
}

const { disableFatalDefects, name, ports }: Task = JSON.parse(process.argv[2] ?? "")

const tell = (message: FromServer) => process.send!(message)

const log = (event: string, call: number) => Effect.sync(() => tell({ line: `${event} ${call}` }))

/** What the parent has said of calls that are held. */
const words = new Map<number, Queue.Queue<Word>>()

const wordsOf = (call: number) => {
  const known = words.get(call) ?? Effect.runSync(Queue.unbounded<Word>())
  words.set(call, known)
  return known
}

process.on("message", (message: ToServer) => {
  if ("mark" in message) {
    tell(message)
  } else {
    wordsOf(message.call).unsafeOffer(message.word)
  }
})

const obeying = (call: number): Effect.Effect<void, Overloaded> =>
  Effect.flatMap(Effect.suspend(() => wordsOf(call).take), (word) => {
    switch (word) {
      case "answer":
        return Effect.void
      case "die":
        return Effect.dieMessage("a bug")
      default:
        return new Overloaded({ retryAfter: Duration.millis(word.retryAfter) })
    }
  })

const howEnded = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit) ? "done" : Exit.isInterrupted(exit) ? "interrupted" : "failed"

/** What a handler holds. Its finalizer takes a while, and runs to its end. */
const holding = (call: number) =>
  Effect.acquireRelease(
    log("started", call),
    (_, exit) => log(howEnded(exit), call).pipe(Effect.delay("1 millis"), Effect.zipRight(log("released", call)))
  )

const Handlers = Api.toLayer({
  Get: ({ call, held, millis }) =>
    holding(call).pipe(
      Effect.zipRight(held.includes(name) ? obeying(call) : Effect.sleep(millis)),
      Effect.as(`${name}:${call}`),
      Effect.scoped
    ),
  Watch: ({ call, held }) =>
    Stream.scoped(holding(call)).pipe(
      Stream.flatMap(() => Stream.make(0, 1, 2)),
      Stream.rechunk(1),
      Stream.mapEffect((index) =>
        (held.includes(name) ? obeying(call) : Effect.void).pipe(
          Effect.zipRight(log(`element ${index} of`, call)),
          Effect.as(`${name}:${call}:${index}`)
        )
      )
    )
})

/**
 * In milliseconds, and longer than a client keeps an idle connection. By default the server closes it after five seconds,
 * and a client that is busy sends a request into it.
 */
const keepAliveTimeout = 60_000

/** One for each protocol. The same layer would be built only once. */
const rpcs = () => Layer.provide(RpcServer.layer(Api, { disableFatalDefects }), Handlers)

const Tcp = Layer.provide(rpcs(), RpcServer.layerProtocolSocketServer).pipe(
  Layer.provideMerge(NodeSocketServer.layer({ host, port: ports.tcp, noDelay: true }))
)

const Http = HttpRouter.Default.serve().pipe(
  Layer.provide(Layer.provide(rpcs(), RpcServer.layerProtocolHttp({ path: "/http" }))),
  Layer.provide(Layer.provide(rpcs(), RpcServer.layerProtocolWebsocket({ path: "/webSocket" }))),
  Layer.provideMerge(NodeHttpServer.layer(() => http.createServer({ keepAliveTimeout }), { host, port: ports.http }))
)

const program = Effect.gen(function*() {
  const tcp = (yield* SocketServer.SocketServer).address
  const http = (yield* HttpServer.HttpServer).address
  if (tcp._tag === "TcpAddress" && http._tag === "TcpAddress") {
    tell({ ports: { tcp: tcp.port, http: http.port } })
  }
  return yield* Effect.never
})

program.pipe(
  Effect.provide(Layer.merge(Tcp, Http).pipe(Layer.provide(RpcSerialization.layerNdjson))),
  NodeRuntime.runMain
)
