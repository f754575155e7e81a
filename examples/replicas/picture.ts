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
  /** Since something was last done to a server. */
  readonly now: Results
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
const titled = (title: string, ...parts: ReadonlyArray<string>) =>
  ["  " + title.padEnd(margin), ...parts].join("  ").trimEnd()

const barWidth = 24

const bar = (part: number, whole: number) =>
  "#".repeat(Math.min(barWidth, Math.round(barWidth * part / whole))).padEnd(barWidth, ".")

const serverRow = ({ condition, id, inFlight, isOut, latency, picks, rate }: Row, whole: number) =>
  [
    `  ${id.padEnd(6)}`,
    condition.padEnd(8),
    count(picks).padStart(8),
    `${count(rate).padStart(3)} ${bar(rate, whole)}`,
    millis(Option.getOrElse(latency, () => NaN)).padStart(7),
    count(inFlight).padStart(9),
    isOut ? "out" : ""
  ].join("  ").trimEnd()

const heading = " calls    p50    p99 failed"

const cells = (figures: Figures) =>
  [
    count(figures.requests).padStart(6),
    millis(figures.quantile(0.5)).padStart(7),
    millis(figures.quantile(0.99)).padStart(7),
    count(failed(figures)).padStart(7)
  ].join("")

/** Milliseconds. No call is slower while all servers are well. */
const usual = 100

const markOf = (slowest: number) => slowest === 0 ? " " : slowest <= usual ? "." : slowest === Infinity ? "X" : "o"

/** How many hedges were sent, and what they have cost and brought. */
export const hedges = ({ hedges, wins }: Hedging, calls: number): string =>
  `hedges: ${count(hedges)}, for ${(100 * hedges / Math.max(calls, 1)).toFixed(1)} % of calls ` +
  `(the budget pays for ${100 * ratio} %); ${count(wins)} came first`

/** The picture of a moment: less than 80 columns, less than 24 lines. */
export const picture = ({ all, hedging, now, rate, seconds, servers, slowest }: Picture): ReadonlyArray<string> => [
  `${rate} calls a second, and each is made in two ways:`.padEnd(71) + `${seconds} s`.padStart(8),
  titled(titles["in turn"], "to one server after the other"),
  titled(titles.hedged, "to the server that should be quickest; to another one if late"),
  "",
  "  server  state       calls  in the last second            mean ms  in flight",
  ...servers.map((row) => serverRow(row, rate)),
  "",
  titled("", "since the last change".padEnd(heading.length), "since the start"),
  titled("milliseconds", heading, heading),
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

/** The results: a row for each phase, and one for all. */
export const table = (phases: ReadonlyArray<PhaseResults>, all: Results): string => {
  const rows = [...phases, { name: "all", results: all }]
  const width = Math.max(...rows.map(({ name }) => name.length))
  return [
    `${"".padEnd(width)}   ${ways.map((way) => titles[way].padEnd(heading.length)).join("   ")}`,
    `${"milliseconds".padEnd(width)}   ${heading}   ${heading}`,
    ...rows.map(({ name, results }) => `${name.padEnd(width)}   ${ways.map((way) => cells(results[way])).join("   ")}`)
  ].map((line) => line.trimEnd()).join("\n")
}
