import * as Effect from "effect/Effect"
import * as Queue from "effect/Queue"
import type * as Scope from "effect/Scope"

/** Gives each key to the program as it is pressed, also Ctrl-C, until the scope closes. */
export const keyboard: Effect.Effect<Queue.Dequeue<string>, never, Scope.Scope> = Effect.gen(function*() {
  const keys = yield* Queue.unbounded<string>()
  const hear = (text: string) => void keys.unsafeOffer(text)
  yield* Effect.acquireRelease(
    Effect.sync(() => process.stdin.setRawMode(true).setEncoding("utf8").on("data", hear).resume()),
    () => Effect.sync(() => process.stdin.off("data", hear).pause().setRawMode(false))
  )
  return keys
})
