import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"

/** The terminal would break a line that is too long. */
const fit = (line: string) => `${line.slice(0, (process.stdout.columns || 80) - 1)}\x1b[K`

/** Shows lines in place of those that it showed before. The terminal must have room for all of them. */
export const screen = (): (lines: ReadonlyArray<string>) => Effect.Effect<void> => {
  let shown = 0
  return (lines) =>
    Effect.sync(() => {
      const up = shown === 0 ? "" : `\x1b[${shown}A`
      process.stdout.write(up + lines.map((line) => `${fit(line)}\n`).join(""))
      shown = lines.length
    })
}

/**
 * Takes the whole terminal until the scope closes, and gives back what it showed before. It draws over the old picture,
 * so nothing flickers, and the next picture mends what a change of the size has done.
 */
export const wholeScreen: Effect.Effect<(lines: ReadonlyArray<string>) => Effect.Effect<void>, never, Scope.Scope> =
  Effect.as(
    Effect.acquireRelease(
      Effect.sync(() => process.stdout.write("\x1b[?1049h\x1b[?25l")),
      () => Effect.sync(() => process.stdout.write("\x1b[?25h\x1b[?1049l"))
    ),
    (lines) =>
      Effect.sync(() => {
        const rows = lines.slice(0, process.stdout.rows || 24)
        process.stdout.write(`\x1b[H${rows.map(fit).join("\r\n")}\x1b[J`)
      })
  )
