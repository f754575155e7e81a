import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as net from "node:net"

export class LineError extends Data.TaggedError("LineError")<{ readonly message: string }> {}

const failure = ({ code, message }: NodeJS.ErrnoException) => new LineError({ message: code ?? message })

/** Reads the next line that the other side sends. */
export const readLine = (socket: net.Socket): Effect.Effect<string, LineError> =>
  Effect.async((resume) => {
    let text = ""
    const forget = () => void socket.off("readable", look).off("close", look)
    const look = () => {
      text += socket.read() ?? ""
      const end = text.indexOf("\n")
      if (end >= 0) {
        forget()
        socket.unshift(text.slice(end + 1))
        resume(Effect.succeed(text.slice(0, end).trimEnd()))
      } else if (socket.closed) {
        forget()
        resume(failure(socket.errored ?? new Error("closed by the other side")))
      }
    }
    socket.setEncoding("utf8").on("readable", look).on("close", look)
    look()
    return Effect.sync(forget)
  })

export const writeLine = (socket: net.Socket, line: string): Effect.Effect<void, LineError> =>
  Effect.async((resume) => {
    socket.write(`${line}\n`, (error) => resume(error ? failure(error) : Effect.void))
  })
