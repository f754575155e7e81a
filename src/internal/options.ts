import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"

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
