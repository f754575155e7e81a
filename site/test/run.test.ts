import { describe, expect, it, vi } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import type { Variant } from "../../test/support/eventClock.js"
import { presets } from "../src/presets.js"
import { compare } from "../src/rivals.js"
import { Run, runAtOnce } from "../src/run.js"
import type { Scenario } from "../src/scenario.js"
import { linesOf, summaryOf, textOf } from "../src/words.js"
import { scenarios, underTestClock } from "./scenarios.js"

const seen = (run: Run) => ({ lines: linesOf(run), outcome: run.outcome && textOf(run.outcome) })

/** The page wakes those that sleep until the same instant in the order in which they came. `TestClock` does not. */
const likeTestClock = { order: "lifo" } as const

const interruptedAt = (at: number, scenario: Scenario, clock?: Variant) => {
  const run = new Run(scenario, clock)
  run.advanceTo(at)
  run.interrupt()
  run.advanceTo(Infinity)
  return run
}

const expected = async (scenario: Scenario, interruptAt?: number) => {
  const { lines, outcome } = await underTestClock(scenario, interruptAt)
  return { lines, outcome: outcome && textOf(outcome) }
}

describe("a run of the page", () => {
  it.each(presets)("is what the library makes of it under TestClock: $id", async ({ scenario }) => {
    expect(seen(runAtOnce(scenario))).toStrictEqual(await expected(scenario))
  })

  it("is that for any scenario, if its clock wakes the last to come first, as TestClock does", async () => {
    await FastCheck.assert(
      FastCheck.asyncProperty(scenarios, async (scenario) => {
        expect(seen(runAtOnce(scenario, likeTestClock))).toStrictEqual(await expected(scenario))
      }),
      { numRuns: 60 }
    )
  })

  it("is that when it is interrupted at any millisecond", async () => {
    await FastCheck.assert(
      FastCheck.asyncProperty(scenarios, FastCheck.integer({ min: 0, max: 1000 }), async (scenario, at) => {
        const run = interruptedAt(at, scenario, likeTestClock)
        expect(seen(run)).toStrictEqual(await expected(scenario, at))
        expect(run.state).toBe("over")
      }),
      { numRuns: 60 }
    )
  })

  describe("where two things happen at one instant", () => {
    const candidate = (name: string, latency: number) => ({ name, result: "succeeds", latency, cleanUp: 0 } as const)
    const tie: Scenario = {
      candidates: [candidate("a", 200), candidate("b", 100), candidate("c", 100)],
      delay: { pace: "fixed", millis: 100 },
      minDelay: 0,
      concurrency: "unbounded",
      losers: "await"
    }
    const winnerOf = (run: Run) => linesOf(run).find(({ tag }) => tag === "Won")?.who

    it("what was due first comes first, and an end before a start", () => {
      const run = runAtOnce(tie)
      expect(winnerOf(run)).toBe("a")
      expect(linesOf(run).filter(({ tag }) => tag === "Started").map(({ at, who }) => `${who} ${at}`)).toStrictEqual([
        "a 0",
        "b 100"
      ])
    })

    it("decides as TestClock does, if it wakes the last to come first", async () => {
      expect(winnerOf(runAtOnce(tie, likeTestClock))).toBe("b")
      expect(seen(runAtOnce(tie, likeTestClock))).toStrictEqual(await expected(tie))
      for (const at of [99, 100, 199, 200]) {
        expect(seen(interruptedAt(at, tie, likeTestClock))).toStrictEqual(await expected(tie, at))
      }
    })
  })

  it("takes the same course in steps of any size as all at once", () => {
    FastCheck.assert(FastCheck.property(scenarios, FastCheck.integer({ min: 1, max: 700 }), (scenario, step) => {
      const run = new Run(scenario)
      for (let at = 0; run.state === "running"; at += step) {
        run.advanceTo(at)
      }
      const atOnce = runAtOnce(scenario)
      expect(seen(run)).toStrictEqual(seen(atOnce))
      expect(run.state).toBe(atOnce.state)
    }))
  })

  it("leaves no timer and nothing running where it is discarded", () => {
    vi.useFakeTimers()
    try {
      FastCheck.assert(FastCheck.property(scenarios, FastCheck.nat(500), (scenario, at) => {
        const run = new Run(scenario)
        run.advanceTo(at)
        run.discard()
        expect([run.state, vi.getTimerCount()]).toStrictEqual(["over", 0])
        compare(scenario)
        expect(vi.getTimerCount()).toBe(0)
      }))
    } finally {
      vi.useRealTimers()
    }
  })

  it("says how it has gone", () => {
    const one = (candidate: Partial<Scenario["candidates"][number]>, more: Partial<Scenario> = {}): Scenario => ({
      candidates: [
        { name: "a", result: "succeeds", latency: 300, cleanUp: 20, ...candidate },
        { name: "b", result: "fails", latency: 30, cleanUp: 0 },
        { name: "c", result: "hangs", latency: null, cleanUp: 40 }
      ],
      delay: { pace: "fixed", millis: 100 },
      minDelay: 0,
      concurrency: "unbounded",
      losers: "await",
      ...more
    })
    const interrupted = interruptedAt(150, one({}))
    const all = one({})
    expect([
      summaryOf(runAtOnce(one({}))),
      summaryOf(runAtOnce(one({}, { losers: "background" }))),
      summaryOf(runAtOnce(one({ latency: 20 }))),
      summaryOf(runAtOnce(one({ result: "fails" }))),
      summaryOf(runAtOnce({ ...all, candidates: all.candidates.slice(1, 2) })),
      summaryOf(interrupted)
    ]).toStrictEqual([
      "a wins after 300 ms, with 3 attempts of 3 candidates started. The race returns after 340 ms, when its losers " +
      "have cleaned up.",
      "a wins after 300 ms, with 3 attempts of 3 candidates started. Its losers have cleaned up after 340 ms, in the " +
      "background.",
      "a wins after 20 ms, with 1 attempt of 3 candidates started.",
      "What runs hangs, and nothing is left to start: this race goes on until it is interrupted.",
      "Nobody wins: 1 attempt, and the last has failed after 30 ms.",
      "Interrupted after 150 ms. The last attempt had cleaned up after 190 ms."
    ])
  })
})
