import { describe, it } from "@effect/vitest"
import { assertTrue } from "@effect/vitest/utils"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import { beforeAll } from "vitest"
import type { Name } from "../support/races.js"

// What a race allocates, in bytes, divided by what fork and await of one fiber allocates. Two runs differ by less than
// 1 %. `npm run bench:bytes` prints the figures: the first of each pair. `npm run bench:bytes -- --against DIR` with a
// checkout of 0.1.0 printed the second: no race may allocate more than before.
const ratios: Record<Name, readonly [now: number, before: number]> = {
  "the first of 3 succeeds without suspending": [1.34, 1.42],
  "the first of 3 answers at once": [1.67, 1.81],
  "the only one does": [1.60, 1.73],
  "the first of 1,000 does": [1.67, 1.81],
  "an outcome": [1.74, 1.87],
  "an event handler": [3.62, 3.74],
  "a schedule": [2.57, 2.58],
  "a stream": [14.09, 14.27],
  "in a scope": [2.92, 3.12],
  "in a scope, and it acquires": [8.53, 8.32],
  "with a name": [2.08, 2.17],
  "with a tracer": [4.36, 4.54],
  "2 at once": [2.54, 2.54],
  "10 at once": [9.16, 9.06],
  "100 at once": [83.82, 82.58],
  "1,000 at once": [830.8, 819.7],
  "2 in turn, no delay": [2.44, 2.55],
  "10 in turn, no delay": [8.99, 9.12],
  "100 in turn, no delay": [83.05, 83.25],
  "1,000 in turn, no delay": [823.9, 824.8],
  "10 in turn, under a delay": [9.16, 9.32],
  "100 in turn, under a delay": [83.11, 83.06],
  "1,000 in turn, under a delay": [823.1, 820.9],
  "the delay starts the second": [2.71, 3.46],
  "the delay starts the second to the fifth": [6.01, 7.89]
}

/** Of a race whose first candidate answers at once. */
const goal = 1.35

const tolerance = 1.02

/** Runs Node in a process of its own, as V8 has to collect and compile in a way of its own there. */
const node = async (...args: ReadonlyArray<string>) => (await promisify(execFile)(process.execPath, args)).stdout

const measure = async (): Promise<Record<string, number>> => {
  await node("node_modules/typescript/bin/tsc", "-p", "bench", "--noCheck")
  return JSON.parse(await node(".bench/bench/bytes.js", "--json"))
}

describe("what a race allocates", () => {
  let measured: Record<string, number> = {}
  const ratio = (name: Name) => (measured[name] ?? NaN) / (measured["fork and await"] ?? NaN)

  beforeAll(async () => {
    measured = await measure()
  }, 300_000)

  it.each(Object.entries(ratios) as Array<[Name, typeof ratios[Name]]>)("%s", (name, [now, before]) => {
    assertTrue(now <= before, `${now} where it was ${before}`)
    const actual = ratio(name)
    assertTrue(actual <= now * tolerance, `${actual.toFixed(3)} times fork and await, where it is meant to be ${now}`)
  })

  it("the first of 3 answers at once: little more than its fiber", () => {
    const actual = ratio("the first of 3 answers at once")
    assertTrue(actual <= goal, `${actual.toFixed(3)} times fork and await, the goal is ${goal}`)
  })
})
