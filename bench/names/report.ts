import { loadavg } from "node:os"
import { median } from "../support/measure.js"
import { machine } from "../support/report.js"
import type { Table } from "../support/table.js"
import type { Case, Goal } from "./cases.js"
import type { Column } from "./columns.js"
import type { Outcome } from "./job.js"

export interface Result {
  readonly case: Case
  /** For each column, the outcome of each host. */
  readonly outcomes: ReadonlyArray<ReadonlyArray<Outcome>>
}

type Statistic = (values: ReadonlyArray<number>) => number

interface Row {
  readonly name: string
  readonly goal: Goal
  readonly cells: ReadonlyArray<{ readonly text: string; readonly missed: string | undefined }>
}

const worst: Statistic = (values) => values.length === 0 ? NaN : Math.max(...values)

const figure = (value: number) => value.toFixed(value < 10 ? 2 : value < 100 ? 1 : 0)

/** Describes the most frequent kind of outcome, then the others. */
const textOf = (outcomes: ReadonlyArray<Outcome>, statistic: Statistic) => {
  const kinds = new Map<string | undefined, Array<number>>()
  for (const { failed, took } of outcomes) {
    kinds.set(failed, [...kinds.get(failed) ?? [], took])
  }
  const word = (failed: string | undefined, times: ReadonlyArray<number>) => {
    const known = times.filter((time) => !Number.isNaN(time))
    return [
      ...failed === undefined ? [] : [failed],
      ...known.length === 0 ? [] : [figure(statistic(known))]
    ].join(" after ")
  }
  const [most, ...others] = [...kinds].sort(([, a], [, b]) => b.length - a.length)
  return [
    ...most === undefined ? ["nothing"] : [word(...most)],
    ...others.map(([failed, times]) => `${times.length} of ${outcomes.length}: ${word(failed, times)}`)
  ].join("; ")
}

const least = (goal: Goal) => "failsBetween" in goal ? goal.failsBetween[0] : 0

const most = (goal: Goal, ofNode: number) =>
  "within" in goal ? goal.within : "ofNode" in goal ? ofNode + goal.ofNode : goal.failsBetween[1]

/** How a goal was missed. `undefined` if it was met. */
const missedBy = (
  goal: Goal,
  ours: ReadonlyArray<Outcome>,
  node: ReadonlyArray<Outcome>,
  statistic: Statistic
): string | undefined => {
  const wrong = ours.filter(({ failed }) => (failed !== undefined) !== ("failsBetween" in goal))
  if (wrong.length > 0) {
    return `${wrong.length} of ${ours.length} ${"failsBetween" in goal ? "did not fail" : "failed"}`
  }
  const took = statistic(ours.map(({ took }) => took))
  const limit = most(goal, statistic(node.map(({ took }) => took)))
  return took > limit
    ? `above ${figure(limit)}`
    : took >= least(goal)
    ? undefined
    : `below ${figure(least(goal))}`
}

const rowsOf = (columns: ReadonlyArray<Column>, { case: given, outcomes }: Result): ReadonlyArray<Row> => {
  const row = (name: string, goal: Goal, statistic: Statistic): Row => ({
    name,
    goal,
    cells: columns.map(({ beside }, index) => {
      const own = outcomes[index] ?? []
      const node = outcomes[columns.findIndex(({ name }) => name === beside)] ?? []
      return {
        text: textOf(own, statistic),
        missed: beside === undefined ? undefined : missedBy(goal, own, node, statistic)
      }
    })
  })
  return [
    row(given.name, given.goal, given.hosts === "six at once" ? worst : median),
    ...given.worst === undefined ? [] : [row(`${given.name}: the slowest`, given.worst, worst)]
  ]
}

const goalText = (goal: Goal) =>
  "within" in goal
    ? `${goal.within}`
    : "ofNode" in goal
    ? `Node + ${goal.ofNode}`
    : `fails, ${goal.failsBetween.join(" to ")}`

/** Names the machine, and its load before the first measurement. */
export const heading = () => `${machine()}, load ${loadavg()[0]?.toFixed(1)} before the run`

export const tableOf = (
  heading: string,
  corner: string,
  columns: ReadonlyArray<Column>,
  results: ReadonlyArray<Result>
): Table => ({
  heading,
  rows: [
    [corner, ...columns.map(({ name }) => name), "our goal"],
    ...results.flatMap((result) => rowsOf(columns, result)).map(({ cells, goal, name }) => [
      name,
      ...cells.map(({ missed, text }) => missed === undefined ? text : `${text} (missed)`),
      goalText(goal)
    ])
  ],
  notes: [
    ...columns.map(({ description, name }) => `${name}: ${description}`),
    ...shortcomings(columns, results).map((missed) => `goal missed: ${missed}`)
  ]
})

/** The goals that ours missed. */
export const shortcomings = (columns: ReadonlyArray<Column>, results: ReadonlyArray<Result>) =>
  results.flatMap((result) => rowsOf(columns, result)).flatMap(({ cells, name }) =>
    cells.flatMap(({ missed, text }, index) =>
      missed === undefined ? [] : [`${columns[index]?.name}, ${name}: ${text}, ${missed}`]
    )
  )
