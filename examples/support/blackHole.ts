import * as Command from "@effect/platform/Command"
import type * as CommandExecutor from "@effect/platform/CommandExecutor"
import type * as PlatformError from "@effect/platform/Error"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { HappyEyeballs } from "../../src/index.js"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { openSockets } from "./sockets.js"

export class NoBlackHole extends Data.TaggedError("NoBlackHole")<{ readonly message: string }> {}

/**
 * An address that swallows connections: no answer, no refusal, as behind a firewall that drops packets.
 *
 * Linux ignores who knocks at a listener whose queue of connections to accept is full. So a child process listens
 * with the smallest queue, blocks its event loop, and thus never accepts; then connections fill the queue until one
 * gets no answer. Those in the queue stay there although our ends of them are closed.
 */
export const blackHole = (
  address: HappyEyeballs.Address,
  port: number
): Effect.Effect<
  void,
  NoBlackHole | PlatformError.PlatformError,
  CommandExecutor.CommandExecutor | Scope.Scope
> =>
  Effect.gen(function*() {
    if (process.platform !== "linux") {
      return yield* new NoBlackHole({ message: "only Linux ignores connections to a full queue" })
    }
    const program = Command.make(process.execPath, "-e", source, address.address, `${port}`, `${process.pid}`)
    const child = yield* Command.start(program)
    const firstLine = yield* child.stdout.pipe(Stream.decodeText(), Stream.splitLines, Stream.runHead)
    if (Option.isNone(firstLine)) {
      return yield* new NoBlackHole({ message: `a child process cannot listen on ${address.address} port ${port}` })
    }
    yield* Effect.retry(knock({ ...address, host: address.address, port }), { times: 8 })
  })

// A backlog of 0 would be Node's default of 511; Linux queues one connection more than the backlog. A child that is
// blocked cannot be told that its parent was killed, and has to look for itself.
const source = `
  const [host, port, parent] = process.argv.slice(1)
  require("node:net").createServer().listen({ host, port: Number(port), backlog: 1 }, () => {
    require("node:fs").writeSync(1, "listening\\n")
    const never = new Int32Array(new SharedArrayBuffer(4))
    while (process.ppid === Number(parent)) {
      Atomics.wait(never, 0, 0, 200)
    }
    process.exit()
  })
`

/** Succeeds if a connection gets no answer: the kernel has sent its SYN and waits. */
const knock = (endpoint: HappyEyeballs.Endpoint) =>
  Effect.gen(function*() {
    yield* Effect.timeoutOption(NodeHappyEyeballs.open()(endpoint), "150 millis")
    const { connections } = yield* openSockets(endpoint.port)
    if (!connections.includes("SYN_SENT")) {
      return yield* new NoBlackHole({ message: "this machine answers also when the queue is full" })
    }
  }).pipe(
    Effect.catchTag("SocketFailed", ({ message }) => new NoBlackHole({ message })),
    Effect.scoped
  )
