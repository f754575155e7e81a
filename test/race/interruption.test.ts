import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { byIndex, play } from "../support/play.js"
import {
  candidate,
  candidates,
  hang,
  how,
  messages,
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
})
