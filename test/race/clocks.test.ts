import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as StaggeredRace from "../../src/StaggeredRace.js"

describe.concurrent("22. Only the Clock in the environment tells time", () => {
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
