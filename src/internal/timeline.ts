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
interface Layout {
  /** How the race ended, in clauses. */
  readonly headline: ReadonlyArray<string>
  /** A text stands for the attempts between two rows that have none. */
  readonly rows: ReadonlyArray<Row | string>
  readonly decidedAt: number
  /** When all had ended, which is where the axis ends. */
  readonly span: number
}

/** @internal */
interface Row extends Pick<Attempt<unknown, unknown>, "startedBy" | "result"> {
  readonly label: string
  readonly note: string
  readonly from: number
  readonly to: number
}

/** @internal */
const layout = <A, E, E2>(self: Outcome<A, E, E2>, labels: ReadonlyArray<string>, maxRows: number): Layout => {
  const { attempts } = self
  // In whole nanoseconds: a fraction of a millisecond counted from 1970 brings a rounding error along.
  const since = (at: number) =>
    Math.round(Math.min(Math.max(0, at - self.startedAt) || 0, Number.MAX_SAFE_INTEGER) * 1e6) / 1e6
  const decidedAt = since(self.decidedAt)
  // A clock can be set back while a race runs: an attempt may end before it starts, and start after all has ended.
  const times = [self.decidedAt, self.endedAt, ...attempts.flatMap(({ endedAt, startedAt }) => [startedAt, endedAt])]
  const span = times.reduce((end, at) => Math.max(end, since(at)), 0)
  const labelOf = (index: number) => labels[index] || `#${index}`
  const decider = deciderOf(self)

  const rowOf = (attempt: Attempt<A, E>): Row => {
    const { exit, index, result, startedBy } = attempt
    const from = since(attempt.startedAt)
    const to = Math.max(from, since(attempt.endedAt))
    const cause = Exit.isFailure(exit) ? exit.cause : Cause.empty
    const cleanUp = to > decidedAt ? `lost, clean-up ${time(to - decidedAt)}` : "lost"
    const note = {
      won: () => "won",
      failed: () => describe(cause, attempt === decider ? "fatal" : undefined),
      lost: () => Cause.isInterruptedOnly(cause) ? cleanUp : `lost, ${describe(cause)}`,
      late: () => "succeeded late"
    }
    return { label: labelOf(index), note: note[result](), startedBy, result, from, to }
  }

  const rows: Array<Row | string> = []
  let next = 0
  for (const position of [...visible(attempts, decider, maxRows), attempts.length]) {
    if (position > next) {
      rows.push(`… ${count(position - next, "more attempt")} (${tally(attempts.slice(next, position))})`)
    }
    rows.push(...attempts.slice(position, position + 1).map(rowOf))
    next = position + 1
  }

  const all = count(attempts.length, "attempt")
  const failures = attempts.filter(({ result }) => result === "failed").length
  const failed = attempts.length === 0 ? "no attempts" : `${failures} of ${all} failed`
  const reason = self.decidedBy !== "fatal"
    ? self.decidedBy
    : `${decider ? labelOf(decider.index) : "a failure"} was fatal`
  const verdict = Option.isSome(self.winner)
    ? [`winner ${labelOf(self.winner.value.index)} after ${time(decidedAt)}`, all]
    : self.decidedBy === "failures"
    ? [`no winner: ${failed}${attempts.length === 0 ? "" : ` after ${time(decidedAt)}`}`]
    : [`no winner: ${reason} after ${time(decidedAt)}`, failed]
  const ended = self.attempts.some(({ endedAt }) => endedAt > self.decidedAt) ? [`all ended after ${time(span)}`] : []
  const source = Option.toArray(self.sourceFailure).map((cause) => `the source ${describe(cause)}`)
  return { headline: [...verdict, ...ended, ...source], rows, decidedAt, span }
}

/** The attempt that decided the race. Of several that failed in its last millisecond, any may be the fatal one. */
const deciderOf = <A, E, E2>({ attempts, decidedBy }: Outcome<A, E, E2>): Attempt<A, E> | undefined => {
  if (decidedBy !== "fatal") {
    return attempts.find(({ result }) => result === "won")
  }
  const [last, other] = attempts.filter(({ result }) => result === "failed").sort((a, b) => b.endedAt - a.endedAt)
  return last?.endedAt === other?.endedAt ? undefined : last
}

/** The positions of the attempts that have a row: the first, the last, and the one that decided. */
const visible = <T>(all: ReadonlyArray<T>, decider: T | undefined, most: number): ReadonlyArray<number> => {
  const length = Math.min(most, all.length)
  const positions = Array.from({ length }, (_, row) => row < length / 2 ? row : all.length - length + row)
  const position = decider === undefined ? -1 : all.indexOf(decider)
  if (position >= 0 && !positions.includes(position)) {
    positions[Math.min(Math.ceil(length / 2), length - 1)] = position
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
  Cause.isInterruptedOnly(cause)
    ? `${verb ?? "failed"}: interrupted`
    : `${verb ?? (Cause.isFailure(cause) ? "failed" : "died")}: ${messageOf(Cause.squash(cause))}`

// An error can be anything, also what throws when it is looked at.
const messageOf = (error: unknown): string => {
  try {
    const texts = ["message", "_tag", "code", "name"].map((key) => Predicate.hasProperty(error, key) ? error[key] : "")
    const text = texts.filter(Predicate.isString).map(clean).find((text) => text !== "")
    return text ?? (clean(Inspectable.toStringUnknown(error, 0)) || "(empty)")
  } catch {
    return "(unknown)"
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

const legend = ["┣ first", "+ after the delay", "! after a failure", "┊ decided", "╌ winding down"]

// By what a cell of the axis is joined to: above a tick, below the decision, left and right the rest of the axis.
const junctions = " ╵╷│─┘┐┤─└┌├─┴┬┼"

/** Whether the attempt ended before the decision, or with it. */
const isOver = ({ result }: Row) => result === "won" || result === "failed"

/** @internal */
export const render = <A, E, E2>(self: Outcome<A, E, E2>, options: Options = {}): string => {
  const { color = false, labels = [], maxRows = 40, width = 80 } = options
  requireWhole("width", width, 40)
  requireWhole("maxRows", maxRows, 1)
  const names = labels.map((label) => fit(clean(label), Math.floor(width * 0.3)))
  const { decidedAt, headline, rows, span } = layout(self, names, maxRows)
  const drawn = rows.filter((row) => typeof row !== "string")
  const paint = (style: string, text: string) => color ? `\x1b[${style}m${text}\x1b[0m` : text
  const widest = (texts: ReadonlyArray<string>) => texts.reduce((most, text) => Math.max(most, columnsOf(text)), 0)
  const left = widest(drawn.map(({ label }) => label)) + 1
  const right = Math.min(widest(drawn.map(({ note }) => note)), Math.floor(width * 0.35)) + 2
  const columns = width - left - right

  // A bar has two cells at least, so that both its marks are seen: the last column is left free for the second.
  const columnOf = (millis: number) => span > 0 ? Math.round(millis / span * (columns - 2)) : 0
  const endOf = ({ from, to }: Row) => Math.max(columnOf(to), columnOf(from) + 1)
  const decided = drawn.reduce(
    (column, row) => row.to <= decidedAt && isOver(row) ? Math.max(column, endOf(row)) : column,
    columnOf(decidedAt)
  )
  const background = "┊".padStart(decided + 1).padEnd(columns)

  const barOf = (row: Row): string => {
    const start = columnOf(row.from)
    const end = row.to < decidedAt ? endOf(row) : Math.max(endOf(row), decided)
    const turn = isOver(row) ? end : Math.min(Math.max(start + 1, decided), end)
    const after = "╌".repeat(end - turn)
    const late = after === "" ? "o" : `┫${after.slice(1)}o`
    const last = { won: "█", failed: "╳", lost: `┫${after}`, late }[row.result]
    return starts[row.startedBy] + (row.result === "won" ? "█" : "━").repeat(turn - start - 1) + last
  }
  const drawRow = (row: Row): string => {
    const bar = barOf(row)
    const start = columnOf(row.from)
    const ink = (text: string) => paint(styles[row.result], text)
    return ink(row.label) + " ".repeat(left - columnsOf(row.label)) + background.slice(0, start) + ink(bar) +
      `${background.slice(start + bar.length)}  ${ink(fit(row.note, right - 2))}`
  }
  const drawGap = (elided: string): string => {
    const text = `${fit(elided, width - 1)} `.padEnd(left)
    return paint("2", (text + background.slice(text.length - left)).trimEnd())
  }

  const [scale, unit] = span < 10_000 ? [1, "ms"] : [1000, "s"]
  const marks = ticks(span, Math.max(3, Math.floor(columns / (String(Math.round(span / scale)).length + 5))))
  const numbers = marks.reduce((line, mark) => {
    const text = mark === 0 ? `0 ${unit}` : String(mark / scale)
    const at = left + columnOf(mark) - (mark === 0 ? 0 : Math.floor(text.length / 2))
    return at > line.length && at + text.length <= width ? line.padEnd(at) + text : line
  }, "")
  const ticked = new Set(marks.map(columnOf))
  const last = Math.max(columns - 2, decided)
  const axis = Array.from(
    { length: last + 1 },
    (_, i) => junctions[(ticked.has(i) ? 1 : 0) + (i === decided ? 2 : 0) + (i > 0 ? 4 : 0) + (i < last ? 8 : 0)]
  )

  const used = new Set([...drawn.map(barOf), background].join(""))
  const key = flow(legend.filter((entry) => used.has(entry.charAt(0))), "  ", width).map((line) => paint("2", line))
  const lines = rows.map((row) => typeof row === "string" ? drawGap(row) : drawRow(row))
  const picture = drawn.length === 0 ? [] : [numbers, " ".repeat(left) + axis.join(""), ...lines, ...key]
  return [...flow(headline, ", ", width), ...picture].join("\n")
}

const requireWhole = (option: string, value: number, least: number): void => {
  if (!Number.isInteger(value) || value < least) {
    const message = `Timeline: option "${option}" must be a whole number of at least ${least}, got ${value}`
    throw new Cause.IllegalArgumentException(message)
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

// What takes two columns in a terminal, as far as labels and messages are likely to have it.
const wide =
  /[\p{Emoji_Presentation}\p{sc=Han}\p{sc=Hangul}\p{sc=Yi}\u3001-\u33ff\ufe10-\ufe6f\uff01-\uff60\uffe0-\uffe6]/u

const columnsOf = (text: string): number =>
  Array.from(text).reduce((sum, char) => sum + (/\p{Mn}|\p{Me}/u.test(char) ? 0 : wide.test(char) ? 2 : 1), 0)

const fit = (text: string, columns: number): string => {
  let used = 0
  const kept = Array.from(text).filter((char) => (used += columnsOf(char)) < columns).join("")
  return used <= columns ? text : `${kept.trimEnd()}…`
}
