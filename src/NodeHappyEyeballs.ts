/**
 * Connections that do not wait for a dead address: Happy Eyeballs (RFC 8305) for Node's sockets, for TLS, for
 * `node:http`, and for undici, which is what `fetch` connects with.
 *
 * Node's own way, `autoSelectFamily`, tries a host's addresses in turn too, but its 250 milliseconds are a timeout: as
 * the next address is tried, the one before is given up. So a host that answers after 300 milliseconds is out of reach if
 * the last of its addresses does not answer at all, and on a slow line a single lost packet has the same effect
 * (nodejs/node#48145, #54359). Here it is a delay: what has been started goes on until one of them answers.
 *
 * | to connect | take |
 * |---|---|
 * | a socket, in an Effect program | {@link connect}, {@link connectTls} |
 * | a socket, anywhere else | {@link createConnection}, {@link createTlsConnection} |
 * | a socket that is connected, as a promise | {@link connectPromise}, {@link connectTlsPromise} |
 * | with `node:http` and `node:https` | {@link HttpAgent}, {@link HttpsAgent} |
 * | with undici, and `fetch` | {@link connector} |
 * | with a protocol of your own inside the race | `HappyEyeballs.connect` with {@link open} or {@link openTls} |
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
 * One address could not be connected to, or its handshake of TLS has failed.
 *
 * **Details**
 *
 * The `cause` is Node's own error, and so are the `code`, such as `"ECONNREFUSED"`, and the message.
 *
 * @since 0.1.0
 * @category errors
 */
export class SocketFailed extends Data.TaggedError("SocketFailed")<{
  readonly cause: NodeJS.ErrnoException
  /** Whether the server has answered, with a certificate that is not trusted. */
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
 * Whether a server has answered with a certificate that is not trusted. It is what is `fatal` in {@link connectTls} and
 * {@link connectTlsPromise} if nothing else is said: other addresses of the host are not tried then, and this is the
 * error that the caller sees.
 *
 * @since 0.1.0
 * @category errors
 */
export const isUntrusted: (cause: Cause.Cause<SocketFailed>) => boolean = internal.isUntrusted

/**
 * How names are resolved.
 *
 * @since 0.1.0
 * @category models
 */
export interface ResolverOptions {
  /** What to ask in the place of `dns.lookup`: a cache, or a resolver of your own. */
  readonly lookup?: net.LookupFunction | undefined
  /**
   * Flags of `dns.lookup`, such as `dns.V4MAPPED`; 0 for none. Default: `dns.ADDRCONFIG` as in `net.connect`, so that the
   * system asks for no family that the host has no address of. Not on Windows, not where one family alone is asked for,
   * and not where the other family has no route.
   */
  readonly hints?: number | undefined
}

/**
 * A resolver that asks the system, with one `dns.lookup` for each family: hosts files and all else that the system is
 * set up for count.
 *
 * **Details**
 *
 * - The family that leads is the one that the system would try first. `dns.setDefaultResultOrder` decides it if it says
 *   `ipv4first` or `ipv6first`. Else the rules of RFC 6724 do, with `/etc/gai.conf` on Linux: IPv4 leads where IPv6 has no
 *   route, or only unique-local addresses.
 * - Equal look-ups that run at the same time are one. Nothing is kept once they are answered. A `lookup` of your own is
 *   called for every query.
 * - AAAA look-ups take turns, so that A look-ups always have a thread. Those that wait and are not needed any more, since
 *   their race is decided, are never asked.
 *
 * Where the host is an IPv4 address and the machine has none, it asks for the prefix of the network's NAT64 (RFC 7050: the
 * IPv6 addresses of `ipv4only.arpa`), and gives the IPv6 addresses by which the host is reached (RFC 8305, section 7.1;
 * RFC 6052). The host's own address is tried too. Names need none of this: a network with NAT64 has a DNS server that
 * answers with such addresses (DNS64, RFC 6147).
 *
 * **Gotchas**
 *
 * A look-up cannot be stopped: its answer is dropped if nobody needs it any more, but it keeps its thread until it comes.
 * Node lends half of its threads to look-ups, rounded up: two, if `UV_THREADPOOL_SIZE` does not say otherwise. One of
 * them is kept for A look-ups, so that one AAAA query runs at a time, and while it is not answered, other hosts are
 * reached over IPv4. With 16 threads, seven run at a time. With 1 or 2, look-ups have a single thread, and an AAAA query
 * that is not answered holds up every other look-up. {@link makeDnsResolver} needs no thread.
 *
 * `/etc/gai.conf` is read once. On other systems than Linux the tables of RFC 6724 are assumed, whatever an administrator
 * has changed.
 *
 * The machine counts as one with IPv4 if any interface has such an address, even one that leads nowhere, such as the
 * bridge of Docker. Then literals are not reached by NAT64.
 *
 * **Example** (addresses of a network that is not one's own are refused)
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
 * The resolver of {@link makeResolver} as a layer, with its defaults.
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
 * A history as `HappyEyeballs.makeHistory` makes it, which is forgotten when the addresses of the machine change.
 *
 * **When to use**
 *
 * As the option `history` of all that connects, in programs with Effect and without. Make one, and share it.
 *
 * **Details**
 *
 * The network is told by the addresses of `os.networkInterfaces()`, without those of loopback and of the link. They are
 * listed once a second at most, by the `Clock`.
 *
 * **Gotchas**
 *
 * Two networks that give the machine the same address look the same. Give a `network` of your own to tell them apart.
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
 * @throws `IllegalArgumentException` if an option makes no sense.
 *
 * @since 0.1.0
 * @category connecting
 */
export const makeHistory: (options?: HappyEyeballs.HistoryOptions) => HappyEyeballs.History =
  internalHistory.makeHistory

/**
 * How {@link makeDnsResolver} asks.
 *
 * @since 0.1.0
 * @category models
 */
export interface DnsResolverOptions {
  /**
   * The DNS servers to ask, the first one first: addresses, each with a port if need be, such as `"192.0.2.53"` or
   * `"[2001:db8::53]:5353"`. Default: those of the system, which `dns.setServers` does not change.
   */
  readonly servers?: ReadonlyArray<string> | undefined
  /**
   * How long the first try of a query waits for its answer; later ones wait longer. Milliseconds of the process, and not
   * of the `Clock`; no less than about 300. Default: that of c-ares, 2 seconds in Node 20.
   */
  readonly timeout?: Duration.DurationInput | undefined
  /** The longest that a try waits. Milliseconds of the process. Default: no limit. Node 20 disregards it. */
  readonly maxTimeout?: Duration.DurationInput | undefined
  /** How often each server is tried. Default 4. */
  readonly tries?: number | undefined
  /** Where names are looked up before any server is asked. Default: the hosts file of the system, such as `/etc/hosts`. */
  readonly hostsFile?: string | undefined
}

/**
 * A resolver that asks DNS servers itself, with one query for each family, and needs no thread: `resolve4` and `resolve6`
 * of `node:dns`, which are those of c-ares.
 *
 * **When to use**
 *
 * - Where a DNS server drops AAAA queries: `dns.lookup` keeps a thread for each of them until it times out.
 * - Where many hosts are connected to at once: `dns.lookup` answers four at a time.
 * - Where a query should end with the race, or after a time of your own.
 *
 * Elsewhere take {@link makeResolver}, which finds every name that the other programs of the machine find.
 *
 * **Details**
 *
 * - A query that is interrupted is cancelled, and its socket is closed.
 * - A name without an address of a family has none (`ENODATA`). Everything else fails: `ENOTFOUND` where there is no such
 *   name, `ESERVFAIL`, `EREFUSED`, `ETIMEOUT`, and so on. The `cause` of the `QueryFailed` is Node's own error.
 * - A query that nobody answers fails when each of its tries has timed out, after about 25 seconds if `timeout` and
 *   `tries` do not say otherwise.
 * - A name of the hosts file is not asked for, not even in a family of which the file has no address. The file is read
 *   again when its time or its size has changed. If it cannot be read, it has no names.
 * - `localhost`, and every name that ends with `.localhost`, is loopback without a query (RFC 6761, section 6.3).
 * - The system's DNS servers are read for each query, so that a change of network is noticed.
 * - IPv4 addresses on a machine without IPv4 are reached by NAT64, as with {@link makeResolver}.
 *
 * **Gotchas**
 *
 * - Every name is absolute, with or without a dot at its end: `search`, `domain` and `ndots` of resolv.conf do not count.
 *   So the short names of a Kubernetes cluster, or of an office, are not found.
 * - Of nsswitch.conf, `files` and `dns` count, in this order. What is known by other means is not found: printers and the
 *   like by mDNS (`.local`), names by NetBIOS, LDAP or NIS, containers by `mymachines`.
 * - Nothing is cached. The cache of the system counts only where it is itself a DNS server, as that of systemd-resolved.
 * - Addresses are in the order of the answer, where `dns.lookup` has those first that suit the machine (RFC 6724).
 *
 * **Example** (a broken router drops AAAA queries: the connection begins 50 milliseconds later, and not after seconds)
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
 * @throws `IllegalArgumentException` if an option makes no sense, such as a server that is no address.
 *
 * @since 0.1.0
 * @category resolving
 */
export const makeDnsResolver: (options?: DnsResolverOptions) => HappyEyeballs.Resolver["Type"] =
  internalDns.makeDnsResolver

/**
 * The resolver of {@link makeDnsResolver} as a layer.
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
 * Where connections come from: an address of this machine for each family.
 *
 * **Details**
 *
 * A family without one comes from whatever address the system takes. A `localAddress`, which is one for all, wins, and
 * then addresses of its family alone are tried.
 *
 * @since 0.1.0
 * @category models
 */
export type LocalAddresses = { readonly [F in HappyEyeballs.Family]?: string | undefined }

/**
 * Options of `net.connect`, but for those that say where to.
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
  /** Where connections come from, for each family. Default: the system decides. */
  readonly localAddresses?: LocalAddresses | undefined
}

/**
 * Options of `tls.connect`, but for those that say where to.
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
   * How long an address that has been connected to is given for its handshake before the next one is tried beside it.
   * Milliseconds of the `Clock`. Default: the Connection Attempt Delay, 250 milliseconds.
   */
  readonly handshakeDelay?: Duration.DurationInput | undefined
}

/**
 * Connects to one address, for a race of your own: the socket is connected when the effect succeeds, and is destroyed
 * when its scope closes.
 *
 * **When to use**
 *
 * With `HappyEyeballs.connect`, where more than a connection has to succeed, such as the greeting of a mail server; or
 * with `HappyEyeballs.outcome`, to learn what became of each address. For the connection alone there is
 * {@link connect}.
 *
 * **Example** (a server has to speak first)
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
 * As {@link open}, with TLS: the handshake has ended when the effect succeeds.
 *
 * **Details**
 *
 * The name of the endpoint is sent along (SNI), and the certificate is checked against it, unless `servername` says
 * otherwise.
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
 * @throws `IllegalArgumentException` if `handshakeDelay` is no duration of zero or more.
 *
 * @since 0.1.0
 * @category one address
 */
export const openTls: (
  options?: TlsOptions
) => (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<tls.TLSSocket, SocketFailed, Scope.Scope> = internal.openTls

/**
 * How {@link connect} resolves, races, and makes its sockets.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectOptions extends HappyEyeballs.ConnectOptions<SocketFailed>, SocketOptions {}

/**
 * How {@link connectTls} resolves, races, and makes its sockets.
 *
 * @since 0.1.0
 * @category models
 */
export interface ConnectTlsOptions extends HappyEyeballs.ConnectOptions<SocketFailed>, TlsOptions {}

/**
 * A socket to whichever of a host's addresses answers first.
 *
 * **When to use**
 *
 * In the place of `net.connect`, in an Effect program.
 *
 * **Details**
 *
 * - The socket is connected. It is destroyed when the scope closes; the sockets to all other addresses are when it is
 *   known that they have lost.
 * - Interrupting the effect stops the connecting.
 * - With a `localAddress`, addresses of its family alone are tried.
 *
 * **Gotchas**
 *
 * Without a `timeout`, where every address neither answers nor refuses, the system gives up after two minutes or so.
 *
 * Somebody listens to the socket's errors already, so that one that comes when nobody else does ends the connection and
 * not the process. It is in `socket.errored`.
 *
 * What has been written, but not yet sent when the scope closes, is lost: `end` the socket, and wait for it, first.
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
 * As {@link connect}, with TLS. The handshake is a part of the race: an address that takes connections and cannot do
 * TLS loses. One that shows a certificate that is not trusted is the end of the race, see {@link isUntrusted}.
 *
 * **Details**
 *
 * - The target's name is sent along (SNI), and the certificate is checked against it, unless `servername` says
 *   otherwise. `ALPNProtocols` and all other options of `tls.connect` are Node's.
 * - An address that has been connected to gets another Connection Attempt Delay for its handshake before the next is
 *   tried; see `handshakeDelay`.
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
 * How to resolve and race where there is no Effect program around.
 *
 * @since 0.1.0
 * @category models
 */
export interface PlainOptions extends HappyEyeballs.ConnectOptions<SocketFailed> {
  /** Who resolves names. Default: that of {@link makeResolver}. */
  readonly resolver?: HappyEyeballs.Resolver["Type"] | undefined
  /** Where connections come from, for each family. Default: the system decides. */
  readonly localAddresses?: LocalAddresses | undefined
}

/**
 * What a promise is given besides.
 *
 * @since 0.1.0
 * @category models
 */
export interface PromiseOptions extends Pick<PlainOptions, "resolver"> {
  /** Stops connecting. The socket that the promise has been fulfilled with is not touched. */
  readonly signal?: AbortSignal | undefined
}

/**
 * A socket to whichever of a host's addresses answers first, for programs without Effect.
 *
 * **Details**
 *
 * - The socket is connected, and the caller's to close.
 * - If it cannot be had, the promise is rejected with Node's own error where there is only one; with an
 *   `AggregateError` of all, which has the code of the first and a message that names every address; with the error of
 *   `dns.lookup` where there is no address; with the signal's reason if that aborts; with one whose code is `ETIMEDOUT`,
 *   and whose message says what each address was doing, when the `timeout` has passed.
 *
 * **Gotchas**
 *
 * As with {@link connect}, errors that nobody else listens for are in `socket.errored`.
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
 * As {@link connectPromise}, with TLS, and with the handshake as a part of the race, as in {@link connectTls}.
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
  /** How to resolve and race. Default: as RFC 8305 says. */
  readonly happyEyeballs?: PlainOptions | undefined
}

/**
 * Options of `tls.connect`, and how to race.
 *
 * @since 0.1.0
 * @category models
 */
export interface CreateTlsConnectionOptions extends tls.ConnectionOptions {
  /** How to resolve and race. Default: as RFC 8305 says. */
  readonly happyEyeballs?: PlainOptions | undefined
}

/**
 * Replaces `net.connect`: returns a socket at once, and connects it to the first of the host's addresses that answers.
 *
 * **When to use**
 *
 * Use it where your program calls `net.connect`, and for clients and drivers that take a socket or a function that makes
 * one. {@link connectPromise} waits until the socket is connected.
 *
 * **Details**
 *
 * - The socket is Node's own: arguments, options, events, timers. It sends what you write before it is connected, `unref`
 *   lets the process end, and `timeout` is the time without activity.
 * - It emits `lookup` and `connectionAttempt` as each address is tried, and `connectionAttemptFailed` as one fails.
 * - Destroying the socket, or aborting its `signal`, stops the race.
 * - `happyEyeballs.timeout` limits the time for all of it, from the look-up on.
 * - Errors are those of {@link connectPromise}.
 * - A `path` is not raced.
 *
 * **Gotchas**
 *
 * The race makes sockets of its own, and hands the winner's connection over by members of Node's sockets that are not
 * documented. They are the same in Node 20, 22, 24 and 26, which are tested. If a version of Node lacks them, the socket
 * connects to the address that won once more.
 *
 * While an address neither answers nor refuses, Node holds the process, also for a socket that is `unref`: for its own
 * sockets as for this one. `happyEyeballs.timeout`, or destroying the socket, ends that.
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
 * @throws `IllegalArgumentException` if `family` is none that there is, and what `net.connect` throws.
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
 * Replaces `tls.connect`, as {@link createConnection} replaces `net.connect`. The handshake is part of the race: an
 * address that accepts connections and then says nothing loses to the next.
 *
 * **Details**
 *
 * - The socket emits `connect` and `secureConnect` when the race is won.
 * - It checks the certificate once. A wrong one is final, and so is an error of your own `checkServerIdentity`: the other
 *   addresses are not tried.
 * - Without a `servername`, the name of the host is sent (SNI). Node sends none.
 *
 * **Gotchas**
 *
 * With the option `onread`, the handshake is not part of the race, and the address that won is connected to once more.
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
 * @throws `IllegalArgumentException` if `family` is none that there is, and what `tls.connect` throws.
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
  /** How to resolve and race. Default: as RFC 8305 says. */
  readonly happyEyeballs?: PlainOptions | undefined
}

/**
 * Options of Node's `https.Agent`, and how to race.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpsAgentOptions extends https.AgentOptions {
  /** How to resolve and race. Default: as RFC 8305 says. */
  readonly happyEyeballs?: PlainOptions | undefined
}

/**
 * Node's `http.Agent` whose connections are raced.
 *
 * **When to use**
 *
 * As the `agent` of `http.request`, or of anything that is made of it.
 *
 * **Details**
 *
 * - Pooling, `keepAlive`, `maxSockets` and all else are Node's own; so are `family`, `localAddress`, `lookup`, `hints`
 *   and `timeout` of a request.
 * - Where Node goes through a proxy (`proxyEnv`, from Node 24 on), or to a path of the file system, it does so still, and
 *   nothing is raced.
 * - A request has its socket at once, and the socket all of its events: see {@link createConnection}.
 * - Destroying the request, or the agent, stops the connecting.
 * - Errors are those of {@link connectPromise}.
 *
 * **Gotchas**
 *
 * The connection is handed over as in {@link createConnection}, which see.
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
 * An agent of {@link HttpAgent}: Node's, as far as types go.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpAgent extends http.Agent {}

/**
 * Node's `https.Agent` whose connections are raced, with the handshake as a part of the race.
 *
 * **Details**
 *
 * It is to `node:https` what {@link HttpAgent} is to `node:http`. Sessions are resumed as Node does.
 *
 * **Example** (for all requests of a program that do not say otherwise)
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
 * An agent of {@link HttpsAgent}: Node's, as far as types go.
 *
 * @since 0.1.0
 * @category models
 */
export interface HttpsAgent extends https.Agent {}

/**
 * What undici asks a connector for.
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
 * A connector as undici has it: one of those that its `buildConnector` builds.
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
 * A connector for undici that races a host's addresses, each of which the given connector connects to.
 *
 * **When to use**
 *
 * As the `connect` of undici's `Agent`; and with `setGlobalDispatcher`, for every `fetch` of a program.
 *
 * **Details**
 *
 * - TLS, its sessions, and its timeout for each address are those of the given connector.
 * - `timeout` is for all of it, the look-up of the name as well. Default: ten seconds, as undici has. Then the error is
 *   named `ConnectTimeoutError`, with the code `UND_ERR_CONNECT_TIMEOUT`.
 * - All other errors are those of {@link connectPromise}.
 * - Nothing is raced through a proxy's socket or for a path of the file system.
 *
 * **Gotchas**
 *
 * The given connector sees addresses: its own `lookup`, `hints` and `family` are not asked. What to ask is `resolver`, as
 * {@link makeResolver} makes it of a `lookup`.
 *
 * What undici's `Agent` is told of connections, it does not tell a connector: `connectTimeout` is `timeout` here, and
 * `allowH2` has to be given to `buildConnector` as well, or there is HTTP/1.1 and no word of it.
 *
 * Undici does not tell a connector that nobody needs its connection any more: that of a request that is aborted while it
 * connects is kept for the next one.
 *
 * A connector that does not return its socket, as those of `buildConnector` do, cannot be stopped: if it loses, its socket
 * is destroyed once it has connected.
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
