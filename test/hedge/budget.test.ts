import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Hedge from "../../src/Hedge.js"
import { Bucket } from "../../src/internal/hedge/budget.js"
import type { Row } from "../support/hedging.js"
import { accept, inTime, mostInFlight, transcriptOf, virtually } from "../support/hedging.js"
import { nothing } from "../support/scenario.js"

/** Calls at once whose first copies fail at once, and so ask for copies at once; how many of them were sent. */
const copies = (policy: Hedge.Policy, calls: number) =>
  Effect.gen(function*() {
    let sent = 0
    yield* Effect.repeatN(
      Effect.suspend(() => {
        let isFirst = true
        return Effect.ignore(Hedge.hedge(
          Effect.suspend(() => {
            sent += isFirst ? 0 : 1
            isFirst = false
            return Effect.fail("failed")
          }),
          policy
        ))
      }),
      calls - 1
    )
    return sent
  })

/** Calls that take ten milliseconds, all at once; how many requests were sent. */
const sent = (policy: Hedge.Policy, calls: number) =>
  Effect.gen(function*() {
    let requests = 0
    const request = Effect.suspend(() => {
      requests++
      return Effect.delay(Effect.void, 10)
    })
    yield* Effect.all(Array.from({ length: calls }, () => Hedge.hedge(request, policy)), {
      concurrency: "unbounded",
      discard: true
    })
    return requests
  })

/** Calls that ask for no copy. */
const pay = (budget: Hedge.Budget, calls: number) =>
  Effect.flatMap(
    Hedge.make({ delay: 1000, budget }),
    (policy) => Effect.repeatN(Hedge.hedge(Effect.void, policy), calls - 1)
  )

/** How often it can be spent from now on. */
const savings = (budget: Hedge.Budget) =>
  Effect.gen(function*() {
    let times = 0
    while (yield* Hedge.tryAcquire(budget)) {
      times++
    }
    return times
  })

describe("Hedge's budget", () => {
  describe("how many copies", () => {
    it.live.each([0.0001, 0.0157, 0.05, 0.1, 0.3333, 0.9, 0.9999])(
      "as many for ten thousand calls as the ratio says, not one more or less: %s",
      (ratio) =>
        inTime(Effect.gen(function*() {
          const policy = yield* Hedge.make({ delay: 5, budget: { ratio } })
          strictEqual(yield* copies(policy, 10_000), Math.round(ratio * 10_000))
        }))
    )

    it.live("ten deposits of 0.1 are one copy, which goes to one of many that are due", () =>
      inTime(Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: 5, budget: { ratio: 0.1, burst: 10 } })
        deepStrictEqual(
          [yield* sent(policy, 9), yield* sent(policy, 1), yield* sent(policy, 50)],
          [9, 2, 55]
        )
      })))

    it.live("of fifty that are due at the same instant, one gets the only copy", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        yield* pay(budget, 1)
        yield* Hedge.setRatio(budget, 0.001)
        const policy = yield* Hedge.make({ delay: 5, budget })
        strictEqual(yield* sent(policy, 50), 51)
        strictEqual(yield* sent(policy, 1), 1)
      })))

    it.live("by default it holds what the calls of about a second pay for, and three hedges at least", () =>
      inTime(Effect.gen(function*() {
        for (
          const [everyMillis, expected] of [[1, 50], [5, 10], [10, 5], [20, 3], [200, 3], [
            2000,
            1
          ]] as const
        ) {
          const budget = yield* Hedge.makeBudget()
          const calls = Math.max(100, 10_000 / everyMillis)
          yield* Effect.forEach(
            Array.from({ length: calls }),
            () => Effect.zipRight(Effect.sleep(everyMillis), pay(budget, 1)),
            { discard: true }
          )
          strictEqual(yield* savings(budget), expected, `every ${everyMillis} ms`)
        }
      })))

    it.live("and less when calls become fewer", () =>
      inTime(Effect.gen(function*() {
        const saved = (pause: Duration.DurationInput) =>
          Effect.gen(function*() {
            const budget = yield* Hedge.makeBudget()
            yield* pay(budget, 1000)
            yield* Effect.sleep(pause)
            yield* pay(budget, 1)
            return yield* savings(budget)
          })
        // Of the 50 that a thousand calls at once have paid for.
        deepStrictEqual(yield* Effect.forEach([0, 500, 1000, 2000, 10_000], saved), [50, 30, 18, 6, 3])
      })))

    it.live("it starts empty, and twenty calls pay for a hedge by default", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget()
        strictEqual(yield* savings(budget), 0)
        yield* pay(budget, 19)
        strictEqual(yield* savings(budget), 0)
        yield* pay(budget, 1)
        strictEqual(yield* savings(budget), 1)
      })))

    it.live("burst is how many it holds: of many that are late at once, so many get a copy", () =>
      inTime(Effect.gen(function*() {
        for (const [burst, expected] of [[1, 1], [3, 3], [Infinity, 6]] as const) {
          const budget = yield* Hedge.makeBudget({ ratio: 0.1, burst })
          yield* pay(budget, 50)
          yield* Hedge.setRatio(budget, 0.05)
          // The twenty deposit one more, where there is room.
          strictEqual(yield* sent(yield* Hedge.make({ delay: 5, budget }), 20), 20 + expected)
        }
      })))

    it.live("however many are late, it stays within the ratio and the burst", () =>
      inTime(Effect.gen(function*() {
        for (const [everyMillis, calls] of [[1, 2000], [10, 1000], [200, 300]] as const) {
          const [ratio, burst] = [0.1, 5]
          const policy = yield* Hedge.make({ delay: 10, budget: { ratio, burst, maxInFlight: Infinity } })
          const begun: Array<number> = []
          let requests = 0
          // All answers take ten times the delay.
          const call = Hedge.hedge(Effect.suspend(() => Effect.sleep((requests++, begun.push(requests), 100))), policy)
          yield* Effect.forEach(
            Array.from({ length: calls }),
            (_, index) => Effect.delay(call, index * everyMillis),
            { concurrency: "unbounded", discard: true }
          )
          const copies = requests - calls
          assertTrue(copies <= ratio * calls + burst, `${copies} for ${calls}`)
          assertTrue(copies >= ratio * calls - 1, `${copies} for ${calls}`)
        }
      })))

    it.live("where calls are rarer than a copy costs, there is none, unless they count for longer", () =>
      inTime(Effect.gen(function*() {
        const late = (everyMillis: number, window?: number) =>
          Effect.gen(function*() {
            const policy = yield* Hedge.make({ delay: 5, budget: { window } })
            let requests = 0
            yield* Effect.repeatN(
              Effect.delay(
                Hedge.hedge(Effect.suspend(() => Effect.sleep((requests++, 10))), policy),
                everyMillis - 10
              ),
              199
            )
            return requests - 200
          })
        // Fifteen in a minute.
        strictEqual(yield* late(4000), 0)
        strictEqual(yield* late(4000, 200_000), 10)
        strictEqual(yield* late(1000), 10)
        strictEqual(yield* late(1000, 10_000), 0)
      })))
  })

  describe("what it does to a call", () => {
    const denied: ReadonlyArray<readonly [name: string, rows: ReadonlyArray<Row>, seen: string]> = [
      ["what runs goes on", [[200, "ok"]], "+0@0 | ok 0@200 | -0@200"],
      ["it fails as it would without", [[200, "fail"]], "+0@0 -0@200 | 0@200 |"],
      ["nor does a failure bring a copy", [[5, "fail"]], "+0@0 -0@5 | 0@5 |"],
      ["an answer that is not accepted is kept", [[5, "bad"]], "+0@0 | bad 0@5 | -0@5"]
    ]

    it.live.each(denied)("where there is nothing in it: %s", ([, rows, expected]) =>
      Effect.gen(function*() {
        for (const options of [{ ratio: 0 }, { ratio: 0.5 }, { ratio: 1, maxInFlight: 0 }]) {
          const policy = yield* Hedge.make<string, string>({ delay: 50, maxHedges: 3, accept, budget: options })
          const { call, transcript } = transcriptOf(rows, {}, () => policy)
          deepStrictEqual((yield* virtually(call)).left, nothing)
          strictEqual(transcript(), expected)
        }
      }))

    it.live("a call that was denied a copy asks for none later, though there is one", () =>
      Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 0.5 })
        const policy = yield* Hedge.make<string, string>({ delay: 50, maxHedges: 3, budget })
        const { call, transcript } = transcriptOf([[200, "fail"]], {}, () => policy)
        const { left } = yield* virtually(Effect.zipRight(
          Effect.fork(Effect.delay(pay(budget, 10), 60)),
          Effect.ensuring(call, Effect.map(savings(budget), (left) => strictEqual(left, 5)))
        ))
        deepStrictEqual(left, nothing)
        strictEqual(transcript(), "+0@0 -0@200 | 0@200 |")
      }))

    it.live("each copy is paid for: a call gets so many of those that are allowed", () =>
      Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        const policy = yield* Hedge.make<string, string>({ delay: 50, maxHedges: 5, budget })
        const { call, transcript } = transcriptOf([[400, "ok"]], {}, () => policy)
        yield* inTime(Effect.zipRight(pay(budget, 2), Effect.orDie(call)))
        strictEqual(transcript(), "+0@0 +1@50 +2@100 +3@150 -1@400 -2@400 -3@400 | ok 0@400 | -0@400")
      }))

    it.live("the first copy is not paid for", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1, burst: 100 })
        yield* pay(budget, 50)
        strictEqual(yield* savings(budget), 50)
      })))

    it.live("a copy that is not due is not paid for", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        const policy = yield* Hedge.make({ delay: 50, maxHedges: 3, budget })
        yield* Hedge.hedge(Effect.sleep(50), policy)
        strictEqual(yield* savings(budget), 1)
      })))

    it.live("a copy that has no target is not paid for", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        const policy = yield* Hedge.make({ delay: 5, budget })
        yield* Hedge.hedgeAll([Effect.sleep(10)], policy)
        strictEqual(yield* savings(budget), 1)
      })))

    it.live("a copy that is held back and then never sent is not paid for", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1, burst: 10 })
        for (const request of [Effect.delay(Effect.succeed("bad"), 5), Effect.delay(Effect.fail("failed"), 5)]) {
          const policy = yield* Hedge.make<string, string>({
            delay: 50,
            budget,
            accept: (answer) => answer !== "bad",
            pushback: () => "1 second"
          })
          const call = Effect.timeout(Effect.ignore(Hedge.hedge(request, policy)), 100)
          yield* Effect.repeatN(Effect.ignore(call), 1)
        }
        deepStrictEqual([yield* savings(budget), yield* mostInFlight(budget, 5)], [4, 5])
      })))

    it.live("calls pay also where copies are switched off", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        const policy = yield* Hedge.make({ delay: 5, budget, enabled: Effect.succeed(false) })
        yield* Hedge.hedge(Effect.sleep(10), policy)
        strictEqual(yield* savings(budget), 1)
      })))
  })

  describe("how long calls count", () => {
    it.live("what is not spent expires, and what is denied disturbs nothing", () =>
      inTime(Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: 5, budget: { ratio: 0.5, window: "1 second" } })
        strictEqual(yield* sent(policy, 1), 1)
        yield* Effect.sleep("1500 millis")
        strictEqual(yield* sent(policy, 1), 1)
        strictEqual(yield* sent(policy, 1), 2)
      })))

    it.live("for a window at most, and for nine tenths of it at least", () =>
      inTime(Effect.gen(function*() {
        for (let phase = 0; phase < 100; phase += 9) {
          yield* Effect.sleep(phase)
          for (const [elapsed, expected] of [[900, 1], [1000, 0]] as const) {
            const budget = yield* Hedge.makeBudget({ ratio: 1, window: 1000 })
            yield* pay(budget, 1)
            yield* Effect.sleep(elapsed)
            strictEqual(yield* savings(budget), expected)
          }
        }
      })))

    it.live("for a minute by default", () =>
      inTime(Effect.gen(function*() {
        for (const [elapsed, expected] of [[59_999, 1], [60_000, 0]] as const) {
          // From the begin of a minute.
          yield* Effect.flatMap(Clock.currentTimeMillis, (now) => Effect.sleep(60_000 - now % 60_000))
          const budget = yield* Hedge.makeBudget({ ratio: 1 })
          yield* pay(budget, 1)
          yield* Effect.sleep(elapsed)
          strictEqual(yield* savings(budget), expected)
        }
      })))

    /** What a bucket does, without a thought for time or memory: deposits, the oldest first. */
    const model = (window: number, burst: number) => {
      let deposits: Array<{ readonly slice: number; amount: number }> = []
      const sliceOf = (now: number) => Math.floor((now * 10) / window)
      const expire = (now: number) => {
        deposits = deposits.filter(({ slice }) => slice > sliceOf(now) - 10)
      }
      const sum = () => deposits.reduce((sum, { amount }) => sum + amount, 0)
      const remove = (amount: number) => {
        for (const deposit of deposits) {
          const part = Math.min(amount, deposit.amount)
          deposit.amount -= part
          amount -= part
        }
      }
      return {
        deposit: (millionths: number, now: number) => {
          expire(now)
          deposits.push({ slice: sliceOf(now), amount: millionths })
          remove(Math.max(0, sum() - burst * 1_000_000))
        },
        take: (now: number) => {
          expire(now)
          const isEnough = sum() >= 1_000_000
          if (isEnough) {
            remove(1_000_000)
          }
          return isEnough
        }
      }
    }

    it("deposits expire, run over and are spent, the oldest first", () => {
      const steps = FastCheck.array(
        FastCheck.tuple(
          FastCheck.oneof(FastCheck.integer({ min: 0, max: 1_000_000 }), FastCheck.constant(null)),
          FastCheck.oneof(
            FastCheck.constant(0),
            FastCheck.integer({ min: 0, max: 400 }),
            FastCheck.integer({ min: 1000, max: 3000 })
          )
        ),
        { maxLength: 80, size: "max" }
      )
      let taken = 0
      FastCheck.assert(
        FastCheck.property(steps, FastCheck.integer({ min: 1, max: 4 }), (steps, burst) => {
          const bucket = new Bucket(1000)
          const expected = model(1000, burst)
          let now = 1_000_003
          for (const [deposit, elapsed] of steps) {
            now += elapsed
            if (deposit === null) {
              const isTaken = bucket.take(now)
              taken += isTaken ? 1 : 0
              strictEqual(isTaken, expected.take(now))
            } else {
              bucket.deposit(deposit / 1_000_000, now, burst)
              expected.deposit(deposit, now)
            }
          }
        }),
        { numRuns: 500, seed: 1 }
      )
      assertTrue(taken > 500, `${taken}`)
    })

    it("never spends more than was deposited in the window", () => {
      const steps = FastCheck.array(
        FastCheck.tuple(FastCheck.boolean(), FastCheck.integer({ min: 0, max: 400 }))
      )
      FastCheck.assert(FastCheck.property(steps, (steps) => {
        const bucket = new Bucket(1000)
        const deposits: Array<number> = []
        const spent: Array<number> = []
        let now = 1_000_000
        for (const [isDeposit, elapsed] of steps) {
          now += elapsed
          if (isDeposit) {
            bucket.deposit(0.5, now, 5)
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

    it("a clock that is set back makes nothing of nothing", () => {
      const bucket = new Bucket(1000)
      bucket.deposit(1, 5000, 5)
      bucket.deposit(1, 2000, 5)
      deepStrictEqual([bucket.take(2000), bucket.take(5000), bucket.take(5000)], [true, true, false])
      bucket.deposit(1, 1000, 5)
      deepStrictEqual([bucket.take(5999), bucket.take(7000)], [true, false])
    })
  })

  describe("what is in flight", () => {
    it.live("is shared by policies, and limits what is in flight", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1, maxInFlight: 3 })
        const a = yield* Hedge.make({ delay: 5, budget })
        const b = yield* Hedge.make({ delay: 5, budget })
        const [first, second] = yield* Effect.all([sent(a, 4), sent(b, 4)], { concurrency: "unbounded" })
        strictEqual(first + second, 8 + 3)
        // What was in flight has been given back.
        strictEqual(yield* sent(b, 2), 4)
      })))

    it.live("thirty-two by default, of all calls together", () =>
      inTime(Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: 5, budget: { ratio: 1, burst: 100 } })
        strictEqual(yield* sent(policy, 50), 50 + 32)
      })))

    it.live("a copy that is denied for it is not paid for", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1, burst: 10, maxInFlight: 1 })
        yield* sent(yield* Hedge.make({ delay: 5, budget }), 4)
        strictEqual(yield* savings(budget), 3)
      })))

    it.live.each<readonly [name: string, rows: ReadonlyArray<Row>, options: Partial<Hedge.Options<string, string>>]>([
      ["a copy that won", [[90, "ok"], [10, "ok"]], {}],
      ["one that lost", [[90, "ok"], [80, "ok"]], {}],
      ["one that failed", [[90, "ok"], [10, "fail"]], {}],
      ["one that died", [[90, "ok"], [10, "die"]], {}],
      ["one that interrupted itself", [[90, "ok"], [10, "interrupt"]], {}],
      ["one whose answer was not accepted", [[90, "ok"], [10, "bad"]], { accept }],
      ["one whose failure was fatal", [[90, "ok"], [10, "fail"]], { fatal: () => true }],
      ["one that a fatal failure has interrupted", [[60, "fail"]], { fatal: () => true }],
      ["one that an interruption of the call has interrupted", [], {}]
    ])("is given back by %s", ([, rows, options]) =>
      Effect.gen(function*() {
        for (const losers of ["await", "background"] as const) {
          const budget = yield* Hedge.makeBudget({ ratio: 1, maxInFlight: 1 })
          const policy = yield* Hedge.make<string, string>({ delay: 50, budget, losers, ...options })
          const { call } = transcriptOf(rows, {}, () => policy)
          yield* virtually(call, { interruptAt: 100 })
          strictEqual(yield* mostInFlight(budget, 1), 1)
        }
      }))

    it.live("a loser in the background is in flight until it has ended, and not longer", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1, maxInFlight: 1 })
        const policy = yield* Hedge.make({ delay: 5, budget, losers: "background" })
        let requests = 0
        // The copy cannot be interrupted.
        const request = Effect.suspend(() =>
          requests++ === 0 ? Effect.sleep(10) : Effect.uninterruptible(Effect.sleep(100))
        )
        yield* Hedge.hedge(request, policy)
        strictEqual(requests, 2)
        const copies = Effect.map(sent(policy, 1), (requests) => requests - 1)
        strictEqual(yield* copies, 0)
        yield* Effect.sleep(70)
        strictEqual(yield* copies, 0)
        yield* Effect.sleep(10)
        strictEqual(yield* copies, 1)
      })))

    it.live("is given back where a copy was paid for, and has never begun", () =>
      Effect.gen(function*() {
        for (const [interruptAt, begun] of [[10, 1], [30, 2]] as const) {
          const budget = yield* Hedge.makeBudget({ ratio: 1, maxInFlight: 1 })
          const policy = yield* Hedge.make<string>({ delay: 50, budget, accept: () => false })
          let requests = 0
          // Its answer is not accepted, but what it holds is given back only after a while: so long the copy waits.
          const request = Effect.suspend(() => {
            requests++
            return Effect.zipRight(
              Effect.acquireRelease(Effect.void, () => Effect.sleep(20)),
              requests === 1 ? Effect.delay(Effect.succeed("bad"), 5) : Effect.never
            )
          })
          const { exit, left } = yield* virtually(Effect.scoped(Hedge.hedge(request, policy)), { interruptAt })
          deepStrictEqual([exit._tag, left, requests], ["Failure", nothing, begun])
          strictEqual(yield* mostInFlight(budget, 1), 1)
        }
      }))
  })

  describe("spend", () => {
    it.live("pays for a request, as long as there is something", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 0.5 })
        strictEqual(yield* Hedge.tryAcquire(budget), false)
        yield* pay(budget, 2)
        deepStrictEqual([yield* Hedge.tryAcquire(budget), yield* Hedge.tryAcquire(budget)], [true, false])
      })))

    it.live("copies have what is left, and the other way round", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        const policy = yield* Hedge.make({ delay: 5, budget })
        yield* pay(budget, 2)
        yield* savings(budget)
        yield* Hedge.setRatio(budget, 0.1)
        strictEqual(yield* sent(policy, 9), 9)
        strictEqual(yield* sent(policy, 1), 2)
        strictEqual(yield* Hedge.tryAcquire(budget), false)
      })))

    it.live("is not in flight", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1, maxInFlight: 1 })
        yield* pay(budget, 5)
        deepStrictEqual([yield* Hedge.tryAcquire(budget), yield* Hedge.tryAcquire(budget)], [true, true])
        strictEqual(yield* mostInFlight(budget, 1), 1)
        const none = yield* Hedge.makeBudget({ ratio: 1, maxInFlight: 0 })
        yield* pay(none, 1)
        strictEqual(yield* Hedge.tryAcquire(none), true)
      })))

    it.live("looks at the clock when it is run", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1, window: 1000 })
        const spend = Hedge.tryAcquire(budget)
        yield* pay(budget, 2)
        strictEqual(yield* spend, true)
        yield* Effect.sleep(1000)
        strictEqual(yield* spend, false)
      })))
  })

  describe("setRatio", () => {
    it.live("is of effect for the calls that follow, up and down", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 0.01 })
        const policy = yield* Hedge.make({ delay: 5, budget })
        strictEqual(yield* copies(policy, 1000), 10)
        yield* Hedge.setRatio(budget, 0.1)
        strictEqual(yield* copies(policy, 1000), 100)
        yield* Hedge.setRatio(budget, 0)
        strictEqual(yield* copies(policy, 1000), 0)
        yield* Hedge.setRatio(budget, 0.5)
        strictEqual(yield* copies(policy, 1000), 500)
      })))

    it.live("what was deposited keeps its worth", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        yield* pay(budget, 3)
        yield* Hedge.setRatio(budget, 0.001)
        strictEqual(yield* savings(budget), 3)
      })))

    it.live("at zero, savings are worth nothing, for copies and for others, until it is raised", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        const policy = yield* Hedge.make({ delay: 5, budget })
        yield* pay(budget, 3)
        yield* Hedge.setRatio(budget, 0)
        strictEqual(yield* sent(policy, 10), 10)
        strictEqual(yield* Hedge.tryAcquire(budget), false)
        yield* Hedge.setRatio(budget, 0.001)
        strictEqual(yield* savings(budget), 3)
      })))

    it.live("copies that are under way go on", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        const policy = yield* Hedge.make({ delay: 5, budget })
        let requests = 0
        const request = Effect.suspend(() => requests++ === 0 ? Effect.never : Effect.delay(Effect.succeed("copy"), 10))
        const [answer] = yield* Effect.all([
          Hedge.hedge(request, policy),
          Effect.delay(Hedge.setRatio(budget, 0), 7)
        ], { concurrency: 2 })
        strictEqual(answer, "copy")
      })))

    it.live("a ratio that makes no sense is a defect, and changes nothing", () =>
      inTime(Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 1 })
        for (const ratio of [-0.1, 1.1, NaN]) {
          const cause = yield* Effect.flip(Effect.sandbox(Hedge.setRatio(budget, ratio)))
          assertTrue(
            Cause.pretty(cause).includes(`Hedge: option "ratio" must be a number from 0 to 1, got ${ratio}`),
            Cause.pretty(cause)
          )
        }
        yield* pay(budget, 1)
        strictEqual(yield* savings(budget), 1)
      })))
  })

  it.live.each<readonly [option: string, options: Hedge.BudgetOptions, message: string]>([
    ["ratio", { ratio: 1.1 }, "a number from 0 to 1, got 1.1"],
    ["ratio", { ratio: -0.1 }, "a number from 0 to 1, got -0.1"],
    ["ratio", { ratio: NaN }, "a number from 0 to 1, got NaN"],
    ["burst", { burst: 0 }, "a whole number of at least 1, got 0"],
    ["burst", { burst: 1.5 }, "a whole number of at least 1, got 1.5"],
    ["maxInFlight", { maxInFlight: -1 }, "a whole number of at least 0, got -1"],
    ["maxInFlight", { maxInFlight: 0.5 }, "a whole number of at least 0, got 0.5"],
    ["window", { window: 0 }, "a duration of at least a millisecond, and finite, got 0"],
    ["window", { window: Infinity }, "a duration of at least a millisecond, and finite, got Infinity"],
    ["window", { window: -1 }, "a duration of zero or more, got -1"]
  ])("what makes no sense is named: %s in %o", ([option, options, message]) =>
    Effect.gen(function*() {
      for (
        const make of [
          Effect.asVoid(Hedge.makeBudget(options)),
          Effect.asVoid(Hedge.make({ delay: 1, budget: options }))
        ]
      ) {
        const cause = yield* Effect.flip(Effect.sandbox(make))
        assertTrue(Cause.pretty(cause).includes(`Hedge: option "${option}" must be ${message}`), Cause.pretty(cause))
      }
    }))
})
