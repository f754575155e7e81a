import { it } from "@effect/vitest"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { once } from "node:events"
import * as net from "node:net"
import { Worker } from "node:worker_threads"
import * as HappyEyeballs from "../../../src/HappyEyeballs.js"
import { knows, leavingNoSocket, listening, pem } from "../sockets.js"

export const live = (name: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test())), 10_000)

/** Where both pages are: `127.0.0.2` is the first address, and `127.0.0.3`, the second, answers. */
export const resolver = knows("127.0.0.2", "127.0.0.3")

export const silent: HappyEyeballs.Resolver["Type"] = { query: () => Effect.never }

/** Before a second address would be tried. */
export const limit = 200

/** Names, codes and messages of an error and its causes, but for those that are ours. */
export const say = (error: unknown): string => {
  if (!(error instanceof Error)) {
    return String(error)
  }
  const { cause, code, message, name } = error as NodeJS.ErrnoException
  const said = [name, ...code === undefined ? [] : [code]].join(" ") +
    `: ${
      message.split("\n")[0]?.replaceAll(/https?:\/[^ )]+/g, "URL").replaceAll(/port \d+/g, "port PORT").replaceAll(
        /#\d+/g,
        "#FIBER"
      )
    }`
  return cause === undefined || cause instanceof HappyEyeballs.ConnectionFailed ? said : `${said} < ${say(cause)}`
}

export const key = (name: "happy" | "other") => ({ key: pem(name), cert: pem(name) })

/** Takes connections, and does not answer. */
export const mute = (address: string, port?: number) =>
  Effect.gen(function*() {
    const server = net.createServer((socket) => socket.resume())
    const connected = once(server, "connection")
    const connections = Effect.async<number>((resume) => {
      server.getConnections((_, count) => resume(Effect.succeed(count)))
    })
    /** Nobody is connected to it any more. */
    const gone = Effect.repeat(Effect.delay(connections, "5 millis"), { until: (count) => count === 0 })
    return { port: yield* listening(server, address, port), connected, gone }
  })

export const muteAll = Effect.gen(function*() {
  const first = yield* mute("127.0.0.2")
  yield* mute("127.0.0.3", first.port)
  return first
})

/** Its code runs in a thread, which listens, and then takes no connection: it waits to be told to end. */
const deaf = `
  const { parentPort, workerData: { address, isOver } } = require("node:worker_threads")
  const server = require("node:net").createServer().listen({ host: address, port: 0, backlog: 1 }, () => {
    parentPort.postMessage(server.address().port)
    setImmediate(() => {
      Atomics.wait(isOver, 0, 0)
      process.exit()
    })
  })
`

/** An address and a port that answer to nothing, as the system has as many connections waiting there as it takes. */
export const deadPort = (address: string) =>
  Effect.gen(function*() {
    const isOver = new Int32Array(new SharedArrayBuffer(4))
    const worker = yield* Effect.acquireRelease(
      Effect.sync(() => new Worker(deaf, { eval: true, workerData: { address, isOver } })),
      (worker) =>
        Effect.promise(async () => {
          const exit = once(worker, "exit")
          Atomics.store(isOver, 0, 1)
          Atomics.notify(isOver, 0)
          await exit
        })
    )
    const [port] = yield* Effect.promise(() => once(worker, "message") as Promise<[number]>)
    for (let waiting = 0; waiting < 2; waiting++) {
      const socket = yield* Effect.acquireRelease(
        Effect.sync(() => net.connect(port, address).on("error", () => {})),
        (socket) => Effect.sync(() => socket.destroy())
      )
      yield* Effect.promise(() => once(socket, "connect"))
    }
    return port
  })

export const turn = Effect.promise(() => new Promise((resume) => setImmediate(resume)))

export const closedPort = Effect.suspend(() => Effect.scoped(listening(net.createServer(), "127.0.0.2")))
