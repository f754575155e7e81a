import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { execFile, spawn } from "node:child_process"
import * as readline from "node:readline"
import { fileURLToPath } from "node:url"

export class ProcessFailed extends Data.TaggedError("ProcessFailed")<{ readonly message: string }> {}

export interface Ended {
  /** `undefined` if it was not there to be started, or was killed at its limit. */
  readonly code: number | undefined
  readonly stdout: string
}

/** Runs a command to its end, or kills it at its limit of milliseconds. */
export const run = ([command = "", ...args]: ReadonlyArray<string>, limit: number): Effect.Effect<Ended> =>
  Effect.async((resume) => {
    const child = execFile(command, args, { timeout: limit, killSignal: "SIGKILL" }, (error, stdout) => {
      const code = error === null ? 0 : error.code
      resume(Effect.succeed({ code: typeof code === "number" ? code : undefined, stdout }))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** The command for a program of TypeScript. */
export const tsx = (
  program: URL
): ReadonlyArray<string> => [process.execPath, "--import", "tsx", fileURLToPath(program)]

const limit = "20 seconds"

/**
 * Starts a command that writes a line when it is ready, and then one for each line that it is told. It is killed when
 * the scope closes.
 */
export const talk = (
  [command = "", ...args]: ReadonlyArray<string>
): Effect.Effect<(line: string) => Effect.Effect<string, ProcessFailed>, ProcessFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const failed = (why: string) => new ProcessFailed({ message: `\`${[command, ...args].join(" ")}\` ${why}` })
    const ended = yield* Deferred.make<never, ProcessFailed>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] })
        const end = (why: string) => Deferred.unsafeDone(ended, failed(why))
        child.on("error", ({ message }) => end(`could not be started: ${message}`))
        child.on("exit", (code, signal) => end(`has ended: ${code ?? signal}`))
        child.stdin.on("error", () => {})
        return child
      }),
      (child) => Effect.sync(() => child.kill("SIGKILL"))
    )
    const lines = readline.createInterface({ input: child.stdout })
    const answer = (ask: () => void) =>
      Effect.async<string>((resume) => {
        const take = (line: string) => resume(Effect.succeed(line))
        lines.once("line", take)
        ask()
        return Effect.sync(() => lines.off("line", take))
      }).pipe(
        Effect.raceFirst(Deferred.await(ended)),
        Effect.timeoutFail({ duration: limit, onTimeout: () => failed(`did not answer within ${limit}`) })
      )
    yield* answer(() => {})
    return (line) => answer(() => child.stdin.write(`${line}\n`))
  })
