import * as Effect from "effect/Effect"
import * as Hedge from "../../src/Hedge.js"
import { Simulation } from "./simulation.js"

export interface Measured {
  /** Milliseconds, ascending. */
  readonly latencies: Float64Array
  /** Hedges per call. */
  readonly extra: number
}

export const quantile = ({ latencies }: Measured, q: number): number =>
  latencies[Math.max(0, Math.ceil(q * latencies.length) - 1)] ?? NaN

/**
 * Measures one call after the other. The policy has no budget unless `options` sets one. `latency` says how long an
 * attempt takes, and `every` how long to wait before each call. The first `skip` calls are not measured: their indices
 * are negative.
 */
export const inTurn = (
  options: Hedge.MakeOptions,
  latency: (call: number, attempt: number) => number,
  { calls, every, seed, skip = 0 }: {
    readonly calls: number
    readonly seed: number
    readonly skip?: number
    readonly every?: () => number
  }
): Measured => {
  const simulation = new Simulation(seed)
  const latencies = new Float64Array(calls)
  let [call, attempt, hedges] = [-skip, 0, 0]
  const request = Effect.suspend(() => {
    hedges += attempt > 0 && call >= 0 ? 1 : 0
    return simulation.sleep(latency(call, attempt++))
  })
  simulation.fork(Effect.gen(function*() {
    const hedged = Hedge.hedge(request, yield* Hedge.make({ budget: "unlimited", ...options }))
    for (; call < calls; call++) {
      if (every !== undefined) {
        yield* simulation.sleep(every())
      }
      const startedAt = simulation.now
      attempt = 0
      yield* hedged
      latencies[call] = simulation.now - startedAt
    }
  }))
  simulation.advanceTo(Infinity)
  return { latencies: latencies.sort(), extra: hedges / calls }
}
