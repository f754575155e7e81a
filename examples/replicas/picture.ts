import * as Option from "effect/Option"
import type * as Replicas from "../../src/Replicas.js"
import type { Hedging } from "../support/measured.js"
import { rate, type Results, type Slowest, ways } from "./load.js"
import { cells, count, heading, hedges, millis, titles } from "./report.js"

/** A server, as `Replicas` knows it. */
export interface Row extends Pick<Replicas.State, "id" | "inFlight" | "isOut" | "latency" | "picks"> {
  /** What was done to it. */
  readonly condition: string
  /** How many calls it got in the last second. */
  readonly recent: number
}

export interface Picture {
  readonly seconds: number
  readonly servers: ReadonlyArray<Row>
  /** Since something was last done to a server. */
  readonly now: Results
  readonly all: Results
  readonly slowest: Slowest
  readonly hedging: Hedging
}

const margin = Math.max(...ways.map((way) => titles[way].length))

const titled = (title: string, ...parts: ReadonlyArray<string>) =>
  ["  " + title.padEnd(margin), ...parts].join("  ").trimEnd()

const barWidth = 16

const bar = (calls: number) => "#".repeat(Math.min(barWidth, Math.round(barWidth * calls / rate))).padEnd(barWidth, ".")

const serverRow = ({ condition, id, inFlight, isOut, latency, picks, recent }: Row) =>
  [
    `  ${id.padEnd(6)}`,
    condition.padEnd(8),
    count(picks).padStart(10),
    `${count(recent).padStart(3)} ${bar(recent)}`,
    millis(Option.getOrElse(latency, () => NaN)).padStart(7),
    count(inFlight).padStart(9),
    isOut ? "out" : ""
  ].join("  ").trimEnd()

/** Milliseconds. No call is slower while all servers are well. */
const usual = 100

const markOf = (slowest: number) => slowest === 0 ? " " : slowest <= usual ? "." : slowest === Infinity ? "X" : "o"

/** The picture of a moment: less than 80 columns, less than 24 lines. */
export const picture = ({ all, hedging, now, seconds, servers, slowest }: Picture): ReadonlyArray<string> => [
  `${rate} calls a second, and each is made in two ways:`.padEnd(71) + `${seconds} s`.padStart(8),
  titled(titles["in turn"], "to one server after the other"),
  titled(titles.hedged, "to the server that should be quickest; to another if late"),
  "",
  "  server  state   hedged calls  in the last second    mean ms  in flight",
  ...servers.map(serverRow),
  "",
  titled("", "since the last change".padEnd(heading.length), "since the start"),
  titled("", heading, heading),
  ...ways.map((way) => titled(titles[way], cells(now[way]), cells(all[way]))),
  "",
  titled("", `the slowest call of a second: . ${usual} ms  o more  X failed`),
  ...ways.map((way) => titled(titles[way], slowest[way].slice(-(2 * heading.length + 2)).map(markOf).join(""))),
  "",
  `  ${hedges(hedging, all.hedged.requests)}`,
  "",
  `  ${servers.map(({ id }) => id).join(" ")}  make that server slow, then stopped, then killed, and well again`,
  "  q      ends"
]

/** Counts how much has come in the last second. */
export class Recent {
  private readonly marks: Array<{ readonly at: number; readonly totals: ReadonlyArray<number> }> = []

  /** Takes totals so far, and the time in milliseconds. */
  add(at: number, totals: ReadonlyArray<number>): ReadonlyArray<number> {
    this.marks.push({ at, totals })
    while (this.marks.length > 2 && at - (this.marks[1]?.at ?? at) >= 1000) {
      this.marks.shift()
    }
    const since = this.marks[0]
    return totals.map((total, index) => total - (since?.totals[index] ?? 0))
  }
}
