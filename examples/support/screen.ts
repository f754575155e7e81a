import * as Effect from "effect/Effect"

/** Shows some lines, and next time over what it showed before: the terminal has to be as tall as they are many. */
export const screen = (): (lines: ReadonlyArray<string>) => Effect.Effect<void> => {
  let shown = 0
  return (lines) =>
    Effect.sync(() => {
      const width = process.stdout.columns || 80
      const up = shown === 0 ? "" : `\x1b[${shown}A`
      // A line that is too long would be two.
      process.stdout.write(up + lines.map((line) => `${line.slice(0, width - 1)}\x1b[K\n`).join(""))
      shown = lines.length
    })
}
