import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type { Pending, RaceEvent } from "../../StaggeredRace.js"
import { failed, guarded, type Telemetry } from "../observe.js"
import type { Decision } from "./rules.js"

/**
 * The start that the decision came before, if one was due.
 *
 * @internal
 */
export const pendingOf = ({ pendingSince }: Decision): Option.Option<Pending> =>
  pendingSince === undefined ? Option.none() : Option.some({ dueAt: pendingSince })

/** @internal */
export type Report<A, E> = (event: RaceEvent<A, E>) => void

/**
 * Hands events to a handler, in order and one at a time. The race never waits for it: a handler that never suspends
 * has run when this returns, a slow one goes on by itself, and one that fails is only logged.
 */
const makeHandler = <A, E, R>(
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
      (cause) => failed("onEvent", cause)
    ))
    if (!busy) {
      busy = true
      guarded(runtime, "onEvent", () => {
        try {
          Runtime.runFork(runtime, drain)
        } catch (thrown) {
          busy = false
          throw thrown
        }
      })
    }
  }
}

/**
 * Who hears of what happens in a race, if anybody does. Telemetry comes first: it takes the time of its own.
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
