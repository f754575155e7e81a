import * as Effect from "effect/Effect"
import { DemoError } from "./demo.js"

/** An option whose value is a whole number. */
export interface Whole {
  readonly least: number
  readonly most: number
  /** The default. */
  readonly otherwise: number
}

export const parseWhole = (
  option: string,
  { least, most, otherwise }: Whole,
  text = `${otherwise}`
): Effect.Effect<number, DemoError> => {
  const value = Number(text)
  return /^\d+$/.test(text) && value >= least && value <= most
    ? Effect.succeed(value)
    : new DemoError({ message: `--${option} must be a whole number from ${least} to ${most}, got "${text}"` })
}

export const describeWhole = ({ least, most, otherwise }: Whole): string =>
  `from ${least} to ${most}; default ${otherwise}`
