import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Candidate, Delay, Scenario } from "./scenario.js"

/** What a candidate does as long as it is not interrupted. */
export const workOf = ({ latency, name, result }: Candidate): Effect.Effect<string, string> => {
  if (latency === null) {
    return Effect.never
  }
  const end = result === "succeeds" ? Effect.succeed(`answer of ${name}`) : Effect.fail("unavailable")
  return latency === 0 ? end : Effect.delay(end, latency)
}

/** Work that takes its time to let go when it is interrupted. */
export const cleaningUp = <A, E>(work: Effect.Effect<A, E>, { cleanUp }: Candidate): Effect.Effect<A, E> =>
  cleanUp === 0 ? work : Effect.onInterrupt(work, () => Effect.sleep(cleanUp))

export const effectOf = (candidate: Candidate): Effect.Effect<string, string> =>
  cleaningUp(workOf(candidate), candidate)

const delayOf = ({ millis, pace }: Delay): StaggeredRace.Options["delay"] =>
  millis === null
    ? Duration.infinity
    : pace === "exponential"
    ? Schedule.exponential(millis)
    : pace === "linear"
    ? Schedule.linear(millis)
    : millis

export const optionsOf = ({ concurrency, delay, losers, minDelay }: Scenario): StaggeredRace.Options => ({
  delay: delayOf(delay),
  minDelay,
  concurrency,
  losers
})
