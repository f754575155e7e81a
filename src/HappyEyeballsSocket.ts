/**
 * A `Socket` of `@effect/platform` that connects by Happy Eyeballs (RFC 8305).
 *
 * Use it in place of `NodeSocket.makeNet`: {@link make} for plain TCP, {@link makeTls} for TLS. It does what `connect`
 * and `connectTls` of {@link NodeHappyEyeballs} do, and returns the type that `@effect/platform` expects.
 *
 * @module
 * @since 0.1.0
 */
import type * as Socket from "@effect/platform/Socket"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as HappyEyeballs from "./HappyEyeballs.js"
import * as internal from "./internal/node/platformSocket.js"
import type * as NodeHappyEyeballs from "./NodeHappyEyeballs.js"

/**
 * Options of {@link make} and {@link makeTls}, in addition to those of `NodeHappyEyeballs`.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options {
  /** How long connecting may take, for all addresses together. Milliseconds of the `Clock`. Default: no limit. */
  readonly openTimeout?: Duration.DurationInput | undefined
}

/**
 * Makes a `Socket` that connects, when you run it, to whichever of a host's addresses answers first.
 *
 * **When to use**
 *
 * Use it in place of `NodeSocket.makeNet`, which leaves its connection open if it is interrupted while it connects.
 *
 * **Details**
 *
 * If it cannot connect, it fails with a `SocketGenericError`. Its `reason` is `"Open"`, and its `cause` is
 * {@link HappyEyeballs.ConnectionFailed}.
 *
 * @example
 * ```ts
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as HappyEyeballsSocket from "effect-staggered-race/HappyEyeballsSocket"
 * import * as Effect from "effect/Effect"
 * import { once } from "node:events"
 * import * as net from "node:net"
 *
 * const server = net.createServer((socket) => socket.end("welcome")).listen(0)
 * await once(server, "listening")
 * const { port } = server.address() as net.AddressInfo
 *
 * const program = Effect.gen(function*() {
 *   const socket = yield* HappyEyeballsSocket.make({ host: "localhost", port })
 *   yield* socket.run((data) => Effect.log(new TextDecoder().decode(data)))
 * })
 *
 * await Effect.runPromise(Effect.provide(program, NodeHappyEyeballs.layer))
 * server.close()
 * ```
 *
 * @since 0.1.0
 * @category sockets
 */
export const make: (
  target: HappyEyeballs.Target,
  options?: NodeHappyEyeballs.ConnectOptions & Options
) => Effect.Effect<Socket.Socket, never, HappyEyeballs.Resolver> = internal.make

/**
 * Like {@link make}, with TLS. The handshake is part of the race.
 *
 * **Example** (a `Socket` for RPC or WebSockets)
 *
 * @example
 * ```ts
 * import * as Socket from "@effect/platform/Socket"
 * import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
 * import * as HappyEyeballsSocket from "effect-staggered-race/HappyEyeballsSocket"
 * import * as Layer from "effect/Layer"
 *
 * export const SocketLive = Layer.effect(
 *   Socket.Socket,
 *   HappyEyeballsSocket.makeTls({ host: "example.com", port: 6001 }, { openTimeout: "10 seconds" })
 * ).pipe(Layer.provide(NodeHappyEyeballs.layer))
 * ```
 *
 * @since 0.1.0
 * @category sockets
 */
export const makeTls: (
  target: HappyEyeballs.Target,
  options?: NodeHappyEyeballs.ConnectTlsOptions & Options
) => Effect.Effect<Socket.Socket, never, HappyEyeballs.Resolver> = internal.makeTls
