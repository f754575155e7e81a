import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Predicate from "effect/Predicate"
import type * as Schedule from "effect/Schedule"
import type { Options, RaceEvent } from "../../StaggeredRace.js"
import { Checks } from "../options.js"

/** @internal */
export const check = new Checks("StaggeredRace")

/**
 * The options of a race, checked once per run. Durations are in milliseconds, and defaults are filled in.
 *
 * @internal
 */
export interface Settings<A, E, RD, RE> {
  readonly delay: number | Schedule.Schedule<unknown, number, RD>
  readonly minDelay: number
  readonly concurrency: number
  readonly fatal: Predicate.Predicate<Cause.Cause<E>> | undefined
  readonly background: boolean
  readonly onEvent: ((event: RaceEvent<A, E>) => Effect.Effect<unknown, unknown, RE>) | undefined
  readonly name: string | undefined
}

/**
 * Throws an `IllegalArgumentException` for the first invalid option.
 *
 * @internal
 */
export const decode = <A, E, RD, RE>(options: Options<A, E, RD, RE>): Settings<A, E, RD, RE> => {
  const { concurrency = "unbounded", delay, fatal, losers = "await", minDelay = 0, name, onEvent } = check.object(
    "options",
    options,
    "a delay"
  )
  const most = concurrency === "unbounded" ? Infinity : concurrency
  check.that(
    most === Infinity || (Number.isInteger(most) && most >= 1),
    "concurrency",
    concurrency,
    "\"unbounded\" or a whole number of at least 1"
  )
  check.functions({ fatal, onEvent })
  return {
    delay: check.delay(delay),
    minDelay: check.finiteMillis("minDelay", minDelay),
    concurrency: most,
    fatal,
    background: check.losers(losers) === "background",
    onEvent,
    name: check.name(name)
  }
}
