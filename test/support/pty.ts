import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { spawn, spawnSync } from "node:child_process"
import { makeTerminal } from "./terminal.js"

const [columns, rows] = [80, 24]

/** Runs a command in a terminal of its own, and says at the end in which mode it has left that. */
const script = `
import os, pty, sys
status = pty.spawn(["sh", "-c", 'stty rows ${rows} columns ${columns}; "$@"; status=$?; stty -a; exit $status', "sh", *sys.argv[1:]])
sys.exit(os.waitstatus_to_exitcode(status))
`

/** Whether this machine can give a terminal to a program. */
export const hasPty = spawnSync("python3", ["-c", "import pty, os; os.waitstatus_to_exitcode"]).status === 0

/** A program in a terminal. */
export interface InTerminal {
  readonly press: (keys: string) => void
  /** What the terminal shows, when the condition holds for it. */
  readonly shows: (condition: (lines: string) => boolean) => Effect.Effect<string>
  /** Everything that was written to the terminal. */
  readonly written: () => string
  readonly status: Effect.Effect<number | null>
}

/** Runs this Node with the arguments in a terminal, at most until the scope closes. */
export const inTerminal = (args: ReadonlyArray<string>): Effect.Effect<InTerminal, never, Scope.Scope> =>
  Effect.gen(function*() {
    const terminal = makeTerminal(columns, rows)
    let status: number | null | undefined
    const ended = Effect.repeat(Effect.sleep("20 millis"), { until: () => status !== undefined })
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn("python3", ["-c", script, process.execPath, ...args])),
      // What runs in the terminal ends when that is gone.
      (child) => Effect.zipRight(Effect.sync(() => child.kill()), ended)
    )
    let written = ""
    const hear = (text: string) => {
      written += text
      terminal.output.write(text)
    }
    child.stdout.setEncoding("utf8").on("data", hear)
    child.stderr.setEncoding("utf8").on("data", hear)
    child.on("close", (code) => status = code)
    return {
      press: (keys) => void child.stdin.write(keys),
      shows: (condition) => {
        const look: Effect.Effect<string> = Effect.flatMap(terminal.lines, ({ all }) => {
          const lines = all.join("\n")
          return status !== undefined || condition(lines) ? Effect.succeed(lines) : Effect.delay(look, "50 millis")
        })
        return look
      },
      written: () => written,
      status: Effect.map(ended, () => status ?? null)
    }
  })
