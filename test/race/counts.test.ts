import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as RuntimeFlagsPatch from "effect/RuntimeFlagsPatch"
import { MixedScheduler } from "effect/Scheduler"
import * as Supervisor from "effect/Supervisor"
import { vi } from "vitest"
import { type Name, races } from "../support/races.js"

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

// Effect's scheduler uses a timeout after 2,048 tasks in a row. Without that one, each timer is the race's.
const scheduler = new MixedScheduler(Number.MAX_SAFE_INTEGER)

const supervised = (self: Effect.Effect<unknown, unknown>): Effect.Effect<Counting> =>
  Effect.suspend(() => {
    const counting = new Counting()
    return Effect.exit(self).pipe(
      Effect.withRuntimeFlagsPatch(RuntimeFlagsPatch.enable(RuntimeFlags.OpSupervision)),
      Effect.supervised(counting),
      Effect.as(counting)
    )
  }).pipe(Effect.withScheduler(scheduler))

const work = (self: Effect.Effect<unknown, unknown>) =>
  Effect.zipWith(supervised(self), supervised(Effect.void), ({ effects, fibers }, none) => ({
    fibers,
    // Without those that it takes to count.
    effects: effects - none.effects
  }))

type Rows = ReadonlyArray<readonly [name: Name, counts: ReadonlyArray<number>]>

/** Fibers, timeouts, immediates, effects. */
const onTheProcessClock = (self: Effect.Effect<unknown, unknown>) =>
  Effect.suspend(() => {
    const timeouts = vi.spyOn(globalThis, "setTimeout")
    const immediates = vi.spyOn(globalThis, "setImmediate")
    return Effect.map(work(self), ({ effects, fibers }) => [
      fibers,
      timeouts.mock.calls.length,
      immediates.mock.calls.length,
      effects
    ])
  }).pipe(Effect.ensuring(Effect.sync(() => vi.restoreAllMocks())))

/** A clock that moves on when nothing else is left to do, to what its only sleeper waits for. */
class Sleeping implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  now = 0
  sleeps = 0
  pending = 0
  mostPending = 0

  unsafeCurrentTimeMillis() {
    return this.now
  }
  unsafeCurrentTimeNanos() {
    return BigInt(this.now) * 1_000_000n
  }
  readonly currentTimeMillis = Effect.sync(() => this.unsafeCurrentTimeMillis())
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())

  sleep(duration: Duration.Duration) {
    return Effect.async<void>((resume) => {
      const wakesAt = this.now + Duration.toMillis(duration)
      this.sleeps++
      this.mostPending = Math.max(this.mostPending, ++this.pending)
      const idle = setTimeout(() => {
        this.pending--
        this.now = Math.max(this.now, wakesAt)
        resume(Effect.void)
      }, 0)
      return Effect.sync(() => {
        this.pending--
        clearTimeout(idle)
      })
    })
  }
}

/** Fibers, sleeps, most of them at a time, effects. */
const onASleepingClock = (self: Effect.Effect<unknown, unknown>) =>
  Effect.suspend(() => {
    const clock = new Sleeping()
    return Effect.map(Effect.withClock(work(self), clock), ({ effects, fibers }) => [
      fibers,
      clock.sleeps,
      clock.mostPending,
      effects
    ])
  })

describe.sequential("what a race costs", () => {
  describe("on the clock of the process: fibers, timeouts, immediates, effects", () => {
    const rows: Rows = (Object.keys(races) as Array<Name>).map((name) => [name, []] as const)
    it.live.each(rows)(
      "%s",
      ([name]) => Effect.map(onTheProcessClock(races[name]), (counts) => console.log("P", name, counts))
    )
    it.live.each(rows)(
      "%s",
      ([name]) => Effect.map(onASleepingClock(races[name]), (counts) => console.log("S", name, counts))
    )
  })
})
