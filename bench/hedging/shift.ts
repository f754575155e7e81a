import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Hedge from "../../src/Hedge.js"
import { arriving, poisson } from "./arrivals.js"
import { exponential, quantileOf } from "./distributions.js"
import { drawing } from "./draws.js"
import { type Experiment, millis, percent } from "./section.js"
import { Simulation } from "./simulation.js"

const seed = 4
const rate = 100
const [slowAt, fastAt, end] = [60_000, 120_000, 210_000]
const factor = (now: number) => now >= slowAt && now < fastAt ? 4 : 1
const q95 = quantileOf(exponential.longer, 0.95)

/** Measures the delay, the calls and the hedges of each second. */
const observed = (budget: Hedge.MakeOptions["budget"], name: string) => {
  const simulation = new Simulation(seed)
  const draw = drawing(seed)
  const seconds = Array.from({ length: end / 1000 }, () => ({ calls: 0, hedges: 0, delay: NaN }))
  const second = () => seconds[Math.min(seconds.length - 1, Math.floor(simulation.now / 1000))]!
  simulation.fork(Effect.gen(function*() {
    const policy = yield* Hedge.make({ name, budget, delay: Hedge.percentile(0.95, { min: 0 }) })
    arriving(simulation, { every: poisson(rate, draw), until: end - 1 }, () => {
      let attempt = 0
      second().calls++
      const request = Effect.suspend(() => {
        second().hedges += attempt++ > 0 ? 1 : 0
        return simulation.sleep(exponential.at(draw()) * factor(simulation.now))
      })
      return Hedge.hedge(request, policy)
    })
    const delay = Metric.value(Metric.tagged(Hedge.metrics.delay, "policy", name))
    for (let index = 0; index < seconds.length; index++) {
      yield* simulation.sleep(999)
      seconds[index]!.delay = (yield* delay).value * 1000
      yield* simulation.sleep(1)
    }
  }))
  simulation.advanceTo(Infinity)
  return seconds
}

/** How many milliseconds after a shift the delay comes near its new value and stays there until the next shift. */
const settled = (seconds: ReturnType<typeof observed>, from: number, to: number): number => {
  const due = q95 * factor(from)
  const after = seconds.slice(from / 1000, to / 1000).reverse()
  const near = after.findIndex(({ delay }) => !(Math.abs(delay / due - 1) <= 0.1))
  return near < 0 ? 0 : (after.length - near) * 1000
}

const share = (seconds: ReturnType<typeof observed>, from: number, to: number): number => {
  const part = seconds.slice(from / 1000, to / 1000)
  const sum = (key: "calls" | "hedges") => part.reduce((total, each) => total + each[key], 0)
  return sum("hedges") / sum("calls")
}

export const shift: Experiment = () => {
  const [unlimited, limited] = [observed("unlimited", "shift"), observed({}, "shift, with a budget")]
  const phases = [
    ["before, from the 30th second on", 30_000, slowAt],
    ["four times as slow, for 60 s", slowAt, fastAt],
    ["as before, for 90 s", fastAt, end]
  ] as const
  const settles = phases.map(([, from, to]) => settled(unlimited, from, to))
  return {
    title: `3. The latency shifts: ${rate} calls a second, a window of 30 s`,
    table: [
      ["phase", "expected delay", "within a tenth of it after", "hedges, no budget", "hedges, budget of 5 %"],
      ...phases.map(([name, from, to], index) => [
        name,
        `${millis(q95 * factor(from))} ms`,
        index === 0 ? "" : `${settles[index]! / 1000} s`,
        percent(share(unlimited, from, to)),
        percent(share(limited, from, to))
      ])
    ],
    missed: [
      ...phases.flatMap(([name], index) =>
        settles[index]! > 60_000 ? [`${name}: the delay took ${settles[index]} ms, more than two windows`] : []
      ),
      ...phases.flatMap(([name, from, to]) =>
        share(limited, from, to) > 0.05 + 10 / (rate * (to - from) / 1000)
          ? [`${name}: ${percent(share(limited, from, to))} hedges, with a budget of 5 %`]
          : []
      )
    ],
    plot: {
      file: "shift.svg",
      description: "How the learned delay follows a latency that becomes four times as long, and goes back",
      panels: [{
        title: "the learned delay",
        x: { title: "seconds", type: "linear" },
        y: { title: "milliseconds", type: "linear" },
        lines: [
          { name: "95th percentile of the latency", points: unlimited.map((_, s) => [s, q95 * factor(s * 1000)]) },
          { name: "delay", points: unlimited.map(({ delay }, second) => [second + 1, delay]) }
        ]
      }]
    }
  }
}
