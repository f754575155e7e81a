import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import dns from "node:dns"
import * as net from "node:net"
import * as tls from "node:tls"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import * as StaggeredRace from "../../StaggeredRace.js"
import { fromText } from "../happyEyeballs/address.js"
import { connectionAttemptDelay } from "../happyEyeballs/connect.js"
import { decodeMillis } from "../options.js"

/** @internal */
export const toError = (cause: unknown): NodeJS.ErrnoException =>
  cause instanceof Error ? cause : new Error(String(cause))

/** @internal */
export const failure = (cause: unknown) => new NodeHappyEyeballs.SocketFailed({ cause: toError(cause) })

/** @internal */
export const makeResolver = (
  { hints = 0, lookup }: NodeHappyEyeballs.ResolverOptions = {}
): HappyEyeballs.Resolver["Type"] => ({
  query: (host, family) =>
    Effect.async((resume) => {
      const fail = (cause: unknown) => resume(new HappyEyeballs.QueryFailed({ host, family, cause }))
      const answer = (error: Error | null, found: string | Array<dns.LookupAddress>) => {
        try {
          if (error) {
            fail(error)
          } else {
            // A function in the place of `dns.lookup` may know no other answer than one address.
            resume(Effect.succeed(typeof found === "string" ? [found] : found.map(({ address }) => address)))
          }
        } catch (error) {
          fail(error)
        }
      }
      try {
        // Whatever it is by now: caches and monitors take its place, and Node asks them, too.
        const ask: net.LookupFunction = lookup ?? dns.lookup
        ask(host, { all: true, family, hints }, answer)
      } catch (error) {
        fail(error)
      }
    })
})

/**
 * Done when a socket gets so far, or is closed before. It listens from the moment that the socket is made: whoever
 * waits may come later than the event.
 *
 * @internal
 */
export const awaiting = (
  socket: net.Socket,
  event: "connect" | "secureConnect"
): Deferred.Deferred<void, NodeHappyEyeballs.SocketFailed> => {
  const done = Deferred.unsafeMake<void, NodeHappyEyeballs.SocketFailed>(FiberId.none)
  socket
    .once(event, () => Deferred.unsafeDone(done, Effect.void))
    .once("close", () => Deferred.unsafeDone(done, failure(socket.errored ?? new Error(`closed before "${event}"`))))
  return done
}

/**
 * A socket that lives as long as its scope. It is destroyed in whatever state it is: `destroySoon` would wait for a
 * connection that is still being made.
 */
const acquire = <S extends net.Socket, A>(make: () => S, watch: (socket: S) => A) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        // Who waits for the socket hears of an error when it closes; one that nobody listens to would end the process.
        const socket = make().on("error", constVoid)
        return [socket, watch(socket)] as const
      },
      catch: failure
    }),
    ([socket]) => Effect.sync(() => socket.destroy())
  )

/**
 * An address that has been connected to gets some time for the handshake before the next one is tried.
 *
 * @internal
 */
export const handshakeBegins = (
  handshakeDelay: HappyEyeballs.ConnectOptions["connectionAttemptDelay"] = connectionAttemptDelay
): Effect.Effect<void> =>
  Effect.flatMap(
    StaggeredRace.CurrentAttempt,
    Option.match({ onNone: () => Effect.void, onSome: ({ progress }) => progress(handshakeDelay) })
  )

/**
 * A socket that is connected.
 *
 * @internal
 */
export const connected = <S extends net.Socket>(make: () => S) =>
  Effect.flatMap(
    acquire(make, (socket) => awaiting(socket, "connect")),
    ([socket, connects]) => Effect.as(Deferred.await(connects), socket)
  )

/**
 * A socket that has finished its handshake of TLS.
 *
 * @internal
 */
export const secured = <S extends net.Socket>(
  make: () => S,
  handshakeDelay?: HappyEyeballs.ConnectOptions["connectionAttemptDelay"]
) =>
  Effect.flatMap(
    acquire(make, (socket) => [awaiting(socket, "connect"), awaiting(socket, "secureConnect")] as const),
    ([socket, [connects, secures]]) =>
      Deferred.await(connects).pipe(
        Effect.zipRight(handshakeBegins(handshakeDelay)),
        Effect.zipRight(Deferred.await(secures)),
        Effect.as(socket)
      )
  )

const isName = (host: string): boolean => Option.isNone(fromText(host))

/**
 * Node checks a certificate against the name that it sends along, and where it sends none, against the host: which
 * would be the address.
 *
 * @internal
 */
export const identityOf = (
  host: string,
  { checkServerIdentity = tls.checkServerIdentity, servername }: Pick<
    tls.ConnectionOptions,
    "checkServerIdentity" | "servername"
  >
): Pick<tls.ConnectionOptions, "checkServerIdentity"> =>
  servername || !isName(host)
    ? {}
    : { checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate) }

/** @internal */
export const open = (options: NodeHappyEyeballs.SocketOptions = {}) => ({ address, port }: HappyEyeballs.Endpoint) =>
  connected(() => net.connect({ ...options, host: address, port, autoSelectFamily: false }))

/** @internal */
export const openTls = ({ handshakeDelay: input, ...options }: NodeHappyEyeballs.TlsOptions = {}) => {
  const handshakeDelay = input === undefined ? undefined : decodeMillis("handshakeDelay", input, "NodeHappyEyeballs")
  return ({ address, host, port }: HappyEyeballs.Endpoint) => {
    // The name that was asked for; a dot at its end is not sent (RFC 6066, section 3).
    const servername = options.servername ?? (isName(host) ? host.replace(/\.$/, "") : undefined)
    const named = servername === undefined ? options : { ...options, servername }
    const connection = { ...named, ...identityOf(host, named), host: address, port, autoSelectFamily: false }
    return secured(() => tls.connect(connection), handshakeDelay)
  }
}

/**
 * An own address of one family reaches none of the other.
 *
 * @internal
 */
export const familyOf = (
  options: { readonly family?: HappyEyeballs.Family | undefined; readonly localAddress?: string | undefined }
): HappyEyeballs.Family | undefined =>
  options.family ?? Option.getOrUndefined(fromText(options.localAddress ?? ""))?.family

/** @internal */
export const connect = (target: HappyEyeballs.Target, options: NodeHappyEyeballs.ConnectOptions = {}) =>
  HappyEyeballs.connect(target, open(options), { ...options, family: familyOf(options) })

/** @internal */
export const connectTls = (target: HappyEyeballs.Target, options: NodeHappyEyeballs.ConnectTlsOptions = {}) =>
  Effect.suspend(() =>
    HappyEyeballs.connect(
      target,
      openTls({ handshakeDelay: options.connectionAttemptDelay, ...options }),
      { ...options, family: familyOf(options) }
    )
  )
