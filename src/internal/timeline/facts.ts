import type { Layout, Pending, Row } from "./layout.js"
import { type Attributes, element } from "./svg/xml.js"

/**
 * The position of a lane, in pixels.
 *
 * @internal
 */
export interface Lane {
  readonly x: (millis: number) => number
  /** The middle of its bar. */
  readonly y: number
  /** The middle of the bar above. */
  readonly above: number
  /** Whether the bar above belongs to the attempt before this one. */
  readonly follows: boolean
  /** The id of the pattern for clean-up. */
  readonly hatch: string
}

const path = (className: string, d: ReadonlyArray<string | number>) =>
  element("path", { class: className, d: d.map((part) => typeof part === "number" ? round(part) : part).join(" ") })

const round = (value: number) => Math.round(value * 10) / 10

const box = (x: number, y: number, width: number, height: number, more: Attributes) =>
  element("rect", { x, y: y - height / 2, width: Math.max(0, width), height, rx: Math.min(2, height / 2), ...more })

/** The distance below the middle of a bar at which the line to the next start begins. */
const under = 11

const tip = (x: number, y: number) => path("tip", ["M", x, y, "l", -3.2, -6, "h", 6.4, "z"])

const dots = (from: number, to: number, y: number) => path("wait", ["M", from, y, "H", to])

const cross = (x: number, y: number) => path("mark", ["M", x - 4, y - 4, "l 8 8 m 0 -8 l -8 8"])

const cap = (x: number, y: number) => path("mark", ["M", x, y - 6, "v 12"])

const arrow = (x: number, y: number) => path("bar", ["M", x - 2, y - 6, "l 9 6 l -9 6 z"])

const check = (x: number, y: number) =>
  element("circle", { class: "bar", cx: x, cy: y, r: 8 }) +
  path("tick", ["M", x - 3.6, y + 0.2, "l 2.6 2.7 l 4.6 -5.4"])

const circle = (x: number, y: number) => element("circle", { class: "mark open", cx: x, cy: y, r: 4 })

const first = (x: number, y: number) => path("first", ["M", x - 1.5, y - 7, "h 3 v 14 h -3 z"])

/** The line from the cause of a start down to the start, or to the dots before a start that was held back. */
const drawStart = (row: Row, { above, follows, x, y }: Lane): string => {
  const top = row.due < row.from ? y - 3 : y - 5
  if (row.startedBy === "first") {
    return first(x(row.from), y)
  }
  const by = row.startedBy === "failure"
  const at = x(by ? Math.min(Math.max(row.cause, row.due), row.from) : row.due)
  const from = follows ? above + (by ? 8 : under) : above + 10
  const along = !by && follows && row.cause < row.due
    ? ["M", x(row.cause), above + under - 4, "V", above + under, "H", at]
    : ["M", at, from]
  return path("link", [...along, "V", top - (by ? 5 : 0)]) + (by ? tip(at, top) : "")
}

/** @internal */
export const drawBar = (row: Row, lane: Lane): string => {
  const { hatch, x, y } = lane
  const [from, turn, to] = [x(row.from), x(row.turn), x(row.to)]
  const height = row.state === "won" ? 10 : 6
  const windingDown = row.to > row.turn
    ? box(turn, y, to - turn, 6, { fill: `url(#${hatch})`, class: "winding" })
    : ""
  const end = {
    won: () => check(turn, y),
    failed: () => cross(to, y),
    lost: () => cap(turn, y),
    late: () => (row.to > row.turn ? cap(turn, y) : "") + circle(to, y),
    running: () => arrow(to, y),
    ending: () => cap(turn, y) + arrow(to, y)
  }[row.state]()
  return drawStart(row, lane) + (row.due < row.from ? dots(Math.min(x(row.due), from - 4), from - 4, y) : "") +
    element("g", { class: row.state }, [
      windingDown,
      box(from, y, Math.max(turn - from, 2), height, { class: "bar" }),
      end
    ])
}

/** @internal */
export const drawPending = ({ due, to }: Pending, { x, y }: Lane): string =>
  dots(Math.min(x(due), x(to) - 4), x(to) - 4, y)

/** @internal */
export interface LegendEntry {
  readonly text: string
  readonly icon: (x: number, y: number) => string
}

/**
 * The legend: one entry for each mark that the picture uses.
 *
 * @internal
 */
export const legendOf = ({ decidedAt, rows }: Layout, hatch: string): ReadonlyArray<LegendEntry> => {
  const attempts = rows.filter((row) => row._tag === "Row")
  const startedBy = (by: Row["startedBy"]) => attempts.some((row) => row.startedBy === by)
  const entries: ReadonlyArray<readonly [boolean, string, LegendEntry["icon"]]> = [
    [startedBy("first"), "first", (x, y) => first(x + 9, y)],
    [startedBy("delay"), "after the delay", (x, y) => path("link", ["M", x, y - 6, "v 3 h 14 v 9"])],
    [startedBy("failure"), "after a failure", (x, y) => path("link", ["M", x + 9, y - 7, "v 8"]) + tip(x + 9, y + 6)],
    [
      rows.some((row) => row._tag === "Pending" || row._tag === "Row" && row.due < row.from),
      "held back",
      (x, y) => dots(x + 1, x + 17, y)
    ],
    [decidedAt !== undefined, "decided", (x, y) => path("decided", ["M", x + 9, y - 7, "v 14"])],
    [
      attempts.some((row) => row.to > row.turn),
      "winding down",
      (x, y) => element("g", { class: "lost" }, [box(x, y, 18, 6, { fill: `url(#${hatch})`, class: "winding" })])
    ],
    [
      attempts.some(({ state }) => state === "running" || state === "ending"),
      "goes on",
      (x, y) => element("g", { class: "lost" }, [arrow(x + 7, y)])
    ]
  ]
  return entries.filter(([isUsed]) => isUsed).map(([, text, icon]) => ({ text, icon }))
}
