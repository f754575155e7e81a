import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type * as Scope from "effect/Scope"
import * as net from "node:net"

export class ListenError extends Data.TaggedError("ListenError")<{ readonly message: string }> {}

const accepted = new Set<net.Socket>()

/** The listeners' ends of connections. They are open in this process, too, but no race has opened them. */
export const acceptedConnections: ReadonlySet<net.Socket> = accepted

/**
 * Starts a server that greets first, as mail servers do, and then sends back each line. Returns its port: with 0, any
 * free one.
 *
 * A late greeting stands for a slow server. To accept late would not do: the kernel completes the handshake before the
 * program accepts, so the connection would succeed at once.
 */
export const listen = (
  host: string,
  port: number,
  options: { readonly greeting: string; readonly greetAfter: Duration.DurationInput }
): Effect.Effect<number, ListenError, Scope.Scope> => {
  const connections = new Set<net.Socket>()

  const serve = (socket: net.Socket) => {
    connections.add(socket)
    accepted.add(socket)
    const greeting = setTimeout(() => socket.write(`${options.greeting}\n`), Duration.toMillis(options.greetAfter))
    socket
      .on("data", (data) => socket.write(`you said: ${data.toString()}`))
      // A client that has lost its race may reset the connection while the server writes.
      .on("error", constVoid)
      .on("close", () => {
        clearTimeout(greeting)
        connections.delete(socket)
        accepted.delete(socket)
      })
  }

  const start = Effect.async<net.Server, ListenError>((resume) => {
    const server = net.createServer(serve)
    server
      .once("error", ({ message }) => resume(new ListenError({ message })))
      .listen({ host, port }, () => resume(Effect.succeed(server)))
  })

  const stop = (server: net.Server) =>
    Effect.async<void>((resume) => {
      server.close(() => resume(Effect.void))
      connections.forEach((socket) => socket.destroy())
    })

  return Effect.map(Effect.acquireRelease(start, stop), portOf)
}

const portOf = (server: net.Server): number => {
  const address = server.address()
  return address !== null && typeof address === "object" ? address.port : 0
}

/** The hosts that this machine can listen on. */
export const usable = (hosts: ReadonlyArray<string>): Effect.Effect<Array<string>> =>
  Effect.filter(hosts, (host) => Effect.isSuccess(Effect.scoped(listen(host, 0, { greeting: "", greetAfter: 0 }))))
