import * as Effect from "effect/Effect"
import * as Hedge from "../../src/Hedge.js"
import { arriving } from "./arrivals.js"
import { type Experiment, percent } from "./section.js"
import { Simulation } from "./simulation.js"

const delay = 50
const ratio = 0.05
/** What a budget saves up by default: what the calls of about a second pay for, and at least 3. */
const usual = (rate: number) => Math.max(3, ratio * (rate + 1))

interface Setting {
  /** How many there are. Each has a policy of its own. */
  readonly processes: number
  /** The calls of each in a second. */
  readonly rate: number
  readonly burst?: number
}

const settings: ReadonlyArray<Setting> = [
  { processes: 1, rate: 1000 },
  { processes: 1, rate: 10 },
  { processes: 1, rate: 1 },
  { processes: 100, rate: 10, burst: 1 },
  { processes: 100, rate: 10 },
  { processes: 100, rate: 10, burst: 10 }
]

/** Counts calls and hedges. For `seconds`, no call is late; then, for as many seconds, every call is. */
const observed = ({ processes, rate }: Setting, seconds: number, budget: Hedge.MakeOptions["budget"]) => {
  const simulation = new Simulation(5)
  const counted = () => ({ calls: 0, hedges: 0 })
  const [first, all] = [counted(), counted()]
  for (let process = 0; process < processes; process++) {
    simulation.fork(Effect.map(Hedge.make({ delay, budget }), (policy) => {
      arriving(simulation, { every: () => 1000 / rate, until: 2 * seconds * 1000 }, () => {
        const slowFor = simulation.now - seconds * 1000
        const counts = [...slowFor > 0 ? [all] : [], ...slowFor > 0 && slowFor <= 1000 ? [first] : []]
        counts.forEach((count) => count.calls++)
        let attempt = 0
        return Hedge.hedge(
          Effect.suspend(() => {
            if (attempt++ > 0) {
              counts.forEach((count) => count.hedges++)
            }
            return simulation.sleep(slowFor > 0 ? 10 * delay : delay / 10)
          }),
          policy
        )
      })
    }))
  }
  simulation.advanceTo(Infinity)
  return { first, all }
}

export const brownOut: Experiment = (scale) => {
  const seconds = 60 * scale
  const rows = settings.map((setting) => {
    const { burst, processes, rate } = setting
    const { first, all } = observed(setting, seconds, { ratio, burst })
    const unlimited = observed(setting, seconds, "unlimited").all
    const measured = [["in the first second", first], ["in all", all]] as const
    return {
      ...setting,
      unlimited: unlimited.hedges / unlimited.calls,
      shares: measured.map(([when, { calls, hedges }]) => ({
        when,
        share: hedges / calls,
        most: ratio + (burst ?? usual(rate)) * processes / calls
      }))
    }
  })
  return {
    title: `4. Brown-out: for ${seconds} s, every call takes ten times the delay`,
    table: [
      [
        "processes",
        "calls a second of each",
        "burst",
        "hedges in the first second",
        "hedges in all",
        "hedges, no budget"
      ],
      ...rows.map(({ burst, processes, rate, shares, unlimited }) => [
        `${processes}`,
        `${rate}`,
        burst === undefined ? "default" : `${burst}`,
        ...shares.map(({ share }) => percent(share)),
        percent(unlimited)
      ])
    ],
    missed: rows.flatMap(({ processes, rate, shares }) =>
      shares.filter(({ most, share }) => !(share <= most + 1e-9)).map(({ most, share, when }) =>
        `${processes} with ${rate} a second: ${percent(share)} hedges ${when}, more than ${percent(most)}`
      )
    )
  }
}
