import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { assert, vi } from "vitest"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents, type Variant } from "../support/eventClock.js"
import { progressing } from "../support/play.js"
import type { Observed, Transcript } from "../support/scenario.js"
import { candidates, clocks, fail, forever, hang, nothing, observe, ok, transcript } from "../support/scenario.js"

type Outcome = StaggeredRace.Outcome<unknown, unknown, unknown>

const slowly = <A>(list: ReadonlyArray<A>) =>
  Stream.fromIterable(list).pipe(Stream.rechunk(1), Stream.tap(() => Effect.sleep(100)))

// Each race has another kind of start, and ends that fall on the instant of a start. No two attempts end at the same
// instant: which of them is first is up to the clock.
const { outcome, outcomeStream } = StaggeredRace
const races: Readonly<Record<string, (seen: Transcript) => Effect.Effect<Outcome>>> = {
  "delays and failures": (seen) => outcome(candidates([fail(100), hang(), fail(250), ok(70)], seen), { delay: 250 }),
  "ends that fall on the delay": (seen) =>
    outcome(candidates([fail(250), fail(250), ok(250), hang()], seen), { delay: 250 }),
  "all at once": (seen) => outcome(candidates([hang(), fail(29), ok(30)], seen), { delay: 0 }),
  "one after the other": (seen) => outcome(candidates([fail(10), fail(20), ok(30)], seen), { delay: forever }),
  "a least gap": (seen) => outcome(candidates([fail(1), fail(10), hang(), ok(5)], seen), { delay: 25, minDelay: 10 }),
  "two at a time": (seen) =>
    outcome(candidates([fail(300), hang(), fail(50), ok(10)], seen), { delay: 100, concurrency: 2 }),
  "a schedule": (seen) =>
    outcome(candidates([hang(), fail(200), hang(), ok(5)], seen), { delay: Schedule.exponential(100) }),
  "a stream that is slow": (seen) =>
    outcomeStream(slowly(candidates([fail(110), hang(), ok(50)], seen)), { delay: 60 }),
  "progress": (seen) =>
    outcome([progressing(100, 300, hang(), 0, seen), ...candidates([ok(10)], seen)], { delay: 250 }),
  "losers in the background": (seen) =>
    outcome(candidates([hang({ cleanup: 70 }), ok(20)], seen), { delay: 10, losers: "background" }),
  "3,200 failures at one instant": () =>
    outcome(
      Array.from({ length: 3201 }, (_, index) => index < 3200 ? Effect.fail(index) : Effect.delay(Effect.void, 5)),
      {
        delay: 1000
      }
    )
}

/** Everything about a race that has a time. */
const told = (seen: Transcript, { endedAt, exit, left }: Omit<Observed<Outcome, never>, "samples" | "maxSleeps">) => {
  const { attempts, decidedAt, decidedBy, winner, ...times } = Exit.isSuccess(exit) ? exit.value : assert.fail("ended")
  return {
    seen: { started: seen.started, ended: [...seen.ended].sort() },
    left,
    times: [times.startedAt, decidedAt, times.endedAt, endedAt],
    decidedBy,
    winner: Option.map(winner, ({ index }) => index),
    attempts: attempts.map(({ dueAt, endedAt, index, result, startedAt, startedBy }) => [
      index,
      dueAt,
      startedAt,
      startedBy,
      endedAt,
      result
    ])
  }
}

const onEvents = (make: (seen: Transcript) => Effect.Effect<Outcome>, variant: Variant = {}) => {
  const seen = transcript()
  return told(seen, runEvents(make(seen), variant))
}

// A clock that wakes its sleepers one at a time, the first one first, and takes a sleep of no time for no sleep, gives a
// timer no way to let others go first.
const variants: ReadonlyArray<Variant> = (["fifo", "lifo"] as const).flatMap((order) =>
  (["one", "instant"] as const).flatMap((wakes) =>
    (["queued", "atOnce"] as const).map((zero) => ({ order, wakes, zero }))
  )
).filter(({ order, wakes, zero }) => !(order === "fifo" && wakes === "one" && zero === "atOnce"))

describe.concurrent("22. Only the Clock in the environment tells time", () => {
  it.live.each(Object.entries(races))("the same race on every clock: %s", ([, make]) =>
    Effect.gen(function*() {
      const expected = onEvents(make)
      for (const variant of variants) {
        deepStrictEqual({ variant, ...onEvents(make, variant) }, { variant, ...expected })
      }
      for (const clock of clocks) {
        const seen = transcript()
        deepStrictEqual({ clock, ...told(seen, yield* observe(make(seen), { clock })) }, { clock, ...expected })
      }
    }))

  it.each(Object.entries(races))(
    "no timer of the process, and no time of the day, stands in its way: %s",
    (_, make) => {
      const expected = onEvents(make)
      // The next lines are synchronous, so nothing else in the process uses the mocks.
      const timers = (["setTimeout", "setImmediate"] as const).map((name) => vi.spyOn(globalThis, name))
      const times = [Date, performance].map((clock) =>
        vi.spyOn(clock, "now").mockImplementation(() => Math.random() * 1e12)
      )
      const seen = onEvents(make)
      const calls = timers.map((timer) => timer.mock.calls.length)
      timers.forEach((timer) => timer.mockRestore())
      times.forEach((clock) => clock.mockRestore())
      deepStrictEqual([seen, calls], [expected, [0, 0]])
    }
  )

  it("an older attempt's end on the very delay comes before it where the clock wakes the first to come first", () => {
    for (const variant of variants.filter(({ order }) => order === "fifo")) {
      const { attempts } = onEvents(
        (seen) => outcome(candidates([hang(), ok(500), hang(), hang()], seen), { delay: 250 }),
        variant
      )
      deepStrictEqual(attempts.map(([, , startedAt]) => startedAt), [0, 250, 500])
    }
  })

  it.live("no number of starts at one instant makes virtual time run ahead", () =>
    Effect.forEach(
      clocks,
      (clock) =>
        Effect.forEach(["without suspending", "after a turn"], (how) =>
          Effect.gen(function*() {
            const no = how === "after a turn"
              ? Effect.zipRight(Effect.yieldNow(), Effect.fail("no"))
              : Effect.fail("no")
            const race = outcome(Array<typeof no>(3200).fill(no), { delay: 1000 })
            const { endedAt, exit, left } = yield* observe(race, { clock })
            const { attempts, decidedAt, decidedBy } = yield* exit
            deepStrictEqual([decidedAt, endedAt, decidedBy, attempts.length], [0, 0, "failures", 3200])
            deepStrictEqual(left, nothing)
          }))
    ))

  it.live("a clock that is set back while a timer sleeps makes no start wait longer", () =>
    Effect.gen(function*() {
      const real = yield* Effect.clock
      let offset = 0
      const clock: Clock.Clock = {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => real.unsafeCurrentTimeMillis() + offset,
        unsafeCurrentTimeNanos: () => real.unsafeCurrentTimeNanos(),
        currentTimeMillis: Effect.sync(() => real.unsafeCurrentTimeMillis() + offset),
        currentTimeNanos: real.currentTimeNanos,
        sleep: (duration) => {
          offset -= 3_600_000
          return real.sleep(duration)
        }
      }
      const race = StaggeredRace.race([Effect.never, Effect.never, Effect.succeed("third")], { delay: 5, minDelay: 3 })
      strictEqual(yield* race.pipe(Effect.withClock(clock), Effect.timeout("5 seconds")), "third")
    }))

  it.live("a clock that sleeps by moving on at once", () =>
    Effect.gen(function*() {
      let now = 0
      const real = yield* Effect.clock
      const clock: Clock.Clock = {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => now,
        unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
        currentTimeMillis: Effect.sync(() => now),
        currentTimeNanos: real.currentTimeNanos,
        sleep: (duration) =>
          Effect.sync(() => {
            now += Duration.toMillis(duration)
          })
      }
      const outcome = yield* StaggeredRace.outcome([Effect.never, Effect.never, Effect.succeed(1)], { delay: 250 })
        .pipe(
          Effect.withClock(clock),
          Effect.timeout("2 seconds")
        )
      deepStrictEqual(outcome.attempts.map(({ startedAt }) => startedAt), [0, 250, 500])
    }))
})
