/**
 * The rules of a staggered race, as plain data. A driver tells them what happened, and asks `next` what to do. The
 * rules know no fiber, effect or clock. All times are milliseconds, and the driver passes the current time.
 */

/** @internal */
export type StartedBy = "first" | "delay" | "failure"

/** @internal */
export type DecidedBy = "success" | "failures" | "fatal" | "timeout" | "interruption" | "defect"

/** @internal */
export type HeldBackBy = "concurrency" | "source" | "minDelay" | "progress"

/**
 * What the driver must do next.
 *
 * - `pull`: ask the source for the next candidate
 * - `start`: start the candidate that the source gave
 * - `arm`: make the timer, for `sleepFor` milliseconds
 * - `disarm`: cancel the timer, and call `timerEnded` when it is gone
 * - `wait`: do nothing until something happens
 *
 * @internal
 */
export type Command = "pull" | "start" | Timing

/** @internal */
export type Timing = "arm" | "disarm" | "wait"

/** @internal */
export interface Pacing {
  readonly minDelay: number
  readonly concurrency: number
  /** The milliseconds after each start. If it is not a number, the driver calls `delayIs` for each start. */
  readonly delay: unknown
}

/** @internal */
export interface Supply {
  /** How many candidates are left, if the source knows without a pull. `Infinity` if it does not. */
  left(): number
}

/** @internal */
export interface Start {
  readonly index: number
  readonly startedAt: number
  readonly dueAt: number
  /** What held it back since `dueAt`. A start that is late only because its timer was late has nothing here. */
  readonly heldBackBy: HeldBackBy | undefined
  readonly startedBy: StartedBy
  /** Whether an earlier attempt was still running at the start. */
  readonly overlapped: boolean
}

/** @internal */
export interface Decision {
  readonly at: number
  readonly by: DecidedBy
  /** The start that was due and held back. `undefined` if none was, or no candidate is known to be left. */
  readonly pending: { readonly dueAt: number; readonly heldBackBy: HeldBackBy } | undefined
}

/** @internal */
export class Rules {
  decision: Decision | undefined
  /** How long the timer must sleep, after the command `arm`. */
  sleepFor = 0

  private running = 0
  private source: "idle" | "pulling" | "pulled" | "exhausted" = "idle"
  /** What brings the next start. */
  nextBy: StartedBy = "first"
  /** Fires `wait` after the start of attempt `since`. Without `firesAt`, it is cancelled but has not ended yet. */
  private timer: { firesAt: number | undefined; readonly wait: number; readonly since: number } | undefined

  // About the newest attempt. The initial values make the first start due.
  private newest = -1
  private startedAt = -Infinity
  private delay = 0
  private failedAt = Infinity
  /** `progress`: until when, after its start, the next start is postponed unless it fails. */
  private heldUntil = 0
  /** `waiveMinDelay`: the last attempt that exempted the next start from `minDelay`. */
  private waivedBy = -1
  /** `holdBack`: until when, after its start, the next start is postponed even if it fails. */
  private heldBackUntil = 0
  /** What holds back the next start, or held it back last. */
  private waitedFor: HeldBackBy | undefined
  /** At least so much time has passed since its start: a timer slept that long, even if the clock says less. */
  private slept = 0

  private readonly fixedDelay: number

  constructor(private readonly pacing: Pacing, private readonly supply: Supply) {
    this.fixedDelay = typeof pacing.delay === "number" ? pacing.delay : Infinity
  }

  // What to do.

  next(now: number): Command {
    const { source, timer } = this
    if (this.decision !== undefined || source === "pulling") {
      return "wait"
    }
    const isDue = !this.isFull && this.remaining(now) <= 0
    // If no candidate seems to be left, the race pulls without waiting for `minDelay`: only a pull can tell.
    const isWorthAPull = source === "idle" && this.failedAt < Infinity && this.supply.left() === 0
    if (source === "exhausted" || !isDue && !isWorthAPull) {
      return this.timing(now)
    }
    // A start restarts the timer, so the old timer must go first, unless the new one would fire at the same instant. A
    // timer that is about to fire is not cancelled: attempts that end at this instant must do so before the start.
    if (timer !== undefined && timer.firesAt !== now + Math.max(this.pacing.minDelay, this.fixedDelay)) {
      return this.timing(now)
    }
    return source === "pulled" ? "start" : "pull"
  }

  /** Sees to the timer: it fires when the next start is due, and there is none if no start is to come. */
  timing(now: number): Timing {
    const isToCome = this.source === "pulled" || this.source === "idle" && this.supply.left() > 0
    if (this.timer !== undefined) {
      return isToCome && this.timer.firesAt === this.startedAt + this.wait ? "wait" : this.disarm()
    }
    this.sleepFor = this.remaining(now)
    return isToCome && this.sleepFor > 0 && this.sleepFor < Infinity ? "arm" : "wait"
  }

  // What has happened.

  pulling(): void {
    this.source = "pulling"
  }

  pulled(): void {
    this.source = "pulled"
  }

  /** The source has nothing for the delay of the newest attempt, but may have something for its failure. */
  withheld(): void {
    this.source = "idle"
    this.delay = Infinity
    if (this.failedAt < Infinity) {
      // It failed while the source was asked.
      this.nextBy = "failure"
    }
  }

  /** As `pulled`, if the source answered only after so many milliseconds. */
  pulledLate(now: number, took: number): void {
    this.source = "pulled"
    const dueAt = this.dueAt(now)
    this.waitedFor = this.heldBackBy(now, dueAt)
    // The source is asked when nothing else holds back the start. The longer of the two waits counts.
    const before = this.waitedFor === undefined ? 0 : now - took - dueAt
    if (took > before && this.remaining(now) <= 0) {
      this.waitedFor = "source"
    }
  }

  /** The source has ended or failed. Returns whether that decides the race. */
  exhausted(now: number): boolean {
    this.source = "exhausted"
    return this.giveUp(now)
  }

  started(now: number): Start {
    const { nextBy, running } = this
    const dueAt = this.dueAt(now)
    const heldBackBy = this.heldBackBy(now, dueAt)
    this.source = "idle"
    this.nextBy = "delay"
    this.running++
    this.newest++
    this.startedAt = now
    this.delay = this.fixedDelay
    this.failedAt = Infinity
    this.heldUntil = 0
    this.heldBackUntil = 0
    this.waitedFor = undefined
    this.slept = 0
    return { index: this.newest, startedAt: now, dueAt, heldBackBy, startedBy: nextBy, overlapped: running > 0 }
  }

  /** Sets the delay after a start, if it was not known at the start. */
  delayIs(index: number, millis: number): void {
    if (index === this.newest) {
      this.delay = Math.max(0, millis)
    }
  }

  armed(): void {
    this.timer = { firesAt: this.startedAt + this.wait, wait: this.wait, since: this.newest }
  }

  /** The timer is gone: it slept to the end, or was cancelled. */
  timerEnded(hasSlept: boolean): void {
    if (hasSlept && this.timer?.since === this.newest) {
      this.slept = Math.max(this.slept, this.timer.wait)
    }
    this.timer = undefined
  }

  /** An attempt has ended without success. Returns whether that decides the race. */
  failed(index: number, now: number, isFatal: boolean): boolean {
    this.waitedFor = this.heldBackBy(now, this.dueAt(now))
    this.running--
    if (index === this.newest) {
      // If the delay has made the next start due and the race is already waiting for the source, the reason stays.
      if (this.source !== "pulling" || this.remaining(now) > 0) {
        this.nextBy = "failure"
      }
      this.failedAt = now
    }
    return isFatal ? this.decide("fatal", now) : this.giveUp(now)
  }

  /** An attempt has succeeded. Returns whether it wins. If not, its success is late. */
  succeeded(now: number): boolean {
    return this.decide("success", now)
  }

  /** Postpones the next start for so many milliseconds, unless the newest attempt fails. */
  progressed(index: number, now: number, millis: number): void {
    if (index === this.newest) {
      this.heldUntil = Math.max(this.heldUntil, this.elapsed(now) + millis)
    }
  }

  /** Postpones the next start for so many milliseconds, even if attempts fail. */
  heldBack(now: number, millis: number): void {
    this.heldBackUntil = Math.max(this.heldBackUntil, this.elapsed(now) + millis)
    this.heldUntil = Math.max(this.heldUntil, this.heldBackUntil)
  }

  /** Exempts the next start from `minDelay`. */
  waived(index: number, now: number): void {
    if (index === this.newest) {
      this.waitedFor = this.heldBackBy(now, this.dueAt(now))
      this.waivedBy = index
    }
  }

  /** Decides the race, once. Returns whether it was undecided before. */
  decide(by: DecidedBy, now: number): boolean {
    if (this.decision !== undefined) {
      return false
    }
    const dueAt = this.dueAt(now)
    const heldBackBy = this.heldBackBy(now, dueAt)
    const left = this.source === "pulled" ? 1 : this.source === "exhausted" ? 0 : this.supply.left()
    const isPending = heldBackBy !== undefined && left > 0 && left < Infinity
    this.decision = { at: now, by, pending: isPending ? { dueAt, heldBackBy } : undefined }
    return true
  }

  // Derived.

  /** Whether the source was asked, and has not answered. */
  get isPulling(): boolean {
    return this.source === "pulling"
  }

  /** Whether a pull is possible, to learn if there is another candidate. */
  get isUnasked(): boolean {
    return this.source === "idle"
  }

  /** Whether a failure of the newest attempt starts nothing yet. */
  get isHeldBack(): boolean {
    return this.heldBackUntil > 0
  }

  get isExhausted(): boolean {
    return this.source === "exhausted"
  }

  private get isFull(): boolean {
    return this.running >= this.pacing.concurrency
  }

  /** The least distance from the newest start to the next. */
  private get minDelay(): number {
    return this.waivedBy === this.newest ? 0 : this.pacing.minDelay
  }

  /** From the newest start to the next. */
  private get wait(): number {
    return Math.max(this.minDelay, this.failedAt < Infinity ? this.heldBackUntil : Math.max(this.delay, this.heldUntil))
  }

  private elapsed(now: number): number {
    return Math.max(this.slept, now - this.startedAt)
  }

  private remaining(now: number): number {
    return this.wait - this.elapsed(now)
  }

  /** When the newest attempt failed or its delay passed. What postpones the start does not count. */
  private dueAt(now: number): number {
    return this.newest < 0 ? now : Math.min(now, this.failedAt, this.startedAt + this.delay)
  }

  /**
   * What has held back the next start since it was due. The time that has passed is no answer: on a busy machine a timer
   * is late, and so is a start that nothing holds back.
   */
  private heldBackBy(now: number, dueAt: number): HeldBackBy | undefined {
    return dueAt < now ? this.waitedFor ?? this.holdsBack(now, dueAt - this.startedAt) : undefined
  }

  /** What holds back a start that was due so many milliseconds after the one before. */
  private holdsBack(now: number, due: number): HeldBackBy | undefined {
    const heldUntil = this.failedAt < Infinity ? this.heldBackUntil : this.heldUntil
    return this.isFull && this.remaining(now) <= 0
      ? "concurrency"
      : heldUntil > Math.max(due, this.minDelay)
      ? "progress"
      : this.minDelay > due
      ? "minDelay"
      : undefined
  }

  private giveUp(now: number): boolean {
    return this.source === "exhausted" && this.running === 0 && this.decide("failures", now)
  }

  private disarm(): Timing {
    if (this.timer?.firesAt === undefined) {
      return "wait"
    }
    this.timer.firesAt = undefined
    return "disarm"
  }
}
