/**
 * Connects to a host over whichever of its addresses answers first: Happy Eyeballs, RFC 8305.
 *
 * A host has several addresses, IPv6 and IPv4, and some may be dead without a word. To try them one after the other
 * takes a timeout for each that is dead. To try all at once asks every server and every network for connections that
 * nobody needs. To give up each as the next is tried never reaches a host that is only far away. So:
 *
 * - The addresses of both families are asked for at the same time, and the race begins with what is there.
 * - One address is tried. If it has not answered after 250 milliseconds, the next is tried beside it, of the other
 *   family where there is one. If it fails, the next is tried at once.
 * - The first that answers is taken, and the others are let go.
 *
 * This module knows no sockets. How a name is resolved is a service, {@link Resolver}; how an address is connected to
 * is an effect, so that the handshake of TLS, or a first answer, can be a part of what has to succeed.
 *
 * @module
 * @since 0.1.0
 */
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Stream from "effect/Stream"
import * as internalAddress from "./internal/happyEyeballs/address.js"
import * as internal from "./internal/happyEyeballs/connect.js"
import * as internalHistory from "./internal/happyEyeballs/history.js"
import * as internalMessage from "./internal/happyEyeballs/message.js"
import type * as StaggeredRace from "./StaggeredRace.js"

/**
 * An address family: IPv4 or IPv6.
 *
 * @since 0.1.0
 * @category models
 */
export type Family = 4 | 6

/**
 * An address of a host, as text, with its family.
 *
 * **Details**
 *
 * An IPv4-mapped address (`::ffff:192.0.2.1`) is of family 4, as whoever connects to it does so over IPv4. A zone
 * (`fe80::1%eth0`) is a part of the address.
 *
 * @since 0.1.0
 * @category models
 */
export interface Address {
  readonly address: string
  readonly family: Family
}

/**
 * The address that a text spells, with or without brackets; none if it spells no address, such as a name.
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as Option from "effect/Option"
 * import assert from "node:assert"
 *
 * assert.deepStrictEqual(HappyEyeballs.address("[2001:db8::1]"), Option.some({ address: "2001:db8::1", family: 6 }))
 * assert.deepStrictEqual(HappyEyeballs.address("example.com"), Option.none())
 * ```
 *
 * @since 0.1.0
 * @category addresses
 */
export const address: (text: string) => Option.Option<Address> = internalAddress.fromText

/**
 * How {@link interleave} orders.
 *
 * @since 0.1.0
 * @category models
 */
export interface InterleaveOptions {
  /** How many addresses of the first family come before the other (RFC 8305, section 4). Default 1; 2 favours it more. */
  readonly firstFamilyCount?: number | undefined
  /**
   * The family to begin with, where it has an address. Default: that of the first address for {@link interleave}; for
   * {@link resolve} and {@link connect} the one that the {@link Resolver} says, or IPv6; for {@link connect}, what the
   * `history` says counts before.
   */
  readonly prefer?: Family | undefined
}

/**
 * The order in which to try addresses: the families in turn, each in the order that the resolver gave, nothing twice.
 *
 * **When to use**
 *
 * Where addresses are known already, and a dead family should cost one delay and not one for each of its addresses.
 *
 * **Details**
 *
 * - RFC 8305, section 4. Inside a family nothing changes places: the resolver has sorted by what it knows (RFC 6724).
 * - Two spellings of one address are one; the first stays.
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as Option from "effect/Option"
 * import assert from "node:assert"
 *
 * const addresses = ["2001:db8::1", "2001:db8::2", "2001:DB8:0::1", "192.0.2.1"].map((text) =>
 *   Option.getOrThrow(HappyEyeballs.address(text))
 * )
 *
 * assert.deepStrictEqual(
 *   HappyEyeballs.interleave(addresses).map(({ address }) => address),
 *   ["2001:db8::1", "192.0.2.1", "2001:db8::2"]
 * )
 * ```
 *
 * @throws `IllegalArgumentException` if `firstFamilyCount` is no whole number of at least 1.
 *
 * @since 0.1.0
 * @category addresses
 */
export const interleave: {
  (options?: InterleaveOptions): <A extends Address>(addresses: Iterable<A>) => Array<A>
  <A extends Address>(addresses: Iterable<A>, options?: InterleaveOptions): Array<A>
} = dual((args) => Predicate.isIterable(args[0]), internal.interleave)

/**
 * A query for the addresses of one family has failed. That there are none is no failure but an empty answer.
 *
 * @since 0.1.0
 * @category errors
 */
export class QueryFailed extends Data.TaggedError("QueryFailed")<{
  readonly host: string
  readonly family: Family
  readonly cause: unknown
}> {
  override get message() {
    const reason = this.cause instanceof Error ? this.cause.message : String(this.cause)
    return `no IPv${this.family} addresses of ${this.host}: ${reason}`
  }
}

/**
 * No address was found: both queries have failed, or been answered with none.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResolutionFailed extends Data.TaggedError("ResolutionFailed")<{
  readonly host: string
  /**
   * Why queries failed. A query that was answered with no address is not among them; one whose answer was in part no
   * addresses is.
   */
  readonly failures: ReadonlyArray<Cause.Cause<QueryFailed>>
}> {
  override get message() {
    return internalMessage.describeResolution(this)
  }
}

/**
 * An attempt at one address, and what became of it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection<out E> extends Address {
  /** Milliseconds of the `Clock`. */
  readonly startedAt: number
  readonly endedAt: number
  /** When it has last said that it makes progress, as one does that is connected, and begins its handshake. */
  readonly progressedAt: Option.Option<number>
  readonly result: StaggeredRace.Attempt<unknown, E>["result"]
  /** Why it failed, or how it was let go; none where it has won, or has succeeded late. */
  readonly cause: Option.Option<Cause.Cause<E>>
}

/**
 * No address could be connected to.
 *
 * **Details**
 *
 * The message names each address, when it was tried and for how long, and why it failed.
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const table = { 4: ["192.0.2.1"], 6: ["2001:db8::1"] }
 *
 * const program = HappyEyeballs.connect({ host: "example.com", port: 443 }, () => Effect.fail("refused")).pipe(
 *   Effect.catchTag("ConnectionFailed", ({ connections, message }) =>
 *     Effect.log(message, connections.map(({ address, cause }) => [address, cause]))),
 *   Effect.provideService(HappyEyeballs.Resolver, { query: (_host, family) => Effect.succeed(table[family]) })
 * )
 *
 * await Effect.runPromise(program)
 * // could not connect to example.com port 443; addresses tried: 2
 * //   2001:db8::1  0 ms to 0 ms: refused
 * //   192.0.2.1    10 ms to 10 ms: refused
 * ```
 *
 * @since 0.1.0
 * @category errors
 */
export class ConnectionFailed<E> extends Data.TaggedError("ConnectionFailed")<{
  readonly host: string
  readonly port: number
  readonly decidedBy: StaggeredRace.DecidedBy
  readonly exit: Exit.Exit<unknown, unknown>
  readonly connections: ReadonlyArray<Connection<unknown>>
  readonly resolution: ReadonlyArray<Cause.Cause<QueryFailed>>
  readonly unanswered: ReadonlyArray<Family>
}> {
  /** `"failures"`, `"fatal"`, or `"timeout"`. */
  declare readonly decidedBy: StaggeredRace.DecidedBy
  /** All failures together, first the one that was `fatal`. */
  declare readonly exit: Exit.Exit<unknown, E>
  /** Each address that was tried, in that order. */
  declare readonly connections: ReadonlyArray<Connection<E>>
  /** Why queries failed, in whole or in part. */
  declare readonly resolution: ReadonlyArray<Cause.Cause<QueryFailed>>
  /** Families whose query was not answered in time. */
  declare readonly unanswered: ReadonlyArray<Family>

  /** The one that was `fatal`, else that of the first address that failed. */
  get failure(): Option.Option<E> {
    return Option.flatMap(Exit.causeOption(this.exit), Cause.failureOption)
  }
  /** `"ETIMEDOUT"` where the time was over, else that of the `failure`, if it has one. */
  get code(): string | undefined {
    if (this.decidedBy === "timeout") {
      return "ETIMEDOUT"
    }
    const failure = Option.getOrUndefined(this.failure)
    return Predicate.hasProperty(failure, "code") && typeof failure.code === "string" ? failure.code : undefined
  }
  override get message() {
    return internalMessage.describeConnections(this)
  }
}

/**
 * Resolves names, one query for each family.
 *
 * **Details**
 *
 * - A query answers with addresses as text, in the order in which they are to be tried; with none where the name has no
 *   address of that family. It is interrupted when its answer is not needed any more.
 * - What is no address is left out of the answer and reported as a {@link QueryFailed}. If nothing is left, the query has
 *   failed.
 * - A resolver that knows the system can also say which family `leads`. Without it, IPv6 does.
 *
 * **Example** (a fixed table)
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Layer from "effect/Layer"
 *
 * const table = { 4: ["192.0.2.1"], 6: ["2001:db8::1"] }
 *
 * export const ResolverTest = Layer.succeed(HappyEyeballs.Resolver, {
 *   query: (_host, family) => Effect.succeed(table[family])
 * })
 * ```
 *
 * **Example** (IPv4 leads where IPv6 is known to be slow)
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const table = { 4: ["192.0.2.1"], 6: ["2002:c000:201::1"] }
 *
 * export const resolver = HappyEyeballs.Resolver.of({
 *   query: (_host, family) => Effect.succeed(table[family]),
 *   // 2002::/16 is a tunnel through IPv4.
 *   leads: (addresses) => Effect.succeed(addresses.some(({ address }) => address.startsWith("2002:")) ? 4 : 6)
 * })
 * ```
 *
 * @since 0.1.0
 * @category services
 */
export class Resolver extends Context.Tag("effect-staggered-race/HappyEyeballs/Resolver")<Resolver, {
  /**
   * The addresses of one family: none where there are none. `families` are those that the resolution asks for: both, or
   * the only one. Where it is not given, that is both.
   */
  readonly query: (
    host: string,
    family: Family,
    families?: ReadonlyArray<Family>
  ) => Effect.Effect<ReadonlyArray<string>, QueryFailed>
  /**
   * The family to try first (RFC 8305, section 4). It is given the first IPv6 and the first IPv4 address, in that order.
   * Where a query has not been answered, an address for documentation stands for its answer: `2001:db8::1` or
   * `192.0.2.1`. It is asked again after each answer until an address has been tried, and waited for. Not asked where
   * `prefer` decides, or where one family alone has addresses. If it dies, IPv6 leads.
   */
  readonly leads?: ((addresses: ReadonlyArray<Address>) => Effect.Effect<Family>) | undefined
  /**
   * The IPv6 addresses by which an IPv4 address is reached from a network without IPv4; none where there is no need. It is
   * asked where the host is itself an IPv4 address. For a name, the DNS server of such a network answers the query with
   * them (DNS64, RFC 6147).
   */
  readonly synthesize?: ((address: string) => Effect.Effect<ReadonlyArray<string>, QueryFailed>) | undefined
}>() {}

/**
 * How {@link resolve} asks and orders.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolveOptions extends InterleaveOptions {
  /**
   * How long the first answer waits for that of the family that leads. Milliseconds of the `Clock`. Default
   * 50 milliseconds (RFC 8305, sections 3 and 8).
   */
  readonly resolutionDelay?: Duration.DurationInput | undefined
  /** The only family to ask for. Default: both. */
  readonly family?: Family | undefined
}

/**
 * The addresses of a host in the order to try them, as they become known.
 *
 * **When to use**
 *
 * For a race of your own over them; {@link connect} does the usual one.
 *
 * **Details** (RFC 8305, section 3)
 *
 * - Both families are asked at once. An address of the family that leads goes at once. One of the other waits for the
 *   other answer, but no longer than 50 milliseconds from its own, and not at all when that has come, is empty or has
 *   failed.
 * - The family that leads is `prefer`, or the one that the {@link Resolver} says, or IPv6 (section 4).
 * - One address is given for each that is pulled, so that what is answered meanwhile takes its place among those that
 *   were not tried.
 * - One family that fails is not the end. If there is no address at all, the stream fails with what both have said.
 * - Where the host is itself an address, it is the only one. If it is of IPv4, the resolver may know how it is reached
 *   from a network without IPv4 (NAT64): those IPv6 addresses are raced with it (section 7.1).
 * - Addresses are interleaved as by {@link interleave}, beginning with the family that leads.
 *
 * **Gotchas**
 *
 * An option that makes no sense is a defect that names it and its value.
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import assert from "node:assert"
 *
 * const table = { 4: ["192.0.2.1"], 6: ["2001:db8::1", "2001:db8::2"] }
 *
 * const addresses = HappyEyeballs.resolve("example.com").pipe(
 *   Stream.map(({ address }) => address),
 *   Stream.runCollect,
 *   Effect.provideService(HappyEyeballs.Resolver, { query: (_host, family) => Effect.succeed(table[family]) })
 * )
 *
 * assert.deepStrictEqual(Array.from(await Effect.runPromise(addresses)), ["2001:db8::1", "192.0.2.1", "2001:db8::2"])
 * ```
 *
 * @since 0.1.0
 * @category addresses
 */
export const resolve: (
  host: string,
  options?: ResolveOptions
) => Stream.Stream<Address, ResolutionFailed, Resolver> = internal.resolve

/**
 * What to connect to: a name or an address, and a port.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target {
  readonly host: string
  readonly port: number
}

/**
 * One address of the target, as `open` gets it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoint extends Target, Address {}

/**
 * What is known of addresses from earlier connections. It belongs to the caller: nothing is remembered here.
 *
 * **When to use**
 *
 * Where {@link makeHistory}, which is one that is ready, does not fit: a history that several processes share, say.
 *
 * **Gotchas**
 *
 * RFC 8305 (section 4) wants history to be dropped when the network changes.
 *
 * **Example** (what has failed is tried last)
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import assert from "node:assert"
 *
 * const failed = new Set<string>()
 *
 * const history: HappyEyeballs.History = {
 *   order: (addresses) =>
 *     Effect.sync(() => [...addresses].sort((a, b) => Number(failed.has(a.address)) - Number(failed.has(b.address)))),
 *   record: (connections) =>
 *     Effect.sync(() => {
 *       for (const { address, result } of connections) {
 *         if (result === "failed") failed.add(address)
 *         if (result === "won") failed.delete(address)
 *       }
 *     })
 * }
 *
 * const tried: Array<string> = []
 * const open = ({ address }: HappyEyeballs.Endpoint) => {
 *   tried.push(address)
 *   return address === "192.0.2.1" ? Effect.fail("refused") : Effect.succeed(`connected to ${address}`)
 * }
 *
 * const connect = HappyEyeballs.connect({ host: "example.com", port: 443 }, open, { family: 4, history }).pipe(
 *   Effect.provideService(HappyEyeballs.Resolver, { query: () => Effect.succeed(["192.0.2.1", "192.0.2.2"]) })
 * )
 * await Effect.runPromise(Effect.zipRight(connect, connect))
 *
 * assert.deepStrictEqual(tried, ["192.0.2.1", "192.0.2.2", "192.0.2.2"])
 * ```
 *
 * @since 0.1.0
 * @category models
 */
export interface History {
  /**
   * The family to begin with, or none if history has nothing to say. Asked before the queries, which wait for it, and
   * only where the caller gives no `prefer`. The `timeout` counts from here. Where it dies, that is logged, and counts as
   * none.
   */
  readonly leads?: ((target: Target) => Effect.Effect<Option.Option<Family>>) | undefined
  /**
   * The addresses that a query was answered with, best first. Any that it leaves out are not tried. The query counts as
   * answered when this has ended.
   */
  readonly order: (
    addresses: ReadonlyArray<Address>,
    host: string,
    port: number
  ) => Effect.Effect<ReadonlyArray<Address>>
  /**
   * What became of the addresses that were tried. Not called where the caller is interrupted. The caller waits for its
   * end until the `timeout` is over, which interrupts it. Where it dies, that is logged. Either way the connection stays.
   * What takes long, such as a write to another machine, can go on by `Effect.forkDaemon`: then nobody waits.
   */
  readonly record: (connections: ReadonlyArray<Connection<unknown>>, target: Target) => Effect.Effect<unknown>
}

/**
 * What {@link makeHistory} remembers, and for how long.
 *
 * @since 0.1.0
 * @category models
 */
export interface HistoryOptions {
  /**
   * The most targets, hosts with their ports, that it knows. The one that was not used for the longest time is forgotten
   * first. Default 256. Of each it knows the 32 addresses that were tried last.
   */
  readonly capacity?: number | undefined
  /**
   * How long a target is known. Milliseconds of the `Clock`, at least one. Default 10 minutes, the order of magnitude of
   * RFC 6555, section 4.
   */
  readonly timeToLive?: Duration.DurationInput | undefined
  /**
   * A text that tells networks apart, asked for at each use: all is forgotten when it is another one. Default: it never
   * changes. `NodeHappyEyeballs.makeHistory` has one.
   */
  readonly network?: Effect.Effect<string> | undefined
}

/**
 * A history of connections, kept in memory: later connections to a host begin with what has worked.
 *
 * **When to use**
 *
 * Where a program connects to the same hosts again and again. A dead address costs the 250 milliseconds of the
 * Connection Attempt Delay once in ten minutes, and not for each connection. Share one history among all that connect
 * over the same network: it is made at once, and needs no scope. On Node, take `NodeHappyEyeballs.makeHistory`.
 *
 * **Details**
 *
 * What became of an attempt, and what that says of its address:
 *
 * | attempt | address |
 * |---|---|
 * | won | has answered, and is the last that has; its time counts |
 * | succeeded late | has answered; its time counts |
 * | failed | is avoided until it answers |
 * | lost to an attempt that started later | is avoided until it answers: it had the Connection Attempt Delay, and more |
 * | lost to an attempt that started earlier | nothing: it did not have its time |
 * | interrupted with the caller | nothing: it is not recorded |
 *
 * In which order the addresses of a family are tried, by the first rule that tells them apart:
 *
 * 1. What is avoided comes last (RFC 6724, section 6, rule 1).
 * 2. The last winner comes first.
 * 3. What has answered sooner comes first, and what was never tried after what has answered (RFC 8305, section 4). The
 *    time is that of connecting, smoothed with a weight of 1/8 (RFC 6298, section 2).
 * 4. Else the order stays that of the resolver (RFC 6724, section 6, rule 10).
 *
 * The family of the last winner leads, if an address of the other family is avoided. A win of IPv4 because the answer
 * to the other query came late is nothing against IPv6. The `prefer` of the caller counts before that.
 *
 * - Whatever is known of a target is forgotten when `timeToLive` has passed since its first connection, however often it
 *   is used: so IPv6 gets its next chance (draft-ietf-happy-happyeyeballs-v3: those with different histories have to end
 *   up with the same behavior).
 * - A target is a host with its port: what a service refuses is no fault of another one. Hosts that are addresses
 *   themselves are not remembered.
 * - When the network changes, all is forgotten, and of the connections that began before it nothing is learned (RFC 8305,
 *   section 4).
 * - No address is left out, and none takes a place in another family.
 *
 * **Gotchas**
 *
 * It holds on to the address that has worked. Where a name has many so that clients spread over them, those that share a
 * history no longer do, until `timeToLive` has passed.
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import assert from "node:assert"
 *
 * const history = HappyEyeballs.makeHistory()
 *
 * const tried: Array<string> = []
 * const open = ({ address, family }: HappyEyeballs.Endpoint) => {
 *   tried.push(address)
 *   return family === 6 ? Effect.never : Effect.succeed(`connected to ${address}`)
 * }
 *
 * const table = { 4: ["192.0.2.1"], 6: ["2001:db8::1"] }
 *
 * const connect = HappyEyeballs.connect({ host: "example.com", port: 443 }, open, { history }).pipe(
 *   Effect.provideService(HappyEyeballs.Resolver, { query: (_host, family) => Effect.succeed(table[family]) })
 * )
 * await Effect.runPromise(Effect.zipRight(connect, connect))
 *
 * // The second connection does not wait for the dead address.
 * assert.deepStrictEqual(tried, ["2001:db8::1", "192.0.2.1", "192.0.2.1"])
 * ```
 *
 * @throws `IllegalArgumentException` if an option makes no sense.
 *
 * @since 0.1.0
 * @category connecting
 */
export const makeHistory: (options?: HistoryOptions) => History = internalHistory.makeHistory

/**
 * How {@link connect} races.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectOptions<in E = unknown> extends ResolveOptions {
  /**
   * How long an address is given before the next is tried beside it: the Connection Attempt Delay. Milliseconds of the
   * `Clock`, from 10 milliseconds to 2 seconds (RFC 8305, section 8). Default 250 milliseconds (section 5).
   */
  readonly connectionAttemptDelay?: Duration.DurationInput | undefined
  /** What is known of addresses from earlier connections, see {@link makeHistory}. Default: nothing. */
  readonly history?: History | undefined
  /** A failure of one address after which no other is tried, and which the caller sees. Default: none. */
  readonly fatal?: Predicate.Predicate<Cause.Cause<E>> | undefined
  /**
   * The time for all of it, from the first question to `history` or resolver on. When it is over, it fails with
   * {@link ConnectionFailed}, which says what each address was doing. A `history` that is told of the connection has what
   * is left of it. Milliseconds of the `Clock`. Default: no limit.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * The report of a race for a connection, as {@link outcome} gives it.
 *
 * @since 0.1.0
 * @category models
 */
export interface Outcome<A, E> extends StaggeredRace.Outcome<A, E> {
  /** Each address that was tried, in that order: one for each of the `attempts`. */
  readonly connections: ReadonlyArray<Connection<E>>
  /** Why queries failed, in whole or in part. */
  readonly resolution: ReadonlyArray<Cause.Cause<QueryFailed>>
  /** Families whose query was not answered before the race was decided. */
  readonly unanswered: ReadonlyArray<Family>
}

/**
 * Resolves a host and opens a connection to whichever of its addresses answers first.
 *
 * **When to use**
 *
 * Wherever a host is connected to by name. `open` decides what a connection is, and when it counts: a handshake of TLS,
 * or a first answer, belongs inside of it.
 *
 * **Details**
 *
 * ```text
 *               0 ms      100       200  250  300
 *               └──────────┴─────────┴────┴────┤
 * 2001:db8::1   ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫ no answer: let go
 * 192.0.2.1                               +█████ connected
 * ```
 *
 * - The addresses of {@link resolve} are raced: the next one starts when the newest has failed, or 250 milliseconds
 *   after it started (RFC 8305, section 5), never less than 10 milliseconds after it (section 8).
 * - It is a {@link StaggeredRace.raceStream}: what `open` acquires is released as an address loses or fails, and stays
 *   until the outer scope closes where it wins. Inside `open` there is a {@link StaggeredRace.CurrentAttempt}, whose
 *   `progress` holds the next start back.
 * - The queries are interrupted when the race is decided.
 * - Where there is a tracer, the race and its attempts have spans, see {@link StaggeredRace.metrics}. That of an attempt
 *   says which address it is for, by the semantic conventions of OpenTelemetry: `server.address` and `server.port`,
 *   `network.peer.address`, `network.peer.port` and `network.type`.
 * - It fails with {@link ConnectionFailed} when no address could be connected to, none was found, one has failed in a way
 *   that is `fatal`, or the `timeout` has passed.
 * - The next attempt does not wait for 10 milliseconds where the last has sent nothing to a network: on loopback, and
 *   where it has said so by `waiveMinDelay` of its {@link StaggeredRace.CurrentAttempt}.
 *
 * **Gotchas**
 *
 * There is no limit of time, if it is not set: where all addresses hang, so does the race.
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 * import assert from "node:assert"
 *
 * const open = ({ address, port }: HappyEyeballs.Endpoint) =>
 *   address === "2001:db8::1" ? Effect.fail("refused") : Effect.succeed(`connected to ${address}:${port}`)
 *
 * const table = { 4: ["192.0.2.1"], 6: ["2001:db8::1"] }
 *
 * const program = HappyEyeballs.connect({ host: "example.com", port: 443 }, open).pipe(
 *   Effect.provideService(HappyEyeballs.Resolver, { query: (_host, family) => Effect.succeed(table[family]) })
 * )
 *
 * assert.strictEqual(await Effect.runPromise(program), "connected to 192.0.2.1:443")
 * ```
 *
 * @since 0.1.0
 * @category connecting
 */
export const connect: <A, E, R>(
  target: Target,
  open: (endpoint: Endpoint) => Effect.Effect<A, E, R>,
  options?: ConnectOptions<E>
) => Effect.Effect<A, ConnectionFailed<E>, R | Resolver> = internal.connect

/**
 * As {@link connect}, but with a report of every address that was tried, whether or not one answered. It never fails.
 *
 * **When to use**
 *
 * For a log, a measurement, or a picture: `Timeline.render` draws it.
 *
 * @example
 * ```ts
 * import { HappyEyeballs, Timeline } from "effect-staggered-race"
 * import * as Effect from "effect/Effect"
 *
 * const open = ({ family }: HappyEyeballs.Endpoint) => family === 6 ? Effect.never : Effect.succeed("connected")
 *
 * const table = { 4: ["192.0.2.1"], 6: ["2001:db8::1"] }
 *
 * const program = Effect.gen(function*() {
 *   const outcome = yield* HappyEyeballs.outcome({ host: "example.com", port: 443 }, open)
 *   console.log(Timeline.render(outcome, { labels: outcome.connections.map(({ address }) => address) }))
 * })
 *
 * await Effect.runPromise(Effect.provideService(program, HappyEyeballs.Resolver, {
 *   query: (_host, family) => Effect.succeed(table[family])
 * }))
 * ```
 *
 * @since 0.1.0
 * @category connecting
 */
export const outcome: <A, E, R>(
  target: Target,
  open: (endpoint: Endpoint) => Effect.Effect<A, E, R>,
  options?: ConnectOptions<E>
) => Effect.Effect<Outcome<A, E>, never, R | Resolver> = internal.outcome
