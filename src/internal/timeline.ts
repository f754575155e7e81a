import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Inspectable from "effect/Inspectable"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Attempt, Outcome } from "../StaggeredRace.js"
import type { Options } from "../Timeline.js"

/**
 * What there is to draw, whatever it is drawn with. Times are milliseconds from the start of the race.
 *
 * @internal
 */
export interface Layout {
  /** How the race ended, in clauses. */
  readonly headline: ReadonlyArray<string>
  readonly rows: ReadonlyArray<Row | Gap>
  readonly decidedAt: number
  /** When all had ended, which is where the axis ends. */
  readonly span: number
}

/** @internal */
export interface Row extends Pick<Attempt<unknown, unknown>, "startedBy" | "result"> {
  readonly label: string
  readonly note: string
  readonly from: number
  readonly to: number
}

/** @internal */
export interface Gap {
  readonly elided: string
}

/** @internal */
export const layout = <A, E, E2>(self: Outcome<A, E, E2>, labels: ReadonlyArray<string>, maxRows: number): Layout => {
  const { attempts } = self
  // In whole nanoseconds: a fraction of a millisecond counted from 1970 brings a rounding error along.
  const since = (at: number) =>
    Math.round(Math.min(Math.max(0, at - self.startedAt) || 0, Number.MAX_SAFE_INTEGER) * 1e6) / 1e6
  const decidedAt = since(self.decidedAt)
  const span = attempts.reduce((end, { endedAt }) => Math.max(end, since(endedAt)), since(self.endedAt))
  const labelOf = (index: number) => fit(clean(labels[index] ?? ""), 40) || `#${index}`
  const decider = deciderOf(self)

  const rowOf = (attempt: Attempt<A, E>): Row => {
    const { exit, index, result, startedBy } = attempt
    const to = since(attempt.endedAt)
    const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
    const after = to > decidedAt ? time(to - decidedAt) : undefined
    const note = {
      won: () => "won",
      failed: () => describe(cause, attempt === decider ? "fatal" : undefined),
      lost: () => !Cause.isInterruptedOnly(cause) ? `lost, ${describe(cause)}` : after ? `lost, clean-up ${after}` : "lost",
      late: () => after ? `late by ${after}` : "late"
    }
    return { label: labelOf(index), note: note[result](), startedBy, result, from: since(attempt.startedAt), to }
  }

  const rows: Array<Row | Gap> = []
  let next = 0
  for (const position of [...visible(attempts, decider, maxRows), attempts.length]) {
    if (position > next) {
      rows.push({ elided: `… ${count(position - next, "more attempt")} (${tally(attempts.slice(next, position))})` })
    }
    rows.push(...attempts.slice(position, position + 1).map(rowOf))
    next = position + 1
  }

  const all = count(attempts.length, "attempt")
  const failed = `${attempts.filter(({ result }) => result === "failed").length} of ${all} failed`
  const at = time(decidedAt)
  const verdict = Option.isSome(self.winner)
    ? [`winner ${labelOf(self.winner.value.index)} after ${at}`, all]
    : attempts.length === 0
    ? ["no winner: no attempts", at]
    : self.decidedBy === "failures"
    ? [`no winner: ${failed}`, at]
    : self.decidedBy === "fatal"
    ? [`no winner: ${decider ? labelOf(decider.index) : "a failure"} was fatal after ${at}`, failed]
    : [`no winner: ${self.decidedBy} after ${at}`, failed]
  const ended = span > decidedAt ? [`all ended after ${time(span)}`] : []
  const source = Option.toArray(self.sourceFailure).map((cause) => `the source ${describe(cause)}`)
  return { headline: [...verdict, ...ended, ...source], rows, decidedAt, span: Math.max(span, decidedAt) }
}

/** The attempt that decided the race. Of several that failed in the last millisecond, any may have been the fatal one. */
const deciderOf = <A, E, E2>({ attempts, decidedBy }: Outcome<A, E, E2>): Attempt<A, E> | undefined => {
  if (decidedBy !== "fatal") {
    return attempts.find(({ result }) => result === "won")
  }
  const failed = attempts.filter(({ result }) => result === "failed")
  const end = failed.reduce((end, { endedAt }) => Math.max(end, endedAt), -Infinity)
  const last = failed.filter(({ endedAt }) => endedAt === end)
  return last.length === 1 ? last[0] : undefined
}

/** The positions of the attempts that have a row: the first, the last, and the one that decided. */
const visible = <T>(all: ReadonlyArray<T>, always: T | undefined, most: number): ReadonlyArray<number> => {
  const positions = Array.from({ length: Math.min(most, all.length) }, (_, row) =>
    row < most / 2 ? row : all.length - Math.min(most, all.length) + row)
  const decider = always === undefined ? -1 : all.indexOf(always)
  if (decider >= 0 && !positions.includes(decider)) {
    positions[Math.ceil(most / 2) - (most > 1 ? 0 : 1)] = decider
  }
  return positions
}

const tally = (attempts: ReadonlyArray<Attempt<unknown, unknown>>): string =>
  (["failed", "lost", "late"] as const)
    .map((result) => [attempts.filter((attempt) => attempt.result === result).length, result] as const)
    .filter(([many]) => many > 0)
    .map((entry) => entry.join(" "))
    .join(", ")

const describe = (cause: Cause.Cause<unknown>, verb?: string): string =>
  Option.match(Cause.failureOption(cause), {
    onSome: (error) => `${verb ?? "failed"}: ${messageOf(error)}`,
    onNone: () =>
      Option.match(Cause.dieOption(cause), {
        onSome: (defect) => `${verb ?? "died"}: ${messageOf(defect)}`,
        onNone: () => `${verb ?? "failed"}: interrupted`
      })
  })

const messageOf = (error: unknown): string => {
  try {
    for (const key of ["message", "_tag", "code", "name"]) {
      const text = Predicate.hasProperty(error, key) ? error[key] : undefined
      if (Predicate.isString(text) && clean(text) !== "") {
        return clean(text)
      }
    }
    return clean(Inspectable.toStringUnknown(error, 0)) || "\"\""
  } catch {
    return "unknown"
  }
}

const count = (many: number, noun: string) => `${many} ${noun}${many === 1 ? "" : "s"}`

const figure = (value: number) => value >= 100 ? Math.round(value) : Number(value.toPrecision(3))

const time = (millis: number) => millis >= 10_000 ? `${figure(millis / 1000)} s` : `${figure(millis)} ms`

/**
 * The milliseconds to mark on an axis: every 1, 2 or 5 times a power of ten, at most `most` after zero.
 *
 * @internal
 */
export const ticks = (span: number, most: number): ReadonlyArray<number> => {
  const power = 10 ** Math.floor(Math.log10(span / most))
  const step = power * ([1, 2, 5].find((factor) => power * factor * most >= span) ?? 10)
  const last = span > 0 ? Math.floor(span / step + 1e-9) : 0
  return Array.from({ length: last + 1 }, (_, i) => Number((i * step).toPrecision(12)))
}

const styles = { won: "1;32", failed: "31", lost: "2", late: "33" } as const

const starts = { first: "┣", delay: "+", failure: "!" } as const

const legend = [
  ["┣", "first"],
  ["+", "after the delay"],
  ["!", "after a failure"],
  ["┊", "decided"],
  ["╌", "winding down"]
] as const

// By what a cell of the axis is joined to: above a tick, below the decision, left and right the rest of the axis.
const junctions = " ╵╷│╴┘┐┤╶└┌├─┴┬┼"

/** @internal */
export const render = <A, E, E2>(self: Outcome<A, E, E2>, options: Options = {}): string => {
  const { color = false, labels = [], maxRows = 40, width = 80 } = options
  requireWhole("width", width, 40)
  requireWhole("maxRows", maxRows, 1)
  const { decidedAt, headline, rows, span } = layout(self, labels, maxRows)
  const drawn = rows.filter((row) => "label" in row)
  const title = flow(headline, ", ", width)
  if (drawn.length === 0) {
    return title.join("\n")
  }
  const paint = (style: string, text: string) => color ? `\x1b[${style}m${text}\x1b[0m` : text
  const left = 1 + drawn.reduce((most, { label }) => Math.max(most, columnsOf(fit(label, Math.floor(width * 0.3)))), 0)
  const right = 2 + drawn.reduce((most, { note }) => Math.max(most, columnsOf(fit(note, Math.floor(width * 0.35)))), 0)
  const columns = width - left - right

  // A bar has two cells at least, so that both its marks are seen: the last column is left free for the second.
  const columnOf = (millis: number) => span > 0 ? Math.round(millis / span * (columns - 2)) : 0
  const endOf = ({ from, to }: Row) => Math.max(columnOf(to), columnOf(from) + 1)
  const decided = drawn.reduce(
    (column, row) => row.to <= decidedAt && /won|failed/.test(row.result) ? Math.max(column, endOf(row)) : column,
    columnOf(decidedAt)
  )
  const background = "┊".padStart(decided + 1).padEnd(columns)

  const drawRow = (row: Row): string => {
    const start = columnOf(row.from)
    const end = row.to < decidedAt ? endOf(row) : Math.max(endOf(row), decided)
    const turn = /won|failed/.test(row.result) ? end : Math.min(Math.max(start + 1, decided), end)
    const after = "╌".repeat(end - turn)
    const last = { won: "█", failed: "╳", lost: `┫${after}`, late: end > turn ? `┫${after.slice(1)}o` : "o" }[row.result]
    const bar = starts[row.startedBy] + (row.result === "won" ? "█" : "━").repeat(turn - start - 1) + last
    const style = styles[row.result]
    const label = fit(row.label, left - 1)
    return paint(style, label) + " ".repeat(left - columnsOf(label)) + background.slice(0, start) + paint(style, bar) +
      `${background.slice(end + 1)}  ${paint(style, fit(row.note, right - 2))}`
  }
  const drawGap = ({ elided }: Gap): string => {
    const text = `${fit(elided, width - 1)} `.padEnd(left)
    return paint("2", (text + background.slice(text.length - left)).trimEnd())
  }

  const [scale, unit] = span < 10_000 ? [1, "ms"] : [1000, "s"]
  const marks = ticks(span, Math.max(3, Math.floor(columns / (String(Math.round(span / scale)).length + 4))))
  const numbers = marks.reduce((line, mark) => {
    const text = mark === 0 ? `0 ${unit}` : String(mark / scale)
    const at = left + columnOf(mark) - (mark === 0 ? 0 : Math.floor(text.length / 2))
    return at > line.length && at + text.length <= width ? line.padEnd(at) + text : line
  }, "")
  const ticked = new Set(marks.map(columnOf))
  const axis = Array.from({ length: Math.max(columns - 1, decided + 1) }, (_, i, ) =>
    junctions[(ticked.has(i) ? 1 : 0) + (i === decided ? 2 : 0) + (i > 0 ? 4 : 0) + (i < columns - 2 ? 8 : 0)])

  const lines = rows.map((row) => "label" in row ? drawRow(row) : drawGap(row))
  const shown = legend.filter(([mark]) => lines.some((line) => line.includes(mark)))
  return [
    ...title,
    numbers,
    " ".repeat(left) + axis.join(""),
    ...lines,
    ...flow(shown.map((entry) => entry.join(" ")), "  ", width).map((line) => paint("2", line))
  ].join("\n")
}

const requireWhole = (option: string, value: unknown, least: number): void => {
  if (!Number.isInteger(value) || Number(value) < least) {
    const shown = Predicate.isString(value) ? JSON.stringify(value) : String(value)
    throw new Cause.IllegalArgumentException(
      `Timeline: option "${option}" must be a whole number of at least ${least}, got ${shown}`
    )
  }
}

/** Parts one after the other, on as few lines as they fit on. */
const flow = (parts: ReadonlyArray<string>, separator: string, width: number): ReadonlyArray<string> =>
  parts.reduce<ReadonlyArray<string>>((lines, part) => {
    const joined = [...lines.slice(-1), part].join(separator)
    return columnsOf(joined) <= width ? [...lines.slice(0, -1), joined] : [...lines, fit(part, width)]
  }, [])

const clean = (text: string): string =>
  text.slice(0, 1000).normalize()
    .replace(/\s+/g, " ")
    .replace(/[\p{Cf}\p{Default_Ignorable_Code_Point}]/gu, "")
    .replace(/[\p{Cc}\p{Cs}\p{Co}]/gu, "?")
    .trim()

const wide = new RegExp(
  "[\\p{Emoji_Presentation}\\u1100-\\u115f\\u2e80-\\u303e\\u3041-\\ua4cf\\ua960-\\ua97f\\uac00-\\ud7a3\\uf900-\\ufaff" +
    "\\ufe10-\\ufe19\\ufe30-\\ufe6f\\uff01-\\uff60\\uffe0-\\uffe6\\u{16fe0}-\\u{18d08}\\u{1aff0}-\\u{1b2fb}" +
    "\\u{1f200}-\\u{1f265}\\u{20000}-\\u{3fffd}]",
  "u"
)

const columnsOf = (text: string): number =>
  Array.from(text).reduce((sum, char) => sum + (/\p{Mn}|\p{Me}/u.test(char) ? 0 : wide.test(char) ? 2 : 1), 0)

const fit = (text: string, columns: number): string => {
  if (columnsOf(text) <= columns) {
    return text
  }
  let [kept, used] = ["", 0]
  for (const char of text) {
    used += columnsOf(char)
    if (used >= columns) {
      break
    }
    kept += char
  }
  return `${kept.trimEnd()}…`
}
