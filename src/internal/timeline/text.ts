import type { Options } from "../../Timeline.js"
import { axis as axisOf, type Gap, layout, type Pending, type Row } from "./layout.js"
import type { Drawable } from "./running.js"
import { check, clean, columnsOf, fit, flow, sizeOf, units, widest } from "./words.js"

const styles = { won: "1;32", failed: "31", lost: "2", late: "33", running: "36", ending: "2" } as const

const starts = { first: "┣", delay: "+", failure: "!" } as const

const legend = [
  "┣ first",
  "+ after the delay",
  "! after a failure",
  "· held back",
  "┊ decided",
  "╌ winding down",
  "→ goes on"
]

// Indexed by the lines that meet in the cell: 1 a tick above, 2 the decision below, 4 the axis left, 8 the axis right.
const junctions = " ╵╷│─┘┐┤─└┌├─┴┬┼"

/** The text of a bar, and its first column. */
interface Bar {
  readonly at: number
  readonly text: string
}

/** @internal */
export const render = (self: Drawable, options: Options = {}): string => {
  const { color = false, labels = [], maxRows = 40, unit = "auto", width = 80 } = options
  check.whole("width", width, 40)
  check.whole("maxRows", maxRows, 1)
  check.oneOf("unit", unit, units)
  const names = labels.map((label) => fit(clean(label), Math.floor(width * 0.3), columnsOf))
  const { decidedAt, headline, rows, span } = layout(self, { labels: names, maxRows, unit })
  const drawn = rows.filter((row) => row._tag !== "Gap")
  const attempts = drawn.filter((row) => row._tag === "Row")
  const paint = (style: string, text: string) => color ? `\x1b[${style}m${text}\x1b[0m` : text
  const left = widest(drawn.map(({ label }) => label), columnsOf) + 1
  const right = Math.min(widest(drawn.map(({ note }) => note), columnsOf), Math.floor(width * 0.35)) + 2
  const columns = width - left - right

  // A bar has at least two cells, one for each mark. The last column stays free for a bar that starts at the end.
  const columnOf = (millis: number) => span > 0 ? Math.round(millis / span * (columns - 2)) : 0
  const columnFrom = (row: Row, millis: number) => Math.max(columnOf(millis), columnOf(row.from) + 1)
  const decided = decidedAt === undefined ? undefined : attempts.reduce(
    (column, row) => row.turn <= decidedAt && isOver(row) ? Math.max(column, columnFrom(row, row.turn)) : column,
    columnOf(decidedAt)
  )
  const background = (decided === undefined ? "" : "┊".padStart(decided + 1)).padEnd(columns)

  const barOf = (row: Row | Pending): Bar => row._tag === "Row" ? attemptBar(row) : pendingBar(row)
  const attemptBar = (row: Row): Bar => {
    const start = columnOf(row.from)
    const decidedFrom = (millis: number) =>
      decided === undefined || decidedAt === undefined || millis < decidedAt ? 0 : decided
    const reached = Math.max(columnFrom(row, row.to), decidedFrom(row.to))
    const turn = isOver(row)
      ? Math.max(columnFrom(row, row.turn), decidedFrom(row.turn))
      : Math.min(Math.max(start + 1, decided ?? reached), reached)
    const after = "╌".repeat(Math.max(0, row.state === "failed" ? 0 : reached - turn))
    const then = (mark: string) => after === "" ? mark : `┫${after.slice(1)}${mark}`
    const last = {
      won: "█",
      failed: "╳",
      lost: `┫${after}`,
      late: then("o"),
      running: "→",
      ending: then("→")
    }[row.state]
    const at = row.due < row.from ? Math.max(0, Math.min(columnOf(row.due), start - 1)) : start
    const bar = (row.state === "won" ? "█" : "━").repeat(turn - start - 1) + last
    return { at, text: "·".repeat(start - at) + starts[row.startedBy] + bar }
  }
  const pendingBar = ({ due }: Pending): Bar => {
    const end = decided ?? 0
    const at = Math.max(0, Math.min(columnOf(due), end - 1))
    return { at, text: "·".repeat(Math.max(1, end - at)) }
  }
  const drawBar = (row: Row | Pending): string => {
    const { at, text } = barOf(row)
    const ink = (text: string) => paint(row._tag === "Row" ? styles[row.state] : "2", text)
    return ink(row.label) + " ".repeat(left - sizeOf(row.label, columnsOf)) + background.slice(0, at) + ink(text) +
      `${background.slice(at + text.length)}  ${ink(fit(row.note, right - 2, columnsOf))}`
  }
  const drawGap = (gap: Gap): string => {
    const text = `${fit(gap.text, width - 1, columnsOf)} `.padEnd(left)
    return paint("2", (text + background.slice(text.length - left)).trimEnd())
  }

  const marks = axisOf(span, ({ length }) => Math.max(3, Math.floor(columns / (length + 5))), unit)
  const numbers = marks.reduce((line, mark) => {
    const at = left + columnOf(mark.at) - (mark.at === 0 ? 0 : Math.floor(mark.text.length / 2))
    return at > line.length && at + mark.text.length <= width ? line.padEnd(at) + mark.text : line
  }, "")
  const ticked = new Set(marks.map(({ at }) => columnOf(at)))
  const last = Math.max(columns - 2, decided ?? 0)
  const axis = Array.from(
    { length: last + 1 },
    (_, i) => junctions[(ticked.has(i) ? 1 : 0) + (i === decided ? 2 : 0) + (i > 0 ? 4 : 0) + (i < last ? 8 : 0)]
  )

  const bars = drawn.map(barOf)
  const used = new Set([...bars.map(({ text }) => text), background].join(""))
  const key = flow(legend.filter((entry) => used.has(entry.charAt(0))), "  ", width, columnsOf)
  const picture = drawn.length === 0
    ? []
    : [
      numbers,
      " ".repeat(left) + axis.join(""),
      ...rows.map((row) => row._tag === "Gap" ? drawGap(row) : drawBar(row)),
      ...key.map((line) => paint("2", line))
    ]
  return [...flow(headline, ", ", width, columnsOf), ...picture].join("\n")
}

/** Whether the attempt ended before the decision or by it. */
const isOver = ({ state }: Row) => state === "won" || state === "failed"
