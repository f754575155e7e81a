import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
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

    it("is not swallowed while the stream is released after a win, and gives the winner up", () => {
      const seen = transcript()
      const ref = FiberRef.unsafeMake("before")
      const log = (what: string) => Effect.map(Clock.currentTimeMillis, (at) => seen.resources.push(`${what}@${at}`))
      const stream = Stream.concat(
        Stream.make(Effect.zipRight(FiberRef.set(ref, "changed"), scopedCandidate(ok(20), 0, seen))),
        Stream.ensuring(Stream.never, Effect.zipRight(Effect.sleep(50), log("released")))
      )
      const raced = Effect.flatMap(FiberRef.get(ref), log)
      const race = Effect.ensuring(StaggeredRace.raceStream(stream, { delay: 10 }), raced)
      const { exit, left } = runEvents(Effect.scoped(Effect.zipRight(race, Effect.sleep(1000))), { interruptAt: 40 })
      strictEqual(Exit.isInterrupted(exit), true)
      deepStrictEqual({ left, resources: seen.resources }, {
        left: nothing,
        resources: ["+0@0", "released@70", "-0@70", "before@70"]
      })
    })

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

    describe("the hand-over cannot be interrupted half way, in the background neither", () => {
      const handedOver = FiberRef.unsafeMake<number | undefined>(undefined)

      /** A scheduler that interrupts a fiber before one turn. */
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
        const watched = <A, E, R>(self: Effect.Effect<A, E, R>) =>
          Effect.withFiberRuntime<A, E, R>((fiber) => {
            victim = fiber as Fiber.RuntimeFiber<unknown, unknown>
            return self
          })
        return { watched, scheduler, cameInTime: () => turns > turn }
      }

      const steps = (count: number) => Effect.repeatN(Effect.void, count)

      const holding = (open: Set<number>, padding: number) => (index: number) =>
        Effect.acquireRelease(
          Effect.zipRight(steps(index), Effect.sync(() => open.add(index))),
          () => Effect.zipRight(Effect.repeatN(Effect.yieldNow(), padding), Effect.sync(() => open.delete(index)))
        )

      /** Two candidates that succeed in the same turn, and one that lets them. Each takes a while to clean up. */
      const contest = (open: Set<number>, padding: number) =>
        Effect.map(Deferred.make<void>(), (gate) => {
          const hold = holding(open, padding)
          const wins = (index: number) =>
            hold(index).pipe(
              Effect.zipRight(Deferred.await(gate)),
              Effect.zipRight(steps(index * padding)),
              Effect.zipRight(FiberRef.set(handedOver, index))
            )
          return [
            wins(0),
            wins(1),
            Effect.zipRight(hold(2), Effect.zipRight(Deferred.succeed(gate, void 0), Effect.never))
          ]
        })
      type Contest = Effect.Effect.Success<ReturnType<typeof contest>>
      const { outcome, race, raceStream } = StaggeredRace
      const background = { delay: 0, losers: "background" } as const

      it.each([
        ["losers are awaited", (list) => race(list, { delay: 0 }), 24],
        ["losers are left to the background", (list) => race(list, background), 70],
        ["an outcome", (list) => outcome(list, background), 24],
        ["candidates come from a stream", (list) => raceStream(Stream.fromIterable(list), background), 24],
        [
          "the stream holds something as well",
          (list, hold) => raceStream(Stream.unwrapScoped(Effect.as(hold(3), Stream.fromIterable(list))), background),
          24
        ]
      ] as ReadonlyArray<
        readonly [
          name: string,
          run: (list: Contest, hold: ReturnType<typeof holding>) => Effect.Effect<unknown, never, Scope.Scope>,
          maxOps: number
        ]
      >)("%s: an interruption at any turn finds all of it, or nothing", (_, run, maxOps) => {
        const interrupted = { before: 0, after: 0 }
        for (let ops = 12; ops <= maxOps; ops++) {
          for (let turn = 0;; turn++) {
            const open = new Set<number>()
            let atEnd = { how: "", open: [] as ReadonlyArray<number>, winner: undefined as number | undefined }
            const { cameInTime, scheduler, watched } = interrupting(turn)
            const program = Effect.gen(function*() {
              const list = yield* contest(open, ops % 7)
              const scope = yield* Scope.make()
              yield* watched(run(list, holding(open, 3))).pipe(
                Effect.onExit((exit) =>
                  Effect.map(FiberRef.get(handedOver), (winner) => atEnd = { how: how(exit), open: [...open], winner })
                ),
                Scope.extend(scope),
                // The scope releases what was handed over.
                Effect.ensuring(Scope.close(scope, Exit.void))
              )
            })
            const { left } = runEvents(Effect.withMaxOpsBeforeYield(program, ops), { scheduler })
            if (!cameInTime()) {
              break
            }
            const where = { ops, turn }
            deepStrictEqual({ where, open: [...open], left }, { where, open: [], left: nothing })
            if (atEnd.how === "interrupted" && atEnd.winner === undefined) {
              interrupted.before++
              deepStrictEqual({ where, open: atEnd.open }, { where, open: [] })
            } else if (atEnd.how === "interrupted") {
              interrupted.after++
              assertTrue(atEnd.open.includes(atEnd.winner!), JSON.stringify({ where, atEnd }))
            }
          }
        }
        assertTrue(interrupted.before > 100, JSON.stringify(interrupted))
      })
    })
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
})
