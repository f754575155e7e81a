import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { play, scenario } from "../support/play.js"
import type { Boom, Row, Transcript } from "../support/scenario.js"
import {
  candidate,
  candidates,
  clocks,
  fail,
  forever,
  hang,
  nothing,
  observe,
  ok,
  shape,
  transcript
} from "../support/scenario.js"

describe.concurrent("what starts a candidate, and when", () => {
  describe("1. The first candidate starts at once", () => {
    it.live("whatever the delay and the least gap", () =>
      Effect.forEach(
        [0, 250, forever],
        (delay) => scenario([ok(123)], { delay, minDelay: 10 }, { winner: 0, at: 123, starts: [0], by: ["first"] })
      ))
  })

  describe("2. The next candidate starts at the earlier of: the newest attempt has failed; its delay has passed", () => {
    it.live("the delay", () =>
      scenario([ok(1000), ok(1000), ok(200)], { delay: 250 }, {
        winner: 2,
        at: 700,
        starts: [0, 250, 500],
        by: ["first", "delay", "delay"]
      }))

    it.live("a success keeps the rest from starting", () =>
      scenario([ok(1000), ok(100), ok(200)], { delay: 250 }, { winner: 1, at: 350, starts: [0, 250] }))

    it.live("a failure of the newest", () =>
      scenario([fail(100), fail(200), hang(), ok(250)], { delay: 250 }, {
        winner: 3,
        at: 800,
        starts: [0, 100, 300, 550],
        by: ["first", "failure", "failure", "delay"]
      }))

    it.live("a failure of the newest while an older one runs", () =>
      scenario([hang(), fail(10), ok(5)], { delay: 250 }, { winner: 2, at: 265, starts: [0, 250, 260] }))

    it.live("an older attempt's failure starts nothing", () =>
      scenario([fail(150), hang(), ok(70)], { delay: 100 }, { winner: 2, at: 270, starts: [0, 100, 200] }))

    it.live("an infinite delay: one after the other", () =>
      scenario([fail(10), fail(20), ok(30)], { delay: forever }, { winner: 2, at: 60, starts: [0, 10, 30] }))

    it.live("no delay: all at once, in order", () =>
      scenario([hang(), hang(), ok(30)], { delay: 0 }, { winner: 2, at: 30, starts: [0, 0, 0] }))

    it.live("a failure that takes time to clean up has ended when it is cleaned up", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const slow = Effect.ensuring(candidate(fail(100), 0, seen), Effect.sleep(50))
        yield* observe(StaggeredRace.race([slow, candidate(ok(10), 1, seen)], { delay: 1000 }))
        deepStrictEqual(seen.started, [[0, 0], [1, 150]])
      }))

    it.live("a schedule is stepped once per start, with the index of the attempt just started", () =>
      Effect.gen(function*() {
        const inputs: Array<number> = []
        const delay = Schedule.tapInput(
          Schedule.delayed(Schedule.recurs(2), () => Duration.millis(100 * (inputs.length))),
          (index: number) => Effect.sync(() => inputs.push(index))
        )
        const rows = [hang(), hang(), fail(40), hang(), ok(1)]
        const seen = yield* play(rows, { delay }, 1000)
        deepStrictEqual(seen.starts, [0, 100, 300, 340])
        deepStrictEqual(inputs, [0, 1, 2, 3])
      }))

    it.live("a schedule that is done leaves the starting to failures", () =>
      scenario([fail(300), hang(), fail(500), ok(1)], { delay: Schedule.addDelay(Schedule.recurs(2), () => 100) }, {
        winner: 3,
        at: 701,
        starts: [0, 100, 200, 700]
      }))

    it.live("a schedule that grows is not stepped by time, but by starts", () =>
      scenario([hang(), fail(20), hang(), hang(), ok(5)], { delay: Schedule.exponential(100) }, {
        winner: 4,
        at: 1325,
        starts: [0, 100, 120, 520, 1320]
      }))

    it.live("a schedule that is slow to answer never blocks", () =>
      Effect.gen(function*() {
        const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(1000), 10))
        const seen = yield* play([ok(100), hang()], { delay })
        deepStrictEqual([seen.winner, seen.at], [0, 100])
        const failing = yield* play([fail(100), ok(100)], { delay })
        deepStrictEqual([failing.winner, failing.starts], [1, [0, 100]])
      }))

    it.live("a schedule's step that is still running at the next start is interrupted, and not waited for", () =>
      Effect.gen(function*() {
        const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(1000), 10))
        const { endedAt, left } = yield* observe(StaggeredRace.race(candidates([fail(100), ok(100)]), { delay }))
        deepStrictEqual([endedAt, left], [200, nothing])
      }))

    it.live("a schedule that answers after the newest has failed does not put the next start off", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(20), 500))
        yield* observe(StaggeredRace.race(candidates([fail(10), hang()], seen), { delay, minDelay: 50 }), {
          interruptAt: 3000
        })
        deepStrictEqual(seen.started, [[0, 0], [1, 50]])
      }))

    it.live("a timer left of an earlier start, which fires too early, is looked at again, on any clock", () =>
      Effect.forEach(clocks, (clock) =>
        Effect.gen(function*() {
          const seen = transcript()
          const list = candidates([fail(100), hang(), hang(), hang()], seen)
          yield* observe(StaggeredRace.race(list, { delay: 250 }), { clock, interruptAt: 3000 })
          deepStrictEqual(seen.started, [[0, 0], [1, 100], [2, 350], [3, 600]])
        })))
  })

  describe("3. A start for whatever reason restarts the delay, and at most one timer is pending per race", () => {
    const hanging = Effect.never as Effect.Effect<string, Boom>
    const failing = (latency: number) => candidate(fail(latency), 0, transcript())

    it.live("none after the last candidate", () =>
      Effect.gen(function*() {
        const race = StaggeredRace.race([hanging, hanging, hanging], { delay: 250 })
        const { left, maxSleeps, samples } = yield* observe(race, {
          sampleAt: [0, 249, 250, 499, 500, 1000],
          interruptAt: 2000
        })
        deepStrictEqual(samples, [1, 1, 1, 1, 0, 0])
        strictEqual(maxSleeps, 1)
        deepStrictEqual(left, nothing)
      }))

    it.live("an iterator that ends shows it at the next start, and no timer is left", () =>
      Effect.gen(function*() {
        const race = StaggeredRace.race(new Set([hanging]).values(), { delay: 250 })
        const { samples } = yield* observe(race, { sampleAt: [0, 249, 250], interruptAt: 2000 })
        deepStrictEqual(samples, [1, 1, 0])
      }))

    it.live("a failure that starts the next restarts it", () =>
      Effect.gen(function*() {
        // The failing candidate sleeps as well: one sleep more until 100.
        const race = StaggeredRace.race([failing(100), hanging, hanging, hanging], { delay: 250 })
        const { maxSleeps, samples } = yield* observe(race, { sampleAt: [50, 100, 349, 350, 600], interruptAt: 2000 })
        deepStrictEqual(samples, [2, 1, 1, 1, 0])
        strictEqual(maxSleeps, 2)
      }))

    it.live("none after the race", () =>
      Effect.gen(function*() {
        const win = Effect.delay(Effect.succeed("win"), 100)
        const after = Effect.zipRight(StaggeredRace.race([win, hanging], { delay: 250 }), Effect.delay(Effect.void, 50))
        const { samples } = yield* observe(after, { sampleAt: [99, 120, 151] })
        deepStrictEqual(samples, [2, 1, 0])
      }))

    it.live("an infinite delay needs no timer, on any clock", () =>
      Effect.forEach(clocks, (clock) =>
        Effect.gen(function*() {
          const race = StaggeredRace.race([Effect.never, Effect.never], { delay: forever })
          const { maxSleeps } = yield* observe(race, { clock, interruptAt: 100 })
          strictEqual(maxSleeps, 0)
        })))

    it.live("a Set says how many it has: no timer after the last", () =>
      Effect.gen(function*() {
        const race = StaggeredRace.race(new Set([Effect.never, Effect.zipRight(Effect.void, Effect.never)]), {
          delay: 250
        })
        const { samples } = yield* observe(race, { sampleAt: [0, 249, 250], interruptAt: 2000 })
        deepStrictEqual(samples, [1, 1, 0])
      }))

    it.live("the starts of one instant share a timer: of 10 and of 3,000, on any clock", () =>
      Effect.forEach(clocks, (clock) =>
        Effect.forEach([10, 3000], (count) =>
          Effect.gen(function*() {
            let made = 0
            const soon = (index: number) =>
              Effect.zipRight(Effect.yieldNow(), index < count - 1 ? Effect.fail(index) : Effect.succeed(index))
            const race = StaggeredRace.race(Array.from({ length: count }, (_, index) => soon(index)), { delay: 250 })
            const { endedAt, exit, left, maxSleeps } = yield* observe(race, { clock, onSleep: () => made++ })
            deepStrictEqual([exit, made, maxSleeps, endedAt], [Exit.succeed(count - 1), 1, 1, 0])
            deepStrictEqual(left, nothing)
          }))))

    it.live("never two are pending, whatever brings the starts", () =>
      Effect.forEach(clocks, (clock) =>
        Effect.gen(function*() {
          const rows = [fail(0), fail(100), hang(), fail(30), fail(0), hang(), fail(250), ok(700)]
          const pending: Array<number> = []
          const sleeping = rows.filter(({ latency }) => latency !== null && latency > 0).length
          const race = StaggeredRace.race(candidates(rows), { delay: 250, minDelay: 10 })
          const { left, maxSleeps } = yield* observe(race, { clock, onSleep: (millis) => pending.push(millis) })
          deepStrictEqual(left, nothing)
          // At most two candidates sleep at once. The third sleep is the race's.
          assertTrue(maxSleeps <= 3, `${maxSleeps} sleeps were pending at once`)
          assertTrue(pending.length <= sleeping + 3 * rows.length, `${pending.length} sleeps`)
        })))

    it.live("the race returns when its timer is gone, also where a sleep takes a while to be interrupted", () =>
      Effect.gen(function*() {
        const real = yield* Effect.clock
        let pending = 0
        const clock: Clock.Clock = {
          [Clock.ClockTypeId]: Clock.ClockTypeId,
          unsafeCurrentTimeMillis: () => 0,
          unsafeCurrentTimeNanos: () => 0n,
          currentTimeMillis: Effect.succeed(0),
          currentTimeNanos: real.currentTimeNanos,
          sleep: () =>
            Effect.acquireUseRelease(
              Effect.sync(() => pending++),
              () => Effect.never,
              () => Effect.zipRight(Effect.repeatN(Effect.yieldNow(), 20), Effect.sync(() => pending--))
            )
        }
        const soon = Effect.repeatN(Effect.yieldNow(), 10)
        yield* Effect.withClock(StaggeredRace.race([soon, Effect.never], { delay: 250 }), clock)
        strictEqual(pending, 0)
      }))

    it.live("no timer for the last candidate, nor one that is left of an earlier start, on any clock", () =>
      Effect.forEach(clocks, (clock) =>
        Effect.gen(function*() {
          const one = yield* observe(StaggeredRace.race([Effect.never], { delay: 250 }), { clock, interruptAt: 500 })
          strictEqual(one.maxSleeps, 0)
          const failing = Effect.zipRight(Effect.sleep(100), Effect.fail("no"))
          const two = yield* observe(StaggeredRace.race([failing, Effect.never], { delay: 250 }), {
            clock,
            sampleAt: [99, 101],
            interruptAt: 500
          })
          deepStrictEqual(two.samples, [2, 0])
        })))
  })

  describe("the least gap, `minDelay`", () => {
    it.live("holds after a failure although a schedule says more", () =>
      Effect.gen(function*() {
        const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(5), 200))
        const seen = yield* play([fail(1), ok(1)], { delay, minDelay: 10 })
        deepStrictEqual(seen.starts, [0, 10])
      }))

    it.live("is the least gap between two starts, also after a failure", () =>
      Effect.zipRight(
        scenario([fail(1), fail(1), fail(30), ok(1)], { delay: 250, minDelay: 10 }, {
          winner: 3,
          at: 51,
          starts: [0, 10, 20, 50]
        }),
        scenario([hang(), hang(), ok(5)], { delay: 2, minDelay: 10 }, { winner: 2, at: 25, starts: [0, 10, 20] })
      ))

    it.live("minDelay is the least gap after a schedule's delay as well", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const options = { delay: Schedule.spaced(2), minDelay: 10 }
        yield* observe(StaggeredRace.race(candidates([hang(), hang(), ok(5)], seen), options))
        deepStrictEqual(seen.started, [[0, 0], [1, 10], [2, 20]])
      }))
  })

  describe("an attempt that waives the least gap", () => {
    const waiving = (after: number, then: Row, index: number, seen: Transcript) =>
      Effect.zipRight(
        Effect.delay(
          Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => Option.getOrThrow(attempt).waiveMinDelay),
          after
        ),
        candidate(then, index, seen)
      )

    it.live("lets the next start come as soon as it fails, and only the next", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = [waiving(1, fail(1), 0, seen), ...candidates([fail(1), fail(1), hang()], seen).slice(1)]
        yield* observe(StaggeredRace.race(list, { delay: 250, minDelay: 10 }), { interruptAt: 100 })
        deepStrictEqual(seen.started.map(([, at]) => at), [1, 2, 12])
      }))
  })

  describe("an attempt that holds back the next start", () => {
    const holdBack = (millis: number) =>
      Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => Option.getOrThrow(attempt).holdBack(millis))
    type Hold = readonly [after: number, millis: number, then: Row]

    it.live.each<readonly [string, ReadonlyArray<Hold>, starts: ReadonlyArray<number>]>([
      ["though it fails", [[4, 300, fail(5)]], [0, 304, 404]],
      ["though the delay has passed", [[50, 300, hang()]], [0, 350, 450]],
      ["but not for longer than the delay does", [[50, 20, hang()]], [0, 100, 200]],
      ["also if another has started meanwhile", [[150, 300, hang()]], [0, 100, 450]],
      ["for as long as the longest of two", [[110, 300, hang()], [20, 50, fail(30)]], [0, 100, 410, 510]]
    ])("%s", ([, holds, starts]) =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = [
          ...holds.map(([after, millis, then], index) =>
            Effect.zipRight(Effect.fork(Effect.delay(holdBack(millis), after)), candidate(then, index, seen))
          ),
          ...[1, 2].map((more) => candidate(hang(), holds.length - 1 + more, seen))
        ]
        yield* observe(StaggeredRace.race(list, { delay: 100, minDelay: 10 }), { interruptAt: 1000 })
        deepStrictEqual(seen.started.map(([, at]) => at), starts)
      }))

    it.live("a duration that makes no sense is a defect", () =>
      Effect.gen(function*() {
        const { exit } = yield* observe(StaggeredRace.race([holdBack(-1)], { delay: 10 }))
        deepStrictEqual(
          shape(Exit.isFailure(exit) ? exit.cause : Cause.empty),
          "!IllegalArgumentException: StaggeredRace: option \"holdBack\" must be a duration of zero or more, got -1"
        )
      }))
  })

  describe("the places, `concurrency`", () => {
    it.live("a start that is due waits until an attempt ends", () =>
      scenario([fail(300), hang(), fail(50), ok(10)], { delay: 100, concurrency: 2 }, {
        winner: 3,
        at: 360,
        starts: [0, 100, 300, 350],
        by: ["first", "delay", "delay", "failure"]
      }))

    it.live("is never exceeded, and all are tried", () =>
      Effect.gen(function*() {
        let running = 0
        let most = 0
        const one = (index: number) =>
          Effect.acquireUseRelease(
            Effect.sync(() => most = Math.max(most, ++running)),
            () => Effect.zipRight(Effect.sleep(20), index === 8 ? Effect.succeed(index) : Effect.fail(index)),
            () => Effect.sync(() => running--)
          )
        const { exit } = yield* observe(
          StaggeredRace.race(Array.from({ length: 9 }, (_, index) => one(index)), { delay: 1, concurrency: 3 })
        )
        deepStrictEqual([exit, most], [Exit.succeed(8), 3])
      }))

    it.live("a slot that frees before the delay has passed starts nothing", () =>
      scenario([fail(50), hang(), ok(10)], { delay: 40, concurrency: 2 }, { winner: 2, at: 90, starts: [0, 40, 80] }))
  })
})
