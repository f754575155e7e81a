import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as RuntimeFlagsPatch from "effect/RuntimeFlagsPatch"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Supervisor from "effect/Supervisor"
import { vi } from "vitest"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { Recorder } from "../support/spans.js"

// What a race costs, counted. The figures are exact: who changes one knows why, and says so here.

interface Counts {
  readonly fibers: number
  readonly sleeps: number
  /** What the fibers have executed: operations of Effect's, of the candidates' as of the race's. */
  readonly effects: number
}

class Counting extends Supervisor.AbstractSupervisor<void> {
  override readonly value = Effect.void
  fibers = 0
  effects = 0
  override onStart() {
    this.fibers++
  }
  override onEffect() {
    this.effects++
  }
}

const counted = (self: Effect.Effect<unknown, unknown>): Effect.Effect<Counts> =>
  Effect.gen(function*() {
    const supervisor = new Counting()
    let sleeps = 0
    const clock = yield* Effect.clock
    const counting: Clock.Clock = {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: () => 0,
      unsafeCurrentTimeNanos: () => 0n,
      currentTimeMillis: Effect.succeed(0),
      currentTimeNanos: Effect.succeed(0n),
      sleep: (duration) =>
        Effect.suspend(() => {
          sleeps++
          return clock.sleep(duration)
        })
    }
    yield* Effect.exit(self).pipe(
      Effect.withClock(counting),
      Effect.withRuntimeFlagsPatch(RuntimeFlagsPatch.enable(RuntimeFlags.OpSupervision)),
      Effect.supervised(supervisor)
    )
    return { fibers: supervisor.fibers, sleeps, effects: supervisor.effects }
  })

/** Without what it takes to count. */
const count = (self: Effect.Effect<unknown, unknown>): Effect.Effect<Counts> =>
  Effect.zipWith(counted(self), counted(Effect.void), (all, none) => ({ ...all, effects: all.effects - none.effects }))

const sync: Effect.Effect<number, string> = Effect.succeed(1)
const atOnce: Effect.Effect<number, string> = Effect.as(Effect.yieldNow(), 1)
const failing: Effect.Effect<number, string> = Effect.zipRight(Effect.yieldNow(), Effect.fail("no"))
const hanging = Effect.async<number, string>((_resume) => {})
const acquiring = Effect.acquireRelease(atOnce, () => Effect.void)

const firstOf = (size: number, first: Effect.Effect<number, string>) => [
  first,
  ...Array<typeof hanging>(size - 1).fill(hanging)
]
const lastOf = (size: number, others: Effect.Effect<number, string>) => [
  ...Array<typeof others>(size - 1).fill(others),
  atOnce
]

const { outcome, race, raceStream } = StaggeredRace
const delay = 250

const sizes = [2, 10, 100, 1000]

const rows: ReadonlyArray<readonly [name: string, self: Effect.Effect<unknown, unknown>, Counts]> = [
  ["the first of 3 succeeds without suspending", race(firstOf(3, sync), { delay }), {
    fibers: 1,
    sleeps: 0,
    effects: 19
  }],
  ["the first of 3 answers at once", race(firstOf(3, atOnce), { delay }), { fibers: 1, sleeps: 0, effects: 26 }],
  ["the first of 1,000 does", race(firstOf(1000, atOnce), { delay }), { fibers: 1, sleeps: 0, effects: 26 }],
  ["an outcome", outcome(firstOf(3, atOnce), { delay }), { fibers: 1, sleeps: 0, effects: 26 }],
  // A fiber for each step of the schedule.
  ["a schedule", race(firstOf(3, atOnce), { delay: Schedule.spaced(delay) }), { fibers: 2, sleeps: 0, effects: 36 }],
  // One that pulls and one that closes.
  ["a stream", raceStream(Stream.fromIterable(firstOf(3, atOnce)), { delay }), { fibers: 3, sleeps: 0, effects: 322 }],
  // 37 of the effects are those of `Effect.scoped`.
  ["in a scope", Effect.scoped(race(firstOf(3, atOnce), { delay })), { fibers: 1, sleeps: 0, effects: 63 }],
  ["that acquires", Effect.scoped(race([acquiring, acquiring], { delay })), { fibers: 1, sleeps: 0, effects: 131 }],
  ["with a name: what is counted is counted on the spot", race(firstOf(3, atOnce), { delay, name: "counted" }), {
    fibers: 1,
    sleeps: 0,
    effects: 35
  }],
  // A fiber that makes a span, for each of the two.
  ["with a tracer", Effect.withTracer(race(firstOf(3, atOnce), { delay }), new Recorder().tracer), {
    fibers: 3,
    sleeps: 0,
    effects: 68
  }],
  ...sizes.map((size) =>
    [`${size} at once`, race(lastOf(size, hanging), { delay: 0 }), {
      fibers: size,
      sleeps: 0,
      effects: 17 + 8 * size
    }] as const
  ),
  ...sizes.map((size) =>
    [`${size} fail in turn, no delay`, race(lastOf(size, failing), { delay: Infinity }), {
      fibers: size,
      sleeps: 0,
      effects: 13 + 12 * size
    }] as const
  ),
  // One timer, and on a clock that is asked to sleep a fiber for it, whatever the number of starts.
  ...sizes.slice(1).map((size) =>
    [`${size} fail in turn, under a delay`, race(lastOf(size, failing), { delay }), {
      fibers: size + 1,
      sleeps: 1,
      effects: 33 + 12 * size
    }] as const
  )
]

describe.sequential("what a race costs", () => {
  it.live.each(rows)(
    "%s",
    ([, self, expected]) => Effect.map(count(self), (counts) => deepStrictEqual(counts, expected))
  )

  it.live("on the clock of the process: a timeout if the first does not answer at once, and no fiber for it", () =>
    Effect.gen(function*() {
      const timeouts = vi.spyOn(globalThis, "setTimeout")
      const made = (self: Effect.Effect<unknown, unknown>) =>
        Effect.gen(function*() {
          const supervisor = new Counting()
          timeouts.mockClear()
          yield* Effect.supervised(Effect.exit(self), supervisor)
          return [supervisor.fibers, timeouts.mock.calls.filter(([, millis = 0]) => millis > delay / 2).length]
        })
      const later = Effect.zipRight(Effect.promise(() => new Promise((resolve) => setImmediate(resolve))), sync)
      deepStrictEqual(
        yield* Effect.all([
          made(race(firstOf(3, sync), { delay })),
          made(race(firstOf(3, atOnce), { delay })),
          made(race(lastOf(10, hanging), { delay: 0 })),
          made(race(lastOf(10, failing), { delay })),
          made(race(firstOf(3, later), { delay }))
        ]),
        [[1, 0], [1, 0], [10, 0], [10, 1], [1, 1]]
      )
    }).pipe(Effect.ensuring(Effect.sync(() => vi.restoreAllMocks()))))
})
