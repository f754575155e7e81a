import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { longestTimeout } from "../race/clock.js"

/**
 * The clock of the process. Its timers can stop keeping the process alive, as a socket does with `unref`.
 *
 * @internal
 */
export const makeClock = (): Clock.Clock & { readonly hold: (isHeld: boolean) => void } => {
  const timers = new Set<NodeJS.Timeout>()
  let isHeld = true
  const sleep = (duration: Duration.Duration) => {
    const millis = Duration.toMillis(duration)
    return millis > longestTimeout ? Effect.never : Effect.async<void>((resume) => {
      const timer = setTimeout(() => {
        timers.delete(timer)
        resume(Effect.void)
      }, millis)
      timers.add(isHeld ? timer : timer.unref())
      return Effect.sync(() => {
        clearTimeout(timer)
        timers.delete(timer)
      })
    })
  }
  const hold = (held: boolean) => {
    isHeld = held
    timers.forEach((timer) => held ? timer.ref() : timer.unref())
  }
  return Object.assign(Clock.make(), { sleep, hold })
}
