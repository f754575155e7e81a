import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Hedge from "../src/Hedge.js"
import { Bucket } from "../src/internal/bucket.js"
import { Sketch } from "../src/internal/sketch.js"
import * as StaggeredRace from "../src/StaggeredRace.js"
import { nothing, observe } from "./support/scenario.js"

/** How long each copy takes, and how it ends; `bad` is an answer that is not accepted. Copies without a row hang. */
type Row = readonly [latency: number, how: "ok" | "bad" | "fail"]

/** A request whose copies follow the rows, and what was seen of them: starts, ends, and what they held. */
const requestOf = (rows: ReadonlyArray<Row>) => {
  const seen: Array<string> = []
  let copies = 0
  const log = (what: string) => Effect.map(Clock.currentTimeMillis, (at) => void seen.push(`${what}@${at}`))
  const request = Effect.suspend(() => {
    const copy = copies++
    const [latency, how] = rows[copy] ?? [Infinity, "ok"]
    return Effect.zipRight(
      Effect.acquireRelease(log(`+${copy}`), () => log(`-${copy}`)),
      Effect.delay(how === "fail" ? Effect.fail(`failure ${copy}`) : Effect.succeed(`${how} ${copy}`), latency)
    )
  })
  return { request, seen }
}

const accept = (answer: string) => !answer.startsWith("bad")

const run = (rows: ReadonlyArray<Row>, options: Hedge.Options<string, string>, interruptAt = 10_000) =>
  Effect.gen(function*() {
    const { request, seen } = requestOf(rows)
    const call = Effect.flatMap(
      Hedge.hedge(request, options),
      (answer) => Effect.map(Clock.currentTimeMillis, (at) => `${answer}@${at}`)
    )
    const { exit, left } = yield* observe(Effect.scoped(call), { interruptAt })
    deepStrictEqual(left, nothing)
    const end = Exit.match(exit, {
      onFailure: (cause) =>
        Cause.isInterruptedOnly(cause) ? "interrupted" : Array.from(Cause.failures(cause)).join(", "),
      onSuccess: (answer) => answer
    })
    return `${seen.join(" ")} | ${end}`
  })

describe("Hedge", () => {
  describe("hedge", () => {
    const rows: ReadonlyArray<
      readonly [name: string, rows: ReadonlyArray<Row>, options: Partial<Hedge.Options<string, string>>, seen: string]
    > = [
      ["the first is in time: no copy", [[30, "ok"]], {}, "+0@0 -0@30 | ok 0@30"],
      ["exactly at the delay: no copy", [[50, "ok"]], {}, "+0@0 -0@50 | ok 0@50"],
      ["the first is late, the copy wins", [[90, "ok"], [10, "ok"]], {}, "+0@0 +1@50 -0@60 -1@60 | ok 1@60"],
      ["the first is late, and wins all the same", [[90, "ok"], [60, "ok"]], {}, "+0@0 +1@50 -1@90 -0@90 | ok 0@90"],
      ["one copy is the most", [], {}, "+0@0 +1@50 -0@10000 -1@10000 | interrupted"],
      [
        "as many copies as are allowed",
        [],
        { maxHedges: 3 },
        "+0@0 +1@50 +2@100 +3@150 -0@10000 -1@10000 -2@10000 -3@10000 | interrupted"
      ],
      ["none are allowed", [[90, "ok"]], { maxHedges: 0 }, "+0@0 -0@90 | ok 0@90"],
      ["switched off", [[90, "ok"]], { enabled: Effect.succeed(false) }, "+0@0 -0@90 | ok 0@90"],
      ["a failure brings the copy forward", [[5, "fail"], [10, "ok"]], {}, "+0@0 -0@5 +1@5 -1@15 | ok 1@15"],
      [
        "all fail: in the order of the copies",
        [[80, "fail"], [10, "fail"]],
        {},
        "+0@0 +1@50 -1@60 -0@80 | failure 0, failure 1"
      ],
      ["a failure after which nothing is of use", [[5, "fail"]], { fatal: () => true }, "+0@0 -0@5 | failure 0"],
      [
        "an answer that is not accepted is given back, and the copy wins",
        [[60, "bad"], [30, "ok"]],
        { accept },
        "+0@0 +1@50 -0@60 -1@80 | ok 1@80"
      ],
      [
        "one that comes early brings the copy forward",
        [[5, "bad"], [5, "ok"]],
        { accept },
        "+0@0 -0@5 +1@5 -1@10 | ok 1@10"
      ],
      [
        "nothing better comes: the last of them, as what it holds is still there",
        [[5, "bad"], [5, "bad"]],
        { accept },
        "+0@0 -0@5 +1@5 -1@10 | bad 1@10"
      ],
      ["nothing better comes than a failure", [[5, "bad"], [5, "fail"]], { accept }, "+0@0 -0@5 +1@5 -1@10 | bad 0@10"],
      [
        "not accepted is not fatal",
        [[5, "bad"], [5, "ok"]],
        { accept, fatal: () => true },
        "+0@0 -0@5 +1@5 -1@10 | ok 1@10"
      ]
    ]
    it.live.each(rows)(
      "%s",
      ([, rows, options, expected]) =>
        Effect.map(run(rows, { delay: 50, ...options }), (seen) => {
          const [resources, end] = seen.split(" | ")
          const [expectedResources, expectedEnd] = expected.split(" | ")
          deepStrictEqual([resources?.split(" ").sort(), end], [expectedResources?.split(" ").sort(), expectedEnd])
        })
    )

    it.live.each(rows)(
      "%s; interrupted half way, all is given back",
      ([, rows, options]) =>
        Effect.map(run(rows, { delay: 50, ...options }, 3), (seen) => strictEqual(seen, "+0@0 -0@3 | interrupted"))
    )

    it.live("copies can tell themselves apart", () =>
      Effect.gen(function*() {
        const request = Effect.flatMap(Effect.flatten(StaggeredRace.CurrentAttempt), ({ index }) =>
          index === 0 ? Effect.never : Effect.succeed(index))
        const { exit } = yield* observe(Effect.orDie(request).pipe(Hedge.hedge({ delay: 5 })))
        deepStrictEqual(exit, Exit.succeed(1))
      }))
  })

  describe("a budget", () => {
    /** Calls that hang, all at once, for ten milliseconds; how many requests were sent. */
    const sent = (policy: Hedge.Policy, calls: number) =>
      Effect.gen(function*() {
        let requests = 0
        const request = Effect.suspend(() => {
          requests++
          return Effect.delay(Effect.void, 10)
        })
        yield* Effect.all(Array.from({ length: calls }, () => Hedge.hedge(request, policy)), {
          concurrency: "unbounded"
        })
        return requests
      })

    const observed = <A, E>(effect: Effect.Effect<A, E>) =>
      Effect.flatMap(observe(effect), ({ exit, left }) => {
        deepStrictEqual(left, nothing)
        return exit
      })

    it.live("ten deposits of 0.1 are one copy, which goes to one of many that are due", () =>
      observed(Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: 5, budget: { ratio: 0.1 } })
        deepStrictEqual(
          [yield* sent(policy, 9), yield* sent(policy, 1), yield* sent(policy, 50)],
          [9, 2, 55]
        )
      })))

    it.live("what is not spent expires, and what is denied disturbs nothing", () =>
      observed(Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: 5, budget: { ratio: 0.5, window: "1 second" } })
        strictEqual(yield* sent(policy, 1), 1)
        yield* Effect.sleep("1500 millis")
        strictEqual(yield* sent(policy, 1), 1)
        strictEqual(yield* sent(policy, 1), 2)
      })))

    it.live("is shared by policies, and limits what is in flight", () =>
      observed(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1, maxInFlight: 3 })
        const a = yield* Hedge.make({ delay: 5, budget })
        const b = yield* Hedge.make({ delay: 5, budget })
        const [first, second] = yield* Effect.all([sent(a, 4), sent(b, 4)], { concurrency: "unbounded" })
        strictEqual(first + second, 8 + 3)
        // What was in flight has been given back.
        strictEqual(yield* sent(b, 2), 4)
      })))

    it("never spends more than was deposited in the window", () => {
      const steps = FastCheck.array(
        FastCheck.tuple(FastCheck.boolean(), FastCheck.integer({ min: 0, max: 400 }))
      )
      FastCheck.assert(FastCheck.property(steps, (steps) => {
        const bucket = new Bucket(1000, 5)
        const deposits: Array<number> = []
        const spent: Array<number> = []
        let now = 1_000_000
        for (const [isDeposit, elapsed] of steps) {
          now += elapsed
          if (isDeposit) {
            bucket.deposit(0.5, now)
            deposits.push(now)
          } else if (bucket.take(now)) {
            spent.push(now)
          }
          const since = (times: ReadonlyArray<number>, at: number) => times.filter((time) => time > at).length
          // A copy may be paid for by deposits of up to a window before it.
          assertTrue(since(spent, now - 1000) <= since(deposits, now - 2000) * 0.5)
        }
      }))
    })
  })

  describe("percentile", () => {
    it("is never below what was recorded, and at most 1 % above", () => {
      const values = FastCheck.array(FastCheck.double({ min: 0.02, max: 1e6, noNaN: true }), { minLength: 1 })
      FastCheck.assert(
        FastCheck.property(values, FastCheck.double({ min: 0.01, max: 0.99, noNaN: true }), (values, q) => {
          const sketch = new Sketch(1000)
          values.forEach((value) => sketch.record(value, "ended", 0))
          const exact = values.sort((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length)) - 1] ?? NaN
          const ratio = sketch.quantile(q, 0) / exact
          assertTrue(ratio >= 1 - 1e-9 && ratio <= 1.01 + 1e-9, `${ratio}`)
        })
      )
    })

    it("forgets after two windows at most, and not before one", () => {
      const sketch = new Sketch(1000)
      sketch.record(5, "ended", 0)
      sketch.record(50, "ended", 900)
      deepStrictEqual([sketch.count(999), sketch.count(1800), sketch.count(2000)], [2, 2, 0])
      sketch.record(5, "ended", 10_000)
      deepStrictEqual([sketch.count(10_500), sketch.count(20_000)], [1, 0])
    })

    /** Calls one after the other, whose first copies and others take what `latency` says; the share that got a copy. */
    const share = (options: Hedge.MakeOptions, calls: number, latency: (random: () => number) => number, seed = 1) =>
      Effect.gen(function*() {
        let state = seed
        const random = () => {
          state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0
          return (state + 0.5) / 2 ** 32
        }
        const policy = yield* Hedge.make({ budget: "unlimited", ...options })
        let requests = 0
        const request = Effect.suspend(() => {
          requests++
          return Effect.sleep(latency(random))
        })
        yield* Effect.repeatN(Hedge.hedge(request, policy), calls - 1)
        return (requests - calls) / calls
      })

    const virtually = <A>(effect: Effect.Effect<A>) => Effect.withClock(effect, goesOnByItself())

    it.live(
      "sends a copy for the share of calls that it says, not more for what is cut off",
      () =>
        Effect.gen(function*() {
          const exponential = (random: () => number) => -100 * Math.log(random())
          for (const quantile of [0.9, 0.95]) {
            const copies = yield* virtually(
              share({ delay: Hedge.percentile(quantile, { window: "1 hour" }) }, 6000, exponential)
            )
            assertTrue(Math.abs(copies / (1 - quantile) - 1) < 0.2, `${copies} for ${quantile}`)
          }
        }),
      60_000
    )

    it.live("none before it knows enough, none above max, or after max", () =>
      Effect.gen(function*() {
        const slow = () => 100
        const delay = (options: Hedge.PercentileOptions) => ({ delay: Hedge.percentile(0.5, options) })
        strictEqual(yield* virtually(share(delay({ warmup: 50 }), 50, slow)), 0)
        const slower = () => {
          let calls = 0
          return () => calls++ < 20 ? 100 : 300
        }
        strictEqual(yield* virtually(share(delay({ max: 50 }), 40, slower())), 0)
        strictEqual(yield* virtually(share(delay({ max: 50, above: "clamp" }), 40, slower())), 0.5)
      }))

    /** Calls by key, under a policy that knows enough after so many of them; how many requests were sent since asked. */
    const keyed = (warmup: number) =>
      Effect.map(Hedge.make({ budget: "unlimited", delay: Hedge.percentile(0.9, { warmup }) }), (policy) => {
        let requests = 0
        return {
          call: (key: string, latency: number) =>
            Hedge.hedge(Effect.suspend(() => Effect.sleep((requests++, latency))), policy, { key }),
          sent: Effect.sync(() => {
            const sent = requests
            requests = 0
            return sent
          })
        }
      })

    it.live("calls of different keys do not learn from each other", () =>
      virtually(Effect.gen(function*() {
        const { call, sent } = yield* keyed(5)
        yield* Effect.repeatN(call("fast", 10), 9)
        yield* Effect.repeatN(call("slow", 1000), 9)
        strictEqual(yield* sent, 20)
        yield* call("fast", 1000)
        strictEqual(yield* sent, 2)
      })))

    it.live("failures that are quicker than the delay teach nothing", () =>
      virtually(
        Effect.gen(function*() {
          const policy = yield* Hedge.make({ budget: "unlimited", delay: Hedge.percentile(0.9, { warmup: 5 }) })
          let requests = 0
          const call = (end: Effect.Effect<void, string>, latency: number) =>
            Hedge.hedge(Effect.suspend(() => Effect.delay(end, (requests++, latency))), policy)
          yield* Effect.repeatN(Effect.ignore(call(Effect.fail("refused"), 1)), 19)
          yield* call(Effect.void, 100)
          strictEqual(requests, 21)
        }).pipe(Effect.orDie)
      ))

    it.live("of very many keys, those that were not called for longest are forgotten", () =>
      virtually(Effect.gen(function*() {
        const { call, sent } = yield* keyed(1)
        yield* call("first", 10)
        yield* Effect.forEach(Array.from({ length: 1000 }), (_, index) => call(`key ${index}`, 10))
        yield* sent
        // It knows nothing of this one any more, and so sends no copy; of the last it does.
        yield* call("first", 100)
        strictEqual(yield* sent, 1)
        yield* call("key 999", 100)
        strictEqual(yield* sent, 2)
      })))

    it.live("one that is called now and then stays, however many others there are", () =>
      virtually(Effect.gen(function*() {
        const { call, sent } = yield* keyed(400)
        yield* Effect.forEach(
          Array.from({ length: 500 }),
          (_, index) => Effect.zipRight(call("often", 10), call(`other ${index}`, 10))
        )
        yield* sent
        yield* call("often", 100)
        strictEqual(yield* sent, 2)
      })))

    it.live.each<readonly [make: () => unknown, message: string]>([
      [() => Hedge.percentile(1), "option \"quantile\" must be a number between 0 and 1, got 1"],
      [() => Hedge.percentile(0.5, { warmup: 0 }), "option \"warmup\" must be a whole number of at least 1, got 0"],
      [
        () => Hedge.percentile(0.5, { window: 0 }),
        "option \"window\" must be a duration above zero, and finite, got 0"
      ],
      [() => Hedge.percentile(0.5, { min: 5, max: 4 }), "option \"max\" must be at least min, got 4"],
      [() => Effect.runSync(Hedge.make({ delay: -1 })), "option \"delay\" must be a duration of zero or more, got -1"],
      [
        () => Effect.runSync(Hedge.make({ delay: 1, maxHedges: 0.5 })),
        "option \"maxHedges\" must be a whole number of at least 0, got 0.5"
      ],
      [
        () => Effect.runSync(Hedge.makeBudget({ ratio: 1.1 })),
        "option \"ratio\" must be a number from 0 to 1, got 1.1"
      ],
      [
        () => Effect.runSync(Hedge.hedge(Effect.void, { delay: Hedge.percentile(0.5) })),
        "option \"delay\" must be a duration or a schedule, or that of a policy that is made once, by Hedge.make, got \"Percentile\""
      ]
    ])("what makes no sense is named: %s", ([make, message]) =>
      Effect.sync(() => {
        let text = ""
        try {
          make()
        } catch (error) {
          text = String(error)
        }
        assertTrue(text.includes(`Hedge: ${message}`), text)
      }))
  })
})

/** A clock on which nothing is waited for: when all fibers sleep, it goes on to the first that is to wake. */
const goesOnByItself = (): Clock.Clock => {
  let now = 0
  const sleepers: Array<{ readonly at: number; readonly wake: () => void }> = []
  let isDue = false
  const goOn = () => {
    isDue = false
    const next = sleepers.sort((a, b) => a.at - b.at).shift()
    if (next !== undefined) {
      now = Math.max(now, next.at)
      next.wake()
      if (sleepers.length > 0) {
        schedule()
      }
    }
  }
  const schedule = () => {
    if (!isDue) {
      isDue = true
      setImmediate(goOn)
    }
  }
  return Object.assign(Clock.make(), {
    // A race takes it for a clock that is moved by hand.
    adjust: true,
    unsafeCurrentTimeMillis: () => now,
    currentTimeMillis: Effect.sync(() => now),
    sleep: (duration: Duration.Duration) =>
      Effect.async<void>((resume) => {
        const sleeper = { at: now + Duration.toMillis(duration), wake: () => resume(Effect.void) }
        sleepers.push(sleeper)
        schedule()
        return Effect.sync(() => void sleepers.splice(sleepers.indexOf(sleeper), 1))
      })
  })
}
