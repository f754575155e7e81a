import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as RuntimeFlagsPatch from "effect/RuntimeFlagsPatch"
import { MixedScheduler } from "effect/Scheduler"
import * as Supervisor from "effect/Supervisor"
import { vi } from "vitest"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { EventClock, runEvents } from "../support/eventClock.js"
import { type Name, racesOf } from "../support/races.js"

// The library takes `setImmediate` as it finds it when it is loaded.
const immediates = vi.hoisted(() => vi.spyOn(globalThis, "setImmediate"))

const races = racesOf(StaggeredRace)

// What a race costs, counted. The figures are exact: whoever changes one says here why.

class Counting extends Supervisor.AbstractSupervisor<void> {
  override readonly value = Effect.void
  fibers = 0
  /** Operations that the fibers executed, the race's and the candidates'. */
  effects = 0
  override onStart() {
    this.fibers++
  }
  override onEffect() {
    this.effects++
  }
}

const supervised = (self: Effect.Effect<unknown, unknown>): Effect.Effect<Counting> =>
  Effect.suspend(() => {
    const counting = new Counting()
    return Effect.exit(self).pipe(
      Effect.withRuntimeFlagsPatch(RuntimeFlagsPatch.enable(RuntimeFlags.OpSupervision)),
      Effect.supervised(counting),
      Effect.as(counting)
    )
  })

const work = (self: Effect.Effect<unknown, unknown>) =>
  Effect.zipWith(supervised(self), supervised(Effect.void), ({ effects, fibers }, none) => ({
    fibers,
    // Without those that it takes to count.
    effects: effects - none.effects
  }))

type Counts = ReadonlyArray<number>

const rowsOf = (counts: Partial<Record<Name, Counts>>) => Object.entries(counts) as Array<[Name, Counts]>

// Effect's scheduler uses a timeout after 2,048 tasks in a row. Without that one, each timer is the race's.
const scheduler = new MixedScheduler(Number.MAX_SAFE_INTEGER)

/** Fibers, timeouts, immediates, effects. Timeouts fire when nothing else is left to do, and move the clock on. */
const onTheProcessClock = (self: Effect.Effect<unknown, unknown>) =>
  Effect.suspend(() => {
    const { setTimeout } = globalThis
    let now = 0
    const date = vi.spyOn(Date, "now").mockImplementation(() => now)
    const timeouts = vi.spyOn(globalThis, "setTimeout").mockImplementation(
      ((callback: () => void, millis: number) => {
        const firesAt = now + millis
        return setTimeout(() => {
          now = Math.max(now, firesAt)
          callback()
        })
      }) as typeof setTimeout
    )
    immediates.mockClear()
    return Effect.map(Effect.withScheduler(work(self), scheduler), ({ effects, fibers }) => {
      const counts = [fibers, timeouts.mock.calls.length, immediates.mock.calls.length, effects]
      date.mockRestore()
      timeouts.mockRestore()
      return counts
    })
  })

/** Fibers, sleeps, most of them at a time, effects. */
const onAnEventClock = (self: Effect.Effect<unknown, unknown>) => {
  const sleep = vi.spyOn(EventClock.prototype, "sleep")
  const { exit, maxSleeps } = runEvents(work(self))
  const { effects, fibers } = Exit.getOrElse(exit, (cause) => {
    throw Cause.squash(cause)
  })
  const counts = [fibers, sleep.mock.calls.length, maxSleeps, effects]
  sleep.mockRestore()
  return counts
}

describe.sequential("what a race costs", () => {
  describe("on the clock of the process: fibers, timeouts, immediates, effects", () => {
    const counts: Record<Name, Counts> = {
      "the first of 3 succeeds without suspending": [1, 0, 0, 17],
      // The timeout is made after the attempt has started, and never fires.
      "the first of 3 answers at once": [1, 1, 0, 23],
      "the only one does": [1, 0, 0, 23],
      "the first of 1,000 does": [1, 1, 0, 23],
      "an outcome": [1, 1, 0, 23],
      // A fiber for each event: the start, the win, the decision.
      "an event handler": [4, 1, 0, 47],
      // A fiber for each step of the schedule.
      "a schedule": [2, 1, 0, 35],
      // A fiber that pulls.
      "a stream": [2, 1, 0, 329],
      // 37 of the effects are those of `Effect.scoped`.
      "in a scope": [1, 1, 0, 60],
      "in a scope, and it acquires": [1, 1, 0, 129],
      // What is counted is counted on the spot, without a fiber.
      "with a name": [1, 1, 0, 32],
      // A fiber that makes a span, for each of the two.
      "with a tracer": [3, 1, 0, 65],
      "2 at once": [2, 0, 0, 18 + 8 * 2],
      "10 at once": [10, 0, 0, 18 + 8 * 10],
      "100 at once": [100, 0, 0, 18 + 8 * 100],
      "1,000 at once": [1000, 0, 0, 18 + 8 * 1000],
      "2 in turn, no delay": [2, 0, 0, 11 + 12 * 2],
      "10 in turn, no delay": [10, 0, 0, 11 + 12 * 10],
      "100 in turn, no delay": [100, 0, 0, 11 + 12 * 100],
      "1,000 in turn, no delay": [1000, 0, 0, 11 + 12 * 1000],
      // One timeout for all of them: each start needs one that fires at the same instant.
      "10 in turn, under a delay": [10, 1, 0, 14 + 12 * 10],
      "100 in turn, under a delay": [100, 1, 0, 14 + 12 * 100],
      "1,000 in turn, under a delay": [1000, 1, 0, 14 + 12 * 1000],
      // When the timeout fires, the event loop speaks before the start. After the last start there is no timeout.
      "the delay starts the second": [2, 1, 1, 34],
      "the delay starts the second to the fifth": [5, 4, 4, 67]
    }
    it.live.each(rowsOf(counts))(
      "%s",
      ([name, expected]) => Effect.map(onTheProcessClock(races[name]), (actual) => deepStrictEqual(actual, expected))
    )
  })

  describe("on a clock that is asked to sleep: fibers, sleeps, the most at a time, effects", () => {
    // Each timer is a fiber, made before the attempt that it follows. It sleeps a second time, for no time, when it fires.
    const counts: Partial<Record<Name, Counts>> = {
      "the first of 3 succeeds without suspending": [2, 1, 1, 40],
      "the first of 3 answers at once": [2, 1, 1, 43],
      "the only one does": [1, 0, 0, 23],
      "an outcome": [2, 1, 1, 43],
      "a schedule": [3, 1, 1, 55],
      "a stream": [3, 1, 1, 349],
      "in a scope": [2, 1, 1, 80],
      "1,000 at once": [1000, 0, 0, 18 + 8 * 1000],
      "1,000 in turn, no delay": [1000, 0, 0, 11 + 12 * 1000],
      "10 in turn, under a delay": [11, 1, 1, 34 + 12 * 10],
      "1,000 in turn, under a delay": [1001, 1, 1, 34 + 12 * 1000],
      "the delay starts the second": [3, 2, 1, 65],
      "the delay starts the second to the fifth": [9, 8, 1, 191]
    }
    it.each(rowsOf(counts))("%s", (name, expected) => deepStrictEqual(onAnEventClock(races[name]), expected))
  })
})
