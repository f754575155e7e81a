import * as Effect from "effect/Effect"
import * as Hedge from "../../src/Hedge.js"
import { arriving } from "./arrivals.js"
import { type Experiment, percent } from "./section.js"
import { Simulation } from "./simulation.js"

const delay = 50
const ratio = 0.05
const burst = 10

/** Counts calls and hedges. For `seconds`, no call is late; then, for as many seconds, every call is. */
const observed = (rate: number, seconds: number, budget: Hedge.MakeOptions["budget"]) => {
  const simulation = new Simulation(5)
  let [calls, hedges] = [0, 0]
  simulation.fork(Effect.map(Hedge.make({ delay, budget }), (policy) => {
    const isSlow = () => simulation.now > seconds * 1000
    arriving(simulation, { every: () => 1000 / rate, until: 2 * seconds * 1000 }, () => {
      calls += isSlow() ? 1 : 0
      let attempt = 0
      return Hedge.hedge(
        Effect.suspend(() => {
          hedges += attempt++ > 0 ? 1 : 0
          return simulation.sleep(isSlow() ? 10 * delay : delay / 10)
        }),
        policy
      )
    })
  }))
  simulation.advanceTo(Infinity)
  return { rate, calls, hedges }
}

export const brownOut: Experiment = (scale) => {
  const seconds = 60 * scale
  const rows = [1000, 10, 1].map((rate) => {
    const limited = observed(rate, seconds, { ratio, burst })
    return { ...limited, most: ratio + burst / limited.calls, unlimited: observed(rate, seconds, "unlimited") }
  })
  return {
    title: `4. Brown-out: for ${seconds} s, every call takes ten times the delay`,
    table: [
      ["calls a second", `hedges, budget of ${percent(ratio)}, burst of ${burst}`, "at most", "hedges, no budget"],
      ...rows.map(({ calls, hedges, most, rate, unlimited }) => [
        `${rate}`,
        percent(hedges / calls),
        percent(most),
        percent(unlimited.hedges / unlimited.calls)
      ])
    ],
    missed: rows.filter(({ calls, hedges, most }) => hedges / calls > most + 1e-9).map((
      { calls, hedges, most, rate }
    ) => `${rate} a second: ${percent(hedges / calls)} hedges, more than ${percent(most)}`)
  }
}
