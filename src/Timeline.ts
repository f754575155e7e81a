/**
 * The outcome of a race as a picture.
 *
 * A list of start and end times answers every question about a race, and shows none of the answers: that the second
 * attempt was late because the first failed at once, that the winner would have lost to a longer delay, that the
 * race took 300 milliseconds more than it should because a loser was slow to clean up. On one time axis, all of that
 * is seen before it is read.
 *
 * @since 0.1.0
 */
import { dual } from "effect/Function"
import { hasProperty } from "effect/Predicate"
import * as internal from "./internal/timeline.js"
import type { Outcome } from "./StaggeredRace.js"

/**
 * How {@link render} draws. Everything has a default.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The most columns that a line may take: a whole number of at least 40. Default 80.
   */
  readonly width?: number | undefined
  /**
   * Names of the candidates, by index, such as the addresses that were tried. A candidate without one is called by
   * its index: `#0`, `#1` and so on.
   */
  readonly labels?: ReadonlyArray<string> | undefined
  /**
   * Whether to colour the text, with ANSI escape sequences. They take no columns. Default `false`.
   */
  readonly color?: boolean | undefined
  /**
   * The most attempts to draw a row for: a whole number of at least 1. Default 40.
   */
  readonly maxRows?: number | undefined
}

/**
 * Draws an outcome as text: one row per attempt, all on one time axis.
 *
 * **When to use**
 *
 * To see why a race took as long as it did: in a log, in the message of a failing test, in a terminal.
 *
 * **Details**
 *
 * The first line says how the race ended, and a second one why its source failed, if it did. The axis counts
 * milliseconds of the `Clock` from the start of the race (seconds, where the race took 10 of them or more), as far as
 * the end of the last attempt.
 *
 * A bar begins with a mark for what started the attempt: `┣` it was the first, `+` the delay had passed, `!` the
 * attempt before it had failed. Then it tells how the attempt ended:
 *
 * - `█████` won
 * - `━━━━╳` failed; the text to the right is the message of the first error, or its tag
 * - `━━━━┫` lost: interrupted when the race was decided; `╌╌╌` is the time that it took to clean up
 * - `━━━━┫╌╌o` succeeded late: it did not heed the interruption, and its value was dropped
 *
 * `┊` is the moment of the decision. Where an attempt is too short for its bar, its two marks are drawn side by side.
 *
 * Of more attempts than `maxRows`, those in the middle are left out, and counted in a line of their own. The attempt
 * that decided the race always has its row, and the axis is that of the whole race.
 *
 * Labels and messages are cut to fit, with `…`. Control characters in them become `?` and line breaks spaces, so text
 * from elsewhere can neither break the picture nor command the terminal.
 *
 * **Gotchas**
 *
 * A `width` or a `maxRows` that makes no sense throws an `IllegalArgumentException`.
 *
 * With `losers: "background"` the outcome is known before the losers have ended: their bars end at the decision.
 *
 * **Example** (A mirror that is down, one that is slow, and one that answers)
 *
 * @example
 * ```ts
 * import { StaggeredRace, Timeline } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Fiber from "effect/Fiber"
 * import * as TestClock from "effect/TestClock"
 * import * as TestContext from "effect/TestContext"
 *
 * const mirrors = [
 *   Effect.delay(Effect.fail("connection refused"), "150 millis"),
 *   Effect.onInterrupt(Effect.delay(Effect.succeed("slow"), "2 seconds"), () => Effect.sleep("100 millis")),
 *   Effect.delay(Effect.succeed("quick"), "300 millis")
 * ]
 *
 * const program = Effect.gen(function*() {
 *   const fiber = yield* Effect.fork(StaggeredRace.outcome(mirrors, { delay: "250 millis" }))
 *   yield* TestClock.adjust("2 seconds")
 *   const outcome = yield* Fiber.join(fiber)
 *   console.log(Timeline.render(outcome, { labels: ["ams", "fra", "lon"], width: 72 }))
 * })
 *
 * Effect.runPromise(Effect.provide(program, TestContext.TestContext))
 * ```
 *
 * @since 0.1.0
 * @category rendering
 */
export const render: {
  (options?: Options): <A, E, E2>(outcome: Outcome<A, E, E2>) => string
  <A, E, E2>(outcome: Outcome<A, E, E2>, options?: Options): string
} = dual((args) => hasProperty(args[0], "attempts"), internal.render)
