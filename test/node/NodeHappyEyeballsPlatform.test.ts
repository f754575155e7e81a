import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as Socket from "@effect/platform/Socket"
import { describe, it } from "@effect/vitest"
import { assertInstanceOf, assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as http from "node:http"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as NodeHappyEyeballsPlatform from "../../src/NodeHappyEyeballsPlatform.js"
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

describe("NodeHappyEyeballsPlatform", () => {
  live("a Socket connects as it is run, and can be run again", () =>
    Effect.gen(function*() {
      let connections = 0
      const server = net.createServer((socket) => {
        connections++
        socket.pipe(socket)
      })
      const port = yield* listening(server, "127.0.0.3")
      const socket = yield* NodeHappyEyeballsPlatform.makeSocket(target(port))
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
      const socket = yield* NodeHappyEyeballsPlatform.makeSocketTls(target(port), { ca })
      strictEqual(yield* Effect.scoped(echoed(socket)), "hello")
    }).pipe(resolved))

  live("a Socket that cannot connect says why", () =>
    Effect.gen(function*() {
      const socket = yield* NodeHappyEyeballsPlatform.makeSocket(target(1))
      const error = yield* Effect.flip(socket.run(() => {}))
      assertTrue(error.reason === "Open")
      assertInstanceOf(error.cause, HappyEyeballs.ConnectionFailed)
      deepStrictEqual(error.cause.connections.map(({ address }) => address), ["127.0.0.2", "127.0.0.3"])
    }).pipe(resolved))

  live("a Socket that takes too long to open", () =>
    Effect.gen(function*() {
      const socket = yield* NodeHappyEyeballsPlatform.makeSocket(target(1), { openTimeout: "20 millis" })
      const error = yield* Effect.flip(socket.run(() => {}))
      assertTrue(error.reason === "Open" && String(error.cause).includes("timed out"))
    }).pipe(Effect.provideService(HappyEyeballs.Resolver, { query: () => Effect.never })))

  const resolver = knows("127.0.0.2", "127.0.0.3")

  it.live.each<readonly [string, Layer.Layer<HttpClient.HttpClient>, Layer.Layer<HttpClient.HttpClient>]>([
    [
      "node:http",
      Layer.provide(
        NodeHttpClient.layerWithoutAgent,
        NodeHappyEyeballsPlatform.layerAgent({ happyEyeballs: { resolver } })
      ),
      NodeHappyEyeballsPlatform.layerHttpClient
    ],
    [
      "undici",
      Layer.provide(
        NodeHttpClient.layerUndiciWithoutDispatcher,
        NodeHappyEyeballsPlatform.layerDispatcher({ happyEyeballs: { resolver } })
      ),
      NodeHappyEyeballsPlatform.layerHttpClientUndici
    ]
  ])("an HttpClient over %s", ([, racing, byTheSystem]) =>
    leavingNoSocket(Effect.scoped(Effect.gen(function*() {
      const server = http.createServer((request, response) => response.end(request.headers.host))
      const port = yield* listening(server, "127.0.0.3")
      const get = (host: string) => Effect.flatMap(HttpClient.get(`http://${host}:${port}/`), ({ text }) => text)
      strictEqual(yield* Effect.provide(get("happy.test"), racing), `happy.test:${port}`)
      strictEqual(yield* Effect.provide(get("127.0.0.3"), byTheSystem), `127.0.0.3:${port}`)
    }))))

  live("a dispatcher's own lookup is asked, and a path of the file system is not raced", () =>
    Effect.gen(function*() {
      const text = (dispatcher: Undici.Dispatcher, url: string) =>
        Effect.tryPromise(async () => (await Undici.request(url, { dispatcher })).body.text())
      const port = yield* listening(http.createServer((_, response) => response.end("by address")), "127.0.0.3")
      const asked: Array<string> = []
      const lookup: net.LookupFunction = (host, _, callback) => {
        asked.push(host)
        callback(null, [{ address: "127.0.0.3", family: 4 }])
      }
      const looking = yield* NodeHappyEyeballsPlatform.makeDispatcher({ connect: { family: 4, lookup } })
      strictEqual(yield* text(looking, `http://happy.test:${port}`), "by address")
      deepStrictEqual(asked, ["happy.test"])

      const socketPath = join(tmpdir(), `${process.pid}.happy.sock`)
      yield* Effect.acquireRelease(
        Effect.async<http.Server>((resume) => {
          const server = http.createServer((_, response) => response.end("by path"))
          server.listen(socketPath, () => resume(Effect.succeed(server)))
        }),
        (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
      )
      const pathed = yield* NodeHappyEyeballsPlatform.makeDispatcher({ socketPath })
      strictEqual(yield* text(pathed, `http://happy.test:${port}`), "by path")
    }))

  live("a dispatcher that is released stops connecting", () =>
    Effect.gen(function*() {
      const asked = yield* Deferred.make<void>()
      const stopped = yield* Deferred.make<void>()
      const happyEyeballs = {
        resolver: {
          query: () =>
            Effect.zipRight(Deferred.succeed(asked, undefined), Effect.never).pipe(
              Effect.onInterrupt(() => Deferred.succeed(stopped, undefined))
            )
        }
      }
      const requesting = yield* Effect.fork(Effect.scoped(Effect.gen(function*() {
        const dispatcher = yield* NodeHappyEyeballsPlatform.makeDispatcher({ happyEyeballs })
        return yield* Effect.promise((signal) => Undici.request("http://happy.test", { dispatcher, signal }))
      })))
      yield* Deferred.await(asked)
      const exit = yield* Fiber.interrupt(requesting)
      assertTrue(exit._tag === "Failure" && Cause.isInterrupted(exit.cause))
      yield* Deferred.await(stopped)
    }))
})
