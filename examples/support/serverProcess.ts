import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { type ChildProcess, fork } from "node:child_process"
import { fileURLToPath } from "node:url"

export class ServerError extends Data.TaggedError("ServerError")<{ readonly message: string }> {}

/** What a server's process is asked, and what it answers. The first answer, when it listens, has the id 0. */
export interface Message {
  readonly id: number
}

export interface ServerProcess<in Question extends Message, out Answer extends Message> {
  readonly child: ChildProcess
  /** What it has told when it began to listen. */
  readonly first: Answer
  readonly ask: (question: Omit<Question, "id">) => Effect.Effect<Answer, ServerError>
}

const started = new Set<number>()

/** How many of the processes that were started still run. Asks the system, because a count of our own could be wrong. */
export const runningProcesses: Effect.Effect<number> = Effect.sync(() => Array.from(started).filter(isRunning).length)

const isRunning = (pid: number): boolean => {
  try {
    return process.kill(pid, 0)
  } catch {
    return false
  }
}

/** Starts a server in a process of its own, and waits until it listens. The process ends with the scope. */
export const serverProcess = <Question extends Message, Answer extends Message>(
  program: URL,
  args: ReadonlyArray<string>
): Effect.Effect<ServerProcess<Question, Answer>, ServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = fork(fileURLToPath(program), args)
        if (child.pid !== undefined) {
          started.add(child.pid)
        }
        return child
      }),
      stop
    )
    let asked = 0
    return {
      child,
      first: yield* answerOf<Answer>(child, 0),
      ask: (question) =>
        Effect.suspend(() => {
          const id = ++asked
          return answerOf<Answer>(child, id, { ...question, id })
        })
    }
  })

const answerOf = <Answer extends Message>(
  child: ChildProcess,
  id: number,
  question?: Message
): Effect.Effect<Answer, ServerError> =>
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
      duration: "30 seconds",
      onTimeout: () => new ServerError({ message: "the server's process does not answer" })
    })
  )

/** Kills a process, also one that is stopped, and waits until it has ended. */
export const stop = (child: ChildProcess): Effect.Effect<void> =>
  Effect.async((resume) => {
    if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
      return resume(Effect.void)
    }
    child.once("exit", () => resume(Effect.void)).kill("SIGKILL")
  })
