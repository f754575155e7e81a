import type * as Duration from "effect/Duration"
import * as Schedule from "effect/Schedule"
import type * as Hedge from "../../Hedge.js"
import * as settings from "../options.js"

/** @internal */
export const invalid = (option: string, value: unknown, expected: string) =>
  settings.invalid(option, value, expected, "Hedge")

const decodeMillis = (option: string, input: unknown) => settings.decodeMillis(option, input, "Hedge")

/** @internal */
export const decodeWindow = (input: unknown) => {
  const window = decodeMillis("window", input)
  if (!(window >= 1 && window < Infinity)) {
    throw invalid("window", input, "a duration of at least a millisecond, and finite")
  }
  return window
}

/** @internal */
export const decodeCount = (option: string, value: number, least: number, besides?: number) => {
  if (value !== besides && !(Number.isInteger(value) && value >= least)) {
    throw invalid(option, value, `a whole number of at least ${least}`)
  }
  return value
}

/** @internal */
export const decodeShare = (option: string, value: number) => {
  if (!(value >= 0 && value <= 1)) {
    throw invalid(option, value, "a number from 0 to 1")
  }
  return value
}

const decodeFraction = (option: string, value: number) => {
  if (!(value > 0 && value < 1)) {
    throw invalid(option, value, "a number between 0 and 1")
  }
  return value
}

/** @internal */
export const percentile = (
  quantile: number,
  { above = "clamp", max = Infinity, min = 1, warmup = 20, window = 30_000 }: Hedge.PercentileOptions = {}
): Hedge.Percentile => {
  if (above !== "stop" && above !== "clamp") {
    throw invalid("above", above, "\"stop\" or \"clamp\"")
  }
  const decoded = {
    quantile: decodeFraction("quantile", quantile),
    max: decodeMillis("max", max),
    min: decodeMillis("min", min),
    window: decodeWindow(window)
  }
  if (decoded.max < decoded.min) {
    throw invalid("max", max, "at least min")
  }
  return { _tag: "Percentile", above, warmup: decodeCount("warmup", warmup, 1), ...decoded }
}

/** @internal */
export const isPercentile = (delay: unknown): delay is Hedge.Percentile =>
  typeof delay === "object" && delay !== null && "_tag" in delay && delay._tag === "Percentile"

/** A delay that `StaggeredRace` understands. */
export type Timing = Exclude<Hedge.Options["delay"], Hedge.Percentile>

/**
 * Options with nothing that makes no sense, and no defaults left to say.
 *
 * @internal
 */
export interface Settings<A, E> extends Hedge.Options<A, E> {
  /** Milliseconds, where it is a duration. */
  readonly delay: number | Exclude<Hedge.Options["delay"], Duration.DurationInput>
  readonly maxHedges: number
  readonly probability: number | "auto"
  readonly tail: number
}

/** @internal */
export const decode = <A, E>(options: Hedge.Options<A, E>): Settings<A, E> => {
  const { accept, delay, fatal, losers = "await", maxHedges = 1, name, probability = 1, pushback, tail = 0.99 } =
    options
  if (probability === "auto" && !isPercentile(delay)) {
    throw invalid("probability", probability, "a number from 0 to 1 unless the delay is a percentile")
  }
  settings.decodeName(name, "Hedge")
  for (const [option, callback] of Object.entries({ accept, fatal, pushback })) {
    if (callback !== undefined && typeof callback !== "function") {
      throw invalid(option, callback, "a function")
    }
  }
  return {
    ...options,
    delay: isPercentile(delay) || Schedule.isSchedule(delay) ? delay : decodeMillis("delay", delay),
    losers: settings.decodeLosers(losers, "Hedge"),
    maxHedges: decodeCount("maxHedges", maxHedges, 0),
    probability: probability === "auto" ? probability : decodeShare("probability", probability),
    tail: decodeFraction("tail", tail)
  }
}
