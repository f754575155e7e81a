import * as Cause from "effect/Cause"
import * as Inspectable from "effect/Inspectable"
import * as Predicate from "effect/Predicate"
import type { Unit } from "../../Timeline.js"
import { Checks } from "../options.js"

/**
 * Makes foreign text safe for a picture: one line, without terminal commands, without characters that XML forbids, and
 * without stacks of accents that would overlap other lines.
 *
 * @internal
 */
export const clean = (text: string): string =>
  text.slice(0, 1000).normalize()
    .replace(/\s+/g, " ")
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .replace(/[\p{Cc}\p{Cs}\p{Co}\p{Noncharacter_Code_Point}]/gu, "?")
    .replace(/(\p{M}{4})\p{M}+/gu, "$1")
    .trim()

/**
 * The width of a character, in columns or in pixels.
 *
 * @internal
 */
export type Measure = (char: string) => number

/** @internal */
export const sizeOf = (text: string, measure: Measure): number =>
  Array.from(text).reduce((sum, char) => sum + measure(char), 0)

/** @internal */
export const widest = (texts: ReadonlyArray<string>, measure: Measure): number =>
  texts.reduce((most, text) => Math.max(most, sizeOf(text, measure)), 0)

/** @internal */
export const fit = (text: string, room: number, measure: Measure): string => {
  const ellipsis = measure("…")
  let used = 0
  const kept = Array.from(text).filter((char) => (used += measure(char)) + ellipsis <= room).join("")
  return used <= room ? text : `${kept.trimEnd()}…`
}

/**
 * Joins the parts into as few lines as possible.
 *
 * @internal
 */
export const flow = (
  parts: ReadonlyArray<string>,
  separator: string,
  room: number,
  measure: Measure
): ReadonlyArray<string> =>
  parts.reduce<ReadonlyArray<string>>((lines, part) => {
    const joined = [...lines.slice(-1), part].join(separator)
    return sizeOf(joined, measure) <= room ? [...lines.slice(0, -1), joined] : [...lines, fit(part, room, measure)]
  }, [])

// Characters that take two columns in a terminal. The list covers what labels and messages are likely to hold.
const wide =
  /[\p{Emoji_Presentation}\p{sc=Han}\p{sc=Hangul}\p{sc=Yi}\u3001-\u33ff\ufe10-\ufe6f\uff01-\uff60\uffe0-\uffe6]/u

/** @internal */
export const isWide = (char: string): boolean => wide.test(char)

/** @internal */
export const isMark = (char: string): boolean => /\p{Mn}|\p{Me}/u.test(char)

/** @internal */
export const columnsOf: Measure = (char) => isMark(char) ? 0 : isWide(char) ? 2 : 1

/** @internal */
export const describe = (cause: Cause.Cause<unknown>, verb?: string): string =>
  Cause.isInterruptedOnly(cause)
    ? `${verb ?? "failed"}: interrupted`
    : `${verb ?? (Cause.isFailure(cause) ? "failed" : "died")}: ${messageOf(Cause.squash(cause))}`

// An error can be any value, even one whose properties throw.
const messageOf = (error: unknown): string => {
  try {
    const texts = ["message", "_tag", "code", "name"].map((key) => Predicate.hasProperty(error, key) ? error[key] : "")
    const text = texts.filter(Predicate.isString).map(clean).find((text) => text !== "")
    return text ?? (clean(Inspectable.toStringUnknown(error, 0)) || "(empty)")
  } catch {
    return "(unknown)"
  }
}

/** @internal */
export const count = (many: number, noun: string) => `${many} ${noun}${many === 1 ? "" : "s"}`

const figure = (value: number) => value >= 100 ? Math.round(value) : Number(value.toPrecision(3))

/** @internal */
export const inSeconds = (millis: number, unit: Unit) => unit === "seconds" || (unit === "auto" && millis >= 10_000)

/** @internal */
export const timeIn = (unit: Unit) => (millis: number): string =>
  inSeconds(millis, unit) ? `${figure(millis / 1000)} s` : `${figure(millis)} ms`

/** @internal */
export const check = new Checks("Timeline")

/** @internal */
export const units: ReadonlyArray<Unit> = ["auto", "millis", "seconds"]
