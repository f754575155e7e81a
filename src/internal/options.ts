import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Predicate from "effect/Predicate"
import * as Schedule from "effect/Schedule"
import type { Options, RaceEvent } from "../StaggeredRace.js"

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

/** The public module that an option belongs to. */
type Module = "StaggeredRace" | "HappyEyeballs" | "NodeHappyEyeballs" | "Hedge" | "HedgedHttpClient"

/** @internal */
export const invalid = (option: string, value: unknown, expected: string, module: Module = "StaggeredRace") => {
  const shown = typeof value === "string" ? JSON.stringify(value) : Array.isArray(value) ? `[${value}]` : String(value)
  return new Cause.IllegalArgumentException(`${module}: option "${option}" must be ${expected}, got ${shown}`)
}

// `Duration.decode` turns what is negative or not a number into zero, which here would mean "all at once".
const isBelowZero = (input: unknown): boolean => {
  switch (typeof input) {
    case "number":
      return !(input >= 0)
    case "bigint":
      return input < 0n
    case "string":
      return input.trimStart().startsWith("-")
    default:
      return Array.isArray(input) && input.some(isBelowZero)
  }
}

/** @internal */
export const decodeMillis = (option: string, input: unknown, module?: Module): number => {
  const decoded = isBelowZero(input) ? Option.none() : Duration.decodeUnknown(input)
  if (Option.isNone(decoded)) {
    throw invalid(option, input, "a duration of zero or more", module)
  }
  return Duration.toMillis(decoded.value)
}

/** @internal */
export const decodeLosers = (losers: "await" | "background", module?: Module): "await" | "background" => {
  if (losers !== "await" && losers !== "background") {
    throw invalid("losers", losers, "\"await\" or \"background\"", module)
  }
  return losers
}

/** @internal */
export const decodeName = (name: unknown, module?: Module): void => {
  if (name !== undefined && (typeof name !== "string" || name === "")) {
    throw invalid("name", name, "a string that is not empty", module)
  }
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
