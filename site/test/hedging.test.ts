import { describe, expect, it } from "@effect/vitest"
import { type Call, compare, isInBrownOut, loadOf, requestsOf, service, timeOf, type Traffic } from "../src/hedging.js"
import { percentile } from "../src/percentile.js"
import { streamRowsOf } from "../src/words.js"

const p99 = (calls: ReadonlyArray<Call>) => percentile(calls.map(({ latency }) => latency), 0.99)

const kinds: ReadonlyArray<Traffic> = [
  { slow: 4, budget: 5, brownOut: false },
  { slow: 4, budget: 5, brownOut: true },
  { slow: 10, budget: 20, brownOut: true },
  { slow: 30, budget: 0, brownOut: false },
  { slow: 0, budget: 50, brownOut: true }
]

describe("a stream of hedged requests", () => {
  it.each(kinds)("takes for each call what its request and its hedge take: $slow, $budget, $brownOut", (traffic) => {
    const { hedged, plain, unlimited } = compare(traffic)
    const requests = requestsOf(traffic)
    for (const calls of [plain, hedged.calls, unlimited.calls]) {
      expect(calls.map(({ latency }) => latency.toFixed(3))).toStrictEqual(requests.map(({ answers, at }, i) => {
        const { hedgedAt = Infinity } = calls[i]!
        const first = timeOf(answers[0], traffic, at)
        return Math.min(first, hedgedAt - at + timeOf(answers[1], traffic, hedgedAt)).toFixed(3)
      }))
    }
    // A hedge is sent only while the request is late.
    expect(unlimited.calls.filter(({ at, hedgedAt = at }, i) => hedgedAt - at > plain[i]!.latency)).toStrictEqual([])
  })

  it.each(kinds)(
    "sends no more hedges in any stretch of time than its budget pays for: $slow, $budget, $brownOut",
    (traffic) => {
      const { hedged: { calls }, unlimited } = compare(traffic)
      const sent = calls.flatMap(({ hedgedAt }) => hedgedAt ?? []).sort((a, b) => a - b)
      for (const [i, from] of sent.entries()) {
        for (const [j, to] of sent.slice(i).entries()) {
          const arrived = calls.filter(({ at }) => at >= from && at <= to).length
          expect(j + 1).toBeLessThanOrEqual(service.burst + traffic.budget / 100 * arrived + 1e-9)
        }
      }
      // What the budget starts with is nothing.
      expect(sent.length).toBeLessThanOrEqual(traffic.budget / 100 * calls.length)
      expect(unlimited.calls.length).toBe(calls.length)
    }
  )

  it("cuts off the slowest answers, for few requests more", () => {
    const { hedged: { calls }, plain } = compare(kinds[0]!)
    expect(p99(plain)).toBeGreaterThan(service.slowness)
    expect(p99(calls)).toBeLessThan(service.slowness / 4)
    expect(loadOf(calls)).toBeLessThanOrEqual(5)
  })

  it("stops in a brown-out, when the budget is empty, and comes back after it", () => {
    const traffic = kinds[1]!
    const { hedged, unlimited } = compare(traffic)
    const [from, to] = service.brownOut
    const then = (calls: ReadonlyArray<Call>) => calls.filter(({ at }) => isInBrownOut(traffic, at))
    expect(loadOf(then(unlimited.calls))).toBeGreaterThan(95)
    expect(loadOf(then(hedged.calls))).toBeLessThan(10)
    const tokens = hedged.samples.map(({ tokens }) => tokens!)
    expect(Math.max(...tokens.slice(from + 1, to - 1))).toBeLessThan(1)
    expect(tokens.at(-1)).toBeGreaterThan(service.burst / 2)
    expect(hedged.samples.every(({ delay = 0 }) => delay <= service.maxDelay)).toBe(true)
    expect(hedged.samples.length).toBe(service.seconds)
  })

  it("says what it does in a table", () => {
    const rows = streamRowsOf(compare({ slow: 0, budget: 5, brownOut: false }))
    expect(rows.map(([name, ...rest]) => [name, rest.at(-1)])).toStrictEqual([
      ["no hedges", "no brown-out"],
      ["hedges, budget of 5 %", "no brown-out"],
      ["hedges, no budget", "no brown-out"]
    ])
    expect(rows[0]!.slice(4, 5)).toStrictEqual(["+ 0.0 %"])
  })
})
