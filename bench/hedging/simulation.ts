import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as EventClock from "../../test/support/eventClock.js"

/** A simulation with a random generator of its own. */
export class Simulation extends EventClock.Simulation {
  private readonly random: Random.Random

  constructor(seed: number) {
    super()
    this.random = Random.make(seed)
  }

  /** Sleeps for an exact time. `Effect.sleep` would round it to nanoseconds. */
  sleep(millis: number): Effect.Effect<void> {
    return Effect.async((resume) => Effect.sync(this.after(millis, () => resume(Effect.void))))
  }

  override fork<A, E>(effect: Effect.Effect<A, E>) {
    return super.fork(Effect.withRandom(effect, this.random))
  }
}
