import { hidden } from "./quote.js"

/**
 * What is raced, and how: all that a link carries. Times are whole milliseconds.
 */

export const results = ["succeeds", "fails", "hangs"] as const

export type Result = typeof results[number]

export interface Candidate {
  readonly name: string
  readonly result: Result
  /** How long it takes; `null` exactly for one that hangs. */
  readonly latency: number | null
  /** How long it takes to clean up when it is interrupted. */
  readonly cleanUp: number
}

export const paces = ["fixed", "exponential", "linear", "infinite"] as const

export type Pace = typeof paces[number]

export interface Delay {
  readonly pace: Pace
  /** The delay, or the first one of a schedule; `null` exactly for an infinite one. */
  readonly millis: number | null
}

export interface Scenario {
  readonly candidates: ReadonlyArray<Candidate>
  readonly delay: Delay
  readonly minDelay: number
  readonly concurrency: number | "unbounded"
  readonly losers: "await" | "background"
}

/** The least and the most of each number. */
export const limits = {
  candidates: [1, 8],
  latency: [0, 10_000],
  cleanUp: [0, 5_000],
  delay: [0, 10_000],
  minDelay: [0, 5_000],
  concurrency: [1, 8],
  name: [1, 24],
  ill: [0, 60],
  seed: [1, 9999],
  slow: [0, 30],
  budget: [0, 50]
} as const

export type Limited = keyof typeof limits

export const clamp = (field: Limited, value: number): number =>
  Math.min(limits[field][1], Math.max(limits[field][0], Math.round(value)))

/** A schedule that begins with no delay would be none. */
export const leastDelay = (pace: Pace): number => pace === "fixed" ? 0 : 1

const usualLatency = 300
const usualDelay = 250

export const withResult = (candidate: Candidate, result: Result): Candidate => ({
  ...candidate,
  result,
  latency: result === "hangs" ? null : candidate.latency ?? usualLatency
})

export const withPace = ({ millis }: Delay, pace: Pace): Delay => ({
  pace,
  millis: pace === "infinite" ? null : Math.max(leastDelay(pace), millis ?? usualDelay)
})

/** What is wrong with a name, if anything. */
export const troubleWithName = (name: string): string | undefined =>
  name.trim() === "" || name.length > limits.name[1]
    ? `is not a name of ${limits.name[0]} to ${limits.name[1]} characters`
    : hidden.test(name)
    ? "has characters that cannot be seen"
    : undefined

export const withCandidate = (scenario: Scenario, index: number, candidate: Candidate): Scenario => ({
  ...scenario,
  candidates: scenario.candidates.map((old, i) => i === index ? candidate : old)
})

export const without = (scenario: Scenario, index: number): Scenario => ({
  ...scenario,
  candidates: scenario.candidates.filter((_, i) => i !== index)
})

export const withOneMore = (scenario: Scenario): Scenario => {
  const names = new Set(scenario.candidates.map(({ name }) => name))
  const letter = Array.from("abcdefghi").find((letter) => !names.has(`candidate ${letter}`))
  const added: Candidate = { name: `candidate ${letter}`, result: "succeeds", latency: usualLatency, cleanUp: 20 }
  return { ...scenario, candidates: [...scenario.candidates, added] }
}
