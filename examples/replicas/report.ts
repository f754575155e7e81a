import { bearableLateness, type Figures, type Hedging } from "../support/measured.js"
import { failed, type Machine, type Results, type Way, ways } from "./load.js"
import { ratio } from "./recipe.js"

export const count = (value: number) => value.toLocaleString("en")

export const millis = (value: number) =>
  Number.isNaN(value) ? "-" : value < 100 ? value.toFixed(1) : count(Math.round(value))

export const titles: Readonly<Record<Way, string>> = { "in turn": "in turn", "hedged": "Replicas, hedged" }

/** Names the cells. */
export const heading = " calls p50 ms p99 ms failed"

/** What has become of the calls of one way. */
export const cells = (figures: Figures) =>
  [
    count(figures.requests).padStart(6),
    millis(figures.quantile(0.5)).padStart(7),
    millis(figures.quantile(0.99)).padStart(7),
    count(failed(figures)).padStart(7)
  ].join("")

/** What has become of the calls of a phase. */
export interface PhaseResults {
  readonly name: string
  readonly results: Results
}

/** How many hedges were sent, and what they have cost and brought. */
export const hedges = ({ hedges, wins }: Hedging, calls: number): string =>
  `hedges: ${count(hedges)}, for ${(100 * hedges / Math.max(calls, 1)).toFixed(1)} % of calls ` +
  `(the budget pays for ${100 * ratio} %); ${count(wins)} came first`

/** The results: a row for each phase, and one for all. */
export const table = (phases: ReadonlyArray<PhaseResults>, all: Results): string => {
  const rows = [...phases.filter(({ results }) => results.hedged.requests > 0), { name: "all", results: all }]
  const width = Math.max(...rows.map(({ name }) => name.length))
  return [
    `${"".padEnd(width)}   ${ways.map((way) => titles[way].padEnd(heading.length)).join("   ")}`,
    `${"".padEnd(width)}   ${heading}   ${heading}`,
    ...rows.map(({ name, results }) => `${name.padEnd(width)}   ${ways.map((way) => cells(results[way])).join("   ")}`)
  ].map((line) => line.trimEnd()).join("\n")
}

/** Milliseconds. A machine that sleeps this long may well sleep until a call has timed out. */
const bearableStall = 250

/** Says so if a call may have been late, or have failed, because of the machine. */
export const tooBusy = ({ lateness, stall }: Machine): ReadonlyArray<string> =>
  lateness > bearableLateness || stall > bearableStall
    ? [
      `too busy to judge: this machine delayed one answer in ten by ${lateness.toFixed(1)} ms or more\n` +
      `(the limit is ${bearableLateness} ms), and one by ${stall.toFixed(0)} ms (the limit is ${bearableStall} ms)`
    ]
    : []
