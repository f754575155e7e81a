import * as Data from "effect/Data"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn } from "node:child_process"
import * as readline from "node:readline"
import { fileURLToPath } from "node:url"
import { stop } from "../../../examples/support/serverProcess.js"

/** A program could not be started, has ended, or does not answer. */
export class ProgramFailed extends Data.TaggedError("ProgramFailed")<{ readonly message: string }> {}

/** A program that talks in lines. */
export interface Program {
  readonly say: (line: string) => void
  readonly lines: readline.Interface
  /** What it is to answer with: no longer than the limit, and not after it has ended. */
  readonly answer: <A>(answer: Effect.Effect<A>) => Effect.Effect<A, ProgramFailed>
}

/** The command for a program of TypeScript. */
export const tsx = (
  program: URL
): ReadonlyArray<string> => [process.execPath, "--import", "tsx", fileURLToPath(program)]

/** Starts a command that writes a line when it is ready. It is killed when the scope closes, and has ended then. */
export const start = (
  [command = "", ...args]: ReadonlyArray<string>,
  limit: Duration.DurationInput = "20 seconds"
): Effect.Effect<Program, ProgramFailed, Scope.Scope> =>
  Effect.gen(function*() {
    const failed = (why: string) => new ProgramFailed({ message: `\`${[command, ...args].join(" ")}\` ${why}` })
    const ended = yield* Deferred.make<never, ProgramFailed>()
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => {
        const child = spawn(command, args, { stdio: ["pipe", "pipe", "inherit"] })
        const end = (why: string) => Deferred.unsafeDone(ended, failed(why))
        child.on("error", ({ message }) => end(`could not be started: ${message}`))
        child.on("exit", (code, signal) => end(`has ended: ${code ?? signal}`))
        child.stdin.on("error", () => {})
        return child
      }),
      stop
    )
    const program: Program = {
      say: (line) => void child.stdin.write(`${line}\n`),
      lines: readline.createInterface({ input: child.stdout }),
      answer: (answer) =>
        Effect.raceFirst(answer, Deferred.await(ended)).pipe(
          Effect.timeoutFail({
            duration: limit,
            onTimeout: () => failed(`did not answer within ${Duration.format(limit)}`)
          })
        )
    }
    yield* program.answer(nextLine(program))
    return program
  })

/** The next line that a program writes, which may be the answer to one that it is told. */
export const nextLine = ({ lines, say }: Program, told?: string): Effect.Effect<string> =>
  Effect.async((resume) => {
    const take = (line: string) => resume(Effect.succeed(line))
    lines.once("line", take)
    if (told !== undefined) {
      say(told)
    }
    return Effect.sync(() => lines.off("line", take))
  })
