import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFile } from "node:child_process"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import { fileURLToPath } from "node:url"
import { Server } from "socket.io"
import { WebSocketServer } from "ws"
import type { Task } from "../support/clients/ending.js"
import { deadPort, key } from "../support/clients/hosts.js"
import { rows } from "../support/clients/http.js"
import { isMissing, mosquitto, mysql, postgres, redis, smtp } from "../support/clients/servers.js"
import type { Kind } from "../support/clients/uses.js"
import { describeNeeding } from "../support/needing.js"
import { leavingNoSocket, listening, tlsServer } from "../support/sockets.js"

// A process that has used a client, and has left a connection that hangs, ends by itself.

const program = fileURLToPath(new URL("../support/clients/ending.ts", import.meta.url))

/** What a process has written, and how it has ended. */
const ended = (task: Task) =>
  Effect.async<string>((resume) => {
    execFile(
      process.execPath,
      ["--import", "tsx", program, JSON.stringify(task)],
      { timeout: 30_000, killSignal: "SIGKILL" },
      (error, stdout, stderr) =>
        resume(Effect.succeed(`${stdout}${stderr}${error === null ? 0 : error.signal ?? error.code}`))
    )
  })

type Answering = Effect.Effect<Pick<Task, "plain" | "secure">, Error, Scope.Scope>

const dead = "127.0.0.4"

const endedAll = (kind: Kind, names: ReadonlyArray<string>, answering: Answering) =>
  Effect.gen(function*() {
    const ports = yield* answering
    const port = yield* deadPort(dead)
    const all = yield* Effect.forEach(
      names,
      (name) =>
        Effect.map(ended({ kind, name, ...ports, dead: { address: dead, port } }), (end) => [name, end] as const),
      { concurrency: 4 }
    )
    return Object.fromEntries(all)
  })

const live = (name: string, test: Effect.Effect<void, Error, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test)), 60_000)

const each = (names: ReadonlyArray<string>, end: string) => Object.fromEntries(names.map((name) => [name, end]))

const serve = (serverOf: () => net.Server, secureServerOf: () => net.Server): Answering =>
  Effect.all({ plain: listening(serverOf(), "127.0.0.3"), secure: listening(secureServerOf(), "127.0.0.3") })

// Longer than the process is waited for, so that it cannot end because the server has closed.
const keepAliveTimeout = 60_000

const page: http.RequestListener = (_, response) => void response.end("42")

const pages = serve(
  () => http.createServer({ keepAliveTimeout }, page),
  () => https.createServer({ keepAliveTimeout, ...key("happy") }, page)
)

const webSockets = (server: http.Server) => {
  new WebSocketServer({ server }).on("connection", (socket) => socket.on("message", (data) => socket.send(`${data}`)))
  return server
}

const socketIo = (server: http.Server) => {
  const io = new Server(server, { serveClient: false })
  io.on("connection", (socket) => socket.on("echo", (text, answer) => answer(text)))
  server.once("close", () => void io.close())
  return server
}

const welcome = (socket: net.Socket) => void socket.end("42")

const welcomes = serve(
  () => net.createServer(welcome),
  () => tlsServer("happy").on("secureConnection", welcome)
)

const drivers = { pg: postgres, mysql2: mysql, ioredis: redis, mqtt: mosquitto, nodemailer: smtp }

// The same agent, or the same way around follow-redirects.
const isAnother = (name: string) => /^undici.*fetch$|without redirects$/.test(name)

describe("a process that used a client, and left it while it connected to what is dead, ends by itself", () => {
  live(
    "sockets",
    Effect.gen(function*() {
      const names = ["createConnection", "connectPromise"]
      const held = ["createConnection, unref", "createConnection, not left", "Node's own, unref"]
      deepStrictEqual(yield* endedAll("sockets", [...names, ...held], welcomes), {
        ...each(names, "42\n42\n0"),
        // To Node, a connection that is asked for is a request that is running, and `unref` does nothing to that.
        ...each(held, "42\n42\nheld by ConnectWrap\n1")
      })
    })
  )

  live(
    "clients of HTTP, also with connections that are kept alive",
    Effect.gen(function*() {
      const names = Object.keys(rows).filter((name) => !isAnother(name))
      deepStrictEqual(yield* endedAll("http", names, pages), each(names, "42\n42\n0"))
    })
  )

  live(
    "clients of WebSockets",
    Effect.gen(function*() {
      const ofWs = ["ws", "ws, without an agent"]
      const ofIo = ["socket.io-client", "socket.io-client, polling"]
      const over = (serve: (server: http.Server) => http.Server) =>
        Effect.all({
          plain: listening(serve(http.createServer()), "127.0.0.3"),
          secure: listening(serve(https.createServer(key("happy"))), "127.0.0.3")
        })
      deepStrictEqual(
        {
          ...yield* endedAll("webSockets", ofWs, over(webSockets)),
          ...yield* endedAll("webSockets", ofIo, over(socketIo))
        },
        each([...ofWs, ...ofIo], "hello\nhello\n0")
      )
    })
  )

  for (const [name, server] of Object.entries(drivers)) {
    describeNeeding(
      name,
      server,
      isMissing,
      (made: Effect.Effect<Effect.Effect.Success<typeof server>, Error>) => {
        live(
          "the driver",
          Effect.gen(function*() {
            const end = yield* endedAll("drivers", [name], made)
            deepStrictEqual(end, { [name]: "42\n42\n0" })
          })
        )
      }
    )
  }
})
