import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as net from "node:net"
import * as tls from "node:tls"
import { domainToASCII } from "node:url"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import { fromText } from "../happyEyeballs/address.js"
import { connectionAttemptDelay, owesNoDelay, tellRace } from "../happyEyeballs/connect.js"
import { Checks } from "../options.js"

const check = new Checks("NodeHappyEyeballs")

/**
 * Keeps Node's own functions, even if a program replaces them with ours.
 *
 * @internal
 */
export const { connect: connectPlain } = net
/** @internal */
export const { connect: connectSecure } = tls

/** @internal */
export const toError = (cause: unknown): NodeJS.ErrnoException =>
  cause instanceof Error ? cause : new Error(String(cause))

/**
 * Why there is no connection. Node sets `authorizationError` on the socket if it rejected the certificate.
 *
 * @internal
 */
export const failure = (cause: unknown, socket?: net.Socket) =>
  new NodeHappyEyeballs.SocketFailed({
    cause: toError(cause),
    isUntrusted: Boolean((socket as Partial<tls.TLSSocket> | undefined)?.authorizationError)
  })

/** @internal */
export const isUntrusted = (cause: Cause.Cause<NodeHappyEyeballs.SocketFailed>): boolean =>
  Chunk.some(Cause.failures(cause), ({ isUntrusted }) => isUntrusted === true)

/**
 * Completes with the event, or fails if the socket closes first. It must listen as soon as the socket exists, because
 * the event may come before anybody waits.
 */
const awaiting = (
  socket: net.Socket,
  event: "connect" | "secureConnect"
): Deferred.Deferred<void, NodeHappyEyeballs.SocketFailed> => {
  const done = Deferred.unsafeMake<void, NodeHappyEyeballs.SocketFailed>(FiberId.none)
  // Node emits some TLS errors first, and then destroys the socket without them.
  let error: unknown
  socket
    .once("error", (emitted) => error = emitted)
    .once(event, () => Deferred.unsafeDone(done, Effect.void))
    .once(
      "close",
      () => Deferred.unsafeDone(done, failure(socket.errored ?? error ?? new Error(`closed before "${event}"`), socket))
    )
  return done
}

/** Opens a socket, and destroys it with the scope. `destroySoon` would wait for a connecting socket. */
const acquire = <S extends net.Socket, A>(make: () => S, watch: (socket: S) => A) =>
  Effect.acquireRelease(
    Effect.try({
      try: () => {
        // An error without a listener ends the process. `awaiting` still reports it when the socket closes.
        const socket = make().on("error", constVoid)
        return [socket, watch(socket)] as const
      },
      catch: failure
    }),
    ([socket]) => Effect.sync(() => socket.destroy())
  )

/**
 * Waits until a socket has connected. An error before the next turn of the event loop comes from the system itself,
 * such as a missing route. So nothing was sent.
 *
 * @internal
 */
export const connects = (socket: net.Socket): Effect.Effect<void, NodeHappyEyeballs.SocketFailed> => {
  let hasTurned = false
  setImmediate(() => hasTurned = true)
  return Effect.tapError(
    Deferred.await(awaiting(socket, "connect")),
    () => hasTurned ? Effect.void : owesNoDelay
  )
}

/**
 * Gives a connected address time for its handshake before the race starts the next attempt.
 *
 * @internal
 */
export const handshakeBegins = (
  handshakeDelay: HappyEyeballs.ConnectOptions["connectionAttemptDelay"] = connectionAttemptDelay
): Effect.Effect<void> => tellRace(({ progress }) => progress(handshakeDelay))

/**
 * Opens a socket and waits until it is connected.
 *
 * @internal
 */
export const connected = <S extends net.Socket>(make: () => S) =>
  Effect.flatMap(acquire(make, connects), ([socket, connected]) => Effect.as(connected, socket))

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
    acquire(make, (socket) => [connects(socket), awaiting(socket, "secureConnect")] as const),
    ([socket, [connected, secures]]) =>
      connected.pipe(
        Effect.zipRight(handshakeBegins(handshakeDelay)),
        Effect.zipRight(Deferred.await(secures)),
        Effect.as(socket)
      )
  )

const isName = (host: string): boolean => Option.isNone(fromText(host))

/**
 * A name as TLS sends it, without the dot at its end (RFC 6066, section 3). A port may follow.
 *
 * @internal
 */
export const withoutDot = (name: string): string => name.replace(/\.(?=(:\d+)?$)/, "")

/**
 * The server name for a host: the name as in DNS (RFC 6066, section 3). Empty for an address.
 *
 * @internal
 */
export const serverNameOf = (host: string): string => isName(host) ? withoutDot(domainToASCII(host) || host) : ""

/**
 * Makes Node check the certificate against the host. Without a server name, Node would check it against the address.
 */
const identityOf = (
  host: string,
  { checkServerIdentity = tls.checkServerIdentity, servername }: Pick<
    tls.ConnectionOptions,
    "checkServerIdentity" | "servername"
  >
): Pick<tls.ConnectionOptions, "checkServerIdentity"> =>
  servername || !isName(host)
    ? {}
    : { checkServerIdentity: (_, certificate) => checkServerIdentity(host, certificate) }

interface Local {
  readonly localAddress?: string | null | undefined
  readonly localAddresses?: NodeHappyEyeballs.LocalAddresses | undefined
}

/**
 * The local address for a connection to an address.
 *
 * @internal
 */
export const localTo = (
  { family }: HappyEyeballs.Address,
  { localAddress, localAddresses }: Local
): { readonly localAddress?: string } => {
  const local = localAddress ?? localAddresses?.[family]
  return local === undefined ? {} : { localAddress: local }
}

/** @internal */
export const open = ({ localAddresses, ...options }: NodeHappyEyeballs.SocketOptions = {}) => {
  return (endpoint: HappyEyeballs.Endpoint) => {
    const { address: host, port } = endpoint
    const local = localTo(endpoint, { ...options, localAddresses })
    return connected(() => connectPlain({ ...options, ...local, host, port, autoSelectFamily: false }))
  }
}

/** @internal */
export const openTls = ({ handshakeDelay: input, localAddresses, ...options }: NodeHappyEyeballs.TlsOptions = {}) => {
  const handshakeDelay = input === undefined ? undefined : check.millis("handshakeDelay", input)
  return (endpoint: HappyEyeballs.Endpoint) => {
    const { address, host, port } = endpoint
    const local = localTo(endpoint, { ...options, localAddresses })
    const servername = options.servername ?? (serverNameOf(host) || undefined)
    const named = servername === undefined ? options : { ...options, servername }
    const connection = { ...named, ...local, ...identityOf(host, named), host: address, port, autoSelectFamily: false }
    return secured(() => connectSecure(connection), handshakeDelay)
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

/** A missing scope is not the failure of an address, so look it up before the race. */
const inScope = <A, E, R>(self: Effect.Effect<A, E, R>) => Effect.zipRight(Effect.scope, self)

/** @internal */
export const connect = (
  target: HappyEyeballs.Target,
  { timeout, ...options }: NodeHappyEyeballs.ConnectOptions = {}
) => inScope(HappyEyeballs.connect(target, open(options), { ...options, family: familyOf(options), timeout }))

/** @internal */
export const connectTls = (
  target: HappyEyeballs.Target,
  { timeout, ...options }: NodeHappyEyeballs.ConnectTlsOptions = {}
) =>
  inScope(Effect.suspend(() =>
    HappyEyeballs.connect(
      target,
      openTls({ handshakeDelay: options.connectionAttemptDelay, ...options }),
      { fatal: isUntrusted, ...options, family: familyOf(options), timeout }
    )
  ))
