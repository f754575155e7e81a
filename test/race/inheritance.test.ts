import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as RuntimeFlagsPatch from "effect/RuntimeFlagsPatch"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents, type RunOptions } from "../support/eventClock.js"
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

  it("what a stream's finalizer changes does not, and leaves nothing in the caller", () => {
    const ref = FiberRef.unsafeMake("before")
    const stream = Stream.map(
      Stream.acquireRelease(FiberRef.set(ref, "acquired"), () => FiberRef.set(ref, "released")),
      () => Effect.succeed("won")
    )
    const deepest = Effect.map(
      Effect.getFiberRefs,
      ({ locals }) => Math.max(...Array.from(locals.values(), ({ length }) => length))
    )
    for (const losers of ["await", "background"] as const) {
      const races = Effect.repeatN(StaggeredRace.raceStream(stream, { delay: 10, losers }), 10)
      const { exit } = runEvents(Effect.all([deepest, Effect.zipRight(races, deepest), FiberRef.get(ref)]))
      deepStrictEqual(exit, Exit.succeed([1, 1, "before"]))
    }
  })

  it.live("the winner's FiberRef changes reach the caller of `outcome`", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("before")
      const outcome = StaggeredRace.outcome([FiberRef.set(ref, "won")], { delay: 10 })
      strictEqual(yield* Effect.zipRight(outcome, FiberRef.get(ref)), "won")
    }))

  describe("runtime flags", () => {
    const { CooperativeYielding, OpSupervision, RuntimeMetrics } = RuntimeFlags
    const enable = (flag: RuntimeFlags.RuntimeFlag) => Effect.patchRuntimeFlags(RuntimeFlagsPatch.enable(flag))
    const disable = (flag: RuntimeFlags.RuntimeFlag) => Effect.patchRuntimeFlags(RuntimeFlagsPatch.disable(flag))

    const winning = Effect.zipRight(
      Effect.sleep(10),
      Effect.zipRight(enable(OpSupervision), disable(CooperativeYielding))
    )
    const others = [
      Effect.zipRight(disable(RuntimeMetrics), Effect.fail("no")),
      Effect.onInterrupt(Effect.zipRight(disable(RuntimeMetrics), Effect.never), () => disable(RuntimeMetrics))
    ]
    /** Whether supervision, yielding, metrics and interruption are on. */
    const flags = Effect.map(
      Effect.getRuntimeFlags,
      (flags) =>
        [OpSupervision, CooperativeYielding, RuntimeMetrics, RuntimeFlags.Interruption].map((flag) =>
          RuntimeFlags.isEnabled(flags, flag)
        )
    )
    const around = (race: Effect.Effect<unknown, unknown>, options?: RunOptions) =>
      runEvents(Effect.all([flags, Effect.exit(race), flags]), options).exit.pipe(
        Exit.map(([before, , after]) => [before, after])
      )
    const before = [false, true, true, true]

    it("those that the winner changes are the caller's; those of losers and of who failed are not", () => {
      const candidates = [...others, winning]
      for (
        const race of [
          StaggeredRace.race(candidates, { delay: 10 }),
          StaggeredRace.outcome(candidates, { delay: 10 }),
          StaggeredRace.race(candidates, { delay: 10, losers: "background" }),
          StaggeredRace.raceStream(Stream.fromIterable(candidates), { delay: 10 }),
          StaggeredRace.race([StaggeredRace.race(candidates, { delay: 10 })], { delay: 10 }),
          Effect.scoped(StaggeredRace.race(candidates, { delay: 10 })),
          // A winner that never suspends.
          StaggeredRace.race([Effect.zipRight(enable(OpSupervision), disable(CooperativeYielding))], { delay: 10 })
        ]
      ) {
        deepStrictEqual(around(race), Exit.succeed([before, [true, false, true, true]]))
      }
    })

    it("they are as they were where nobody wins", () =>
      deepStrictEqual(
        around(StaggeredRace.race([others[0]!, others[0]!], { delay: 10 })),
        Exit.succeed([before, before])
      ))

    it("it is as with `Effect.raceAll`", () =>
      deepStrictEqual(
        around(StaggeredRace.race([...others, winning], { delay: 0 })),
        around(Effect.raceAll([...others, winning]))
      ))

    it("a winner that leaves a region in which it cannot be interrupted hands no such region on", () => {
      const stubborn = Effect.zipRight(disable(RuntimeFlags.Interruption), Effect.sleep(10))
      deepStrictEqual(around(StaggeredRace.race([stubborn], { delay: 10 })), Exit.succeed([before, before]))
    })
  })
})
