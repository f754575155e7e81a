import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { besideAsyncio, type Case, cases } from "./cases.js"
import { memory } from "./memory.js"
import { asyncio } from "./rivals/asyncio.js"
import { median, quantile, sample, warmUp } from "./support/measure.js"
import { cells, isGrossLoss, line, machine, memoryLine, type Report, type Row, save, titles } from "./support/report.js"

// `npm run bench`, and what may follow after `--`:
//   --quick        within a minute: shorter samples, no case that takes seconds
//   --only WORDS   the cases whose name has these words, and no memory
//   --save         writes the tables into README.md beside this
// Ends with status 1 if three rounds in four took more than twice the goal, or a race holds twice the memory it may.

const { values: options } = parseArgs({
  options: { quick: { type: "boolean" }, only: { type: "string" }, save: { type: "boolean" } }
})
const { only, quick = false } = options
const plan = { rounds: 9, sampleMicros: quick ? 35_000 : 150_000 }

const subjects = ({ floor, ours, theirs }: Case) => floor === undefined ? [ours, theirs] : [ours, theirs, floor]

const measure = (self: Case): Effect.Effect<Row> =>
  Effect.map(
    sample(subjects(self), self.rounds === undefined ? plan : { rounds: self.rounds, sampleMicros: 0 }),
    (samples) => {
      const [ours = [], theirs = [], floor] = samples.map((list, index) =>
        list.map((micros) => micros / (self.parts?.[index] ?? 1))
      )
      const ratios = ours.map((micros, round) => micros / theirs[round]!)
      return {
        case: self.name,
        against: self.against,
        ratio: median(ratios),
        spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
        goal: self.goal,
        floor: floor && median(floor.map((micros, round) => micros / theirs[round]!)),
        ours: median(ours),
        theirs: median(theirs),
        rounds: ratios.length
      }
    }
  )

const bench = (all: ReadonlyArray<Case>) =>
  Effect.gen(function*() {
    const chosen = all.filter((self) =>
      (!quick || self.long !== true) && (only === undefined || self.name.includes(only))
    )
    // Run all cases first: an engine that has only seen one case is fitted to it, and no program is like that.
    yield* Effect.forEach(chosen.filter(({ long }) => long !== true), (self) =>
      Effect.forEach(subjects(self), (subject) => warmUp(subject, 30_000)))
    console.log(line(titles))
    const rows = yield* Effect.forEach(chosen, (self) =>
      Effect.tap(measure(self), (row) =>
        console.log(line(cells(row)))))
    return { rows, memory: only === undefined ? yield* memory(quick) : [] }
  })

// Python's process gets a scope of its own, because the races must run without one.
const scope = Effect.runSync(Scope.make())
const python = await Effect.runPromise(Scope.extend(asyncio, scope))
if (python === undefined) {
  console.log("no python3 with asyncio.staggered: its cases are left out")
}
const { memory: heap, rows } = await Effect.runPromise(bench([...cases, ...(python ? besideAsyncio(python) : [])]))
await Effect.runPromise(Scope.close(scope, Exit.void))

console.log()
heap.forEach((row) => console.log(memoryLine(row)))
const command = ["npm run bench", ...(quick ? ["-- --quick"] : [])].join(" ")
const report: Report = { machine: machine(), command, rows, memory: heap }
writeFileSync(new URL("../results.json", import.meta.url), JSON.stringify(report, undefined, 2))
console.log(`\n${report.machine}; the same as JSON in .bench/results.json`)
if (options.save === true) {
  save(new URL("../../bench/README.md", import.meta.url), report)
}
const lost = [
  ...rows.filter(isGrossLoss).map((row) => line(cells(row))),
  ...heap.filter(({ goal, value }) => value > 2 * goal).map(memoryLine)
]
if (lost.length > 0) {
  console.log(`\nmore than twice the goal:\n${lost.join("\n")}`)
  process.exitCode = 1
}
