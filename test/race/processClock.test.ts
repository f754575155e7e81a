import { afterEach, beforeEach, describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { vi } from "vitest"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { candidate, transcript } from "../support/scenario.js"
import { type Timeline, timelines } from "../support/timelines.js"

// On the clock that Effect brings along, which sleeps by `setTimeout`, a race has timeouts and no fibers that sleep.
// Here that clock is the real one, and `setTimeout` and `Date` are not.

/** The clock of the process, as one of which nothing is known. */
const asked = (clock: Clock.Clock): Clock.Clock => ({
  [Clock.ClockTypeId]: Clock.ClockTypeId,
  unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis(),
  unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
  currentTimeMillis: clock.currentTimeMillis,
  currentTimeNanos: clock.currentTimeNanos,
  sleep: (duration) => clock.sleep(duration)
})

const run = async ({ candidates, delay, interruptAt }: Timeline, minDelay: number, clock: Clock.Clock) => {
  vi.setSystemTime(0)
  const seen = transcript()
  const race = StaggeredRace.outcome(candidates.map((row, index) => candidate(row, index, seen)), {
    delay: delay ?? Duration.infinity,
    minDelay
  })
  let endedAt = NaN
  const fiber = Effect.runFork(race.pipe(
    Effect.onExit(() => Effect.sync(() => endedAt = Date.now())),
    Effect.withClock(clock)
  ))
  if (interruptAt !== null) {
    setTimeout(() => Effect.runFork(Fiber.interruptFork(fiber)), interruptAt)
  }
  await vi.advanceTimersByTimeAsync(100_000)
  const exit = fiber.unsafePoll()
  return {
    ended: exit !== null,
    endedAt,
    outcome: exit !== null && Exit.isSuccess(exit)
      ? exit.value.attempts.map(({ endedAt, result, startedAt, startedBy }) => [startedBy, startedAt, result, endedAt])
      : undefined,
    started: seen.started,
    candidatesEnded: seen.ended.sort(([left], [right]) => left - right),
    timeoutsLeft: vi.getTimerCount()
  }
}

describe.sequential("on the clock of the process", () => {
  beforeEach(() => {
    vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
  })
  afterEach(() => {
    vi.useRealTimers()
  })

  // With a least gap the timer that waits for the delay has to give way to an earlier one.
  it.each([0, 7])("a race is what it is on a clock that is asked to sleep (minDelay %i)", async (minDelay) => {
    const process = Effect.runSync(Effect.clock)
    let delayed = 0
    for (const timeline of timelines) {
      const { ended, timeoutsLeft, ...seen } = await run(timeline, minDelay, process)
      deepStrictEqual([ended, timeoutsLeft], [true, 0])
      deepStrictEqual({ ended, timeoutsLeft, ...seen }, await run(timeline, minDelay, asked(process)))
      delayed += seen.outcome?.filter(([startedBy]) => startedBy === "delay").length ?? 0
    }
    assertTrue(delayed > 100)
  })

  it("a clock that is set back while a timer is kept makes no wait longer", async () => {
    const started: Array<number> = []
    const fails = Effect.zipRight(Effect.sleep(100), Effect.fail("no"))
    const at = (index: number, self: Effect.Effect<number, string>) =>
      Effect.zipRight(Effect.sync(() => started.push(index, elapsed)), self)
    let elapsed = 0
    const fiber = Effect.runFork(
      StaggeredRace.race([at(0, fails), at(1, Effect.never), at(2, Effect.never)], { delay: 250 })
    )
    for (; elapsed < 600; elapsed++) {
      await vi.advanceTimersByTimeAsync(1)
      if (elapsed === 150) {
        vi.setSystemTime(Date.now() - 3_600_000)
      }
    }
    Effect.runFork(Fiber.interrupt(fiber))
    await vi.advanceTimersByTimeAsync(1)
    deepStrictEqual(started.length, 6)
    const [, , , second = NaN, , third = NaN] = started
    assertTrue(second >= 99 && second <= 102, `${second}`)
    assertTrue(third >= 348 && third <= 353, `${third}`)
  })

  it("a delay that is longer than a timeout can be is for ever", async () => {
    const started: Array<number> = []
    const hanging = (index: number) => Effect.zipRight(Effect.sync(() => started.push(index)), Effect.never)
    const fiber = Effect.runFork(StaggeredRace.race([hanging(0), hanging(1)], { delay: 2 ** 31 }))
    await vi.advanceTimersByTimeAsync(100_000)
    deepStrictEqual(started, [0])
    Effect.runFork(Fiber.interrupt(fiber))
    await vi.advanceTimersByTimeAsync(1)
    deepStrictEqual([fiber.unsafePoll() !== null, vi.getTimerCount()], [true, 0])
  })
})
