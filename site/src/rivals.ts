import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { Simulation } from "../../test/support/eventClock.js"
import { cleaningUp, optionsOf, workOf } from "./effects.js"
import type { Candidate, Scenario } from "./scenario.js"

type Effects = ReadonlyArray<Effect.Effect<string, string>>

export interface Racer {
  readonly name: string
  /** When it starts the next candidate, and what it kills. */
  readonly rule: string
  readonly race: (candidates: Effects, scenario: Scenario) => Effect.Effect<string, unknown>
}

/**
 * The rule of Node's `autoSelectFamily`: it kills an attempt when the delay has passed, and starts the next without
 * waiting for the one that it killed. The last attempt has no timer. Node knows one delay only: of a schedule this takes
 * the first.
 */
const abortAndAdvance: Racer["race"] = (candidates, { delay }) =>
  Effect.firstSuccessOf(candidates.map((candidate, index) =>
    index === candidates.length - 1 || delay.millis === null
      ? candidate
      : Effect.timeoutFail(Effect.disconnect(candidate), { duration: delay.millis, onTimeout: () => "timed out" })
  ))

export const racers: ReadonlyArray<Racer> = [
  {
    name: "StaggeredRace.race",
    rule: "Starts the next when the newest fails or the delay passes. The delay kills nothing.",
    race: (candidates, scenario) => StaggeredRace.race(candidates, optionsOf(scenario))
  },
  {
    name: "Effect.raceAll",
    rule: "Starts all at once.",
    race: (candidates) => Effect.raceAll(candidates)
  },
  {
    name: "Effect.firstSuccessOf",
    rule: "Starts the next when the previous one fails.",
    race: (candidates) => Effect.firstSuccessOf(candidates)
  },
  {
    name: "abort and advance",
    rule: "Node’s autoSelectFamily: after the delay it kills the attempt, and starts the next.",
    race: abortAndAdvance
  }
]

/** What a probe inside an attempt saw. Times are `Infinity` if it hangs. */
export interface Span {
  readonly index: number
  readonly startedAt: number
  /** How its work ended, and when. From then until `endedAt` it cleans up. */
  readonly how: "succeeded" | "failed" | "interrupted" | "hangs"
  readonly workedUntil: number
  readonly endedAt: number
}

export interface Report {
  readonly racer: Racer
  /** In the order of their starts. */
  readonly spans: ReadonlyArray<Span>
  /** When the racer returned. `Infinity` if it never does. */
  readonly answersAt: number
  /** The index of the attempt whose value it returned. */
  readonly winner: number | undefined
}

/**
 * Runs a scenario under a racer to its end, in simulated time. Where the caller's patience has an end, what runs then is
 * interrupted, and the report has no answer.
 */
export const report = (racer: Racer, scenario: Scenario, patience = Infinity): Report => {
  const simulation = new Simulation()
  const spans: Array<Span> = []
  const probe = (candidate: Candidate, index: number) =>
    Effect.suspend(() => {
      const at = spans.length
      const started: Span = {
        index,
        startedAt: simulation.now,
        how: "hangs",
        workedUntil: Infinity,
        endedAt: Infinity
      }
      spans.push(started)
      const note = (more: Partial<Span>) =>
        Effect.sync(() => {
          spans[at] = { ...(spans[at] ?? started), ...more }
        })
      return Effect.as(workOf(candidate), String(index)).pipe(
        Effect.onExit((exit) => Effect.suspend(() => note({ how: howOf(exit), workedUntil: simulation.now }))),
        (work) => cleaningUp(work, candidate),
        Effect.onExit(() => Effect.suspend(() => note({ endedAt: simulation.now })))
      )
    })
  let answersAt = Infinity
  let winner: number | undefined
  const fiber = simulation.fork(racer.race(scenario.candidates.map(probe), scenario))
  const onEnd = (exit: Exit.Exit<string, unknown>) => {
    answersAt = simulation.now
    winner = Exit.isSuccess(exit) ? Number(exit.value) : undefined
  }
  fiber.addObserver(onEnd)
  simulation.advanceTo(patience)
  fiber.removeObserver(onEnd)
  const unhurried = spans.slice()
  simulation.interrupt(fiber)
  simulation.advanceTo(Infinity)
  // A caller of endless patience interrupts nothing: what clears up a racer that hangs must not show in its report.
  return { racer, spans: patience === Infinity ? unhurried : spans, answersAt, winner }
}

const howOf = (exit: Exit.Exit<unknown, unknown>): Span["how"] =>
  Exit.isSuccess(exit) ? "succeeded" : Exit.isInterrupted(exit) ? "interrupted" : "failed"

export const compare = (scenario: Scenario): ReadonlyArray<Report> => racers.map((racer) => report(racer, scenario))

/** When the racer had its answer, or gave up. It may return later, when other attempts have cleaned up. */
export const decisionOf = ({ answersAt, spans, winner }: Report): number =>
  spans.find(({ index }) => index === winner)?.workedUntil ?? answersAt

/** The attempts that were killed before there was an answer, each with the time that it still needed. */
export const killedEarly = (report: Report, { candidates }: Scenario) => {
  const decidedAt = decisionOf(report)
  return report.spans.flatMap(({ how, index, startedAt, workedUntil }) => {
    const candidate = candidates[index]
    return candidate && how === "interrupted" && workedUntil < decidedAt
      ? [{
        candidate,
        at: workedUntil,
        missing: candidate.result === "succeeds" ? startedAt + (candidate.latency ?? 0) - workedUntil : undefined
      }]
      : []
  })
}

/** How many milliseconds all attempts together ran, including their clean-up. */
export const timeOfAttempts = ({ spans }: Report): number =>
  spans.reduce((sum, { endedAt, startedAt }) => sum + endedAt - startedAt, 0)

/** When the last thing happens in any of the reports: where a picture of all of them ends. */
export const endOf = (reports: ReadonlyArray<Report>): number =>
  reports.flatMap((
    { answersAt, spans }
  ) => [answersAt, ...spans.flatMap((s) => [s.startedAt, s.workedUntil, s.endedAt])])
    .filter(Number.isFinite)
    .reduce((latest, at) => Math.max(latest, at), 0)
