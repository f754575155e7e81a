import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { execFile } from "node:child_process"
import * as fs from "node:fs"
import { promisify } from "node:util"
import * as Timeline from "../../src/Timeline.js"
import { presets } from "../src/presets.js"
import { programOf } from "../src/program.js"
import { runAtOnce } from "../src/run.js"
import type { Scenario } from "../src/scenario.js"
import { policyOf } from "../src/words.js"
import { scenarios } from "./scenarios.js"

const directory = ".programs"
const limit = 60_000

const ends = (scenario: Scenario) => runAtOnce(scenario).state === "over"

/** Some of any kind, and always the same: what they print is looked at together. */
const others = FastCheck.sample(scenarios.filter(ends), { seed: 42, numRuns: 12 })
const all = [...presets.map(({ scenario }) => scenario), ...others]

const node = async (...args: ReadonlyArray<string>): Promise<string> => {
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: limit, killSignal: "SIGKILL" })
    .catch((error) => Promise.reject(new Error(`${error.message}\n${error.stdout}`)))
  return stdout
}

const separator = "-".repeat(10)

/** A program that imports others one after the other, and puts a line before what each prints. */
const inTurn = (files: ReadonlyArray<string>) =>
  files.map((file) => `console.log("${separator}")\nawait import("./${file}.ts")\n`).join("") + "export {}\n"

const run = async (file: string) =>
  (await node("--import", "tsx", `${directory}/${file}.ts`)).split(`${separator}\n`).slice(1).map((text) =>
    text.trimEnd()
  )

const underTestClock = (program: string) =>
  program.replace(
    "await Effect.runPromise(program)",
    `import { Fiber, TestClock, TestContext } from "effect"
await Effect.runPromise(Effect.gen(function*() {
  const fiber = yield* Effect.fork(program)
  yield* TestClock.adjust("1 hour")
  yield* Fiber.join(fiber)
}).pipe(Effect.provide(TestContext.TestContext)))`
  )

/** What the page shows of a hedging policy, in a program that compiles if it does. */
const aroundPolicy = `import { Effect } from "effect"
import { Hedge } from "effect-staggered-race"

const request = Effect.succeed("answer")

export const program = Effect.gen(function*() {
${policyOf(5)}
  return answer
})
`

const pictureOf = (scenario: Scenario) =>
  Timeline.render(runAtOnce(scenario).outcome!, { labels: scenario.candidates.map(({ name }) => name) })

/** What a picture shows, but for times: who won of how many, and of each row the mark of its start and what became of it. */
const whatever = (picture: string, { candidates }: Scenario) => {
  const [headline = "", ...lines] = picture.split("\n")
  const rows = lines.flatMap((line) => {
    const name = candidates.map(({ name }) => name).find((name) => line.startsWith(`${name} `))
    return name === undefined
      ? []
      : [[name, /[┣+!]/.exec(line.slice(name.length))?.[0], / {2,}([a-z][^ ,]*)[^┊]*$/.exec(line)?.[1]]]
  })
  return [headline.replace(/ after \d+ ms|, all ended.*/g, ""), ...rows]
}

describe("the program of a scenario", () => {
  beforeAll(async () => {
    fs.rmSync(directory, { recursive: true, force: true })
    fs.mkdirSync(directory)
    const write = (file: string, text: string) => fs.writeFileSync(`${directory}/${file}.ts`, text)
    all.forEach((scenario, i) => write(`program-${i}`, programOf(scenario)))
    all.forEach((scenario, i) => write(`virtual-${i}`, underTestClock(programOf(scenario))))
    write("policy", aroundPolicy)
    write("programs", inTurn(presets.map((_, i) => `program-${i}`)))
    write("virtual", inTurn(all.map((_, i) => `virtual-${i}`)))
    const compilerOptions = { skipLibCheck: true, allowImportingTsExtensions: true }
    fs.writeFileSync(
      `${directory}/tsconfig.json`,
      JSON.stringify({ extends: "../tsconfig.json", compilerOptions, include: ["*.ts"] })
    )
    await node("node_modules/typescript/bin/tsc", "--pretty", "false", "-p", directory)
  }, 2 * limit)
  afterAll(() => fs.rmSync(directory, { recursive: true, force: true }))

  it("is one to read", () => {
    expect(programOf(presets.find(({ id }) => id === "mirrors")!.scenario)).toBe(
      `import { Console, Effect } from "effect"
import { StaggeredRace, Timeline } from "effect-staggered-race"

const candidates = [
  Effect.fail("unavailable").pipe(
    Effect.delay("340 millis"),
    Effect.onInterrupt(() => Effect.sleep("30 millis"))
  ),
  Effect.never.pipe(
    Effect.onInterrupt(() => Effect.sleep("80 millis"))
  ),
  Effect.fail("unavailable").pipe(
    Effect.delay("20 millis"),
    Effect.onInterrupt(() => Effect.sleep("30 millis"))
  ),
  Effect.succeed("answer of nyc").pipe(
    Effect.delay("230 millis"),
    Effect.onInterrupt(() => Effect.sleep("50 millis"))
  ),
  Effect.succeed("answer of sgp").pipe(
    Effect.delay("500 millis"),
    Effect.onInterrupt(() => Effect.sleep("50 millis"))
  )
]

const labels = [
  "ams",
  "fra",
  "lon",
  "nyc",
  "sgp"
]

const program = Effect.gen(function*() {
  const outcome = yield* StaggeredRace.outcome(candidates, {
    delay: "120 millis",
    minDelay: "60 millis",
    concurrency: 2
  })
  yield* Console.log(Timeline.render(outcome, { labels }))
})

await Effect.runPromise(program)
`
    )
  })

  it("compiles, and under TestClock draws the race of the page to the millisecond", async () => {
    expect(await run("virtual")).toStrictEqual(all.map(pictureOf))
  })

  it("as it stands, by the clock of the process, ends as the race of the page does", async () => {
    const printed = await run("programs")
    expect(presets.map(({ scenario }, i) => whatever(printed[i] ?? "", scenario))).toStrictEqual(
      presets.map(({ scenario }) => whatever(pictureOf(scenario), scenario))
    )
    const mirrors = presets.findIndex(({ id }) => id === "mirrors")
    expect(whatever(printed[mirrors] ?? "", presets[mirrors]!.scenario)).toStrictEqual([
      "winner nyc, 4 attempts",
      ["ams", "┣", "failed:"],
      ["fra", "+", "lost"],
      ["lon", "+", "failed:"],
      ["nyc", "!", "won"],
      ["sgp", undefined, "not"]
    ])
  })
})
