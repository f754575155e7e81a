import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type * as Scope from "effect/Scope"
import * as net from "node:net"
import type { Address } from "./address.js"

export class ListenError extends Data.TaggedError("ListenError")<{ readonly message: string }> {}

const accepted = new Set<net.Socket>()

/** The listeners' own ends of connections. They are in this process too, and no part of what a race opens. */
export const acceptedConnections: ReadonlySet<net.Socket> = accepted

/**
 * A server that greets first, as mail servers do, and then sends back each line it gets.
 *
 * The kernel completes the handshake before a program accepts, so that connecting to a slow server succeeds at once:
 * that it accepts late shows only in a greeting that comes late.
 */
export const listen = (
  host: string,
  options: { readonly greeting: string; readonly greetAfter: Duration.DurationInput }
): Effect.Effect<Address, ListenError, Scope.Scope> => {
  const connections = new Set<net.Socket>()

  const serve = (socket: net.Socket) => {
    connections.add(socket)
    accepted.add(socket)
    const greeting = setTimeout(() => socket.write(`${options.greeting}\n`), Duration.toMillis(options.greetAfter))
    socket
      .on("data", (data) => socket.write(`you said: ${data.toString()}`))
      // A client that has lost its race may reset the connection while we write.
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
      .listen({ host, port: 0 }, () => resume(Effect.succeed(server)))
  })

  const stop = (server: net.Server) =>
    Effect.async<void>((resume) => {
      server.close(() => resume(Effect.void))
      connections.forEach((socket) => socket.destroy())
    })

  return Effect.map(Effect.acquireRelease(start, stop), (server) => ({ host, port: portOf(server) }))
}

const portOf = (server: net.Server): number => {
  const address = server.address()
  return address !== null && typeof address === "object" ? address.port : 0
}

/** An address that refuses: somebody has listened on it, and listens no more. */
export const refuse = (host: string): Effect.Effect<Address, ListenError> =>
  Effect.scoped(listen(host, { greeting: "", greetAfter: 0 }))

/** The first of the hosts that this machine can listen on. */
export const firstUsable = (hosts: Iterable<string>): Effect.Effect<string, ListenError> =>
  Effect.firstSuccessOf(Array.from(hosts, (host) => Effect.as(refuse(host), host)))
