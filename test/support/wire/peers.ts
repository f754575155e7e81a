import * as Effect from "effect/Effect"
import type { Family } from "../../../src/HappyEyeballs.js"
import type { Network } from "./network.js"
import { start, tsx } from "./programs.js"

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

/** Starts both programs, and gives a way to tell the client what to do. */
export const startPeers = (network: Network) =>
  Effect.gen(function*() {
    yield* start([...network.server, ...tsx(new URL("server.ts", import.meta.url))])
    const client = yield* start([...network.client, ...tsx(new URL("client.ts", import.meta.url))])
    const waiting = new Map<number, (reply: Reply) => void>()
    let ids = 0
    client.lines.on("line", (line) => {
      const { id, reply } = JSON.parse(line) as { readonly id: number; readonly reply: Reply }
      waiting.get(id)?.(reply)
      waiting.delete(id)
    })
    const tell = (command: Command) =>
      client.answer(Effect.async<Reply>((resume) => {
        const id = ids++
        waiting.set(id, (reply) => resume(Effect.succeed(reply)))
        client.say(JSON.stringify({ id, command }))
      }))
    return {
      /** The address that was connected to, or "interrupted", or "failed: " and why. */
      connect: (command: Connect) =>
        Effect.map(tell(command), (reply) => "result" in reply ? reply.result : "no result"),
      count: Effect.map(tell({ count: true }), (reply) => "sockets" in reply ? reply : { sockets: NaN, synSent: NaN })
    }
  })
