import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as net from "node:net"
import * as tls from "node:tls"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import * as StaggeredRace from "../../StaggeredRace.js"
import { fromText } from "../happyEyeballs/address.js"
import { connectionAttemptDelay } from "../happyEyeballs/connect.js"
import { Checks } from "../options.js"

const check = new Checks("NodeHappyEyeballs")

/** @internal */
export const toError = (cause: unknown): NodeJS.ErrnoException =>
  cause instanceof Error ? cause : new Error(String(cause))

/** @internal */
export const failure = (cause: unknown) => new NodeHappyEyeballs.SocketFailed({ cause: toError(cause) })

/**
 * Completes with the event, or fails if the socket closes first. It listens as soon as the socket exists, because the
 * event may come before anybody waits for it.
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
 * Opens a socket, and destroys it with the scope. `destroySoon` would wait for a socket that is still connecting.
 */
const acquire = <S extends net.Socket, A>(make: () => S, watch: (socket: S) => A) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        // An error without a listener ends the process. Nothing is lost: `awaiting` reports it when the socket closes.
        const socket = make().on("error", constVoid)
        return [socket, watch(socket)] as const
      },
      catch: failure
    }),
    ([socket]) => Effect.sync(() => socket.destroy())
  )

/**
 * Gives a connected address some time for its handshake before the race tries the next one.
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
 * Opens a socket and waits until it is connected.
 *
 * @internal
 */
export const connected = <S extends net.Socket>(make: () => S) =>
  Effect.flatMap(
    acquire(make, (socket) => awaiting(socket, "connect")),
    ([socket, connects]) => Effect.as(Deferred.await(connects), socket)
  )

/**
 * Opens a socket and waits until its TLS handshake is done.
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
 * A name as TLS sends it. RFC 6066, section 3: it has no dot at its end. A port may follow.
 *
 * @internal
 */
export const withoutDot = (name: string): string => name.replace(/\.(?=(:\d+)?$)/, "")

/**
 * Makes Node check the certificate against the host. Without a server name, Node would check it against the address
 * that it connects to.
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
  const handshakeDelay = input === undefined ? undefined : check.millis("handshakeDelay", input)
  return ({ address, host, port }: HappyEyeballs.Endpoint) => {
    const servername = options.servername ?? (isName(host) ? withoutDot(host) : undefined)
    const named = servername === undefined ? options : { ...options, servername }
    const connection = { ...named, ...identityOf(host, named), host: address, port, autoSelectFamily: false }
    return secured(() => tls.connect(connection), handshakeDelay)
  }
}

/**
 * The family to connect to. A local address decides it, because it cannot reach the other family.
 *
 * @internal
 */
export const familyOf = (
  options: { readonly family?: HappyEyeballs.Family | undefined; readonly localAddress?: string | undefined }
): HappyEyeballs.Family | undefined =>
  options.family ?? Option.getOrUndefined(fromText(options.localAddress ?? ""))?.family

/** Where no scope was provided, that is no failure of an address. */
const inScope = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.zipRight(Effect.scope, self)

/** @internal */
export const connect = (target: HappyEyeballs.Target, options: NodeHappyEyeballs.ConnectOptions = {}) =>
  inScope(HappyEyeballs.connect(target, open(options), { ...options, family: familyOf(options) }))

/** @internal */
export const connectTls = (target: HappyEyeballs.Target, options: NodeHappyEyeballs.ConnectTlsOptions = {}) =>
  inScope(Effect.suspend(() =>
    HappyEyeballs.connect(
      target,
      openTls({ handshakeDelay: options.connectionAttemptDelay, ...options }),
      { ...options, family: familyOf(options) }
    )
  ))
