import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { type StaggeredRace, Timeline } from "../../src/index.js"

/** A race to draw: its outcome, or a snapshot of it. */
export interface Picture {
  /** The accessible name of the picture: what it shows, in words. */
  readonly title: string
  readonly race: Effect.Effect<StaggeredRace.Outcome<unknown, unknown, unknown> | Timeline.Running>
  readonly labels: ReadonlyArray<string>
}

/** Runs the race in virtual time, so that every run and every machine draws the same picture. */
export const draw = ({ labels, race, title }: Picture): Promise<string> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(race)
    yield* TestClock.adjust("1 minute")
    return Timeline.toSvg(yield* Fiber.join(fiber), { labels, title })
  }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)
