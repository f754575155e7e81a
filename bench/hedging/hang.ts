import * as Effect from "effect/Effect"
import * as Hedge from "../../src/Hedge.js"
import { arriving, poisson } from "./arrivals.js"
import { type Measured, quantile } from "./calls.js"
import { exponential, quantileOf } from "./distributions.js"
import { drawing } from "./draws.js"
import { type Experiment, millis, percent } from "./section.js"
import { Simulation } from "./simulation.js"

const seed = 7
const rate = 100
const servers = 3
const max = 50
const q95 = quantileOf(exponential.longer, 0.95)

/** Seconds: all servers answer, then one of them hangs, then all answer again. */
interface Phases {
  readonly hangsAt: number
  readonly answersAt: number
  readonly end: number
}

interface Observed {
  /** The delay at the end of each second, and the slowest answer to a request until then, hedges apart. */
  readonly seconds: ReadonlyArray<{ readonly delay: number; readonly slowest: number }>
  /** The calls that arrived while a server hung. */
  readonly hanging: Measured
}

/** A hedge goes to another server than the request. */
const observed = ({ answersAt, end, hangsAt }: Phases, options: Hedge.PercentileOptions): Observed => {
  const simulation = new Simulation(seed)
  const [forArrivals, forServers] = [drawing(seed), drawing(seed + 1)]
  const seconds: Array<Observed["seconds"][number]> = []
  const latencies: Array<number> = []
  let [slowest, calls, hedges] = [0, 0, 0]
  const isHanging = (now: number) => now >= hangsAt * 1000 && now < answersAt * 1000
  simulation.fork(Effect.gen(function*() {
    const policy = yield* Hedge.make({ budget: "unlimited", delay: Hedge.percentile(0.95, { min: 0, ...options }) })
    arriving(simulation, { every: poisson(rate, forArrivals), until: end * 1000 }, (arrivedAt) => {
      let request = 0
      const first = Math.floor(forServers() * servers)
      const answer = Effect.suspend(() => {
        const isFirst = request === 0
        const server = (first + request++) % servers
        const latency = exponential.at(forServers())
        hedges += !isFirst && isHanging(arrivedAt) ? 1 : 0
        return server === 0 && isHanging(simulation.now)
          ? Effect.never
          : Effect.map(simulation.sleep(latency), () => {
            slowest = isFirst ? Math.max(slowest, latency) : slowest
          })
      })
      calls += isHanging(arrivedAt) ? 1 : 0
      return Effect.map(Hedge.hedge(answer, policy), () => {
        if (isHanging(arrivedAt)) {
          latencies.push(simulation.now - arrivedAt)
        }
      })
    })
    for (let second = 1; second <= end; second++) {
      yield* simulation.sleep(1000)
      const { keys: [all] } = yield* Hedge.stats(policy)
      seconds.push({ slowest, delay: all?.delay._tag === "Right" ? all.delay.right : NaN })
    }
  }))
  simulation.advanceTo(Infinity)
  return { seconds, hanging: { latencies: Float64Array.from(latencies).sort(), extra: hedges / calls } }
}

export const hang: Experiment = (scale) => {
  const hangsAt = 60
  const answersAt = hangsAt + 600 * scale
  const phases: Phases = { hangsAt, answersAt, end: answersAt + 61 }
  const [without, limited] = [observed(phases, {}), observed(phases, { max })]
  const delayAt = ({ seconds }: Observed, second: number) => seconds[Math.round(second) - 1]?.delay ?? NaN
  const greatest = ({ seconds }: Observed) => Math.max(...seconds.map(({ delay }) => Number.isNaN(delay) ? 0 : delay))
  const times = [
    ["all answer", hangsAt],
    ...[10, 200 * scale, 600 * scale].map((after) => [`one hangs, for ${after} s`, hangsAt + after] as const),
    ["all answer again, for 60 s", answersAt + 60]
  ] as const
  const row = ({ extra, latencies }: Measured) =>
    `${millis(quantile({ extra, latencies }, 0.5))} / ${millis(quantile({ extra, latencies }, 0.99))}, ${
      percent(extra)
    }`
  // Twice the slowest answer, and 1 % because a bucket is that wide.
  const isOver = ({ delay, slowest }: Observed["seconds"][number]) => delay > 2.02 * slowest
  return {
    title: `7. One server of three hangs for ${600 * scale} s, percentile .95, ${rate} calls a second, no budget`,
    table: [
      ["", "delay without `max`, ms", `delay with a \`max\` of ${max} ms`],
      ...times.map(([name, second]) => [
        name,
        millis(delayAt(without, second)),
        millis(delayAt(limited, second))
      ]),
      ["greatest delay", millis(greatest(without)), millis(greatest(limited))],
      ["calls while it hangs: p50 / p99 in ms, hedges", row(without.hanging), row(limited.hanging)]
    ],
    missed: [
      ...without.seconds.flatMap((second, index) =>
        isOver(second)
          ? [`second ${index + 1}: the delay is ${second.delay} ms, and the slowest answer took ${second.slowest} ms`]
          : []
      ),
      ...limited.seconds.filter(({ delay }) => delay > max).map(({ delay }) =>
        `the delay is ${delay} ms, with a max of ${max}`
      ),
      ...[without, limited].filter((each) => !(Math.abs(delayAt(each, answersAt + 60) / q95 - 1) <= 0.1)).map((each) =>
        `${delayAt(each, answersAt + 60)} ms two windows after the server answers again, not ${q95}`
      )
    ]
  }
}
