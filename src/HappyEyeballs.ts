/**
 * Connects to a host over whichever of its addresses answers first: Happy Eyeballs (RFC 8305).
 *
 * Most hosts have several addresses, IPv6 and IPv4, and some may never answer. The simple ways all fail somewhere:
 *
 * | way | its fault |
 * |---|---|
 * | one address after the other | each dead address costs a full timeout |
 * | all addresses at once | opens unneeded connections on every server |
 * | give up one as you try the next | never reaches a host that is slow to answer |
 *
 * Happy Eyeballs does this instead:
 *
 * - It asks for the addresses of both families at the same time, and starts with those it has.
 * - It tries one address. After 250 milliseconds without an answer, it also tries the next, of the other family if
 *   possible. If an attempt fails, the next starts at once.
 * - It takes the first address that answers and stops the other attempts.
 *
 * This module does not depend on sockets. The service {@link Resolver} resolves names, and your effect connects to one
 * address. So the TLS handshake, or a first reply, can be part of what must succeed.
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
 * - An IPv4-mapped address (`::ffff:192.0.2.1`) is of family 4, because the system connects to it over IPv4.
 * - A zone (`fe80::1%eth0`) is part of the address.
 *
 * @since 0.1.0
 * @category models
 */
export interface Address {
  readonly address: string
  readonly family: Family
}

/**
 * Parses an IP address, with or without brackets. Returns none for any other text, such as a name.
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
 * Options of {@link interleave}.
 *
 * @since 0.1.0
 * @category models
 */
export interface InterleaveOptions {
  /**
   * How many addresses of the first family come before the other family (RFC 8305, section 4). Default 1. A higher
   * value favours the first family.
   */
  readonly firstFamilyCount?: number | undefined
  /**
   * The family to begin with, if it has an address. Default for {@link interleave}: the family of the first address.
   * Default for {@link connect}: what the `history` says, or else as for {@link resolve}. Default for {@link resolve}:
   * what the {@link Resolver} says, or else IPv6.
   */
  readonly prefer?: Family | undefined
}

/**
 * Puts addresses in the order to try them: the families take turns, and no address appears twice.
 *
 * **When to use**
 *
 * Use it when you already know the addresses. A dead family then costs one delay, not one for each of its addresses.
 *
 * **Details**
 *
 * - The order is that of RFC 8305, section 4. Within a family it stays as given, because the resolver has already
 *   sorted by what it knows (RFC 6724).
 * - Two spellings of one address count as one. The first spelling stays.
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
 * @throws `IllegalArgumentException` if `firstFamilyCount` is not a whole number of at least 1.
 *
 * @since 0.1.0
 * @category addresses
 */
export const interleave: {
  (options?: InterleaveOptions): <A extends Address>(addresses: Iterable<A>) => Array<A>
  <A extends Address>(addresses: Iterable<A>, options?: InterleaveOptions): Array<A>
} = dual((args) => Predicate.isIterable(args[0]), internal.interleave)

/**
 * The query for the addresses of one family failed. An empty answer is not a failure.
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
 * The host has no known address: each query failed, or its answer was empty.
 *
 * @since 0.1.0
 * @category errors
 */
export class ResolutionFailed extends Data.TaggedError("ResolutionFailed")<{
  readonly host: string
  /** Why queries failed. An empty answer is not listed. An answer with invalid entries is. */
  readonly failures: ReadonlyArray<Cause.Cause<QueryFailed>>
}> {
  override get message() {
    return internalMessage.describeResolution(this)
  }
}

/**
 * One attempt at one address, and how it ended.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connection<out E> extends Address {
  /** Milliseconds of the `Clock`. */
  readonly startedAt: number
  readonly endedAt: number
  /**
   * When the attempt last reported progress. An attempt with TLS does so when it is connected and begins its handshake.
   */
  readonly progressedAt: Option.Option<number>
  readonly result: StaggeredRace.Attempt<unknown, E>["result"]
  /** Why it failed, or how it was interrupted. None if it won or succeeded late. */
  readonly cause: Option.Option<Cause.Cause<E>>
}

/**
 * The connection failed: no address answered, or the host has none.
 *
 * **Details**
 *
 * The message names each address, when the attempt started and ended, and why it failed.
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
  /** All failures combined. A `fatal` one comes first. */
  declare readonly exit: Exit.Exit<unknown, E>
  /** One entry per address tried, in the order of the attempts. */
  declare readonly connections: ReadonlyArray<Connection<E>>
  /** Why queries failed, completely or in part. */
  declare readonly resolution: ReadonlyArray<Cause.Cause<QueryFailed>>
  /** Families whose query was still unanswered. */
  declare readonly unanswered: ReadonlyArray<Family>

  /** The `fatal` failure, or else the failure of the first address that failed. */
  get failure(): Option.Option<E> {
    return Option.flatMap(Exit.causeOption(this.exit), Cause.failureOption)
  }
  /** `"ETIMEDOUT"` if the `timeout` passed. Otherwise the `code` of the `failure`, if it has one. */
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
 * Resolves names, with one query for each family.
 *
 * **Details**
 *
 * - A query answers with addresses as text, in the order to try them. If the name has no address of that family, the
 *   answer is empty.
 * - The race interrupts a query when it no longer needs the answer.
 * - An entry that is not an IP address is dropped and reported as a {@link QueryFailed}. If no entry is left, the query
 *   has failed.
 * - A resolver that knows the system can also say which family `leads`. Without that, IPv6 leads.
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
   * Returns the addresses of one family, or an empty list. `families` are all the families that the resolution asks
   * for, so there are one or two. If it is missing, assume both.
   */
  readonly query: (
    host: string,
    family: Family,
    families?: ReadonlyArray<Family>
  ) => Effect.Effect<ReadonlyArray<string>, QueryFailed>
  /**
   * Returns the family to try first (RFC 8305, section 4). If it dies, IPv6 leads.
   *
   * It gets the first IPv6 and the first IPv4 address, in that order. For a query without an answer yet, it gets an
   * address for documentation: `2001:db8::1` or `192.0.2.1`.
   *
   * The race waits for it, and calls it again after each answer, until the first attempt. It is not called if `prefer`
   * decides, or if only one family has addresses.
   */
  readonly leads?: ((addresses: ReadonlyArray<Address>) => Effect.Effect<Family>) | undefined
  /**
   * Returns IPv6 addresses that reach an IPv4 address from a network without IPv4 (NAT64). Returns an empty list if
   * there is no need.
   *
   * It is called only if the host is itself an IPv4 address. For a name, the DNS server of such a network already
   * answers with IPv6 addresses (DNS64, RFC 6147).
   */
  readonly synthesize?: ((address: string) => Effect.Effect<ReadonlyArray<string>, QueryFailed>) | undefined
}>() {}

/**
 * Options of {@link resolve}.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolveOptions extends InterleaveOptions {
  /**
   * How long the first answer waits for the answer of the family that leads. Milliseconds of the `Clock`. Default 50
   * milliseconds (RFC 8305, sections 3 and 8).
   */
  readonly resolutionDelay?: Duration.DurationInput | undefined
  /** The only family to ask for. Default: both. */
  readonly family?: Family | undefined
}

/**
 * Streams the addresses of a host in the order to try them, as the resolver finds them.
 *
 * **When to use**
 *
 * Use it for a race of your own. {@link connect} does the usual one.
 *
 * **Details** (RFC 8305, section 3)
 *
 * - Both queries start at once. An address of the family that leads is emitted at once.
 * - An address of the other family waits for the query of the family that leads. It waits no more than
 *   `resolutionDelay` after its own answer. If that query has ended, even with no address, it does not wait.
 * - The family that leads is `prefer`, or the one that the {@link Resolver} says, or IPv6 (section 4).
 * - Addresses come in the order of {@link interleave}, beginning with the family that leads.
 * - Each pull gives one address. So a later answer still takes its place among the addresses not yet tried.
 * - If one query fails, the stream goes on. If there is no address at all, the stream fails with the failures of both.
 * - If the host is itself an address, the stream has that address. For an IPv4 address in a network without IPv4, the
 *   resolver may add IPv6 addresses that reach it (NAT64, section 7.1).
 *
 * **Gotchas**
 *
 * An invalid option is a defect that names the option and its value.
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
 * Where to connect: a name or an address, and a port.
 *
 * @since 0.1.0
 * @category models
 */
export interface Target {
  readonly host: string
  readonly port: number
}

/**
 * One address of the target. `open` gets it as its argument.
 *
 * @since 0.1.0
 * @category models
 */
export interface Endpoint extends Target, Address {}

/**
 * What earlier connections showed about addresses. You own it: {@link connect} itself remembers nothing.
 *
 * **When to use**
 *
 * Implement it if {@link makeHistory} does not fit, for example to share a history between processes.
 *
 * **Gotchas**
 *
 * RFC 8305 (section 4) asks you to drop the history when the network changes.
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
   * Returns the family to begin with, or none if the history has no preference.
   *
   * The race calls it before the queries, which wait for it, and only if you set no `prefer`. The `timeout` starts with
   * this call. If it dies, that is logged and counts as none.
   */
  readonly leads?: ((target: Target) => Effect.Effect<Option.Option<Family>>) | undefined
  /**
   * Sorts the addresses of one answer, best first. The race does not try any that you leave out. The query counts as
   * answered when this effect ends.
   */
  readonly order: (
    addresses: ReadonlyArray<Address>,
    host: string,
    port: number
  ) => Effect.Effect<ReadonlyArray<Address>>
  /**
   * Records how the attempts ended. It is not called if the caller was interrupted.
   *
   * The caller waits for it until the `timeout` passes, which interrupts it. If it dies, that is logged. In both cases
   * the connection stays open. For slow work, such as a write to another machine, use `Effect.forkDaemon`: then nobody
   * waits.
   */
  readonly record: (connections: ReadonlyArray<Connection<unknown>>, target: Target) => Effect.Effect<unknown>
}

/**
 * Options of {@link makeHistory}: how much it remembers, and for how long.
 *
 * @since 0.1.0
 * @category models
 */
export interface HistoryOptions {
  /**
   * The most targets to remember. A target is a host with a port. The one unused for longest goes first. Default 256.
   * For each target, it remembers the 32 addresses tried last.
   */
  readonly capacity?: number | undefined
  /**
   * How long to remember a target. Milliseconds of the `Clock`, at least one. Default 10 minutes, the order of
   * magnitude in RFC 6555, section 4.
   */
  readonly timeToLive?: Duration.DurationInput | undefined
  /**
   * Returns a text that identifies the current network. It runs at each use. When the text changes, the history forgets
   * everything. Default: never changes. `NodeHappyEyeballs.makeHistory` detects changes.
   */
  readonly network?: Effect.Effect<string> | undefined
}

/**
 * Makes a history in memory: later connections to a host begin with the address that worked.
 *
 * **When to use**
 *
 * Use it if your program connects to the same hosts repeatedly. A dead address then costs 250 milliseconds once in ten
 * minutes, not once per connection. Share one history among all connections over the same network. It needs no scope.
 * On Node, use `NodeHappyEyeballs.makeHistory`.
 *
 * **Details**
 *
 * What the history learns from an attempt:
 *
 * | the attempt | the address |
 * |---|---|
 * | won | works, and becomes the last winner; its time counts |
 * | succeeded late | works; its time counts |
 * | failed | is avoided until it works again |
 * | lost to an attempt that started later | is avoided until it works again: it had at least the Connection Attempt Delay |
 * | lost to an attempt that started earlier | unchanged: it had too little time |
 * | was interrupted with the caller | unchanged: it is not recorded |
 *
 * The history sorts the addresses of a family. The first rule that tells two addresses apart decides:
 *
 * 1. Avoided addresses come last (RFC 6724, section 6, rule 1).
 * 2. The last winner comes first.
 * 3. Faster addresses come first, and those never tried come after them (RFC 8305, section 4). The time is the time to
 *    connect, smoothed with a weight of 1/8 (RFC 6298, section 2).
 * 4. Otherwise the order of the resolver stays (RFC 6724, section 6, rule 10).
 *
 * The family of the last winner leads if an address of the other family is avoided. If IPv4 won only because the answer
 * for IPv6 came late, IPv6 keeps its lead. Your `prefer` overrides this.
 *
 * - The history forgets a target when `timeToLive` has passed since its first connection, even if you use it all the
 *   time. So IPv6 gets another chance, and clients with different histories end up alike, as
 *   draft-ietf-happy-happyeyeballs-v3 asks.
 * - A target is a host with its port, so a port that refuses connections does not affect another one. The history does
 *   not remember hosts that are addresses.
 * - When the network changes, the history forgets everything. It learns nothing from connections that began before
 *   (RFC 8305, section 4).
 * - It drops no address, and it moves addresses only within their family.
 *
 * **Gotchas**
 *
 * A history stays with the address that worked. If a name has many addresses to spread its clients, clients that share
 * a history use one of them until `timeToLive` has passed.
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
 * @throws `IllegalArgumentException` if an option is invalid.
 *
 * @since 0.1.0
 * @category connecting
 */
export const makeHistory: (options?: HistoryOptions) => History = internalHistory.makeHistory

/**
 * Options of {@link connect} and {@link outcome}.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectOptions<in E = unknown> extends ResolveOptions {
  /**
   * How long to wait for an address before the next one starts beside it: the Connection Attempt Delay. Milliseconds of
   * the `Clock`, from 10 milliseconds to 2 seconds (RFC 8305, section 8). Default 250 milliseconds (section 5).
   */
  readonly connectionAttemptDelay?: Duration.DurationInput | undefined
  /** What to remember between connections, see {@link makeHistory}. Default: nothing. */
  readonly history?: History | undefined
  /** A failure that ends the race: no other address is tried, and you get this failure. Default: none. */
  readonly fatal?: Predicate.Predicate<Cause.Cause<E>> | undefined
  /**
   * The time limit for everything, from the first call to the `history` or the resolver. When it passes, the race fails
   * with {@link ConnectionFailed}, which says what each address was doing. Recording in the `history` counts too.
   * Milliseconds of the `Clock`. Default: no limit.
   */
  readonly timeout?: Duration.DurationInput | undefined
}

/**
 * The report of a race for a connection, from {@link outcome}.
 *
 * @since 0.1.0
 * @category models
 */
export interface Outcome<A, E> extends StaggeredRace.Outcome<A, E> {
  /** One entry per address tried, in the order of the `attempts`. */
  readonly connections: ReadonlyArray<Connection<E>>
  /** Why queries failed, completely or in part. */
  readonly resolution: ReadonlyArray<Cause.Cause<QueryFailed>>
  /** Families whose query was still unanswered when the race was decided. */
  readonly unanswered: ReadonlyArray<Family>
}

/**
 * Resolves a host and connects to whichever of its addresses answers first.
 *
 * **When to use**
 *
 * Use it wherever you connect to a host by name. Your `open` decides when an attempt has succeeded. Put the TLS
 * handshake, or a first reply, inside it.
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
 * - It races the addresses of {@link resolve}. The next attempt starts when the newest fails, or 250 milliseconds after
 *   it started (RFC 8305, section 5).
 * - Two attempts start at least 10 milliseconds apart (section 8), unless the last one sent nothing to a network. That
 *   holds on loopback, and where `open` calls `waiveMinDelay` of its {@link StaggeredRace.CurrentAttempt}.
 * - It is a {@link StaggeredRace.raceStream}. When an attempt loses or fails, the race releases what its `open`
 *   acquired. The winner's resources stay until the outer scope closes.
 * - `open` can postpone the next start with `progress` of its {@link StaggeredRace.CurrentAttempt}.
 * - When the race is decided, it interrupts the queries.
 * - With a tracer, the race and its attempts have spans, see {@link StaggeredRace.metrics}. The span of an attempt
 *   names its address by OpenTelemetry's semantic conventions: `server.address`, `server.port`, `network.peer.address`,
 *   `network.peer.port` and `network.type`.
 * - It fails with {@link ConnectionFailed} if no address connects, the host has none, a failure is `fatal`, or the
 *   `timeout` passes.
 *
 * **Gotchas**
 *
 * By default there is no time limit. If every address hangs, so does the race. Set `timeout`.
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
 * Like {@link connect}, but never fails: it reports every address tried, whether or not one answered.
 *
 * **When to use**
 *
 * Use it for logs, for measurements, or for a picture with `Timeline.render`.
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
