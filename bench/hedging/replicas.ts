import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Hedge from "../../src/Hedge.js"
import * as Replicas from "../../src/Replicas.js"
import { arriving, poisson } from "./arrivals.js"
import { type Measured, quantile } from "./calls.js"
import { drawing } from "./draws.js"
import { type Experiment, millis, percent, wider } from "./section.js"
import { Server } from "./server.js"
import { Simulation } from "./simulation.js"

const seed = 7
const loads = [0.3, 0.5, 0.7, 0.85]

/** Milliseconds of work: exponential, and one job in fifty takes ten times as long. */
const work = { mean: 4, slow: 0.02, times: 10 }
const workMean = work.mean * (1 - work.slow + work.slow * work.times)

/** Ten servers. One is ten times as slow, and one is silent or refuses: eight and a tenth can work. */
const slowness = 10
const servers = 10
const capacity = servers - 2 + 1 / slowness
const limit = "1 second"

type Ill = "silent" | "refusing"

interface Rule {
  readonly name: string
  readonly choices: number
  readonly policy: Hedge.MakeOptions<void, string>
}

/** A failure is answered by another replica, and nothing else is. */
const failover = { delay: Duration.infinity, budget: "unlimited" } as const
const hedged = {
  delay: Hedge.percentile(0.95, { min: 5, max: 200, window: "5 seconds" }),
  budget: { ratio: 0.05 }
} as const

const rules: ReadonlyArray<Rule> = [
  { name: "random", choices: 1, policy: failover },
  { name: "random, hedges for 5 %", choices: 1, policy: hedged },
  { name: "three choices", choices: 3, policy: failover },
  { name: "three choices, hedges for 5 %", choices: 3, policy: hedged }
]

interface Seen extends Measured {
  readonly failed: number
}

interface Setting {
  readonly calls: number
  readonly clients: number
  readonly ill: Ill
  readonly load: number
}

/** Measures calls that arrive at random at one of the clients, each of which knows what it has seen itself. */
const observed = ({ choices, policy }: Rule, { calls, clients, ill, load }: Setting): Seen => {
  const simulation = new Simulation(seed)
  const [forArrivals, forWork] = [drawing(seed), drawing(seed + 1)]
  const all = Array.from({ length: servers }, (_, index) => new Server(simulation, index === 8 ? slowness : 1))
  const ofWork = () => -Math.log(1 - forWork()) * work.mean * (forWork() < work.slow ? work.times : 1)
  const warmup = calls / 2
  const rate = load * capacity / workMean * 1000
  const latencies = new Float64Array(calls)
  let [arrived, hedges, failed] = [-warmup, 0, 0]

  const ask = (server: number, index: number): Effect.Effect<void, string> =>
    Effect.async((resume) => {
      hedges += index > 0 && arrived > 0 ? 1 : 0
      if (server === servers - 1) {
        return ill === "silent"
          ? Effect.void
          : Effect.sync(simulation.after(1, () => resume(Effect.fail("refused"))))
      }
      return Effect.sync(all[server]!.enqueue({ millis: ofWork(), done: () => resume(Effect.void) }))
    })

  for (let client = 0; client < clients; client++) {
    simulation.fork(Effect.gen(function*() {
      const hedging = yield* Hedge.make(policy)
      const replicas = yield* Replicas.make(all.map((_, index) => ({ id: `${index}`, target: index })), { choices })
      const until = (warmup + calls) / rate * 1000
      arriving(simulation, { every: poisson(rate / clients, forArrivals), until }, (arrivedAt) => {
        const index = arrived++
        return Replicas.hedge(replicas, ask, hedging).pipe(
          Effect.timeout(limit),
          Effect.exit,
          Effect.map((exit) => {
            if (index >= 0 && index < calls) {
              latencies[index] = simulation.now - arrivedAt
              failed += Exit.isFailure(exit) ? 1 : 0
            }
          })
        )
      })
    }))
  }
  simulation.advanceTo(Infinity)
  const measured = Math.min(calls, arrived)
  return { latencies: latencies.subarray(0, measured).sort(), extra: hedges / measured, failed: failed / measured }
}

export const replicas: Experiment = (scale) => {
  const calls = 20_000 * scale
  const rows = (["silent", "refusing"] as const).flatMap((ill) =>
    [4, 40].flatMap((clients) =>
      loads.map((load) => ({
        ill,
        clients,
        load,
        seen: rules.map((rule) => observed(rule, { calls, clients, ill, load }))
      }))
    )
  )
  const cell = (seen: Seen) => `${millis(quantile(seen, 0.99))}, ${percent(seen.extra)}, ${percent(seen.failed)}`
  return {
    title: `9. Ten replicas, one ten times as slow and one ill, ${
      calls.toLocaleString("en")
    } calls: p99 in milliseconds, attempts besides the first, calls that failed within a second`,
    table: [
      ["one is", "clients", "load", ...rules.map(({ name }) => name)],
      ...rows.map(({ clients, ill, load, seen }) => [ill, `${clients}`, `${load}`, ...seen.map(cell)])
    ],
    guide: {
      page: "replicas.md",
      table: [
        ["load", ...rules.map(({ name }) => name)],
        ...rows.filter(({ clients, ill }) => clients === 4 && ill === "silent").map(({ load, seen }) => [
          `${load}`,
          ...seen.map((one) => `${millis(quantile(one, 0.99))}, ${percent(one.failed)} failed`)
        ])
      ]
    },
    missed: rows.flatMap(({ clients, ill, load, seen }) => {
      const [, , chosen, both] = seen as [Seen, Seen, Seen, Seen]
      const where = `${clients} clients, load ${load}, one ${ill}`
      const ratio = quantile(both, 0.99) / quantile(chosen, 0.99)
      // Of many clients each sees few calls, and under load most of the wait is behind the calls of others.
      const most = clients > 4 && load > 0.5 ? 0.7 : 0.45
      return [
        ...ratio <= wider(most, scale) ? [] : [`${where}: p99 is ${ratio.toFixed(2)} times that without hedges`],
        ...both.failed === 0 ? [] : [`${where}: ${percent(both.failed)} of calls failed`],
        ...both.extra <= wider(0.052, scale) ? [] : [`${where}: ${percent(both.extra)} attempts besides the first`]
      ]
    })
  }
}
