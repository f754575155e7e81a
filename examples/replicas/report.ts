import { bearableLateness } from "../support/measured.js"
import type { Machine } from "./load.js"

/** Milliseconds. A machine that sleeps this long may well sleep until a call has timed out. */
const bearableStall = 250

/** A line that says so if a hedged call may have failed for the machine's sake. */
export const tooBusy = ({ lateness, stall }: Machine): ReadonlyArray<string> =>
  lateness > bearableLateness || stall > bearableStall
    ? [
      `too busy to judge: this machine delayed one answer in ten by ${lateness.toFixed(1)} ms or more\n` +
      `(the limit is ${bearableLateness} ms), and one by ${stall.toFixed(0)} ms (the limit is ${bearableStall} ms)`
    ]
    : []

/** What should not be, one line each. */
export const faults = (
  machine: Machine,
  /** Hedged calls that have failed although no more than one server was ill. */
  failed: number,
  /** Calls that still run in the servers although nobody waits for them. */
  left: number
): ReadonlyArray<string> => [
  ...failed > 0 && tooBusy(machine).length === 0
    ? [`${failed} hedged calls failed, although no more than one server was ill`]
    : [],
  ...left > 0 ? [`calls that nobody waits for still run in the servers: ${left}`] : []
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
