import * as Option from "effect/Option"
import type * as Replicas from "../../src/Replicas.js"
import type { Figures, Hedging } from "../support/measured.js"
import { failed, type Results, type Slowest, type Way, ways } from "./load.js"

/** A server, as `Replicas` knows it. */
export interface Row extends Pick<Replicas.State, "id" | "inFlight" | "isOut" | "latency" | "picks"> {
  /** What was done to it. */
  readonly condition: string
  /** How many calls it got in the last second. */
  readonly rate: number
}

/** What has become of the calls of a phase. */
export interface PhaseResults {
  readonly name: string
  readonly results: Results
}

export interface Picture {
  readonly seconds: number
  /** How many calls each way makes in a second. */
  readonly rate: number
  readonly servers: ReadonlyArray<Row>
  readonly now: PhaseResults
  readonly all: Results
  readonly slowest: Slowest
  readonly hedging: Hedging
}

/** Hedges for each call, at most. */
export const ratio = 0.1

const count = (value: number) => value.toLocaleString("en")
const millis = (value: number) => Number.isNaN(value) ? "-" : value < 100 ? value.toFixed(1) : count(Math.round(value))

const titles: Readonly<Record<Way, string>> = { "in turn": "in turn", "hedged": "Replicas, hedged" }
const margin = Math.max(...ways.map((way) => titles[way].length))
const titled = (way: Way, text: string) => `  ${titles[way].padEnd(margin)}  ${text}`

const barWidth = 24

const bar = (part: number, whole: number) =>
  "#".repeat(Math.min(barWidth, Math.round(barWidth * part / whole))).padEnd(barWidth, ".")

const serverRow = ({ condition, id, inFlight, isOut, latency, picks, rate }: Row, whole: number) =>
  [
    `  ${id.padEnd(6)}`,
    condition.padEnd(8),
    count(picks).padStart(7),
    `${count(rate).padStart(3)} ${bar(rate, whole)}`,
    millis(Option.getOrElse(latency, () => NaN)).padStart(7),
    count(inFlight).padStart(9),
    isOut ? "out" : ""
  ].join("  ").trimEnd()

const heading = "  calls    p50    p99 failed"

const cells = (figures: Figures) =>
  [figures.requests, figures.quantile(0.5), figures.quantile(0.99), failed(figures)]
    .map((value, column) => (column % 3 === 0 ? count(value) : millis(value)).padStart(7))
    .join("")

/** Up to so many milliseconds, and what stands for them. */
const marks = [[0, " "], [25, "."], [100, "-"], [400, "+"], [Number.MAX_VALUE, "#"]] as const

const markOf = (slowest: number) => marks.find(([limit]) => slowest <= limit)?.[1] ?? "X"

/** How many hedges were sent, and what they have cost and brought. */
export const hedges = ({ hedges, wins }: Hedging, calls: number): string =>
  `hedges: ${count(hedges)}, for ${(100 * hedges / Math.max(calls, 1)).toFixed(1)} % of calls ` +
  `(the budget pays for ${100 * ratio} %); ${count(wins)} came first`

/** The picture of a moment: less than 80 columns, less than 24 lines. */
export const picture = ({ all, hedging, now, rate, seconds, servers, slowest }: Picture): ReadonlyArray<string> => [
  `${rate} calls a second go to ${servers.length} servers in two ways at once:`.padEnd(70) + `${seconds} s`.padStart(8),
  "to one server after the other (in turn), and with Replicas and hedges.",
  "",
  "  server  is           calls, in the last second          mean ms  in flight",
  ...servers.map((row) => serverRow(row, rate)),
  "",
  `${" ".repeat(margin + 4)}now: ${now.name.slice(0, 22)}`.padEnd(margin + 4 + 28 + 3) + "since the start",
  titled("in turn", "").replace(titles["in turn"], "milliseconds").padEnd(margin + 4) + `${heading}   ${heading}`,
  ...ways.map((way) => titled(way, `${cells(now.results[way])}   ${cells(all[way])}`)),
  "",
  "  the slowest call of each second:  . 25 ms  - 100 ms  + 400 ms  # more  X failed",
  ...ways.map((way) => titled(way, slowest[way].slice(-55).map(markOf).join("")).trimEnd()),
  "",
  `  ${hedges(hedging, all.hedged.requests)}`,
  "",
  `  ${servers.map(({ id }) => id).join(" ")}  makes that server slow, then stopped, killed, and well again`,
  "  q      ends"
]

/** The results: a row for each phase, and one for all. */
export const table = (phases: ReadonlyArray<PhaseResults>, all: Results): string => {
  const rows = [...phases, { name: "all", results: all }]
  const width = Math.max(...rows.map(({ name }) => name.length))
  return [
    `${"".padEnd(width)}   ${titles["in turn"].padEnd(heading.length)}   ${titles.hedged}`,
    `${"milliseconds".padEnd(width)}   ${heading}   ${heading}`,
    ...rows.map(({ name, results }) => `${name.padEnd(width)}   ${ways.map((way) => cells(results[way])).join("   ")}`)
  ].map((line) => line.trimEnd()).join("\n")
}
