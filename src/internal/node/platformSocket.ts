import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as Socket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import type { Duplex } from "node:stream"
import type * as HappyEyeballs from "../../HappyEyeballs.js"
import type * as HappyEyeballsSocket from "../../HappyEyeballsSocket.js"
import * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"

const fromConnection = <R>(
  connection: Effect.Effect<Duplex, HappyEyeballs.ConnectionFailed<NodeHappyEyeballs.SocketFailed>, R>,
  options: HappyEyeballsSocket.Options | undefined
) =>
  NodeSocket.fromDuplex(
    Effect.mapError(connection, (cause) => new Socket.SocketGenericError({ reason: "Open", cause })),
    { openTimeout: options?.openTimeout }
  )

/** @internal */
export const make = (
  target: HappyEyeballs.Target,
  options?: NodeHappyEyeballs.ConnectOptions & HappyEyeballsSocket.Options
) => fromConnection(NodeHappyEyeballs.connect(target, options), options)

/** @internal */
export const makeTls = (
  target: HappyEyeballs.Target,
  options?: NodeHappyEyeballs.ConnectTlsOptions & HappyEyeballsSocket.Options
) => fromConnection(NodeHappyEyeballs.connectTls(target, options), options)
