import * as Cause from "effect/Cause"
import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as FiberId from "effect/FiberId"
import type * as Schedule from "effect/Schedule"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import type { Spawn } from "./source.js"

/** @internal */
export interface PaceOptions<R> {
  readonly delay: number | Schedule.Schedule<unknown, number, R>
  readonly minDelay: number
  readonly clock: Clock.Clock
  readonly fiberId: FiberId.FiberId
  /** Forks a fiber whose end makes the coordinator look again at what is due. */
  readonly spawn: Spawn<R>
  readonly onScheduleDefect: (cause: Cause.Cause<never>) => void
}

/**
 * When the next start is due, and the one timer that waits for it.
 *
 * All is counted from the newest start. A clock can be set back while a race runs: what has elapsed is never less
 * than nothing, so that no wait grows longer than the one that was asked for.
 *
 * @internal
 */
export class Pace<R> {
  private newest = -1
  private newestStart = 0
  /** Milliseconds from the newest start to the next; `Infinity` when only a failure can bring it. */
  private wait = 0
  private timer: { readonly fiber: Fiber.RuntimeFiber<void>; readonly firesAt: number; disarmed: boolean } | undefined
  private step: Fiber.RuntimeFiber<unknown> | undefined
  private scheduleState: unknown

  constructor(private readonly options: PaceOptions<R>) {
    this.scheduleState = typeof options.delay === "number" ? undefined : options.delay.initial
  }

  get now(): number {
    return this.options.clock.unsafeCurrentTimeMillis()
  }

  private get elapsed(): number {
    return Math.max(0, this.now - this.newestStart)
  }

  /** Milliseconds until the next start is due: zero or less when it is. */
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
    const { delay, minDelay } = this.options
    this.newest = index
    this.newestStart = this.now
    this.interrupt(this.step)
    if (typeof delay === "number") {
      this.wait = Math.max(delay, minDelay)
    } else {
      this.wait = Infinity
      this.step = this.stepSchedule(delay, index)
    }
    return this.newestStart
  }

  /** The newest attempt has failed: only the least gap holds the next start. */
  expedite(): void {
    this.wait = this.options.minDelay
  }

  /** An attempt has made progress: if it is the newest, the next start is held back. It is never brought forward. */
  holdBack(index: number, millis: number): void {
    if (index === this.newest) {
      this.wait = Math.max(this.wait, this.elapsed + millis)
    }
  }

  /**
   * Sees to it that a timer fires when the next start is due. A timer that fires before is kept: what is due is
   * looked at again when it does. One that would fire after has to be gone before the next can be made.
   */
  arm(): void {
    const { clock, spawn } = this.options
    const remaining = this.remaining
    const dueAt = this.now + remaining
    if (this.timer !== undefined) {
      return this.timer.firesAt > dueAt ? this.disarm() : undefined
    }
    if (remaining !== Infinity) {
      const sleep = Effect.interruptible(clock.sleep(Duration.millis(remaining)))
      const fiber = stillRunning(spawn(sleep, () => {
        this.timer = undefined
      }))
      this.timer = fiber && { fiber, firesAt: dueAt, disarmed: false }
    }
  }

  /** The timer is gone once its fiber has ended, which is when `isArmed` says so. */
  disarm(): void {
    if (this.timer?.disarmed === false) {
      this.timer.disarmed = true
      this.interrupt(this.timer.fiber)
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
        this.wait = Math.max(ScheduleIntervals.start(decision.intervals) - this.newestStart, this.options.minDelay)
      }
    })
    return stillRunning(fiber)
  }
}

// A fiber that never suspends has ended when `spawn` returns.
const stillRunning = <A, E>(fiber: Fiber.RuntimeFiber<A, E>) => fiber.unsafePoll() === null ? fiber : undefined
