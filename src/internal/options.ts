import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"

const show = (value: unknown): string => {
  if (typeof value === "string") {
    return JSON.stringify(value)
  }
  try {
    return Array.isArray(value) ? `[${value}]` : String(value)
  } catch {
    // An object without a prototype, or whose `toString` throws.
    return typeof value
  }
}

// `Duration.decode` turns a negative number or NaN into zero, which would start all candidates at once.
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

const toMillis = (input: unknown): number =>
  isBelowZero(input)
    ? NaN
    : Option.match(Duration.decodeUnknown(input), { onNone: () => NaN, onSome: Duration.toMillis })

/**
 * Checks the options of one public module. A failed check throws an `IllegalArgumentException` that names the module,
 * the option and the value. A check of one option returns the decoded value, such as milliseconds.
 *
 * @internal
 */
export class Checks {
  constructor(private readonly module: string) {}

  that(isFine: boolean, option: string, value: unknown, expected: string): void {
    if (!isFine) {
      throw this.invalid(`option "${option}" must be ${expected}, got ${show(value)}`)
    }
  }

  /** Comes before any option is read: JavaScript callers may pass anything. `content` completes the message. */
  object<A>(what: string, value: A, content: string): A {
    if (typeof value !== "object" || value === null) {
      throw this.invalid(`${what} must be an object with ${content}, got ${show(value)}`)
    }
    return value
  }

  /** Returns milliseconds, or the schedule as it is. */
  delay<R>(input: Duration.DurationInput | Schedule.Schedule<unknown, number, R>) {
    if (input === undefined) {
      throw this.invalid("option \"delay\" is required: a duration of zero or more, or a schedule")
    }
    return Schedule.isSchedule(input) ? input : this.millis("delay", input)
  }

  millis(option: string, input: unknown): number {
    const millis = toMillis(input)
    this.that(millis >= 0, option, input, "a duration of zero or more")
    return millis
  }

  finiteMillis(option: string, input: unknown): number {
    const millis = this.millis(option, input)
    this.that(millis < Infinity, option, input, "finite")
    return millis
  }

  /** An interval or a lifetime, in milliseconds. */
  period(option: string, input: unknown): number {
    const millis = this.millis(option, input)
    this.that(millis >= 1 && millis < Infinity, option, input, "a duration of at least a millisecond, and finite")
    return millis
  }

  whole(option: string, value: number, least: number, most = Infinity): number {
    const range = most < Infinity ? `from ${least} to ${most}` : `of at least ${least}`
    this.that(Number.isInteger(value) && value >= least && value <= most, option, value, `a whole number ${range}`)
    return value
  }

  /** A whole number, or `Infinity` for no limit. */
  limit(option: string, value: number, least: number): number {
    return value === Infinity ? value : this.whole(option, value, least)
  }

  share(option: string, value: number): number {
    this.that(value >= 0 && value <= 1, option, value, "a number from 0 to 1")
    return value
  }

  /** A share, without 0 and 1. */
  fraction(option: string, value: number): number {
    this.that(value > 0 && value < 1, option, value, "a number between 0 and 1")
    return value
  }

  oneOf<A>(option: string, value: A, choices: ReadonlyArray<A>): A {
    this.that(choices.includes(value), option, value, choices.map(show).join(" or "))
    return value
  }

  losers(value: "await" | "background"): "await" | "background" {
    return this.oneOf("losers", value, ["await", "background"])
  }

  /** Takes options by name. */
  functions(options: Record<string, unknown>): void {
    for (const [option, value] of Object.entries(options)) {
      this.that(value === undefined || typeof value === "function", option, value, "a function")
    }
  }

  text(option: string, value: string | undefined): void {
    this.that(value === undefined || typeof value === "string", option, value, "a string")
  }

  name(value: string | undefined): string | undefined {
    const isFine = value === undefined || (typeof value === "string" && value !== "")
    this.that(isFine, "name", value, "a string that is not empty")
    return value
  }

  private invalid(message: string) {
    return new Cause.IllegalArgumentException(`${this.module}: ${message}`)
  }
}
