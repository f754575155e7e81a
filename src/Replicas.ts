/**
 * Sends each attempt of a hedged call to the replica that promises the quickest answer, and not twice to the same while
 * there is another.
 *
 * A hedge helps most when it goes to another server. A hedge alone cannot route around a bad one: within its budget,
 * most calls to a replica that hangs get none. A set of replicas knows how long each takes and how many calls it has, and
 * sends few calls to the bad ones; hedges cover the rest.
 *
 * @module
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import { dual } from "effect/Function"
import type * as Metric from "effect/Metric"
import type * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import type * as Types from "effect/Types"
import type * as Hedge from "./Hedge.js"
import * as internal from "./internal/replicas/call.js"
import * as internalMetrics from "./internal/replicas/metrics.js"
import type * as StaggeredRace from "./StaggeredRace.js"

/**
 * Identifies a {@link Replicas}.
 *
 * @since 0.1.0
 * @category symbols
 */
export const TypeId: unique symbol = internal.TypeId

/**
 * Identifies a {@link Replicas}.
 *
 * @since 0.1.0
 * @category symbols
 */
export type TypeId = typeof TypeId

/**
 * One place that can answer a request.
 *
 * @since 0.1.0
 * @category models
 */
export interface Replica<out T> {
  /** Identifies the replica when the set changes. What is known of an id is kept, also if its target is another. */
  readonly id: string
  /** What sends the request: a client, a pool, a URL. */
  readonly target: T
  /** Where it is; see the option `zone`. */
  readonly zone?: string | undefined
}

/**
 * A set of replicas, with what this process knows of each.
 *
 * @since 0.1.0
 * @category models
 */
export interface Replicas<in out T> {
  readonly [TypeId]: {
    readonly _T: Types.Invariant<T>
  }
}

/**
 * How a set chooses.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /**
   * How many replicas to draw at random for each attempt; the cheapest of them gets it. Default 3. With 1, the choice is
   * random. With `Infinity`, all processes choose the same one.
   */
  readonly choices?: number | undefined
  /** The zone whose replicas get the calls while one of them is well. Default: none. */
  readonly zone?: string | undefined
  /**
   * How fast the set forgets: this long after a replica was last measured, it counts as half as slow. So each is asked
   * again some time. Milliseconds of the `Clock`. Default 10 seconds.
   */
  readonly halfLife?: Duration.DurationInput | undefined
  /** How many failures in a row eject a replica. `Infinity`: never. Default 5. One that has come back: after one. */
  readonly ejectAfter?: number | undefined
  /** How long the first ejection lasts; each further one twice as long. Milliseconds of the `Clock`. Default 1 second. */
  readonly ejectFor?: Duration.DurationInput | undefined
  /** How long an ejection lasts at most. Milliseconds of the `Clock`. Default 30 seconds. */
  readonly maxEjectFor?: Duration.DurationInput | undefined
  /** The share of the set that may be out at once, from 0 to 1. Default 0.5. */
  readonly maxEjected?: number | undefined
  /** Enables {@link metrics}, tagged with this name. */
  readonly name?: string | undefined
}

/**
 * Creates a set of replicas.
 *
 * **When to use**
 *
 * When you know the replicas. Use {@link update} when they change, or {@link fromStream} when something tells you.
 *
 * **Details**
 *
 * - For each attempt, the set draws `choices` replicas and takes the cheapest. The cost is the mean latency times one
 *   more than the calls in flight, and halves with each `halfLife` since it was last measured.
 * - An attempt that loses after more than the mean counts as that long, once it has ended. So a replica that says nothing
 *   becomes expensive without probes.
 * - A failure counts as ten times the mean latency of the set. Otherwise a replica that fails quickly would look quick.
 * - After `ejectAfter` failures in a row, a replica is out for `ejectFor`, unless too many are. It then gets calls only
 *   when no other is left.
 * - A replica that is new, or comes back, gets one call at a time until it answers. One that comes back and fails is out
 *   again at once. If its first answer is slower than the set, that counts for a tenth beside the mean of the set.
 * - If two replicas have the same id, the last one counts.
 *
 * @example
 * ```ts
 * import { Replicas } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const replicas = yield* Replicas.make([
 *     { id: "a", target: "http://10.0.0.1", zone: "east" },
 *     { id: "b", target: "http://10.0.0.2", zone: "west" }
 *   ], { zone: "east" })
 *   return yield* Replicas.hedge(replicas, (url) => Effect.succeed(`answer of ${url}`), { delay: "50 millis" })
 * })
 *
 * console.log(await Effect.runPromise(program)) // answer of http://10.0.0.1
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const make: <T>(replicas: Iterable<Replica<T>>, options?: Options) => Effect.Effect<Replicas<T>> = internal.make

/**
 * Creates a set that follows a stream of whole sets, such as that of a service discovery.
 *
 * **Details**
 *
 * - It returns when the first set is there. If the stream fails before, it fails too.
 * - It follows the stream until the scope closes. What is known of replicas that stay is kept.
 * - If the stream fails later, the last set stays, and a warning is logged. Use `Stream.retry` to go on.
 *
 * @example
 * ```ts
 * import { Replicas } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const discovered = Stream.make([{ id: "a", target: "10.0.0.1" }, { id: "b", target: "10.0.0.2" }])
 *
 * const program = Effect.scoped(Effect.gen(function*() {
 *   const replicas = yield* Replicas.fromStream(discovered)
 *   return yield* Replicas.states(replicas)
 * }))
 *
 * console.log((await Effect.runPromise(program)).map(({ id }) => id)) // [ 'a', 'b' ]
 * ```
 *
 * @since 0.1.0
 * @category constructors
 */
export const fromStream: <T, E, R>(
  sets: Stream.Stream<Iterable<Replica<T>>, E, R>,
  options?: Options
) => Effect.Effect<Replicas<T>, E, R | Scope.Scope> = internal.fromStream

/**
 * Replaces the replicas of a set.
 *
 * **Details**
 *
 * Calls under way go on. What is known of the ids that stay is kept.
 *
 * @example
 * ```ts
 * import { Replicas } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const replicas = yield* Replicas.make([{ id: "a", target: "10.0.0.1" }])
 *   yield* Replicas.update(replicas, [{ id: "b", target: "10.0.0.2" }])
 *   return yield* Replicas.hedge(replicas, Effect.succeed, { delay: "50 millis" })
 * })
 *
 * console.log(await Effect.runPromise(program)) // 10.0.0.2
 * ```
 *
 * @since 0.1.0
 * @category sets
 */
export const update: {
  <T>(replicas: Iterable<Replica<T>>): (self: Replicas<T>) => Effect.Effect<void>
  <T>(self: Replicas<T>, replicas: Iterable<Replica<T>>): Effect.Effect<void>
} = dual(2, internal.update)

/**
 * The set is empty.
 *
 * @since 0.1.0
 * @category errors
 */
export class NoReplica extends Data.TaggedError("NoReplica") {
  /**
   * @since 0.1.0
   */
  override get message(): string {
    return "there is no replica in the set"
  }
}

/**
 * Options of a single call.
 *
 * @since 0.1.0
 * @category models
 */
export interface CallOptions<in T = unknown, in A = unknown, in E = unknown, out R = never> extends Hedge.CallOptions {
  /**
   * Which failures speak against the replica. Others count as answers: a row that does not exist says nothing about the
   * server. Default: all.
   */
  readonly isIll?: Predicate.Predicate<Cause.Cause<E>> | undefined
  /** The ids to take first while they are well, in order: a leader, or a cache that is warm. Default: none. */
  readonly prefer?: ReadonlyArray<string> | undefined
  /**
   * Called for each event of the race, as in `StaggeredRace`, with the replicas of its attempts, by index: labels for a
   * `Timeline`.
   */
  readonly onEvent?:
    | ((
      event: StaggeredRace.RaceEvent<A, E>,
      replicas: ReadonlyArray<Replica<T>>
    ) => Effect.Effect<unknown, unknown, R>)
    | undefined
}

/**
 * Hedges a request over a set: each attempt goes to another replica.
 *
 * **When to use**
 *
 * When several servers can answer. For a fixed list in a fixed order, use `Hedge.hedgeAll`.
 *
 * **Details**
 *
 * - A call never uses a replica twice while there is another.
 * - Losers are left to the background unless the policy says otherwise: a server that does not answer cannot confirm that
 *   it has stopped.
 * - *Failover is not a hedge.* If the newest attempt fails, the next replica is asked at once. The budget does not pay for
 *   the first such attempt of a call, unless the policy sets `failovers`. When a server dies, every call to it needs one.
 * - A percentile is learned over the set. Keep it so: a percentile for each replica sends hedges late where they are
 *   needed most. Use `key` for kinds of calls.
 * - If the policy has a name and there is a tracer, spans of attempts have the attribute `replica.id`.
 *
 * **Gotchas**
 *
 * - What `accept` rejects does not speak against the replica. Fail in `request` instead.
 * - Interrupting a call must stop the request on the server, or at least let go of it. See the guide for what clients do.
 *
 * @example
 * ```ts
 * import { Hedge, Replicas } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const ask = (server: string, index: number) =>
 *   index === 0 ? Effect.never : Effect.succeed(server === "a" || server === "b" ? "answer of the other" : "")
 *
 * const program = Effect.gen(function*() {
 *   const policy = yield* Hedge.make({ delay: "20 millis", budget: { ratio: 1 } })
 *   const replicas = yield* Replicas.make([{ id: "a", target: "a" }, { id: "b", target: "b" }])
 *   return yield* Replicas.hedge(replicas, ask, policy)
 * })
 *
 * console.log(await Effect.runPromise(program)) // answer of the other
 * ```
 *
 * @throws {@link NoReplica}, as a typed failure, if the set is empty.
 *
 * @since 0.1.0
 * @category hedging
 */
export const hedge: {
  <T, A, E, Eff extends Effect.Effect<unknown, unknown, unknown>, R2 = never>(
    request: (target: T, index: number) => Eff & Effect.Effect<A, E, unknown>,
    policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
    options?: CallOptions<T, A, E, R2>
  ): (
    self: Replicas<T>
  ) => Effect.Effect<
    Effect.Effect.Success<Eff>,
    Effect.Effect.Error<Eff> | NoReplica,
    Effect.Effect.Context<Eff> | R2
  >
  <T, A, E, Eff extends Effect.Effect<unknown, unknown, unknown>, R2 = never>(
    self: Replicas<T>,
    request: (target: T, index: number) => Eff & Effect.Effect<A, E, unknown>,
    policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
    options?: CallOptions<T, A, E, R2>
  ): Effect.Effect<
    Effect.Effect.Success<Eff>,
    Effect.Effect.Error<Eff> | NoReplica,
    Effect.Effect.Context<Eff> | R2
  >
} = dual((args) => Predicate.hasProperty(args[0], TypeId), internal.hedge)

/**
 * What a set knows of one replica.
 *
 * @since 0.1.0
 * @category models
 */
export interface State {
  readonly id: string
  readonly zone: string | undefined
  /** How many attempts were sent to it. */
  readonly picks: number
  /** How many attempts are under way. */
  readonly inFlight: number
  /** The mean latency in milliseconds of the `Clock`. None before the first attempt has ended. */
  readonly latency: Option.Option<number>
  /** Failures in a row. */
  readonly failures: number
  /** Whether it gets no calls now: it is ejected, or has a call under way and must answer it first. */
  readonly isOut: boolean
}

/**
 * Reads what a set knows of its replicas, in the order of the set.
 *
 * **When to use**
 *
 * For a page for operators, or a picture. {@link metrics} are for dashboards.
 *
 * @example
 * ```ts
 * import { Replicas } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const replicas = yield* Replicas.make([{ id: "a", target: "10.0.0.1" }])
 *   yield* Replicas.hedge(replicas, Effect.succeed, { delay: "50 millis" })
 *   return yield* Replicas.states(replicas)
 * })
 *
 * for (const { id, inFlight, picks } of await Effect.runPromise(program)) {
 *   console.log(id, picks, inFlight) // a 1 0
 * }
 * ```
 *
 * @since 0.1.0
 * @category sets
 */
export const states: <T>(self: Replicas<T>) => Effect.Effect<ReadonlyArray<State>> = internal.states

/**
 * The metrics of sets that have a name, tagged with `set`, the name, and then with `replica`, the id.
 *
 * **Details**
 *
 * | metric | type, unit | meaning |
 * |---|---|---|
 * | `picks`: `replica_picks` | counter, attempts | attempts sent |
 * | `inFlight`: `replica_in_flight` | gauge, attempts | attempts under way |
 * | `wins`: `replica_wins` | counter, answers | answers taken |
 * | `ejections`: `replica_ejections` | counter, ejections | how often it was ejected |
 * | `latency`: `replica_latency_seconds` | gauge, seconds of the `Clock` | its mean latency |
 *
 * `latency` also has the tag `unit` with the value `s`, which exporters of OpenTelemetry take as the unit.
 *
 * **Gotchas**
 *
 * Effect compares tags in order: tag with `set` first, then with `replica`.
 *
 * @example
 * ```ts
 * import { Replicas } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Metric from "effect/Metric"
 *
 * const program = Effect.gen(function*() {
 *   const replicas = yield* Replicas.make([{ id: "a", target: "10.0.0.1" }], { name: "reads" })
 *   yield* Replicas.hedge(replicas, Effect.succeed, { delay: "50 millis" })
 *   return yield* Replicas.metrics.picks.pipe(
 *     Metric.tagged("set", "reads"),
 *     Metric.tagged("replica", "a"),
 *     Metric.value
 *   )
 * })
 *
 * console.log((await Effect.runPromise(program)).count) // 1
 * ```
 *
 * @since 0.1.0
 * @category metrics
 */
export const metrics: {
  readonly picks: Metric.Metric.Counter<number>
  readonly inFlight: Metric.Metric.Gauge<number>
  readonly wins: Metric.Metric.Counter<number>
  readonly ejections: Metric.Metric.Counter<number>
  readonly latency: Metric.Metric.Gauge<number>
} = internalMetrics.metrics
