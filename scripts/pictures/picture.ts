import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import { type StaggeredRace, Timeline } from "../../src/index.js"

/** A race to draw: its outcome, or how far it has come. */
export interface Picture {
  /** What is to be seen in it, for those who do not see it. */
  readonly title: string
  readonly race: Effect.Effect<StaggeredRace.Outcome<unknown, unknown, unknown> | Timeline.Running>
  readonly labels: ReadonlyArray<string>
}

/** Runs the race in virtual time, so that the picture is the same wherever and whenever it is made. */
export const draw = ({ labels, race, title }: Picture): Promise<string> =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(race)
    yield* TestClock.adjust("1 minute")
    return Timeline.toSvg(yield* Fiber.join(fiber), { labels, title })
  }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)
