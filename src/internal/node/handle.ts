import * as net from "node:net"

/**
 * The undocumented members of Node's sockets that this library uses, all in this file. They are the same in Node 20,
 * 22, 24 and 26, where `npm run test:nodes` runs the tests. `hold` checks that they exist.
 *
 * Node gives a socket a handle before it connects, and calls `connect` on it when the address is known. Here the socket
 * loses that handle at once, and waits for the handle of the race's winner. Node supports sockets without a handle:
 * wrappers, such as TLS, then read from the socket itself.
 */
interface Handle {
  close: (done?: () => void) => void
  readonly ref: () => void
  readonly unref: () => void
  readonly useUserBuffer: (buffer: Uint8Array) => void
  // Only with TLS:
  start?: () => void
  onhandshakedone?: () => void
}

/** The request of a connecting socket. Its `oncomplete` is called with status 0 for success. */
interface ConnectRequest {
  oncomplete: (status: 0, handle: Handle, request: ConnectRequest, readable: true, writable: true) => void
}

type Write = (writev: boolean, data: unknown, encoding: unknown, done: (error?: Error) => void) => unknown

interface Internals {
  _handle: unknown
  _destroy: (error: Error | null, done: (error: Error | null) => void) => void
  _final: (done: () => void) => void
  _writeGeneric: Write
  ssl?: unknown
  /** Emits `secure`. Then Node checks the certificate and emits `secureConnect`. */
  _finishInit?: () => void
}

const needed = ["close", "ref", "unref", "useUserBuffer"] as const

const isHandle = (value: unknown): value is Handle =>
  typeof value === "object" && value !== null &&
  needed.every((method) => typeof Reflect.get(value, method) === "function")

/** The key under which a handle keeps its socket. */
const ownerOf = (handle: Handle): symbol | undefined =>
  Object.getOwnPropertySymbols(handle).find(({ description }) => description === "owner_symbol")

/** @internal */
export interface Held {
  /** Runs Node's callback for a look-up. Node then emits `lookup` and `connectionAttempt`, and starts to wait. */
  readonly answer: (callback: () => void) => void
  /**
   * Moves the winner's connection to the socket. With TLS, the winner's handshake is done. `announce` is called before
   * the certificate is checked.
   */
  readonly take: (winner: net.Socket, buffer: Uint8Array | undefined, announce: () => void) => void
}

/**
 * Keeps a socket from connecting. The socket is waiting for its look-up, or Node is about to connect it in the next
 * tick. Until it has a connection, its `ref` and `unref` call `onHold`, and destroying it calls `onDestroy`.
 *
 * Returns `undefined` if a member is missing.
 *
 * @internal
 */
export const hold = (
  socket: net.Socket,
  { isNamed, isSecure, methods, onDestroy, onHold }: {
    readonly isNamed: boolean
    readonly isSecure: boolean
    /** Replacements for methods that need a handle. */
    readonly methods: Readonly<Record<string, unknown>>
    readonly onDestroy: () => void
    readonly onHold: (isHeld: boolean) => void
  }
): Held | undefined => {
  const outer = socket as unknown as Internals
  const placeholder = outer._handle
  const owner = isHandle(placeholder) ? ownerOf(placeholder) : undefined
  if (!isHandle(placeholder) || owner === undefined || typeof outer._writeGeneric !== "function") {
    return undefined
  }
  if (isSecure && (typeof placeholder.start !== "function" || outer.ssl !== placeholder || !outer._finishInit)) {
    return undefined
  }
  placeholder.close()

  let request: ConnectRequest | undefined
  let isHeld = true
  const waiting = {
    connect: (asked: ConnectRequest) => {
      request = asked
      outer._handle = null
      return 0
    },
    connect6: (asked: ConnectRequest) => waiting.connect(asked),
    close: (done: () => void) => void setImmediate(done),
    getsockname: () => 0
  }
  outer._handle = isNamed ? null : waiting
  const setHeld = (held: boolean) => () => {
    isHeld = held
    onHold(held)
    return socket
  }
  // Own properties hide the methods of the prototype until the socket has a handle.
  const own = {
    ...methods,
    ref: setHeld(true),
    unref: setHeld(false),
    resetAndDestroy: () => socket.once("connect", () => socket.resetAndDestroy()),
    // Node emits `close` with its argument only if there is a handle to close.
    _destroy: (error: Error | null, done: (error: Error | null) => void) => {
      onDestroy()
      outer._handle = waiting
      net.Socket.prototype._destroy.call(socket, error, done as (error?: Error | null) => void)
    }
  }
  Object.assign(socket, own)
  if (isSecure) {
    holdWrites(socket, outer)
  }

  return {
    answer: (callback) => {
      outer._handle = waiting
      callback()
      if (!socket.destroyed) {
        outer._handle = null
      }
    },
    take: (winner, buffer, announce) => {
      const inner = winner as unknown as Internals
      const handle = inner._handle as Handle & Record<symbol, unknown>
      for (const name of Object.keys(own)) {
        Reflect.deleteProperty(socket, name)
      }
      inner._handle = null
      handle[owner] = outer
      outer._handle = handle
      if (isSecure) {
        inner.ssl = null
        outer.ssl = handle
        const finish = () => outer._finishInit?.()
        handle.onhandshakedone = finish
        // Node calls this on connecting, to begin the handshake. Here it is already done.
        handle.start = () => {
          process.nextTick(announce)
          process.nextTick(finish)
        }
      }
      if (buffer !== undefined) {
        handle.useUserBuffer(buffer)
      }
      if (!isHeld) {
        handle.unref()
      }
      request?.oncomplete(0, handle, request, true, true)
    }
  }
}

/**
 * Delays writes and the end until the certificate is checked and the listeners of `secureConnect` have run. Node starts
 * them as soon as a socket connects. For Node, that is before the handshake. Here the handshake is done by then, so
 * nothing else would hold them back.
 */
const holdWrites = (socket: net.Socket, outer: Internals): void => {
  const { _final: final, _writeGeneric: write } = outer
  let isSecure = false
  const whenSecure = (then: () => unknown, otherwise: () => void) => {
    if (isSecure || socket.connecting) {
      return then()
    }
    socket.once("close", otherwise).once("secureConnect", () =>
      // Wait for all listeners, including any added late.
      process.nextTick(() => {
        // A listener may have destroyed the socket. Its error comes first, and `close` fails the write.
        if (!socket.destroyed) {
          socket.off("close", otherwise)
          then()
        }
      }))
    return undefined
  }
  outer._writeGeneric = (writev, data, encoding, done) =>
    whenSecure(
      () => write.call(socket, writev, data, encoding, done),
      () => done(Object.assign(new Error("closed before it was secure"), { code: "ERR_SOCKET_CLOSED" }))
    )
  outer._final = (done) => whenSecure(() => final.call(socket, done), done)
  socket.prependOnceListener("secureConnect", () => {
    isSecure = true
    Reflect.deleteProperty(outer, "_writeGeneric")
    Reflect.deleteProperty(outer, "_final")
  })
}
