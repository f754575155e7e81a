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
 * - The first candidate starts at once.
 * - The next candidate starts when the newest attempt fails, or when the delay since its start has passed.
 * - The delay is not a timeout: running attempts continue.
 * - The first success wins. The race returns its value and interrupts all other attempts.
 * - If all attempts fail, the race fails with all of their failures.
 *
 * **When to use**
 *
 * Use it when one of several effects has to succeed and each may be slow or fail. Trying them one after another is
 * slow: one server that never answers blocks the rest. Starting all at once loads every server, even if the first one
 * answers.
 *
 * Browsers race the addresses of a host this way (Happy Eyeballs, RFC 8305). A hedged request races a slow request
 * against a second one (Dean and Barroso, "The Tail at Scale", Communications of the ACM 56(2), 2013).
 *
 * | you want | use |
 * |---|---|
 * | the winner's value | {@link race} |
 * | a report of every attempt, also if all fail | {@link outcome} |
 * | to turn a report back into the value or the failure | {@link toEffect} |
 * | candidates that arrive over time | {@link raceStream}, {@link outcomeStream} |
 * | to know which attempt a candidate runs as, or to postpone the next start | {@link CurrentAttempt} |
 * | traces and metrics | a tracer, and the option `name`: see {@link metrics} |
 *
 * **Details**
 *
 * | term | meaning |
 * |---|---|
 * | candidate | an effect that may start; its *index* is its place in the list, from 0 |
 * | attempt | a candidate that has started; it has a fiber and a scope of its own |
 * | delay | the time between one start and the next, if nothing fails |
 * | winner | the attempt whose success decided the race |
 * | loser | an attempt that was still running when the race was decided |
 * | late success | a loser that succeeded all the same; the race drops its value and releases its resources |
 * | outcome | the report of a race: the winner, if any, and every attempt |
 *
 * **Gotchas**
 *
 * - A race has no timeout. Put `Effect.timeout` around each candidate, or around the race.
 * - A race does not judge values. A candidate must fail if its answer is not good enough.
 * - A race runs each candidate once. `Effect.retry` around it starts a new race.
 *
 * **Example** (The first mirror hangs, the second refuses, the third wins)
 *
 * @example
 * ```ts
 * import { StaggeredRace } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const mirrors = [Effect.never, Effect.fail("refused"), Effect.succeed("hello from the third")]
 *
 * console.log(await Effect.runPromise(StaggeredRace.race(mirrors, { delay: "20 millis" })))
 * // hello from the third
 * ```
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
 * - A race reads time only from the `Clock` in the environment, in milliseconds. Under `TestClock`, or any other
 *   simulated clock, it uses no real timer.
 * - An invalid option, such as a negative or `NaN` duration, is a defect: an `IllegalArgumentException` that names the
 *   option and its value. It is also a defect to pass no options.
 * - Nothing that you pass in can hang a race. If a schedule or a `Clock` dies, or a `Supervisor` throws, the race dies
 *   with that defect.
 * - TypeScript infers all type parameters. `A` and `E` are the types of the candidates. `RD` and `RE` are what the
 *   schedule and `onEvent` require from the environment.
 *
 * **Gotchas**
 *
 * In `pipe(candidates, StaggeredRace.race(options))`, TypeScript reads the options before the candidates. `fatal` and
 * `onEvent` then get values of type `unknown`. Annotate their parameter.
 *
 * **Example** (The figures of RFC 8305, and at most four attempts at once)
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
   * How long to wait after a start before the next start: a duration, or a schedule that gives one per start. Required.
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
   * - The delay is not a timeout. When it has passed, the next attempt starts beside the running ones.
   * - Every start restarts the delay, also a start after a failure.
   * - Zero starts all candidates at once. `Duration.infinity` runs one at a time: only a failure starts the next.
   * - For connections, RFC 8305 (section 5) recommends 250 milliseconds, and at most 2 seconds. For hedged requests,
   *   "The Tail at Scale" uses the 95th percentile of the latency. About one request in twenty is then sent twice.
   *
   * *Schedules*
   *
   * - The race steps the schedule once per start, whatever caused the start. The input is the index of the new attempt,
   *   and the delay counts from that start. `Schedule.fixed` and `Schedule.windowed` keep their own grid.
   * - When the schedule is done, only failures start the next candidate. A schedule that recurs twice causes at most
   *   two starts by delay.
   * - A slow schedule blocks nothing. Running attempts can win or fail meanwhile.
   *
   * *Ties*
   *
   * - If an attempt ends at the same instant as the delay, its ending counts first. A success then starts nothing, and
   *   a failure starts one attempt, not two.
   * - On the process's clock, the event loop gets one turn before each start by delay (`setImmediate`, microseconds).
   *   Answers that arrived while the process was busy therefore count.
   * - `TestClock` wakes the last sleeper of an instant first, so it wakes older attempts after the timer. Under such a
   *   clock, the rule holds only for the newest attempt.
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
   * The least time between two starts, also after a failure. A finite duration. Default zero.
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
   * - Without it, a race tries the whole list within a moment if all servers refuse at once. To the network, this looks
   *   like an attack. RFC 8305 (section 5) forbids a new connection within 10 milliseconds, and recommends at least
   *   100.
   * - The race raises a shorter `delay` to `minDelay`, also one from a schedule.
   * - An attempt can exempt the next start from it: see `waiveMinDelay` of {@link CurrentAttempt}.
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
   * - If a start is due and no place is free, it waits until an attempt ends. If a place becomes free before a start is
   *   due, nothing starts.
   * - The race interrupts nothing to make room. Attempts that hang can take all places. Limit each with
   *   `Effect.timeout`.
   */
  readonly concurrency?: number | "unbounded" | undefined
  /**
   * Decides which failures end the race at once: nothing more starts, and the race interrupts all running attempts.
   * Default: no failure does.
   *
   * - The race calls it with the cause of each attempt that fails before the decision, including defects and
   *   interruptions. It does not call it for losers.
   * - The race then fails with the failures so far. The fatal one comes first, where `catchTag`, `flip` and `retry`
   *   look; the others follow in candidate order. The attempts that the race interrupted are not in the cause.
   * - If `fatal` throws, the failure counts as fatal. The cause holds it, followed by the thrown value as a defect.
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
   * When the race returns: after its losers have ended (`"await"`, the default), or at the decision (`"background"`).
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
   * - In both modes, the race interrupts all losers at the same time, at the decision. They run their finalizers to the
   *   end.
   * - With `"await"`, an attempt that cannot be interrupted delays the result. So do slow fibers that the winner
   *   forked.
   * - With `"background"`, only `onEvent` reports failures in a loser's clean-up. {@link outcome} reports losers as
   *   they are at the decision.
   * - With `"background"`, a `Scope` in the environment waits for the losers when it closes. Then it releases what they
   *   and the winner hold.
   * - If the race itself is interrupted, it waits for all of its attempts in both modes.
   */
  readonly losers?: "await" | "background" | undefined
  /**
   * Called for each {@link RaceEvent}: `Started`, `Failed`, `Won`, `Decided`, `Lost`, `SucceededLate`, `SourceFailed`.
   *
   * - Handlers run one at a time, in the order of the events. They have a fiber of their own and the caller's
   *   environment.
   * - The race never waits for a handler. A slow one may still run after the race has returned.
   * - A handler that fails, dies, throws or is interrupted does not change the race. The race logs the failure at debug
   *   level and goes on with the next event.
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
   * Enables {@link metrics}, tagged with this name, and labels the race's span. A non-empty string. Default: no name
   * and no metrics.
   *
   * Name the kind of race, such as `"mirrors"`. Do not make the name from a request: each new host, for example, would
   * create new metrics.
   */
  readonly name?: string | undefined
}

/**
 * What started an attempt.
 *
 * **Details**
 *
 * | value | the attempt started because |
 * |---|---|
 * | `"first"` | the race began |
 * | `"delay"` | the delay since the newest start had passed |
 * | `"failure"` | the newest attempt had failed |
 *
 * A start that is due by delay may have to wait. It stays `"delay"` while it waits for the stream, or for an older
 * attempt to free a place. If the newest attempt fails and frees the place, it is `"failure"`.
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
 * | value | the race was decided because |
 * |---|---|
 * | `"success"` | an attempt succeeded: the winner |
 * | `"failures"` | every attempt failed and no candidate is left, or there was none |
 * | `"fatal"` | an attempt failed, and the option `fatal` accepted its cause |
 * | `"timeout"` | the `timeout` of a `HappyEyeballs` connection passed; a race of this module has no timeout |
 * | `"interruption"` | the caller was interrupted |
 * | `"defect"` | something that you passed in died, such as the schedule or the `Clock` |
 *
 * A race that ends by `"interruption"` or `"defect"` has no {@link Outcome}: it is interrupted, or it dies. You see
 * these two values in events, spans and metrics only.
 *
 * @since 0.1.0
 * @category models
 */
export type DecidedBy = "success" | "failures" | "fatal" | "timeout" | "interruption" | "defect"

/**
 * Something that happened in a race, as `onEvent` receives it.
 *
 * **When to use**
 *
 * Use events to log a race while it runs, or to feed metrics of your own. To look at a race when it is over,
 * {@link outcome} is simpler. For the usual metrics, see {@link metrics}.
 *
 * **Details**
 *
 * | event | what happened | fields, beside `_tag` and `at` |
 * |---|---|---|
 * | `Started` | an attempt started | `index`, `dueAt`, `startedBy`, `heldBackBy` |
 * | `Failed` | an attempt ended without success, before the decision | `index`, `cause` |
 * | `Won` | an attempt succeeded first; `Decided` follows at once | `index`, `value` |
 * | `Decided` | the race was decided: nothing more starts, and the race interrupts all running attempts | `by`, `pending` |
 * | `Lost` | a loser ended without success | `index`, `cause` |
 * | `SucceededLate` | a loser succeeded all the same; the race dropped its value and released its resources | `index` |
 * | `SourceFailed` | the iterable threw or the stream failed, and gives no more candidates; or closing it failed | `cause` |
 *
 * The fields:
 *
 * | field | meaning |
 * |---|---|
 * | `_tag` | the name of the event |
 * | `at` | when it happened, in milliseconds of the `Clock` |
 * | `index` | which attempt: the place of its candidate in the list, from 0 |
 * | `dueAt` | when the start became due, in milliseconds of the `Clock`; earlier than `at` if the start had to wait |
 * | `startedBy` | what started the attempt: see {@link StartedBy} |
 * | `cause` of `Failed` | why the attempt failed: an error, a defect or an interruption, with any failure of its clean-up |
 * | `cause` of `Lost` | how the attempt ended: the race's interruption, with any failure of its clean-up |
 * | `cause` of `SourceFailed` | the stream's failure, or what the iterable threw, as a defect |
 * | `value` | what the winner succeeded with |
 * | `by` | what decided the race: see {@link DecidedBy} |
 * | `pending` | a start that was due and now never happens, as an `Option`: see {@link Pending} |
 *
 * - Every attempt has one `Started`, and one of `Failed`, `Won`, `Lost` and `SucceededLate`.
 * - Every race has one `Decided`. `Failed` and `Won` come before it; `Lost` and `SucceededLate` come after it.
 * - With losers in the background, `Lost` and `SucceededLate` may come after the race has returned.
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
 * A start that was due but still held back when the race was decided. It never happened.
 *
 * **Gotchas**
 *
 * The race reports it only if it knows that a candidate was left. An array, a `Chunk` or a `Set` tells how many it has;
 * a stream or another iterable does not.
 *
 * @since 0.1.0
 * @category models
 */
export interface Pending {
  /**
   * When the start became due, in milliseconds of the `Clock`.
   */
  readonly dueAt: number
  /**
   * What held it back.
   */
  readonly heldBackBy: HeldBackBy
}

/**
 * The attempt whose success decided the race, as an {@link Outcome} reports it.
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
   * The value that the attempt succeeded with. Its resources stay open until the outer scope closes.
   */
  readonly value: A
}

/**
 * What became of one candidate that started, as an {@link Outcome} reports it.
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
   * The attempt starts then, or as soon as the process gets to it. If something holds it back, it starts later: see
   * `heldBackBy`.
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
   * When the attempt ended, in milliseconds of the `Clock`: after its finalizers and after the fibers that it forked.
   * If there is a `Scope` in the environment and the attempt did not win, also after its resources were released.
   *
   * With `losers: "background"`, it is the time of the decision for an attempt that was still running then.
   */
  readonly endedAt: number
  /**
   * When the attempt last called `progress`, in milliseconds of the `Clock`. `None` if it never did.
   */
  readonly progressedAt: Option.Option<number>
  /**
   * What started the attempt: the beginning of the race, the delay, or a failure.
   */
  readonly startedBy: StartedBy
  /**
   * How the attempt ended: its value or its cause. If its clean-up failed, the cause holds that failure as well.
   *
   * **Gotchas**
   *
   * Do not use the value of a late success: the race has released its resources.
   */
  readonly exit: Exit.Exit<A, E>
  /**
   * What the attempt was to the race:
   *
   * - `"won"`: its success decided the race
   * - `"failed"`: before the decision, it failed, died, or was interrupted, but not by the race
   * - `"lost"`: it was still running at the decision, and did not succeed
   * - `"late"`: it was still running at the decision, and succeeded all the same
   *
   * Late successes are rare. An interrupted attempt has lost, even if something uninterruptible inside it succeeds. It
   * is late only if it succeeds just before the interruption reaches it.
   */
  readonly result: "won" | "failed" | "lost" | "late"
}

/**
 * The report of a race: the winner, if any, and what became of every attempt.
 *
 * **When to use**
 *
 * Use it in tests and logs. `Timeline.render` draws it on one time axis.
 *
 * **Details**
 *
 * | to get | use |
 * |---|---|
 * | the winner's value, or the race's failure, as an effect | {@link toEffect} |
 * | the same as an `Exit` | `exit` |
 * | the winner's value and index, if there is a winner | `winner` |
 * | how each attempt ended | `exit` and `result` of each of the `attempts` |
 * | the failure of the stream or the iterable | `sourceFailure` |
 *
 * `A` and `E` are the types of the candidates. `E2` is the error type of the stream that gave the candidates; it is
 * `never` for an iterable.
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
   * The winner's index and value. `None` if no attempt won.
   */
  readonly winner: Option.Option<Winner<A>>
  /**
   * How the race ended: the winner's value, or the cause that {@link race} or {@link raceStream} fails with.
   */
  readonly exit: Exit.Exit<A, E | E2>
  /**
   * Every attempt, in candidate order. Candidates that never started are not in it.
   */
  readonly attempts: ReadonlyArray<Attempt<A, E>>
  /**
   * Why the stream failed, what the iterable threw, or what went wrong when the race closed it. `None` if nothing did.
   * The race can have a winner all the same.
   */
  readonly sourceFailure: Option.Option<Cause.Cause<E2>>
  /**
   * When the race began, in milliseconds of the `Clock`.
   */
  readonly startedAt: number
  /**
   * When the race was decided, in milliseconds of the `Clock`. Nothing started after that.
   */
  readonly decidedAt: number
  /**
   * When the race returned, in milliseconds of the `Clock`: after its losers had ended or, with `losers: "background"`,
   * at the decision.
   */
  readonly endedAt: number
  /**
   * What decided the race, such as a success or the last failure.
   */
  readonly decidedBy: DecidedBy
  /**
   * The start that was due and held back at the decision. `None` if there was none, or if the race does not know.
   */
  readonly pending: Option.Option<Pending>
}

/**
 * The attempt that a candidate runs as: its index, and ways to move the next start.
 *
 * **Details**
 *
 * | call | the next start |
 * |---|---|
 * | `progress(duration)` | waits at least that long, unless the newest attempt fails |
 * | `holdBack(duration)` | waits at least that long, even if attempts fail |
 * | `waiveMinDelay` | may come before `minDelay` has passed |
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
   * Postpones the next start until at least this long from now. Run it when the attempt makes progress, so that the
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
   * - It never makes the next start earlier. If the newest attempt fails, the next candidate still starts at once.
   * - It works only for the newest attempt while that runs. For any other attempt, it does nothing.
   * - After the next start, the delay counts from that start as usual.
   * - A negative or invalid duration is a defect: an `IllegalArgumentException` with the value.
   *
   * The draft of Happy Eyeballs version 3 asks for this when a connection takes several steps, such as a TLS handshake.
   */
  readonly progress: (duration: Duration.DurationInput) => Effect.Effect<void>
  /**
   * Exempts the next start from `minDelay`. Run it when the attempt has not used what `minDelay` protects, such as the
   * network.
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
   * - It works only for the newest attempt while that runs. For any other attempt, it does nothing.
   * - It does not change the `delay`.
   */
  readonly waiveMinDelay: Effect.Effect<void>
  /**
   * Postpones the next start until at least this long from now, even if attempts fail meanwhile. Run it when a server
   * asks you to wait, as an HTTP server does with `Retry-After`.
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
   * - It works for any attempt that is still running. If several attempts ask, the latest time counts.
   * - If every attempt has failed and no candidate is left, the race fails at once.
   * - A negative or invalid duration is a defect: an `IllegalArgumentException` with the value.
   */
  readonly holdBack: (duration: Duration.DurationInput) => Effect.Effect<void>
}

/**
 * Tells which attempt the code runs in: `Some` inside a candidate, `None` elsewhere.
 *
 * **When to use**
 *
 * Use it to tell attempts apart when all candidates are the same effect, and to move the next start.
 *
 * **Details**
 *
 * - It requires nothing from the environment.
 * - In a race inside another race, it is the attempt of the inner one.
 *
 * **Example** (The same request twice, and each attempt knows its index)
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
 *   const index = Option.match(attempt, { onNone: () => 0, onSome: ({ index }) => index })
 *   // The network loses the first request.
 *   return index === 0 ? yield* Effect.never : `answer to attempt ${index}`
 * })
 *
 * const answer = await Effect.runPromise(StaggeredRace.race([request, request], { delay: "10 millis" }))
 *
 * assert.strictEqual(answer, "answer to attempt 1")
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
 * // The attempt took 300 ms, longer than the delay, but the race did not start a second one.
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
 * Use it when one of several effects has to succeed, and starting all at once costs too much. Examples are the addresses
 * of a host, mirrors, and replicas. Another is the same request twice, if that is safe.
 *
 * **Details**
 *
 * *Starting*
 *
 * - Candidates are any iterable of effects, also of different types. The race reads it as `for..of` does, one candidate
 *   per start.
 * - An endless iterable is fine. The race closes its iterator at the decision.
 * - Only a failure of the newest attempt starts the next candidate. If an older attempt fails, nothing starts.
 * - If an attempt succeeds without suspending, the race does not read the next candidate, whatever the delay. If no
 *   attempt suspends, the race does not either: `Effect.runSync` can run it.
 * - Attempts are interruptible, even if the race runs in an uninterruptible region. Inside a candidate, protect what
 *   must not be interrupted with `Effect.uninterruptible`.
 *
 * *Ending*
 *
 * - An attempt ends with its fiber: after its finalizers, after the fibers that it forked, and after its scope has
 *   closed. A failure starts the next candidate at that moment.
 * - There is exactly one winner. The race interrupts all losers at the same time and, by default, waits until they have
 *   ended.
 * - The winner's changes to `FiberRef`s and runtime flags reach the caller. No other attempt's changes do.
 * - If the caller is interrupted, the race interrupts all attempts and waits for them. If an attempt has already won,
 *   the race then closes the winner's scope as well.
 *
 * *Resources*
 *
 * - If there is a `Scope` in the environment, each attempt gets a child of it. When an attempt fails or loses, the race
 *   closes its child. The winner's child stays open until the outer scope closes.
 * - Finalizers run as the outer scope runs them, one by one or in parallel. `Effect.parallelFinalizers` applies.
 * - The race drops the value of a late success and releases its resources.
 *
 * *Failing*
 *
 * - A defect or an interruption of one attempt counts as its failure. `fatal` can end the race on it.
 * - If all attempts fail, the race fails with their causes in candidate order. A cause is `sequential` where an attempt
 *   started after all earlier ones had ended, and `parallel` where they overlapped. A `fatal` failure comes first.
 * - If the iterable throws, it gives no more candidates, but running attempts continue. If none wins, the cause also
 *   holds what the iterable threw, as a defect.
 * - A race without candidates dies with an `IllegalArgumentException`. So does a race of anything but an iterable. For
 *   a `Stream`, the message names {@link raceStream}.
 *
 * **Gotchas**
 *
 * - If all attempts fail and one of them dies, the cause holds errors and a defect. `Effect.catchAll`, `either`,
 *   `option`, `orElse` and `retry` do not recover from such a cause. `catchTag`, `catchTags`, `catchIf`, `catchSome`
 *   and `sandbox` do. `mapError` keeps only the first error. Turn the defects of candidates into errors with
 *   `Effect.catchAllDefect`, or use {@link outcome}.
 * - Put `Effect.scoped` around the code that uses the result. Around a candidate, it releases the winner's resources
 *   before you can use them.
 * - A fiber that an attempt starts with `Effect.fork` ends with the attempt, even if the attempt wins. With
 *   `Effect.forkScoped`, it lives as long as the attempt's scope.
 * - A generator object can be read only once. If you run or retry its race, the second run finds no candidates and
 *   dies. Pass an iterable that can start again.
 * - Only an array, a `Chunk` or a `Set` says how many candidates it has. With any other iterable, the race needs one
 *   more timer to learn that no candidate is left.
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
 * Use it to know which candidate won, to log or draw the race, or to handle each failure by itself. In a test, it shows
 * when each attempt started. To get from the report to the value or the failure, use {@link toEffect}.
 *
 * **Details**
 *
 * - It never fails. It is interrupted with its caller. It dies if an option is invalid, or if something that you passed
 *   in dies, such as the schedule.
 * - Without candidates, it reports no attempts and no winner.
 * - The winner's resources stay open until the outer scope closes, as with {@link race}.
 * - With `losers: "background"`, it reports losers as they are at the decision: interrupted at that time.
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
 * Turns a report into the result that the race would have given: the winner's value, or the failure.
 *
 * **When to use**
 *
 * Use it after {@link outcome} or {@link outcomeStream}: log or draw the race, then go on as after {@link race}.
 *
 * **Details**
 *
 * - If an attempt won, the effect succeeds with its value. The winner's resources stay open as before.
 * - Otherwise it fails as {@link race} or {@link raceStream} does: with the failures of the attempts and, beside them,
 *   that of the source.
 * - If there were no candidates and the source did not fail, it dies with an `IllegalArgumentException`, as
 *   {@link race} does.
 * - It runs nothing. It is the report's `exit`, as an effect.
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
 * Runs a {@link race} whose candidates arrive over time, from a stream.
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
 * Use it when it takes time to find the candidates, and the first can start before the last is known. Examples are
 * addresses as the resolver answers, and a list of replicas that comes in pages.
 *
 * **Details**
 *
 * - The race pulls one candidate at a time, when a start is due. If the stream is slow, running attempts can win
 *   meanwhile. A candidate that is due starts as soon as it arrives.
 * - The race goes on until the stream ends, even if all attempts so far have failed.
 * - If the stream fails, it gives no more candidates, but running attempts can still win. If none does, the cause holds
 *   the stream's failure beside those of the attempts.
 * - At the decision, the race interrupts the stream. It finalizes the stream after all attempts, and the fibers that
 *   they forked, have ended. So no attempt loses a resource of the stream while it runs. With `losers: "background"`,
 *   this happens in the background.
 * - The stream's finalizers see the exit of the race: a success, a failure, or an interruption.
 * - A stream without elements is a race without candidates: it dies with an `IllegalArgumentException`.
 *
 * **Gotchas**
 *
 * - The race pulls only when a start is due. To have the next candidate ready by then, put a `Stream.buffer` after the
 *   slow part of the stream.
 * - The race learns that the stream has ended only when it pulls again. So it needs one more timer than for an array.
 *
 * **Example** (Two resolvers; the slower one knows the better address)
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
 * Use it as {@link outcome}. It also keeps the failure of the stream apart from those of the attempts.
 * {@link raceStream} combines them in one cause.
 *
 * **Details**
 *
 * - It never fails. The failure of the stream is the `sourceFailure` of the report, also if an attempt won.
 * - It is interrupted and it dies as {@link outcome} does.
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
 * The metrics of races that have a `name`. This page also describes the spans of all races.
 *
 * **When to use**
 *
 * Use them to see how often the first candidate is not enough, what the other attempts gain, and what they cost.
 *
 * **Details**
 *
 * *Metrics*
 *
 * | metric, and its exported name | type, unit | meaning | tags |
 * |---|---|---|---|
 * | `races`: `staggered_races` | counter, races | races, at their decision | `race`, `decided_by`: see {@link DecidedBy} |
 * | `attempts`: `staggered_race_attempts` | histogram, attempts | how many attempts a race started before its decision | `race` |
 * | `decision`: `staggered_race_decision_seconds` | histogram, seconds | the time from the start of a race to its decision | `race`, `unit`: `s` |
 * | `wins`: `staggered_race_wins` | counter, races | races with a winner, at their decision | `race`, `index` of the winner: `0` to `7`, or `more` |
 * | `wasted`: `staggered_race_wasted_seconds` | counter, seconds | the running time of losers, added when each loser ends | `race`, `unit`: `s` |
 *
 * - The tag `race` is the option `name`. Tags that the caller sets with `Effect.tagMetrics` are added.
 * - Seconds are those of the `Clock` in the environment.
 *
 * *Export*
 *
 * They are metrics of Effect, so Effect's exporters send them. With `@effect/opentelemetry`, pass a `metricReader` to
 * `NodeSdk.layer`, or use `Otlp.layer`. Both read the unit from the tag `unit`. Without an exporter, `Metric.snapshot`
 * lists all metrics of the process. `Metric.value` reads one metric, for one set of tags: see the example.
 *
 * *Spans*
 *
 * If there is a tracer, each race has a span, a child of the current span. Each attempt has a child of the race's span.
 * A candidate runs in the span of its attempt. The stream, the schedule and `onEvent` run in the span of the race.
 *
 * | span | attribute | value |
 * |---|---|---|
 * | `staggered_race` | `staggered_race.name` | the option `name`, if it is set |
 * | | `staggered_race.decided_by` | what decided the race: see {@link DecidedBy} |
 * | | `staggered_race.attempts` | how many attempts started |
 * | | `staggered_race.winner` | the index of the winner, if there is one |
 * | `staggered_race.attempt` | `staggered_race.attempt.index` | the index of the attempt |
 * | | `staggered_race.attempt.started_by` | what started it: see {@link StartedBy} |
 * | | `staggered_race.attempt.result` | `won`, `failed`, `lost` or `late`: see {@link Attempt} |
 *
 * A loser is not an error:
 *
 * | span | ends | exit |
 * |---|---|---|
 * | `staggered_race` | when the race returns | the race's own: a success, a failure, or an interruption |
 * | `staggered_race.attempt` | with its event `Failed`, `Won`, `Lost` or `SucceededLate` | its failure, if it failed; its interruption, if the caller was interrupted; otherwise a success |
 *
 * - Only `onEvent` and {@link outcome} report a failure in a loser's clean-up.
 * - The span of an {@link outcome} is not an error either, even if all attempts failed. Look at `decided_by`.
 * - With losers in the background, their spans end after the race's span.
 * - There are no spans, and no cost, with Effect's default tracer or under `Effect.withTracerEnabled(false)`.
 * - A tracer or a metric that throws does not change the race. The race logs the error at debug level.
 * - Requests of a `Hedge` have their own spans and metrics instead.
 *
 * **Example** (Reading how often the second mirror won)
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
