import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as Undici from "@effect/platform-node/Undici"
import * as HttpClient from "@effect/platform/HttpClient"
import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as http from "node:http"
import type * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as HappyEyeballsHttpClient from "../../src/HappyEyeballsHttpClient.js"
import { knows, leavingNoSocket, listening } from "../support/sockets.js"

const live = (name: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test())), 20_000)

describe("HappyEyeballsHttpClient", () => {
  const resolver = knows("127.0.0.2", "127.0.0.3")

  it.live.each<readonly [string, Layer.Layer<HttpClient.HttpClient>, Layer.Layer<HttpClient.HttpClient>]>([
    [
      "node:http",
      Layer.provide(
        NodeHttpClient.layerWithoutAgent,
        HappyEyeballsHttpClient.layerAgent({ happyEyeballs: { resolver } })
      ),
      HappyEyeballsHttpClient.layer
    ],
    [
      "undici",
      Layer.provide(
        NodeHttpClient.layerUndiciWithoutDispatcher,
        HappyEyeballsHttpClient.layerDispatcher({ happyEyeballs: { resolver } })
      ),
      HappyEyeballsHttpClient.layerUndici
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
      const looking = yield* HappyEyeballsHttpClient.makeDispatcher({ connect: { family: 4, lookup } })
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
      const pathed = yield* HappyEyeballsHttpClient.makeDispatcher({ socketPath })
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
        const dispatcher = yield* HappyEyeballsHttpClient.makeDispatcher({ happyEyeballs })
        return yield* Effect.promise((signal) => Undici.request("http://happy.test", { dispatcher, signal }))
      })))
      yield* Deferred.await(asked)
      const exit = yield* Fiber.interrupt(requesting)
      assertTrue(exit._tag === "Failure" && Cause.isInterrupted(exit.cause))
      yield* Deferred.await(stopped)
    }))
})
