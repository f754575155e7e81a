import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Runtime from "effect/Runtime"
import type { RaceEvent } from "../../StaggeredRace.js"
import { failed, guarded, type Telemetry } from "../observe.js"

/** @internal */
export type Report<A, E> = (event: RaceEvent<A, E>) => void

/**
 * Passes events to a handler, in order and one at a time. The race never waits: a handler that suspends goes on in its
 * own fiber. One that never suspends has run when this returns.
 */
const makeHandler = <A, E, R>(
  runtime: Runtime.Runtime<R>,
  onEvent: (event: RaceEvent<A, E>) => Effect.Effect<unknown, unknown, R>
): Report<A, E> => {
  const queue: Array<RaceEvent<A, E>> = []
  let isBusy = false
  const next: Effect.Effect<void, never, R> = Effect.suspend(() => {
    const event = queue.shift()
    if (event === undefined) {
      isBusy = false
      return Effect.void
    }
    return Effect.matchCauseEffect(Effect.interruptible(Effect.suspend(() => onEvent(event))), {
      // An interrupted fiber cannot run the next handler, so a new fiber does.
      onFailure: (cause) =>
        Effect.zipRight(failed("onEvent", cause), Cause.isInterrupted(cause) ? Effect.sync(() => start(false)) : next),
      onSuccess: () => next
    })
  })
  const start = (immediate: boolean) =>
    guarded(runtime, "onEvent", () => {
      try {
        isBusy = true
        Runtime.runFork(runtime, next, { immediate })
      } catch (thrown) {
        isBusy = false
        throw thrown
      }
    })
  return (event) => {
    queue.push(event)
    if (!isBusy) {
      start(true)
    }
  }
}

/**
 * Passes events to the telemetry and then to the handler. `undefined` if there is neither.
 *
 * @internal
 */
export const makeReport = <A, E, R>(
  runtime: Runtime.Runtime<R>,
  onEvent: ((event: RaceEvent<A, E>) => Effect.Effect<unknown, unknown, R>) | undefined,
  telemetry: Telemetry | undefined
): Report<A, E> | undefined => {
  const handler = onEvent && makeHandler(runtime, onEvent)
  return telemetry === undefined ? handler : (event) => {
    guarded(runtime, "telemetry", () => telemetry.onEvent(event))
    handler?.(event)
  }
}
