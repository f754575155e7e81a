import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { readCommand } from "../scripts/command.js"
import { memory } from "./memory.js"
import { picking } from "./picking.js"
import { copyBuild, loadLibrary } from "./support/library.js"
import {
  cells,
  figureLine,
  isMissed,
  line,
  machine,
  type Report,
  rowOf,
  type Samples,
  save,
  saveRatios,
  titles
} from "./support/report.js"
import { timers } from "./timers.js"

const usage = `npm run bench -- [options]: what a race costs, compared with other ways to do the same

  --quick        two minutes: shorter samples, and no case that takes seconds
  --only WORDS   only the cases whose name has these words
  --against DIR  only beside the build of another checkout of this package
  --save         writes the tables into bench/README.md, and a few rows into guides/benchmarks.md
  --help, -h     this text

The command only reports times. It ends with status 1 if races hold more than twice the memory of the goal.`

const { options } = readCommand(usage, {
  quick: { type: "boolean" },
  only: { type: "string" },
  against: { type: "string" },
  save: { type: "boolean" }
})
const { against, only, quick = false } = options
const isWhole = only === undefined && against === undefined

// V8 compiles the shared code differently in each process, by chance. That changes times by 10 %.
const processes = quick ? 2 : against === undefined ? 3 : 5

const measure = async (turn: number, build: URL | undefined): Promise<ReadonlyArray<Samples>> => {
  const flags = [
    ...["--turn", String(turn)],
    ...(quick ? ["--quick"] : []),
    ...(only === undefined ? [] : ["--only", only]),
    ...(build === undefined ? [] : ["--against", build.href])
  ]
  const script = fileURLToPath(new URL("process.js", import.meta.url))
  const child = spawn(process.execPath, [script, ...flags], { stdio: ["ignore", "pipe", "inherit"] })
  const [output, [status]] = await Promise.all([text(child.stdout), once(child, "close")])
  if (status !== 0) {
    throw new Error(`process ${turn + 1} ended with status ${status}`)
  }
  return JSON.parse(output)
}

const build = against === undefined ? undefined : copyBuild(against)
const samples: Array<Samples> = []
for (let turn = 0; turn < processes; turn++) {
  console.log(`process ${turn + 1} of ${processes}`)
  samples.push(...await measure(turn, build))
}
// The first process runs all cases, so it has all names.
const names = new Set(samples.map((self) => `${self.case} : ${self.against}`))
const rows = Array.from(names, (name) => rowOf(samples.filter((self) => `${self.case} : ${self.against}` === name)))
console.log(`\n${[titles, ...rows.map(cells)].map(line).join("\n")}`)

const library = await loadLibrary(new URL("../src/", import.meta.url))
const held = isWhole ? await Effect.runPromise(memory(quick)) : []
const late = isWhole ? await Effect.runPromise(timers(library, quick)) : []
const picks = isWhole ? await Effect.runPromise(picking(quick)) : []
const figures = [...held, ...late, ...picks]
if (isWhole) {
  console.log(`\n${figures.map(figureLine).join("\n")}`)
}

const command = ["npm run bench", ...(quick ? ["-- --quick"] : [])].join(" ")
const report: Report = { machine: machine(), command, rows, figures }
writeFileSync(new URL("../results.json", import.meta.url), JSON.stringify(report, undefined, 2))
console.log(`\n${report.machine}; the same as JSON in .bench/results.json`)
if (options.save === true && isWhole) {
  save(new URL("../../bench/README.md", import.meta.url), report)
  saveRatios(new URL("../../guides/benchmarks.md", import.meta.url), report, [
    "first of 3 answers at once, delay 250 ms : raceAll with Effect.delay",
    "first of 10 answers at once, delay 250 ms : raceAll with Effect.delay",
    "first answers at once : Effect.fork and Fiber.await",
    "all of 100 at once, delay 0, the last wins : raceAll",
    "1000 fail in turn, the last wins : raceAll of the same",
    "hedged, a percentile and a budget, answers at once : Effect.timeout",
    "first of 3 answers at once, delay 250 ms : the same rules over promises",
    "first of 3 answers at once, delay 250 ms : asyncio of Python"
  ])
}

const missed = [
  ...rows.filter(isMissed).map((row) => line(cells(row))),
  ...figures.filter(({ goal, value }) => value > goal).map(figureLine)
]
if (missed.length > 0) {
  console.log(`\nabove the goal:\n${missed.join("\n")}`)
}
if (held.some(({ goal, value }) => value > 2 * goal)) {
  process.exitCode = 1
}
