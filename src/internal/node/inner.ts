import type * as net from "node:net"
import type * as tls from "node:tls"
import type * as HappyEyeballs from "../../HappyEyeballs.js"
import type * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import { connectPlain, connectSecure, localTo } from "./socket.js"

/**
 * Options of `net.connect` and `tls.connect`, from programs and from Node's agents.
 *
 * @internal
 */
export interface Options extends Omit<tls.ConnectionOptions, "path" | "socket"> {
  readonly autoSelectFamily?: boolean | undefined
  readonly family?: unknown
  readonly fd?: unknown
  readonly handle?: unknown
  readonly happyEyeballs?: NodeHappyEyeballs.PlainOptions | undefined
  readonly hints?: number | undefined
  readonly localAddress?: string | undefined
  readonly localPort?: number | undefined
  readonly onread?: net.OnReadOpts | undefined
  readonly path?: unknown
  readonly proxyEnv?: unknown
  readonly signal?: AbortSignal | undefined
  readonly socket?: unknown
  readonly socketPath?: unknown
}

/** The options for the sockets of a race. They omit what the outer socket does itself, such as time-outs. */
const inherited = (options: Options, address: HappyEyeballs.Address) => {
  const { happyEyeballs, lookup: _lookup, onread: _onread, signal: _signal, timeout: _timeout, ...rest } = options
  const { localAddress } = options
  const local = localTo(address, { localAddress, localAddresses: happyEyeballs?.localAddresses })
  return { ...rest, ...local, host: address.address, allowHalfOpen: true, autoSelectFamily: false }
}

/**
 * Connects to one address. The socket is paused, so the outer one can read everything that the server sends.
 *
 * @internal
 */
export const innerSocket = (options: Options, address: HappyEyeballs.Address): net.Socket =>
  connectPlain(inherited(options, address) as net.NetConnectOpts).pause()

/**
 * Repeats on the outer socket what an inner one has received.
 *
 * @internal
 */
export interface Relay {
  /** Emits OCSP responses. A listener may destroy the socket. */
  readonly statuses: (outer: net.Socket) => void
  /** Passes on data and sessions once the certificate is accepted. */
  readonly data: (outer: net.Socket) => void
}

const makeRelay = (inner: tls.TLSSocket): Relay => {
  const sessions: Array<Buffer> = []
  const statuses: Array<Buffer> = []
  inner
    .on("session", (session) => sessions.push(session))
    .on("OCSPResponse", (status) => statuses.push(status))
  return {
    statuses: (outer) => statuses.forEach((status) => outer.emit("OCSPResponse", status)),
    data: (outer) => {
      const data: Array<Buffer> = []
      for (let chunk: Buffer | null = inner.read(); chunk !== null; chunk = inner.read()) {
        data.push(chunk)
      }
      let hasEnded = false
      inner.once("end", () => hasEnded = true)
      outer.once("secureConnect", () => {
        sessions.forEach((session) => outer.emit("session", session))
        data.forEach((chunk) => outer.push(chunk))
        if (hasEnded) {
          outer.push(null)
        }
      })
    }
  }
}

/**
 * Connects to one address with TLS. This socket does not check the certificate. The outer one checks it once, before
 * anybody reads or writes. So a wrong certificate is final, and its error is Node's own.
 *
 * @internal
 */
export const innerTlsSocket = (
  options: Options,
  outer: tls.TLSSocket,
  address: HappyEyeballs.Address
): readonly [socket: tls.TLSSocket, relay: Relay] => {
  const inner = connectSecure({
    ...inherited(options, address),
    checkServerIdentity: () => undefined,
    rejectUnauthorized: false
  } as tls.ConnectionOptions)
  inner.once("connect", () => {
    if (outer.listenerCount("keylog") > 0) {
      inner.on("keylog", (line) => outer.emit("keylog", line))
    }
    // Node restarts the idle timer when a socket connects. The outer socket connects only after the handshake.
    if (outer.timeout) {
      outer.setTimeout(outer.timeout)
    }
  })
  return [inner, makeRelay(inner)]
}
