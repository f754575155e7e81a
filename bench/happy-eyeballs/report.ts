import { median } from "../support/measure.js"
import { machine } from "../support/report.js"
import type { Table } from "../support/table.js"
import { type Case, expected } from "./cases.js"
import type { Contender } from "./contenders.js"
import type { Measurement, Outcome } from "./measure.js"
import { limit } from "./protocol.js"

export interface Report {
  readonly rounds: number
  readonly cases: ReadonlyArray<Case>
  readonly contenders: ReadonlyArray<Contender>
  readonly absent: ReadonlyArray<string>
  readonly measurements: ReadonlyArray<Measurement>
}

const outcomesOf = ({ measurements }: Report, self: Case, contender: Contender) =>
  measurements.filter((one) => one.case === self && one.contender === contender).map(({ outcome }) => outcome)

const timesOf = (outcomes: ReadonlyArray<Outcome>) => outcomes.filter((outcome) => typeof outcome === "number")

const failure = (outcome: Outcome) =>
  typeof outcome === "number" ? [] : outcome.code === undefined ? ["never"] : [`never (${outcome.code})`]

/** The most frequent result, then how many rounds ended in another way. */
const cell = (outcomes: ReadonlyArray<Outcome>) => {
  const times = timesOf(outcomes)
  const counts = new Map<string, number>()
  const count = (kind: string, by: number) => by > 0 && counts.set(kind, (counts.get(kind) ?? 0) + by)
  count(median(times).toFixed(0), times.length)
  outcomes.flatMap(failure).forEach((kind) => count(kind, 1))
  const [most, ...others] = [...counts].sort(([, a], [, b]) => b - a)
  return [most?.[0] ?? "", ...others.map(([kind, times]) => `${times} of ${outcomes.length}: ${kind}`)].join("; ")
}

const rowsOf = (report: Report) => [
  ["ms until connected", ...report.contenders.map(({ name }) => name)],
  ...report.cases.map((self) => [
    self.name,
    ...report.contenders.map((contender) => cell(outcomesOf(report, self, contender)))
  ])
]

const notes = ({ absent, contenders }: Report) => [
  ...contenders.map(({ description, name }) => `${name}: ${description}`),
  ...absent.map((command) => `${command} is not installed, so it is not in the table`)
]

const heading = ({ rounds }: Report) =>
  `${machine()}; ${rounds === 1 ? "1 round" : `the median of ${rounds} rounds`}; never: not within ${limit / 1000} s`

export const tableOf = (report: Report): Table => ({
  heading: heading(report),
  rows: rowsOf(report),
  notes: notes(report)
})

/** More than twice the expected time, and more than 100 ms late. Other work on the machine can explain less. */
const isTooLate = (late: number, due: number) => late > due + Math.max(due, 100)

/** The cases in which ours did not connect where it must, or connected too late. */
export const shortcomings = (report: Report) =>
  report.contenders.filter(({ isOurs }) => isOurs).flatMap((contender) =>
    report.cases.flatMap((self) => {
      const due = expected(self)
      const outcomes = outcomesOf(report, self, contender)
      const [failed] = outcomes.flatMap(failure)
      const late = median(timesOf(outcomes))
      return due === undefined
        ? []
        : failed !== undefined
        ? [`${contender.name}, ${self.name}: ${failed}`]
        : isTooLate(late, due)
        ? [`${contender.name}, ${self.name}: after ${late.toFixed(0)} ms, expected after ${due} ms`]
        : []
    })
  )
