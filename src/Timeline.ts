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
import type * as Cause from "effect/Cause"
import { dual } from "effect/Function"
import type * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import * as running from "./internal/timelineRunning.js"
import * as svg from "./internal/timelineSvg.js"
import * as text from "./internal/timelineText.js"
import type * as StaggeredRace from "./StaggeredRace.js"

/**
 * What the times of a picture are told in: `"auto"` is milliseconds, and seconds from 10 of them.
 *
 * @since 0.2.0
 * @category models
 */
export type Unit = "auto" | "millis" | "seconds"

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
   * What times are told in. Default `"auto"`.
   */
  readonly unit?: Unit | undefined
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
 * How {@link toSvg} draws. Everything has a default.
 *
 * @since 0.2.0
 * @category models
 */
export interface SvgOptions {
  /**
   * How wide the picture is, in pixels: a whole number of at least 320. Default 720. It is as high as it has to be.
   */
  readonly width?: number | undefined
  /**
   * Names of the candidates, by index. A candidate without one is called by its index: `#0`, `#1` and so on.
   */
  readonly labels?: ReadonlyArray<string> | undefined
  /**
   * What times are told in. Default `"auto"`.
   */
  readonly unit?: Unit | undefined
  /**
   * The most attempts to draw a lane for: a whole number of at least 1. Default 40.
   */
  readonly maxRows?: number | undefined
  /**
   * How many milliseconds the axis shows at least, where it would end with the race: for pictures on one scale, and
   * for a race under way, whose bars then grow along an axis that stays. Not negative and finite; default zero.
   */
  readonly until?: number | undefined
  /**
   * The accessible name of the picture, which is not drawn. Default: its headline.
   */
  readonly title?: string | undefined
  /**
   * What the picture's ids begin with: a letter, then letters, digits, `-` and `_`. Default: a hash of the picture, so
   * that several of them can stand in one page.
   */
  readonly id?: string | undefined
  /**
   * Whether it is light or dark, or, by default, what the reader's system prefers.
   */
  readonly theme?: "auto" | "light" | "dark" | undefined
}

/**
 * A race as far as its events tell, by {@link soFar}: what is drawn of a race that is under way, or that ended without
 * an outcome.
 *
 * @since 0.2.0
 * @category models
 */
export interface Running {
  /**
   * Every candidate that was started, in candidate order.
   */
  readonly attempts: ReadonlyArray<RunningAttempt>
  /**
   * Why the source gave no more candidates, if it threw or failed.
   */
  readonly sourceFailure: Option.Option<Cause.Cause<unknown>>
  /**
   * When the race began, in milliseconds of the `Clock`.
   */
  readonly startedAt: number
  /**
   * When the picture was taken: its right end.
   */
  readonly now: number
  /**
   * When the race was decided and by what, if it is.
   */
  readonly decided: Option.Option<{ readonly at: number; readonly by: StaggeredRace.DecidedBy }>
  /**
   * The start that the decision came before. No event tells of it, so {@link soFar} leaves it empty.
   */
  readonly denied: Option.Option<{ readonly dueAt: number }>
}

/**
 * An attempt of a race that is under way.
 *
 * @since 0.2.0
 * @category models
 */
export interface RunningAttempt
  extends Pick<StaggeredRace.Attempt<unknown, unknown>, "index" | "dueAt" | "startedAt" | "startedBy">
{
  /**
   * How and when it ended, if it has. A success has an empty cause.
   */
  readonly ended: Option.Option<{
    readonly at: number
    readonly result: StaggeredRace.Attempt<unknown, unknown>["result"]
    readonly cause: Cause.Cause<unknown>
  }>
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
 * The first line says how the race ended, and why its source failed, if it did. The axis counts milliseconds of the
 * `Clock` from the start of the race (seconds, if it took 10 or more) to the end of the last attempt.
 *
 * A bar begins with what started the attempt: `┣` it was the first, `+` the delay had passed, `!` the newest attempt
 * had failed. It goes on with how the attempt ended:
 *
 * - `█████` won
 * - `━━━━╳` failed, with the message of the first error, or its tag
 * - `━━━━┫` lost: interrupted when the race was decided. `╌╌╌` is the time that it took to clean up
 * - `━━━━┫╌╌o` succeeded late: its value was dropped, and its resources were released
 *
 * `┊` is the moment of the decision. A bar has two cells at least, so that an attempt that took no time shows both its
 * marks.
 *
 * Of more attempts than `maxRows`, those in the middle are counted and not drawn. The winner always has its row, and
 * so has an attempt whose failure was fatal. The axis is that of the whole race.
 *
 * Labels and messages are cut where they do not fit, which `…` shows. Their line breaks become spaces and their other
 * control characters `?`: text from elsewhere cannot break the picture, nor give the terminal commands.
 *
 * With `color`, the winner is green, failures are red, late successes yellow, and losers faint. The picture says
 * nothing by colour alone.
 *
 * **Gotchas**
 *
 * A `width` or a `maxRows` that makes no sense throws an `IllegalArgumentException` with the name of the option.
 *
 * With `losers: "background"` an outcome is known before the losers have ended: their bars stop at the decision.
 *
 * **Example** (One mirror refuses, one is slow, one answers)
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
 *   Effect.onInterrupt(Effect.never, () => Effect.sleep("100 millis")),
 *   Effect.delay(Effect.succeed("hello"), "300 millis")
 * ]
 *
 * const program = Effect.gen(function*() {
 *   const fiber = yield* Effect.fork(StaggeredRace.outcome(mirrors, { delay: "250 millis" }))
 *   yield* TestClock.adjust("1 second")
 *   const outcome = yield* Fiber.join(fiber)
 *   console.log(Timeline.render(outcome, { labels: ["ams", "fra", "lon"] }))
 * })
 *
 * Effect.runPromise(Effect.provide(program, TestContext.TestContext))
 * // winner lon after 700 ms, 3 attempts, all ended after 800 ms
 * //     0 ms       200        400         600        800
 * //     └───────────┴──────────┴───────────┴────┬─────┘
 * // ams ┣━━━━━━━━╳                              ┊         failed: connection refused
 * // fra          !━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫╌╌╌╌╌╌   lost, clean-up 100 ms
 * // lon                        +█████████████████         won
 * // ┣ first  + after the delay  ! after a failure  ┊ decided  ╌ winding down
 * ```
 *
 * @since 0.1.0
 * @category rendering
 */
export const render: {
  (options?: Options): (self: StaggeredRace.Outcome<unknown, unknown, unknown> | Running) => string
  (self: StaggeredRace.Outcome<unknown, unknown, unknown> | Running, options?: Options): string
} = dual((args) => hasProperty(args[0], "attempts"), text.render)

/**
 * @since 0.2.0
 * @category rendering
 */
export const toSvg: {
  (options?: SvgOptions): (self: StaggeredRace.Outcome<unknown, unknown, unknown> | Running) => string
  (self: StaggeredRace.Outcome<unknown, unknown, unknown> | Running, options?: SvgOptions): string
} = dual((args) => hasProperty(args[0], "attempts"), svg.toSvg)

/**
 * @since 0.2.0
 * @category constructors
 */
export const soFar: (events: ReadonlyArray<StaggeredRace.RaceEvent<unknown, unknown>>, now: number) => Running =
  running.soFar
