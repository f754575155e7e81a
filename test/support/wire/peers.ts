import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcessWithoutNullStreams, spawn } from "node:child_process"
import * as readline from "node:readline"
import { fileURLToPath } from "node:url"
import type { Family } from "../../../src/HappyEyeballs.js"
import type { Network } from "./network.js"

// The two programs that talk over the wire: `server.ts` and `client.ts`.

export const ports = { plain: 7, tls: 443, http: 80 } as const

export type Form = "plain" | "tls" | "socket" | "http" | "undici"

export interface Connect {
  readonly form: Form
  /** What the name resolves to. */
  readonly addresses: ReadonlyArray<string>
  /** In which order the families answer, and how many milliseconds each takes after the one before. */
  readonly answers?: ReadonlyArray<readonly [family: Family, after: number, fails?: boolean]>
  /** Milliseconds. */
  readonly interruptAfter?: number
}

export type Command = Connect | { readonly count: true }

export type Reply =
  | { readonly result: string }
  | {
    /** Sockets that the client holds open. */
    readonly sockets: number
    /** Those, of its whole namespace, that wait for an answer. */
    readonly synSent: number
  }

const limit = "20 seconds"

/** A program did not start, or does not answer. */
class PeerFailed extends Data.TaggedError("PeerFailed")<{ readonly message: string }> {}

/** A program at one of the wire's sides, which is killed when the scope closes. */
const start = (
  side: ReadonlyArray<string>,
  name: string
): Effect.Effect<
  readonly [child: ChildProcessWithoutNullStreams, lines: readline.Interface],
  PeerFailed,
  Scope.Scope
> =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [command = "", ...args] = side
      const script = fileURLToPath(new URL(name, import.meta.url))
      const child = spawn(command, [...args, process.execPath, "--import", "tsx", script])
      child.stderr.pipe(process.stderr)
      return [child, readline.createInterface({ input: child.stdout })] as const
    }),
    ([child]) => Effect.sync(() => child.kill("SIGKILL"))
  ).pipe(
    Effect.tap(([child, lines]) =>
      Effect.async<void, PeerFailed>((resume) => {
        lines.once("line", () => resume(Effect.void))
        child.once("error", (error) => resume(new PeerFailed(error)))
        child.once("exit", (code) => resume(new PeerFailed({ message: `${name} ended: ${code}` })))
      })
    ),
    Effect.timeoutFail({
      duration: limit,
      onTimeout: () => new PeerFailed({ message: `${name} did not start within ${limit}` })
    })
  )

/** Starts both programs, and gives a way to tell the client what to do. */
export const startPeers = (network: Network) =>
  Effect.gen(function*() {
    yield* start(network.server, "server.ts")
    const [client, lines] = yield* start(network.client, "client.ts")
    const waiting = new Map<number, (reply: Reply) => void>()
    let ids = 0
    lines.on("line", (line) => {
      const { id, reply } = JSON.parse(line) as { readonly id: number; readonly reply: Reply }
      waiting.get(id)?.(reply)
      waiting.delete(id)
    })
    const tell = (command: Command): Effect.Effect<Reply, PeerFailed> =>
      Effect.async<Reply>((resume) => {
        const id = ids++
        waiting.set(id, (reply) => resume(Effect.succeed(reply)))
        client.stdin.write(`${JSON.stringify({ id, command })}\n`)
      }).pipe(
        Effect.timeoutFail({
          duration: limit,
          onTimeout: () => new PeerFailed({ message: `no answer within ${limit} to ${JSON.stringify(command)}` })
        })
      )
    return {
      /** The address that was connected to, or "interrupted", or "failed: " and why. */
      connect: (command: Connect) =>
        Effect.map(tell(command), (reply) => "result" in reply ? reply.result : "no result"),
      count: Effect.map(tell({ count: true }), (reply) => "sockets" in reply ? reply : { sockets: NaN, synSent: NaN })
    }
  })
