/**
 * Hedged requests: one more copy of a request is sent when the first is late, and the first good answer is taken. It
 * cuts off the slowest answers at the price of a few requests that are sent twice (Dean and Barroso, *The Tail at Scale*,
 * Communications of the ACM 56(2), 2013).
 *
 * A copy more for each late answer is a copy more for all of them when everything is late, and so a hedge can turn a slow
 * server into one that is down. So a policy that is made by {@link make} has a budget, which every call fills a little
 * and every copy empties: by default, one copy for twenty calls.
 *
 * @module
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Either from "effect/Either"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Metric from "effect/Metric"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Schedule from "effect/Schedule"
import type * as Types from "effect/Types"
import * as budgets from "./internal/hedge/budget.js"
import * as calls from "./internal/hedge/call.js"
import * as internalMetrics from "./internal/hedge/metrics.js"
import * as policies from "./internal/hedge/policy.js"

/**
 * What a {@link Budget} is known by.
 *
 * @since 0.1.0
 * @category symbols
 */
export const BudgetTypeId: unique symbol = budgets.TypeId

/**
 * What a {@link Budget} is known by.
 *
 * @since 0.1.0
 * @category symbols
 */
export type BudgetTypeId = typeof BudgetTypeId

/**
 * What a {@link Policy} is known by.
 *
 * @since 0.1.0
 * @category symbols
 */
export const PolicyTypeId: unique symbol = policies.TypeId

/**
 * What a {@link Policy} is known by.
 *
 * @since 0.1.0
 * @category symbols
 */
export type PolicyTypeId = typeof PolicyTypeId

/**
 * A delay that is learnt: how long earlier requests took, their hedges apart.
 *
 * @since 0.1.0
 * @category models
 */
export interface Percentile {
  readonly _tag: "Percentile"
  readonly quantile: number
  readonly aboveMax: "clamp" | "skip"
  readonly warmup: number
  readonly keys: number
  /** Milliseconds, as those that follow. */
  readonly min: number
  readonly max: number
  readonly window: number
}

/**
 * How {@link percentile} learns.
 *
 * @since 0.1.0
 * @category models
 */
export interface PercentileOptions {
  /** The least delay. Default 1 millisecond. */
  readonly min?: Duration.DurationInput | undefined
  /** The greatest delay. Default: none. */
  readonly max?: Duration.DurationInput | undefined
  /**
   * What to do while the percentile is above `max`: send hedges after `max`, or none. Default `"clamp"`: what makes it
   * that high is often a part of the calls, such as those to one server that is down, and hedges are what helps those.
   */
  readonly aboveMax?: "clamp" | "skip" | undefined
  /**
   * How many calls have to have ended before the policy sends any hedge. Default 20, or `1 / (1 - quantile)` if that is
   * more: the slowest of fewer calls is exceeded more often than you ask for. With a `warmup` of less, the first delays
   * are that slowest call's, and there are more hedges at first.
   */
  readonly warmup?: number | undefined
  /**
   * How long a call counts: one window at least, two at most. A window lasts longer where fewer calls end in it than the
   * default `warmup`, or yours if that is more. Milliseconds of the `Clock`. Default 30 seconds.
   */
  readonly window?: Duration.DurationInput | undefined
  /**
   * How many keys have a delay of their own: those that were called last. Each takes a few kilobytes. `Infinity` for no
   * limit. Default 256. See {@link CallOptions}.
   */
  readonly keys?: number | undefined
}

/**
 * A delay that the given share of calls stays below: with 0.95, a hedge is sent for one call in twenty.
 *
 * **When to use**
 *
 * Where nobody knows how long answers take, or where that changes.
 *
 * **Details**
 *
 * - The policy records how long the *first* request of a call took. Of a first request that lost, it records that it would
 *   have taken longer. So the share of calls that are slower than the delay stays true. Of winners alone, the delay would
 *   sink, and hedges be sent two to six times as often; of calls without a hedge alone, almost always.
 * - Failures, and answers that are not accepted, are not recorded if they are quicker than the delay; slower ones count
 *   as cut off. While no hedges are sent, as too little is known, none is recorded.
 * - The estimate is never too low and at most 1 % too high, and takes the same time and memory however many calls there
 *   are.
 * - It is the percentile of the next call, not of those that are known, which makes a difference of one call: so hedges
 *   are about as rare as you ask for however little is known.
 * - Where more calls than `1 - quantile` never answer, as where one server of three hangs, the percentile cannot be known.
 *   Then the delay is the slowest answer that is known; up to twice that while those that hang may be chance.
 * - With `probability: "auto"`, a hedge is sent a little earlier, to a part of the late calls only, so that their share of
 *   all is the same, and no more than the budget's ratio. Where hedges are independent, no policy has a lower tail for
 *   as many hedges (Kaler, He and Elnikety, *Optimal Reissue Policies for Reducing Tail Latency*, SPAA 2017). It takes
 *   `1 / (1 - targetQuantile)` known calls: with fewer, the delay is the percentile.
 *
 * **Gotchas**
 *
 * - It takes a policy that is made once, by {@link make}.
 * - Give a `max`. Where a server hangs, the delay is otherwise as long as the slowest answer.
 * - Without a budget, this is the delay that lets a slow server never recover: the slower all answers are, the more
 *   hedges it gets, and where it works on requests that nobody waits for any more, they are what makes it slow.
 * - The policy looks at the estimate again when what is known has grown by a fiftieth.
 * - A rare quantile needs many calls. At 0.999 it takes a thousand before the first hedge, and then the newest thousand
 *   to two thousand count, however old they are: with one call a second, the delay takes half an hour to follow. Under
 *   one call a minute, 0.95 is as slow; a delay that you know serves such callers better. {@link stats} shows what is
 *   known.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 *
 * export const policy = Hedge.make({
 *   delay: Hedge.percentile(0.95, { min: "5 millis", max: "2 seconds" })
 * })
 * ```
 *
 * @throws `IllegalArgumentException` if an option makes no sense.
 *
 * @since 0.1.0
 * @category delays
 */
export const percentile: (quantile: number, options?: PercentileOptions) => Percentile = policies.percentile

/**
 * How calls pay for copies.
 *
 * @since 0.1.0
 * @category models
 */
export interface BudgetOptions {
  /** How many copies there are to be for each call, at most. Default 0.05: one for twenty. */
  readonly ratio?: number | undefined
  /**
   * How many hedges can be saved up, at most. The bursts of all processes of a fleet add up, so the default follows the
   * load: as many as the calls of a second deposit, and one at least.
   */
  readonly burst?: number | undefined
  /** How long a call counts. Milliseconds of the `Clock`. Default 1 minute. */
  readonly window?: Duration.DurationInput | undefined
  /** How many copies may be under way at once. Default 32. */
  readonly maxInFlight?: number | undefined
}

/**
 * What policies may spend on copies. Several can share one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  readonly [BudgetTypeId]: BudgetTypeId
}

/**
 * A budget for several policies.
 *
 * **Details**
 *
 * - Each call deposits `ratio` of a copy, which can be spent for `window`, and no less than nine tenths of it; it
 *   starts empty, and holds `burst` copies. So
 *   of any `n` calls in a row, at most `ratio * n + burst` get a copy.
 * - A copy is paid for before it is sent, in one step; where there is not enough, it is not sent, and what runs goes on.
 * - Calls that are late all at once are a sign of a server that has too much to do: `burst` is how many of them are given
 *   copies all the same.
 *
 * **Gotchas**
 *
 * Where fewer calls are made in a `window` than one copy costs, `1 / ratio` of them, none is ever sent: by default,
 * where there are fewer than twenty in a minute. Those need a longer window.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * export const policies = Effect.gen(function*() {
 *   const budget = yield* Hedge.makeBudget({ ratio: 0.02 })
 *   const reads = yield* Hedge.make({ delay: "50 millis", budget })
 *   const searches = yield* Hedge.make({ delay: "500 millis", budget })
 *   return { reads, searches }
 * })
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBudget: (options?: BudgetOptions) => Effect.Effect<Budget> = budgets.make

/**
 * Pays for one more request out of a budget; `false` if there is not enough in it.
 *
 * **When to use**
 *
 * Where requests are retried as well: then copies and retries together stay within the budget.
 *
 * **Gotchas**
 *
 * - What is in flight is not counted, as a retry begins when what it repeats has ended.
 * - Pay when it is certain that there will be a retry: `Effect.retry({ times, while })` asks its `while` after the last
 *   try as well.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Schedule from "effect/Schedule"
 *
 * const program = Effect.gen(function*() {
 *   const budget = yield* Hedge.makeBudget({ ratio: 0.1 })
 *   const policy = yield* Hedge.make({ delay: "50 millis", budget })
 *   const retries = Schedule.recurs(3).pipe(Schedule.whileInputEffect(() => Hedge.tryAcquire(budget)))
 *   return yield* Effect.fail("refused").pipe(Hedge.hedge(policy), Effect.retry(retries), Effect.flip)
 * })
 *
 * console.log(await Effect.runPromise(program)) // refused
 * ```
 *
 * @since 0.1.0
 * @category budgets
 */
export const tryAcquire: (budget: Budget) => Effect.Effect<boolean> = budgets.tryAcquire

/**
 * Changes how many copies there are to be for each call, while the program runs.
 *
 * **Details**
 *
 * What has been deposited keeps its worth, but for a ratio of zero: then nothing is spent, until the ratio is raised
 * again. Copies that are under way go on.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * export const program = Effect.gen(function*() {
 *   const budget = yield* Hedge.makeBudget({ ratio: 0.01 })
 *   yield* Hedge.setRatio(budget, 0.1)
 * })
 * ```
 *
 * @throws `IllegalArgumentException`, as a defect, if the ratio is not from 0 to 1.
 *
 * @since 0.1.0
 * @category budgets
 */
export const setRatio: {
  (ratio: number): (budget: Budget) => Effect.Effect<void>
  (budget: Budget, ratio: number): Effect.Effect<void>
} = dual(2, budgets.setRatio)

/**
 * When to send another copy, and which answer is good enough.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<in A = unknown, in E = unknown> {
  /**
   * How long a copy is given before the next is sent: a duration, a `Schedule` that is stepped once per copy with its
   * index, or what {@link percentile} learns. Milliseconds of the `Clock`.
   */
  readonly delay: Duration.DurationInput | Schedule.Schedule<unknown, number> | Percentile
  /** How many copies may be sent besides the first. Default 1. */
  readonly maxHedges?: number | undefined
  /**
   * How many attempts may take the place of a failed one without being paid for. They start at once, and only for a
   * failure of the newest attempt. When there are none left, a failure brings the next hedge forward, which the budget
   * pays for. Default 0.
   */
  readonly failovers?: number | undefined
  /**
   * With which probability a copy is sent to a call that is late. `"auto"`: the delay and the probability are chosen
   * together, out of what a {@link percentile} has learnt; see there. Drawn from the `Random` in the environment. Copies
   * that a failure brings forward are always sent. Default 1.
   */
  readonly probability?: number | "auto" | undefined
  /** The quantile of calls that `"auto"` makes least. Default 0.99. */
  readonly targetQuantile?: number | undefined
  /**
   * Whether a success may win. One that may not is as a failure: what it holds is released, and then the next copy is
   * sent. But where no other copy runs, and none may be sent, it is what the call succeeds with, and what it holds is
   * kept. If only failures come after it, the call fails with them, unless it held nothing: then it is what the call
   * succeeds with all the same, if no failure is `fatal` or a defect.
   */
  readonly accept?: Predicate.Predicate<A> | undefined
  /** The failures after which no copy is of use. They end the call. */
  readonly fatal?: Predicate.Predicate<Cause.Cause<E>> | undefined
  /** What the end of a copy says about those that follow. Those that run go on. */
  readonly pushback?: ((exit: Exit.Exit<A, E>) => Pushback) | undefined
  /** Whether copies are sent at all, asked for each call. */
  readonly enabled?: Effect.Effect<boolean> | undefined
  /** As in `StaggeredRace`. Default `"await"`. Databases want `"background"`: see {@link hedge}. */
  readonly losers?: "await" | "background" | undefined
  /**
   * Makes calls tell of themselves: it tags {@link metrics} and, where there is a tracer, a span for each copy. Default:
   * they do not, and there are no spans of theirs in a trace.
   */
  readonly name?: string | undefined
}

/**
 * What a server says about when it will take another request: `true` for none any more, `false` for whenever one is due,
 * or how long it is to get none. gRPC calls it so
 * (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback); HTTP has `Retry-After`.
 *
 * @since 0.1.0
 * @category models
 */
export type Pushback = boolean | Duration.DurationInput

/**
 * Options of {@link make}.
 *
 * @since 0.1.0
 * @category models
 */
export interface MakeOptions<in A = unknown, in E = unknown> extends Options<A, E> {
  /** What may be spent on copies. Default: that of {@link BudgetOptions}, of the policy's own. */
  readonly budget?: Budget | BudgetOptions | "unlimited" | undefined
}

/**
 * When to send another copy, with what calls share: what they have learnt, and their budget.
 *
 * @since 0.1.0
 * @category models
 */
export interface Policy<in A = unknown, in E = unknown> {
  readonly [PolicyTypeId]: {
    readonly _A: Types.Contravariant<A>
    readonly _E: Types.Contravariant<E>
  }
}

/**
 * Makes a policy for many calls.
 *
 * **When to use**
 *
 * Once for each kind of request, or for each server, in a layer or as the program starts.
 *
 * **Details**
 *
 * A policy whose `accept`, `fatal` or `pushback` looks at answers or failures is one for calls that give these: a
 * `Hedge.Policy<Answer, Failure>`. A policy without them is one for any call.
 *
 * **Example** (A policy as a service)
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Context from "effect/Context"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * class Reads extends Context.Tag("Reads")<Reads, Hedge.Policy>() {
 *   static readonly Live = Layer.effect(
 *     Reads,
 *     Hedge.make({ delay: Hedge.percentile(0.95, { max: "2 seconds" }), name: "reads" })
 *   )
 * }
 *
 * const read = (id: number) =>
 *   Effect.flatMap(Reads, (policy) => Hedge.hedge(Effect.succeed(`answer to ${id}`), policy))
 *
 * console.log(await Effect.runPromise(Effect.provide(read(1), Reads.Live))) // answer to 1
 * ```
 *
 * **Example** (A policy in one program)
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const policy = yield* Hedge.make({ delay: Hedge.percentile(0.95, { max: "2 seconds" }) })
 *   const request = (id: number) => Effect.succeed(`answer to ${id}`).pipe(Hedge.hedge(policy))
 *   return yield* Effect.forEach([1, 2, 3], request)
 * })
 *
 * console.log(await Effect.runPromise(program)) // [ "answer to 1", "answer to 2", "answer to 3" ]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: <A = unknown, E = unknown>(options: MakeOptions<A, E>) => Effect.Effect<Policy<A, E>> = policies.make

/**
 * What a single call says.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions {
  /**
   * What the request is sent to, such as a server: calls of one key have a delay of their own. Until enough of them have
   * ended (`warmup`), they go by what all calls of the policy have taught. With more keys than the option `keys` of
   * {@link percentile}, those that were not called for longest begin anew. Default: none, or `""`; such calls go by all.
   */
  readonly key?: string | undefined
  /** The delay of this call, in the place of the policy's: because of its size, say, or of the time it has left. */
  readonly delay?: Duration.DurationInput | undefined
}

/**
 * Sends another copy of an effect if the first is late, and takes the first good answer.
 *
 * **When to use**
 *
 * For requests that may safely be sent twice, whose slowest answers are much slower than most.
 *
 * **Details**
 *
 * ```text
 * delay: "50 millis"
 *
 *    0 ms        20        40   50   60        80
 *    └───────────┴─────────┴────┴────┴─────────┴
 * #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫      late: interrupted
 * #1                            +████████████      answers: taken
 * ```
 *
 * - It is a `StaggeredRace.race` of copies: the rules for scopes, interruption and causes are the same. Inside a copy,
 *   `StaggeredRace.CurrentAttempt` tells which one it is.
 * - If the newest copy fails, the next one is sent at once, and paid for as well.
 * - Where no copy may be sent, what runs goes on, and the call is as it would be without.
 * - If all have failed, the causes are in the order in which the copies were sent.
 *
 * **Gotchas**
 *
 * - Plain options are a policy without a budget, whose calls know nothing of each other.
 * - The failure of an older copy sends nothing. In gRPC, any failure that is not fatal sends the next copy
 *   (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#hedging-policy).
 * - With `losers: "background"`, a copy that has lost may still run when the call has returned. Until its clean-up is
 *   over, it can touch what copies share, such as a file or a transaction. A `Scope` in the environment waits for it.
 * - For a database, use a pool for each replica, `losers: "background"`, and connections apart from the pools to cancel
 *   lost queries. With `"await"`, a read waits until the replica that hangs has taken the cancellation. With pools of
 *   5 connections, 20 reads at a time, and a replica that hung for 5 seconds, p99 was 5.0 seconds; with `"background"`,
 *   it was 0.1 to 0.5. A pool whose clients all wait for another one of it, to cancel with, waits for ever. A test has
 *   the code (https://github.com/effect-staggered-race/effect-staggered-race/blob/main/test/clients/databases.test.ts).
 *   Give the pools a limit for how long a client is waited for: of what waits in them, nothing can be taken back.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * let sent = 0
 * const request = Effect.suspend(() => ++sent === 1 ? Effect.never : Effect.succeed(`answer to copy ${sent}`))
 *
 * const program = request.pipe(Hedge.hedge({ delay: "20 millis" }))
 *
 * console.log(await Effect.runPromise(program)) // answer to copy 2
 * ```
 *
 * @since 0.1.0
 * @category hedging
 */
export const hedge: {
  <A, E>(
    policy: Policy<A, E> | Options<A, E>,
    options?: CallOptions
  ): <A1 extends A, E1 extends E, R>(self: Effect.Effect<A1, E1, R>) => Effect.Effect<A1, E1, R>
  <A, E, R>(
    self: Effect.Effect<A, E, R>,
    policy: Policy<Types.NoInfer<A>, Types.NoInfer<E>> | Options<Types.NoInfer<A>, Types.NoInfer<E>>,
    options?: CallOptions
  ): Effect.Effect<A, E, R>
} = dual((args) => Effect.isEffect(args[0]), calls.hedge)

/**
 * Hedges a request over several targets: the first candidate is the request, and each hedge is the next one.
 *
 * **When to use**
 *
 * When a hedge should not go where the request hangs: to another replica, or over another connection.
 *
 * **Details**
 *
 * - It works as {@link hedge} does. The call pulls a candidate when it is due, and closes an iterator that has more.
 * - When no candidate is left, no hedge is sent, and what runs goes on.
 *
 * **Gotchas**
 *
 * - `maxHedges` is 1 by default: with three candidates, the third is never tried.
 * - Without candidates, the call dies with an `IllegalArgumentException`.
 * - An error that the iterable throws ends the candidates, and is part of the cause if all attempts fail.
 * - A generator object can be read once. To run the effect twice, pass an array, or another iterable that begins anew.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const replicas = [Effect.never, Effect.succeed("answer of b")]
 *
 * const program = Hedge.hedgeAll(replicas, { delay: "20 millis" })
 *
 * console.log(await Effect.runPromise(program)) // answer of b
 * ```
 *
 * @since 0.1.0
 * @category hedging
 */
export const hedgeAll: {
  <A, E>(
    policy: Policy<A, E> | Options<A, E>,
    options?: CallOptions
  ): <Eff extends Effect.Effect<A, E, unknown>>(
    candidates: Iterable<Eff>
  ) => Effect.Effect<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, Effect.Effect.Context<Eff>>
  <Eff extends Effect.Effect<unknown, unknown, unknown>>(
    candidates: Iterable<Eff>,
    policy:
      | Policy<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>>
      | Options<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>>,
    options?: CallOptions
  ): Effect.Effect<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, Effect.Effect.Context<Eff>>
} = dual((args) => Predicate.isIterable(args[0]), calls.hedgeAll)

/**
 * What a policy knows of the calls of one key.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyStats {
  /** `""` for all calls together. */
  readonly key: string
  /** How many calls are known. */
  readonly count: number
  /** How many of them have ended. The others were cut off, and would have taken longer. */
  readonly ended: number
  /**
   * How long calls take at the quantile that the policy asks for, and at others. Milliseconds of the `Clock`. Where too
   * few calls are known for one of them, it is the slowest that has ended, or up to twice that; not a number where none
   * has.
   */
  readonly quantile: number
  readonly p50: number
  readonly p90: number
  readonly p99: number
  /** The delay of the next call in milliseconds, or why it has none. Of a key that knows too little, that of all. */
  readonly delay: Either.Either<number, "warm-up" | "above-max">
  /** With which probability the next call gets a hedge if it is late. */
  readonly probability: number
}

/**
 * What is in a budget.
 *
 * @since 0.1.0
 * @category models
 */
export interface BudgetStats {
  /** How many hedges there are to be for each call, at most. */
  readonly ratio: number
  /** How many hedges it can pay for now. A part of one is what calls have saved towards the next. */
  readonly tokens: number
  /** How many hedges are under way. */
  readonly inFlight: number
}

/**
 * What a policy knows.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  /** First all calls together, then each key, the one that was called last at the end. Empty without a percentile. */
  readonly keys: ReadonlyArray<KeyStats>
  /** None if it is `"unlimited"`. */
  readonly budget: Option.Option<BudgetStats>
}

/**
 * Reads what a policy knows: how long calls take, the delay that follows from it, and what is in the budget.
 *
 * **When to use**
 *
 * To see why hedges are sent or not, in a log or at an endpoint for operators. {@link metrics} count what was sent.
 *
 * **Details**
 *
 * Reading changes nothing. It takes some microseconds for each key. Times are milliseconds of the `Clock`.
 *
 * **Gotchas**
 *
 * A quantile beyond the delay is known less well: most calls that take longer are cut off.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Either from "effect/Either"
 *
 * const program = Effect.gen(function*() {
 *   const policy = yield* Hedge.make({ delay: Hedge.percentile(0.9, { max: "1 second" }) })
 *   const call = Effect.sleep("5 millis").pipe(Hedge.hedge(policy, { key: "a" }))
 *   yield* Effect.repeatN(call, 19)
 *   return yield* Hedge.stats(policy)
 * })
 *
 * const { keys } = await Effect.runPromise(program)
 * for (const { delay, ended, key } of keys) {
 *   console.log(key === "" ? "all" : key, ended, Either.isRight(delay))
 * }
 * // all 20 true
 * // a 20 true
 * ```
 *
 * @since 0.1.0
 * @category policies
 */
export const stats: (policy: Policy<never, never>) => Effect.Effect<Stats> = policies.stats

/**
 * What policies with a name count, each tagged with `policy`, the name, and then with what the table says.
 *
 * **Details**
 *
 * | metric | unit, and what else it is tagged with |
 * |---|---|
 * | `hedge_calls` | calls; `end`: `won`, `rejected`, `failed` or `interrupted` |
 * | `hedge_sent` | copies started besides the first; one that loses before its request is written was never sent |
 * | `hedge_failovers` | attempts that took the place of a failed one, and were not paid for; see `failovers` |
 * | `hedge_wins` | answers that were good enough; `index`: that of the attempt, `0` to `7`, or `more` |
 * | `hedge_denied` | copies that were due, by `reason`: `budget` (empty), `in-flight` (too many), `no-target`, `pushback`; calls that could have none: `warm-up`, `above-max`, `disabled` |
 * | `hedge_delay_seconds` | the delay of the newest call |
 * | `hedge_wasted_seconds` | seconds of the `Clock` for which copies ran that then lost |
 *
 * Those in seconds have the tag `unit`, with the value `s`, which exporters of OpenTelemetry take for the unit.
 *
 * Where there is a tracer, each copy of such a policy also has a span, `hedge.attempt`, a child of the call's, with the
 * attributes `hedge.policy`, `hedge.index` and `hedge.end`, how it ended: `won`, `lost`, `rejected`, `failed` or
 * `interrupted`. One that lost is no error. They take the place of the spans and metrics of `StaggeredRace`.
 *
 * **Gotchas**
 *
 * To Effect the order of tags matters: `policy` comes first.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Metric from "effect/Metric"
 *
 * const program = Effect.gen(function*() {
 *   yield* Effect.sleep("30 millis").pipe(Hedge.hedge({ delay: "10 millis", name: "slow" }))
 *   return yield* Hedge.metrics.wins.pipe(Metric.tagged("policy", "slow"), Metric.tagged("index", "0"), Metric.value)
 * })
 *
 * console.log((await Effect.runPromise(program)).count) // 1
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const metrics: {
  readonly calls: Metric.Metric.Counter<number>
  readonly sent: Metric.Metric.Counter<number>
  readonly failovers: Metric.Metric.Counter<number>
  readonly wins: Metric.Metric.Counter<number>
  readonly denied: Metric.Metric.Counter<number>
  readonly delay: Metric.Metric.Gauge<number>
  readonly wasted: Metric.Metric.Counter<number>
} = internalMetrics.metrics
