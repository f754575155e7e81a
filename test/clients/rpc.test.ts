import { it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as Hedge from "../../src/Hedge.js"
import * as Replicas from "../../src/Replicas.js"
import { describeNeeding } from "../support/needing.js"
import { inFlight, stateOf } from "../support/replicas.js"
import { type Client, clientOver, protocols } from "../support/rpc/clients.js"
import { type Server, serversOf } from "../support/rpc/servers.js"
import { leavingNoSocket } from "../support/sockets.js"

// Hedged calls to servers that are processes, by @effect/rpc. The servers answer when the test tells them to, and only the
// clock of the call is virtual. So each test knows all that happens to each call on each server.

/** Lines of one call, by server. */
const wroteNothing: ReadonlyArray<string> = []
const interrupted = ["started 1", "interrupted 1", "released 1"]
const done = ["started 1", "done 1", "released 1"]

/** A test waits for what it has caused, but never for what has no cause. */
const idle = (replicas: Replicas.Replicas<Client>) =>
  inFlight(replicas).pipe(
    Effect.zipLeft(Effect.yieldNow()),
    Effect.repeat({ until: (numbers) => numbers.every((number) => number === 0) })
  )

interface Rig {
  readonly a: Server
  readonly b: Server
  readonly c: Server
  readonly replicas: Replicas.Replicas<Client>
  /** What each server has written since the last time. */
  readonly transcripts: Effect.Effect<Readonly<Record<"a" | "b" | "c", ReadonlyArray<string>>>, Error>
}

/** Hedges by a virtual clock, in the order of the names. */
const inOrder = { prefer: ["a", "b", "c"] }
const policyOf = (maxHedges = 1) => Hedge.make({ delay: "1 second", budget: "unlimited", maxHedges })

describeNeeding("three servers", serversOf(["a", "b", "c"]), () => false, (started) => {
  for (const [transport, protocolOf] of Object.entries(protocols)) {
    const test = (name: string, body: (rig: Rig) => Effect.Effect<void, unknown, Scope.Scope>) =>
      it.live(`${transport}: ${name}`, () =>
        leavingNoSocket(Effect.scoped(Effect.gen(function*() {
          const [a, b, c] = (yield* started) as [Server, Server, Server]
          const transcripts = Effect.all({ a: a.transcript, b: b.transcript, c: c.transcript })
          yield* transcripts
          const clients = yield* Effect.forEach([a, b, c], ({ name, ports }) =>
            Effect.map(clientOver(protocolOf(ports)), (target) => ({ id: name, target })))
          const replicas = yield* Replicas.make(clients)
          yield* body({ a, b, c, replicas, transcripts })
          yield* idle(replicas)
        }))))

    const virtual = (name: string, body: (rig: Rig) => Effect.Effect<void, unknown, Scope.Scope>) =>
      test(name, (rig) => Effect.provide(body(rig), TestContext.TestContext))

    virtual(
      "the hedge answers, and the handler of the request is interrupted",
      ({ a, b, replicas, transcripts }) =>
        Effect.gen(function*() {
          const policy = yield* policyOf()
          const call = yield* Effect.fork(
            Replicas.hedge(replicas, (client) => client.Get({ call: 1, held: ["a", "b"] }), policy, inOrder)
          )
          yield* a.wrote("started 1")
          yield* TestClock.adjust("1 second")
          yield* b.wrote("started 1")
          yield* b.tell(1, "answer")
          strictEqual(yield* Fiber.join(call), "b:1")
          yield* a.wrote("released 1")
          deepStrictEqual(yield* transcripts, { a: interrupted, b: done, c: wroteNothing })
        })
    )

    virtual(
      "the request answers, and the handlers of both hedges are interrupted",
      ({ a, b, c, replicas, transcripts }) =>
        Effect.gen(function*() {
          const policy = yield* policyOf(2)
          const call = yield* Effect.fork(
            Replicas.hedge(replicas, (client) => client.Get({ call: 1, held: ["a", "b", "c"] }), policy, inOrder)
          )
          for (const server of [a, b, c]) {
            yield* server.wrote("started 1")
            yield* TestClock.adjust("1 second")
          }
          yield* a.tell(1, "answer")
          strictEqual(yield* Fiber.join(call), "a:1")
          yield* Effect.all([b.wrote("released 1"), c.wrote("released 1")])
          deepStrictEqual(yield* transcripts, { a: done, b: interrupted, c: interrupted })
        })
    )

    const waitingAtAll = ({ a, b, c, replicas }: Rig) =>
      Effect.gen(function*() {
        const policy = yield* policyOf(2)
        const call = yield* Replicas.hedge(
          replicas,
          (client) => client.Get({ call: 1, held: ["a", "b", "c"] }),
          policy,
          inOrder
        ).pipe(Effect.timeout("10 seconds"), Effect.fork)
        for (const server of [a, b]) {
          yield* server.wrote("started 1")
          yield* TestClock.adjust("1 second")
        }
        yield* c.wrote("started 1")
        return call
      })

    const interruptedAtAll = ({ a, b, c, transcripts }: Rig) =>
      Effect.gen(function*() {
        yield* Effect.forEach([a, b, c], (server) => server.wrote("released 1"))
        deepStrictEqual(yield* transcripts, { a: interrupted, b: interrupted, c: interrupted })
      })

    virtual("the caller is interrupted, and so are the handlers of all attempts", (rig) =>
      Effect.gen(function*() {
        yield* Fiber.interrupt(yield* waitingAtAll(rig))
        yield* interruptedAtAll(rig)
      }))

    virtual("the call times out, and the handlers of all attempts are interrupted", (rig) =>
      Effect.gen(function*() {
        const call = yield* waitingAtAll(rig)
        yield* TestClock.adjust("8 seconds")
        deepStrictEqual(
          Exit.mapError(yield* Fiber.await(call), ({ _tag }) => _tag),
          Exit.fail("TimeoutException")
        )
        yield* interruptedAtAll(rig)
      }))

    virtual(
      "the stream of a hedge runs to its end, and that of the request is interrupted",
      ({ a, b, replicas, transcripts }) =>
        Effect.gen(function*() {
          const policy = yield* policyOf()
          const call = yield* Effect.fork(Replicas.hedge(
            replicas,
            (client) => Stream.runCollect(client.Watch({ call: 1, held: ["a", "b"] })),
            policy,
            inOrder
          ))
          yield* a.tell(1, "answer")
          yield* a.wrote("element 0 of 1")
          yield* TestClock.adjust("1 second")
          for (let element = 0; element < 3; element++) {
            yield* b.tell(1, "answer")
          }
          deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(call)), ["b:1:0", "b:1:1", "b:1:2"])
          yield* a.wrote("released 1")
          deepStrictEqual(yield* transcripts, {
            a: ["started 1", "element 0 of 1", "interrupted 1", "released 1"],
            b: ["started 1", "element 0 of 1", "element 1 of 1", "element 2 of 1", "done 1", "released 1"],
            c: wroteNothing
          })
        })
    )

    virtual(
      "only the first element is taken, and the streams of all attempts are interrupted",
      ({ a, b, replicas, transcripts }) =>
        Effect.gen(function*() {
          const policy = yield* policyOf()
          const call = yield* Effect.fork(Replicas.hedge(
            replicas,
            (client) => Stream.runHead(client.Watch({ call: 1, held: ["a", "b"] })),
            policy,
            inOrder
          ))
          yield* a.wrote("started 1")
          yield* TestClock.adjust("1 second")
          yield* b.tell(1, "answer")
          deepStrictEqual(yield* Fiber.join(call), Option.some("b:1:0"))
          yield* Effect.all([a.wrote("released 1"), b.wrote("released 1")])
          deepStrictEqual(yield* transcripts, {
            a: interrupted,
            b: ["started 1", "element 0 of 1", "interrupted 1", "released 1"],
            c: wroteNothing
          })
        })
    )

    virtual(
      "the first element decides, and the stream of the winner goes on until the scope closes",
      ({ a, b, replicas, transcripts }) =>
        Effect.gen(function*() {
          const policy = yield* policyOf()
          yield* Effect.scoped(Effect.gen(function*() {
            const call = yield* Effect.fork(Replicas.hedge(
              replicas,
              (client) =>
                Effect.gen(function*() {
                  const elements = yield* client.Watch({ call: 1, held: ["a", "b"] }, { asMailbox: true })
                  return { first: yield* elements.take, elements }
                }),
              policy,
              inOrder
            ))
            yield* a.wrote("started 1")
            yield* TestClock.adjust("1 second")
            yield* b.tell(1, "answer")
            const { elements, first } = yield* Fiber.join(call)
            strictEqual(first, "b:1:0")
            yield* a.wrote("released 1")
            yield* b.tell(1, "answer")
            strictEqual(yield* elements.take, "b:1:1")
            deepStrictEqual(yield* transcripts, {
              a: interrupted,
              b: ["started 1", "element 0 of 1", "element 1 of 1"],
              c: wroteNothing
            })
          }))
          yield* b.wrote("released 1")
          deepStrictEqual(yield* transcripts, {
            a: wroteNothing,
            b: ["interrupted 1", "released 1"],
            c: wroteNothing
          })
        })
    )

    virtual(
      "an overloaded server says when to come back, and no other is asked before",
      ({ a, b, replicas, transcripts }) =>
        Effect.gen(function*() {
          const policy = yield* Hedge.make<string, Effect.Effect.Error<ReturnType<Client["Get"]>>>({
            delay: "1 minute",
            pushback: (exit) =>
              Exit.causeOption(exit).pipe(
                Option.flatMap(Cause.failureOption),
                Option.match({
                  onNone: () => false,
                  onSome: (error) => error._tag === "Overloaded" && error.retryAfter
                })
              )
          })
          const failed = yield* Deferred.make<void>()
          const call = yield* Effect.fork(
            Replicas.hedge(replicas, (client) => client.Get({ call: 1, held: ["a"] }), policy, {
              ...inOrder,
              onEvent: ({ _tag }) => _tag === "Failed" ? Deferred.succeed(failed, undefined) : Effect.void
            })
          )
          yield* a.wrote("started 1")
          yield* a.tell(1, { retryAfter: 5000 })
          yield* Deferred.await(failed)
          yield* TestClock.adjust(4999)
          strictEqual((yield* stateOf(replicas, "b")).picks, 0)
          deepStrictEqual(yield* transcripts, {
            a: ["started 1", "failed 1", "released 1"],
            b: wroteNothing,
            c: wroteNothing
          })
          yield* TestClock.adjust(1)
          strictEqual(yield* Fiber.join(call), "b:1")
          deepStrictEqual(yield* transcripts, { a: wroteNothing, b: done, c: wroteNothing })
        })
    )

    test("under load, a server hangs, goes on, dies and comes back, and no call fails", ({ a, b, c, replicas }) =>
      Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: Hedge.percentile(0.95, { min: "5 millis", max: "200 millis" }) })
        let calls = 0
        let ended = 0
        let isOver = false
        const wrong: Array<Exit.Exit<string, unknown>> = []
        /** How often attempts ended so at server `a`. */
        const atA = { Lost: 0, Failed: 0 }

        const call = Effect.suspend(() => {
          const id = ++calls
          return Replicas.hedge(replicas, (client) => client.Get({ call: id, millis: 3 }), policy, {
            onEvent: (event, asked) =>
              Effect.sync(() => {
                if ((event._tag === "Lost" || event._tag === "Failed") && asked[event.index]?.id === "a") {
                  atA[event._tag]++
                }
              })
          }).pipe(
            Effect.exit,
            Effect.map((exit) => {
              ended++
              if (Exit.isFailure(exit) || !["a", "b", "c"].some((name) => exit.value === `${name}:${id}`)) {
                wrong.push(exit)
              }
            })
          )
        })

        const until = (isSo: () => boolean) => Effect.sleep("5 millis").pipe(Effect.repeat({ until: isSo }))
        const more = (count: number) =>
          Effect.suspend(() => {
            const enough = ended + count
            return until(() => ended >= enough)
          })

        const load = yield* Effect.replicate(Effect.repeat(call, { until: () => isOver }), 20).pipe(
          Effect.forEach(Effect.fork)
        )
        yield* more(200)
        yield* a.stop
        yield* until(() => atA.Lost > 0)
        yield* more(200)
        yield* a.goOn
        yield* more(200)
        yield* a.kill
        yield* until(() => atA.Failed > 0)
        yield* more(200)
        yield* a.start
        yield* a.until((lines) => lines.filter((line) => line.startsWith("done")).length > 20)
        yield* more(200)
        isOver = true
        yield* Fiber.joinAll(load)

        deepStrictEqual(wrong, [])
        yield* idle(replicas)
        const count = (lines: ReadonlyArray<string>, event: string) =>
          lines.filter((line) => line.startsWith(event)).length
        yield* Effect.forEach(
          [a, b, c],
          (server) =>
            server.until((lines) => count(lines, "started") > 0 && count(lines, "started") === count(lines, "released"))
        )
      }))
  }
})
