import { describe, expect, it } from "@effect/vitest"
import { daysOf, nature, summarize, usualClimate } from "../src/days.js"
import { percentile } from "../src/percentile.js"
import { presets } from "../src/presets.js"
import { limits, type Scenario } from "../src/scenario.js"
import { daysRowOf } from "../src/words.js"

/** What a day comes to. */
interface Day {
  readonly answer: number
  readonly attempts: number
  readonly work: number
}

/**
 * The rules again, as sums of latencies, without the library or a clock: when each candidate starts, if nothing decides
 * before; and whether it is killed after the delay.
 */
interface Rule {
  readonly next: (startedAt: number, failsAfter: number, delay: number) => number
  readonly kills: boolean
}

const rules: ReadonlyArray<Rule> = [
  { next: (startedAt, failsAfter, delay) => startedAt + Math.min(failsAfter, delay), kills: false },
  { next: () => 0, kills: false },
  { next: (startedAt, failsAfter) => startedAt + failsAfter, kills: false },
  { next: (startedAt, failsAfter, delay) => startedAt + Math.min(failsAfter, delay), kills: true }
]

const dayUnder = ({ kills, next }: Rule, { candidates, delay }: Scenario): Day => {
  const step = delay.millis ?? Infinity
  let at = 0
  const attempts = candidates.map(({ latency, result }, i) => {
    const startedAt = at
    const isKilled = kills && i < candidates.length - 1 && (latency ?? Infinity) >= step
    at = next(startedAt, result === "fails" ? latency! : Infinity, step)
    return {
      startedAt,
      endedAt: startedAt + (isKilled ? step + nature.cleanUp : latency ?? Infinity),
      succeeds: result === "succeeds" && !isKilled
    }
  })
  const answer = Math.min(...attempts.filter(({ succeeds }) => succeeds).map(({ endedAt }) => endedAt))
  const winner = attempts.findIndex(({ endedAt, succeeds }) => succeeds && endedAt === answer && answer < Infinity)
  const over = Math.min(answer, nature.patience)
  // Of two that end at one instant, the first to have started comes first, and then nobody starts any more.
  const started = attempts.filter(({ startedAt }, i) => startedAt < over || i <= winner)
  const times = started.map(({ endedAt, startedAt }, i) =>
    endedAt < over || (endedAt === over && i <= winner)
      ? endedAt - startedAt
      : over - startedAt + nature.cleanUp
  )
  return { answer, attempts: started.length, work: times.reduce((sum, time) => sum + time, 0) }
}

const withDelay = (millis: number | null): Scenario => ({
  ...presets[0].scenario,
  delay: millis === null ? { pace: "infinite", millis } : { pace: "fixed", millis }
})

describe("a hundred days", () => {
  it.each([
    [100, usualClimate],
    [100, { ill: 0, seed: 2 }],
    [250, { ill: 25, seed: 3 }],
    [33, { ill: limits.ill[1], seed: 4 }],
    [null, { ill: 10, seed: 5 }]
  ])("are for each rule what its starts and latencies add up to: a delay of %s, %o", (delay, climate) => {
    const days = daysOf(withDelay(delay), climate)
    const seen = summarize(days)
    const expected = rules.map((rule) => days.map((day) => dayUnder(rule, day)))
    const sum = (days: ReadonlyArray<Day>, of: (day: Day) => number) => days.reduce((sum, day) => sum + of(day), 0)
    expect(seen.map(({ answers, attempts, work }) => ({ answers, attempts, work }))).toStrictEqual(
      expected.map((days) => ({
        answers: days.map(({ answer }) => answer),
        attempts: sum(days, ({ attempts }) => attempts),
        work: sum(days, ({ work }) => work)
      }))
    )
  })

  it("are the same for a seed, and others for another", () => {
    const { scenario } = presets[0]
    expect(daysOf(scenario, usualClimate)).toStrictEqual(daysOf(scenario, usualClimate))
    expect(daysOf(scenario, usualClimate)).not.toStrictEqual(daysOf(scenario, { ...usualClimate, seed: 2 }))
  })

  it("are drawn as is said: who is ill, who hangs, how long the others take, and how often all are slow", () => {
    const { candidates } = presets[0].scenario
    const all = Array.from({ length: 100 }, (_, seed) => daysOf(presets[0].scenario, { ill: 20, seed: seed + 1 }))
      .flat()
    const drawn = all.flatMap(({ candidates }) => candidates)
    const shareOf = (part: ReadonlyArray<unknown>, whole: ReadonlyArray<unknown>) => part.length / whole.length
    const ill = drawn.filter(({ result }) => result !== "succeeds")
    expect(shareOf(ill, drawn)).toBeCloseTo(0.2, 1.5)
    expect(shareOf(ill.filter(({ result }) => result === "hangs"), ill)).toBeCloseTo(0.5, 1.5)
    const isSlow = (day: Scenario) =>
      day.candidates.every(({ latency }) => (latency ?? Infinity) >= nature.latency + nature.slowness)
    expect(shareOf(all.filter(isSlow), all)).toBeCloseTo(nature.slowDays, 1.5)
    const usual = all.filter((day) => !isSlow(day)).flatMap(({ candidates }) => candidates)
      .flatMap(({ latency }) => latency ?? [])
    expect(Math.min(...usual)).toBe(nature.latency)
    expect(usual.reduce((sum, latency) => sum + latency) / usual.length).toBeGreaterThan(1.9 * nature.latency)
    expect(usual.reduce((sum, latency) => sum + latency) / usual.length).toBeLessThan(2.1 * nature.latency)
    expect(new Set(all.map((day) => day.candidates.map(({ name }) => name).join()))).toStrictEqual(
      new Set([candidates.map(({ name }) => name).join()])
    )
  })

  it("have the same healthy candidates, and the same network, however many are ill", () => {
    const healthy = daysOf(presets[0].scenario, { ill: 0, seed: 1 })
    for (const [i, day] of daysOf(presets[0].scenario, { ill: 30, seed: 1 }).entries()) {
      expect(day.candidates.map((candidate) => candidate.latency ?? "hangs")).toStrictEqual(
        day.candidates.map(({ latency }, j) => latency === null ? "hangs" : healthy[i]!.candidates[j]!.latency)
      )
    }
  })

  it("cost all at once twice the work of a staggered race, for an answer a little sooner", () => {
    const [ours, all] = summarize(daysOf(presets[0].scenario, usualClimate))
    expect([ours!.racer.name, all!.racer.name]).toStrictEqual(["StaggeredRace.race", "Effect.raceAll"])
    expect(all!.attempts).toBeGreaterThan(2.5 * ours!.attempts)
    expect(all!.work).toBeGreaterThan(1.5 * ours!.work)
    expect(percentile(ours!.answers, 0.5)).toBeGreaterThan(percentile(all!.answers, 0.5))
  })

  it("are summed up in words", () => {
    const answers = Array.from({ length: 100 }, (_, i) => i < 97 ? 100 - i : Infinity)
    const [racer] = summarize(daysOf(presets[0].scenario, usualClimate)).map(({ racer }) => racer)
    expect(daysRowOf({ racer: racer!, answers, attempts: 142, work: 12_049 })).toStrictEqual(
      ["97 of 100 days", "1.42", "120 ms", "53 ms", "no answer"]
    )
  })
})
