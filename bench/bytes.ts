import * as Effect from "effect/Effect"
import { spawnSync } from "node:child_process"
import { fileURLToPath } from "node:url"
import { readCommand } from "../scripts/command.js"
import { forkAndAwait, hedgesOf, racesOf } from "../test/support/races.js"
import { copyBuild, type Library, loadLibrary } from "./support/library.js"
import { quantile } from "./support/measure.js"

const usage = `npm run bench:bytes -- [options]: the bytes that each race allocates, also as a multiple of one fork and
await of a fiber

  --against DIR  beside the build of another checkout of this package
  --json         the bytes of each race, as JSON
  --help, -h     this text`

// The young generation is so large that V8 collects nothing between two readings of the heap, so their difference is
// what the races allocated. With one thread, V8 compiles at the same point each time, so runs differ by less than 1 %.
const flags = [
  "--expose-gc",
  "--min-semi-space-size=512",
  "--max-semi-space-size=512",
  "--no-memory-reducer",
  "--no-incremental-marking",
  "--single-threaded"
]

type Race = Effect.Effect<unknown, unknown>

const unit = "fork and await"
const rounds = { warmUp: 24, measured: 11 }
const bytesPerSample = 6_000_000

// A minor collection, because a full one would throw away compiled code.
const collect = Effect.zipRight(
  Effect.sleep(3),
  Effect.sync(() => {
    const gc = globalThis.gc as ((options: { readonly type: "minor" }) => void) | undefined
    gc?.({ type: "minor" })
  })
)

const heapUsed = Effect.sync(() => process.memoryUsage().heapUsed)

const bytesOfRun = (race: Race, runs: number) =>
  Effect.gen(function*() {
    let run = 0
    yield* collect
    const before = yield* heapUsed
    yield* Effect.whileLoop({ while: () => run++ < runs, body: () => race, step: () => {} })
    return ((yield* heapUsed) - before) / runs
  })

class Subject {
  readonly samples: Array<number> = []
  runs = 1
  constructor(
    readonly name: string,
    private readonly race: Race
  ) {}

  readonly sample = Effect.suspend(() =>
    Effect.map(bytesOfRun(this.race, this.runs), (bytes) => {
      this.samples.push(bytes)
    })
  )

  /** Sets the runs per sample. A race that waits for its timer takes a millisecond, so 20 runs are enough. */
  adapt() {
    const most = this.name.startsWith("the delay") ? 20 : 1000
    const bytes = this.samples.pop() ?? NaN
    this.runs = Math.max(1, Math.min(most, Math.round(bytesPerSample / bytes)))
  }

  /** The lower quartile: late compilation makes a sample too high, an early collection makes it far too low. */
  get bytes() {
    return Math.round(quantile(this.samples, 0.25))
  }
}

/** Samples all races in turn, because V8 sees more than one kind of race in a program, too. */
const measure = ({ Hedge, StaggeredRace }: Library) =>
  Effect.gen(function*() {
    const races: Record<string, Race> = { [unit]: forkAndAwait, ...racesOf(StaggeredRace), ...hedgesOf(Hedge) }
    const subjects = Object.entries(races).map(([name, race]) => new Subject(name, race))
    for (let round = 0; round < rounds.warmUp; round++) {
      for (const subject of subjects) {
        yield* subject.sample
        subject.adapt()
      }
    }
    for (let round = 0; round < rounds.measured; round++) {
      yield* Effect.forEach(subjects, ({ sample }) => sample)
    }
    return Object.fromEntries(subjects.map(({ bytes, name }) => [name, bytes]))
  })

/** Measures a build in a new process. */
const measured = (build: URL): Record<string, number> => {
  const { status, stdout } = spawnSync(
    process.execPath,
    [...flags, fileURLToPath(import.meta.url), "--build", build.href],
    { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] }
  )
  if (status !== 0) {
    throw new Error(`the process that counts bytes ended with status ${status}`)
  }
  return JSON.parse(stdout)
}

// `--build` is internal: it tells the measuring process which build to load.
const { options } = readCommand(usage, {
  against: { type: "string" },
  build: { type: "string" },
  json: { type: "boolean" }
})

if (options.build !== undefined) {
  const library = await loadLibrary(new URL(options.build))
  console.log(JSON.stringify(await Effect.runPromise(measure(library))))
} else {
  const ours = measured(new URL("../src/", import.meta.url))
  const theirs = options.against === undefined ? undefined : measured(copyBuild(options.against))
  if (options.json === true) {
    console.log(JSON.stringify(ours))
  } else {
    const cells = (bytes: Record<string, number>, name: string) => [
      String(bytes[name]),
      (bytes[name]! / bytes[unit]!).toFixed(3)
    ]
    const titles = ["bytes", "x fork", ...(theirs ? ["theirs", "x fork", "ratio"] : [])]
    const rows = Object.keys(ours).map((name) => [
      ...cells(ours, name),
      ...(theirs ? [...cells(theirs, name), (ours[name]! / theirs[name]!).toFixed(3)] : []),
      name
    ])
    for (const row of [[...titles, "race"], ...rows]) {
      console.log(row.map((cell, index) => index < titles.length ? cell.padStart(9) : `  ${cell}`).join(""))
    }
  }
}
