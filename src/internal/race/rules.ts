/**
 * The rules of a staggered race: what has happened goes in, what is to be done next comes out. Nothing here waits, reads
 * a clock or knows an effect. Times are milliseconds, and every event brings its own.
 *
 * A driver tells what happens by `pulling`, `pulled`, `exhausted`, `started`, `delayIs`, `armed`, `timerEnded`,
 * `failed`, `succeeded`, `progressed` and `decide`, and asks `next` after each.
 */

/** @internal */
export type StartedBy = "first" | "delay" | "failure"

/** @internal */
export type DecidedBy = "success" | "failures" | "fatal" | "interruption" | "defect"

/**
 * What a driver does next.
 *
 * - `pull`: asks the source for the next candidate
 * - `start`: starts the candidate that the source gave
 * - `arm`: makes the timer, for `sleepFor` milliseconds
 * - `disarm`: cancels the timer, and says `timerEnded` when it is gone
 * - `wait`: nothing, until something happens
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
  /** After each start, in milliseconds; otherwise `delayIs` tells. */
  readonly delay: unknown
}

/** @internal */
export interface Supply {
  /** How many candidates are left, as far as is known without a pull; `Infinity` where nobody knows. */
  left(): number
}

/** @internal */
export interface Start {
  readonly index: number
  readonly startedAt: number
  readonly dueAt: number
  readonly startedBy: StartedBy
  /** Whether an earlier attempt was still running. */
  readonly overlapped: boolean
}

/** @internal */
export interface Decision {
  readonly at: number
  readonly by: DecidedBy
  /** Since when a start was due that the decision came before, where one is known to have been left. */
  readonly pendingSince: number | undefined
}

/** @internal */
export class Rules {
  decision: Decision | undefined
  /** How long the timer has to sleep, when the command is `arm`. */
  sleepFor = 0

  private running = 0
  private source: "idle" | "pulling" | "pulled" | "exhausted" = "idle"

  // Of the newest attempt; before the first, of a start that was due for ever.
  private newest = -1
  private startedAt = -Infinity
  private delay = 0
  private failedAt = Infinity
  /** Until when, from its start, progress holds the next start back. */
  private heldUntil = 0
  /** How much time has passed since its start at least. A timer proves it, also where the clock was set back. */
  private slept = 0

  private nextBy: StartedBy = "first"
  private timer: {
    readonly firesAt: number
    readonly wait: number
    /** The attempt since whose start it sleeps. */
    readonly since: number
    isCancelled: boolean
  } | undefined

  private readonly fixedDelay: number

  constructor(private readonly pacing: Pacing, private readonly supply: Supply) {
    this.fixedDelay = typeof pacing.delay === "number" ? pacing.delay : Infinity
  }

  // What is to be done.

  next(now: number): Command {
    if (this.decision !== undefined || this.source === "pulling") {
      return "wait"
    }
    const isDue = this.running < this.pacing.concurrency && this.remaining(now) <= 0
    if (this.source === "pulled") {
      return isDue ? this.withTimerGone(now, "start") : this.timing(now)
    }
    // Where the source seems to be at its end, no timer is spent on the least gap: only a pull tells.
    if (this.source === "idle" && (isDue || this.hasFailed && this.seemsExhausted)) {
      return this.withTimerGone(now, "pull")
    }
    return this.timing(now)
  }

  /** What the one timer needs: it fires when the next start is due, and is not there when no start is to come. */
  timing(now: number): Timing {
    const firesAt = this.startedAt + this.wait
    const isToCome = this.source === "pulled" || this.source === "idle" && !this.seemsExhausted
    const isWanted = isToCome && firesAt < Infinity
    if (this.timer !== undefined) {
      return isWanted && this.timer.firesAt === firesAt ? "wait" : this.disarm()
    }
    this.sleepFor = this.remaining(now)
    return isWanted && this.sleepFor > 0 ? "arm" : "wait"
  }

  // What has happened.

  pulling(): void {
    this.source = "pulling"
  }

  pulled(): void {
    this.source = "pulled"
  }

  /** The source is at its end, or has failed. Says whether that decides the race. */
  exhausted(now: number): boolean {
    this.source = "exhausted"
    return this.giveUp(now)
  }

  started(now: number): Start {
    const start: Start = {
      index: this.newest + 1,
      startedAt: now,
      dueAt: this.dueAt(now),
      startedBy: this.nextBy,
      overlapped: this.running > 0
    }
    this.source = "idle"
    this.running++
    this.newest++
    this.startedAt = now
    this.delay = this.fixedDelay
    this.failedAt = Infinity
    this.heldUntil = 0
    this.slept = 0
    this.nextBy = "delay"
    return start
  }

  /** The delay after a start, where it was not known at the start. */
  delayIs(index: number, millis: number): void {
    if (index === this.newest) {
      this.delay = Math.max(0, millis)
    }
  }

  armed(): void {
    this.timer = { firesAt: this.startedAt + this.wait, wait: this.wait, since: this.newest, isCancelled: false }
  }

  /** The timer is gone: it has slept for as long as it was told to, or was cancelled. */
  timerEnded(hasSlept: boolean): void {
    if (hasSlept && this.timer?.since === this.newest) {
      this.slept = Math.max(this.slept, this.timer.wait)
    }
    this.timer = undefined
  }

  /** An attempt has ended without success. Says whether that decides the race. */
  failed(index: number, now: number, isFatal: boolean): boolean {
    this.running--
    if (index === this.newest) {
      // A start that is under way has not been brought by it.
      if (this.source !== "pulling" || this.remaining(now) > 0) {
        this.nextBy = "failure"
      }
      this.failedAt = now
    }
    return isFatal ? this.decide("fatal", now) : this.giveUp(now)
  }

  /** An attempt has succeeded. Says whether that decides the race: if so it has won, else it is late. */
  succeeded(now: number): boolean {
    return this.decide("success", now)
  }

  /** A running attempt holds the next start back until so many milliseconds from now. */
  progressed(index: number, now: number, millis: number): void {
    if (index === this.newest) {
      this.heldUntil = Math.max(this.heldUntil, this.elapsed(now) + millis)
    }
  }

  /** Decides the race, once: says whether it was not decided before. */
  decide(by: DecidedBy, now: number): boolean {
    if (this.decision !== undefined) {
      return false
    }
    const dueAt = this.dueAt(now)
    const left = this.source === "exhausted" ? 0 : this.source === "pulled" ? 1 : this.supply.left()
    this.decision = { at: now, by, pendingSince: left > 0 && left < Infinity && dueAt < now ? dueAt : undefined }
    return true
  }

  // Derived.

  private giveUp(now: number): boolean {
    return this.source === "exhausted" && this.running === 0 && this.decide("failures", now)
  }

  private get hasFailed(): boolean {
    return this.failedAt < Infinity
  }

  private get seemsExhausted(): boolean {
    return this.supply.left() === 0
  }

  /** From the newest start to the next. */
  private get wait(): number {
    return Math.max(this.pacing.minDelay, this.hasFailed ? 0 : Math.max(this.delay, this.heldUntil))
  }

  private elapsed(now: number): number {
    return Math.max(this.slept, now - this.startedAt)
  }

  private remaining(now: number): number {
    return this.wait - this.elapsed(now)
  }

  /** When the newest attempt failed or its delay passed, whatever held the next start up since. */
  private dueAt(now: number): number {
    return Math.min(now, this.newest < 0 ? now : Math.min(this.failedAt, this.startedAt + this.delay))
  }

  /**
   * A start restarts the timer, so the old one has to be gone, unless the new one would fire at the same instant. And a
   * timer that is about to fire is waited for: whatever ends at this instant is heard before it.
   */
  private withTimerGone(now: number, command: Command): Command {
    const { timer } = this
    const wait = Math.max(this.pacing.minDelay, this.fixedDelay)
    if (timer === undefined || timer.wait === wait && timer.firesAt === now + wait) {
      return command
    }
    return this.timing(now)
  }

  private disarm(): Timing {
    if (this.timer === undefined || this.timer.isCancelled) {
      return "wait"
    }
    this.timer.isCancelled = true
    return "disarm"
  }
}
