import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import type { Fibers } from "./fibers.js"

/** How a timer has ended: it has slept, it was cancelled and is gone, or its clock has died. */
type TimerEnd = Exit.Exit<"slept" | "gone">

/**
 * How a race tells the time and waits: by the clock in its environment alone.
 *
 * @internal
 */
export interface Time {
  readonly now: () => number
  /** Makes a timer and returns how to cancel it. `onEnd` is called once, perhaps before this returns. */
  readonly arm: (millis: number, onEnd: (end: TimerEnd) => void) => () => void
  /** Whether a timer has to be made before the attempt that it follows. */
  readonly armsFirst: boolean
  /** Lets the event loop speak. Fibers that yield only give way to other fibers. */
  readonly breathe: Effect.Effect<void> | undefined
}

const processClock = Context.get(DefaultServices.liveServices, Clock.Clock)

/** @internal */
export const timeOf = <R>(clock: Clock.Clock, fibers: Fibers<R>): Time =>
  clock === processClock ? processTime : askedTime(clock, fibers)

const slept: TimerEnd = Exit.succeed("slept")
const gone: TimerEnd = Exit.succeed("gone")

/**
 * Any clock but the process's is asked to sleep. What else sleeps until the same instant must be heard before the timer
 * (law 5), in whichever order the clock wakes its sleepers. `TestClock` wakes the last one first, so the timer is made
 * before the attempt. Other clocks wake the first one first, so the timer goes to the end of the line: it sleeps again,
 * for no time.
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

// Node lets the event loop speak at an immediate, which costs microseconds. Browsers have timeouts only. A test that
// fakes timers later means those that take time: a faked immediate would take a millisecond of it.
const immediates = typeof setImmediate === "function" ? { set: setImmediate, clear: clearImmediate } : undefined

/** Calls back when the event loop has spoken, and returns how to keep it from that. */
const soon = (callback: () => void): () => void => {
  if (immediates !== undefined) {
    const immediate = immediates.set(callback)
    return () => immediates.clear(immediate)
  }
  const timeout = setTimeout(callback, 0)
  return () => clearTimeout(timeout)
}

// What `setTimeout` can count to. As in Effect, all that is longer is for ever.
const longestTimeout = 2 ** 31 - 1

/**
 * The clock of the process sleeps by `setTimeout`, and a fiber around it would cost much more than the timeout. When it
 * fires, the event loop speaks first: what has arrived by then, also while the process was busy, is heard before it.
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
