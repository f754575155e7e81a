import type * as Socket from "@effect/platform/Socket"
import { describe, it } from "@effect/vitest"
import { assertInstanceOf, assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as HappyEyeballsSocket from "../../src/HappyEyeballsSocket.js"
import { ca, knows, leavingNoSocket, listening, tlsServer } from "../support/sockets.js"

const live = (name: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test())), 20_000)

const target = (port: number) => ({ host: "happy.test", port })

const resolved = Effect.provideService(HappyEyeballs.Resolver, knows("127.0.0.2", "127.0.0.3"))

/** Sends a line, and ends with what comes back. */
const echoed = (socket: Socket.Socket) =>
  Effect.gen(function*() {
    const answer = yield* Deferred.make<string>()
    const write = yield* socket.writer
    yield* Effect.fork(write("hello"))
    const listen = socket.run((data) => Deferred.succeed(answer, new TextDecoder().decode(data)))
    return yield* Effect.raceFirst(Effect.zipRight(listen, Effect.never), Deferred.await(answer))
  })

describe("HappyEyeballsSocket", () => {
  live("a Socket connects as it is run, and can be run again", () =>
    Effect.gen(function*() {
      let connections = 0
      const server = net.createServer((socket) => {
        connections++
        socket.pipe(socket)
      })
      const port = yield* listening(server, "127.0.0.3")
      const socket = yield* HappyEyeballsSocket.make(target(port))
      strictEqual(connections, 0)
      strictEqual(yield* Effect.scoped(echoed(socket)), "hello")
      strictEqual(yield* Effect.scoped(echoed(socket)), "hello")
      strictEqual(connections, 2)
    }).pipe(resolved))

  live("a Socket over TLS", () =>
    Effect.gen(function*() {
      const port = yield* listening(
        tlsServer("happy").on("secureConnection", (socket) => socket.pipe(socket)),
        "127.0.0.3"
      )
      const socket = yield* HappyEyeballsSocket.makeTls(target(port), { ca })
      strictEqual(yield* Effect.scoped(echoed(socket)), "hello")
    }).pipe(resolved))

  live("a Socket that cannot connect says why", () =>
    Effect.gen(function*() {
      const socket = yield* HappyEyeballsSocket.make(target(1))
      const error = yield* Effect.flip(socket.run(() => {}))
      assertTrue(error.reason === "Open")
      assertInstanceOf(error.cause, HappyEyeballs.ConnectionFailed)
      deepStrictEqual(error.cause.connections.map(({ address }) => address), ["127.0.0.2", "127.0.0.3"])
    }).pipe(resolved))

  live("a Socket that takes too long to open", () =>
    Effect.gen(function*() {
      const socket = yield* HappyEyeballsSocket.make(target(1), { openTimeout: "20 millis" })
      const error = yield* Effect.flip(socket.run(() => {}))
      assertTrue(error.reason === "Open" && String(error.cause).includes("timed out"))
    }).pipe(Effect.provideService(HappyEyeballs.Resolver, { query: () => Effect.never })))
})
