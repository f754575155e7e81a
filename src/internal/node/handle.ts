import * as net from "node:net"

/**
 * The undocumented members of Node's sockets that this library uses: all of them are in this file. They are the same in
 * Node 20, 22, 24 and 26, where `npm run test:nodes` runs the tests. `hold` checks that they are there.
 *
 * A socket gets a handle before it connects, and calls `connect` on it once it knows the address. Here it loses that
 * handle at once, and waits until it gets the one of the socket that won the race. Node is used to sockets without a
 * handle: whoever wraps one, as TLS does, reads from the socket itself then.
 */
interface Handle {
  close: (done?: () => void) => void
  readonly ref: () => void
  readonly unref: () => void
  readonly useUserBuffer: (buffer: Uint8Array) => void
  // Of TLS:
  start?: () => void
  onhandshakedone?: () => void
}

/** Node waits for `oncomplete`. Status 0 is success. */
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
  /** Emits `secure`. Node then checks the certificate and emits `secureConnect`. */
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
  /** Runs Node's callback for a look-up. Node emits `lookup` and `connectionAttempt`, and begins to wait. */
  readonly answer: (callback: () => void) => void
  /**
   * Moves the connection of the winner to the socket. With TLS, the winner's handshake is done, and `announce` is called
   * before the certificate is checked.
   */
  readonly take: (winner: net.Socket, buffer: Uint8Array | undefined, announce: () => void) => void
}

/**
 * Keeps a socket from connecting that waits for its look-up, or that Node connects to an address in its next tick.
 * Until it has a connection, `onHold` is called by its `ref` and `unref`, and `onDestroy` when it is destroyed.
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
    /** In the place of those that need a handle. */
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
  // Own properties, over the methods of the prototype, until the socket has a handle.
  const own = {
    ...methods,
    ref: setHeld(true),
    unref: setHeld(false),
    resetAndDestroy: () => socket.once("connect", () => socket.resetAndDestroy()),
    // With a handle to close, `close` is emitted with its argument.
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
        // Node calls it when the socket is connected, to begin the handshake, which is done.
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
 * Node writes, and ends, as soon as a socket is connected, which with TLS is before the handshake. Here the handshake is
 * done by then, and the certificate is not yet checked: both have to wait until it is, and until listeners of
 * `secureConnect` have had their say.
 */
const holdWrites = (socket: net.Socket, outer: Internals): void => {
  const { _final: final, _writeGeneric: write } = outer
  let isSecure = false
  const whenSecure = (then: () => unknown, otherwise: () => void) => {
    if (isSecure || socket.connecting) {
      return then()
    }
    socket.once("close", otherwise).once("secureConnect", () =>
      // All who listen for it, whenever they have begun to, come first.
      process.nextTick(() => {
        // One of them may have destroyed the socket. Its error comes first, and `close` tells of the write.
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
