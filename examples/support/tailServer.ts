import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"

export class ServerError extends Data.TaggedError("ServerError")<{ readonly message: string }> {}

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
export interface Question {
  readonly id: number
  readonly text: "counts" | "close"
}

/** What the server's process answers. `id` is that of the question; 0 when the server listens. */
export interface Answer {
  readonly id: number
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

/** Starts a server in a process of its own. The process ends with the scope. */
export const tailServer = (seed: number): Effect.Effect<TailServer, ServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => fork(fileURLToPath(new URL("./tailServerProcess.ts", import.meta.url)), [`${seed}`])),
      stop
    )
    const { port } = yield* answerOf(child, 0)
    let asked = 0
    const ask = (text: Question["text"]) =>
      Effect.suspend(() => {
        const id = ++asked
        return answerOf(child, id, { id, text })
      })
    return {
      origin: `http://127.0.0.1:${port}`,
      counts: Effect.map(ask("counts"), ({ counts = {} }) => counts),
      close: Effect.map(ask("close"), ({ counts = {}, left = NaN }) => ({ counts, left }))
    }
  })

const answerOf = (child: ChildProcess, id: number, question?: Question): Effect.Effect<Answer, ServerError> =>
  Effect.async<Answer, ServerError>((resume) => {
    const forget = () => void child.off("message", hear).off("exit", fail).off("error", fail)
    const hear = (answer: Answer) => {
      if (answer.id === id) {
        forget()
        resume(Effect.succeed(answer))
      }
    }
    const fail = (reason: unknown) => {
      forget()
      resume(new ServerError({ message: `the server's process has ended: ${reason}` }))
    }
    child.on("message", hear).on("exit", fail).on("error", fail)
    if (question !== undefined) {
      child.send(question, (error) => error ? fail(error) : undefined)
    }
    return Effect.sync(forget)
  }).pipe(
    Effect.timeoutFail({
      duration: "10 seconds",
      onTimeout: () => new ServerError({ message: "the server's process does not answer" })
    })
  )

const stop = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      return resume(Effect.void)
    }
    child.once("exit", () => resume(Effect.void)).kill("SIGKILL")
  })
