import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"
import * as net from "node:net"
import * as tls from "node:tls"
import type { Resolver } from "../../src/HappyEyeballs.js"

/** The number of sockets that this process holds open, counted by the system. */
export const openSockets = (): number =>
  fs.readdirSync("/proc/self/fd").filter((descriptor) => {
    try {
      return fs.readlinkSync(`/proc/self/fd/${descriptor}`).startsWith("socket:")
    } catch {
      // This descriptor listed the directory, and is closed by now.
      return false
    }
  }).length

/** Runs a test and fails if it leaves a socket, in any state. Node closes some sockets a few turns later. */
export const leavingNoSocket = <A, E>(effect: Effect.Effect<A, E>) =>
  Effect.gen(function*() {
    const before = openSockets()
    yield* effect
    const turn = Effect.promise(() => new Promise((resume) => setImmediate(resume)))
    const isClosed = Effect.repeat(Effect.zipRight(turn, Effect.sync(openSockets)), { until: (open) => open <= before })
    yield* Effect.timeoutFail(isClosed, {
      duration: "5 seconds",
      onTimeout: () => `${openSockets() - before} sockets left`
    })
  })

/** A resolver that answers every query with these addresses. */
export const knows = (...addresses: ReadonlyArray<string>): Resolver["Type"] => ({
  query: (_host, family) => Effect.succeed(addresses.filter((address) => net.isIP(address) === family))
})

/** Lets a server listen until the scope closes, which also closes all connections. Returns its port. */
export const listening = (
  server: net.Server,
  host: string,
  port = 0
): Effect.Effect<number, Error, Scope.Scope> => {
  const connections = new Set<net.Socket>()
  server.on("connection", (socket) => {
    connections.add(socket)
    socket.on("error", () => {}).on("close", () => connections.delete(socket))
  })
  const listen = Effect.async<number, Error>((resume) => {
    server.once("error", (error) => resume(Effect.fail(error))).listen({ host, port }, () => {
      const address = server.address()
      resume(Effect.succeed(typeof address === "object" && address !== null ? address.port : 0))
    })
  })
  const stop = Effect.async<void>((resume) => {
    server.close(() => resume(Effect.void))
    connections.forEach((socket) => socket.destroy())
  })
  return Effect.acquireRelease(listen, () => stop)
}

/** A key and a certificate for `happy.test` or `other.test`. */
export const pem = (name: "happy" | "other") =>
  fs.readFileSync(new URL(`../fixtures/tls/${name}.test.pem`, import.meta.url), "utf8")

/** The certificates that clients trust. */
export const ca = [pem("happy"), pem("other")].map((text) => text.slice(text.indexOf("-----BEGIN CERTIFICATE")))

export const tlsServer = (name: "happy" | "other", options: tls.TlsOptions = {}) =>
  tls.createServer({ key: pem(name), cert: pem(name), ...options })
