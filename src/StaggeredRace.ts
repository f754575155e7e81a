/**
 * Try several effects without waiting for the slowest. Each starts when the previous one fails or after a delay; the
 * first success wins.
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
 * The rules of a staggered race:
 *
 * - The first candidate starts at once.
 * - The next candidate starts when the newest attempt fails, or when the delay since its start has passed, whichever
 *   comes first. Running attempts continue: the delay never stops anything.
 * - The first success decides the race. Its value is the result, and the race interrupts all other attempts.
 * - When all attempts have failed, the race fails with all of their failures.
 *
 * Trying one candidate after the other is slow: a server that never answers blocks the rest until a timeout. Trying all
 * at once gives every server the full load, even when the first would have answered.
 *
 * Browsers run a staggered race over the addresses of a host (Happy Eyeballs, RFC 8305). Hedged requests run one over
 * two copies of a slow request (Dean and Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013).
 *
 * | to | use |
 * |---|---|
 * | get the winner's value | {@link race} |
 * | get a report of every attempt, also when all fail | {@link outcome} |
 * | turn a report back into the value or the failure | {@link toEffect} |
 * | race candidates that arrive over time | {@link raceStream}, {@link outcomeStream} |
 * | know inside a candidate which attempt it is, or postpone the next start | {@link CurrentAttempt} |
 * | see races in traces and metrics | a tracer, and the option `name`: {@link metrics} |
 *
 * A race has no timeout of its own: put `Effect.timeout` around a candidate, or around the race. It does not judge
 * values: a candidate whose answer is not good enough must fail. It runs each candidate once: `Effect.retry` around the
 * race starts a new one.
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
 * Options of a race. Only `delay` is required.
 *
 * **Details**
 *
 * - Only the `Clock` in the environment tells time, in milliseconds. Under `TestClock`, or any simulated clock, a race
 *   uses no real timer.
 * - An option that makes no sense, such as a negative or `NaN` duration, is a defect: an `IllegalArgumentException`
 *   with the name of the option and its value. Missing options are a defect, too.
 * - What you pass in cannot hang a race. If a schedule or a `Clock` dies, or a `Supervisor` throws, the race dies with
 *   that defect.
 * - TypeScript infers all type parameters. `RD` and `RE` are what the schedule and `onEvent` require.
 *
 * **Gotchas**
 *
 * In `pipe(candidates, StaggeredRace.race(options))` TypeScript reads the options before the candidates. `fatal` and
 * `onEvent` therefore see values of type `unknown`, unless you annotate their parameter.
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
   * How long to wait after a start before the next start: a duration, or a schedule that gives one for each start.
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
   * - The delay is not a timeout. When it has passed, the next attempt starts beside those that run.
   * - Every start restarts the delay, also a start after a failure.
   * - Zero starts all candidates at once. `Duration.infinity` runs them one after the other: only a failure starts the
   *   next.
   * - For connections, RFC 8305 (section 5) recommends 250 milliseconds, and at most 2 seconds. For hedged requests,
   *   "The Tail at Scale" uses the 95th percentile of the latency: about one request in twenty is sent twice.
   * - If an attempt ends at the very instant when the delay has passed, its ending counts first. A success then starts
   *   nothing, and a failure starts one attempt, not two.
   * - On the process's clock, the race therefore gives the event loop one turn before a start by the delay: a
   *   `setImmediate`, which takes microseconds. So it hears what arrived while the process was busy. On any other
   *   `Clock`, the race asks that clock alone. A clock that wakes the last sleeper of an instant first, as `TestClock`
   *   does, wakes older attempts after the timer: there, the rule holds for the newest attempt.
   * - The race steps a schedule once per start, whatever caused the start. The input is the index of the new attempt,
   *   and the delay counts from that start. (`Schedule.fixed` and `Schedule.windowed` keep their own grid, as always.)
   * - When a schedule is done, only failures start the next candidate. A schedule that recurs twice causes at most two
   *   starts by delay. A slow schedule blocks nothing: running attempts can win or fail meanwhile.
   *
   * **Example** (A schedule whose delays grow)
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
   * The least time between two starts, also after a failure. A finite duration; default zero.
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
   * - If all servers refuse at once, a race without it tries the whole list within a moment. To the network, this looks
   *   like an attack. RFC 8305 (section 5) forbids a new connection within 10 milliseconds, and recommends at least
   *   100.
   * - A shorter `delay` is raised to `minDelay`, also a shorter one from a schedule.
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
   * - When a start is due and no place is free, the start waits until an attempt ends. If a place becomes free before
   *   the next start is due, nothing starts.
   * - The race interrupts nothing to make room. Attempts that hang can take all places: limit each with
   *   `Effect.timeout`.
   */
  readonly concurrency?: number | "unbounded" | undefined
  /**
   * Says which failures end the race. Then nothing more starts, and the race interrupts what still runs. Default: none.
   *
   * - `fatal` sees the cause of each attempt that fails before the decision, also defects and interruptions. It does
   *   not see losers.
   * - The race fails with the failures so far: the fatal one first, then the others in candidate order. `catchTag`,
   *   `flip` and `retry` look at the first. The cause does not hold the attempts that the race interrupted.
   * - If `fatal` throws, that is fatal too: the cause holds the failure, then the thrown value as a defect.
   *
   * **Example** (A wrong password is wrong on every server)
   *
   * @example
   * ```ts
   * import { StaggeredRace } from "effect-staggered-race"
   * import * as Cause from "effect/Cause"
   * import * as Data from "effect/Data"
   * import * as Effect from "effect/Effect"
   * import assert from "node:assert"
   *
   * class Unreachable extends Data.TaggedError("Unreachable") {}
   * class WrongPassword extends Data.TaggedError("WrongPassword") {}
   *
   * let asked = 0
   * const logIn = (answer: Effect.Effect<string, Unreachable | WrongPassword>) =>
   *   Effect.zipRight(Effect.sync(() => asked++), answer)
   *
   * const program = StaggeredRace.race([
   *   logIn(new Unreachable()),
   *   logIn(new WrongPassword()),
   *   logIn(Effect.succeed("welcome"))
   * ], {
   *   delay: "250 millis",
   *   fatal: (cause) => Array.from(Cause.failures(cause)).some(({ _tag }) => _tag === "WrongPassword")
   * })
   *
   * assert.strictEqual((await Effect.runPromise(Effect.flip(program)))._tag, "WrongPassword")
   * assert.strictEqual(asked, 2)
   * ```
   */
  readonly fatal?: Predicate.Predicate<Cause.Cause<E>> | undefined
  /**
   * Whether the race returns after its losers have ended (`"await"`, the default) or at the decision (`"background"`).
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
   * - In both modes the race interrupts all losers at the same time, at the decision. They run their finalizers to the
   *   end.
   * - With `"await"`, an attempt that cannot be interrupted delays the result. So do slow children that the winner
   *   forked.
   * - With `"background"`, only `onEvent` reports a clean-up that fails. {@link outcome} reports losers as of the
   *   decision.
   * - With `"background"`, a `Scope` in the environment waits for the losers as it closes. Only then does it release
   *   what they or the winner hold.
   * - A race that is interrupted waits for all of its attempts in both modes.
   */
  readonly losers?: "await" | "background" | undefined
  /**
   * Called for each {@link RaceEvent}: `Started`, `Failed`, `Won`, `Decided`, `Lost`, `SucceededLate`, `SourceFailed`.
   *
   * - Handlers run one at a time, in the order of the events, in a fiber of their own with the caller's environment.
   * - The race never waits for a handler. A slow one may still run after the race has returned.
   * - A handler that fails, dies, throws or is interrupted does not change the race. The race logs it at debug level
   *   and handles the next event.
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
   * Enables {@link metrics}, tagged with this name, and labels the race's span. A string that is not empty. Default:
   * none, and no metrics.
   *
   * Name the kind of race, such as `"mirrors"`. A name made from a request, such as its host, creates new metrics
   * without end.
   */
  readonly name?: string | undefined
}

/**
 * What started an attempt.
 *
 * **Details**
 *
 * - `"first"`: it is the first attempt
 * - `"delay"`: the delay since the newest start had passed
 * - `"failure"`: the newest attempt had failed
 *
 * If the delay makes a start due and it then waits for a free place or for the stream, the reason stays `"delay"`.
 *
 * @since 0.1.0
 * @category models
 */
export type StartedBy = "first" | "delay" | "failure"

/**
 * What held back a start that was due.
 *
 * **Details**
 *
 * - `"concurrency"`: no place was free
 * - `"source"`: the stream had not given the candidate yet
 * - `"minDelay"`: the start before was too recent
 * - `"progress"`: the attempt before had called `progress` or `holdBack`
 *
 * If there were several reasons, it is the one that lasted to the end; `"source"` only if the stream took longer than the
 * other reason had lasted. A timer that is late because the process was busy is no reason.
 *
 * @since 0.1.0
 * @category models
 */
export type HeldBackBy = "concurrency" | "source" | "minDelay" | "progress"

/**
 * What decided a race.
 *
 * **Details**
 *
 * - `"success"`: an attempt succeeded; it is the winner
 * - `"failures"`: every attempt failed and no candidate is left, or there was none at all
 * - `"fatal"`: an attempt failed with a failure that `fatal` accepts
 * - `"timeout"`: a limit has passed that was set by what the race is a part of, such as a connection
 * - `"interruption"`: the caller was interrupted
 * - `"defect"`: something that you passed in died, such as the schedule or the `Clock`
 *
 * Only the `Decided` event shows the last two. Such a race has no {@link Outcome}: it is interrupted, or it dies.
 *
 * @since 0.1.0
 * @category models
 */
export type DecidedBy = "success" | "failures" | "fatal" | "timeout" | "interruption" | "defect"

/**
 * Something that happened in a race. `at` is the time of the `Clock` in milliseconds.
 *
 * **When to use**
 *
 * Use events in `onEvent` to log a race while it runs, or to feed metrics of your own. When the race is over,
 * {@link outcome} is simpler. For the usual metrics, see {@link metrics}.
 *
 * **Details**
 *
 * | event | what happened |
 * |---|---|
 * | `Started` | An attempt started. `startedBy` says why, `dueAt` when the start became due, and `heldBackBy` what it then waited for |
 * | `Failed` | An attempt ended without success, before the decision |
 * | `Won` | An attempt succeeded first. `Decided` follows at once |
 * | `Decided` | From now on nothing starts, and the race interrupts what runs. `by` says why; `pending` is a start that was due and held back. Once per race |
 * | `Lost` | An attempt that still ran at the decision has ended |
 * | `SucceededLate` | An attempt that still ran at the decision has succeeded. Its value is dropped, and its resources are released |
 * | `SourceFailed` | The iterable threw, or the stream failed; it gives no more candidates. Or closing it failed |
 *
 * Every attempt has one `Started`, and one of `Failed`, `Won`, `Lost` and `SucceededLate`. `Failed` and `Won` come
 * before `Decided`; `Lost` and `SucceededLate` come after it. With losers in the background they may come after the
 * race has returned.
 *
 * **Example** (Counting lost attempts)
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
    readonly heldBackBy: Option.Option<HeldBackBy>
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
 * A start that was due and still held back when the race was decided. It never happened.
 *
 * **Gotchas**
 *
 * The race reports it only if it knows that a candidate was left: from an array, a `Chunk` or a `Set`. A stream or
 * another iterable does not say how many it has.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pending {
  /**
   * Since when the start was due, in milliseconds of the `Clock`.
   */
  readonly dueAt: number
  /**
   * What held it back.
   */
  readonly heldBackBy: HeldBackBy
}

/**
 * The attempt whose success decided the race, in an {@link Outcome}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Winner<A> {
  /**
   * The candidate's place in the list, from 0.
   */
  readonly index: number
  /**
   * The value that the attempt succeeded with.
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
   * The candidate's place in the list, from 0.
   */
  readonly index: number
  /**
   * When the start became due, in milliseconds of the `Clock`: the attempt before it had failed, or its delay had
   * passed.
   *
   * The attempt starts at that time, or as soon as the process gets to it. It starts later if something holds it back:
   * see `heldBackBy`.
   */
  readonly dueAt: number
  /**
   * What held back the start from `dueAt` to `startedAt`, if anything did.
   */
  readonly heldBackBy: Option.Option<HeldBackBy>
  /**
   * When the attempt started, in milliseconds of the `Clock`.
   */
  readonly startedAt: number
  /**
   * When the attempt ended, in milliseconds of the `Clock`: after its finalizers and after the children that it forked.
   * If a `Scope` is in the environment and the attempt did not win, also after its resources were released.
   *
   * With `losers: "background"`, an attempt that still ran at the decision has the time of the decision here.
   */
  readonly endedAt: number
  /**
   * When the attempt last called `progress`, in milliseconds of the `Clock`.
   */
  readonly progressedAt: Option.Option<number>
  /**
   * What started the attempt.
   */
  readonly startedBy: StartedBy
  /**
   * How the attempt ended. If its clean-up failed, the cause holds that failure as well.
   *
   * **Gotchas**
   *
   * The exit of a late success holds its value, but its resources are released already. Do not use the value.
   */
  readonly exit: Exit.Exit<A, E>
  /**
   * The part that the attempt played in the race:
   *
   * - `"won"`: its success decided the race
   * - `"failed"`: before the decision, it failed, died, or was interrupted, though not by the race
   * - `"lost"`: it still ran at the decision, and did not succeed
   * - `"late"`: it still ran at the decision, and succeeded
   *
   * Late successes are rare. An interrupted attempt ends as interrupted, even after something uninterruptible, so it
   * has lost. It is late only if it had just succeeded and the race had not seen that before the decision.
   */
  readonly result: "won" | "failed" | "lost" | "late"
}

/**
 * The report of a race: the winner, if there is one, and what became of every attempt.
 *
 * **When to use**
 *
 * Use it in tests, logs and metrics. `Timeline.render` draws it on one time axis, and {@link toEffect} turns it back
 * into the result.
 *
 * **Details**
 *
 * `E2` is the error of the stream that gave the candidates. An iterable has none.
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
   * How the race ended: with the winner's value, or with the failure that {@link race} gives.
   */
  readonly exit: Exit.Exit<A, E | E2>
  /**
   * Every candidate that was started, in candidate order. Candidates that never started are not in it.
   */
  readonly attempts: ReadonlyArray<Attempt<A, E>>
  /**
   * What the iterable threw or the stream failed with, if it did, or what went wrong when it was closed. A race can
   * have a winner all the same.
   */
  readonly sourceFailure: Option.Option<Cause.Cause<E2>>
  /**
   * When the race began, in milliseconds of the `Clock`.
   */
  readonly startedAt: number
  /**
   * When the race was decided. From then on, nothing started.
   */
  readonly decidedAt: number
  /**
   * When the race returned: after its losers had ended, or with `losers: "background"` at the decision.
   */
  readonly endedAt: number
  /**
   * What decided the race.
   */
  readonly decidedBy: DecidedBy
  /**
   * The start that was due and held back at the decision, if there was one.
   */
  readonly pending: Option.Option<Pending>
}

/**
 * The attempt that a candidate runs as: its index, and a way to postpone the next start.
 *
 * @since 0.1.0
 * @category context
 */
export interface CurrentAttempt {
  /**
   * The candidate's place in the list, from 0.
   */
  readonly index: number
  /**
   * Postpones the next start until at least this long from now. Call it when the attempt makes progress, so that the
   * race does not start another one for nothing.
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
   * - It never makes the next start earlier. A failure still starts the next candidate at once.
   * - Only the newest attempt can postpone, and only while it runs. For any other attempt, the call does nothing.
   * - After the next start, the delay counts from that start as usual.
   * - A negative or invalid duration is a defect: an `IllegalArgumentException` with the value.
   *
   * The draft of Happy Eyeballs version 3 asks for this where a connection takes several steps, such as a TLS
   * handshake.
   */
  readonly progress: (duration: Duration.DurationInput) => Effect.Effect<void>
  /**
   * Lets the next start come without the distance from this one that the option `minDelay` asks for. Run it where the
   * attempt has not touched what `minDelay` is there to spare, such as a network.
   *
   * ```text
   * minDelay: "10 millis", and the first attempt runs waiveMinDelay before it fails
   *
   *    0 ms      2    4    6    8    10
   *    └────┴────┴────┴────┴────┴────┴───
   * #0 ┣━━━━━┫ failed
   * #1       +━━━━━━━━━━━━━━━━━━━━━━━━━━━
   * ```
   *
   * Only the newest attempt can do so, and only while it runs. The `delay` stays.
   */
  readonly waiveMinDelay: Effect.Effect<void>
  /**
   * Lets nothing start for at least this long from now, whatever fails meanwhile. Run it where whoever was asked says when
   * to come back, as an HTTP server does by `Retry-After`.
   *
   * ```text
   * delay: "250 millis", and the first attempt runs holdBack("300 millis") before it fails
   *
   *    0 ms     100       200       300       400
   *    └─────────┴─────────┴─────────┴─────────┴───────
   * #0 ┣━━━━━━━━━┫ failed
   * #1           · · · · · · · · · · · · · · · +━━━━━━━
   * ```
   *
   * - Any attempt can hold back the next start while it runs. Of several, the one that asks for the latest time counts.
   * - A negative or invalid duration is a defect: an `IllegalArgumentException` with the value.
   */
  readonly holdBack: (duration: Duration.DurationInput) => Effect.Effect<void>
}

/**
 * The attempt that the effect runs in: `Some` inside a candidate, `None` elsewhere.
 *
 * **When to use**
 *
 * Use it to tell copies apart when all candidates are the same effect, and to report progress.
 *
 * **Details**
 *
 * - It requires nothing from the environment: outside of a race it is `Option.none()`.
 * - In a race inside another race, it is the attempt of the inner one.
 *
 * **Example** (Copies of a request that know which one they are)
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
 *   // The network loses the first copy.
 *   return copy === 0 ? yield* Effect.never : `answer to copy ${copy}`
 * })
 *
 * const answer = await Effect.runPromise(StaggeredRace.race([request, request], { delay: "10 millis" }))
 *
 * assert.strictEqual(answer, "answer to copy 1")
 * ```
 *
 * **Example** (A connection that needs a handshake)
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
 * // It took 300 ms, longer than the delay, and the race made no second connection.
 * assert.strictEqual(outcome.attempts.length, 1)
 * ```
 *
 * @since 0.1.0
 * @category context
 */
export const CurrentAttempt: Context.Reference<CurrentAttempt, Option.Option<CurrentAttempt>> = internal.CurrentAttempt

/**
 * Races effects: each starts when the previous one fails or after a delay, and the first success wins.
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
 * Use it when one of several effects has to succeed, any of them may be slow or fail, and starting all at once costs
 * too much. Examples are the addresses of a host, mirrors, replicas, and copies of a request that is safe to send
 * twice.
 *
 * **Details**
 *
 * *Starting*
 *
 * - Candidates are any iterable of effects, also of different types. The race reads it as `for..of` does, one candidate
 *   per start. An endless iterable is fine: the race closes its iterator at the decision.
 * - If an attempt succeeds without suspending, the race does not read the next candidate, whatever the delay. A race of
 *   candidates that never suspend does not suspend either: `Effect.runSync` can run it.
 * - Only the newest attempt's failure starts the next candidate. An older attempt's failure starts nothing.
 * - Attempts are interruptible, even in an uninterruptible region. Use `Effect.uninterruptible` inside a candidate that
 *   must not be interrupted.
 *
 * *Ending*
 *
 * - An attempt has ended when its fiber has: after its finalizers, after the children that it forked, and after its own
 *   scope has closed. A failure starts the next candidate at that moment.
 * - There is exactly one winner. The race interrupts all other attempts at the same time. By default it returns after
 *   they have ended.
 * - The winner's changes to `FiberRef`s and runtime flags reach the caller. No other attempt's changes do.
 * - If the caller is interrupted, the race interrupts all attempts and waits for them, even while losers clean up after
 *   a win. It then closes the winner's scope as well.
 *
 * *Resources*
 *
 * - If a `Scope` is in the environment, each attempt gets a child of it. The race closes the child of an attempt that
 *   fails or loses. The winner's stays open until the outer scope closes.
 * - Finalizers run one by one or in parallel, as in the outer scope: `Effect.parallelFinalizers` applies.
 * - The race drops the value of a loser that succeeds late, and releases its resources.
 *
 * *Failing*
 *
 * - A defect or an interruption of a single attempt counts as its failure. `fatal` can end the race on it.
 * - When all attempts have failed, the race fails with their causes in candidate order: `sequential` where an attempt
 *   began after all earlier ones had ended, `parallel` where they overlapped. A `fatal` failure comes first.
 * - An iterable that throws gives no more candidates, but running attempts continue. If none wins, the cause also holds
 *   what the iterable threw, as a defect.
 * - A race without candidates dies with an `IllegalArgumentException`. So does a race of something that is not an
 *   iterable: for a `Stream`, the message names {@link raceStream}.
 *
 * **Gotchas**
 *
 * If all attempts fail and one of them dies, the cause holds errors and a defect. `Effect.catchAll`, `either`,
 * `option`, `orElse` and `retry` do not recover from such a cause. `catchTag`, `catchTags`, `catchIf`, `catchSome` and
 * `sandbox` do; `mapError` keeps only the first error. Turn defects of candidates into errors with
 * `Effect.catchAllDefect`, or use {@link outcome}.
 *
 * Put `Effect.scoped` around the code that uses the result. Around a candidate, it releases the winner's resources
 * before you can use them.
 *
 * What an attempt starts with `Effect.fork` ends with the attempt, also if it wins. With `Effect.forkScoped` it lives
 * as long as the attempt's scope.
 *
 * A generator object can be read only once. If you run or retry its race, the second run finds no candidates and dies.
 * Pass an iterable that can start again.
 *
 * Only an array, a `Chunk` or a `Set` says how many candidates it has. With any other iterable the race needs one timer
 * more, to learn that no candidate is left.
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
 * **Example** (The race releases what losers hold before it returns)
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
 * @see {@link outcome} for a report of every attempt
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
 * Runs the same race as {@link race}, and succeeds with a report of it, even if no attempt wins.
 *
 * **When to use**
 *
 * Use it when the winner's value is not enough: to know which candidate won, to log or draw the race, or to handle each
 * failure by itself. In a test, it shows when each attempt started. To go on with the result, see {@link toEffect}.
 *
 * **Details**
 *
 * - It never fails. It can be interrupted with its caller. It can die of invalid options, or of something else that you
 *   passed in and that died, such as the schedule.
 * - Without candidates, it reports no attempts and no winner.
 * - The winner's resources stay open until the outer scope closes, as with {@link race}.
 * - With `losers: "background"`, it reports losers as of the decision: interrupted, at that time.
 *
 * **Example** (Which candidate won)
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
 * @see {@link toEffect} for the way back to the value or the failure
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
 * Turns a report back into the result that the race would have given: the winner's value, or the failure.
 *
 * **When to use**
 *
 * Use it after {@link outcome} or {@link outcomeStream}, to log or draw a race and then go on as after {@link race}.
 *
 * **Details**
 *
 * - If an attempt won, the effect succeeds with its value. The winner's resources stay open as before.
 * - Otherwise it fails as {@link race} or {@link raceStream} would have failed: with the failures of the attempts, and
 *   with that of the source beside them.
 * - If the report has neither attempts nor a failure of the source, it dies with an `IllegalArgumentException`, as
 *   {@link race} does without candidates.
 *
 * **Example** (Log the race, then go on)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Console from "effect/Console"
 * import * as Effect from "effect/Effect"
 *
 * const mirrors = [Effect.fail("refused"), Effect.succeed("hello")]
 *
 * const download = StaggeredRace.outcome(mirrors, { delay: "1 second" }).pipe(
 *   Effect.tap(({ attempts }) => Console.log(`${attempts.length} attempts`)),
 *   Effect.flatMap(StaggeredRace.toEffect)
 * )
 *
 * console.log(await Effect.runPromise(download))
 * // 2 attempts
 * // hello
 * ```
 *
 * @since 0.1.0
 * @category racing
 */
export const toEffect: <A, E, E2 = never>(outcome: Outcome<A, E, E2>) => Effect.Effect<A, E | E2> = internal.toEffect

/**
 * Runs a {@link race} of candidates that arrive over time, from a stream.
 *
 * ```text
 * delay: "250 millis", and the second candidate arrives after 400 ms
 *
 *    0 ms       100         200         300         400        500
 *    └───────────┴───────────┴───────────┴───────────┴──────────┤
 * #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫   lost
 * #1                               · · · · · · · · · +███████████   won, was due at 250
 * ```
 *
 * **When to use**
 *
 * Use it when finding the candidates takes time, and the first need not wait for the last: addresses as the resolver
 * answers, or a list of replicas that comes in pages.
 *
 * **Details**
 *
 * - The race pulls one candidate at a time, when a start is due. A slow stream blocks nothing: running attempts can win
 *   meanwhile, and a candidate that is due starts as it arrives.
 * - The race goes on until the stream has ended, even if all attempts so far have failed.
 * - A stream that fails gives no more candidates, but running attempts can still win. If none does, the cause holds the
 *   stream's failure beside those of the attempts.
 * - At the decision the race interrupts the stream. It finalizes the stream after all attempts, and the children that
 *   they forked, have ended: none loses a resource of the stream while it runs. With `losers: "background"` this happens
 *   in the background.
 * - The stream's finalizers see the exit of the race: a success, a failure, or an interruption.
 * - A stream without elements is a race without candidates. It dies with an `IllegalArgumentException`.
 *
 * **Gotchas**
 *
 * The race starts to pull when a start is due. To have the next candidate ready by then, put a `Stream.buffer` after
 * the slow part of the stream.
 *
 * The race learns that the stream has ended only when it pulls again, so it needs one timer more than for an array.
 *
 * **Example** (Two resolvers, of which the slower knows the better address)
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
 * Runs the same race as {@link raceStream}, and succeeds with a report of it, even if no attempt wins.
 *
 * **When to use**
 *
 * As for {@link outcome}. It also tells the failure of the stream from the failures of the attempts, which
 * {@link raceStream} combines in one cause.
 *
 * **Details**
 *
 * - It never fails. The failure of the stream is the `sourceFailure` of the report, also if an attempt won.
 * - It can be interrupted and it can die, as {@link outcome} can.
 *
 * **Example** (The list of candidates breaks off, and its first entry wins)
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
 * The metrics of races that have a name. This page also describes the spans of all races.
 *
 * **When to use**
 *
 * Use them to see how often the first candidate is not enough, what the others add, and what they cost.
 *
 * **Details**
 *
 * *Metrics*
 *
 * All are tagged with `race`, the name of the race.
 *
 * | metric | type, unit | meaning, and further tags |
 * |---|---|---|
 * | `races`: `staggered_races` | counter, races | races, by `decided_by`: see {@link DecidedBy} |
 * | `attempts`: `staggered_race_attempts` | histogram, attempts | attempts that a race has started |
 * | `decision`: `staggered_race_decision_seconds` | histogram, seconds of the `Clock` | time from the beginning of a race to its decision |
 * | `wins`: `staggered_race_wins` | counter, races | races with a winner, by `index` of the winner: `0` to `7`, or `more` |
 * | `wasted`: `staggered_race_wasted_seconds` | counter, seconds of the `Clock` | running time of attempts that lost or succeeded late |
 *
 * A race is counted at its decision, and its wasted time when each loser ends.
 *
 * *Spans*
 *
 * If there is a tracer, each race has a span, a child of the current one, and each attempt has a child of the race's
 * span. A candidate runs in the span of its attempt. The stream, the schedule and `onEvent` run in the span of the
 * race.
 *
 * | span | attributes | ends | exit |
 * |---|---|---|---|
 * | `staggered_race` | `staggered_race.name`; `staggered_race.decided_by`; `.attempts`, their number; `.winner`, its index | when the race returns | that of the race: a success, its failure, or its interruption |
 * | `staggered_race.attempt` | `staggered_race.attempt.index`; `.started_by`, see {@link StartedBy}; `.result`, see {@link Attempt} | at the event for its end; the winner's, at its win | its failure, if it failed; its interruption, if the race was interrupted; otherwise a success |
 *
 * - So a loser is not an error. Only `onEvent` and {@link outcome} report a failure in its clean-up.
 * - The span of an {@link outcome} is not an error either, even if all attempts failed. See `decided_by`.
 * - Losers in the background end their spans when they end, after the race's own span has ended.
 * - With Effect's default tracer, whose spans nobody sees, and under `Effect.withTracerEnabled(false)`, there are no
 *   spans and no cost.
 * - A tracer or a metric that throws does not change the race. The error is logged at debug level.
 * - Requests of a `Hedge` have spans and metrics of their own instead of these.
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
 * @since 0.1.0
 * @category metrics
 */
export const metrics: {
  readonly races: Metric.Metric.Counter<number>
  readonly attempts: Metric.Metric.Histogram<number>
  readonly decision: Metric.Metric.Histogram<number>
  readonly wins: Metric.Metric.Counter<number>
  readonly wasted: Metric.Metric.Counter<number>
} = internal.metrics
