import { describe, expect, it } from "@effect/vitest"
import { presets } from "../src/presets.js"
import { compare } from "../src/rivals.js"
import { costOf, ticksOf } from "../src/words.js"

const marks = { succeeded: "✓", failed: "✕", interrupted: "!", hangs: "…" }

const rows = (id: string) => {
  const scenario = presets.find((preset) => preset.id === id)!.scenario
  return compare(scenario).map((report) => [
    report.racer.name,
    ...costOf(report, scenario),
    report.spans.map(({ endedAt, how, index, startedAt, workedUntil }) =>
      `${index}: ${startedAt}–${workedUntil}${marks[how]}${endedAt > workedUntil ? `–${endedAt}` : ""}`
    ).join("  ")
  ])
}

describe("the comparison", () => {
  it("has an axis with marks at whole milliseconds, five of them at most after zero", () => {
    expect([1.08, 2.16, 4.32, 9, 108, 475.2, 16_200].map(ticksOf)).toStrictEqual([
      [0, 1],
      [0, 1, 2],
      [0, 1, 2, 3, 4],
      [0, 2, 4, 6, 8],
      [0, 50, 100],
      [0, 100, 200, 300, 400],
      [0, 5000, 10_000, 15_000]
    ])
  })

  it("of a dead IPv6: one after the other never gets past it", () => {
    expect(rows("dead-ipv6")).toStrictEqual([
      [
        "StaggeredRace.race",
        "192.0.2.1 after 410 ms, returns after 440 ms",
        "2 of 4",
        "none",
        "600 ms",
        "0: 0–410!–440  1: 250–410✓"
      ],
      [
        "Effect.raceAll",
        "192.0.2.2 after 120 ms, returns after 150 ms",
        "4 of 4",
        "none",
        "550 ms",
        "0: 0–120!–150  1: 0–120!–130  2: 0–120!–150  3: 0–120✓"
      ],
      ["Effect.firstSuccessOf", "never answers", "1 of 4", "none", "no end to it", "0: 0–Infinity…"],
      [
        "abort and advance",
        "192.0.2.1 after 410 ms",
        "2 of 4",
        "2001:db8::1 at 250 ms",
        "440 ms",
        "0: 0–250!–280  1: 250–410✓"
      ]
    ])
  })

  it("of a host far away: where the delay kills, nothing connects", () => {
    expect(rows("far-away")).toStrictEqual([
      ["StaggeredRace.race", "198.51.100.7 after 320 ms", "2 of 2", "none", "350 ms", "0: 0–320✓  1: 250–280✕"],
      ["Effect.raceAll", "198.51.100.7 after 320 ms", "2 of 2", "none", "350 ms", "0: 0–320✓  1: 0–30✕"],
      ["Effect.firstSuccessOf", "198.51.100.7 after 320 ms", "1 of 2", "none", "320 ms", "0: 0–320✓"],
      [
        "abort and advance",
        "fails after 280 ms",
        "2 of 2",
        "198.51.100.7 at 250 ms, 70 ms before its answer",
        "290 ms",
        "0: 0–250!–260  1: 250–280✕"
      ]
    ])
  })

  it("of a chain of fallbacks: all but one are the same", () => {
    const inTurn = ["origin after 470 ms", "3 of 3", "none", "470 ms", "0: 0–30✕  1: 30–210✕  2: 210–470✓"]
    expect(rows("fallbacks")).toStrictEqual([
      ["StaggeredRace.race", ...inTurn],
      ["Effect.raceAll", "origin after 260 ms", "3 of 3", "none", "470 ms", "0: 0–30✕  1: 0–180✕  2: 0–260✓"],
      ["Effect.firstSuccessOf", ...inTurn],
      ["abort and advance", ...inTurn]
    ])
  })

  it("of mirrors: what would have been the answer is killed on the way", () => {
    expect(rows("mirrors")).toStrictEqual([
      [
        "StaggeredRace.race",
        "nyc after 630 ms, returns after 710 ms",
        "4 of 5",
        "none",
        "1180 ms",
        "0: 0–340✕  1: 120–630!–710  2: 340–360✕  3: 400–630✓"
      ],
      [
        "Effect.raceAll",
        "nyc after 230 ms, returns after 310 ms",
        "5 of 5",
        "none",
        "1100 ms",
        "0: 0–230!–260  1: 0–230!–310  2: 0–20✕  3: 0–230✓  4: 0–230!–280"
      ],
      ["Effect.firstSuccessOf", "never answers", "2 of 5", "none", "no end to it", "0: 0–340✕  1: 340–Infinity…"],
      [
        "abort and advance",
        "sgp after 880 ms",
        "5 of 5",
        "ams at 120 ms; fra at 240 ms; nyc at 380 ms, 110 ms before its answer",
        "1040 ms",
        "0: 0–120!–150  1: 120–240!–320  2: 240–260✕  3: 260–380!–430  4: 380–880✓"
      ]
    ])
  })
})
