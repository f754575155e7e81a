import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { progressing } from "../support/play.js"
import type { Boom } from "../support/scenario.js"
import { candidate, clocks, fail, failed, hang, observe, transcript } from "../support/scenario.js"

describe.concurrent("CurrentAttempt", () => {
  it.live("is the index inside an attempt, and none outside", () =>
    Effect.gen(function*() {
      const index = Effect.map(StaggeredRace.CurrentAttempt, Option.map(({ index }) => index))
      deepStrictEqual(yield* index, Option.none())
      const same = Effect.flatMap(index, (found) =>
        Option.contains(found, 2) ? Effect.succeed("third") : Effect.fail(found))
      strictEqual(yield* StaggeredRace.race([same, same, same], { delay: 10 }), "third")
      const inner = StaggeredRace.race([Effect.fail("no"), index], { delay: 10 })
      deepStrictEqual(yield* StaggeredRace.race([inner], { delay: 10 }), Option.some(1))
    }))

  it.live("progress of no sensible length dies and names the value", () =>
    Effect.gen(function*() {
      const report = Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => Option.getOrThrow(attempt).progress(-1))
      const exit = yield* Effect.exit(StaggeredRace.race([report], { delay: 1 }))
      strictEqual(
        failed(exit),
        "!IllegalArgumentException: StaggeredRace: option \"progress\" must be a duration of zero or more, got -1"
      )
    }))

  describe("progress", () => {
    const starts = (first: (seen: ReturnType<typeof transcript>) => Effect.Effect<string, Boom>) =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = [first(seen), candidate(hang(), 1, seen), candidate(hang(), 2, seen)]
        yield* observe(StaggeredRace.race(list, { delay: 250 }), { interruptAt: 3000 })
        return seen.started.map(([, at]) => at)
      })

    it.live("holds the next start back, counted from the report", () =>
      Effect.gen(function*() {
        deepStrictEqual(yield* starts((seen) => progressing(100, 300, hang(), 0, seen)), [0, 400, 650])
      }))

    it.live("never brings the next start forward", () =>
      Effect.gen(function*() {
        deepStrictEqual(yield* starts((seen) => progressing(100, 10, hang(), 0, seen)), [0, 250, 500])
      }))

    it.live("never brings the next start forward, also when something else ends meanwhile", () =>
      Effect.forEach(clocks, (clock) =>
        Effect.gen(function*() {
          const seen = transcript()
          const list = [
            candidate(fail(400), 0, seen),
            progressing(100, 10, hang(), 1, seen),
            candidate(hang(), 2, seen)
          ]
          yield* observe(StaggeredRace.race(list, { delay: 250 }), { clock, interruptAt: 3000 })
          deepStrictEqual(seen.started, [[0, 0], [1, 250], [2, 500]])
        })))

    it.live("a failure after progress still starts the next at once", () =>
      Effect.gen(function*() {
        deepStrictEqual(yield* starts((seen) => progressing(100, 300, fail(200), 0, seen)), [0, 200, 450])
      }))

    it.live("only the newest attempt can, and only while it runs", () =>
      Effect.gen(function*() {
        deepStrictEqual(yield* starts((seen) => progressing(300, 900, hang(), 0, seen)), [0, 250, 500])
        deepStrictEqual(yield* starts((seen) => progressing(240, 900, fail(230), 0, seen)), [0, 230, 480])
      }))

    it.live("counts also while a schedule is slow to answer", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(100), 200))
        const list = [progressing(50, 1000, hang(), 0, seen), candidate(hang(), 1, seen)]
        yield* observe(StaggeredRace.race(list, { delay }), { interruptAt: 3000 })
        deepStrictEqual(seen.started, [[0, 0], [1, 1050]])
      }))

    it.live("after the end does not put off what the failure has made due", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = [progressing(20, 900, fail(10), 0, seen), candidate(hang(), 1, seen)]
        yield* observe(StaggeredRace.race(list, { delay: 2000, minDelay: 100 }), { interruptAt: 3000 })
        deepStrictEqual(seen.started, [[0, 0], [1, 100]])
      }))

    it.live("is not undone by a schedule that answers late", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(50), 100))
        const progressing = Effect.zipRight(
          Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => Option.getOrThrow(attempt).progress(500)),
          candidate(hang(), 0, seen)
        )
        yield* observe(StaggeredRace.race([progressing, candidate(hang(), 1, seen)], { delay }), { interruptAt: 3000 })
        deepStrictEqual(seen.started, [[0, 0], [1, 500]])
      }))
  })
})
