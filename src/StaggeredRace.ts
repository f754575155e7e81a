/**
 * The staggered race: candidates start one by one, the first success wins, losers leave nothing behind.
 *
 * There are two obvious ways to get one answer out of several places that may each be slow or down. To ask one after
 * the other is polite, and as slow as the slowest of those that do not answer: a place that swallows requests holds up
 * all that come after it until a timeout kills it, and a timeout short enough to be bearable also kills what would have
 * answered a little later. To ask all at once is fast, and costs every place all of the load, also on the good days
 * when the first would have answered.
 *
 * A staggered race goes between the two:
 *
 * - The first candidate starts at once.
 * - The next one starts when the newest attempt has failed, or when a delay has passed since it started, whichever is
 *   first. What already runs goes on: the delay decides who starts, and kills nothing.
 * - The first success decides. It is the result, and all attempts that still run are interrupted.
 * - When all have failed, the race fails with all of their failures.
 *
 * ```text
 *    0 ms       100         200        300         400         500
 *    └───────────┴───────────┴──────────┴───────────┴───────────┤
 * #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫   lost
 * #1                               +━━━━━━━━━━╳                 ┊   failed
 * #2                                          !██████████████████   won
 * ┣ first  + after the delay  ! after a failure  ┊ decided
 * ```
 *
 * That is how browsers choose between the addresses of a host (Happy Eyeballs, RFC 8305), and how a second copy of a
 * slow request is sent to another replica (hedged requests, in Dean and Barroso, "The Tail at Scale", Communications of
 * the ACM 56(2), 2013).
 *
 * | to | take |
 * |---|---|
 * | get the winner's value | {@link race} |
 * | learn what became of every attempt, whether or not one won | {@link outcome} |
 * | race candidates that become known over time | {@link raceStream}, {@link outcomeStream} |
 * | know inside a candidate which attempt it is, or report progress | {@link CurrentAttempt} |
 * | see races in traces, and count them | a tracer, and a name: {@link metrics} |
 *
 * What is left out, and why: a timeout per attempt is `Effect.timeout` around the candidate, and one for the whole is
 * `Effect.timeout` around the race. What counts as a success is for the candidate to say: one that must also pass a
 * check fails when it does not pass it. And no candidate is ever tried twice: a source may give the same effect again,
 * and `Effect.retry` around the race begins a new one.
 *
 * @module
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Metric from "effect/Metric"
import type * as Option from "effect/Option"
import type * as Predicate from "effect/Predicate"
import type * as Schedule from "effect/Schedule"
import type * as Stream from "effect/Stream"
import * as internal from "./internal/race/outcome.js"

/**
 * How a race is run. Only `delay` has to be given.
 *
 * **Details**
 *
 * - All durations count milliseconds of the `Clock` in the environment, so under `TestClock` they pass when the test
 *   says so.
 * - An option that makes no sense, such as a negative or `NaN` duration or a concurrency below 1, ends the race as it
 *   begins with a defect: an `IllegalArgumentException` that names the option and the value.
 * - `A` and `E` are what `onEvent` and `fatal` get to see, `RD` and `RE` what a schedule and `onEvent` need from the
 *   environment. All four are inferred.
 *
 * **Gotchas**
 *
 * In `pipe(candidates, StaggeredRace.race(options))` the options are typed before the candidates are known: values are
 * `unknown` to the callbacks there, unless their parameter has a type of its own.
 *
 * **Example** (RFC 8305's figures, at most four attempts at a time)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import assert from "node:assert"
 *
 * const options: StaggeredRace.Options = {
 *   delay: "250 millis",
 *   minDelay: "10 millis",
 *   concurrency: 4
 * }
 *
 * const result = await Effect.runPromise(
 *   StaggeredRace.race([Effect.fail("refused"), Effect.succeed("connected")], options)
 * )
 *
 * assert.strictEqual(result, "connected")
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<A = unknown, E = unknown, RD = never, RE = never> {
  /**
   * How long to wait after a start before the next start: a duration, or a schedule that gives one after each start.
   *
   * ```text
   * delay: "250 millis"                                    delay: Schedule.exponential("100 millis")
   *
   *    0 ms             250              500     600          0 ms  100     300             700
   *    └─────────────────┴────────────────┴───────┤           └──────┴───────┴───────────────┴────┤
   * #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫ lost   #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫ lost
   * #1                   +━━━━━━━━━━━━━━━━━━━━━━━━┫ lost   #1        +━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫ lost
   * #2                                    +████████ won    #2                +━━━━━━━━━━━━━━━━━━━━┫ lost
   *                                                        #3                                +█████ won
   * ```
   *
   * - It is never a timeout: when it has passed, another attempt starts beside those that run.
   * - Every start restarts it, also one that a failure brought about.
   * - Zero starts all at once. `Duration.infinity` leaves the starting to failures: one after the other.
   * - RFC 8305 (section 5) recommends 250 milliseconds for connections, and 2 seconds as the most. For hedged requests
   *   "The Tail at Scale" waits for the 95th percentile of the latency, so that about one request in twenty is sent
   *   twice.
   * - A schedule is stepped once per start, whatever brought the start about, with the index of the attempt just
   *   started as its input. Its delay counts from that start. (`Schedule.fixed` and `Schedule.windowed` keep to a grid
   *   of their own, as always.) When it is done, only failures start the next: a schedule that recurs twice starts two
   *   attempts by time.
   * - A schedule that is slow to answer holds nothing up: running attempts can win or fail meanwhile. One that dies
   *   ends the race with its defect.
   * - An ending at the very instant at which the delay has passed counts first: a success then starts nothing, a
   *   failure starts one attempt and not two. Under `TestClock` that holds for the newest attempt. In real time, a start
   *   that the delay brings first gives the event loop a turn, about a millisecond: what had arrived by then, also while
   *   the process was busy, is heard before it.
   *
   * **Example** (A schedule: the copies get rarer)
   *
   * @example
   * ```ts
   * import { StaggeredRace } from "effect-staggered-race"
   * import * as Effect from "effect/Effect"
   * import * as Fiber from "effect/Fiber"
   * import * as Schedule from "effect/Schedule"
   * import * as TestClock from "effect/TestClock"
   * import * as TestContext from "effect/TestContext"
   * import assert from "node:assert"
   *
   * const slow = Effect.delay(Effect.succeed("done"), "1 second")
   *
   * const program = Effect.gen(function*() {
   *   const fiber = yield* Effect.fork(
   *     StaggeredRace.outcome([slow, slow, slow, slow], { delay: Schedule.exponential("100 millis") })
   *   )
   *   yield* TestClock.adjust("1 second")
   *   const { attempts } = yield* Fiber.join(fiber)
   *   return attempts.map(({ startedAt }) => startedAt)
   * })
   *
   * const starts = await Effect.runPromise(Effect.provide(program, TestContext.TestContext))
   *
   * assert.deepStrictEqual(starts, [0, 100, 300, 700])
   * ```
   */
  readonly delay: Duration.DurationInput | Schedule.Schedule<unknown, number, RD>
  /**
   * The least gap between two starts, also after a failure. A finite duration; default zero.
   *
   * ```text
   * minDelay: "10 millis", and each attempt but the last fails after 1 ms
   *
   *    0 ms     10       20       30       40       50
   *    └─────────┴────────┴────────┴────────┴────────┤
   * #0 ┣╳                                            ┊   failed
   * #1           !╳                                  ┊   failed
   * #2                    !╳                         ┊   failed
   * #3                             !██████████████████   won
   * ```
   *
   * - A list of places that all refuse at once is gone through in no time, which looks like an attack to the network in
   *   between. RFC 8305 (section 5) forbids connections less than 10 milliseconds after the previous one, and
   *   recommends 100 as the least.
   * - A shorter `delay`, or a shorter one from its schedule, is lengthened to it.
   */
  readonly minDelay?: Duration.DurationInput | undefined
  /**
   * How many attempts may run at once: a whole number of at least 1. Default `"unbounded"`.
   *
   * ```text
   * delay: "100 millis", concurrency: 2
   *
   *    0 ms          100            200           300            400
   *    └──────────────┴──────────────┴─────────────┴──────────────┤
   * #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╳              ┊   failed
   * #1                +━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫   lost
   * #2                               ·············+███████████████   won, was due at 200
   * ```
   *
   * - A start that is due waits until any attempt ends. A place that becomes free before the next start is due starts
   *   nothing.
   * - Nothing is interrupted to make room. Attempts that hang keep their places, and with all places taken no other
   *   candidate gets its turn: give candidates an end of their own, with `Effect.timeout`.
   */
  readonly concurrency?: number | "unbounded" | undefined
  /**
   * Tells the failures after which the race is over: what runs is interrupted, and nothing more starts. Default: none.
   *
   * - It sees the cause of each attempt that fails before the decision, defects and interruptions included. Losers are
   *   not asked about.
   * - The race then fails with the failures so far, in candidate order. Attempts that were interrupted because of it
   *   are not among them.
   * - If it throws, that is fatal too: what it threw is a defect in the cause, after the failure that it was asked
   *   about.
   *
   * **Example** (No other server will like the password better)
   *
   * @example
   * ```ts
   * import { StaggeredRace } from "effect-staggered-race"
   * import * as Cause from "effect/Cause"
   * import * as Data from "effect/Data"
   * import * as Effect from "effect/Effect"
   * import * as Either from "effect/Either"
   * import assert from "node:assert"
   *
   * class Unreachable extends Data.TaggedError("Unreachable") {}
   * class WrongPassword extends Data.TaggedError("WrongPassword") {}
   *
   * let asked = 0
   * const logIn = (answer: Effect.Effect<string, Unreachable | WrongPassword>) =>
   *   Effect.zipRight(Effect.sync(() => asked++), answer)
   *
   * const result = await Effect.runPromise(Effect.either(StaggeredRace.race([
   *   logIn(new Unreachable()),
   *   logIn(new WrongPassword()),
   *   logIn(Effect.succeed("welcome"))
   * ], {
   *   delay: "250 millis",
   *   fatal: (cause) => Array.from(Cause.failures(cause)).some(({ _tag }) => _tag === "WrongPassword")
   * })))
   *
   * assert.strictEqual(asked, 2)
   * assert.ok(Either.isLeft(result))
   * ```
   */
  readonly fatal?: Predicate.Predicate<Cause.Cause<E>> | undefined
  /**
   * Whether the race returns when its losers have ended (`"await"`, the default), or as soon as it is decided
   * (`"background"`).
   *
   * ```text
   * losers: "await"                                  losers: "background"
   *
   *    0 ms       100         200         300           0 ms       100         200         300
   *    └───────────┴───────────┼───────────┤            └───────────┴───────────┤
   * #0 ┣━━━━━━━━━━━━━━━━━━━━━━━┫╌╌╌╌╌╌╌╌╌╌╌┤         #0 ┣━━━━━━━━━━━━━━━━━━━━━━━┫╌╌╌╌╌╌╌╌╌╌╌┘
   * #1             +████████████           ┊         #1             +████████████
   *                                    returns                              returns
   * ```
   *
   * - All are interrupted at the same time, at the decision, in either mode, and run their finalizers to the end.
   * - An attempt that cannot be interrupted holds up a race that awaits. So do children that the winner has forked and
   *   that are slow to end.
   * - In the background, nobody learns of a clean-up that fails, unless from `onEvent`; and {@link outcome} reports
   *   losers as of the decision.
   * - A race that is itself interrupted waits for all its attempts in either mode.
   * - Where a `Scope` is in the environment, it keeps the losers in the background: as it closes, it waits for them
   *   before it releases anything that they or the winner hold.
   */
  readonly losers?: "await" | "background" | undefined
  /**
   * What to do when something happens in the race. Default: nothing.
   *
   * - Handlers run one at a time, in the order of the events, in a fiber of their own with the caller's environment.
   *   The race never waits for them, so a slow one may still run when the race has returned.
   * - A handler that fails, dies, throws or is interrupted changes nothing: what went wrong is logged at debug level,
   *   and the next event is handled.
   *
   * **Example** (A line per event)
   *
   * @example
   * ```ts
   * import { StaggeredRace } from "effect-staggered-race"
   * import * as Effect from "effect/Effect"
   * import assert from "node:assert"
   *
   * const events: Array<string> = []
   *
   * await Effect.runPromise(StaggeredRace.race([Effect.never, Effect.fail("refused"), Effect.succeed("hello")], {
   *   delay: "10 millis",
   *   onEvent: (event) =>
   *     Effect.sync(() => {
   *       events.push("index" in event ? `${event._tag} ${event.index}` : event._tag)
   *     })
   * }))
   *
   * assert.deepStrictEqual(events, [
   *   "Started 0",
   *   "Started 1",
   *   "Failed 1",
   *   "Started 2",
   *   "Won 2",
   *   "Decided",
   *   "Lost 0"
   * ])
   * ```
   */
  readonly onEvent?: ((event: RaceEvent<A, E>) => Effect.Effect<unknown, unknown, RE>) | undefined
  /**
   * What races of this kind are called. It makes them count: it tags {@link metrics}, and is an attribute of the race's
   * span. A string that is not empty. Default: none, and no metrics.
   *
   * It says what is raced, and not for whom: names that are made of what a request asks for, such as a host, make
   * metrics without end.
   */
  readonly name?: string | undefined
}

/**
 * What started an attempt.
 *
 * **Details**
 *
 * - `"first"`: it was the first one
 * - `"delay"`: the delay had passed since the newest start
 * - `"failure"`: the newest attempt had failed
 *
 * An attempt that was due by the delay, and then had to wait for the stream or for a place that an older attempt made
 * free, was started by the delay.
 *
 * @since 0.1.0
 * @category models
 */
export type StartedBy = "first" | "delay" | "failure"

/**
 * What decided a race.
 *
 * **Details**
 *
 * - `"success"`: an attempt succeeded, and is the winner
 * - `"failures"`: no attempt succeeded and nothing is left to start, or there was nothing to start at all
 * - `"fatal"`: an attempt failed in a way that `fatal` says ends the race
 * - `"interruption"`: the caller was interrupted
 * - `"defect"`: the schedule that gives the delays died
 *
 * The last two are only seen in the `Decided` event. A race that ends by them has no {@link Outcome}: it is
 * interrupted, or dies.
 *
 * @since 0.1.0
 * @category models
 */
export type DecidedBy = "success" | "failures" | "fatal" | "interruption" | "defect"

/**
 * Something that happened in a race, and when: `at` is the time of the `Clock` in milliseconds.
 *
 * **When to use**
 *
 * In `onEvent`, for logs of a race that is under way, and for metrics other than {@link metrics}. To look at a race as a
 * whole when it is over, {@link outcome} is simpler.
 *
 * **Details**
 *
 * - `Started`: an attempt started; {@link StartedBy} says why, and `dueAt` since when it was due
 * - `Failed`: an attempt ended without success before the race was decided
 * - `Won`: an attempt succeeded first. `Decided` follows at once
 * - `Decided`: nothing starts from now on, and what runs is interrupted; {@link DecidedBy} says why, and `pending` which
 *   start it came before. There is one per race
 * - `Lost`: an attempt that still ran at the decision has ended
 * - `SucceededLate`: an attempt that still ran at the decision has succeeded all the same. Its value is dropped, and
 *   its resources are released
 * - `SourceFailed`: the iterable threw or the stream failed, and gives no more candidates; or one of them failed to
 *   close
 *
 * Every attempt has a `Started`, and one of `Failed`, `Won`, `Lost` and `SucceededLate`. Before `Decided` come `Failed`
 * and `Won`, after it `Lost` and `SucceededLate`, where losers are in the background also after the race has returned.
 *
 * **Example** (Counting what was wasted)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Metric from "effect/Metric"
 * import assert from "node:assert"
 *
 * const lost = Metric.counter("attempts_lost")
 *
 * const count = (event: StaggeredRace.RaceEvent<unknown, unknown>) =>
 *   event._tag === "Lost" ? Metric.increment(lost) : Effect.void
 *
 * const program = Effect.zipRight(
 *   StaggeredRace.race([Effect.never, Effect.never, Effect.succeed("hello")], { delay: "5 millis", onEvent: count }),
 *   Metric.value(lost)
 * )
 *
 * assert.strictEqual((await Effect.runPromise(program)).count, 2)
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export type RaceEvent<A, E> =
  | {
    readonly _tag: "Started"
    readonly at: number
    readonly index: number
    readonly dueAt: number
    readonly startedBy: StartedBy
  }
  | { readonly _tag: "Failed"; readonly at: number; readonly index: number; readonly cause: Cause.Cause<E> }
  | { readonly _tag: "Won"; readonly at: number; readonly index: number; readonly value: A }
  | {
    readonly _tag: "Decided"
    readonly at: number
    readonly by: DecidedBy
    readonly pending: Option.Option<Pending>
  }
  | { readonly _tag: "Lost"; readonly at: number; readonly index: number; readonly cause: Cause.Cause<E> }
  | { readonly _tag: "SucceededLate"; readonly at: number; readonly index: number }
  | { readonly _tag: "SourceFailed"; readonly at: number; readonly cause: Cause.Cause<unknown> }

/**
 * A start that was due and parked when the race was decided, and so was never made.
 *
 * **Gotchas**
 *
 * It is only told of where it is known that there was a candidate for it: an array, a `Chunk` or a `Set` says how many it
 * has, a stream or another iterable does not.
 *
 * @since 0.2.0
 * @category models
 */
export interface Pending {
  /**
   * Since when it was due, in milliseconds of the `Clock`, as in {@link Attempt}.
   */
  readonly dueAt: number
}

/**
 * The attempt whose success decided the race, in an {@link Outcome}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Winner<A> {
  /**
   * Its place among the candidates, from 0.
   */
  readonly index: number
  /**
   * What it succeeded with.
   */
  readonly value: A
}

/**
 * What became of one candidate that was started, in an {@link Outcome}.
 *
 * **Example** (Why nobody answered)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Cause from "effect/Cause"
 * import * as Effect from "effect/Effect"
 * import * as Exit from "effect/Exit"
 * import assert from "node:assert"
 *
 * const describe = ({ exit, index, result }: StaggeredRace.Attempt<string, string>) =>
 *   Exit.match(exit, {
 *     onFailure: (cause) => `#${index} ${result}: ${Cause.squash(cause)}`,
 *     onSuccess: (value) => `#${index} ${result}: ${value}`
 *   })
 *
 * const { attempts } = await Effect.runPromise(
 *   StaggeredRace.outcome([Effect.fail("refused"), Effect.die("a bug")], { delay: "250 millis" })
 * )
 *
 * assert.deepStrictEqual(attempts.map(describe), ["#0 failed: refused", "#1 failed: a bug"])
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Attempt<A, E> {
  /**
   * Its place among the candidates, from 0.
   */
  readonly index: number
  /**
   * When it was due, in milliseconds of the `Clock`: the attempt before it had failed, or its delay had passed. It was
   * parked from then until it started, where there was no place for it, or the stream was slow, or `minDelay` or
   * `progress` held it back.
   */
  readonly dueAt: number
  /**
   * When it started, in milliseconds of the `Clock`.
   */
  readonly startedAt: number
  /**
   * When it ended, in milliseconds of the `Clock`: after its finalizers, after the children that it had forked, and,
   * where a `Scope` is in the environment, after what it had acquired was released (unless it won).
   *
   * With `losers: "background"`, the time of the decision for an attempt that had not ended by then.
   */
  readonly endedAt: number
  /**
   * What started it.
   */
  readonly startedBy: StartedBy
  /**
   * How it ended. What failed in its clean-up is in the cause, beside the rest.
   *
   * **Gotchas**
   *
   * The value of an attempt that succeeded late is here, but what it had acquired is released already: it must not be
   * used.
   */
  readonly exit: Exit.Exit<A, E>
  /**
   * What it was to the race:
   *
   * - `"won"`: its success decided it
   * - `"failed"`: it failed, died or was interrupted from elsewhere before the decision
   * - `"lost"`: it still ran at the decision, and did not succeed
   * - `"late"`: it still ran at the decision, and succeeded all the same
   *
   * Late successes are rare. An attempt in the midst of something that cannot be interrupted ends as interrupted when
   * that is done, whatever its result: it is lost. To be late, it has to have succeeded just before another one
   * decides, with its success not seen yet.
   */
  readonly result: "won" | "failed" | "lost" | "late"
}

/**
 * The report of a race: the winner, if there is one, and what became of every attempt.
 *
 * **When to use**
 *
 * In tests, logs and metrics. `Timeline.render` draws it on one time axis.
 *
 * **Details**
 *
 * `E2` is the error of the stream that gave the candidates; a source that is an iterable has none.
 *
 * **Example** (A race drawn)
 *
 * @example
 * ```ts
 * import { StaggeredRace, Timeline } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Fiber from "effect/Fiber"
 * import * as TestClock from "effect/TestClock"
 * import * as TestContext from "effect/TestContext"
 * import assert from "node:assert"
 *
 * const program = Effect.gen(function*() {
 *   const fiber = yield* Effect.fork(StaggeredRace.outcome([
 *     Effect.never,
 *     Effect.delay(Effect.fail("refused"), "100 millis"),
 *     Effect.delay(Effect.succeed("hello"), "150 millis")
 *   ], { delay: "250 millis" }))
 *   yield* TestClock.adjust("1 second")
 *   return yield* Fiber.join(fiber)
 * })
 *
 * const outcome = await Effect.runPromise(Effect.provide(program, TestContext.TestContext))
 * console.log(Timeline.render(outcome, { width: 72 }))
 * // winner #2 after 500 ms, 3 attempts
 * //    0 ms     100       200       300       400       500
 * //    └─────────┴─────────┴─────────┴─────────┴─────────┤
 * // #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫   lost
 * // #1                          +━━━━━━━━━╳              ┊   failed: refused
 * // #2                                    !███████████████   won
 * // ┣ first  + after the delay  ! after a failure  ┊ decided
 *
 * assert.deepStrictEqual(outcome.attempts.map(({ startedAt, startedBy }) => [startedAt, startedBy]), [
 *   [0, "first"],
 *   [250, "delay"],
 *   [350, "failure"]
 * ])
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface Outcome<A, E, E2 = never> {
  /**
   * The attempt that won, if one did.
   */
  readonly winner: Option.Option<Winner<A>>
  /**
   * How the race ended: with the winner's value, or with what {@link race} would have failed with.
   */
  readonly exit: Exit.Exit<A, E | E2>
  /**
   * Every candidate that was started, in candidate order. Those that were not are not in it.
   */
  readonly attempts: ReadonlyArray<Attempt<A, E>>
  /**
   * Why the source gave no more candidates, if it threw or failed, or what went wrong when it was closed. A race can
   * have a winner all the same.
   */
  readonly sourceFailure: Option.Option<Cause.Cause<E2>>
  /**
   * When the race began, in milliseconds of the `Clock`.
   */
  readonly startedAt: number
  /**
   * When it was decided: from then on, nothing started.
   */
  readonly decidedAt: number
  /**
   * When it returned: after its losers had ended, or with `losers: "background"` at the decision.
   */
  readonly endedAt: number
  /**
   * What decided it.
   */
  readonly decidedBy: DecidedBy
  /**
   * The start that the decision came before, if one was due.
   */
  readonly pending: Option.Option<Pending>
}

/**
 * The attempt that a candidate runs as: which one it is, and a way to say that it gets on.
 *
 * @since 0.1.0
 * @category context
 */
export interface CurrentAttempt {
  /**
   * Its place among the candidates, from 0.
   */
  readonly index: number
  /**
   * Holds the next start back until this long from now, if it would be earlier: the attempt is getting somewhere, and
   * another one would probably be wasted.
   *
   * ```text
   * delay: "250 millis", and at 100 ms the first attempt calls progress("300 millis")
   *
   *    0 ms     100       200       300       400
   *    └─────────┴─────────┴─────────┴─────────┴───────
   * #0 ┣━━━━━━━━━┿━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━   ┿ progress
   * #1                          · · · · · · · ·+━━━━━━━   was due at 250
   * ```
   *
   * - It never brings the next start forward, and never keeps a failure from starting the next.
   * - Only the newest attempt can hold it back, and only while it runs. From any other it does nothing.
   * - Once the next has started, the delay counts from that start as ever.
   * - A duration below zero, or something that is no duration, is a defect: an `IllegalArgumentException` that names
   *   the value.
   *
   * The draft of the third version of Happy Eyeballs asks for this where setting up takes several steps, such as a TLS
   * handshake after the connection.
   */
  readonly progress: (duration: Duration.DurationInput) => Effect.Effect<void>
}

/**
 * The attempt that the effect runs in: some inside a candidate, none elsewhere.
 *
 * **When to use**
 *
 * When the candidates are one and the same effect, to tell its copies apart; and to report progress.
 *
 * **Details**
 *
 * - It needs nothing from the environment: outside of a race it is `Option.none()`.
 * - In a race within a race, it is the attempt of the inner one.
 *
 * **Example** (Copies of a request that say which one they are)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import assert from "node:assert"
 *
 * const request = Effect.gen(function*() {
 *   const attempt = yield* StaggeredRace.CurrentAttempt
 *   const copy = Option.match(attempt, { onNone: () => 0, onSome: ({ index }) => index })
 *   // The first copy is lost on its way.
 *   return copy === 0 ? yield* Effect.never : `answer to copy ${copy}`
 * })
 *
 * const answer = await Effect.runPromise(StaggeredRace.race([request, request], { delay: "10 millis" }))
 *
 * assert.strictEqual(answer, "answer to copy 1")
 * ```
 *
 * **Example** (A connection that counts as made after a handshake)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Fiber from "effect/Fiber"
 * import * as Option from "effect/Option"
 * import * as TestClock from "effect/TestClock"
 * import * as TestContext from "effect/TestContext"
 * import assert from "node:assert"
 *
 * const connect = Effect.sleep("100 millis")
 * const handshake = Effect.sleep("200 millis")
 *
 * const candidate = Effect.gen(function*() {
 *   yield* connect
 *   const attempt = yield* StaggeredRace.CurrentAttempt
 *   if (Option.isSome(attempt)) {
 *     yield* attempt.value.progress("300 millis")
 *   }
 *   yield* handshake
 * })
 *
 * const program = Effect.gen(function*() {
 *   const fiber = yield* Effect.fork(StaggeredRace.outcome([candidate, candidate], { delay: "250 millis" }))
 *   yield* TestClock.adjust("1 second")
 *   return yield* Fiber.join(fiber)
 * })
 *
 * const outcome = await Effect.runPromise(Effect.provide(program, TestContext.TestContext))
 *
 * // It took 300 ms, longer than the delay, and no second connection was made.
 * assert.strictEqual(outcome.attempts.length, 1)
 * ```
 *
 * @since 0.1.0
 * @category context
 */
export const CurrentAttempt: Context.Reference<CurrentAttempt, Option.Option<CurrentAttempt>> = internal.CurrentAttempt

/**
 * Starts candidates one by one, the next when the newest attempt has failed or the delay has passed, and succeeds with
 * the first success.
 *
 * ```text
 * race(candidates, { delay: "250 millis" })
 *
 *    0 ms       100         200        300         400         500
 *    └───────────┴───────────┴──────────┴───────────┴───────────┤
 * #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫   lost
 * #1                               +━━━━━━━━━━╳                 ┊   failed
 * #2                                          !██████████████████   won
 * ┣ first  + after the delay  ! after a failure  ┊ decided
 * ```
 *
 * **When to use**
 *
 * When one of several effects has to succeed, any of them may be slow or fail, and starting all at once would cost too
 * much: the addresses of a host, mirrors, replicas, or copies of one request that is safe to send twice.
 *
 * **Details**
 *
 * *Starting*
 *
 * - Candidates are any iterable of effects, also of different types. They are pulled one at a time, as they start; an
 *   endless iterable is fine, and one that has not ended is closed when the race ends.
 * - An attempt starts in place: a candidate that succeeds without suspending keeps the next from being pulled, whatever
 *   the delay.
 * - The failure of an attempt that is not the newest starts nothing: the delay of the newest has not passed yet.
 * - Attempts are interruptible, also where the race stands in an uninterruptible region. A candidate that must not be
 *   interrupted says so itself.
 *
 * *Ending*
 *
 * - An attempt has ended when its fiber has: after its finalizers, after the children that it forked, and, where a
 *   `Scope` is in the environment, after its own scope has closed. A failure starts the next at that moment.
 * - The first success decides, and there is exactly one winner. All other attempts are interrupted, at the same time,
 *   and by default the race returns when they have ended.
 * - The winner's changes to `FiberRef`s reach the caller, and nobody else's do.
 * - The interruption of the caller interrupts all attempts and waits for them, also if it comes while losers clean up
 *   after a win. The winner's scope is closed then as well.
 *
 * *Resources*
 *
 * - Where a `Scope` is in the environment, each attempt gets a child of it. That of an attempt that fails or loses is
 *   closed as it ends; the winner's stays open until the outer scope closes.
 * - What a loser succeeds with after the decision is dropped, and what it has acquired is released.
 *
 * *Failing*
 *
 * - Defects and interruptions of single attempts count as failures. `fatal` can end the race on them.
 * - When all have failed, so does the race, with their causes in candidate order: one after the other (`sequential`)
 *   where an attempt began after all earlier ones had ended, else side by side (`parallel`).
 * - An iterable that throws ends itself and not the race: what runs goes on. If nobody wins, what it threw is a defect
 *   beside the causes of the attempts.
 * - No candidates, and options that make no sense, are defects: an `IllegalArgumentException`.
 *
 * **Gotchas**
 *
 * A race in which all attempts failed and one of them died has an error and a defect in one cause. `Effect.catchAll`,
 * `either`, `option`, `orElse` and `retry` do not recover from such a cause, while `catchTag`, `catchTags`, `catchIf`,
 * `catchSome` and `sandbox` do; `mapError` keeps the first error alone. Where candidates may die, turn their defects
 * into errors (`Effect.catchAllDefect`), or look at the {@link outcome}.
 *
 * `Effect.scoped` goes around the use of the result and not around each candidate, which would release what the winner
 * has acquired before anybody can use it.
 *
 * What an attempt forks by `Effect.fork` ends with the attempt, also if it wins. By `Effect.forkScoped` it lives as
 * long as the attempt's scope.
 *
 * Where an iterable has neither a `length` nor a `size`, as a generator has not, nobody knows that a candidate was the
 * last one until the next start is due: one timer more than for an array, which a decision cancels.
 *
 * **Example** (The first mirror hangs, the second refuses)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import assert from "node:assert"
 *
 * const mirrors = [Effect.never, Effect.fail("connection refused"), Effect.succeed("hello from the third")]
 *
 * const program = StaggeredRace.race(mirrors, { delay: "20 millis" })
 *
 * assert.strictEqual(await Effect.runPromise(program), "hello from the third")
 * ```
 *
 * **Example** (What losers hold is released before the race returns)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import assert from "node:assert"
 *
 * const log: Array<string> = []
 *
 * const connect = (name: string, ready: Effect.Effect<void>) =>
 *   Effect.acquireRelease(
 *     Effect.sync(() => {
 *       log.push(`open ${name}`)
 *       return name
 *     }),
 *     () => Effect.sync(() => log.push(`close ${name}`))
 *   ).pipe(Effect.zipLeft(ready))
 *
 * const program = Effect.gen(function*() {
 *   const name = yield* StaggeredRace.race([connect("a", Effect.never), connect("b", Effect.void)], {
 *     delay: "20 millis"
 *   })
 *   log.push(`use ${name}`)
 * })
 *
 * await Effect.runPromise(Effect.scoped(program))
 *
 * assert.deepStrictEqual(log, ["open a", "open b", "close a", "use b", "close b"])
 * ```
 *
 * @see {@link outcome} for what became of every attempt
 * @since 0.1.0
 * @category racing
 */
export const race: {
  <A, E, RD = never, RE = never>(
    options: Options<A, E, RD, RE>
  ): <Eff extends Effect.Effect<A, E, unknown>>(
    candidates: Iterable<Eff>
  ) => Effect.Effect<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, Effect.Effect.Context<Eff> | RD | RE>
  <Eff extends Effect.Effect<unknown, unknown, unknown>, RD = never, RE = never>(
    candidates: Iterable<Eff>,
    options: Options<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, RD, RE>
  ): Effect.Effect<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, Effect.Effect.Context<Eff> | RD | RE>
} = dual(2, internal.race)

/**
 * Runs the same race as {@link race}, and succeeds with a report of it, whether or not an attempt won.
 *
 * **When to use**
 *
 * When the winner's value alone is not enough: to know which candidate won, to log or to draw how a race went, to
 * assert in a test when each attempt started, or to handle failures one by one, without the traps of a combined cause.
 *
 * **Details**
 *
 * - It does not fail. It is interrupted with its caller, and dies when the options make no sense or when the schedule
 *   that gives the delays dies.
 * - Without candidates it reports no attempts and no winner.
 * - The winner's resources stay open until the outer scope closes, as with {@link race}.
 * - With `losers: "background"`, losers are reported as of the decision: interrupted, at that time.
 *
 * **Example** (Which one was it)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import assert from "node:assert"
 *
 * const { attempts, decidedBy, winner } = await Effect.runPromise(StaggeredRace.outcome([
 *   Effect.never,
 *   Effect.fail("refused"),
 *   Effect.succeed("hello")
 * ], { delay: "20 millis" }))
 *
 * assert.deepStrictEqual(winner, Option.some({ index: 2, value: "hello" }))
 * assert.deepStrictEqual(attempts.map(({ result }) => result), ["lost", "failed", "won"])
 * assert.strictEqual(decidedBy, "success")
 * ```
 *
 * @since 0.1.0
 * @category racing
 */
export const outcome: {
  <A, E, RD = never, RE = never>(
    options: Options<A, E, RD, RE>
  ): <Eff extends Effect.Effect<A, E, unknown>>(
    candidates: Iterable<Eff>
  ) => Effect.Effect<
    Outcome<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>>,
    never,
    Effect.Effect.Context<Eff> | RD | RE
  >
  <Eff extends Effect.Effect<unknown, unknown, unknown>, RD = never, RE = never>(
    candidates: Iterable<Eff>,
    options: Options<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, RD, RE>
  ): Effect.Effect<
    Outcome<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>>,
    never,
    Effect.Effect.Context<Eff> | RD | RE
  >
} = dual(2, internal.outcome)

/**
 * Runs a {@link race} of candidates that become known over time: a stream gives them.
 *
 * ```text
 * delay: "250 millis", and the second candidate is known after 400 ms
 *
 *    0 ms       100         200         300         400        500
 *    └───────────┴───────────┴───────────┴───────────┴──────────┤
 * #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫   lost
 * #1                               · · · · · · · · · +███████████   won, was due at 250
 * ```
 *
 * **When to use**
 *
 * When to find the candidates takes time itself, and the first need not wait for the last: addresses as the resolver's
 * answers arrive, the pages of a list of replicas.
 *
 * **Details**
 *
 * - Elements are pulled one at a time, when a start is due. A stream that is slow blocks nothing: running attempts can
 *   win meanwhile, and a candidate that is due starts as it arrives.
 * - While the stream has not ended, neither has the race, even if all attempts so far have failed.
 * - A stream that fails ends itself and not the race: what runs goes on, and a win is a win. If nobody wins, its
 *   failure stands beside those of the attempts.
 * - The stream is finalized when the race is decided. The race waits for that, as it waits for losers.
 * - A stream without elements is a race without candidates: an `IllegalArgumentException`, as a defect.
 *
 * **Gotchas**
 *
 * Pulling begins when a start is due. To have the next candidate at hand by then, put a `Stream.buffer` after what is
 * slow.
 *
 * That a stream has ended shows only when the next start is due: there is one timer more than for an array.
 *
 * **Example** (Two resolvers, the slower of which knows the better address)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import assert from "node:assert"
 *
 * const connect = (address: string) => address === "192.0.2.1" ? Effect.never : Effect.succeed(`via ${address}`)
 *
 * const addresses = Stream.concat(
 *   Stream.make("192.0.2.1"),
 *   Stream.fromEffect(Effect.delay(Effect.succeed("2001:db8::1"), "30 millis"))
 * )
 *
 * const program = StaggeredRace.raceStream(Stream.map(addresses, connect), { delay: "10 millis" })
 *
 * assert.strictEqual(await Effect.runPromise(program), "via 2001:db8::1")
 * ```
 *
 * @since 0.1.0
 * @category racing
 */
export const raceStream: {
  <A, E, RD = never, RE = never>(
    options: Options<A, E, RD, RE>
  ): <Eff extends Effect.Effect<A, E, unknown>, E2, R2>(
    candidates: Stream.Stream<Eff, E2, R2>
  ) => Effect.Effect<
    Effect.Effect.Success<Eff>,
    Effect.Effect.Error<Eff> | E2,
    Effect.Effect.Context<Eff> | R2 | RD | RE
  >
  <Eff extends Effect.Effect<unknown, unknown, unknown>, E2, R2, RD = never, RE = never>(
    candidates: Stream.Stream<Eff, E2, R2>,
    options: Options<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, RD, RE>
  ): Effect.Effect<
    Effect.Effect.Success<Eff>,
    Effect.Effect.Error<Eff> | E2,
    Effect.Effect.Context<Eff> | R2 | RD | RE
  >
} = dual(2, internal.raceStream)

/**
 * Runs the same race as {@link raceStream}, and succeeds with a report of it, whether or not an attempt won.
 *
 * **When to use**
 *
 * As {@link outcome}; and to tell the failure of the stream from those of the attempts, which are one cause otherwise.
 *
 * **Details**
 *
 * - It does not fail: the failure of the stream is the `sourceFailure` of the report, also where an attempt won.
 * - Like {@link outcome}, it is interrupted with its caller, and dies of options that make no sense and of a schedule's
 *   defect.
 *
 * **Example** (The list broke off, and its first entry did)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Cause from "effect/Cause"
 * import * as Effect from "effect/Effect"
 * import * as Option from "effect/Option"
 * import * as Stream from "effect/Stream"
 * import assert from "node:assert"
 *
 * const candidates = Stream.concat(
 *   Stream.make(Effect.delay(Effect.succeed("hello"), "50 millis")),
 *   Stream.fail("the list broke off")
 * )
 *
 * const { sourceFailure, winner } = await Effect.runPromise(
 *   StaggeredRace.outcomeStream(candidates, { delay: "10 millis" })
 * )
 *
 * assert.deepStrictEqual(winner, Option.some({ index: 0, value: "hello" }))
 * assert.deepStrictEqual(sourceFailure, Option.some(Cause.fail("the list broke off")))
 * ```
 *
 * @since 0.1.0
 * @category racing
 */
export const outcomeStream: {
  <A, E, RD = never, RE = never>(
    options: Options<A, E, RD, RE>
  ): <Eff extends Effect.Effect<A, E, unknown>, E2, R2>(
    candidates: Stream.Stream<Eff, E2, R2>
  ) => Effect.Effect<
    Outcome<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, E2>,
    never,
    Effect.Effect.Context<Eff> | R2 | RD | RE
  >
  <Eff extends Effect.Effect<unknown, unknown, unknown>, E2, R2, RD = never, RE = never>(
    candidates: Stream.Stream<Eff, E2, R2>,
    options: Options<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, RD, RE>
  ): Effect.Effect<
    Outcome<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, E2>,
    never,
    Effect.Effect.Context<Eff> | R2 | RD | RE
  >
} = dual(2, internal.outcomeStream)

/**
 * What races with a name count, each tagged with `race`, the name; and the spans of all races.
 *
 * **When to use**
 *
 * To see how often the first candidate is not enough, what the others add, and what they cost.
 *
 * **Details**
 *
 * *Metrics*
 *
 * | metric | type, unit | what it is, and what else it is tagged with |
 * |---|---|---|
 * | `races`: `staggered_races` | counter, races | by `decided_by`, see {@link DecidedBy} |
 * | `attempts`: `staggered_race_attempts` | histogram, attempts | how many a race has started |
 * | `decision`: `staggered_race_decision_seconds` | histogram, seconds of the `Clock` | from the beginning of a race to its decision |
 * | `wins`: `staggered_race_wins` | counter, races | by `index`, that of the winner: `0` to `7`, or `more` |
 * | `wasted`: `staggered_race_wasted_seconds` | counter, seconds of the `Clock` | for which attempts ran that then lost or were late, until they ended |
 *
 * A race counts when it is decided, and what it has wasted as each loser ends.
 *
 * *Spans*
 *
 * Where there is a tracer, a race has a span, a child of the current one, and each of its attempts a child of that. All
 * that the race runs has them for its current span: a candidate that of its attempt; a stream of candidates, a schedule
 * and `onEvent` that of the race.
 *
 * | span | its attributes | ends | with |
 * |---|---|---|---|
 * | `staggered_race` | `staggered_race.name`; `staggered_race.decided_by`, `.attempts`, how many, and `.winner`, its index | as the race returns | what the race gives to its caller: its failure, or its interruption |
 * | `staggered_race.attempt` | `staggered_race.attempt.index`, `.started_by`, see {@link StartedBy}; `.result`, see {@link Attempt} | at the event that tells of its end; for the winner, at its win | its failure, if it has failed; in a race that is interrupted, its interruption; else a success |
 *
 * - So a loser is no error. What failed in its clean-up is told by `onEvent` and {@link outcome} alone.
 * - The span of an {@link outcome} is no error either when all have failed: see `decided_by`.
 * - Losers in the background end their spans when they end, after the race has ended its own.
 * - Without a tracer but the one that Effect brings along, whose spans nobody sees, and where
 *   `Effect.withTracerEnabled(false)` holds, there are none, and nothing is spent on them.
 * - A tracer or a metric that throws changes no race: that is logged at debug level.
 * - The copies of a `Hedge` have spans and metrics of their own in the place of these.
 *
 * **Example** (How often the second mirror was needed)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Metric from "effect/Metric"
 * import assert from "node:assert"
 *
 * const program = Effect.gen(function*() {
 *   yield* StaggeredRace.race([Effect.fail("refused"), Effect.succeed("hello")], { delay: "1 second", name: "mirrors" })
 *   return yield* StaggeredRace.metrics.wins.pipe(
 *     Metric.tagged("race", "mirrors"),
 *     Metric.tagged("index", "1"),
 *     Metric.value
 *   )
 * })
 *
 * assert.strictEqual((await Effect.runPromise(program)).count, 1)
 * ```
 *
 * @since 0.2.0
 * @category metrics
 */
export const metrics: {
  readonly races: Metric.Metric.Counter<number>
  readonly attempts: Metric.Metric.Histogram<number>
  readonly decision: Metric.Metric.Histogram<number>
  readonly wins: Metric.Metric.Counter<number>
  readonly wasted: Metric.Metric.Counter<number>
} = internal.metrics
