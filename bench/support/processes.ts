import * as Effect from "effect/Effect"
import { execFile } from "node:child_process"

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

/** The first two words of what a command says its version is; `undefined` if the command is absent. */
export const versionOf = (command: string) =>
  Effect.map(
    run([command, "--version"], 5_000),
    ({ code, stdout }) => code === 0 ? stdout.split(/\s+/).slice(0, 2).join(" ") : undefined
  )
