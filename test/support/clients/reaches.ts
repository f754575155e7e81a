import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"

/** Waits until a state is reached, and tells of the one it is in if that takes long. */
export const reaches = <A, E>(expected: A, state: Effect.Effect<A, E>) =>
  state.pipe(
    Effect.tap((state) => Effect.try(() => deepStrictEqual(state, expected))),
    Effect.retry(Schedule.intersect(Schedule.spaced("10 millis"), Schedule.recurUpTo("30 seconds"))),
    Effect.catchAll(() => Effect.map(state, (state) => deepStrictEqual(state, expected)))
  )
