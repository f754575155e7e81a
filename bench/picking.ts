import * as Effect from "effect/Effect"
import { Choice } from "../src/internal/replicas/choice.js"
import { drawing } from "./hedging/draws.js"
import { effect, median, sample } from "./support/measure.js"
import type { Figure } from "./support/report.js"

/** A set of replicas that all have answered. */
export const setOf = (count: number): Choice<number> => {
  const draw = drawing(1)
  const choice = new Choice<number>(
    {
      choices: 3,
      halfLife: 10_000,
      ejectAfter: 5,
      ejectFor: 1000,
      maxEjectFor: 30_000,
      maxEjected: 0.5,
      zone: undefined
    },
    (below) => Math.floor(draw() * below)
  )
  choice.update(Array.from({ length: count }, (_, index) => ({ id: `replica ${index}`, target: index })))
  for (const { health } of choice) {
    health.begun()
    health.ended()
    health.answered(10 * draw(), 0)
  }
  return choice
}

/** The time to pick the replica of an attempt: of this process's processor, so that other programs do not count. */
export const picking = (quick: boolean): Effect.Effect<ReadonlyArray<Figure>> =>
  Effect.gen(function*() {
    const picksPerRun = 100
    const counts = [10, 1000]
    const subjects = counts.map((count) => {
      const choice = setOf(count)
      return effect(Effect.sync(() => {
        for (let pick = 0; pick < picksPerRun; pick++) {
          choice.pick([], [], 1)
        }
      }))
    })
    const samples = yield* sample(subjects, { rounds: 7, sampleMicros: quick ? 35_000 : 100_000 })
    const [few, many] = samples.map((micros) => Math.round(100 * median(micros) / picksPerRun) / 100) as [
      number,
      number
    ]
    return [
      { name: "to pick one of 10 replicas", value: few, unit: "µs", against: "three choices", goal: 3 },
      { name: "to pick one of 1000 replicas", value: many, unit: "µs", against: `one of 10: ${few} µs`, goal: 3 }
    ]
  })
