/**
 * Draws a race on one time axis: as text, as SVG, or live in a terminal.
 *
 * ```text
 * winner lon after 700 ms, 3 attempts, all ended after 800 ms
 *     0 ms       200        400         600        800
 *     └───────────┴──────────┴───────────┴────┬─────┘
 * ams ┣━━━━━━━━╳                              ┊         failed: connection refused
 * fra          !━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫╌╌╌╌╌╌   lost, clean-up 100 ms
 * lon                        +█████████████████         won
 * ┣ first  + after the delay  ! after a failure  ┊ decided  ╌ winding down
 * ```
 *
 * A picture shows at once what a list of times hides. Here, the second attempt started early because the first failed.
 * The race took 100 milliseconds longer because a loser was slow to clean up.
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
 * The unit of the times in a picture. `"auto"` shows milliseconds below 10 seconds, and seconds from there on.
 *
 * @since 0.1.0
 * @category models
 */
export type Unit = "auto" | "millis" | "seconds"

/**
 * Options of {@link render}. All are optional.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * The greatest width of a line, in columns: a whole number of at least 40. Default 80.
   */
  readonly width?: number | undefined
  /**
   * Names of the candidates, by index, such as their addresses. Default `#0`, `#1` and so on.
   */
  readonly labels?: ReadonlyArray<string> | undefined
  /**
   * The unit of the times. Default `"auto"`.
   */
  readonly unit?: Unit | undefined
  /**
   * Whether to colour the text with ANSI escape sequences, which take no columns. Default `false`.
   */
  readonly color?: boolean | undefined
  /**
   * The greatest number of attempts that get a row: a whole number of at least 1. Default 40.
   */
  readonly maxRows?: number | undefined
}

/**
 * Options of {@link toSvg}. All are optional.
 *
 * @since 0.1.0
 * @category models
 */
export interface SvgOptions {
  /**
   * The width of the picture in pixels: a whole number of at least 320. The height follows from the content. Default
   * 720.
   */
  readonly width?: number | undefined
  /**
   * Names of the candidates, by index. Default `#0`, `#1` and so on.
   */
  readonly labels?: ReadonlyArray<string> | undefined
  /**
   * The unit of the times. Default `"auto"`.
   */
  readonly unit?: Unit | undefined
  /**
   * The greatest number of attempts that get a lane: a whole number of at least 1. Default 40.
   */
  readonly maxRows?: number | undefined
  /**
   * The least length of the axis, in milliseconds: finite and not negative. Set it to draw several races on one scale,
   * or a running race whose bars grow along a fixed axis. Default 0: the axis ends with the race.
   */
  readonly until?: number | undefined
  /**
   * The accessible name of the picture. It is not drawn. Default the headline.
   */
  readonly title?: string | undefined
  /**
   * The prefix of all ids in the picture: a letter, then letters, digits, `-` and `_`. Default a hash of the picture,
   * so that one page can hold several pictures.
   */
  readonly id?: string | undefined
  /**
   * The colours. `"auto"` follows the reader's system. Default `"auto"`.
   */
  readonly theme?: "auto" | "light" | "dark" | undefined
}

/**
 * A snapshot of a race, made by {@link soFar}. The race may still run, or have ended without an outcome.
 *
 * @since 0.1.0
 * @category models
 */
export interface Running {
  /**
   * Every candidate that was started, in candidate order.
   */
  readonly attempts: ReadonlyArray<RunningAttempt>
  /**
   * What the iterable threw or the stream failed with, if it did.
   */
  readonly sourceFailure: Option.Option<Cause.Cause<unknown>>
  /**
   * When the race began, in milliseconds of the `Clock`.
   */
  readonly startedAt: number
  /**
   * The time of the snapshot, and the right end of the picture. In milliseconds of the `Clock`.
   */
  readonly now: number
  /**
   * When and how the race was decided, if it was.
   */
  readonly decided: Option.Option<{ readonly at: number; readonly by: StaggeredRace.DecidedBy }>
  /**
   * The start that was due but still held back at the decision, if there was one.
   */
  readonly pending: Option.Option<StaggeredRace.Pending>
}

/**
 * An attempt of a {@link Running} race.
 *
 * @since 0.1.0
 * @category models
 */
export interface RunningAttempt
  extends Pick<StaggeredRace.Attempt<unknown, unknown>, "index" | "dueAt" | "heldBackBy" | "startedAt" | "startedBy">
{
  /**
   * How and when the attempt ended, if it has. The cause of a success is empty.
   */
  readonly ended: Option.Option<{
    readonly at: number
    readonly result: StaggeredRace.Attempt<unknown, unknown>["result"]
    readonly cause: Cause.Cause<unknown>
  }>
}

/**
 * Where {@link live} writes: `process.stdout`, or any other object that takes text.
 *
 * @since 0.1.0
 * @category models
 */
export interface Output {
  /**
   * Writes text. On a terminal, the text holds ANSI escape sequences. The view ignores the result.
   */
  readonly write: (text: string) => unknown
  /**
   * Whether the output is a terminal, so that the view can rewrite lines. Default `false`.
   */
  readonly isTTY?: boolean | undefined
  /**
   * The current width of the terminal, in columns. Default 80.
   */
  readonly columns?: number | undefined
  /**
   * The current height of the terminal, in rows. Default 24.
   */
  readonly rows?: number | undefined
  /**
   * Whether earlier text still waits to be written. The view then skips a frame. Default `false`.
   */
  readonly writableNeedDrain?: boolean | undefined
}

/**
 * Options of {@link live}. Only `output` is required.
 *
 * @since 0.1.0
 * @category models
 */
export interface LiveOptions {
  /**
   * Where the view writes, such as `process.stdout`.
   */
  readonly output: Output
  /**
   * Whether to colour the pictures. Default `true` if the output is a terminal, else `false`.
   */
  readonly color?: boolean | undefined
  /**
   * The unit of the times. Default `"auto"`.
   */
  readonly unit?: Unit | undefined
  /**
   * The greatest number of attempts of a race that get a row: a whole number of at least 1. Default 12.
   */
  readonly maxRows?: number | undefined
  /**
   * The time between two frames while a race runs: a finite duration of at least 1 millisecond. Default 100
   * milliseconds.
   */
  readonly every?: Duration.DurationInput | undefined
}

/**
 * Options of `follow` in a {@link Live} view: the names to show. All are optional.
 *
 * @since 0.1.0
 * @category models
 */
export interface FollowOptions {
  /**
   * The name of the race. Default `race 1`, `race 2` and so on.
   */
  readonly name?: string | undefined
  /**
   * Names of the candidates, by index. Default `#0`, `#1` and so on.
   */
  readonly labels?: ReadonlyArray<string> | undefined
}

/**
 * A view of running races, made by {@link live}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Live {
  /**
   * Returns a handler for the `onEvent` of one race. When that race runs again, the view shows a new race. Runs that
   * overlap need one handler each.
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
 * Use it to see why a race took so long: in a log, in a terminal, or in the message of a failing test.
 *
 * **Details**
 *
 * The first line says how the race ended, and why its source failed, if it did. The axis shows the time of the `Clock`
 * since the start of the race, in milliseconds or seconds. It ends when the last attempt ended, or at `now` while the
 * race runs.
 *
 * The first mark of a bar shows what started the attempt:
 *
 * - `┣` the first attempt
 * - `+` the delay had passed
 * - `!` the newest attempt had failed
 *
 * The rest of the bar shows how the attempt ended:
 *
 * - `█████` won
 * - `━━━━╳` failed, with the message of the first error, or its tag
 * - `━━━━┫╌╌╌` lost: the race interrupted it at the decision; `╌╌╌` is its clean-up
 * - `━━━━┫╌╌o` succeeded late: its value was dropped, and its resources were released
 * - `━━━━→` still runs; `━━━━┫╌╌→` still cleans up
 *
 * `┊` is the decision. Even an attempt that took no time has a bar of two cells, one for each of its marks.
 *
 * Dots before a bar show how long a start was due but held back: `·····+━━━━┫`. A row with only dots is a start that
 * was still held back at the decision. The note says for how long, and what held it back:
 *
 * - `no place`: as many attempts were running as `concurrency` allows
 * - `no candidate`: the stream had none ready
 * - `minDelay` or `progress`: that option
 *
 * A start that is late because the process was busy has no dots.
 *
 * If there are more attempts than `maxRows`, the picture only counts those in the middle. The attempt that decided the
 * race, by its win or by a fatal failure, always has a row. The axis still covers the whole race.
 *
 * Labels and messages that do not fit end in `…`. Line breaks become spaces, and other control characters become `?`.
 * So foreign text can neither break the picture nor control the terminal.
 *
 * With `color`, the winner is green, failures are red, late successes are yellow, and losers are faint. Colour never
 * carries information alone.
 *
 * **Gotchas**
 *
 * An invalid option throws an `IllegalArgumentException` with its name and value.
 *
 * With `losers: "background"`, the outcome is ready before the losers have ended. Their bars stop at the decision. To
 * draw their clean-up too, use {@link soFar}.
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
 * Use it in a page, a report or a README. It shows the same facts as {@link render}.
 *
 * **Details**
 *
 * The picture is one string and needs no font, script or style sheet from elsewhere. It follows the light or dark theme
 * of the reader's system, unless you set `theme`. From a width of 600 pixels on, labels and notes stand beside the
 * lanes; below that, they stand above them.
 *
 * | mark | meaning |
 * |---|---|
 * | thin line from the start of the previous attempt | started after the delay |
 * | arrow from the end of the previous attempt | started after a failure |
 * | dots | the start was due but held back |
 * | `✓` at the end of a bar | won |
 * | `×` at the end | failed |
 * | cap at the end | interrupted |
 * | ring at the end | succeeded late |
 * | arrow at the end | still runs |
 * | hatched part | clean-up |
 * | vertical line | the decision, or before it the time of the picture |
 *
 * Colour never carries information alone. A screen reader reads the title and one sentence per lane. The same sentence
 * appears when you point at a lane.
 *
 * The same race always gives the same SVG. All ids and style rules begin with the id of the picture, so one page can
 * hold many pictures.
 *
 * **Gotchas**
 *
 * Fonts differ, so the picture cuts every text to what fits in a wide font. It cuts labels in scripts with very wide
 * characters early.
 *
 * An invalid option throws an `IllegalArgumentException` with its name and value.
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
 * @since 0.1.0
 * @category rendering
 */
export const toSvg: {
  (options?: SvgOptions): (self: StaggeredRace.Outcome<unknown, unknown, unknown> | Running) => string
  (self: StaggeredRace.Outcome<unknown, unknown, unknown> | Running, options?: SvgOptions): string
} = dual((args) => hasProperty(args[0], "attempts"), svg.toSvg)

/**
 * Makes a snapshot of a race from its events so far, for {@link render} and {@link toSvg} to draw.
 *
 * **When to use**
 *
 * Use it to draw a race that still runs, or one that was interrupted or died and so has no outcome. It also shows
 * losers that clean up in the background. An outcome does not.
 *
 * **Details**
 *
 * - `now` is a time of the race's `Clock`, in milliseconds. The picture ends there. Once the race is decided and all
 *   attempts have ended, it ends at the last event.
 * - After the last event, the picture equals that of the outcome.
 *
 * **Gotchas**
 *
 * No event says when the race began, what the source does after the last event, or how long the winner's children take
 * to end. So times count from the first event, which is usually the first start. The result is plain data: if you know
 * more, change it.
 *
 * **Example** (A race half way)
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
 * @since 0.1.0
 * @category constructors
 */
export const soFar: (events: ReadonlyArray<StaggeredRace.RaceEvent<unknown, unknown>>, now: number) => Running =
  running.soFar

/**
 * Shows races while they run, in a terminal or a log. Connect each race with its `onEvent`.
 *
 * **When to use**
 *
 * Use it to watch long work, such as downloads from mirrors or a migration over replicas.
 *
 * **Details**
 *
 * In a terminal, the view redraws running races in place, once per `every` and at each decision. When a race is over,
 * the view draws it a last time above the others and leaves it there. The view never grows wider or taller than the
 * terminal. If room is short, it shows each race as a shorter picture, as one line, or only in a count.
 *
 * In a file or a pipe, the view appends one line per event, with the time since the race started. A win and its
 * decision are one line. A last line says how the race ended.
 *
 * When the scope closes, the view shows the cursor again, leaves its last picture, and writes nothing more. While no
 * race runs, no timer is pending.
 *
 * **Gotchas**
 *
 * If your program writes to the same terminal while races run, its text mixes with the view.
 *
 * If the output throws, the view logs the error at debug level and stops writing. The races continue.
 *
 * An invalid option makes the effect die with an `IllegalArgumentException` that has its name and value.
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
 * @since 0.1.0
 * @category live
 */
export const live: (options: LiveOptions) => Effect.Effect<Live, never, Scope.Scope> = liveView.live
