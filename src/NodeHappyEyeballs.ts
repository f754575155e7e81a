/**
 * Node connections that do not wait for a dead address: Happy Eyeballs (RFC 8305) for sockets, TLS, HTTP and `fetch`.
 *
 * Node's own `autoSelectFamily` also tries the addresses of a host in turn. But its 250 milliseconds are a timeout:
 * Node gives up an address as it tries the next. So it never reaches a host that answers after 300 milliseconds if the
 * last address of the host is dead. On a slow line, a single lost packet has the same effect (nodejs/node#48145,
 * #54359). Here the 250 milliseconds are a delay: every attempt goes on until one of them succeeds.
 *
 * | to connect | use |
 * |---|---|
 * | a socket, in an Effect program | {@link connect}, {@link connectTls} |
 * | a socket, in any other program | {@link createConnection}, {@link createTlsConnection} |
 * | a socket, with `await` | {@link connectPromise}, {@link connectTlsPromise} |
 * | with `node:http` and `node:https` | {@link HttpAgent}, {@link HttpsAgent} |
 * | with `fetch` and undici | {@link connector} |
 * | with your own protocol inside the race | `HappyEyeballs.connect` with {@link open} or {@link openTls} |
 *
 * For `@effect/platform`, see `HappyEyeballsHttpClient` and `HappyEyeballsSocket`.
 *
 * @module
 * @since 0.1.0
 */
import type * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as http from "node:http"
import type * as https from "node:https"
import type * as net from "node:net"
import type * as tls from "node:tls"
import * as HappyEyeballs from "./HappyEyeballs.js"
import * as internalAgent from "./internal/node/agent.js"
import * as internalConnection from "./internal/node/connection.js"
import * as internalDns from "./internal/node/dns.js"
import * as internalHistory from "./internal/node/history.js"
import * as internalRun from "./internal/node/promise.js"
import * as internal from "./internal/node/socket.js"
import * as internalSystem from "./internal/node/system.js"
import * as internalConnector from "./internal/node/undici.js"

/**
 * Connecting to one address failed, or its TLS handshake did.
 *
 * **Details**
 *
 * The `cause` is Node's own error. The message and the `code`, such as `"ECONNREFUSED"`, come from it.
 *
 * @since 0.1.0
 * @category errors
 */
export class SocketFailed extends Data.TaggedError("SocketFailed")<{
  readonly cause: NodeJS.ErrnoException
  /** Whether the server answered with a certificate that is not trusted. */
  readonly isUntrusted?: boolean
}> {
  get code(): string | undefined {
    return this.cause.code
  }
  override get message() {
    return this.cause.message
  }
}

/**
 * Whether a server answered with a certificate that is not trusted.
 *
 * **Details**
 *
 * This is the default of `fatal` in {@link connectTls} and {@link connectTlsPromise}. The race then tries no other
 * address of the host, and you get this error.
 *
 * @since 0.1.0
 * @category errors
 */
export const isUntrusted: (cause: Cause.Cause<SocketFailed>) => boolean = internal.isUntrusted

/**
 * Options of {@link makeResolver}.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolverOptions {
  /** Called in place of `dns.lookup`, for example a cache or your own resolver. Default: `dns.lookup`. */
  readonly lookup?: net.LookupFunction | undefined
  /**
   * Flags of `dns.lookup`, such as `dns.V4MAPPED`. Use 0 for none. Default: `dns.ADDRCONFIG`, as in `net.connect`, so
   * the system skips a family that the host has no address of. The default is 0 on Windows, if you ask for one family
   * only, and if the other family has no route.
   */
  readonly hints?: number | undefined
}

/**
 * Makes a resolver that asks the system, with one `dns.lookup` for each family.
 *
 * **When to use**
 *
 * Use it by default. It follows the hosts file and every other setting of the system.
 *
 * **Details**
 *
 * - The family that leads is the one that the system would try first. `dns.setDefaultResultOrder` decides if it is
 *   `ipv4first` or `ipv6first`. Otherwise the rules of RFC 6724 decide, with `/etc/gai.conf` on Linux. By these rules
 *   IPv4 leads if IPv6 has no route or only unique-local addresses.
 * - Equal look-ups that run at the same time are one. Answers are not cached. A `lookup` of your own is called for
 *   every query.
 * - AAAA look-ups take turns, so A look-ups always have a thread. If a race is decided while its AAAA look-up waits for
 *   its turn, that look-up never starts.
 * - The host may be an IPv4 address while the machine has none. Then the resolver finds the NAT64 prefix of the
 *   network: it queries the IPv6 addresses of `ipv4only.arpa` (RFC 7050). With the prefix it makes IPv6 addresses that
 *   reach the host (RFC 8305, section 7.1; RFC 6052). The race also tries the address of the host itself. Names do not
 *   need this, because the DNS server of such a network already answers with IPv6 addresses (DNS64, RFC 6147).
 *
 * **Gotchas**
 *
 * - A look-up cannot be stopped. The resolver drops an answer that nobody needs, but the look-up keeps its thread until
 *   the answer comes.
 * - Node lends half of its threads to look-ups, rounded up. That is two, unless `UV_THREADPOOL_SIZE` changes it. One of
 *   them is kept for A look-ups, so AAAA look-ups run one at a time. While one of them hangs, other hosts are reached
 *   over IPv4. With 16 threads, seven run at a time.
 * - With 1 or 2 threads, all look-ups share a single one, and an AAAA look-up that hangs stops all others.
 *   {@link makeDnsResolver} needs no thread.
 * - `/etc/gai.conf` is read once. On systems other than Linux, the resolver assumes the tables of RFC 6724, even if an
 *   administrator has changed them.
 * - The resolver uses NAT64 only if no interface has an IPv4 address. An interface that leads nowhere counts, too, such
 *   as Docker's bridge.
 *
 * **Example** (refuse hosts whose name resolves to a private network)
 *
 * @example
 * ```ts
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as dns from "node:dns"
 *
 * export const resolver = NodeHappyEyeballs.makeResolver({
 *   lookup: (host, options, callback) =>
 *     dns.lookup(host, { ...options, all: true }, (error, addresses) =>
 *       error === null && addresses.some(({ address }) => address.startsWith("10."))
 *         ? callback(new Error(`${host} is in a private network`), [])
 *         : callback(error, addresses))
 * })
 *
 * export const agent = new NodeHappyEyeballs.HttpAgent({ happyEyeballs: { resolver } })
 * ```
 *
 * @since 0.1.0
 * @category resolving
 */
export const makeResolver: (options?: ResolverOptions) => HappyEyeballs.Resolver["Type"] = internalSystem.makeResolver

/**
 * Provides the resolver of {@link makeResolver}, with its defaults.
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 *
 * const addresses = Stream.runCollect(HappyEyeballs.resolve("localhost"))
 *
 * console.log(await Effect.runPromise(Effect.provide(addresses, NodeHappyEyeballs.layer)))
 * ```
 *
 * @since 0.1.0
 * @category resolving
 */
export const layer: Layer.Layer<HappyEyeballs.Resolver> = Layer.sync(HappyEyeballs.Resolver, makeResolver)

/**
 * Makes a history like `HappyEyeballs.makeHistory`, which also forgets everything when the network changes.
 *
 * **When to use**
 *
 * Pass it as the option `history` to everything that connects, with or without Effect. Make one and share it.
 *
 * **Details**
 *
 * It identifies the network by the addresses in `os.networkInterfaces()`, without loopback and link-local ones. It
 * lists them at most once a second, by the `Clock`.
 *
 * **Gotchas**
 *
 * Two networks that give the machine the same address look the same. Pass your own `network` to tell them apart.
 *
 * @example
 * ```ts
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 *
 * const history = NodeHappyEyeballs.makeHistory()
 *
 * export const httpAgent = new NodeHappyEyeballs.HttpAgent({ happyEyeballs: { history } })
 * export const httpsAgent = new NodeHappyEyeballs.HttpsAgent({ happyEyeballs: { history } })
 * ```
 *
 * @throws `IllegalArgumentException` if an option is invalid.
 *
 * @since 0.1.0
 * @category connecting
 */
export const makeHistory: (options?: HappyEyeballs.HistoryOptions) => HappyEyeballs.History =
  internalHistory.makeHistory

/**
 * Options of {@link makeDnsResolver}.
 *
 * @since 0.1.0
 * @category models
 */
export interface DnsResolverOptions {
  /**
   * The DNS servers, in the order to ask them. Each is an IP address with an optional port, such as `"192.0.2.53"` or
   * `"[2001:db8::53]:5353"`. Default: those of the system. `dns.setServers` does not change them.
   */
  readonly servers?: ReadonlyArray<string> | undefined
  /**
   * How long the first try of a query waits for its answer. Later tries wait longer. Milliseconds of the process, not
   * of the `Clock`, and at least about 300. Default: that of c-ares, 2 seconds in Node 20.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /** The longest that a try waits. Milliseconds of the process. Node 20 ignores it. Default: no limit. */
  readonly maxTimeout?: Duration.DurationInput | undefined
  /** How often to try each server. Default 4. */
  readonly tries?: number | undefined
  /**
   * The file to search for a name before asking a server. Default: the hosts file of the system, such as `/etc/hosts`.
   */
  readonly hostsFile?: string | undefined
}

/**
 * Makes a resolver that asks DNS servers itself, with one query for each family, and needs no thread.
 *
 * **When to use**
 *
 * - A DNS server drops AAAA queries. `dns.lookup` keeps a thread for each of them until it times out.
 * - You connect to many hosts at once. `dns.lookup` answers at most four at a time.
 * - A query should end with the race, or after a time that you set.
 *
 * Otherwise use {@link makeResolver}, which finds every name that other programs on the machine find.
 *
 * **Details**
 *
 * - It uses `resolve4` and `resolve6` of `node:dns`, which are those of c-ares.
 * - Interrupting a query cancels it and closes its socket.
 * - A name without an address of a family gives an empty answer (`ENODATA`). Everything else fails, such as `ENOTFOUND`
 *   for an unknown name, `ESERVFAIL`, `EREFUSED` or `ETIMEOUT`. The `cause` of the `QueryFailed` is Node's own error.
 * - A query without an answer fails when each try has timed out. By default that takes about 25 seconds. Change it with
 *   `timeout` and `tries`.
 * - If the hosts file has a name, no server is asked for it, not even for a family that the file does not list.
 * - The hosts file is read again when its time or size has changed. A file that cannot be read has no names.
 * - `localhost`, and every name that ends with `.localhost`, is loopback without a query (RFC 6761, section 6.3).
 * - The DNS servers of the system are read for each query, so a change of network takes effect.
 * - On a machine without IPv4, IPv4 addresses are reached by NAT64, as in {@link makeResolver}.
 *
 * **Gotchas**
 *
 * - Every name is absolute, with or without a dot at its end. `search`, `domain` and `ndots` in resolv.conf are
 *   ignored. So it does not find the short names of a Kubernetes cluster or an office.
 * - Of nsswitch.conf, only `files` and `dns` count, in this order. It does not find names from mDNS (`.local`, such as
 *   printers), NetBIOS, LDAP, NIS, or `mymachines` (containers).
 * - Nothing is cached. The cache of the system counts only if it is a DNS server, such as systemd-resolved.
 * - Addresses stay in the order of the answer. `dns.lookup` sorts them for the machine (RFC 6724).
 *
 * **Example** (a broken router drops AAAA queries: connecting takes 50 milliseconds more, not seconds)
 *
 * @example
 * ```ts no-run
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 *
 * const resolver = NodeHappyEyeballs.makeDnsResolver({ timeout: "1 second", tries: 2 })
 *
 * const socket = await NodeHappyEyeballs.connectPromise({ host: "example.com", port: 443, resolver })
 * console.log(socket.remoteAddress)
 * socket.end()
 * ```
 *
 * @throws `IllegalArgumentException` if an option is invalid, such as a server that is not an IP address.
 *
 * @since 0.1.0
 * @category resolving
 */
export const makeDnsResolver: (options?: DnsResolverOptions) => HappyEyeballs.Resolver["Type"] =
  internalDns.makeDnsResolver

/**
 * Provides the resolver of {@link makeDnsResolver}.
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as Effect from "effect/Effect"
 * import * as Stream from "effect/Stream"
 * import assert from "node:assert"
 *
 * const addresses = HappyEyeballs.resolve("localhost").pipe(
 *   Stream.map(({ address }) => address),
 *   Stream.runCollect,
 *   Effect.provide(NodeHappyEyeballs.layerDns())
 * )
 *
 * assert.deepStrictEqual(Array.from(await Effect.runPromise(addresses)), ["::1", "127.0.0.1"])
 * ```
 *
 * @since 0.1.0
 * @category resolving
 */
export const layerDns = (options?: DnsResolverOptions): Layer.Layer<HappyEyeballs.Resolver> =>
  Layer.sync(HappyEyeballs.Resolver, () => makeDnsResolver(options))

/**
 * The local address to connect from, for each family.
 *
 * **Details**
 *
 * For a family without one, the system chooses. A `localAddress` overrides both, and then the race tries addresses of
 * its family only.
 *
 * @since 0.1.0
 * @category models
 */
export type LocalAddresses = { readonly [F in HappyEyeballs.Family]?: string | undefined }

/**
 * Options of `net.connect`, without those that say where to connect.
 *
 * @since 0.1.0
 * @category models
 */
export interface SocketOptions extends
  Omit<
    net.TcpNetConnectOpts,
    | "autoSelectFamily"
    | "autoSelectFamilyAttemptTimeout"
    | "family"
    | "hints"
    | "host"
    | "lookup"
    | "port"
    | "signal"
    | "timeout"
  >
{
  /** The local address to connect from, for each family. Default: the system decides. */
  readonly localAddresses?: LocalAddresses | undefined
}

/**
 * Options of `tls.connect`, without those that say where to connect.
 *
 * @since 0.1.0
 * @category models
 */
export interface TlsOptions extends
  SocketOptions,
  Omit<
    tls.ConnectionOptions,
    keyof net.TcpNetConnectOpts | "path" | "socket"
  >
{
  /**
   * How long a connected address has for its TLS handshake before the next address starts beside it. Milliseconds of
   * the `Clock`. Default: the Connection Attempt Delay, 250 milliseconds.
   */
  readonly handshakeDelay?: Duration.DurationInput | undefined
}

/**
 * Connects to one address, as the `open` of your own race. The socket is destroyed when its scope closes.
 *
 * **When to use**
 *
 * - With `HappyEyeballs.connect`, if more than the connection must succeed, such as the greeting of a mail server.
 * - With `HappyEyeballs.outcome`, to see how each attempt ended.
 *
 * For the connection alone, use {@link connect}.
 *
 * **Example** (the server must speak first)
 *
 * @example
 * ```ts
 * import { HappyEyeballs } from "effect-staggered-race"
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as Effect from "effect/Effect"
 * import { once } from "node:events"
 * import * as net from "node:net"
 *
 * const server = net.createServer((socket) => socket.end("welcome")).listen(0)
 * await once(server, "listening")
 * const { port } = server.address() as net.AddressInfo
 *
 * const greeted = (endpoint: HappyEyeballs.Endpoint) =>
 *   Effect.tap(NodeHappyEyeballs.open()(endpoint), (socket) => Effect.promise(() => once(socket, "readable")))
 *
 * const program = Effect.gen(function*() {
 *   const socket = yield* HappyEyeballs.connect({ host: "localhost", port }, greeted)
 *   console.log(`${socket.read()}`) // welcome
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeHappyEyeballs.layer)))
 * server.close()
 * ```
 *
 * @since 0.1.0
 * @category one address
 */
export const open: (
  options?: SocketOptions
) => (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<net.Socket, SocketFailed, Scope.Scope> = internal.open

/**
 * Like {@link open}, with TLS. It succeeds when the handshake is done.
 *
 * **Details**
 *
 * It sends the name of the endpoint (SNI) and checks the certificate against it. `servername` overrides the name.
 *
 * @example
 * ```ts no-run
 * import { HappyEyeballs, Timeline } from "effect-staggered-race"
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const outcome = yield* HappyEyeballs.outcome({ host: "example.com", port: 443 }, NodeHappyEyeballs.openTls())
 *   console.log(Timeline.render(outcome, { labels: outcome.connections.map(({ address }) => address) }))
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeHappyEyeballs.layer)))
 * ```
 *
 * @throws `IllegalArgumentException` if `handshakeDelay` is not a duration of zero or more.
 *
 * @since 0.1.0
 * @category one address
 */
export const openTls: (
  options?: TlsOptions
) => (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<tls.TLSSocket, SocketFailed, Scope.Scope> = internal.openTls

/**
 * Options of {@link connect}: how to resolve, race, and make sockets.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectOptions extends HappyEyeballs.ConnectOptions<SocketFailed>, SocketOptions {}

/**
 * Options of {@link connectTls}: how to resolve, race, and make sockets.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectTlsOptions extends HappyEyeballs.ConnectOptions<SocketFailed>, TlsOptions {}

/**
 * Connects a socket to whichever of a host's addresses answers first.
 *
 * **When to use**
 *
 * Use it in place of `net.connect` in an Effect program.
 *
 * **Details**
 *
 * - The socket is connected. It is destroyed when the scope closes. The race destroys the sockets of the losers.
 * - Interrupting the effect stops the race.
 * - With a `localAddress`, the race tries addresses of its family only.
 *
 * **Gotchas**
 *
 * - Without a `timeout`, if no address answers or refuses, the system gives up after about two minutes.
 * - The socket has an `error` listener from the start. So an error that you do not listen for closes the connection,
 *   but does not end the process. You find it in `socket.errored`.
 * - When the scope closes, data that you wrote but Node has not sent yet is lost. Call `end`, and wait until it is
 *   done.
 *
 * @example
 * ```ts
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as Effect from "effect/Effect"
 * import { once } from "node:events"
 * import * as net from "node:net"
 *
 * const server = net.createServer((socket) => socket.end("welcome")).listen(0)
 * await once(server, "listening")
 * const { port } = server.address() as net.AddressInfo
 *
 * const program = Effect.gen(function*() {
 *   const socket = yield* NodeHappyEyeballs.connect({ host: "localhost", port })
 *   const [data] = yield* Effect.promise(() => once(socket, "data"))
 *   console.log(`${data}`) // welcome
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeHappyEyeballs.layer)))
 * server.close()
 * ```
 *
 * @since 0.1.0
 * @category connecting
 */
export const connect: (
  target: HappyEyeballs.Target,
  options?: ConnectOptions
) => Effect.Effect<
  net.Socket,
  HappyEyeballs.ConnectionFailed<SocketFailed>,
  Scope.Scope | HappyEyeballs.Resolver
> = internal.connect

/**
 * Like {@link connect}, with TLS. The handshake is part of the race: an address that connects but cannot do TLS loses.
 *
 * **Details**
 *
 * - A certificate that is not trusted ends the race, see {@link isUntrusted}.
 * - It sends the name of the target (SNI) and checks the certificate against it. `servername` overrides the name.
 *   `ALPNProtocols` and all other options of `tls.connect` are Node's.
 * - After it connects, an address has another Connection Attempt Delay for its handshake before the next one starts.
 *   See `handshakeDelay`.
 *
 * @example
 * ```ts no-run
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as Effect from "effect/Effect"
 *
 * const program = Effect.gen(function*() {
 *   const socket = yield* NodeHappyEyeballs.connectTls({ host: "example.com", port: 443 }, { ALPNProtocols: ["h2"] })
 *   console.log(socket.remoteAddress, socket.alpnProtocol)
 * })
 *
 * await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(NodeHappyEyeballs.layer)))
 * ```
 *
 * @since 0.1.0
 * @category connecting
 */
export const connectTls: (
  target: HappyEyeballs.Target,
  options?: ConnectTlsOptions
) => Effect.Effect<
  tls.TLSSocket,
  HappyEyeballs.ConnectionFailed<SocketFailed>,
  Scope.Scope | HappyEyeballs.Resolver
> = internal.connectTls

/**
 * Options of the functions without Effect: how to resolve and race.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlainOptions extends HappyEyeballs.ConnectOptions<SocketFailed> {
  /** Resolves names. Default: that of {@link makeResolver}. */
  readonly resolver?: HappyEyeballs.Resolver["Type"] | undefined
  /** The local address to connect from, for each family. Default: the system decides. */
  readonly localAddresses?: LocalAddresses | undefined
}

/**
 * Options of the functions that return a promise, in addition to those of {@link connect}.
 *
 * @since 0.1.0
 * @category models
 */
export interface PromiseOptions extends Pick<PlainOptions, "resolver"> {
  /** Stops the race when it aborts. It does not affect a socket that you already have. Default: none. */
  readonly signal?: AbortSignal | undefined
}

/**
 * Returns a promise of a socket to whichever of a host's addresses answers first.
 *
 * **Details**
 *
 * The socket is connected, and you close it. If the race fails, the promise rejects with:
 *
 * | if | the error |
 * |---|---|
 * | there is one error, or one is `fatal` | Node's own error |
 * | there are several | an `AggregateError` of them, with the `code` of the first and a message that names every address |
 * | the host has no address | the error of `dns.lookup` |
 * | the `signal` aborts | its reason |
 * | the `timeout` passes | one with the code `ETIMEDOUT` and a message that says what each address was doing |
 *
 * **Gotchas**
 *
 * As in {@link connect}, you find errors that you do not listen for in `socket.errored`.
 *
 * @example
 * ```ts no-run
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 *
 * const socket = await NodeHappyEyeballs.connectPromise({
 *   host: "example.com",
 *   port: 80,
 *   timeout: "10 seconds"
 * })
 * socket.end("GET / HTTP/1.0\r\nHost: example.com\r\n\r\n").pipe(process.stdout)
 * ```
 *
 * @since 0.1.0
 * @category without Effect
 */
export const connectPromise: (
  options: HappyEyeballs.Target & ConnectOptions & PromiseOptions
) => Promise<net.Socket> = internalRun.connectPromise

/**
 * Like {@link connectPromise}, with TLS. The handshake is part of the race, as in {@link connectTls}.
 *
 * @example
 * ```ts no-run
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 *
 * const socket = await NodeHappyEyeballs.connectTlsPromise({ host: "example.com", port: 443 })
 * console.log(socket.remoteAddress, socket.getProtocol())
 * socket.end()
 * ```
 *
 * @since 0.1.0
 * @category without Effect
 */
export const connectTlsPromise: (
  options: HappyEyeballs.Target & ConnectTlsOptions & PromiseOptions
) => Promise<tls.TLSSocket> = internalRun.connectTlsPromise

/**
 * Options of `net.connect`, and how to race.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreateConnectionOptions extends net.TcpNetConnectOpts {
  /** How to resolve and race. Default: as in RFC 8305. */
  readonly happyEyeballs?: PlainOptions | undefined
}

/**
 * Options of `tls.connect`, and how to race.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreateTlsConnectionOptions extends tls.ConnectionOptions {
  /** How to resolve and race. Default: as in RFC 8305. */
  readonly happyEyeballs?: PlainOptions | undefined
}

/**
 * Replaces `net.connect`: returns a socket at once, and connects it to the first of the host's addresses that answers.
 *
 * **When to use**
 *
 * Use it where your program calls `net.connect`, and for clients and drivers that take a socket or a function that
 * makes one. {@link connectPromise} waits until the socket is connected.
 *
 * **Details**
 *
 * - The socket is Node's own: arguments, options, events, timers. It sends what you write before it is connected.
 *   `unref` lets the process end. `timeout` is the time without activity.
 * - It emits `lookup` and `connectionAttempt` as each address is tried, and `connectionAttemptFailed` as one fails.
 * - Destroying the socket, or aborting its `signal`, stops the race.
 * - `happyEyeballs.timeout` limits the total time, including the look-up.
 * - Errors are those of {@link connectPromise}.
 * - A `path` is not raced.
 *
 * **Gotchas**
 *
 * - The race makes its own sockets. It moves the connection of the winner to your socket, through undocumented members
 *   of Node's sockets. They are the same in Node 20, 22, 24 and 26, which are tested. If a version of Node lacks them,
 *   the socket connects to the winning address a second time.
 * - While an address neither answers nor refuses, Node keeps the process alive, even if the socket is `unref`. This is
 *   so for Node's own sockets, too. Set `happyEyeballs.timeout`, or destroy the socket.
 *
 * @example
 * ```ts no-run
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 *
 * const socket = NodeHappyEyeballs.createConnection({ host: "example.com", port: 80 }, () => {
 *   console.log(`connected to ${socket.remoteAddress}`)
 * })
 * socket.end("GET / HTTP/1.0\r\nHost: example.com\r\n\r\n").pipe(process.stdout)
 * ```
 *
 * @throws `IllegalArgumentException` if `family` is not a valid family, and whatever `net.connect` throws.
 *
 * @since 0.1.0
 * @category without Effect
 */
export const createConnection: {
  (options: CreateConnectionOptions, connectionListener?: () => void): net.Socket
  (port: number, host?: string, connectionListener?: () => void): net.Socket
  (port: number, connectionListener?: () => void): net.Socket
  (path: string, connectionListener?: () => void): net.Socket
} = internalConnection.createConnection

/**
 * Replaces `tls.connect`, as {@link createConnection} replaces `net.connect`. The handshake is part of the race.
 *
 * **Details**
 *
 * - An address that accepts connections and then says nothing loses to the next.
 * - The socket emits `connect` and `secureConnect` when the race is won.
 * - It checks the certificate once. A wrong certificate is final, and so is an error of your own `checkServerIdentity`:
 *   the race tries no other address.
 * - Without a `servername`, it sends the name of the host (SNI). Node sends none.
 *
 * **Gotchas**
 *
 * With the option `onread`, the handshake is not part of the race. The socket then connects to the winning address a
 * second time.
 *
 * @example
 * ```ts no-run
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 *
 * const socket = NodeHappyEyeballs.createTlsConnection({ host: "example.com", port: 443 }, () => {
 *   console.log(socket.authorized, socket.getProtocol())
 *   socket.end()
 * })
 * ```
 *
 * @throws `IllegalArgumentException` if `family` is not a valid family, and whatever `tls.connect` throws.
 *
 * @since 0.1.0
 * @category without Effect
 */
export const createTlsConnection: {
  (options: CreateTlsConnectionOptions, secureConnectListener?: () => void): tls.TLSSocket
  (port: number, host?: string, options?: CreateTlsConnectionOptions, secureConnectListener?: () => void): tls.TLSSocket
  (port: number, options?: CreateTlsConnectionOptions, secureConnectListener?: () => void): tls.TLSSocket
} = internalConnection.createTlsConnection

/**
 * Options of Node's `http.Agent`, and how to race.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpAgentOptions extends http.AgentOptions {
  /** How to resolve and race. Default: as in RFC 8305. */
  readonly happyEyeballs?: PlainOptions | undefined
}

/**
 * Options of Node's `https.Agent`, and how to race.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpsAgentOptions extends https.AgentOptions {
  /** How to resolve and race. Default: as in RFC 8305. */
  readonly happyEyeballs?: PlainOptions | undefined
}

/**
 * An `http.Agent` of Node that races its connections.
 *
 * **When to use**
 *
 * Pass it as the `agent` of `http.request`, or of any client built on that.
 *
 * **Details**
 *
 * - Pooling, `keepAlive`, `maxSockets` and everything else are Node's own. So are `family`, `localAddress`, `lookup`,
 *   `hints` and `timeout` of a request.
 * - Nothing is raced through a proxy of Node (`proxyEnv`, from Node 24 on) or to a path of the file system.
 * - A request gets its socket at once, with all of its events, see {@link createConnection}.
 * - Destroying the request or the agent stops the race.
 * - Errors are those of {@link connectPromise}.
 *
 * **Gotchas**
 *
 * The gotchas of {@link createConnection} apply.
 *
 * @example
 * ```ts no-run
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as http from "node:http"
 *
 * const agent = new NodeHappyEyeballs.HttpAgent({ keepAlive: true })
 *
 * http.get("http://example.com", { agent }, (response) => response.pipe(process.stdout))
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const HttpAgent: new(options?: HttpAgentOptions) => HttpAgent = internalAgent.HttpAgent

/**
 * The type of a {@link HttpAgent}: Node's `http.Agent`.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpAgent extends http.Agent {}

/**
 * An `https.Agent` of Node that races its connections, including the TLS handshake.
 *
 * **Details**
 *
 * It works like {@link HttpAgent}. It resumes TLS sessions as Node does.
 *
 * **Example** (all requests of a program that set no other agent)
 *
 * @example
 * ```ts
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import https from "node:https"
 *
 * https.globalAgent = new NodeHappyEyeballs.HttpsAgent({ ...https.globalAgent.options })
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const HttpsAgent: new(options?: HttpsAgentOptions) => HttpsAgent = internalAgent.HttpsAgent

/**
 * The type of a {@link HttpsAgent}: Node's `https.Agent`.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpsAgent extends https.Agent {}

/**
 * What undici passes to a connector.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectorOptions {
  readonly hostname: string
  readonly host?: string
  readonly protocol: string
  readonly port: string
  readonly servername?: string
  readonly localAddress?: string | null
  readonly socketPath?: string | null
  readonly httpSocket?: net.Socket
}

/**
 * A connector of undici, such as its `buildConnector` returns.
 *
 * @since 0.1.0
 * @category models
 */
export interface Connector {
  (
    options: ConnectorOptions,
    callback: (...result: [error: null, socket: net.Socket | tls.TLSSocket] | [error: Error, socket: null]) => void
  ): void
}

/**
 * Makes a connector for undici, and so for `fetch`, that races the addresses of a host.
 *
 * **When to use**
 *
 * Pass it as the `connect` of undici's `Agent`. With `setGlobalDispatcher`, that covers every `fetch` of the program.
 *
 * **Details**
 *
 * - Your `connector` connects to each address. Its TLS settings, its sessions, and its timeout apply to each address.
 * - `timeout` covers everything, including the look-up. Default 10 seconds, as in undici. The error is then named
 *   `ConnectTimeoutError`, with the code `UND_ERR_CONNECT_TIMEOUT`.
 * - All other errors are those of {@link connectPromise}.
 * - Nothing is raced through the socket of a proxy, or for a path of the file system.
 *
 * **Gotchas**
 *
 * - Your connector sees addresses, so its `lookup`, `hints` and `family` have no effect. Pass a `resolver`:
 *   {@link makeResolver} takes a `lookup`.
 * - Undici does not pass the options of its `Agent` to a connector. Use `timeout` here in place of `connectTimeout`.
 *   Pass `allowH2` to `buildConnector`, too: otherwise you silently get HTTP/1.1.
 * - Undici does not tell a connector that a request was aborted. So the connection of such a request still opens, and
 *   undici keeps it for the next one.
 * - A connector must return its socket to be stoppable, as those of `buildConnector` do. If another connector loses,
 *   its socket is destroyed only after it has connected.
 *
 * @example
 * ```ts no-run
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import { Agent, buildConnector, setGlobalDispatcher } from "undici"
 *
 * setGlobalDispatcher(new Agent({ connect: NodeHappyEyeballs.connector(buildConnector({})) }))
 *
 * const response = await fetch("https://example.com")
 * console.log(response.status)
 * ```
 *
 * @since 0.1.0
 * @category http
 */
export const connector: (connector: Connector, options?: PlainOptions) => Connector = internalConnector.racing
