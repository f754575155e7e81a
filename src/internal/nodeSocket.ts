import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import dns from "node:dns"
import * as net from "node:net"
import * as tls from "node:tls"
import * as HappyEyeballs from "../HappyEyeballs.js"
import * as NodeHappyEyeballs from "../NodeHappyEyeballs.js"
import * as StaggeredRace from "../StaggeredRace.js"
import { fromText } from "./address.js"
import { connectionAttemptDelay } from "./happyEyeballs.js"

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
      try {
        // Whatever it is by now: caches and monitors take its place, and Node asks them, too.
        const ask: net.LookupFunction = lookup ?? dns.lookup
        ask(host, { all: true, family, hints }, (error, found: string | Array<dns.LookupAddress>) => {
          if (error) {
            fail(error)
          } else {
            // A function in the place of `dns.lookup` may know no other answer than one address.
            resume(Effect.succeed(typeof found === "string" ? [found] : found.map(({ address }) => address)))
          }
        })
      } catch (error) {
        fail(error)
      }
    })
})

/**
 * A socket that lives as long as its scope. It is destroyed in whatever state it is: `destroySoon` would wait for a
 * connection that is still being made.
 */
const acquire = <S extends net.Socket>(
  make: () => S
): Effect.Effect<S, NodeHappyEyeballs.SocketFailed, Scope.Scope> =>
  Effect.acquireRelease(
    Effect.try({
      // Whoever waits for the socket hears of an error; one that nobody listens to would end the process.
      try: () => make().on("error", constVoid),
      catch: failure
    }),
    (socket) => Effect.sync(() => socket.destroy())
  )

/** @internal */
export const happened = (
  socket: net.Socket,
  event: "connect" | "secureConnect"
): Effect.Effect<void, NodeHappyEyeballs.SocketFailed> =>
  Effect.async((resume) => {
    const done = () => resume(Effect.void)
    const closed = () => resume(failure(socket.errored ?? new Error(`closed before "${event}"`)))
    if (socket.destroyed) {
      return closed()
    }
    socket.once(event, done).once("close", closed)
    return Effect.sync(() => socket.off(event, done).off("close", closed))
  })

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
export const plain = <S extends net.Socket>(make: () => S) =>
  Effect.tap(acquire(make), (socket) => happened(socket, "connect"))

/**
 * A socket that has finished its handshake of TLS.
 *
 * @internal
 */
export const secure = <S extends net.Socket>(
  make: () => S,
  handshakeDelay?: HappyEyeballs.ConnectOptions["connectionAttemptDelay"]
) =>
  Effect.tap(
    plain(make),
    (socket) => Effect.zipRight(handshakeBegins(handshakeDelay), happened(socket, "secureConnect"))
  )

/** @internal */
export const isName = (host: string): boolean => Option.isNone(fromText(host))

/** @internal */
export const open = (options: NodeHappyEyeballs.SocketOptions = {}) => ({ address, port }: HappyEyeballs.Endpoint) =>
  plain(() => net.connect({ ...options, host: address, port, autoSelectFamily: false }))

/** @internal */
export const openTls =
  ({ handshakeDelay, ...options }: NodeHappyEyeballs.TlsOptions = {}) =>
  ({ address, host, port }: HappyEyeballs.Endpoint) => {
    // The name that was asked for is the one that the certificate has to be for.
    const name = isName(host) ? { servername: host } : {}
    const connection = { ...name, ...options, host: address, port, autoSelectFamily: false }
    return secure(() => tls.connect(connection), handshakeDelay)
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
  HappyEyeballs.connect(
    target,
    openTls({ handshakeDelay: options.connectionAttemptDelay, ...options }),
    { ...options, family: familyOf(options) }
  )
