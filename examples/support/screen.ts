import * as Effect from "effect/Effect"

/** Shows lines in place of those that it showed before. The terminal must have room for all of them. */
export const screen = (): (lines: ReadonlyArray<string>) => Effect.Effect<void> => {
  let shown = 0
  return (lines) =>
    Effect.sync(() => {
      const width = process.stdout.columns || 80
      const up = shown === 0 ? "" : `\x1b[${shown}A`
      // The terminal would break a line that is too long.
      process.stdout.write(up + lines.map((line) => `${line.slice(0, width - 1)}\x1b[K\n`).join(""))
      shown = lines.length
    })
}
