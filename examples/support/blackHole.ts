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
 * Makes an address swallow connections, like a firewall that drops packets: it neither answers nor refuses.
 *
 * When a listener's queue of connections is full, Linux ignores new ones. So a child process listens with the smallest
 * queue and blocks its event loop, so that it never accepts. Connections then fill the queue until one gets no answer.
 * They stay in the queue even after this process has closed its ends.
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

// Backlog 1 is the smallest: 0 means Node's default of 511. (Linux queues one connection more than the backlog.) The
// child cannot hear that its parent was killed, because it blocks. So it looks at the parent's id.
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

/** Opens a connection, and succeeds if it gets no answer: the kernel has sent a SYN and waits. */
const knock = (endpoint: HappyEyeballs.Endpoint) =>
  Effect.gen(function*() {
    yield* Effect.timeoutOption(NodeHappyEyeballs.open()(endpoint), "150 millis")
    const { connections } = yield* openSockets(endpoint.port)
    if (!connections.includes("SYN_SENT")) {
      return yield* new NoBlackHole({ message: "this machine answers even when the queue is full" })
    }
  }).pipe(
    Effect.catchTag("SocketFailed", ({ message }) => new NoBlackHole({ message })),
    Effect.scoped
  )
