import type * as Effect from "effect/Effect"
import type { Draw } from "./draws.js"
import type { Simulation } from "./simulation.js"

/** Starts one call after the other until a time. When the next one starts does not depend on how long calls take. */
export const arriving = (
  simulation: Simulation,
  { every, until }: { readonly every: () => number; readonly until: number },
  call: (arrivedAt: number) => Effect.Effect<void>
): void => {
  const next = () =>
    simulation.after(every(), () => {
      if (simulation.now <= until) {
        simulation.fork(call(simulation.now))
        next()
      }
    })
  next()
}

/** Draws the milliseconds between independent arrivals, `rate` a second. */
export const poisson = (rate: number, draw: Draw) => (): number => -1000 / rate * Math.log(draw())
