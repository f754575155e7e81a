import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual } from "@effect/vitest/utils"
import type * as StaggeredRace from "../../src/StaggeredRace.js"
import { explore, simplify } from "../support/schedules/explore.js"

// Random races, each run by a random schedule. To run the race of a failure again:
//
//   SEED=1234 RUNS=1 npx vitest run --project main test/race/schedules.test.ts

const { RUNS, SEED } = process.env
const runs = Number(RUNS ?? 20_000)
const perTest = 2500

// Half of the seeds are fixed, so that a fault that was found once is found again.
const bases = SEED === undefined ? [1, Date.now() % 2 ** 31] : [Number(SEED)]
const runsOf = Math.ceil(runs / bases.length)

const eventLoop = () => new Promise((resolve) => setImmediate(resolve))

type Decided = StaggeredRace.RaceEvent<string, string> & { readonly _tag: "Decided" }

describe("a random race by a random schedule keeps its promises: laws 5 to 8, 11, 13, 15, 19 to 21 and 23", () => {
  for (const losers of ["await", "background"] as const) {
    const seen = new Map<string, number>()
    const count = (what: string) => seen.set(what, (seen.get(what) ?? 0) + 1)

    for (const base of bases) {
      for (let from = 0; from < runsOf; from += perTest) {
        it(`${losers}: seeds from ${base + from}`, async () => {
          for (let seed = base + from; seed < base + Math.min(from + perTest, runsOf); seed++) {
            const { faults, interrupted, races } = explore(seed, losers)
            if (faults.length > 0) {
              deepStrictEqual({ seed, faults, simplest: simplify(seed, losers, faults[0]!) } as unknown, {
                seed,
                faults: []
              })
            }
            count(interrupted ? "interrupted" : "not interrupted")
            for (const { events } of races) {
              const decided = events.find((event): event is Decided => event._tag === "Decided")
              count(`decided by ${decided?.by}`)
              events.forEach(({ _tag }) => count(_tag))
            }
            if (seed % 100 === 0) {
              await eventLoop()
            }
          }
        })
      }
    }

    it.runIf(SEED === undefined)(`${losers}: all kinds of races were among them`, () => {
      console.log(`random schedules, ${losers}: ${JSON.stringify(Object.fromEntries(seen))}`)
      for (
        const what of [
          "interrupted",
          "not interrupted",
          "SucceededLate",
          "SourceFailed",
          ...["success", "failures", "fatal", "interruption", "defect"].map((by) => `decided by ${by}`)
        ]
      ) {
        assertTrue(seen.has(what), what)
      }
    })
  }
})
