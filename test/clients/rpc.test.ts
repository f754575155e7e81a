import type { RpcClientError } from "@effect/rpc/RpcClientError"
import { describe, it } from "@effect/vitest"
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
import type { Overloaded, Ports } from "../support/rpc/api.js"
import { type Client, clientOver, type Protocol, protocols } from "../support/rpc/clients.js"
import { type Server, serversOf } from "../support/rpc/servers.js"
import { leavingNoSocket } from "../support/sockets.js"

// Hedged calls by @effect/rpc to servers that are processes. A server answers when the test tells it to, and the clock of
// the calls is virtual. So each test knows all that happens to a call on each server.

interface Rig {
  readonly a: Server
  readonly b: Server
  readonly c: Server
  readonly replicas: Replicas.Replicas<Client>
  /** A call to the servers in order, with a hedge each second. */
  readonly call: <A, E, Eff extends Effect.Effect<unknown, unknown, unknown>>(
    request: (client: Client) => Eff & Effect.Effect<A, E, unknown>,
    maxHedges?: number
  ) => Effect.Effect<
    Effect.Effect.Success<Eff>,
    Effect.Effect.Error<Eff> | Replicas.NoReplica,
    Effect.Effect.Context<Eff>
  >
  /** What each server has written since the last time. */
  readonly transcripts: Effect.Effect<Readonly<Record<"a" | "b" | "c", ReadonlyArray<string>>>, Error>
}

const inOrder = ["a", "b", "c"]

/** Waits until no attempt is under way: it leaves no fiber behind. */
const idle = (replicas: Replicas.Replicas<Client>) =>
  inFlight(replicas).pipe(
    Effect.zipLeft(Effect.yieldNow()),
    Effect.repeat({ until: (numbers) => numbers.every((number) => number === 0) })
  )

const replicasOf = (
  servers: ReadonlyArray<Server>,
  protocolOf: (ports: Ports) => Protocol,
  options?: Replicas.Options
) =>
  Effect.forEach(
    servers,
    ({ name, ports }) => Effect.map(clientOver(protocolOf(ports)), (target) => ({ id: name, target }))
  ).pipe(
    Effect.flatMap((replicas) => Replicas.make(replicas, options))
  )

// What a server writes of call 1.
const nothing: ReadonlyArray<string> = []
const done = ["started 1", "done 1", "released 1"]
const interrupted = ["started 1", "interrupted 1", "released 1"]

describeNeeding("rpc", serversOf(["a", "b", "c"]), () => false, (started) => {
  describe.each(Object.entries(protocols))("over %s", (_, protocolOf) => {
    const virtual = (name: string, body: (rig: Rig) => Effect.Effect<void, unknown, Scope.Scope>) =>
      it.live(name, () =>
        leavingNoSocket(Effect.scoped(Effect.gen(function*() {
          const [a, b, c] = (yield* started) as [Server, Server, Server]
          const transcripts = Effect.all({ a: a.transcript, b: b.transcript, c: c.transcript })
          yield* transcripts
          const replicas = yield* replicasOf([a, b, c], protocolOf)
          const call: Rig["call"] = (request, maxHedges = 1) =>
            Effect.flatMap(
              Hedge.make({ delay: "1 second", budget: "unlimited", maxHedges }),
              (policy) => Replicas.hedge(replicas, request, policy, { prefer: inOrder })
            )
          // Only now: the clocks of the clients are real.
          yield* Effect.provide(body({ a, b, c, replicas, call, transcripts }), TestContext.TestContext)
          yield* idle(replicas)
        }))))

    virtual(
      "a hedge answers, and the handler of the request is interrupted",
      ({ a, b, call, transcripts }) =>
        Effect.gen(function*() {
          const answer = yield* Effect.fork(call((client) => client.Get({ call: 1, held: ["a", "b"] })))
          yield* a.wrote("started 1")
          yield* TestClock.adjust("1 second")
          yield* b.wrote("started 1")
          yield* b.tell(1, "answer")
          strictEqual(yield* Fiber.join(answer), "b:1")
          yield* a.wrote("released 1")
          deepStrictEqual(yield* transcripts, { a: interrupted, b: done, c: nothing })
        })
    )

    /** Forks a call, and waits until it waits for all three servers. */
    const waiting = ({ a, b, c, call }: Rig) =>
      Effect.gen(function*() {
        const answer = yield* call((client) => client.Get({ call: 1, held: ["a", "b", "c"] }), 2).pipe(
          Effect.timeout("3 seconds"),
          Effect.fork
        )
        yield* a.wrote("started 1")
        yield* TestClock.adjust("1 second")
        yield* b.wrote("started 1")
        yield* TestClock.adjust("1 second")
        yield* c.wrote("started 1")
        return answer
      })

    const allInterrupted = ({ a, b, c, transcripts }: Rig) =>
      Effect.gen(function*() {
        yield* Effect.forEach([a, b, c], (server) => server.wrote("released 1"))
        deepStrictEqual(yield* transcripts, { a: interrupted, b: interrupted, c: interrupted })
      })

    virtual("the request answers, and the handlers of both hedges are interrupted", (rig) =>
      Effect.gen(function*() {
        const { a, b, c, transcripts } = rig
        const answer = yield* waiting(rig)
        yield* a.tell(1, "answer")
        strictEqual(yield* Fiber.join(answer), "a:1")
        yield* Effect.forEach([b, c], (server) => server.wrote("released 1"))
        deepStrictEqual(yield* transcripts, { a: done, b: interrupted, c: interrupted })
      }))

    virtual("the caller is interrupted, and so are the handlers of all attempts", (rig) =>
      Effect.gen(function*() {
        yield* Fiber.interrupt(yield* waiting(rig))
        yield* allInterrupted(rig)
      }))

    virtual(
      "the call takes too long, and the handlers of all attempts are interrupted",
      (rig) =>
        Effect.gen(function*() {
          const answer = yield* waiting(rig)
          yield* TestClock.adjust("1 second")
          strictEqual((yield* Effect.flip(Fiber.join(answer)))._tag, "TimeoutException")
          yield* allInterrupted(rig)
        })
    )

    virtual(
      "the stream of a hedge runs to its end, and that of the request is interrupted",
      (rig) =>
        Effect.gen(function*() {
          const { a, b, call, transcripts } = rig
          const elements = yield* Effect.fork(
            call((client) => Stream.runCollect(client.Watch({ call: 1, held: ["a", "b"] })))
          )
          yield* a.tell(1, "answer")
          yield* a.wrote("element 0 of 1")
          yield* TestClock.adjust("1 second")
          yield* Effect.replicateEffect(b.tell(1, "answer"), 3)
          deepStrictEqual(Chunk.toReadonlyArray(yield* Fiber.join(elements)), ["b:1:0", "b:1:1", "b:1:2"])
          yield* a.wrote("released 1")
          deepStrictEqual(yield* transcripts, {
            a: ["started 1", "element 0 of 1", "interrupted 1", "released 1"],
            b: ["started 1", "element 0 of 1", "element 1 of 1", "element 2 of 1", "done 1", "released 1"],
            c: nothing
          })
        })
    )

    virtual(
      "only the first element is taken, and the streams of all attempts are interrupted",
      (rig) =>
        Effect.gen(function*() {
          const { a, b, call, transcripts } = rig
          const element = yield* Effect.fork(
            call((client) => Stream.runHead(client.Watch({ call: 1, held: ["a", "b"] })))
          )
          yield* a.wrote("started 1")
          yield* TestClock.adjust("1 second")
          yield* b.tell(1, "answer")
          deepStrictEqual(yield* Fiber.join(element), Option.some("b:1:0"))
          yield* Effect.forEach([a, b], (server) => server.wrote("released 1"))
          deepStrictEqual(yield* transcripts, {
            a: interrupted,
            b: ["started 1", "element 0 of 1", "interrupted 1", "released 1"],
            c: nothing
          })
        })
    )

    virtual(
      "the first element decides, and the stream of the winner goes on until the scope closes",
      (rig) =>
        Effect.gen(function*() {
          const { a, b, call, transcripts } = rig
          yield* Effect.scoped(Effect.gen(function*() {
            const winner = yield* Effect.fork(call((client) =>
              Effect.gen(function*() {
                const elements = yield* client.Watch({ call: 1, held: ["a", "b"] }, { asMailbox: true })
                return { elements, first: yield* elements.take }
              })
            ))
            yield* a.wrote("started 1")
            yield* TestClock.adjust("1 second")
            yield* b.tell(1, "answer")
            const { elements, first } = yield* Fiber.join(winner)
            strictEqual(first, "b:1:0")
            yield* a.wrote("released 1")
            yield* b.tell(1, "answer")
            strictEqual(yield* elements.take, "b:1:1")
            deepStrictEqual(yield* transcripts, {
              a: interrupted,
              b: ["started 1", "element 0 of 1", "element 1 of 1"],
              c: nothing
            })
          }))
          yield* b.wrote("released 1")
          deepStrictEqual(yield* transcripts, { a: nothing, b: ["interrupted 1", "released 1"], c: nothing })
        })
    )

    virtual(
      "a server is overloaded and says for how long, and no other is asked before",
      (rig) =>
        Effect.gen(function*() {
          const { a, replicas, transcripts } = rig
          const policy = yield* Hedge.make<string, Overloaded | RpcClientError>({
            delay: "1 minute",
            pushback: (exit) =>
              Option.match(Option.flatMap(Exit.causeOption(exit), Cause.failureOption), {
                onNone: () => false,
                onSome: (error) => error._tag === "Overloaded" && error.retryAfter
              })
          })
          const isHeard = yield* Deferred.make<void>()
          const answer = yield* Replicas.hedge(replicas, (client) => client.Get({ call: 1, held: ["a"] }), policy, {
            prefer: inOrder,
            onEvent: ({ _tag }) => _tag === "Failed" ? Deferred.succeed(isHeard, undefined) : Effect.void
          }).pipe(Effect.fork)
          yield* a.tell(1, { retryAfter: 5000 })
          yield* Deferred.await(isHeard)
          yield* TestClock.adjust(4999)
          deepStrictEqual(yield* transcripts, { a: ["started 1", "failed 1", "released 1"], b: nothing, c: nothing })
          strictEqual((yield* stateOf(replicas, "b")).picks, 0)
          yield* TestClock.adjust(1)
          strictEqual(yield* Fiber.join(answer), "b:1")
          deepStrictEqual(yield* transcripts, { a: nothing, b: done, c: nothing })
        })
    )
  })

  it.live("a server is asked to end and interrupts its handlers, and another one answers", () =>
    leavingNoSocket(Effect.scoped(Effect.gen(function*() {
      const [a, b, c] = (yield* started) as [Server, Server, Server]
      const calls = yield* Effect.forEach(Object.values(protocols), (protocolOf, index) =>
        Effect.gen(function*() {
          const replicas = yield* replicasOf([a, b, c], protocolOf)
          const call = yield* Effect.fork(Replicas.hedge(
            replicas,
            (client) => client.Get({ call: index, held: ["a"] }),
            { delay: "1 minute" },
            { prefer: inOrder }
          ))
          yield* a.wrote(`started ${index}`)
          return call
        }))
      yield* a.terminate
      deepStrictEqual(yield* Fiber.join(Fiber.all(calls)), ["b:0", "b:1", "b:2"])
      yield* a.kill
      yield* a.start
    }))))

  it.live(
    "a server hangs, goes on, dies and comes back under load, and no call fails",
    () =>
      leavingNoSocket(Effect.scoped(Effect.gen(function*() {
        const [a, b, c] = (yield* started) as [Server, Server, Server]
        yield* Effect.addFinalizer(() => a.goOn)
        const loads = yield* Effect.forEach(
          Object.values(protocols),
          (protocolOf) => Effect.flatMap(replicasOf([a, b, c], protocolOf, soon), loading)
        )
        const each = (until: (load: Load) => Effect.Effect<void>) =>
          Effect.forEach(loads, until, { concurrency: "unbounded", discard: true })

        yield* each(({ more }) => more("wonAtA", 10))
        yield* a.stop
        yield* each(({ more, waitsForA }) => Effect.zipRight(waitsForA, more("ended", 100)))
        yield* a.goOn
        yield* each(({ more }) => more("wonAtA", 10))
        yield* a.kill
        yield* each(({ more }) => Effect.zipRight(more("failedAtA", 1), more("ended", 100)))
        yield* a.start
        yield* each(({ more }) => more("wonAtA", 10))

        deepStrictEqual(yield* Effect.forEach(loads, ({ end }) => end), loads.map(() => []))
        yield* Effect.forEach(loads, ({ replicas }) => idle(replicas))
        yield* Effect.forEach(
          [a, b, c],
          (server) =>
            server.until((lines) =>
              counted(lines, "started") > 0 && counted(lines, "started") === counted(lines, "released")
            )
        )
      }))),
    120_000
  )
})

/** A server that is back gets calls within a second. */
const soon: Replicas.Options = { halfLife: "500 millis", maxEjectFor: "1 second" }

const counted = (lines: ReadonlyArray<string>, event: string) => lines.filter((line) => line.startsWith(event)).length

type Load = Effect.Effect.Success<ReturnType<typeof loading>>

/** Thirty fibers that each make one call after the other. */
const loading = (replicas: Replicas.Replicas<Client>) =>
  Effect.gen(function*() {
    const policy = yield* Hedge.make({ delay: Hedge.percentile(0.95, { max: "1 second" }) })
    const counts = { ended: 0, wonAtA: 0, failedAtA: 0 }
    const wrong: Array<Exit.Exit<string, unknown>> = []
    let calls = 0
    let isOver = false

    const call = Effect.suspend(() => {
      const id = calls++
      return Replicas.hedge(replicas, (client) => client.Get({ call: id, millis: 200 }), policy, {
        onEvent: (event, asked) =>
          Effect.sync(() => {
            if ("index" in event && asked[event.index]?.id === "a") {
              counts.wonAtA += event._tag === "Won" ? 1 : 0
              counts.failedAtA += event._tag === "Failed" ? 1 : 0
            }
          })
      }).pipe(
        Effect.exit,
        Effect.map((exit) => {
          counts.ended++
          if (Exit.isFailure(exit) || !inOrder.includes(exit.value.replace(`:${id}`, ""))) {
            wrong.push(exit)
          }
        })
      )
    })

    const fibers = yield* Effect.forEach(
      Array.from({ length: 30 }),
      () => Effect.fork(Effect.repeat(call, { until: () => isOver }))
    )

    const until = (isSo: Effect.Effect<boolean>): Effect.Effect<void> =>
      Effect.repeat(Effect.delay(isSo, "5 millis"), { until: (isSo) => isSo })

    return {
      replicas,
      /** Waits until so many more of these have happened. */
      more: (what: keyof typeof counts, count: number) =>
        Effect.suspend(() => {
          const enough = counts[what] + count
          return until(Effect.sync(() => counts[what] >= enough))
        }),
      waitsForA: until(Effect.map(stateOf(replicas, "a"), ({ inFlight }) => inFlight > 0)),
      /** Ends the load. Gives the calls that failed, or had the answer of another. */
      end: Effect.suspend(() => {
        isOver = true
        return Effect.as(Fiber.joinAll(fibers), wrong)
      })
    }
  })
