import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"

export interface Ended {
  /** The exit code. `undefined` if the command does not exist, or was killed at its limit. */
  readonly code: number | undefined
  readonly stdout: string
}

/** Runs a command, and kills it after `limit` milliseconds. */
export const run = ([command = "", ...args]: ReadonlyArray<string>, limit: number): Effect.Effect<Ended> =>
  Effect.async((resume) => {
    const child = execFile(command, args, { timeout: limit, killSignal: "SIGKILL" }, (error, stdout) => {
      const code = error === null ? 0 : error.code
      resume(Effect.succeed({ code: typeof code === "number" ? code : undefined, stdout }))
    })
    return Effect.sync(() => child.kill("SIGKILL"))
  })

/** The first two words that `COMMAND --version` prints. `undefined` if there is no such command. */
export const versionOf = (command: string) =>
  Effect.map(
    run([command, "--version"], 5_000),
    ({ code, stdout }) => code === 0 ? stdout.split(/\s+/).slice(0, 2).join(" ") : undefined
  )
