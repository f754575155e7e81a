import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as ScheduleDecision from "effect/ScheduleDecision"
import * as ScheduleIntervals from "effect/ScheduleIntervals"
import type { Time } from "./clock.js"
import type { Fibers } from "./fibers.js"
import type { Rules, Timing } from "./rules.js"
import type { Settings } from "./settings.js"

/**
 * The waiting that the rules ask for: one timer, and the schedule, which it steps once per start.
 *
 * @internal
 */
export class Pace<R> {
  /** Why the clock or the schedule died. */
  defect: Cause.Cause<never> | undefined

  private cancel: (() => void) | undefined
  private step: Fiber.RuntimeFiber<unknown, unknown> | undefined
  private scheduleState: unknown

  constructor(
    private readonly rules: Rules,
    private readonly time: Time,
    private readonly delay: Settings<never, never, R, never>["delay"],
    private readonly fibers: Fibers<R>
  ) {
    this.scheduleState = typeof delay === "number" ? undefined : delay.initial
  }

  follow(timing: Timing): void {
    switch (timing) {
      case "arm":
        return this.arm()
      case "disarm":
        return this.cancel?.()
    }
  }

  private arm(): void {
    this.rules.armed()
    this.cancel = this.time.arm(this.rules.sleepFor, (end) => {
      this.cancel = undefined
      this.rules.timerEnded(Exit.isSuccess(end) && end.value === "slept")
      this.defect ??= Exit.isFailure(end) ? end.cause : undefined
      this.fibers.onChange()
    })
  }

  /** Asks the schedule, if there is one, for the delay after a start. */
  restart(index: number, startedAt: number): void {
    const { delay } = this
    if (typeof delay === "number") {
      return
    }
    this.interruptStep()
    const step = this.fibers.fork(
      Effect.interruptible(Effect.suspend(() => delay.step(startedAt, index, this.scheduleState))),
      (exit) => {
        if (Exit.isFailure(exit)) {
          this.defect ??= Cause.isInterruptedOnly(exit.cause) ? undefined : exit.cause
          return
        }
        const [state, , decision] = exit.value
        this.scheduleState = state
        // A schedule that is done gives no delay: only failures start the next candidate.
        if (ScheduleDecision.isContinue(decision)) {
          this.rules.delayIs(index, ScheduleIntervals.start(decision.intervals) - startedAt)
        }
      }
    )
    this.step = step.unsafePoll() === null ? step : undefined
    if (this.rules.decision !== undefined) {
      // The step has woken an attempt, and that decided the race.
      this.interruptStep()
    }
  }

  stop(): void {
    this.cancel?.()
    this.interruptStep()
  }

  private interruptStep(): void {
    this.step?.unsafeInterruptAsFork(FiberId.none)
  }
}
