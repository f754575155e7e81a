import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { observe } from "../support/scenario.js"

describe.concurrent("13. The winner's FiberRef and runtime-flag changes reach the caller; nobody else's do", () => {
  it.live("the FiberRefs of a winner, of losers and of who failed", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("before")
      const set = (value: string) => FiberRef.set(ref, value)
      const race = StaggeredRace.race([
        Effect.zipRight(set("failed"), Effect.fail("no")),
        Effect.onInterrupt(Effect.zipRight(set("lost"), Effect.never), () => set("cleaned up")),
        Effect.zipRight(Effect.sleep(10), set("won"))
      ], { delay: 10 })
      const { exit } = yield* observe(Effect.scoped(
        Effect.zipRight(
          race,
          Effect.all([FiberRef.get(ref), StaggeredRace.CurrentAttempt, Effect.scope])
        ).pipe(Effect.zipWith(Effect.scope, ([value, attempt, scope], outer) => [value, attempt, scope === outer]))
      ))
      deepStrictEqual(exit, Exit.succeed(["won", Option.none(), true]))
      const none = Effect.zipRight(
        Effect.exit(StaggeredRace.race([Effect.zipRight(set("failed"), Effect.fail("no"))], { delay: 10 })),
        FiberRef.get(ref)
      )
      strictEqual(yield* none, "before")
    }))

  it.live("a FiberRef that the winner has not changed is as the caller had it, whatever the others did", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("before")
      const set = (value: string) => FiberRef.set(ref, value)
      const race = StaggeredRace.race([
        Effect.zipRight(set("failed"), Effect.fail("no")),
        Effect.zipRight(set("lost"), Effect.never),
        Effect.delay(Effect.void, 10)
      ], { delay: 10 })
      const { exit } = yield* observe(Effect.zipRight(race, FiberRef.get(ref)))
      deepStrictEqual(exit, Exit.succeed("before"))
    }))

  it.live("the winner's FiberRef changes reach the caller of `outcome`", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("before")
      const outcome = StaggeredRace.outcome([FiberRef.set(ref, "won")], { delay: 10 })
      strictEqual(yield* Effect.zipRight(outcome, FiberRef.get(ref)), "won")
    }))
})
