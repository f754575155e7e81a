import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import { type StartTimer, timersOf } from "./clock.js"
import type { Spawn } from "./source.js"

/** @internal */
export interface PaceOptions<R> {
  readonly delay: number | Schedule.Schedule<unknown, number, R>
  readonly minDelay: number
  readonly clock: Clock.Clock
  readonly fiberId: FiberId.FiberId
  /** Forks a fiber whose end makes the coordinator look again at what is due. */
  readonly spawn: Spawn<R>
  /** The same for the end of a timer. */
  readonly onTimer: () => void
  readonly onScheduleDefect: (cause: Cause.Cause<never>) => void
}

/**
 * When the next start is due, and the one timer that waits for it.
 *
 * All is counted from the newest start. A clock can be set back while a race runs: what a timer has slept counts, so
 * that no wait grows longer than the one that was asked for.
 *
 * @internal
 */
export class Pace<R> {
  private newest = -1
  private newestStart = -Infinity
  /** Milliseconds; `Infinity` also while a schedule has not answered, and when it is done. */
  private delay = 0
  /** Milliseconds from the newest start until which progress holds the next. */
  private held = 0
  /** When the newest attempt failed; `Infinity` while it has not. */
  private failedAt = Infinity
  /** Milliseconds since the newest start for which a timer has slept, whatever the clock says. */
  private slept = 0
  private timer: { readonly cancel: () => void; readonly firesAt: number; cancelled: boolean } | undefined
  private hasFired = false
  private step: Fiber.RuntimeFiber<unknown> | undefined
  private scheduleState: unknown
  private readonly startTimer: StartTimer

  constructor(private readonly options: PaceOptions<R>) {
    this.startTimer = timersOf(options.clock, options.fiberId, options.spawn)
    this.scheduleState = typeof options.delay === "number" ? undefined : options.delay.initial
  }

  get now(): number {
    return this.options.clock.unsafeCurrentTimeMillis()
  }

  private get hasFailed(): boolean {
    return this.failedAt < Infinity
  }

  /** When the newest attempt failed or its delay passed, but for what holds the next start up: now, at the latest. */
  get dueAt(): number {
    return this.newest < 0 ? this.now : Math.min(this.now, this.failedAt, this.newestStart + this.delay)
  }

  private get elapsed(): number {
    return Math.max(this.slept, this.now - this.newestStart)
  }

  /** Milliseconds from the newest start to the next. */
  private get wait(): number {
    return Math.max(this.options.minDelay, this.hasFailed ? 0 : Math.max(this.delay, this.held))
  }

  /** Milliseconds until the next start is due: zero or less when it is, `Infinity` when only a failure can bring it. */
  get remaining(): number {
    return this.wait - this.elapsed
  }

  get isArmed(): boolean {
    return this.timer !== undefined
  }

  /**
   * Whether the timer goes in before the attempt, and not after a look whether the attempt is still running, which
   * saves most timers. A clock that is moved by hand, as `TestClock` is, has sleepers that wake at the very same
   * instant, the last to come first: for an ending to be seen before the timer, the timer must not come last.
   */
  get armsFirst(): boolean {
    return "adjust" in this.options.clock
  }

  /** A start, for whatever reason, restarts the delay. Returns its time. */
  restart(index: number): number {
    const { delay } = this.options
    this.newest = index
    this.newestStart = this.now
    this.held = 0
    this.slept = 0
    this.failedAt = Infinity
    this.hasFired = false
    this.interrupt(this.step)
    if (typeof delay === "number") {
      this.delay = delay
    } else {
      this.delay = Infinity
      this.step = this.stepSchedule(delay, index)
    }
    return this.newestStart
  }

  /** The newest attempt has failed: only the least gap holds the next start. */
  expedite(): void {
    this.failedAt = this.now
  }

  /** An attempt has made progress: if it is the newest, the next start is held back. It is never brought forward. */
  holdBack(index: number, millis: number): void {
    if (index === this.newest) {
      this.held = Math.max(this.held, this.elapsed + millis)
    }
  }

  /**
   * Sees to it that a timer fires when the next start is due. A timer that fires before is kept: what is due is
   * looked at again when it does. One that would fire after has to be gone before the next can be made.
   */
  arm(): void {
    const { newest, remaining, wait } = this
    const firesAt = this.now + remaining
    if (this.timer !== undefined) {
      return this.timer.firesAt > firesAt ? this.disarm() : undefined
    }
    if (remaining !== Infinity) {
      let ended = false
      const cancel = this.startTimer(remaining, (fired) => {
        ended = true
        this.timer = undefined
        this.hasFired = fired
        if (fired) {
          this.slept = newest === this.newest ? wait : Math.max(this.slept, firesAt - this.newestStart)
        }
        this.options.onTimer()
      })
      this.timer = ended ? undefined : { cancel, firesAt, cancelled: false }
    }
  }

  /**
   * Whether a start has been brought by a timer and owes the event loop a turn first: what happened at the same
   * instant, or arrived while the process was busy, is heard before the timer. Says so once.
   */
  owesTurn(): boolean {
    const owes = this.hasFired && !this.hasFailed && !this.armsFirst
    this.hasFired = false
    return owes
  }

  /** The timer may be gone only later: when it is, `isArmed` says so. */
  disarm(): void {
    if (this.timer?.cancelled === false) {
      this.timer.cancelled = true
      this.timer.cancel()
    }
  }

  /** The race is decided. */
  stop(): void {
    this.disarm()
    this.interrupt(this.step)
  }

  private interrupt(fiber: Fiber.RuntimeFiber<unknown> | undefined): void {
    fiber?.unsafeInterruptAsFork(this.options.fiberId)
  }

  private stepSchedule(schedule: Schedule.Schedule<unknown, number, R>, index: number) {
    const step = Effect.suspend(() => schedule.step(this.newestStart, index, this.scheduleState))
    const fiber = this.options.spawn(Effect.interruptible(step), (exit) => {
      const isNewest = index === this.newest
      if (isNewest) {
        this.step = undefined
      }
      if (Exit.isFailure(exit)) {
        return Cause.isInterruptedOnly(exit.cause) ? undefined : this.options.onScheduleDefect(exit.cause)
      }
      const [state, , decision] = exit.value
      this.scheduleState = state
      if (isNewest && ScheduleDecision.isContinue(decision)) {
        this.delay = ScheduleIntervals.start(decision.intervals) - this.newestStart
      }
    })
    return stillRunning(fiber)
  }
}

// A fiber that never suspends has ended when `spawn` returns.
const stillRunning = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => fiber.unsafePoll() === null ? fiber : undefined
