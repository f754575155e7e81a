import type * as net from "node:net"
import type * as tls from "node:tls"

/**
 * The undocumented members of Node's sockets that this library uses: all of them are in this file. They are the same in
 * Node 20, 22, 24 and 26, where `npm run test:nodes` runs the tests. `hold` checks that they are there.
 *
 * A socket has a handle before it connects, and calls `connect` on it once it knows the address. Here that handle
 * connects to nothing, and the socket waits until it gets the handle of the socket that won the race.
 */
interface Handle {
  connect: (request: ConnectRequest) => number
  connect6: (request: ConnectRequest) => number
  ref: () => void
  unref: () => void
  onread: unknown
  close: () => void
  useUserBuffer: (buffer: Uint8Array) => void
  // Of TLS:
  start?: () => void
  onhandshakedone?: () => void
}

/** Node waits for `oncomplete`. Status 0 is success. */
interface ConnectRequest {
  oncomplete: (status: 0, handle: Handle, request: ConnectRequest, readable: true, writable: true) => void
}

interface Internals {
  _handle: Handle | null
  ssl?: Handle | null
  /** Emits `secure`. Node then checks the certificate and emits `secureConnect`. */
  _finishInit?: () => void
}

type Owned = Handle & Record<symbol, unknown>

const methods = ["connect", "connect6", "ref", "unref", "onread", "close", "useUserBuffer"] as const

/** The key under which a handle keeps its socket. */
const ownerOf = (handle: Handle): symbol | undefined =>
  Object.getOwnPropertySymbols(handle).find(({ description }) => description === "owner_symbol")

/** @internal */
export interface Held {
  /** Moves the connection of the winner to the socket. With TLS, the winner's handshake is done. */
  readonly take: (winner: net.Socket, buffer: Uint8Array | undefined) => void
}

/**
 * Keeps a connecting socket from connecting. `onHold` is called by its `ref` and `unref`.
 *
 * Returns `undefined` if a member is missing.
 *
 * @internal
 */
export const hold = (socket: net.Socket, onHold: (isHeld: boolean) => void): Held | undefined => {
  const outer = socket as unknown as Internals
  const placeholder = outer._handle
  const owner = placeholder && ownerOf(placeholder)
  const isSecure = (socket as tls.TLSSocket).encrypted === true
  if (
    !placeholder || !owner || methods.some((method) => typeof placeholder[method] !== "function") ||
    isSecure && (typeof placeholder.start !== "function" || outer.ssl !== placeholder || !outer._finishInit)
  ) {
    return undefined
  }

  let request: ConnectRequest | undefined
  let isHeld = true
  let hasTaken = false
  /** Not on the caller's stack, because listeners may throw. */
  const complete = () =>
    process.nextTick(() => {
      if (hasTaken && request !== undefined && outer._handle !== null) {
        request.oncomplete(0, outer._handle, request, true, true)
      }
    })
  const connect = (asked: ConnectRequest) => {
    request = asked
    complete()
    return 0
  }
  const setHeld = (held: boolean) => () => {
    isHeld = held
    onHold(held)
  }
  Object.assign(placeholder, { connect, connect6: connect, ref: setHeld(true), unref: setHeld(false) })

  return {
    take: (winner, buffer) => {
      const inner = winner as unknown as Internals
      const handle = inner._handle as Owned
      inner._handle = null
      handle.onread = placeholder.onread
      if (isSecure) {
        inner.ssl = null
        const finish = () => outer._finishInit?.()
        handle.onhandshakedone = finish
        // Node calls it when the socket is connected, to begin the handshake, which is done.
        handle.start = () => process.nextTick(finish)
      }
      // This comes first: a TLS handle that is closed also ends the `ssl` of its socket.
      placeholder.close()
      handle[owner] = outer
      outer._handle = handle
      if (isSecure) {
        outer.ssl = handle
      }
      if (buffer !== undefined) {
        handle.useUserBuffer(buffer)
      }
      if (!isHeld) {
        handle.unref()
      }
      hasTaken = true
      complete()
    }
  }
}
