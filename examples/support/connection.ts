import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import type { Address } from "./address.js"

export class ConnectionError extends Data.TaggedError("ConnectionError")<{ readonly message: string }> {}

export interface Connection {
  readonly address: Address
  readonly readLine: Effect.Effect<string, ConnectionError>
  readonly writeLine: (line: string) => Effect.Effect<void, ConnectionError>
}

/**
 * A TCP connection that lives as long as its scope: when that closes, because the attempt has failed, lost the race
 * or was interrupted, the socket is destroyed, in whatever state it is.
 */
export const connect = (address: Address): Effect.Effect<Connection, ConnectionError, Scope.Scope> =>
  Effect.acquireRelease(Effect.sync(() => open(address)), close).pipe(
    Effect.tap((socket) =>
      waitFor(socket, "connect", () => socket.connecting ? Option.none() : Option.some(undefined))
    ),
    Effect.map((socket) => ({ address, readLine: readLine(socket), writeLine: writeLine(socket) }))
  )

const open = ({ host, port }: Address): net.Socket => {
  // `autoSelectFamily` is Node's own Happy Eyeballs, which would race inside our race.
  const socket = net.connect({ host, port, autoSelectFamily: false })
  // Whoever waits for the socket learns of an error from `errored`; one that nobody listens to would end the process.
  return socket.on("error", constVoid)
}

const close = (socket: net.Socket): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (socket.closed) {
      return resume(Effect.void)
    }
    socket.once("close", () => resume(Effect.void)).destroy()
  })

/** Looks now, and at each event, whether there is what we wait for; fails once the socket has closed without it. */
const waitFor = <A>(
  socket: net.Socket,
  event: "connect" | "readable",
  look: () => Option.Option<A>
): Effect.Effect<A, ConnectionError> =>
  Effect.async((resume) => {
    const forget = () => void socket.off(event, check).off("close", check)
    const check = () => {
      const found = socket.errored === null ? look() : Option.none()
      if (Option.isSome(found)) {
        forget()
        resume(Effect.succeed(found.value))
      } else if (socket.closed) {
        forget()
        resume(failure(socket.errored ?? new Error("closed by the other side")))
      }
    }
    socket.on(event, check).on("close", check)
    check()
    return Effect.sync(forget)
  })

const readLine = (socket: net.Socket): Effect.Effect<string, ConnectionError> => {
  socket.setEncoding("utf8")
  let text = ""
  return waitFor(socket, "readable", () => {
    text += socket.read() ?? ""
    const end = text.indexOf("\n")
    if (end < 0) {
      return Option.none()
    }
    const line = text.slice(0, end).trimEnd()
    text = text.slice(end + 1)
    return Option.some(line)
  })
}

const writeLine = (socket: net.Socket) => (line: string): Effect.Effect<void, ConnectionError> =>
  Effect.async((resume) => {
    socket.write(`${line}\n`, (error) => resume(error ? failure(error) : Effect.void))
  })

const failure = ({ code, message }: NodeJS.ErrnoException) => new ConnectionError({ message: code ?? message })
