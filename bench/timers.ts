import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import type { Library } from "./support/library.js"
import { median } from "./support/measure.js"
import type { Figure } from "./support/report.js"

const delay = 10

const now = Effect.sync(() => Number(process.hrtime.bigint()) / 1e6)

/** How much later than the delay the second attempt starts, in milliseconds. */
const latenessOfStart = ({ StaggeredRace }: Library) =>
  Effect.gen(function*() {
    let first = NaN
    const hangs = Effect.zipRight(Effect.map(now, (at) => first = at), Effect.async<number>((_resume) => {}))
    const second = yield* StaggeredRace.race([hangs, now], { delay })
    return second - first - delay
  })

const latenessOfTimeout = Effect.gen(function*() {
  const armed = yield* now
  yield* Effect.async<void>((resume) => void setTimeout(() => resume(Effect.void), delay))
  return (yield* now) - armed - delay
})

const lateness = (library: Library, rounds: number): Effect.Effect<Figure> =>
  Effect.gen(function*() {
    const starts: Array<number> = []
    const timeouts: Array<number> = []
    for (let round = 0; round < rounds; round++) {
      timeouts.push(yield* latenessOfTimeout)
      starts.push(yield* Effect.orDie(latenessOfStart(library)))
    }
    return {
      name: `a start that a delay of ${delay} ms brings is late by`,
      value: round(median(starts)),
      unit: "ms",
      against: `setTimeout alone: ${round(median(timeouts))} ms`,
      goal: 0.3
    }
  })

const round = (value: number) => Math.round(value * 100) / 100

/** `TestClock` keeps interrupted sleeps and takes 5 ms to wake each. With 3,000 timers, that would take 15 s. */
const adjustment = ({ StaggeredRace }: Library): Effect.Effect<Figure> =>
  Effect.gen(function*() {
    const count = 3000
    const failing = Effect.zipRight(Effect.yieldNow(), Effect.fail("no"))
    const race = StaggeredRace.race(Array<typeof failing>(count).fill(failing), { delay: 250 })
    const start = yield* now
    yield* Effect.provide(
      Effect.gen(function*() {
        const fiber = yield* Effect.fork(Effect.exit(race))
        yield* TestClock.adjust("1 hour")
        yield* Fiber.join(fiber)
      }),
      TestContext.TestContext
    )
    return {
      name: `${count} fail in turn, under one TestClock.adjust`,
      value: round(((yield* now) - start) / 1000),
      unit: "s",
      against: "with a timer for each: 15 s",
      goal: 1
    }
  })

/** The figures by the wall clock. On a busy machine, they mostly show the other work. */
export const timers = (library: Library, quick: boolean): Effect.Effect<ReadonlyArray<Figure>> =>
  Effect.all([lateness(library, quick ? 50 : 200), adjustment(library)])
