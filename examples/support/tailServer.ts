import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type Message, type ServerError, serverProcess } from "./serverProcess.js"

/** How many attempts the server has seen, and how they ended. */
export interface Counts {
  /** Requests: attempts without the header `x-hedge-attempt`. */
  readonly first: number
  /** Attempts with that header. */
  readonly hedges: number
  readonly answered: number
  /** Attempts whose connection was closed before the answer. */
  readonly aborted: number
}

export const noCounts: Counts = { first: 0, hedges: 0, answered: 0, aborted: 0 }

/** What the client's process asks the server's. */
export interface Question extends Message {
  readonly text: "counts" | "close"
}

/** What the server's process answers. */
export interface Answer extends Message {
  readonly port?: number
  readonly counts?: Readonly<Record<string, Counts>>
  readonly left?: number
}

export interface TailServer {
  readonly origin: string
  /** The counts so far, by the first part of the path. */
  readonly counts: Effect.Effect<Readonly<Record<string, Counts>>, ServerError>
  /** Closes the server. Gives its final counts, and how many connections clients have left open. */
  readonly close: Effect.Effect<
    { readonly counts: Readonly<Record<string, Counts>>; readonly left: number },
    ServerError
  >
}

/** Starts the server. Its process ends with the scope. */
export const tailServer = (seed: number): Effect.Effect<TailServer, ServerError, Scope.Scope> =>
  Effect.map(
    serverProcess<Question, Answer>(new URL("./tailServerProcess.ts", import.meta.url), [`${seed}`]),
    ({ ask, first }) => ({
      origin: `http://127.0.0.1:${first.port}`,
      counts: Effect.map(ask({ text: "counts" }), ({ counts = {} }) => counts),
      close: Effect.map(ask({ text: "close" }), ({ counts = {}, left = NaN }) => ({ counts, left }))
    })
  )
