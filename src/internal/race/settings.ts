import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import type { Options, RaceEvent } from "../../StaggeredRace.js"
import { decodeLosers, decodeMillis, decodeName, invalid } from "../options.js"

/**
 * Options as the coordinator reads them: decoded once per call, in milliseconds, nothing optional.
 *
 * @internal
 */
export interface Settings<A, E, RD, RE> {
  /** Milliseconds, or a schedule that says how many after each start. */
  readonly delay: number | Schedule.Schedule<unknown, number, RD>
  readonly minDelay: number
  readonly concurrency: number
  readonly fatal: Predicate.Predicate<Cause.Cause<E>> | undefined
  readonly background: boolean
  readonly onEvent: ((event: RaceEvent<A, E>) => Effect.Effect<unknown, unknown, RE>) | undefined
  readonly name: string | undefined
}

/** @internal */
export const decode = <A, E, RD, RE>(options: Options<A, E, RD, RE>): Settings<A, E, RD, RE> => {
  const { concurrency = "unbounded", delay, fatal, losers = "await", minDelay = 0, name, onEvent } = options
  const minDelayMillis = decodeMillis("minDelay", minDelay)
  if (minDelayMillis === Infinity) {
    throw invalid("minDelay", minDelay, "finite")
  }
  if (concurrency !== "unbounded" && concurrency !== Infinity && !(Number.isInteger(concurrency) && concurrency >= 1)) {
    throw invalid("concurrency", concurrency, "\"unbounded\" or a whole number of at least 1")
  }
  for (const [option, callback] of Object.entries({ fatal, onEvent })) {
    if (callback !== undefined && typeof callback !== "function") {
      throw invalid(option, callback, "a function")
    }
  }
  decodeName(name)
  return {
    delay: Schedule.isSchedule(delay) ? delay : decodeMillis("delay", delay),
    minDelay: minDelayMillis,
    concurrency: concurrency === "unbounded" ? Infinity : concurrency,
    fatal,
    background: decodeLosers(losers) === "background",
    onEvent,
    name
  }
}
