import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import type { HeldBackBy, StartedBy } from "../../StaggeredRace.js"
import type { Running, RunningAttempt, Unit } from "../../Timeline.js"
import { type Drawable, toRunning } from "./running.js"
import { count, describe, inSeconds, timeIn } from "./words.js"

/**
 * The facts of a picture, without columns or pixels, so that text and SVG show the same. Times are in milliseconds
 * since the start of the race.
 *
 * @internal
 */
export interface Layout {
  /** How the race ended, or its current state, in clauses. */
  readonly headline: ReadonlyArray<string>
  readonly rows: ReadonlyArray<Row | Gap | Pending>
  /** `undefined` before the decision. */
  readonly decidedAt: number | undefined
  /** The end of the axis: the end of the last attempt, or the time of the picture while the race runs. */
  readonly span: number
  readonly time: (millis: number) => string
}

/**
 * One attempt.
 *
 * @internal
 */
export interface Row {
  readonly _tag: "Row"
  readonly index: number
  readonly label: string
  /** How it ended, or its current state. */
  readonly note: string
  readonly startedBy: StartedBy
  /** `running` before the decision, and `ending` after it. */
  readonly state: "won" | "failed" | "lost" | "late" | "running" | "ending"
  /** The start was due at `due` and held back until `from`. Both are equal if nothing held it back. */
  readonly due: number
  readonly from: number
  /** The attempt ran until `turn` and cleaned up until `to`. A winner does not clean up. */
  readonly turn: number
  readonly to: number
  /** The time of what caused the start: the start or the failure of the previous attempt. */
  readonly cause: number
}

/**
 * Attempts that have no row of their own.
 *
 * @internal
 */
export interface Gap {
  readonly _tag: "Gap"
  readonly text: string
}

/**
 * A start that was due and still held back at the decision.
 *
 * @internal
 */
export interface Pending {
  readonly _tag: "Pending"
  readonly label: string
  readonly note: string
  readonly due: number
  readonly to: number
}

/** @internal */
export interface LayoutOptions {
  readonly labels: ReadonlyArray<string>
  readonly maxRows: number
  readonly unit: Unit
}

/** The words for what held back a start. */
const reasons: Readonly<globalThis.Record<HeldBackBy, string>> = {
  concurrency: "no place",
  source: "no candidate",
  minDelay: "minDelay",
  progress: "progress"
}

/** @internal */
export const layout = (drawable: Drawable, { labels, maxRows, unit }: LayoutOptions): Layout => {
  const self = toRunning(drawable)
  const { attempts } = self
  const time = timeIn(unit)
  // Rounded to nanoseconds, because a fraction of a millisecond since 1970 carries a rounding error.
  const since = (at: number) =>
    Math.round(Math.min(Math.max(0, at - self.startedAt) || 0, Number.MAX_SAFE_INTEGER) * 1e6) / 1e6
  const decision = Option.getOrUndefined(self.decided)
  const decidedAt = decision && since(decision.at)
  // If the clock is set back during a race, an attempt can end before it starts, or start after the race has ended.
  const span = attempts.reduce(
    (end, attempt) => Math.max(end, since(attempt.startedAt), since(endOf(attempt, self.now))),
    Math.max(since(self.now), decidedAt ?? 0)
  )
  const waited = (by: HeldBackBy, millis: number) => `${reasons[by]} for ${time(millis)}`
  const labelOf = (index: number) => labels[index] || `#${index}`
  const decider = deciderOf(self)

  const rowOf = (attempt: RunningAttempt, before: RunningAttempt | undefined): Row => {
    const { index, startedBy } = attempt
    const ended = Option.getOrUndefined(attempt.ended)
    const from = since(attempt.startedAt)
    const over = Math.max(from, since(endOf(attempt, self.now)))
    const state = ended?.result ?? (decision ? "ending" : "running")
    const turn = state === "failed" ? over : Math.min(Math.max(from, decidedAt ?? over), over)
    // The winner's fiber may end later, when the children that it forked have ended.
    const to = state === "won" ? turn : over
    const heldBackBy = Option.getOrUndefined(attempt.heldBackBy)
    const due = heldBackBy === undefined ? from : Math.min(since(attempt.dueAt), from)
    const clauses = [
      noteOf(attempt, state, attempt === decider, time(to - turn), time(to - from)),
      ...heldBackBy !== undefined && due < from ? [waited(heldBackBy, from - due)] : [],
      ...to > turn && state === "lost" && isQuiet(attempt) ? [`clean-up ${time(to - turn)}`] : []
    ]
    const cause = before === undefined
      ? from
      : since(startedBy === "failure" ? endOf(before, self.now) : before.startedAt)
    return {
      _tag: "Row",
      index,
      label: labelOf(index),
      note: clauses.join(", "),
      startedBy,
      state,
      due,
      from,
      turn,
      to,
      cause
    }
  }

  const rows: Array<Row | Gap | Pending> = []
  let next = 0
  for (const position of [...visible(attempts, decider, maxRows), attempts.length]) {
    if (position > next) {
      const text = `… ${count(position - next, "more attempt")} (${tally(attempts.slice(next, position))})`
      rows.push({ _tag: "Gap", text })
    }
    const attempt = attempts[position]
    rows.push(...attempt === undefined ? [] : [rowOf(attempt, attempts[position - 1])])
    next = position + 1
  }
  if (Option.isSome(self.pending) && decidedAt !== undefined) {
    const { dueAt, heldBackBy } = self.pending.value
    const due = Math.min(since(dueAt), decidedAt)
    if (due < decidedAt) {
      const label = labelOf((attempts.at(-1)?.index ?? -1) + 1)
      const note = `not started, ${waited(heldBackBy, decidedAt - due)}`
      rows.push({ _tag: "Pending", label, note, due, to: decidedAt })
    }
  }
  return { headline: headlineOf(self, { decidedAt, decider, labelOf, span, time }), rows, decidedAt, span, time }
}

const resultOf = ({ ended }: RunningAttempt) => Option.isSome(ended) ? ended.value.result : "running"

const endOf = ({ ended }: RunningAttempt, now: number) => Option.isSome(ended) ? ended.value.at : now

/** Whether it ended by interruption alone. */
const isQuiet = ({ ended }: RunningAttempt) => Option.isNone(ended) || Cause.isInterruptedOnly(ended.value.cause)

const noteOf = (
  { ended }: RunningAttempt,
  state: Row["state"],
  isDecider: boolean,
  cleanUp: string,
  soFar: string
): string => {
  const cause = Option.isSome(ended) ? ended.value.cause : Cause.empty
  switch (state) {
    case "won":
      return "won"
    case "failed":
      return describe(cause, isDecider ? "fatal" : undefined)
    case "lost":
      return Cause.isInterruptedOnly(cause) ? "lost" : `lost, ${describe(cause)}`
    case "late":
      return "succeeded late"
    case "running":
      return `running for ${soFar}`
    case "ending":
      return `cleaning up for ${cleanUp}`
  }
}

interface Facts {
  readonly decidedAt: number | undefined
  readonly decider: RunningAttempt | undefined
  readonly labelOf: (index: number) => string
  readonly span: number
  readonly time: Layout["time"]
}

const headlineOf = (self: Running, { decidedAt, decider, labelOf, span, time }: Facts): ReadonlyArray<string> => {
  const { attempts } = self
  const many = (result: string) => attempts.filter((attempt) => resultOf(attempt) === result).length
  const all = count(attempts.length, "attempt")
  const running = many("running")
  const source = Option.toArray(self.sourceFailure).map((cause) => `the source ${describe(cause)}`)
  if (Option.isNone(self.decided) || decidedAt === undefined) {
    const stand = [[running, "running"], [many("failed"), "failed"]].filter(([many]) => many !== 0)
    return [`undecided after ${time(span)}`, [all, ...stand.map((each) => each.join(" "))].join(", "), ...source]
  }
  const { at, by } = self.decided.value
  const winner = attempts.find((attempt) => resultOf(attempt) === "won")
  const failed = attempts.length === 0 ? "no attempts" : `${many("failed")} of ${all} failed`
  const reason = by !== "fatal" ? by : `${decider ? labelOf(decider.index) : "a failure"} was fatal`
  const verdict = winner !== undefined
    ? [`winner ${labelOf(winner.index)} after ${time(decidedAt)}`, all]
    : by === "failures"
    ? [`no winner: ${failed}${attempts.length === 0 ? "" : ` after ${time(decidedAt)}`}`]
    : by === "interruption"
    ? [`interrupted after ${time(decidedAt)}`, all]
    : [`no winner: ${reason} after ${time(decidedAt)}`, failed]
  const rest = running > 0
    ? [`${running} still cleaning up after ${time(span)}`]
    : attempts.some((attempt) => endOf(attempt, self.now) > at)
    ? [`all ended after ${time(span)}`]
    : []
  return [...verdict, ...rest, ...source]
}

/** The attempt that decided the race. If several failed in the last millisecond, nobody can tell which was fatal. */
const deciderOf = ({ attempts, decided }: Running): RunningAttempt | undefined => {
  if (Option.isNone(decided) || decided.value.by !== "fatal") {
    return attempts.find((attempt) => resultOf(attempt) === "won")
  }
  const failed = attempts.filter((attempt) => resultOf(attempt) === "failed")
  const [last, other] = failed.sort((a, b) => endOf(b, 0) - endOf(a, 0))
  return last && other && endOf(last, 0) === endOf(other, 0) ? undefined : last
}

/** The positions of the attempts that get a row: the first ones, the last ones, and the one that decided the race. */
const visible = <T>(all: ReadonlyArray<T>, decider: T | undefined, most: number): ReadonlyArray<number> => {
  const length = Math.min(most, all.length)
  const positions = Array.from({ length }, (_, row) => row < length / 2 ? row : all.length - length + row)
  const position = decider === undefined ? -1 : all.indexOf(decider)
  if (position >= 0 && !positions.includes(position)) {
    positions[Math.min(Math.ceil(length / 2), length - 1)] = position
  }
  return positions
}

const tally = (attempts: ReadonlyArray<RunningAttempt>): string =>
  ["failed", "lost", "late", "running"]
    .map((result) => [attempts.filter((attempt) => resultOf(attempt) === result).length, result] as const)
    .filter(([many]) => many > 0)
    .map((entry) => entry.join(" "))
    .join(", ")

/**
 * The times to mark on an axis, in milliseconds: every 1, 2 or 5 times a power of ten, at most `most` after zero.
 *
 * @internal
 */
export const ticks = (span: number, most: number): ReadonlyArray<number> => {
  const power = 10 ** Math.floor(Math.log10(span / most))
  const step = power * ([1, 2, 5].find((factor) => power * factor * most >= span) ?? 10)
  const last = span > 0 ? Math.floor(span / step + 1e-9) : 0
  return Array.from({ length: last + 1 }, (_, i) => Number((i * step).toPrecision(12)))
}

/**
 * The marks of an axis and their texts, at most `most` after zero.
 *
 * @internal
 */
export const axis = (span: number, most: (widest: string) => number, unit: Unit) => {
  const [scale, name] = inSeconds(span, unit) ? [1000, "s"] : [1, "ms"]
  const marks = ticks(span, most(String(Math.round(span / scale))))
  // The step between two marks decides how many decimals are needed.
  const decimals = Math.min(12, Math.max(0, -Math.floor(Math.log10((marks[1] ?? scale) / scale) + 1e-9)))
  return marks.map((at) => ({ at, text: at === 0 ? `0 ${name}` : (at / scale).toFixed(decimals) }))
}
