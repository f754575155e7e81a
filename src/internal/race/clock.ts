import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FiberId from "effect/FiberId"
import type { Spawn } from "./source.js"

/**
 * Calls back when a clock has moved on by so many milliseconds, or when the timer was cancelled and is gone: a sleep
 * that is interrupted may take its time to end. Returns how to cancel it.
 *
 * @internal
 */
export type StartTimer = (millis: number, onEnd: (fired: boolean) => void) => () => void

const processClock = Context.get(DefaultServices.liveServices, Clock.Clock)

// What `setTimeout` can count to: to the clock of the process all that is longer is for ever, as in Effect.
const longestTimeout = 2 ** 31 - 1

/**
 * The timers of a clock. The clock that Effect brings along sleeps by `setTimeout`, and a fiber around that costs
 * fifteen times as much as the timeout: most races need a timer, and none of them would use the fiber for more. Any
 * other clock is asked to `sleep`.
 *
 * @internal
 */
export const timersOf = (clock: Clock.Clock, fiberId: FiberId.FiberId, spawn: Spawn<never>): StartTimer =>
  clock === processClock ? startTimeout : (millis, onEnd) => {
    const sleep = Effect.interruptible(clock.sleep(Duration.millis(millis)))
    const fiber = spawn(sleep, (exit) => onEnd(Exit.isSuccess(exit)))
    return () => fiber.unsafeInterruptAsFork(fiberId)
  }

const startTimeout: StartTimer = (millis, onEnd) => {
  const timeout = millis <= longestTimeout ? setTimeout(onEnd, millis, true) : undefined
  return () => {
    clearTimeout(timeout)
    onEnd(false)
  }
}
