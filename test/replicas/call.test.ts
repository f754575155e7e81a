import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Hedge from "../../src/Hedge.js"
import * as Replicas from "../../src/Replicas.js"
import type * as StaggeredRace from "../../src/StaggeredRace.js"
import * as Timeline from "../../src/Timeline.js"
import { hang, inTime, type Row, virtually } from "../support/hedging.js"
import { inFlight, replicasOf, serversOf, setOf, stateOf } from "../support/replicas.js"
import { nothing, shape } from "../support/scenario.js"
import { Recorder } from "../support/spans.js"

const named = (count: number) => Array.from({ length: count }, (_, index) => `r${index}`)
const alike = (count: number, row: Row) => serversOf(Object.fromEntries(named(count).map((id) => [id, row])))

const never = { delay: 1000, maxHedges: 0 } as const

describe("a call", () => {
  describe("takes another replica for each attempt", () => {
    const chosen = FastCheck.record({
      count: FastCheck.integer({ min: 1, max: 20 }),
      choices: FastCheck.constantFrom(1, 2, 3, Infinity),
      prefer: FastCheck.array(FastCheck.constantFrom("r0", "r1", "r7"), { maxLength: 3 }),
      near: FastCheck.integer({ min: 0, max: 3 }),
      seed: FastCheck.integer()
    })
    type Chosen = typeof chosen extends FastCheck.Arbitrary<infer Value> ? Value : never

    const idsAsked = ({ choices, count, near, prefer, seed }: Chosen, row: Row, policy: Hedge.Options) => {
      const { asked, request } = alike(count, row)
      const ids = named(count).map((id, index) => index < near ? `${id}/here` : id)
      return Effect.gen(function*() {
        const set = yield* setOf(ids, { choices, zone: "here" }, seed)
        yield* Effect.exit(Effect.timeout(Replicas.hedge(set, request, policy, { prefer }), 5000))
        return asked.map(({ id }) => id)
      }).pipe(inTime)
    }

    const holds = (check: (chosen: Chosen) => Effect.Effect<void>) =>
      Effect.promise(() =>
        FastCheck.assert(FastCheck.asyncProperty(chosen, (chosen) => Effect.runPromise(check(chosen))), {
          seed: 1,
          numRuns: 300
        })
      )

    it.live("in place of failed ones, until none is left", () =>
      holds((chosen) =>
        Effect.map(idsAsked(chosen, [1, "fail"], { ...never, failovers: Infinity }), (ids) => {
          deepStrictEqual([...ids].sort(), named(chosen.count).sort())
        })
      ))

    it.live("for hedges, until none is left, and then again", () =>
      holds((chosen) =>
        Effect.map(idsAsked(chosen, hang, { delay: 10, maxHedges: chosen.count + 2 }), (ids) => {
          strictEqual(ids.length, chosen.count + 3)
          deepStrictEqual(ids.slice(0, chosen.count).sort(), named(chosen.count).sort())
        })
      ))

    it.live("for hedges and in place of failed ones", () =>
      holds((chosen) =>
        Effect.map(idsAsked(chosen, [15, "fail"], { delay: 10, maxHedges: 4, failovers: 4 }), (ids) => {
          strictEqual(new Set(ids).size, Math.min(chosen.count, ids.length))
        })
      ))

    it.live("a replica that has failed is not asked again for that", () =>
      inTime(Effect.gen(function*() {
        const { log, request } = serversOf({ a: [5, "fail"] })
        const set = yield* setOf(["a"])
        const exit = yield* Effect.exit(Replicas.hedge(set, request, { ...never, failovers: 3 }))
        strictEqual(Exit.isFailure(exit) && shape(exit.cause), "a")
        strictEqual(log(), "a0@0")
      })))

    it.live("one that is silent is asked again if there is no other", () =>
      inTime(Effect.gen(function*() {
        const { log, request } = serversOf({ a: (_, before) => before === 0 ? hang : [5, "ok"] })
        const set = yield* setOf(["a"])
        strictEqual(yield* Replicas.hedge(set, request, { delay: 50 }), "ok a")
        strictEqual(log(), "a0@0 a1@50")
        deepStrictEqual(yield* inFlight(set), [0])
      })))
  })

  describe("leaves nothing in flight", () => {
    const throws = () => {
      throw "thrown"
    }

    it.live.each<
      readonly [
        name: string,
        a: Row | typeof throws,
        b: Row,
        options: {
          readonly policy?: Partial<Hedge.Options<string, string>>
          readonly call?: Replicas.CallOptions<string, string, string>
        },
        end: string
      ]
    >([
      ["a success", [5, "ok"], hang, {}, "ok a"],
      ["a success without waiting", [0, "ok"], hang, {}, "ok a"],
      ["a failure, and a success of another", [5, "fail"], [5, "ok"], {}, "ok b"],
      ["failures", [5, "fail"], [5, "fail"], {}, "(a;b)"],
      ["a defect", [5, "die"], [5, "ok"], {}, "ok b"],
      ["a request that throws", throws, [5, "ok"], {}, "ok b"],
      ["a request that throws, and a failure", throws, [5, "fail"], {}, "(!thrown;b)"],
      ["an attempt that interrupts itself", [5, "interrupt"], [5, "ok"], {}, "ok b"],
      ["a fatal failure", [60, "fail"], hang, { policy: { fatal: () => true } }, "a"],
      [
        "an answer that is not accepted",
        [5, "bad"],
        [5, "ok"],
        { policy: { accept: (answer) => answer === "ok b" } },
        "ok b"
      ],
      ["a loser", hang, [5, "ok"], {}, "ok b"],
      ["a loser that cleans up", [200, "ok", { cleanup: 20 }], [5, "ok"], {}, "ok b"],
      ["a loser in the background", [200, "ok", { stubborn: true }], [5, "ok"], {}, "ok b"],
      [
        "a loser that is waited for",
        [200, "ok", { stubborn: true }],
        [5, "ok"],
        { policy: { losers: "await" } },
        "ok b"
      ],
      ["a loser that dies", [200, "die", { stubborn: true }], [5, "ok"], {}, "ok b"],
      ["a failure that is no ill", [5, "fail"], [5, "ok"], { call: { isIll: () => false } }, "ok b"],
      ["a judgement that throws", [5, "fail"], [5, "ok"], { call: { isIll: throws } }, "ok b"],
      ["an interruption, with nothing else", hang, hang, { policy: { maxHedges: 0 } }, "interrupted"],
      ["an interruption of both", hang, hang, {}, "interrupted"],
      ["an interruption while it cleans up", [5000, "ok", { cleanup: 100 }], hang, {}, "interrupted"]
    ])("after %s", ([, a, b, { call, policy }, expected]) =>
      Effect.gen(function*() {
        for (const ops of [undefined, ...Array.from({ length: 29 }, (_, index) => 12 + index)]) {
          const { request } = serversOf({ a: typeof a === "function" ? hang : a, b })
          const set = yield* setOf(["a", "b"])
          const called = Replicas.hedge(
            set,
            (id, index): Effect.Effect<string, string> =>
              id === "a" && typeof a === "function" ? a() : request(id, index),
            { delay: 50, ...policy },
            { prefer: ["a"], ...call }
          )
          const { exit, left } = yield* virtually(called, { ops, interruptAt: 1000 })
          deepStrictEqual(left, nothing)
          const how = Exit.match(exit, {
            onFailure: (cause) => Cause.isInterruptedOnly(cause) ? "interrupted" : shape(cause),
            onSuccess: (answer) => answer
          })
          deepStrictEqual([how, yield* inFlight(set)], [expected, [0, 0]], `${ops}`)
        }
      }))

    it.live("after an interruption at any instant", () =>
      Effect.gen(function*() {
        for (const interruptAt of [0, 3, 5, 8, 50, 55, 58, 60, 62, 65, 70]) {
          for (const interruptLast of [false, true]) {
            const { request } = serversOf({ a: [5, "fail"], b: [100, "ok", { cleanup: 7 }], c: [10, "ok"] })
            const set = yield* setOf(["a", "b", "c"])
            const call = Replicas.hedge(set, request, { delay: 50 }, { prefer: ["a", "b", "c"] })
            const { left } = yield* virtually(call, { interruptAt, interruptLast })
            deepStrictEqual(left, nothing)
            deepStrictEqual(yield* inFlight(set), [0, 0, 0])
          }
        }
      }))
  })

  describe("counts an attempt as in flight when it starts", () => {
    it.live("and not when its replica is picked", () =>
      inTime(Effect.gen(function*() {
        const { log, request } = serversOf({ a: [5, "fail"], b: [50, "ok"] })
        const set = yield* setOf(["a", "b"])
        const policy = { ...never, pushback: () => 100 }
        const fiber = yield* Effect.fork(Replicas.hedge(set, request, policy, { prefer: ["a"] }))
        yield* Effect.sleep(50)
        deepStrictEqual(yield* inFlight(set), [0, 0])
        strictEqual((yield* stateOf(set, "b")).picks, 0)
        yield* Effect.sleep(60)
        deepStrictEqual(yield* inFlight(set), [0, 1])
        strictEqual(yield* Fiber.join(fiber), "ok b")
        strictEqual(log(), "a0@0 b1@105")
        deepStrictEqual(yield* inFlight(set), [0, 0])
      })))

    it.live("and not if it never does", () =>
      inTime(Effect.gen(function*() {
        const { request } = serversOf({ a: [5, "fail"], b: [50, "ok"] })
        const set = yield* setOf(["a", "b"])
        const policy = { ...never, pushback: () => 100 }
        yield* Effect.timeoutOption(Replicas.hedge(set, request, policy, { prefer: ["a"] }), 50)
        deepStrictEqual((yield* Replicas.states(set)).map(({ inFlight, picks }) => [inFlight, picks]), [[0, 1], [0, 0]])
      })))

    it.live("and not while the policy is asked whether there are hedges", () =>
      inTime(Effect.gen(function*() {
        const { request } = serversOf({ a: [5, "ok"] })
        const set = yield* setOf(["a"])
        const policy = { delay: 50, enabled: Effect.delay(Effect.succeed(true), 20) }
        const fiber = yield* Effect.fork(Replicas.hedge(set, request, policy))
        yield* Effect.sleep(10)
        deepStrictEqual(yield* inFlight(set), [0])
        yield* Effect.sleep(12)
        deepStrictEqual(yield* inFlight(set), [1])
        yield* Fiber.join(fiber)
        deepStrictEqual(yield* inFlight(set), [0])
      })))
  })

  describe("with an empty set", () => {
    it.live("fails with NoReplica", () =>
      inTime(Effect.gen(function*() {
        const set = yield* Replicas.make<string>([])
        const failure = yield* Effect.flip(Replicas.hedge(set, Effect.succeed, { delay: 50 }))
        strictEqual(failure._tag, "NoReplica")
        strictEqual(failure.message, "there is no replica in the set")
        const caught = Replicas.hedge(set, Effect.succeed, { delay: 50 }).pipe(
          Effect.catchTag("NoReplica", () => Effect.succeed("none"))
        )
        strictEqual(yield* caught, "none")
        yield* Replicas.update(set, replicasOf(["a"]))
        strictEqual(yield* caught, "a")
      })))

    it.live("which becomes so while it runs, keeps what runs", () =>
      inTime(Effect.gen(function*() {
        const { log, request } = serversOf({ a: [90, "fail"], b: [5, "ok"] })
        const set = yield* setOf(["a", "b"])
        const fiber = yield* Effect.fork(Effect.exit(Replicas.hedge(set, request, { delay: 50 }, { prefer: ["a"] })))
        yield* Effect.sleep(10)
        yield* Replicas.update(set, [])
        const exit = yield* Fiber.join(fiber)
        strictEqual(Exit.isFailure(exit) && shape(exit.cause), "a")
        strictEqual(log(), "a0@0")
      })))
  })

  describe("prefers", () => {
    it.live("the replicas that it is told to, in order, while they are well", () =>
      inTime(Effect.gen(function*() {
        const { asked, request } = serversOf({ a: [5, "ok"], b: [5, "fail"], c: [5, "ok"], d: [5, "ok"] })
        const set = yield* setOf(["a", "b", "c", "d"], { ejectAfter: 1 })
        const ask = (prefer: ReadonlyArray<string>) => Replicas.hedge(set, request, never, { prefer })
        for (let turn = 0; turn < 5; turn++) {
          strictEqual(yield* ask(["c", "a"]), "ok c")
          strictEqual(yield* ask(["unknown", "a", "c"]), "ok a")
        }
        strictEqual(yield* ask(["b", "d"]), "ok d")
        // It is out now.
        asked.length = 0
        strictEqual(yield* ask(["b", "c"]), "ok c")
        deepStrictEqual(asked.map(({ id }) => id), ["c"])
      })))

    it.live("those of the zone, while one of them is well", () =>
      inTime(Effect.gen(function*() {
        const ids = ["a/west", "b/east", "c/east", "d/west", "e"]
        let isDown = false
        const east = (): Row => isDown ? [1, "fail"] : [100, "ok"]
        const { asked, request } = serversOf({ a: [1, "ok"], b: east, c: east, d: [1, "ok"], e: [1, "ok"] })
        const set = yield* setOf(ids, { zone: "east", ejectAfter: 1 })
        const ask = Effect.exit(Replicas.hedge(set, request, never))
        yield* Effect.repeatN(ask, 20)
        deepStrictEqual(new Set(asked.map(({ id }) => id)), new Set(["b", "c"]))
        // A hedge goes to another one of the zone, if there is one, and then elsewhere.
        asked.length = 0
        yield* Replicas.hedge(set, request, { delay: 10, maxHedges: 2 })
        deepStrictEqual(asked.slice(0, 2).map(({ id }) => id).sort(), ["b", "c"])
        assertTrue(["a", "d", "e"].includes(asked[2]!.id))
        isDown = true
        yield* ask
        asked.length = 0
        yield* Effect.repeatN(ask, 20)
        deepStrictEqual(new Set(asked.map(({ id }) => id)), new Set(["a", "d", "e"]))
      })))
  })

  describe("isIll", () => {
    const seen = (isIll: Replicas.CallOptions<string, string, string>["isIll"]) =>
      inTime(Effect.gen(function*() {
        const { request } = serversOf({ a: [5, "fail"], b: [5, "ok"] })
        const set = yield* setOf(["a", "b"], { ejectAfter: 2 })
        const causes: Array<string> = []
        const call = Replicas.hedge(set, request, never, {
          prefer: ["a"],
          isIll: isIll && ((cause) => {
            causes.push(shape(cause))
            return isIll(cause)
          })
        })
        yield* Effect.repeatN(call, 1)
        const { failures, isOut, latency } = yield* stateOf(set, "a")
        return { causes, failures, isOut, latency: Option.getOrThrow(latency) }
      }))

    it.live("a failure speaks against the replica", () =>
      Effect.map(seen(undefined), (seen) => {
        deepStrictEqual(seen, { causes: [], failures: 0, isOut: true, latency: seen.latency })
        assertTrue(seen.latency > 5)
      }))
    it.live("unless it is told otherwise: then it is an answer", () =>
      Effect.map(
        seen(() => false),
        (seen) => deepStrictEqual(seen, { causes: ["a", "a"], failures: 0, isOut: false, latency: 5 })
      ))
    it.live("it is asked of each failure", () =>
      Effect.map(
        seen((cause) => Cause.isFailure(cause)),
        (seen) => deepStrictEqual([seen.causes, seen.isOut], [["a", "a"], true])
      ))
  })

  describe("has defaults where the policy says nothing", () => {
    const late: Row = [500, "ok", { stubborn: true }]

    it.live.each<
      readonly [
        name: string,
        options: Partial<Hedge.MakeOptions>,
        a: Row,
        b: Row,
        endedAt: number,
        log: string
      ]
    >([
      ["losers are left to the background", {}, late, [5, "ok"], 55, "a0@0 b1@50"],
      ["the policy may await them", { losers: "await" }, late, [5, "ok"], 500, "a0@0 b1@50"],
      ["one failover is free", { budget: { ratio: 0 } }, [5, "fail"], [5, "ok"], 10, "a0@0 b1@5"],
      ["the policy may have none", { budget: { ratio: 0 }, failovers: 0 }, [5, "fail"], [5, "ok"], 5, "a0@0"],
      [
        "or more",
        { budget: { ratio: 0 }, failovers: 2 },
        [5, "fail"],
        [5, "fail"],
        15,
        "a0@0 b1@5 c2@10"
      ],
      ["and no more than one", { budget: { ratio: 0 } }, [5, "fail"], [5, "fail"], 10, "a0@0 b1@5"]
    ])("%s", ([, options, a, b, endedAt, expected]) =>
      Effect.gen(function*() {
        const { log, request } = serversOf({ a, b, c: [5, "ok"] })
        const set = yield* setOf(["a", "b", "c"])
        const policy = yield* Hedge.make({ delay: 50, budget: "unlimited", ...options })
        let at = NaN
        const call = Replicas.hedge(set, request, policy, { prefer: ["a", "b", "c"] }).pipe(
          Effect.exit,
          Effect.zipRight(Effect.clock),
          Effect.map((clock) => at = clock.unsafeCurrentTimeMillis())
        )
        deepStrictEqual((yield* virtually(call)).left, nothing)
        deepStrictEqual([at, log()], [endedAt, expected])
      }))

    it.live("a call of Hedge itself has no failover, and waits for losers", () =>
      inTime(Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: 50, budget: { ratio: 0 } })
        let sent = 0
        yield* Effect.exit(Hedge.hedge(Effect.suspend(() => Effect.fail(++sent)), policy))
        strictEqual(sent, 1)
      })))
  })

  it.live("spans of attempts tell the replica", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const { request } = serversOf({ a: [5, "fail"], b: hang, c: [10, "ok"] })
      const set = yield* setOf(["a", "b", "c"])
      const call = Replicas.hedge(set, request, { delay: 50, name: "spans" }, { prefer: ["a", "b", "c"] })
      yield* inTime(Effect.withTracer(call, recorder.tracer))
      deepStrictEqual(recorder.tree(), [
        "hedge.attempt @0-5 failed a hedge.policy=spans hedge.index=0 replica.id=a hedge.end=failed",
        "hedge.attempt @5-65 ok hedge.policy=spans hedge.index=1 replica.id=b hedge.end=lost",
        "hedge.attempt @55-65 ok hedge.policy=spans hedge.index=2 replica.id=c hedge.end=won"
      ])
    }))

  it.live("events come with the replicas, for pictures", () =>
    inTime(Effect.gen(function*() {
      const { request } = serversOf({ ams: [5, "fail"], fra: hang, lon: [10, "ok"] })
      const set = yield* setOf(["ams", "fra", "lon"])
      const events: Array<StaggeredRace.RaceEvent<string, string>> = []
      let labels: ReadonlyArray<string> = []
      yield* Replicas.hedge(set, request, { delay: 50, losers: "await" }, {
        prefer: ["ams", "fra", "lon"],
        onEvent: (event, replicas) =>
          Effect.sync(() => {
            events.push(event)
            labels = replicas.map(({ id }) => id)
          })
      })
      deepStrictEqual(Timeline.render(Timeline.soFar(events, 65), { labels, width: 80 }).split("\n"), [
        "winner lon after 65 ms, 3 attempts",
        "    0 ms    10        20       30        40       50       60",
        "    └────────┴─────────┴────────┴─────────┴────────┴────────┴────┐",
        "ams ┣━━━━╳                                                       ┊   failed: ams",
        "fra      !━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫   lost",
        "lon                                                     +█████████   won",
        "┣ first  + after the delay  ! after a failure  ┊ decided"
      ])
    })))

  describe("metrics", () => {
    const value = <Type, In, Out>(metric: Metric.Metric<Type, In, Out>, set: string, replica: string) =>
      Metric.value(metric.pipe(Metric.tagged("set", set), Metric.tagged("replica", replica)))

    it.live("count what becomes of each replica of a set that has a name", () =>
      inTime(Effect.gen(function*() {
        const { metrics } = Replicas
        const { request } = serversOf({ a: [5, "fail"], b: hang, c: [10, "ok"] })
        const set = yield* setOf(["a", "b", "c"], { name: "counted", ejectAfter: 2, maxEjected: 1 })
        const call = Replicas.hedge(set, request, { delay: 50 }, { prefer: ["a", "b", "c"] })
        const fiber = yield* Effect.fork(Effect.zipRight(call, call))
        yield* Effect.sleep(30)
        const underWay = yield* Effect.forEach(["a", "b", "c"], (id) => value(metrics.inFlight, "counted", id))
        deepStrictEqual(underWay.map(({ value }) => value), [0, 1, 0])
        yield* Fiber.join(fiber)
        const seen = yield* Effect.forEach(["a", "b", "c"], (id) =>
          Effect.gen(function*() {
            return {
              picks: (yield* value(metrics.picks, "counted", id)).count,
              inFlight: (yield* value(metrics.inFlight, "counted", id)).value,
              wins: (yield* value(metrics.wins, "counted", id)).count,
              ejections: (yield* value(metrics.ejections, "counted", id)).count,
              latency: Math.round((yield* value(metrics.latency, "counted", id)).value * 1000) / 1000
            }
          }))
        // A failure counts as ten times the mean of the set, which is 1 at first. The silent one was cut off after 60.
        deepStrictEqual(seen, [
          { picks: 2, inFlight: 0, wins: 0, ejections: 1, latency: 0.019 },
          { picks: 2, inFlight: 0, wins: 0, ejections: 0, latency: 0.06 },
          { picks: 2, inFlight: 0, wins: 2, ejections: 0, latency: 0.01 }
        ])
      })))

    it.live("of a set without a name there are none", () =>
      inTime(Effect.gen(function*() {
        const { request } = serversOf({ "without a name": [5, "ok"] })
        const set = yield* setOf(["without a name"])
        yield* Replicas.hedge(set, request, { delay: 50 })
        const tags = Metric.unsafeSnapshot().flatMap(({ metricKey: { tags } }) => tags.map(({ value }) => value))
        strictEqual(tags.includes("without a name"), false)
      })))
  })
})
