import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type { Outcome, RaceEvent } from "../../StaggeredRace.js"
import type { Running, RunningAttempt } from "../../Timeline.js"

/** @internal */
export type Drawable = Outcome<unknown, unknown, unknown> | Running

/**
 * The state of a race, built from its events. Only this class reads events.
 *
 * @internal
 */
export class Record {
  private readonly attempts: Array<RunningAttempt | undefined> = []
  private sourceFailure: Cause.Cause<unknown> | undefined
  private decided: Running["decided"] = Option.none()
  private pending: Running["pending"] = Option.none()
  private firstAt: number | undefined
  private lastAt = -Infinity
  private running = 0

  add(event: RaceEvent<unknown, unknown>): void {
    const { at } = event
    this.firstAt ??= at
    this.lastAt = Math.max(this.lastAt, at)
    switch (event._tag) {
      case "Started": {
        const { dueAt, heldBackBy, index, startedBy } = event
        this.attempts[index] = { index, dueAt, heldBackBy, startedAt: at, startedBy, ended: Option.none() }
        this.running++
        break
      }
      case "Failed":
        return this.end(event.index, { at, result: "failed", cause: event.cause })
      case "Won":
        return this.end(event.index, { at, result: "won", cause: Cause.empty })
      case "Lost":
        return this.end(event.index, { at, result: "lost", cause: event.cause })
      case "SucceededLate":
        return this.end(event.index, { at, result: "late", cause: Cause.empty })
      case "Decided":
        this.decided = Option.some({ at, by: event.by })
        this.pending = event.pending
        break
      case "SourceFailed":
        this.sourceFailure = this.sourceFailure === undefined
          ? event.cause
          : Cause.parallel(this.sourceFailure, event.cause)
        break
    }
  }

  // The events may begin in the middle of a race. An attempt without its `Started` event has no place in the picture.
  private end(index: number, ending: Option.Option.Value<RunningAttempt["ended"]>): void {
    const attempt = this.attempts[index]
    if (attempt !== undefined && this.isRunning(index)) {
      this.attempts[index] = { ...attempt, ended: Option.some(ending) }
      this.running--
    }
  }

  get isDecided(): boolean {
    return Option.isSome(this.decided)
  }

  /** Whether the race is decided and all its attempts have ended. */
  get isOver(): boolean {
    return this.running === 0 && this.isDecided
  }

  isRunning(index: number): boolean {
    const attempt = this.attempts[index]
    return attempt !== undefined && Option.isNone(attempt.ended)
  }

  get startedAt(): number {
    return this.firstAt ?? NaN
  }

  at(now: number): Running {
    return {
      attempts: this.attempts.filter(Predicate.isNotUndefined),
      sourceFailure: Option.fromNullable(this.sourceFailure),
      startedAt: this.firstAt ?? now,
      now: this.isOver ? this.lastAt : Math.max(now, this.lastAt),
      decided: this.decided,
      pending: this.pending
    }
  }
}

/** @internal */
export const soFar = (events: ReadonlyArray<RaceEvent<unknown, unknown>>, now: number): Running => {
  const record = new Record()
  events.forEach((event) => record.add(event))
  return record.at(now)
}

/**
 * Turns an outcome into a snapshot at its end, so that pictures have one input.
 *
 * @internal
 */
export const toRunning = (self: Drawable): Running =>
  Predicate.hasProperty(self, "now") ? self : {
    attempts: self.attempts.map(({ dueAt, endedAt, exit, heldBackBy, index, result, startedAt, startedBy }) => ({
      index,
      dueAt,
      heldBackBy,
      startedAt,
      startedBy,
      ended: Option.some({ at: endedAt, result, cause: Exit.isFailure(exit) ? exit.cause : Cause.empty })
    })),
    sourceFailure: self.sourceFailure,
    startedAt: self.startedAt,
    now: self.endedAt,
    decided: Option.some({ at: self.decidedAt, by: self.decidedBy }),
    pending: self.pending
  }
