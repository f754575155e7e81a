import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import type { RaceEvent } from "../StaggeredRace.js"

/** @internal */
export type Report<A, E> = (event: RaceEvent<A, E>) => void

/**
 * Hands events to a handler, in order and one at a time. The race never waits for it: a handler that never suspends
 * has run when `Report` returns, a slow one goes on by itself, and one that fails is only logged.
 *
 * @internal
 */
export const makeReport = <A, E, R>(
  runtime: Runtime.Runtime<R>,
  onEvent: (event: RaceEvent<A, E>) => Effect.Effect<unknown, unknown, R>
): Report<A, E> => {
  let queue: Array<Effect.Effect<void, never, R>> = []
  let busy = false
  const drain = Effect.whileLoop({
    while: () => busy = queue.length > 0,
    body: () => {
      const events = queue
      queue = []
      return Effect.all(events, { discard: true })
    },
    step: constVoid
  })
  return (event) => {
    queue.push(Effect.catchAllCause(
      Effect.interruptible(Effect.suspend(() => onEvent(event))),
      (cause) => Effect.logDebug("StaggeredRace: onEvent failed", cause)
    ))
    if (!busy) {
      busy = true
      Runtime.runFork(runtime, drain)
    }
  }
}
