import type * as net from "node:net"
import type * as tls from "node:tls"

/**
 * All that is not documented of Node's sockets and used here. It is the same in Node 20, 22, 24 and 26, whose tests run
 * over it (`npm run test:nodes`). Where any of it is missing, `hold` says so, and sockets are made without it.
 *
 * A socket that is being connected has a handle already, to which it says `connect` when it knows an address. That
 * handle is told to connect to nothing, and to wait: for the handle of the socket that has won the race.
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

/** Node's own call-back for the end of `connect`: status zero is success. */
interface ConnectRequest {
  oncomplete: (status: 0, handle: Handle, request: ConnectRequest, readable: true, writable: true) => void
}

interface Internals {
  _handle: Handle | null
  ssl?: Handle | null
  /** Emits `secure`, upon which Node checks the certificate and emits `secureConnect`. */
  _finishInit?: () => void
}

type Owned = Handle & Record<symbol, unknown>

const methods = ["connect", "connect6", "ref", "unref", "onread", "close", "useUserBuffer"] as const

/** By this, a handle knows its socket. */
const ownerOf = (handle: Handle): symbol | undefined =>
  Object.getOwnPropertySymbols(handle).find(({ description }) => description === "owner_symbol")

/** @internal */
export interface Held {
  /**
   * Gives the socket the connection of another one, which has none thereafter. If that is one of TLS, its handshake has
   * been done, and has to be one whose certificate was not judged: the socket that gets it does that.
   */
  readonly take: (winner: net.Socket, buffer: Uint8Array | undefined) => void
}

/**
 * Lets a socket wait that Node has been told to connect. Returns nothing where it is not one that this can be done with.
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
  /** Never at once: what listeners throw is for the process to know, and not for whoever calls this. */
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
        // Node starts the handshake when the socket is connected.
        handle.start = () => process.nextTick(finish)
      }
      // Before the socket has another, because it closes what belongs to its socket with it.
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
