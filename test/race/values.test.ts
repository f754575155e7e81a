import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Schedule from "effect/Schedule"
import type * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { candidates, forever, hang, messages, nothing, observe, transcript } from "../support/scenario.js"

describe.concurrent("18. A race is a value: it can be run twice, nested, retried, timed out", () => {
  it.live("run twice, nested, retried and timed out", () =>
    Effect.gen(function*() {
      let runs = 0
      const flaky = Effect.suspend(() => ++runs < 4 ? Effect.fail("again") : Effect.succeed(runs))
      const race = StaggeredRace.race([flaky, Effect.delay(flaky, 10)], { delay: 50 })
      const { exit } = yield* observe(Effect.retry(race, { times: 3 }))
      deepStrictEqual(exit, Exit.succeed(4))
      const nested = StaggeredRace.race([
        StaggeredRace.race([Effect.never, Effect.delay(Effect.succeed("inner"), 100)], { delay: 100 }),
        Effect.delay(Effect.succeed("outer"), 60)
      ], { delay: 100 })
      for (const _ of [1, 2]) {
        const { endedAt, exit, left } = yield* observe(nested)
        deepStrictEqual([endedAt, exit, left], [160, Exit.succeed("outer"), nothing])
      }
      const deep = (depth: number): Effect.Effect<number, string> =>
        depth === 0
          ? Effect.succeed(0)
          : StaggeredRace.race([Effect.fail("no"), Effect.suspend(() => deep(depth - 1))], { delay: 100 })
      strictEqual(yield* deep(5000), 0)
    }))

  it.live("also on a scheduler that runs what it is given at once", () =>
    Effect.gen(function*() {
      const atOnce: Scheduler.Scheduler = { shouldYield: () => false, scheduleTask: (task) => task() }
      const gate = yield* Deferred.make<void>()
      const race = StaggeredRace.race([
        Effect.as(Deferred.await(gate), "woken by the second while that is being started"),
        Effect.zipRight(Deferred.succeed(gate, void 0), Effect.never)
      ], { delay: 0 })
      const won = yield* Effect.withScheduler(race, atOnce).pipe(Effect.timeout("5 seconds"))
      strictEqual(won, "woken by the second while that is being started")
    }))

  it.live("a race of one candidate, nested deep, does not overflow the stack", () =>
    Effect.gen(function*() {
      const deep = (depth: number): Effect.Effect<number> =>
        depth === 0 ? Effect.succeed(0) : StaggeredRace.race([Effect.suspend(() => deep(depth - 1))], { delay: 100 })
      strictEqual(yield* Effect.timeout(Effect.disconnect(deep(3000)), "20 seconds"), 0)
    }))

  it.live("a scope that is first used deep inside of races", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const leaf = Effect.acquireRelease(Effect.sync(() => log.push("+")), () => Effect.sync(() => log.push("-")))
      const deep = (depth: number): Effect.Effect<number, never, Scope.Scope> =>
        depth === 0 ? leaf : StaggeredRace.race([Effect.suspend(() => deep(depth - 1))], { delay: 100 })
      yield* Effect.timeout(Effect.disconnect(Effect.scoped(deep(2000))), "20 seconds")
      deepStrictEqual(log, ["+", "-"])
    }))

  it.live("a schedule's state belongs to one run", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const delay = Schedule.addDelay(Schedule.recurs(1), () => 100)
      const race = StaggeredRace.race(candidates([hang(), hang(), hang()], seen), { delay })
      yield* observe(race, { interruptAt: 1000 })
      yield* observe(race, { interruptAt: 1000 })
      deepStrictEqual(seen.started, [[0, 0], [1, 100], [0, 0], [1, 100]])
    }))

  it("a race whose 1,024th attempt wins without suspending does not suspend either", () => {
    const list = Array.from({ length: 1024 }, (_, index) => index < 1023 ? Effect.fail(index) : Effect.succeed(index))
    strictEqual(Effect.runSync(StaggeredRace.race(list, { delay: 250 })), 1023)
  })

  describe("a race that never suspends does not suspend, however many fail before one wins", () => {
    const count = 5000
    const list = (from = 0): ReadonlyArray<Effect.Effect<number, number>> =>
      Array.from(
        { length: count + 1 },
        (_, index) => index < count ? Effect.fail(from + index) : Effect.succeed(from + index)
      )

    it("of 5,000", () => {
      for (const delay of [0, 250, forever]) {
        strictEqual(Effect.runSync(StaggeredRace.race(list(), { delay })), count)
        strictEqual(Effect.runSync(StaggeredRace.outcome(list(), { delay })).attempts.length, count + 1)
      }
    })

    it("of 5,000 that are in a race of their own, and of 5,000 races", () => {
      const inner = StaggeredRace.race(list(), { delay: 250 })
      strictEqual(Effect.runSync(StaggeredRace.race([Effect.fail(0), inner], { delay: 250 })), count)
      const nested = list().map((one) => StaggeredRace.race([one], { delay: 250 }))
      strictEqual(Effect.runSync(StaggeredRace.race(nested, { delay: 250 })), count)
    })

    it("of 5,000 of which none wins", () => {
      const exit = Effect.runSyncExit(StaggeredRace.race(list().slice(0, count), { delay: 250 }))
      deepStrictEqual(messages(exit), Array.from({ length: count }, (_, index) => index))
    })
  })
})
