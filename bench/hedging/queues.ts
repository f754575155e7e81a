import * as Effect from "effect/Effect"
import * as Hedge from "../../src/Hedge.js"
import { arriving, poisson } from "./arrivals.js"
import { type Measured, quantile } from "./calls.js"
import { quantileOf, stragglers, stragglersMean } from "./distributions.js"
import { drawing } from "./draws.js"
import type { Panel } from "./plots.js"
import { type Experiment, millis, percent, wider } from "./section.js"
import { Server } from "./server.js"
import { Simulation } from "./simulation.js"

const seed = 6
const servers = 10
const loads = [0.3, 0.5, 0.7, 0.85]

const policies: ReadonlyArray<{ readonly name: string; readonly options: Hedge.MakeOptions }> = [
  { name: "none", options: { delay: 0, maxHedges: 0 } },
  {
    name: "after Q.95 without load, no budget",
    options: { delay: quantileOf(stragglers.longer, 0.95), budget: "unlimited" }
  },
  { name: "percentile, no budget", options: { delay: Hedge.percentile(0.95), budget: "unlimited" } },
  { name: "percentile, budget of 5 %", options: { delay: Hedge.percentile(0.95) } }
]

/** Measures calls that arrive at random. Each attempt goes to a random server. */
const observed = (
  options: Hedge.MakeOptions,
  { calls, honours, load }: { readonly calls: number; readonly honours: boolean; readonly load: number }
): Measured => {
  const simulation = new Simulation(seed)
  // Requests are the same under every policy, so only the policy makes a difference.
  const [forArrivals, forFirsts, forHedges] = [drawing(seed), drawing(seed + 1), drawing(seed + 2)]
  const all = Array.from({ length: servers }, () => new Server(simulation))
  const rate = load * servers / stragglersMean * 1000
  const warmup = calls / 10
  const latencies = new Float64Array(calls)
  let [arrived, hedges] = [-warmup, 0]
  simulation.fork(Effect.map(Hedge.make(options), (policy) => {
    arriving(simulation, { every: poisson(rate, forArrivals), until: (warmup + calls) / rate * 1000 }, (arrivedAt) => {
      const index = arrived++
      const send = (draw: () => number) => ({
        server: all[Math.floor(draw() * servers)]!,
        millis: stragglers.at(draw())
      })
      const first = send(forFirsts)
      let attempt = 0
      const request = Effect.async<void>((resume) => {
        const isFirst = attempt++ === 0
        hedges += !isFirst && index >= 0 ? 1 : 0
        const { millis, server } = isFirst ? first : send(forHedges)
        const cancel = server.enqueue({ millis, done: () => resume(Effect.void) })
        return honours ? Effect.sync(cancel) : Effect.void
      })
      return Effect.map(Hedge.hedge(request, policy), () => {
        if (index >= 0 && index < calls) {
          latencies[index] = simulation.now - arrivedAt
        }
      })
    })
  }))
  simulation.advanceTo(Infinity)
  const measured = Math.min(calls, arrived)
  return { latencies: latencies.subarray(0, measured).sort(), extra: hedges / measured }
}

export const queues: Experiment = (scale) => {
  const calls = 100_000 * scale
  const rows = [true, false].flatMap((honours) =>
    loads.map((load) => ({
      honours,
      load,
      measured: policies.map(({ options }) => observed(options, { calls, honours, load }))
    }))
  )
  const cell = (measured: Measured) =>
    `${millis(quantile(measured, 0.5))} / ${millis(quantile(measured, 0.99))}, ${percent(measured.extra)}`
  const where = ({ honours, load }: typeof rows[number]) =>
    `load ${load}, abandoned requests are ${honours ? "dropped" : "finished"}`
  const panel = (y: Panel["y"], honours: boolean, value: (measured: Measured) => number): Panel => ({
    title: `abandoned requests are ${honours ? "dropped" : "finished"}`,
    x: { title: "load", type: "linear" },
    y,
    lines: policies.map(({ name }, index) => ({
      name,
      points: rows.filter((row) => row.honours === honours).map(({ load, measured }) =>
        [load, value(measured[index]!)] as const
      )
    }))
  })
  const table = [
    ["load", "abandoned requests are", ...policies.map(({ name }) => name)],
    ...rows.map(({ honours, load, measured }) => [
      `${load}`,
      honours ? "dropped" : "finished",
      ...measured.map(cell)
    ])
  ]
  return {
    title: `5. Ten servers with queues, ${
      calls.toLocaleString("en")
    } calls: p50 / p99 in milliseconds, hedges per call`,
    table,
    guide: { page: "hedging.md", table },
    missed: rows.flatMap((row) => {
      const [none, , , limited] = row.measured
      const ratio = (q: number) => quantile(limited!, q) / quantile(none!, q)
      const mostP99 = row.honours && row.load <= 0.7 ? 0.75 : 1.2
      return [[0.5, 1.35], [0.99, mostP99]].flatMap(([q = NaN, most = NaN]) =>
        ratio(q) <= (most > 1 ? 1 + wider(most - 1, scale) : most)
          ? []
          : [`${where(row)}: the quantile ${q} is ${ratio(q).toFixed(2)} times that without hedges`]
      )
    }),
    plot: {
      file: "queues.svg",
      description:
        "Median, 99th percentile, and hedges per call over the load of ten servers: without hedges, with a fixed " +
        "delay, and with a percentile, without and with a budget",
      panels: [true, false].flatMap((honours) => [
        panel({ title: "median, ms", type: "log" }, honours, (measured) => quantile(measured, 0.5)),
        panel({ title: "99th percentile, ms", type: "log" }, honours, (measured) => quantile(measured, 0.99)),
        panel({ title: "hedges per call", type: "linear" }, honours, ({ extra }) => extra)
      ])
    }
  }
}
