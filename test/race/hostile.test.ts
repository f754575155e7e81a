import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { candidate, candidates, fail, failed, hang, nothing, observe, transcript } from "../support/scenario.js"

describe.concurrent("23. Nothing that a user hands in hangs or spins a race", () => {
  describe("a schedule", () => {
    it.live("that dies ends the race with its defect, and leaves nothing", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const delay = Schedule.addDelay(Schedule.recurs(3), (): number => {
          throw "no delay"
        })
        const list = candidates([hang({ cleanup: 20 })], seen)
        const { endedAt, exit, left } = yield* observe(StaggeredRace.race(list, { delay }))
        deepStrictEqual([failed(exit), endedAt, left], ["!no delay", 20, nothing])
      }))

    it.live("ends it also while a stream is slow", () =>
      Effect.gen(function*() {
        const delay = Schedule.addDelayEffect(
          Schedule.forever,
          () => Effect.zipRight(Effect.sleep(50), Effect.die("late"))
        )
        const stream = Stream.concat(Stream.make(candidate(fail(10), 0, transcript())), Stream.never)
        const { endedAt, exit } = yield* observe(StaggeredRace.raceStream(stream, { delay }))
        deepStrictEqual([failed(exit), endedAt], ["!late", 50])
      }))
  })
})
