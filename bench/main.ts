import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { besideAsyncio, type Case, casesOf } from "./cases.js"
import { memory } from "./memory.js"
import { asyncio } from "./rivals/asyncio.js"
import { copyBuild, loadLibrary } from "./support/library.js"
import { median, type Plan, quantile, sample, warmUp } from "./support/measure.js"
import { cells, figureLine, isMissed, line, machine, type Report, type Row, save, titles } from "./support/report.js"
import { timers } from "./timers.js"

// `npm run bench`, and what may follow after `--`:
//   --quick        within a minute: shorter samples, no case that takes seconds
//   --only WORDS   the cases whose name has these words, and nothing else
//   --against DIR  beside the build of another checkout of this package, and nothing else
//   --save         writes the tables into README.md beside this
// Times are only reported. The status is 1 if memory takes more than twice its goal, which no other program changes.

const { values: options } = parseArgs({
  options: {
    quick: { type: "boolean" },
    only: { type: "string" },
    against: { type: "string" },
    save: { type: "boolean" }
  }
})
const { against, only, quick = false } = options

const plan: Plan = against !== undefined
  // Two builds differ by little: more rounds tell by how much.
  ? { rounds: quick ? 15 : 40, sampleMicros: 50_000 }
  : { rounds: quick ? 9 : 15, sampleMicros: quick ? 35_000 : 100_000 }

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
    // A case that runs alone gets code that V8 has compiled for it alone. No program is like that.
    yield* Effect.forEach(chosen.filter(({ long }) => long !== true), (self) =>
      Effect.forEach(subjects(self), (subject) => warmUp(subject, 30_000)))
    console.log(line(titles))
    return yield* Effect.forEach(chosen, (self) =>
      Effect.tap(measure(self), (row) => console.log(line(cells(row)))))
  })

/** Each race once, beside the same race of another build. */
const besideBuild = (ours: ReadonlyArray<Case>, theirs: ReadonlyArray<Case>): ReadonlyArray<Case> =>
  [...new Map(ours.map((self, index) => [self.name, [self, theirs[index]!] as const])).values()].map(
    ([{ long = false, name, ours, rounds }, other]) => ({
      name,
      long,
      ours,
      against: `the build in ${against}`,
      theirs: other.ours,
      goal: 1.05,
      ...(rounds === undefined ? {} : { rounds })
    })
  )

const library = await loadLibrary(new URL("../src/", import.meta.url))

// Python's process gets a scope of its own, because the races must run without one.
const scope = Effect.runSync(Scope.make())

const cases = async (): Promise<ReadonlyArray<Case>> => {
  if (against !== undefined) {
    return besideBuild(casesOf(library), casesOf(await loadLibrary(copyBuild(against))))
  }
  const python = await Effect.runPromise(Scope.extend(asyncio, scope))
  if (python === undefined) {
    console.log("no python3 with asyncio.staggered: its cases are left out")
  }
  return [...casesOf(library), ...(python ? besideAsyncio(library, python) : [])]
}

const rows = await Effect.runPromise(bench(await cases()))
await Effect.runPromise(Scope.close(scope, Exit.void))

const all = only === undefined && against === undefined
const kept = all ? await Effect.runPromise(memory(quick)) : []
const late = all ? await Effect.runPromise(timers(library, quick)) : []
console.log()
const figures = [...kept, ...late]
figures.forEach((row) => console.log(figureLine(row)))

const command = ["npm run bench", ...(quick ? ["-- --quick"] : [])].join(" ")
const report: Report = { machine: machine(), command, rows, figures }
writeFileSync(new URL("../results.json", import.meta.url), JSON.stringify(report, undefined, 2))
console.log(`\n${report.machine}; the same as JSON in .bench/results.json`)
if (options.save === true && all) {
  save(new URL("../../bench/README.md", import.meta.url), report)
}

const missed = [
  ...rows.filter(isMissed).map((row) => line(cells(row))),
  ...figures.filter(({ goal, value }) => value > goal).map(figureLine)
]
if (missed.length > 0) {
  console.log(`\nabove the goal:\n${missed.join("\n")}`)
}
if (kept.some(({ goal, value }) => value > 2 * goal)) {
  process.exitCode = 1
}
