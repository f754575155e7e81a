import { drawing } from "../../bench/hedging/draws.js"
import { decisionOf, type Racer, racers, report, timeOfAttempts } from "./rivals.js"
import type { Candidate, Scenario } from "./scenario.js"

/** What a hundred days are drawn from, besides the scenario whose delay and options they keep. */
export interface Climate {
  /** The chance that a candidate is ill, in percent. */
  readonly ill: number
  readonly seed: number
}

export const usualClimate: Climate = { ill: 10, seed: 1 }

/** How days are drawn. Times are milliseconds. */
export const nature = {
  days: 100,
  /** A healthy candidate takes this long at least, and as much again on average. */
  latency: 20,
  /** The share of days on which the network is slow for everybody, and by how much. */
  slowDays: 0.1,
  slowness: 300,
  cleanUp: 5,
  /** How long a caller waits for an answer. */
  patience: 5000
} as const

/** The weather of each day: the same candidates, some of them ill. */
export const daysOf = (scenario: Scenario, { ill, seed }: Climate): ReadonlyArray<Scenario> => {
  const draw = drawing(seed)
  return Array.from({ length: nature.days }, () => {
    const extra = draw() < nature.slowDays ? nature.slowness : 0
    const candidates = scenario.candidates.map(({ name }): Candidate => {
      // Everybody takes as many draws in any climate, so that a change of it leaves the rest of the day as it was.
      const isIll = draw() * 100 < ill
      const isSilent = draw() < 0.5
      const latency = Math.round(nature.latency - nature.latency * Math.log(draw())) + extra
      return isIll && isSilent
        ? { name, result: "hangs", latency: null, cleanUp: nature.cleanUp }
        : { name, result: isIll ? "fails" : "succeeds", latency, cleanUp: nature.cleanUp }
    })
    return { ...scenario, candidates }
  })
}

export interface Summary {
  readonly racer: Racer
  /** How long each day's answer took, in the order of the days. `Infinity` where there was none. */
  readonly answers: ReadonlyArray<number>
  /** Of all days together. */
  readonly attempts: number
  readonly work: number
}

/** What each racer makes of the same hundred days. */
export const summarize = (days: ReadonlyArray<Scenario>): ReadonlyArray<Summary> =>
  racers.map((racer) => {
    const reports = days.map((day) => report(racer, day, nature.patience))
    return {
      racer,
      answers: reports.map((report) => report.winner === undefined ? Infinity : decisionOf(report)),
      attempts: reports.reduce((sum, { spans }) => sum + spans.length, 0),
      work: reports.reduce((sum, report) => sum + timeOfAttempts(report), 0)
    }
  })
