import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Row } from "../support/scenario.js"
import { candidate, candidates, fail, hang, observe, ok, transcript } from "../support/scenario.js"

describe.concurrent("an outcome", () => {
  it.live("tells when it began, was decided and ended, and each attempt when it was cleaned up", () =>
    Effect.gen(function*() {
      const slow = (row: Row, index: number) =>
        Effect.zipRight(Effect.addFinalizer(() => Effect.sleep(50)), candidate(row, index, transcript()))
      const race = StaggeredRace.outcome([slow(fail(100), 0), slow(hang(), 1), slow(ok(100), 2)], { delay: 1000 })
      const { exit } = yield* observe(Effect.scoped(Effect.zipRight(Effect.sleep(5), race)), {})
      const { attempts, decidedAt, endedAt, startedAt } = yield* exit
      deepStrictEqual([startedAt, decidedAt, endedAt], [5, 1255, 1305])
      deepStrictEqual(attempts.map(({ endedAt, startedAt }) => [startedAt, endedAt]), [
        [5, 155],
        [155, 1305],
        [1155, 1255]
      ])
    }))

  it.live("tells since when a start was parked: for a place, by minDelay, by progress, for a slow stream", () =>
    Effect.gen(function*() {
      const due = (race: Effect.Effect<StaggeredRace.Outcome<string, unknown, unknown>>) =>
        Effect.gen(function*() {
          const { attempts, pending } = yield* (yield* observe(race)).exit
          return [
            ...attempts.map(({ dueAt, startedAt }) => [dueAt, startedAt]),
            ...Option.toArray(pending).map(({ dueAt }) => ["pending", dueAt])
          ]
        })
      const four = candidates([hang(), fail(250), ok(60), ok(5)])
      deepStrictEqual(yield* due(StaggeredRace.outcome(four, { delay: 100, concurrency: 2 })), [
        [0, 0],
        [100, 100],
        [200, 350]
        // The third succeeds at 410, before the fourth is due.
      ])
      deepStrictEqual(yield* due(StaggeredRace.outcome(four, { delay: 20, concurrency: 2 })), [
        [0, 0],
        [20, 20],
        [40, 270],
        ["pending", 290]
      ])
      const two = candidates([fail(3), ok(5)])
      deepStrictEqual(yield* due(StaggeredRace.outcome(two, { delay: 100, minDelay: 10 })), [[0, 0], [3, 10]])
      const holding = Effect.zipRight(
        Effect.flatMap(StaggeredRace.CurrentAttempt, (current) => Option.getOrThrow(current).progress(30)),
        Effect.never
      )
      deepStrictEqual(
        yield* due(StaggeredRace.outcome([holding, Effect.succeed("")], { delay: 20 })),
        [[0, 0], [20, 30]]
      )
      const slow = Stream.concat(
        Stream.make(Effect.never),
        Stream.fromEffect(Effect.delay(Effect.succeed(two[1]!), 50))
      )
      deepStrictEqual(yield* due(StaggeredRace.outcomeStream(slow, { delay: 20 })), [[0, 0], [20, 70]])
    }))
})
