import { describe, it } from "@effect/vitest"
import { assertTrue } from "@effect/vitest/utils"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { beforeAll } from "vitest"
import type { HedgeName, Name } from "../support/races.js"

// The bytes that a race allocates, divided by those that fork and await of one fiber allocate. Two runs differ by less
// than 1 %. `npm run bench:bytes` prints the figures: the first of each pair. The second is the ceiling: what the core
// before this one allocated, printed by `npm run bench:bytes -- --against DIR` with a built checkout of 1d8df54 in DIR.
const ratios: Record<Name, readonly [now: number, before: number]> = {
  "the first of 3 succeeds without suspending": [0.99, 1.42],
  "the first of 3 answers at once": [1.34, 1.80],
  "the only one does": [1.28, 1.72],
  "the first of 1,000 does": [1.34, 1.80],
  "an outcome": [1.42, 1.86],
  "an event handler": [2.72, 3.73],
  "a schedule": [2.19, 2.58],
  "a stream": [14.12, 14.25],
  "in a scope": [2.60, 3.11],
  "in a scope, and it acquires": [8.20, 8.31],
  "with a name": [1.87, 2.17],
  "with a tracer": [3.99, 4.53],
  "2 at once": [2.20, 2.54],
  "10 at once": [8.70, 9.06],
  "100 at once": [81.95, 82.58],
  "1,000 at once": [814.9, 818.0],
  "2 in turn, no delay": [2.08, 2.54],
  "10 in turn, no delay": [8.54, 9.09],
  "100 in turn, no delay": [81.30, 82.97],
  "1,000 in turn, no delay": [809.3, 822.1],
  "10 in turn, under a delay": [8.69, 9.32],
  "100 in turn, under a delay": [81.26, 83.06],
  "1,000 in turn, under a delay": [807.2, 820.9],
  "the delay starts the second": [2.37, 3.45],
  "the delay starts the second to the fifth": [5.61, 7.87]
}

/** What a race may allocate whose first candidate answers at once. */
const goal = 1.35

/** What a hedged call that answers at once may allocate, times a race of one. */
const goalOfHedges = 1.5

const tolerance = 1.02

const forked = "fork and await"

/** V8 gets flags that change how it collects and compiles, so the races run in a process of their own. */
const node = async (...args: ReadonlyArray<string>) => (await promisify(execFile)(process.execPath, args)).stdout

const measure = async (): Promise<Record<string, number>> => JSON.parse(await node(".bench/bench/bytes.js", "--json"))

// Another V8 compiles in another way.
describe.skipIf(!process.version.startsWith("v20."))("what a race allocates", () => {
  // On a busy machine V8 compiles some code later, which adds up to 2 %. So the smaller of two counts.
  const measured: Array<Record<string, number>> = []
  const ratio = (name: Name | HedgeName) =>
    Math.min(...measured.map((bytes) => (bytes[name] ?? NaN) / (bytes[forked] ?? NaN)))

  beforeAll(async () => {
    await node("node_modules/typescript/bin/tsc", "-p", "bench", "--noCheck")
    measured.push(await measure(), await measure())
  }, 300_000)

  it.each(Object.entries(ratios) as Array<[Name, typeof ratios[Name]]>)("%s", (name, [now, before]) => {
    const most = Math.min(now, before) * tolerance
    const actual = ratio(name)
    assertTrue(actual <= most, `${actual.toFixed(3)} times fork and await, at most ${most.toFixed(3)}`)
  })

  it.each<HedgeName>(["a hedged call", "a hedged call that learns and pays"])(
    "%s: half as much again as a race",
    (name) => {
      const actual = ratio(name) / ratio("the only one does")
      assertTrue(actual <= goalOfHedges, `${actual.toFixed(3)} times a race of one, the goal is ${goalOfHedges}`)
    }
  )

  it("the first of 3 answers at once: a third more than its fiber", () => {
    const actual = ratio("the first of 3 answers at once")
    assertTrue(actual <= goal, `${actual.toFixed(3)} times fork and await, the goal is ${goal}`)
  })
})
