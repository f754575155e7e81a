/**
 * A race as a picture: its outcome, or the race while it is under way, as text, as SVG, or live in a terminal.
 *
 * A list of start and end times answers every question about a race, and shows none of the answers: that the second
 * attempt was late because the first failed at once, that the winner would have lost to a longer delay, that the
 * race took 300 milliseconds more than it should because a loser was slow to clean up. On one time axis, all of that
 * is seen before it is read.
 *
 * @module
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Option from "effect/Option"
import { hasProperty } from "effect/Predicate"
import type * as Scope from "effect/Scope"
import * as liveView from "./internal/timeline/live.js"
import * as running from "./internal/timeline/running.js"
import * as svg from "./internal/timeline/svg/svg.js"
import * as text from "./internal/timeline/text.js"
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
   * The start that the decision came before, if one was due.
   */
  readonly pending: Option.Option<StaggeredRace.Pending>
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
 * What {@link live} writes to: `process.stdout`, or anything else that takes text.
 *
 * @since 0.2.0
 * @category models
 */
export interface Output {
  /**
   * Takes a text, which may hold ANSI escape sequences where it is a terminal. What it returns is not looked at.
   */
  readonly write: (text: string) => unknown
  /**
   * Whether it is a terminal, in which lines can be written anew.
   */
  readonly isTTY?: boolean | undefined
  /**
   * Columns and rows of the terminal, as of now. Default 80 and 24.
   */
  readonly columns?: number | undefined
  readonly rows?: number | undefined
  /**
   * Whether it has yet to take what was written before: a frame is left out then.
   */
  readonly writableNeedDrain?: boolean | undefined
}

/**
 * How {@link live} draws. Only `output` has to be given.
 *
 * @since 0.2.0
 * @category models
 */
export interface LiveOptions {
  readonly output: Output
  /**
   * Whether to colour pictures. Default: whether the output is a terminal.
   */
  readonly color?: boolean | undefined
  /**
   * What times are told in. Default `"auto"`.
   */
  readonly unit?: Unit | undefined
  /**
   * The most attempts of a race to draw a row for: a whole number of at least 1. Default 12.
   */
  readonly maxRows?: number | undefined
  /**
   * How often what runs is drawn anew: a finite duration of at least 1 millisecond. Default 100 milliseconds.
   */
  readonly every?: Duration.DurationInput | undefined
}

/**
 * What a race that is followed is called.
 *
 * @since 0.2.0
 * @category models
 */
export interface FollowOptions {
  /**
   * Default: `race 1`, `race 2` and so on.
   */
  readonly name?: string | undefined
  /**
   * Names of the candidates, by index.
   */
  readonly labels?: ReadonlyArray<string> | undefined
}

/**
 * A view of the races that it follows.
 *
 * @since 0.2.0
 * @category models
 */
export interface Live {
  /**
   * A handler for the `onEvent` of one race. When that race is run once more, it is another race to the view; runs at
   * the same time need a handler each.
   */
  readonly follow: (
    options?: FollowOptions
  ) => (event: StaggeredRace.RaceEvent<unknown, unknown>) => Effect.Effect<void>
}

/**
 * Draws a race as text: one row per attempt, all on one time axis.
 *
 * **When to use**
 *
 * To see why a race took as long as it did: in a log, in the message of a failing test, in a terminal.
 *
 * **Details**
 *
 * The first line says how the race ended, and why its source failed, if it did. The axis counts milliseconds of the
 * `Clock` from the start of the race (seconds, if it took 10 or more) to the end of the last attempt, or to `now` where
 * the race is under way.
 *
 * A bar begins with what started the attempt: `┣` it was the first, `+` the delay had passed, `!` the newest attempt
 * had failed. It goes on with how the attempt ended:
 *
 * - `█████` won
 * - `━━━━╳` failed, with the message of the first error, or its tag
 * - `━━━━┫` lost: interrupted when the race was decided. `╌╌╌` is the time that it took to clean up
 * - `━━━━┫╌╌o` succeeded late: its value was dropped, and its resources were released
 * - `━━━━→` still runs, and `━━━━┫╌╌→` still cleans up
 *
 * Dots before a bar are the time for which the attempt was due and parked: `·····+━━━━┫`. A row of dots alone is a start
 * that was due and parked when the decision came. What was parked for no more than two milliseconds, as a timer is late, or
 * for less than a hundredth of the picture, is not shown.
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
 * A `width`, a `maxRows` or a `unit` that makes no sense throws an `IllegalArgumentException` with the name of the
 * option.
 *
 * With `losers: "background"` an outcome is known before the losers have ended: their bars stop at the decision. {@link soFar}
 * tells of them from events.
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
 * Draws a race as SVG: one lane per attempt, all on one time axis.
 *
 * **When to use**
 *
 * In a page, a report or a README: the same facts as {@link render} gives, for eyes that are not in a terminal.
 *
 * **Details**
 *
 * The picture is one string that needs nothing from elsewhere: no font, no script, no style sheet. It is readable in
 * light and in dark, and follows what the reader's system prefers unless `theme` says otherwise. From a width of 600
 * pixels on, labels and notes stand beside the lanes, and above them below that.
 *
 * - A thin line comes from the start of the attempt before, where the delay had passed, and an arrow from that attempt's
 *   end, where it had failed.
 * - A bar ends with `✓` where it won, `×` where it failed, a cap where it was interrupted, a ring where it succeeded late,
 *   and an arrow where it goes on. What is hatched is winding down, what is dotted was parked.
 * - The vertical line is the decision, or the moment of a picture that was taken before it.
 *
 * Nothing is said by colour alone. Who cannot see the picture is told its title and a sentence for each lane, and who
 * points at a lane gets that sentence too.
 *
 * The same race gives the same text, character by character. All ids and rules of style begin with the picture's own
 * id, so that many can stand in one page.
 *
 * **Gotchas**
 *
 * Fonts differ: texts are cut to what fits in a wide one. Labels in scripts with very wide characters are cut early.
 *
 * An option that makes no sense throws an `IllegalArgumentException` that names it and the value.
 *
 * **Example** (A picture in a file)
 *
 * @example
 * ```ts
 * import { StaggeredRace, Timeline } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import assert from "node:assert"
 * import { mkdtemp, writeFile } from "node:fs/promises"
 * import { tmpdir } from "node:os"
 * import { join } from "node:path"
 *
 * const outcome = await Effect.runPromise(
 *   StaggeredRace.outcome([Effect.fail("refused"), Effect.delay(Effect.succeed("hello"), "20 millis")], {
 *     delay: "250 millis"
 *   })
 * )
 *
 * const svg = Timeline.toSvg(outcome, { labels: ["ams", "fra"], width: 640 })
 * await writeFile(join(await mkdtemp(join(tmpdir(), "race-")), "race.svg"), svg)
 *
 * assert.ok(svg.startsWith("<svg xmlns="))
 * assert.ok(svg.includes("failed: refused"))
 * ```
 *
 * @see {@link render} for the same as text
 * @since 0.2.0
 * @category rendering
 */
export const toSvg: {
  (options?: SvgOptions): (self: StaggeredRace.Outcome<unknown, unknown, unknown> | Running) => string
  (self: StaggeredRace.Outcome<unknown, unknown, unknown> | Running, options?: SvgOptions): string
} = dual((args) => hasProperty(args[0], "attempts"), svg.toSvg)

/**
 * What there is to draw of a race from the events that its `onEvent` has been told so far, as of `now`.
 *
 * **When to use**
 *
 * To draw a race before it has an outcome, or one that ends without an outcome, as it was interrupted or died; and
 * losers that clean up in the background, of which an outcome does not know.
 *
 * **Details**
 *
 * - `now` is a time of the same `Clock` as that of the events, in milliseconds. It is the right end of the picture,
 *   until the race is decided and all its attempts have ended: from then on, that is the last event.
 * - When all has been told, the picture is that of the outcome.
 *
 * **Gotchas**
 *
 * No event tells when the race began, what the source does after the last event, or how long the children of the winner
 * take to end. The race counts from its first event: its first start, unless candidates come from a stream. Who knows
 * more can say so: what is given is plain data.
 *
 * **Example** (Half way)
 *
 * @example
 * ```ts
 * import { StaggeredRace, Timeline } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Fiber from "effect/Fiber"
 * import * as TestClock from "effect/TestClock"
 * import * as TestContext from "effect/TestContext"
 *
 * const events: Array<StaggeredRace.RaceEvent<unknown, unknown>> = []
 *
 * const program = Effect.gen(function*() {
 *   const fiber = yield* Effect.fork(StaggeredRace.race([
 *     Effect.delay(Effect.fail("refused"), "100 millis"),
 *     Effect.delay(Effect.succeed("hello"), "500 millis")
 *   ], { delay: "250 millis", onEvent: (event) => Effect.sync(() => events.push(event)) }))
 *   yield* TestClock.adjust("300 millis")
 *   console.log(Timeline.render(Timeline.soFar(events, 300), { width: 60 }))
 *   yield* TestClock.adjust("1 second")
 *   yield* Fiber.join(fiber)
 * })
 *
 * Effect.runPromise(Effect.provide(program, TestContext.TestContext))
 * // undecided after 300 ms, 2 attempts, 1 running, 1 failed
 * ```
 *
 * @since 0.2.0
 * @category constructors
 */
export const soFar: (events: ReadonlyArray<StaggeredRace.RaceEvent<unknown, unknown>>, now: number) => Running =
  running.soFar

/**
 * A view of races while they run, fed by their `onEvent`.
 *
 * **When to use**
 *
 * To watch long work in a terminal: downloads from mirrors, a migration over replicas.
 *
 * **Details**
 *
 * Where the output is a terminal, races that run are drawn in place, at their decision and every `every`. A race that is
 * over is drawn once more above them, and stays. The view is never wider or taller than the terminal, whose size is
 * looked at each time: as much of each race is drawn as there is room for, its picture, a shorter one, or a line, and
 * what is still too much is counted.
 *
 * Elsewhere there is a line for each start, failure, win, loss and decision, with the time from the start of the race,
 * and one for how the race ended.
 *
 * When the scope closes, the last state stays, the cursor is as it was before, and nothing is written any more. While
 * no race runs, no timer is pending.
 *
 * **Gotchas**
 *
 * What others write to the same terminal while races run gets mixed up with the view.
 *
 * An output that throws is not written to again, which is logged at debug level. A race is never the worse for its view.
 *
 * An option that makes no sense is a defect: an `IllegalArgumentException` that names it and the value.
 *
 * **Example** (A race in a terminal, or in a log)
 *
 * @example
 * ```ts
 * import { StaggeredRace, Timeline } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const live = yield* Timeline.live({ output: process.stdout })
 *   return yield* StaggeredRace.race([
 *     Effect.delay(Effect.fail("refused"), "20 millis"),
 *     Effect.delay(Effect.succeed("hello"), "60 millis")
 *   ], { delay: "250 millis", onEvent: live.follow({ name: "fetch", labels: ["ams", "fra"] }) })
 * })
 *
 * await Effect.runPromise(Effect.scoped(program))
 * // fetch: 0 ms, ams started
 * // fetch: 20 ms, ams failed: refused
 * // fetch: 20 ms, fra started
 * // fetch: 80 ms, fra won
 * // fetch: winner fra after 80 ms, 2 attempts
 * ```
 *
 * @since 0.2.0
 * @category live
 */
export const live: (options: LiveOptions) => Effect.Effect<Live, never, Scope.Scope> = liveView.live
