import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Scheduler from "effect/Scheduler"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents, type Settling } from "../support/eventClock.js"
import { byIndex, play } from "../support/play.js"
import {
  candidate,
  candidates,
  hang,
  how,
  messages,
  nothing,
  observe,
  ok,
  scopedCandidate,
  transcript
} from "../support/scenario.js"

describe.concurrent("interruption", () => {
  describe("11. The caller's interruption interrupts every attempt, starts nothing more, waits for all, and is never swallowed", () => {
    it.live("every attempt is waited for", () =>
      Effect.gen(function*() {
        const cut = yield* play([hang({ cleanup: 300 }), hang({ cleanup: 300 }), ok(1)], { delay: 250 }, 499)
        deepStrictEqual(byIndex(cut.ended), [[0, "interrupted", 799], [1, "interrupted", 799]])
        strictEqual(cut.winner, "interrupted")
        strictEqual(cut.at, 799)
      }))

    it.live("waits for all also where losers are left to the background", () =>
      Effect.gen(function*() {
        const cut = yield* play([hang({ cleanup: 300 })], { delay: 250, losers: "background" }, 100)
        strictEqual(cut.at, 400)
      }))

    it.live("is not swallowed while losers clean up after a win, and the winner's resources are released too", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = [hang({ cleanup: 300 }), ok(100)].map((row, index) => scopedCandidate(row, index, seen))
        const race = Effect.scoped(Effect.zipRight(
          Effect.onExit(StaggeredRace.race(list, { delay: 10 }), () => Effect.sync(() => seen.resources.push("raced"))),
          Effect.sleep(1000)
        ))
        const { endedAt, exit } = yield* observe(race, { interruptAt: 200 })
        strictEqual(Exit.isInterrupted(exit), true)
        strictEqual(endedAt, 410)
        deepStrictEqual(seen.resources, ["+0@0", "+1@10", "-0@410", "-1@410", "raced"])
      }))

    it.live("a timeout is one", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = candidates([hang({ cleanup: 50 }), hang()], seen)
        const { endedAt, exit } = yield* observe(Effect.timeout(StaggeredRace.race(list, { delay: 100 }), 150))
        deepStrictEqual(messages(exit).map(String), ["TimeoutException: Operation timed out after '150ms'"])
        strictEqual(endedAt, 200)
      }))

    it.live("before anything has begun, nothing starts", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const race = StaggeredRace.race([candidate(hang(), 0, seen)], { delay: 100 })
        yield* observe(Effect.zipRight(Effect.interrupt, race))
        deepStrictEqual(seen.started, [])
      }))

    it.live("a winner that is given up: its finalizers see the interruption, and what fails in them is in the cause", () =>
      Effect.gen(function*() {
        const seen: Array<string> = []
        const won = Effect.zipRight(
          Effect.addFinalizer((exit) => Effect.zipRight(Effect.sync(() => seen.push(how(exit))), Effect.die("dirty"))),
          Effect.void
        )
        const race = Effect.scoped(StaggeredRace.race([candidate(hang({ cleanup: 50 }), 0, transcript()), won], {
          delay: 10
        }))
        const { exit } = yield* observe(race, { interruptAt: 30 })
        deepStrictEqual(seen, ["interrupted"])
        assertTrue(Exit.isFailure(exit) && Cause.isInterrupted(exit.cause))
        deepStrictEqual(Exit.isFailure(exit) && Chunk.toReadonlyArray(Cause.defects(exit.cause)), ["dirty"])
      }))
  })

  describe("12. Attempts are interruptible also when the race stands in an uninterruptible region", () => {
    it.live("the loser is", () =>
      Effect.gen(function*() {
        const list = candidates([hang(), ok(100)])
        const { endedAt, exit } = yield* observe(Effect.uninterruptible(StaggeredRace.race(list, { delay: 10 })))
        deepStrictEqual(exit, Exit.succeed("value 1"))
        strictEqual(endedAt, 110)
      }))
  })

  describe("between the winner's success and its hand-over, wherever it comes", () => {
    /** Runs in turns, and interrupts a fiber before one of them. */
    const interrupting = (turn: number) => {
      const tasks: Array<() => void> = []
      let turns = 0
      let victim: Fiber.RuntimeFiber<unknown, unknown> | undefined
      const scheduler: Settling = {
        scheduleTask: (task) => tasks.push(task),
        shouldYield: Scheduler.defaultShouldYield,
        settle: () => {
          for (const task of tasks) {
            if (turns++ === turn) {
              victim?.unsafeInterruptAsFork(FiberId.none)
            }
            task()
          }
          tasks.length = 0
        }
      }
      const observed = <A, E, R>(self: Effect.Effect<A, E, R>) =>
        Effect.withFiberRuntime<A, E, R>((fiber) => {
          victim = fiber as Fiber.RuntimeFiber<unknown, unknown>
          return self
        })
      return { observed, scheduler, wasIn: () => turns > turn }
    }

    const padded = (steps: number) => Effect.repeatN(Effect.void, steps)

    const holding = (open: Set<number>, index: number) =>
      Effect.acquireRelease(
        Effect.zipRight(padded(index % 3), Effect.sync(() => open.add(index))),
        () => Effect.zipRight(padded(2), Effect.sync(() => open.delete(index)))
      )

    /** Two that succeed in the same turn, and one that lets them. */
    const program = (
      open: Set<number>,
      kind: "race" | "outcome" | "stream",
      losers: "await" | "background",
      steps: number
    ) =>
      Effect.flatMap(Deferred.make<void>(), (gate) => {
        const meet = (index: number) =>
          Effect.zipRight(holding(open, index), Effect.zipRight(Deferred.await(gate), padded(index * steps)))
        const list = [
          meet(0),
          meet(1),
          Effect.zipRight(holding(open, 2), Effect.zipRight(Deferred.succeed(gate, void 0), Effect.never))
        ]
        const options = { delay: 0, losers }
        return kind === "race"
          ? Effect.asVoid(StaggeredRace.race(list, options))
          : kind === "outcome"
          ? Effect.asVoid(StaggeredRace.outcome(list, options))
          : Effect.asVoid(StaggeredRace.raceStream(Stream.fromIterable(list), options))
      })

    const ops = Array.from({ length: 59 }, (_, index) => 12 + index)

    it.each(
      [
        ["race", "await"],
        ["race", "background"],
        ["outcome", "background"],
        ["stream", "await"],
        ["stream", "background"]
      ] as const
    )("%s, losers in %s: nothing is left of any attempt", (kind, losers) => {
      let interrupted = 0
      for (const maxOps of ops) {
        for (let turn = 0;; turn++) {
          const open = new Set<number>()
          const { observed, scheduler, wasIn } = interrupting(turn)
          const { exit, left } = runEvents(
            Effect.scoped(observed(program(open, kind, losers, maxOps % 4))).pipe(Effect.withMaxOpsBeforeYield(maxOps)),
            { scheduler }
          )
          if (!wasIn()) {
            break
          }
          const where = { maxOps, turn }
          deepStrictEqual({ where, open: [...open], left }, { where, open: [], left: nothing })
          interrupted += how(exit) === "interrupted" ? 1 : 0
        }
      }
      assertTrue(interrupted > ops.length, `${interrupted} interrupted`)
    })
  })
})
