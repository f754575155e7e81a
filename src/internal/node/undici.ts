import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import { constVoid } from "effect/Function"
import * as net from "node:net"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import type * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import { run } from "./promise.js"
import { connects, failure, familyOf, handshakeBegins, isUntrusted, localTo, withoutDot } from "./socket.js"

/** Undici's default, in milliseconds: https://undici.nodejs.org/#/docs/api/Client, `connect.timeout`. */
const connectTimeout = 10_000

/** Starts a connector, which calls back with a connected socket or an error. */
const start = (connector: NodeHappyEyeballs.Connector, options: NodeHappyEyeballs.ConnectorOptions) => {
  const result = Deferred.unsafeMake<net.Socket, NodeHappyEyeballs.SocketFailed>(FiberId.none)
  let isReleased = false
  let socket: net.Socket | undefined
  const release = () => {
    isReleased = true
    socket?.destroy()
  }
  const given: unknown = connector(options, (error, ready) => {
    socket ??= ready ?? undefined
    Deferred.unsafeDone(result, ready ? Effect.succeed(ready) : failure(error, socket))
    if (isReleased) {
      release()
    }
  })
  // Undici's own connectors return their socket before it is connected. That is the only way to stop them.
  if (given instanceof net.Socket) {
    socket = given.on("error", constVoid)
  }
  return { connected: given instanceof net.Socket ? connects(given) : undefined, release, result }
}

const open = (
  connector: NodeHappyEyeballs.Connector,
  options: NodeHappyEyeballs.ConnectorOptions,
  handshakeDelay: HappyEyeballs.ConnectOptions["connectionAttemptDelay"]
) =>
  Effect.acquireRelease(
    Effect.try({ try: () => start(connector, options), catch: failure }),
    ({ release }) => Effect.sync(release)
  ).pipe(
    Effect.tap(({ connected }) =>
      connected !== undefined && options.protocol === "https:"
        ? Effect.zipRight(connected, handshakeBegins(handshakeDelay))
        : connected ?? Effect.void
    ),
    Effect.flatMap(({ result }) => Deferred.await(result))
  )

/** Undici recognizes its errors by name and code. */
const toUndiciError = (error: NodeJS.ErrnoException) =>
  error.code === "ETIMEDOUT" && error.cause instanceof HappyEyeballs.ConnectionFailed
    ? Object.assign(error, { name: "ConnectTimeoutError", code: "UND_ERR_CONNECT_TIMEOUT" })
    : error

/**
 * Makes a connector that races, with a way to stop all of its races. Undici does not stop its connectors, not even when
 * its agent is destroyed.
 *
 * @internal
 */
export const stoppable = (connector: NodeHappyEyeballs.Connector, options: NodeHappyEyeballs.PlainOptions = {}) => {
  const running = new Set<() => void>()

  const racing: NodeHappyEyeballs.Connector = (request, callback) => {
    // Neither a proxy's socket that is upgraded to TLS nor a path of the file system has addresses to race.
    if (request.httpSocket || request.socketPath) {
      return connector(request, callback)
    }
    const { hostname, localAddress, port, protocol } = request
    const connecting = HappyEyeballs.connect(
      { host: hostname, port: Number(port) || (protocol === "https:" ? 443 : 80) },
      // The connector takes the name for TLS from `host`.
      (endpoint) =>
        open(
          connector,
          {
            ...request,
            ...localTo(endpoint, { localAddress, localAddresses: options.localAddresses }),
            ...(request.servername && { servername: withoutDot(request.servername) }),
            host: withoutDot(request.host ?? hostname),
            hostname: endpoint.address
          },
          options.connectionAttemptDelay
        ),
      {
        fatal: isUntrusted,
        timeout: connectTimeout,
        ...options,
        family: familyOf({ family: options.family, localAddress: localAddress ?? undefined })
      }
    )
    let interrupt = constVoid
    const stop = () => {
      interrupt()
      callback(new Error("stopped connecting"), null)
    }
    running.add(stop)
    interrupt = run(connecting, options.resolver, (error, socket) => {
      running.delete(stop)
      if (error === null) {
        callback(null, socket)
      } else {
        callback(toUndiciError(error), null)
      }
    })
  }

  return { connector: racing, stop: () => running.forEach((stop) => stop()) }
}

/** @internal */
export const racing = (connector: NodeHappyEyeballs.Connector, options?: NodeHappyEyeballs.PlainOptions) =>
  stoppable(connector, options).connector
