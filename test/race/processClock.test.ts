import { afterEach, describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { vi } from "vitest"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { asked, onProcessClock } from "../support/clocks.js"
import { nothing } from "../support/scenario.js"
import { reference, replay, timelines } from "../support/timelines.js"

// On the clock that Effect brings along, which sleeps by `setTimeout`, a race has timeouts and no fibers that sleep.
// Here that clock is the real one, and `setTimeout` and `Date` are not.

const timers = ["setTimeout", "clearTimeout", "Date"] as const
const immediates = ["setImmediate", "clearImmediate"] as const

describe.sequential("on the clock of the process", () => {
  afterEach(() => {
    vi.useRealTimers()
  })

  // Before a start that a timer brings, the race lets immediates run. They may be real or fake.
  for (
    const [name, onClock, toFake] of [
      ["with real turns of the event loop", onProcessClock(), timers],
      ["with faked turns of the event loop", onProcessClock(), [...timers, ...immediates]],
      ["asked to sleep", onProcessClock(asked), timers]
    ] as const
  ) {
    // With a least gap the timer that waits for the delay has to give way to an earlier one.
    it.each([0, 7])(`a race is what it is on any other: ${name}, minDelay %i`, async (minDelay) => {
      vi.useFakeTimers({ toFake: [...toFake] })
      let delayed = 0
      for (const [index, timeline] of timelines.entries()) {
        const seen = await replay(timeline, onClock, minDelay)
        const { recorded, ...rest } = await reference(index, minDelay)
        const expected = { recorded: minDelay === 0 ? timeline.expect : recorded, ...rest, left: nothing }
        deepStrictEqual({ index, timeline, seen } as unknown, { index, timeline, seen: expected })
        delayed += seen.attempts?.filter(({ startedBy }) => startedBy === "delay").length ?? 0
      }
      assertTrue(delayed > 100)
    })
  }

  it("a clock that is set back while a timer is kept makes no wait longer", async () => {
    vi.useFakeTimers({ toFake: [...timers] })
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
    vi.useFakeTimers({ toFake: [...timers] })
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
