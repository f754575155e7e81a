import xterm from "@xterm/headless"
import * as Effect from "effect/Effect"

/** A terminal of a given size, which records everything that is written to it. */
export const makeTerminal = (columns: number, rows: number) => {
  const terminal = new xterm.Terminal({
    cols: columns,
    rows,
    scrollback: 1000,
    allowProposedApi: true,
    convertEol: true
  })
  const written: Array<string> = []
  const settle = Effect.promise(() => new Promise<void>((resolve) => terminal.write("", resolve)))
  return {
    written,
    output: {
      isTTY: true,
      get columns() {
        return terminal.cols
      },
      get rows() {
        return terminal.rows
      },
      write: (text: string) => {
        written.push(text)
        terminal.write(text)
      }
    },
    resize: (columns: number, rows: number) => Effect.map(settle, () => terminal.resize(columns, rows)),
    isCursorHidden: () => (/\x1b\[\?25([hl])(?!.*\x1b\[\?25[hl])/s.exec(written.join(""))?.[1] ?? "h") === "l",
    /** All lines, from the first one that scrolled out down to the cursor. */
    lines: Effect.map(settle, () => {
      const { active } = terminal.buffer
      const all = Array.from(
        { length: active.length },
        (_, i) => active.getLine(i)?.translateToString(true) ?? ""
      )
      while (all.length > 0 && all.at(-1) === "") {
        all.pop()
      }
      return { all, scrolledOut: active.baseY, cursor: active.baseY + active.cursorY }
    })
  }
}

/** An output that is not a terminal, like a file or a pipe. */
export const makePipe = () => {
  const written: Array<string> = []
  return { written, output: { write: (text: string) => written.push(text) }, lines: () => written.join("").split("\n") }
}
