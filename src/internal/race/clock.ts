import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { Fibers } from "./fibers.js"

/**
 * How a timer ended: it slept to the end, it was cancelled and is gone, or the clock died.
 *
 * @internal
 */
export type TimerEnd = Exit.Exit<"slept" | "gone">

/**
 * How a race reads the time and waits. It uses only the clock in its environment.
 *
 * @internal
 */
export interface Time {
  readonly now: () => number
  /** Makes a timer and returns its cancel function. Calls `onEnd` once, perhaps before it returns. */
  readonly arm: (millis: number, onEnd: (end: TimerEnd) => void) => () => void
  /** Whether the timer must be made before the attempt that it follows, as `askedTime` explains. */
  readonly armsFirst: boolean
  /** Lets the event loop run. To yield would not do: that only gives way to other fibers. */
  readonly breathe: Effect.Effect<void> | undefined
}

const processClock = Context.get(DefaultServices.liveServices, Clock.Clock)

/** @internal */
export const timeOf = <R>(clock: Clock.Clock, fibers: Fibers<R>): Time =>
  clock === processClock ? processTime : askedTime(clock, fibers)

const slept: TimerEnd = Exit.succeed("slept")
const gone: TimerEnd = Exit.succeed("gone")

/**
 * Asks a clock that is not the process's to sleep. If an attempt ends at the same instant as the timer, its ending must
 * come first. `TestClock` wakes the last sleeper first, so the timer is made before the attempt. Other clocks wake the
 * first sleeper first, so the timer then sleeps once more, for zero.
 */
const askedTime = <R>(clock: Clock.Clock, fibers: Fibers<R>): Time => ({
  now() {
    const now = clock.unsafeCurrentTimeMillis()
    return Number.isFinite(now) ? now : 0
  },
  arm(millis, onEnd) {
    let isCancelled = false
    const sleep = (duration: Duration.Duration) => Effect.suspend(() => clock.sleep(duration))
    const sleeps = Effect.zipRight(sleep(Duration.millis(millis)), sleep(Duration.zero))
    const fiber = fibers.fork(
      Effect.interruptible(sleeps),
      (exit) => onEnd(isCancelled && Exit.isInterrupted(exit) ? gone : Exit.zipRight(exit, slept))
    )
    return () => {
      isCancelled = true
      fiber.unsafeInterruptAsFork(FiberId.none)
    }
  },
  armsFirst: true,
  breathe: undefined
})

// An immediate lets Node's event loop run and takes microseconds. Browsers have only timeouts. The functions are looked
// up once, at import: if a test fakes timers later, a fake immediate would take a millisecond of fake time.
const immediates = typeof setImmediate === "function" ? { set: setImmediate, clear: clearImmediate } : undefined

/** Calls back when the event loop has run. Returns a cancel function. */
const soon = (callback: () => void): () => void => {
  if (immediates !== undefined) {
    const immediate = immediates.set(callback)
    return () => immediates.clear(immediate)
  }
  const timeout = setTimeout(callback, 0)
  return () => clearTimeout(timeout)
}

/**
 * The longest delay that `setTimeout` takes, in milliseconds. As in Effect, a longer one never passes.
 *
 * @internal
 */
export const longestTimeout = 2 ** 31 - 1

/**
 * Sleeps by `setTimeout` itself, because a fiber around it would cost much more than the timeout. When it fires, the
 * event loop runs first. So an answer that has arrived by then counts, even if the process was busy.
 */
const processTime: Time = {
  now: () => processClock.unsafeCurrentTimeMillis(),
  arm(millis, onEnd) {
    let cancel: (() => void) | undefined
    if (millis <= longestTimeout) {
      const timeout = setTimeout(() => cancel = soon(() => onEnd(slept)), millis)
      cancel = () => clearTimeout(timeout)
    }
    return () => {
      cancel?.()
      onEnd(gone)
    }
  },
  armsFirst: false,
  breathe: Effect.async<void>((resume) => Effect.sync(soon(() => resume(Effect.void))))
}
