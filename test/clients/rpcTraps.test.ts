import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as RpcClient from "@effect/rpc/RpcClient"
import * as RpcSerialization from "@effect/rpc/RpcSerialization"
import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { once } from "node:events"
import * as http from "node:http"
import * as net from "node:net"
import * as Replicas from "../../src/Replicas.js"
import { describeNeeding } from "../support/needing.js"
import { Api, host } from "../support/rpc/api.js"
import { type Client, clientOver, type Protocol, protocols } from "../support/rpc/clients.js"
import { type Server, serversOf } from "../support/rpc/servers.js"
import { leavingNoSocket, listening } from "../support/sockets.js"

// What the guide to replicas warns of, and what it recommends instead.

const live = (name: string, test: Effect.Effect<void, unknown, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test)))

/** Milliseconds of the virtual clock until the next sleeper wakes. */
const nextWaking = Effect.gen(function*() {
  const now = yield* TestClock.currentTimeMillis
  return Math.min(...yield* TestClock.sleeps()) - now
})

const untilWaking = (millis: number) =>
  Effect.repeat(Effect.zipLeft(nextWaking, Effect.yieldNow()), { until: (next) => next === millis })

const freePort = Effect.scoped(listening(net.createServer(), host))

const isPending = (fiber: Fiber.RuntimeFiber<unknown, unknown>) => Effect.map(fiber.poll, Option.isNone)

const servers = Effect.gen(function*() {
  const [fragile, sound] = yield* Effect.all(
    [serversOf(["a"], { disableFatalDefects: false }), serversOf(["b"])],
    { concurrency: "unbounded" }
  )
  return { a: fragile[0]!, b: sound[0]! }
})

describeNeeding("traps of rpc", servers, () => false, (started) => {
  describe.each(["await", "background"] as const)("the losers of a call: %s", (losers) => {
    live(
      "the connection of a loser does not open",
      Effect.gen(function*() {
        const { b } = yield* started
        // It takes connections, and does not answer.
        const silent = yield* listening(net.createServer(), host)
        const replicas = yield* Replicas.make<Client>([
          { id: "silent", target: yield* clientOver(protocols.WebSocket({ tcp: silent, http: silent })) },
          { id: "b", target: yield* clientOver(protocols.WebSocket(b.ports)) }
        ])
        yield* Effect.gen(function*() {
          const isDecided = yield* Deferred.make<void>()
          const answer = yield* Replicas.hedge(replicas, (client) => client.Get({ call: 1 }), {
            delay: "1 minute",
            losers
          }, {
            prefer: ["silent", "b"],
            onEvent: ({ _tag }) => _tag === "Decided" ? Deferred.succeed(isDecided, undefined) : Effect.void
          }).pipe(Effect.fork)
          yield* untilWaking(60_000)
          yield* TestClock.adjust("1 minute")
          yield* Deferred.await(isDecided)
          // The client does not get rid of the interruption, and gives up after a second.
          yield* untilWaking(1000)
          if (losers === "await") {
            strictEqual(yield* isPending(answer), true)
            yield* TestClock.adjust(1000)
          }
          strictEqual(yield* Fiber.join(answer), "b:1")
          yield* TestClock.adjust(1000)
        }).pipe(Effect.provide(TestContext.TestContext))
      })
    )

    live(
      "a loser hangs, and its connection is open: the client does not wait for it",
      Effect.gen(function*() {
        const { a, b } = yield* started
        const replicas = yield* Replicas.make<Client>([
          { id: "a", target: yield* clientOver(protocols.TCP(a.ports)) },
          { id: "b", target: yield* clientOver(protocols.TCP(b.ports)) }
        ])
        yield* a.transcript
        yield* Effect.gen(function*() {
          yield* Effect.acquireRelease(a.stop, () => a.goOn)
          const answer = yield* Replicas.hedge(replicas, (client) => client.Get({ call: 1, held: ["a"] }), {
            delay: "1 minute",
            losers
          }, { prefer: ["a", "b"] }).pipe(Effect.fork)
          yield* untilWaking(60_000)
          yield* TestClock.adjust("1 minute")
          strictEqual(yield* Fiber.join(answer), "b:1")
        }).pipe(Effect.scoped, Effect.provide(TestContext.TestContext))
        yield* a.wrote("released 1")
        deepStrictEqual(yield* a.transcript, ["started 1", "interrupted 1", "released 1"])
      })
    )
  })

  describe("a client that is made with `Effect.provide`: its connection closes at once", () => {
    const madeBy = (protocol: Protocol) =>
      Effect.provide(RpcClient.make(Api), Layer.provide(protocol, RpcSerialization.layerNdjson))

    for (const transport of ["TCP", "WebSocket"] as const) {
      live(
        `${transport}: its calls wait for ever`,
        Effect.gen(function*() {
          const { b } = yield* started
          yield* b.transcript
          const client = yield* madeBy(protocols[transport](b.ports))
          const call = yield* Effect.fork(client.Get({ call: 1 }))
          const other = yield* clientOver(protocols[transport](b.ports))
          strictEqual(yield* other.Get({ call: 2 }), "b:2")
          strictEqual(yield* isPending(call), true)
          deepStrictEqual(yield* b.transcript, ["started 2", "done 2", "released 2"])
          yield* Fiber.interrupt(call)
        })
      )
    }

    live(
      "HTTP: its calls fail",
      Effect.gen(function*() {
        const { b } = yield* started
        const client = yield* madeBy(protocols.HTTP(b.ports))
        strictEqual((yield* Effect.flip(client.Get({ call: 1 })))._tag, "RpcClientError")
      })
    )
  })

  describe.each(Object.entries(protocols))("a defect of a handler, over %s", (transport, protocolOf) => {
    const twoCalls = (server: Server) =>
      Effect.gen(function*() {
        yield* server.transcript
        const client = yield* clientOver(protocolOf(server.ports))
        const calls = yield* Effect.forEach(
          [1, 2],
          (call) => Effect.fork(client.Get({ call, held: [server.name] }))
        )
        yield* Effect.all([server.wrote("started 1"), server.wrote("started 2")])
        yield* server.transcript
        yield* server.tell(2, "die")
        return calls as [Fiber.RuntimeFiber<string, unknown>, Fiber.RuntimeFiber<string, unknown>]
      })

    const dies = (fiber: Fiber.Fiber<unknown, unknown>) =>
      Effect.map(Effect.flip(Effect.sandbox(Fiber.join(fiber))), Cause.isDie)

    live(
      "it fails all calls of the client",
      Effect.gen(function*() {
        const { a } = yield* started
        const [well, ill] = yield* twoCalls(a)
        deepStrictEqual([yield* dies(well), yield* dies(ill)], [true, true])
        if (transport !== "HTTP") {
          // The client does not interrupt the others: their handlers go on for nobody.
          yield* a.tell(1, "answer")
        }
        yield* a.wrote("released 1")
        deepStrictEqual(yield* a.transcript, [
          "failed 2",
          "released 2",
          transport === "HTTP" ? "interrupted 1" : "done 1",
          "released 1"
        ])
      })
    )

    live(
      "with `disableFatalDefects` it fails its own call",
      Effect.gen(function*() {
        const { b } = yield* started
        const [well, ill] = yield* twoCalls(b)
        strictEqual(yield* dies(ill), true)
        yield* b.tell(1, "answer")
        strictEqual(yield* Fiber.join(well), "b:1")
      })
    )
  })

  describe("a server that is down", () => {
    const clientOf = (port: number, options?: Parameters<typeof RpcClient.layerProtocolSocket>[0]) =>
      clientOver(
        Layer.provide(RpcClient.layerProtocolSocket(options), NodeSocket.layerNet({ host, port, noDelay: true }))
      )

    live(
      "`retryTransientErrors`: calls wait until it is there, however many; after a connection was lost they fail",
      Effect.gen(function*() {
        const { b } = yield* started
        yield* b.kill
        const retrySchedule = Schedule.spaced("20 millis")
        const patient = yield* clientOf(b.ports.tcp, { retrySchedule, retryTransientErrors: true })
        const calls = yield* Effect.forEach(
          Array.from({ length: 1000 }, (_, call) => call),
          (call) => Effect.fork(patient.Get({ call }))
        )
        const impatient = yield* clientOf(b.ports.tcp, { retrySchedule })
        strictEqual((yield* Effect.flip(impatient.Get({ call: 0 })))._tag, "RpcClientError")
        deepStrictEqual(yield* Effect.forEach(calls, isPending), calls.map(() => true))
        yield* b.start
        deepStrictEqual(yield* Fiber.join(Fiber.all(calls)), calls.map((_, call) => `b:${call}`))

        const held = yield* Effect.fork(patient.Get({ call: 1000, held: ["b"] }))
        yield* b.wrote("started 1000")
        yield* b.kill
        strictEqual((yield* Effect.flip(Fiber.join(held)))._tag, "RpcClientError")
        strictEqual((yield* Effect.flip(patient.Get({ call: 1001 })))._tag, "RpcClientError")
        yield* b.start
      })
    )

    live(
      "the client connects again after longer and longer, also when a connection has been there in between",
      Effect.gen(function*() {
        const port = yield* freePort
        yield* clientOf(port)
        yield* untilWaking(500)
        yield* TestClock.adjust(500)
        yield* untilWaking(750)
        yield* Effect.scoped(Effect.gen(function*() {
          const server = net.createServer()
          const isConnected = once(server, "connection")
          yield* listening(server, host, port)
          yield* TestClock.adjust(750)
          yield* Effect.promise(() => isConnected)
        }))
        yield* untilWaking(1125)
      }).pipe(Effect.provide(TestContext.TestContext))
    )

    live(
      "HTTP: a call that is answered with an error without a body waits for ever, unless the client looks at the status",
      Effect.gen(function*() {
        const isAnswered = yield* Deferred.make<void>()
        const server = http.createServer((_, response) => {
          response.writeHead(503).end(() => Deferred.unsafeDone(isAnswered, Effect.void))
        })
        const port = yield* listening(server, host)
        const careless = yield* RpcClient.layerProtocolHttp({ url: `http://${host}:${port}` }).pipe(
          Layer.provide(NodeHttpClient.layerUndici),
          clientOver
        )
        const call = yield* Effect.fork(careless.Get({ call: 1 }))
        yield* Deferred.await(isAnswered)
        const careful = yield* clientOver(protocols.HTTP({ tcp: port, http: port }))
        strictEqual((yield* Effect.flip(careful.Get({ call: 2 })))._tag, "RpcClientError")
        strictEqual(yield* isPending(call), true)
      })
    )
  })
})
