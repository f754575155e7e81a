import type * as Effect from "effect/Effect"
import type { Draw } from "./draws.js"
import type { Simulation } from "./simulation.js"

/** Starts calls until a time, whether or not earlier calls have ended. */
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

/** Draws the milliseconds between two arrivals that do not depend on each other, at `rate` a second. */
export const poisson = (rate: number, draw: Draw) => (): number => -1000 / rate * Math.log(draw())
