import type * as Effect from "effect/Effect"
import type { Draw } from "./draws.js"
import type { Simulation } from "./simulation.js"

/** Starts a call after the other, at times that do not depend on how long they take: `rate` a second, until a time. */
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

/** The times between arrivals that know nothing of each other; `rate` a second. */
export const poisson = (rate: number, draw: Draw) => (): number => -1000 / rate * Math.log(draw())
