/**
 * Hedged requests: when an answer is late, send the request again, and take the first good answer.
 *
 * Hedging cuts off the slowest answers. The price is a few requests that are sent twice (Dean and Barroso, *The Tail at
 * Scale*, Communications of the ACM 56(2), 2013).
 *
 * | word | meaning |
 * |---|---|
 * | call | one run of a hedged effect |
 * | request | the first attempt of a call: index 0 |
 * | hedge | a later attempt of a call: index 1 and up |
 * | policy | when calls send hedges, and what they have learned |
 * | budget | how many hedges calls may send together |
 *
 * | to | use |
 * |---|---|
 * | hedge an effect | {@link hedge} |
 * | send the hedge elsewhere, such as to another replica | {@link hedgeAll} |
 * | make a policy that many calls share | {@link make} |
 * | learn the delay | {@link percentile} |
 * | share a budget between policies | {@link makeBudget} |
 * | pay for retries from a budget, or change its ratio | {@link tryAcquire}, {@link setRatio} |
 * | see why hedges are sent or not | {@link stats}, {@link metrics} |
 *
 * Hedges add load. When a server is slow for all requests, every request would get a hedge, and the server could go
 * down. A policy from {@link make} therefore has a budget: by default, one hedge for 20 calls.
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
 * The symbol that marks a {@link Budget}.
 *
 * @since 0.1.0
 * @category symbols
 */
export const BudgetTypeId: unique symbol = budgets.TypeId

/**
 * The type of the symbol that marks a {@link Budget}.
 *
 * @since 0.1.0
 * @category symbols
 */
export type BudgetTypeId = typeof BudgetTypeId

/**
 * The symbol that marks a {@link Policy}.
 *
 * @since 0.1.0
 * @category symbols
 */
export const PolicyTypeId: unique symbol = policies.TypeId

/**
 * The type of the symbol that marks a {@link Policy}.
 *
 * @since 0.1.0
 * @category symbols
 */
export type PolicyTypeId = typeof PolicyTypeId

/**
 * A delay that a policy learns from its calls. Made by {@link percentile}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Percentile {
  readonly _tag: "Percentile"
  /** Between 0 and 1. */
  readonly quantile: number
  /** See {@link PercentileOptions}. */
  readonly aboveMax: "clamp" | "skip"
  /** Calls. */
  readonly warmup: number
  /** How many keys can have a delay of their own. */
  readonly keys: number
  /** Milliseconds. */
  readonly min: number
  /** Milliseconds; `Infinity` for none. */
  readonly max: number
  /** Milliseconds. */
  readonly window: number
}

/**
 * Options of {@link percentile}: bounds of the delay, and what the policy remembers.
 *
 * @since 0.1.0
 * @category models
 */
export interface PercentileOptions {
  /** The least delay. Default 1 millisecond. */
  readonly min?: Duration.DurationInput | undefined
  /** The greatest delay: at least `min`. Default: none. */
  readonly max?: Duration.DurationInput | undefined
  /**
   * What to do while the percentile is above `max`: `"clamp"` sends hedges after `max`, `"skip"` sends none. Default
   * `"clamp"`.
   *
   * Often only a part of the calls is slow, such as those to a server that is down. Hedges help exactly those.
   */
  readonly aboveMax?: "clamp" | "skip" | undefined
  /**
   * How many calls must have ended before the policy sends its first hedge: a whole number of at least 1. Default 20,
   * or `1 / (1 - quantile)` if that is more.
   *
   * With a lower number, the first delays are the slowest known call. More calls exceed it than you ask for, so the
   * policy sends more hedges at first.
   */
  readonly warmup?: number | undefined
  /**
   * How long the policy remembers a call: at least one window, at most two. From 1 millisecond; milliseconds of the
   * `Clock`. Default 30 seconds.
   *
   * A window lasts longer until enough calls have ended in it: `warmup`, or `1 / (1 - quantile)` if that is more.
   */
  readonly window?: Duration.DurationInput | undefined
  /**
   * How many keys can have a delay of their own: the policy keeps those that were called last. See {@link CallOptions}.
   * Each takes a few kilobytes. A whole number, or `Infinity` for no limit. Default 256.
   */
  readonly keys?: number | undefined
}

/**
 * Learns a delay that the given share of calls stays below: with 0.95, one call in 20 gets a hedge.
 *
 * **When to use**
 *
 * Use it when you do not know how long answers take, or when that changes. It needs a policy from {@link make}.
 *
 * **Details**
 *
 * The policy learns from the request of each call (index 0), never from a hedge:
 *
 * | the request | the policy records |
 * |---|---|
 * | answered, and the answer was accepted | how long it took |
 * | lost, or was interrupted | that it would have taken longer |
 * | failed or was rejected, after the delay | that it would have taken longer |
 * | failed or was rejected, before the delay | nothing |
 * | failed or was rejected, and the call had no delay yet | nothing |
 *
 * - So the share of calls above the delay stays true. If the policy learned from winners only, the delay would sink,
 *   and it would send two to six times as many hedges. If it learned from calls without a hedge only, nearly every call
 *   would get one.
 * - The estimate is never too low, and at most 1 % too high. Its time and memory do not grow with the number of calls.
 * - The policy estimates the percentile of the next call, which may be slower than all known ones. So hedges are about
 *   as rare as you ask for, even when few calls are known.
 * - If more than `1 - quantile` of the calls never answer, the percentile cannot be known. This happens when one server
 *   of three hangs. The delay is then the slowest known answer. While the calls that hang may be chance, it is up to
 *   twice that.
 * - With `probability: "auto"`, the policy sends hedges a little earlier, but only to some of the late calls. The share
 *   of hedges stays the same, and at most the ratio of the budget. If hedges are independent, no policy has a lower
 *   tail for as many hedges (Kaler, He and Elnikety, *Optimal Reissue Policies for Reducing Tail Latency*, SPAA 2017).
 *   With fewer than `1 / (1 - targetQuantile)` known calls, the delay is the percentile.
 *
 * **Gotchas**
 *
 * - Set `max`. Without it, a server that hangs makes the delay as long as the slowest answer.
 * - Keep the budget. Without one, a slow server may never recover: the slower all answers are, the more hedges it gets.
 *   If it also works on requests that nobody waits for any more, the hedges are what makes it slow.
 * - The policy computes the delay again when it has recorded 2 % more calls.
 * - A rare quantile needs many calls. With 0.999, the first hedge comes after 1,000 calls. After that, the newest 1,000
 *   to 2,000 calls count, however old they are: at one call a second, the delay takes half an hour to follow. At less
 *   than one call a minute, 0.95 is as slow. Give such callers a fixed delay. {@link stats} shows what the policy
 *   knows.
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
 * Options of a budget: how many hedges calls may send.
 *
 * @since 0.1.0
 * @category models
 */
export interface BudgetOptions {
  /** Hedges per call, at most: a number from 0 to 1. Default 0.05: one hedge for 20 calls. */
  readonly ratio?: number | undefined
  /**
   * How many hedges calls can save up: a whole number of at least 1, or `Infinity`. Default: what the calls of about a
   * second pay for, and at least 3.
   */
  readonly burst?: number | undefined
  /** How long the deposit of a call counts. From 1 millisecond; milliseconds of the `Clock`. Default 1 minute. */
  readonly window?: Duration.DurationInput | undefined
  /** How many hedges may run at once: a whole number, or `Infinity`. Default 32. */
  readonly maxInFlight?: number | undefined
}

/**
 * What policies may spend on hedges. Several policies can share one.
 *
 * @since 0.1.0
 * @category models
 */
export interface Budget {
  readonly [BudgetTypeId]: BudgetTypeId
}

/**
 * Makes a budget that several policies can share.
 *
 * **When to use**
 *
 * Use it when several policies send to the same servers, or when retries are to be paid from the same budget. Otherwise
 * the option `budget` of {@link make} is enough.
 *
 * **Details**
 *
 * - Each call deposits `ratio` of a hedge. The deposit expires between nine tenths of a `window` and a full `window`
 *   later.
 * - The budget starts empty. While `n` calls begin, at most `ratio * n` hedges are sent, and what was saved up before.
 * - It saves up at most `burst` hedges. Without a `burst`, it saves up what the calls of about a second pay for, and at
 *   least 3. What is beyond that is dropped when the next call pays.
 * - Bursts of processes add up. Where many processes make few calls each, set `burst: 1`.
 * - A call pays for a hedge before it sends it. If the budget holds too little, the call sends no hedge, and its
 *   attempts continue. A hedge that was paid for and did not start is refunded.
 * - Many calls that are late at the same time are a sign of an overloaded server. `burst` limits how many of them get a
 *   hedge.
 *
 * **Gotchas**
 *
 * With fewer than `1 / ratio` calls in a `window`, the budget never pays for a hedge. By default, these are fewer than
 * 20 calls a minute. Give such callers a longer `window`.
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
 * @throws `IllegalArgumentException`, as a defect, if an option makes no sense.
 *
 * @since 0.1.0
 * @category constructors
 */
export const makeBudget: (options?: BudgetOptions) => Effect.Effect<Budget> = budgets.make

/**
 * Takes the price of one request out of a budget. Succeeds with `false` if the budget holds too little.
 *
 * **When to use**
 *
 * Use it before a retry. Then hedges and retries together stay within the budget.
 *
 * **Gotchas**
 *
 * - A retry does not count towards `maxInFlight`: it starts after the request that it repeats has ended.
 * - Pay only when a retry will follow. `Effect.retry({ times, while })` calls `while` after the last try, too.
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
 * Changes the ratio of a budget while the program runs.
 *
 * **When to use**
 *
 * Use it to allow more or fewer hedges without a restart. A ratio of zero turns hedging off.
 *
 * **Details**
 *
 * - Earlier deposits keep their value. Without a `burst`, a lower ratio also lets calls save up less.
 * - With a ratio of zero, the budget pays for nothing until you raise the ratio again.
 * - Hedges that already run continue.
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
 * @throws `IllegalArgumentException`, as a defect, if the ratio is not a number from 0 to 1.
 *
 * @since 0.1.0
 * @category budgets
 */
export const setRatio: {
  (ratio: number): (budget: Budget) => Effect.Effect<void>
  (budget: Budget, ratio: number): Effect.Effect<void>
} = dual(2, budgets.setRatio)

/**
 * When to send hedges, and which answers are good enough. Only `delay` is required.
 *
 * **Details**
 *
 * An option that makes no sense, such as a negative duration, is a defect: an `IllegalArgumentException` with the name
 * of the option and its value.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<in A = unknown, in E = unknown> {
  /**
   * How long to wait after an attempt starts before the next hedge. Milliseconds of the `Clock`.
   *
   * - A duration. *The Tail at Scale* uses the 95th percentile of the latency.
   * - A `Schedule`: the call steps it once per attempt, with the index of the attempt.
   * - A {@link percentile}: the policy learns it.
   */
  readonly delay: Duration.DurationInput | Schedule.Schedule<unknown, number> | Percentile
  /** How many hedges a call may send: a whole number. Default 1. */
  readonly maxHedges?: number | undefined
  /**
   * How many attempts of a call may replace a failed one without the budget: a whole number of at least 0, or `Infinity`.
   * Default 0, and 1 in `Replicas.hedge`.
   *
   * - Such an attempt starts at once when the newest attempt fails. It is not a hedge, and `maxHedges` does not count it.
   * - When a call has used them up, a failure sends the next hedge at once, and the budget pays for it.
   */
  readonly failovers?: number | undefined
  /**
   * The probability that a late call gets a hedge: a number from 0 to 1, or `"auto"`. Default 1.
   *
   * - The call draws from the `Random` in the environment, once.
   * - `"auto"` chooses the delay and the probability together. It needs a {@link percentile}; see there.
   * - It does not apply to a hedge that follows a failure. The call always sends that one.
   */
  readonly probability?: number | "auto" | undefined
  /** The quantile of the latency that `"auto"` makes as small as it can: between 0 and 1. Default 0.99. */
  readonly targetQuantile?: number | undefined
  /**
   * Whether an answer may win. Default: every success.
   *
   * - A rejected answer counts as a failure: the call releases what the attempt holds, and sends the next hedge.
   * - If no other attempt runs and no hedge may be sent, the call succeeds with the rejected answer, and keeps what it
   *   holds.
   * - If only failures follow a rejected answer, the call fails with them. If that answer held nothing, the call
   *   succeeds with it instead, unless a failure is `fatal` or a defect.
   */
  readonly accept?: Predicate.Predicate<A> | undefined
  /** Which failures no hedge can help against. They end the call, and it interrupts what still runs. Default: none. */
  readonly fatal?: Predicate.Predicate<Cause.Cause<E>> | undefined
  /**
   * What the end of an attempt says about later hedges. The call does not ask it about an interruption. Running
   * attempts continue. Default: nothing.
   */
  readonly pushback?: ((exit: Exit.Exit<A, E>) => Pushback) | undefined
  /** Whether hedges may be sent. Each call runs it once, at its start. Default: always. */
  readonly enabled?: Effect.Effect<boolean> | undefined
  /**
   * Whether the call returns after its losers have ended (`"await"`) or at once (`"background"`). For databases, use
   * `"background"`: see {@link hedge}. Default `"await"`.
   */
  readonly losers?: "await" | "background" | undefined
  /**
   * Enables {@link metrics}, tagged with this name, and a span for each attempt if there is a tracer. A string that is
   * not empty. Default: none, and then no metrics and no spans.
   */
  readonly name?: string | undefined
}

/**
 * What a server says about further requests.
 *
 * **Details**
 *
 * | pushback | the call |
 * |---|---|
 * | `false` | sends hedges as usual |
 * | a duration | sends no hedge for that long |
 * | `true`, or an infinite duration | sends no more hedges |
 *
 * The name is from gRPC (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#pushback). HTTP has
 * `Retry-After` for it.
 *
 * @since 0.1.0
 * @category models
 */
export type Pushback = boolean | Duration.DurationInput

/**
 * Options of {@link make}: those of a call, and the budget.
 *
 * @since 0.1.0
 * @category models
 */
export interface MakeOptions<in A = unknown, in E = unknown> extends Options<A, E> {
  /**
   * What the policy may spend on hedges: a shared {@link Budget}, options for one of its own, or `"unlimited"`.
   * Default: one of its own, with the defaults of {@link BudgetOptions}.
   */
  readonly budget?: Budget | BudgetOptions | "unlimited" | undefined
}

/**
 * When to send hedges, and what calls share: the learned delay and the budget. Made by {@link make}.
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
 * Makes a policy that many calls share.
 *
 * **When to use**
 *
 * Make one policy for each kind of request, or for each server: in a layer, or when the program starts.
 *
 * **Details**
 *
 * `accept`, `fatal` and `pushback` give the policy its type: a `Hedge.Policy<Answer, Failure>` fits calls with these
 * answers and failures. A policy without them fits any call.
 *
 * **Gotchas**
 *
 * Do not make a policy inside a call. It would know nothing, and its budget would be empty.
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
 * @throws `IllegalArgumentException`, as a defect, if an option makes no sense.
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: <A = unknown, E = unknown>(options: MakeOptions<A, E>) => Effect.Effect<Policy<A, E>> = policies.make

/**
 * Options of a single call.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions {
  /**
   * The kind of request: a service, or an operation that is slower than others. Not one of several replicas, because the
   * slow one would then get its hedges late. Default: none, or `""`.
   *
   * - Calls with the same key have a learned delay of their own. Calls without a key have the delay of all calls.
   * - A key for which fewer than `warmup` calls have ended has the delay of all calls.
   * - A policy keeps a limited number of keys: see `keys` in {@link PercentileOptions}. It forgets the one that was not
   *   called for longest.
   */
  readonly key?: string | undefined
  /**
   * The delay of this call: for a large request, or when little time is left. Milliseconds of the `Clock`. Default: the
   * delay of the policy.
   */
  readonly delay?: Duration.DurationInput | undefined
}

/**
 * Sends a request again if its answer is late, and takes the first good answer.
 *
 * **When to use**
 *
 * Use it for requests that are safe to send twice, and whose slowest answers are much slower than most.
 *
 * **Details**
 *
 * ```text
 * delay: "50 millis"
 *
 *    0 ms        20        40   50   60        80
 *    └───────────┴─────────┴────┴────┴─────────┴
 * #0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫      the request is late: interrupted
 * #1                            +████████████      the hedge answers: taken
 * ```
 *
 * - It is a `StaggeredRace.race` of attempts, with the same rules for scopes, interruption and causes. Inside an
 *   attempt, `StaggeredRace.CurrentAttempt` tells its index.
 * - If the newest attempt fails early, the call sends the next hedge at once, and pays for it from the budget. With the
 *   default `maxHedges`, that is the only retry.
 * - If the call may send no hedge, its attempts continue, as without hedging.
 * - If all attempts fail, the causes are in the order of the attempts.
 *
 * **Gotchas**
 *
 * - Plain options have no budget, and their calls share nothing. For a budget, use a policy from {@link make}.
 * - The failure of an older attempt sends nothing. gRPC differs: there, any failure that is not fatal sends the next
 *   hedge (https://github.com/grpc/proposal/blob/master/A6-client-retries.md#hedging-policy).
 * - With `losers: "background"`, a loser may still run when the call has returned. Until its clean-up is over, it can
 *   touch what attempts share, such as a file or a transaction. A `Scope` in the environment waits for it.
 *
 * For a database:
 *
 * - Use one pool for each replica, `losers: "background"`, and connections outside the pools to cancel lost queries. A
 *   test has the code
 *   (https://github.com/effect-staggered-race/effect-staggered-race/blob/main/test/clients/databases.test.ts).
 * - With `losers: "await"`, a call waits until a hung replica that has its query answers again.
 * - Do not cancel over a connection of the same pool. When all clients of the pool wait for another one to cancel with,
 *   they wait for ever.
 * - Repeat a cancellation until the query has ended. A server drops one that overtakes its query.
 * - Limit how long a request may wait for a connection of the pool. Nothing can take back a request that waits there.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * let sent = 0
 * const request = Effect.suspend(() => ++sent === 1 ? Effect.never : Effect.succeed(`answer of attempt ${sent}`))
 *
 * const program = request.pipe(Hedge.hedge({ delay: "20 millis" }))
 *
 * console.log(await Effect.runPromise(program)) // answer of attempt 2
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
 * Hedges a request over several targets: the first candidate is the request, and each hedge is the next candidate.
 *
 * **When to use**
 *
 * Use it when a hedge must not go where the request hangs: to another replica, or over another connection.
 *
 * **Details**
 *
 * - It works as {@link hedge} does. The call pulls a candidate when it is due, and closes an iterator that has more.
 * - When no candidate is left, the call sends no hedge, and its attempts continue.
 *
 * **Gotchas**
 *
 * - `maxHedges` is 1 by default: with three candidates, the call never tries the third.
 * - Without candidates, the call dies with an `IllegalArgumentException`.
 * - An error that the iterable throws ends the candidates. It is part of the cause if all attempts fail.
 * - A generator object can be read once. To run the effect twice, pass an array, or another iterable that starts again.
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
 * What a policy knows about the calls of one key, or about all calls.
 *
 * **Details**
 *
 * Times are milliseconds of the `Clock`. The policy forgets calls that are older than two windows; see
 * {@link PercentileOptions}.
 *
 * @since 0.1.0
 * @category models
 */
export interface KeyStats {
  /** The key of the calls, or `""` for all calls together. */
  readonly key: string
  /** How many calls the policy knows. */
  readonly count: number
  /** How many of them have ended. The others were cut off, and would have taken longer. */
  readonly ended: number
  /**
   * How long calls take at the quantile that {@link percentile} was given.
   *
   * If the policy knows too few calls for it, it is the slowest call that has ended, or up to twice that. `NaN` if none
   * has ended. The same holds for `p50`, `p90` and `p99`.
   */
  readonly quantile: number
  /** The median. */
  readonly p50: number
  /** The 90th percentile. */
  readonly p90: number
  /** The 99th percentile. */
  readonly p99: number
  /**
   * The delay of the next call, or why it gets no hedge: `"warm-up"` if the policy knows too few calls, `"above-max"`
   * if the percentile is above `max` and `aboveMax` is `"skip"`. A key that knows too few calls has the delay of all
   * calls.
   */
  readonly delay: Either.Either<number, "warm-up" | "above-max">
  /** The probability that the next call gets a hedge if it is late. 0 if there is no delay. */
  readonly probability: number
}

/**
 * What a budget holds.
 *
 * @since 0.1.0
 * @category models
 */
export interface BudgetStats {
  /** Hedges per call, at most. */
  readonly ratio: number
  /** How many hedges the budget can pay for now. A fraction is what calls have saved towards the next hedge. */
  readonly tokens: number
  /** How many hedges run now. */
  readonly inFlight: number
}

/**
 * What a policy knows, and what its budget holds.
 *
 * @since 0.1.0
 * @category models
 */
export interface Stats {
  /**
   * All calls together, then each key. The key that was called last is at the end. Empty if the delay is not a
   * {@link percentile}.
   */
  readonly keys: ReadonlyArray<KeyStats>
  /** None if the budget is `"unlimited"`. */
  readonly budget: Option.Option<BudgetStats>
}

/**
 * Reads what a policy knows: how long calls take, the next delay, and what the budget holds.
 *
 * **When to use**
 *
 * Use it to see why hedges are sent or not: in a log, or at an endpoint for operators. To see what was sent, use
 * {@link metrics}.
 *
 * **Details**
 *
 * - For each key, and for all calls: how many calls are known, their percentiles, and the next delay. See
 *   {@link KeyStats}.
 * - For the budget: its ratio, what it can pay for, and what runs. See {@link BudgetStats}.
 * - Reading changes nothing, and takes some microseconds for each key.
 *
 * **Gotchas**
 *
 * The policy knows less about quantiles above the delay: it cuts off most calls that take longer.
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
 * Metrics of all policies with a `name`.
 *
 * **When to use**
 *
 * Use them to watch how many hedges are sent, how often they win, and why others are not sent. To see what a policy has
 * learned, use {@link stats}.
 *
 * **Details**
 *
 * Every metric has the tag `policy`, with the name of the policy. The next tags are:
 *
 * | metric | type | what it tells | tags |
 * |---|---|---|---|
 * | `hedge_calls` | counter | calls that have ended | `end` |
 * | `hedge_sent` | counter | hedges that were started | |
 * | `hedge_failovers` | counter | attempts that replaced a failed one without the budget; see `failovers` | |
 * | `hedge_wins` | counter | good answers that were taken | `index` of the attempt: `0` to `7`, or `more` |
 * | `hedge_denied` | counter | hedges that were not sent | `reason` |
 * | `hedge_delay_seconds` | gauge, seconds | the delay of the newest call; not set by a schedule | `unit`: `s` |
 * | `hedge_wasted_seconds` | counter, seconds | how long losers ran | `unit`: `s` |
 *
 * Seconds are those of the `Clock`. Exporters for OpenTelemetry read the unit from the tag `unit`.
 *
 * | `end` | the call |
 * |---|---|
 * | `won` | returned a good answer |
 * | `rejected` | returned an answer that `accept` had rejected, as there was no better one |
 * | `failed` | failed or died |
 * | `interrupted` | was interrupted |
 *
 * A call counts as denied at most once, with the first reason:
 *
 * | `reason` | why no hedge was sent |
 * |---|---|
 * | `budget` | a hedge was due, and the budget held too little |
 * | `in-flight` | a hedge was due, and `maxInFlight` hedges were running |
 * | `no-target` | a hedge was due, and no candidate was left ({@link hedgeAll}) |
 * | `pushback` | the server asked for no more |
 * | `warm-up` | the call had no delay, because the policy knew too few calls |
 * | `above-max` | the call had no delay, because the percentile was above `max` |
 * | `disabled` | `enabled` did not allow hedges |
 *
 * The last three count every such call, whether it was late or not.
 *
 * If there is a tracer, each attempt of such a policy has a span `hedge.attempt`, a child of the caller's span. Its
 * attributes are `hedge.policy`, `hedge.index`, and `hedge.end`: `won`, `lost`, `rejected`, `failed` or `interrupted`.
 * A lost attempt is not an error. These spans and metrics replace those of `StaggeredRace`.
 *
 * **Gotchas**
 *
 * - To read a metric, add its tags in this order, `policy` first. To Effect, another order is another metric.
 * - `hedge_sent` counts a hedge when its effect starts. If the hedge loses before its request is written, the server
 *   never sees it.
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
  /** `hedge_calls`: calls that have ended. */
  readonly calls: Metric.Metric.Counter<number>
  /** `hedge_sent`: hedges that were started. */
  readonly sent: Metric.Metric.Counter<number>
  /** `hedge_failovers`: attempts that replaced a failed one without the budget. */
  readonly failovers: Metric.Metric.Counter<number>
  /** `hedge_wins`: good answers that were taken. */
  readonly wins: Metric.Metric.Counter<number>
  /** `hedge_denied`: hedges that were not sent. */
  readonly denied: Metric.Metric.Counter<number>
  /** `hedge_delay_seconds`: the delay of the newest call. */
  readonly delay: Metric.Metric.Gauge<number>
  /** `hedge_wasted_seconds`: how long losers ran. */
  readonly wasted: Metric.Metric.Counter<number>
} = internalMetrics.metrics
