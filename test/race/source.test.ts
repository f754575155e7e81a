import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents } from "../support/eventClock.js"
import type { Row } from "../support/scenario.js"
import { candidate, fail, failed, messages, nothing, observe, ok, shape, transcript } from "../support/scenario.js"

describe.concurrent("sources that fail, and sources that have nothing", () => {
  describe("14. A source that throws ends the source, not the race", () => {
    function* broken(...rows: ReadonlyArray<Row>) {
      for (const [index, row] of rows.entries()) {
        yield candidate(row, index, transcript())
      }
      throw "broken"
    }
    const broke = (rows: ReadonlyArray<Row>, delay: number) =>
      Effect.map(observe(StaggeredRace.race(broken(...rows), { delay })), ({ endedAt, exit, left }) => {
        deepStrictEqual(left, nothing)
        return `${failed(exit)} @${endedAt}`
      })

    it.live("running attempts go on, and a win is a win", () =>
      Effect.gen(function*() {
        strictEqual(yield* broke([ok(500)], 100), "succeeded @500")
        const { exit } = yield* observe(StaggeredRace.outcome(broken(ok(500)), { delay: 100 }))
        const { sourceFailure, winner } = yield* exit
        deepStrictEqual([Option.isSome(winner), sourceFailure], [true, Option.some(Cause.die("broken"))])
      }))

    it.live("otherwise its failure stands beside the attempts'", () =>
      Effect.gen(function*() {
        strictEqual(yield* broke([fail(500), fail(300)], 100), "((0|1)|!broken) @500")
        strictEqual(yield* broke([], 100), "!broken @0")
        const thrown: Iterable<Effect.Effect<number>> = {
          [Symbol.iterator]: () => {
            throw "no iterator"
          }
        }
        strictEqual(failed(yield* Effect.exit(StaggeredRace.race(thrown, { delay: 1 }))), "!no iterator")
      }))

    it.live("a stream that fails does the same, with its own type of error", () =>
      Effect.gen(function*() {
        const stream = Stream.concat(Stream.make(candidate(fail(50), 0, transcript())), Stream.fail("gone"))
        const { endedAt, exit } = yield* observe(StaggeredRace.raceStream(stream, { delay: 10 }))
        strictEqual(`${failed(exit)} @${endedAt}`, "(0|gone) @50")
        const outcome = yield* (yield* observe(StaggeredRace.outcomeStream(stream, { delay: 10 }))).exit
        deepStrictEqual(outcome.sourceFailure, Option.some(Cause.fail("gone")))
      }))

    it.live("a stream that fails, and whose finalizer fails too: both are told", () =>
      Effect.gen(function*() {
        const stream: Stream.Stream<Effect.Effect<number>, string> = Stream.ensuring(
          Stream.fail("gone"),
          Effect.die("dirty")
        )
        const outcome = yield* StaggeredRace.outcomeStream(stream, { delay: 10 })
        strictEqual(shape(Option.getOrThrow(outcome.sourceFailure)), "(gone|!dirty)")
      }))

    it.live("a stream that interrupts itself has failed", () =>
      Effect.gen(function*() {
        const stream = Stream.concat(
          Stream.make(Effect.delay(Effect.succeed(1), 50)),
          Stream.fromEffect(Effect.interrupt)
        )
        const { endedAt, exit, left } = yield* observe(
          Effect.timeout(StaggeredRace.outcomeStream(stream, { delay: 10 }), 5000)
        )
        const outcome = yield* exit
        deepStrictEqual([Option.isSome(outcome.winner), endedAt, left], [true, 50, nothing])
        strictEqual(shape(Option.getOrThrow(outcome.sourceFailure)), "^")
        const failing = Stream.concat(Stream.make(Effect.fail("no")), Stream.fromEffect(Effect.interrupt))
        const none = yield* observe(Effect.timeout(StaggeredRace.outcomeStream(failing, { delay: 10 }), 5000))
        deepStrictEqual([Exit.isSuccess(none.exit), none.endedAt], [true, 0])
      }))

    it.live("an iterator that gives no result has thrown, and running attempts go on", () =>
      Effect.gen(function*() {
        let pulls = 0
        const broken = {
          [Symbol.iterator]: () => ({
            next: () => pulls++ === 0 ? { done: false, value: Effect.delay(Effect.succeed("first"), 50) } : undefined
          })
        } as unknown as Iterable<Effect.Effect<string>>
        const { exit } = yield* observe(StaggeredRace.outcome(broken, { delay: 10 }))
        const { sourceFailure, winner } = yield* exit
        deepStrictEqual([Option.isSome(winner), Option.isSome(sourceFailure)], [true, true])
      }))

    it.live("what is no effect is an attempt that has failed, and keeps its index", () =>
      Effect.gen(function*() {
        const list = [Effect.fail("no"), undefined, null, Effect.succeed(3)] as unknown as Array<Effect.Effect<number>>
        const { attempts, winner } = yield* StaggeredRace.outcome(list, { delay: 250 })
        deepStrictEqual(winner, Option.some({ index: 3, value: 3 }))
        deepStrictEqual(attempts.map(({ result }) => result), ["failed", "failed", "failed", "won"])
      }))
  })

  describe("16. No candidates", () => {
    it.live("`race` dies with an IllegalArgumentException, `outcome` reports no attempts", () =>
      Effect.gen(function*() {
        const none: ReadonlyArray<Effect.Effect<number>> = []
        const exits = yield* Effect.forEach([
          StaggeredRace.race(none, { delay: 1 }),
          StaggeredRace.raceStream(Stream.fromIterable(none), { delay: 1 })
        ], Effect.exit)
        for (const exit of exits) {
          const defect = Exit.isFailure(exit) ? Option.getOrThrow(Cause.dieOption(exit.cause)) : undefined
          assertTrue(Cause.isIllegalArgumentException(defect))
          strictEqual((defect as Error).message, "StaggeredRace: there are no candidates to race")
        }
        const { attempts, decidedBy, winner } = yield* StaggeredRace.outcome(none, { delay: 1 })
        deepStrictEqual([attempts, winner, decidedBy], [[], Option.none(), "failures"])
      }))

    it("says why there are none in an iterable that can be iterated only once, and was", () => {
      const none = "StaggeredRace: there are no candidates to race"
      const said = (self: Effect.Effect<unknown, unknown>) => {
        const { exit } = runEvents(self)
        const defect = Exit.isFailure(exit) ? Option.getOrThrow(Cause.dieOption(exit.cause)) : undefined
        assertTrue(Cause.isIllegalArgumentException(defect))
        return (defect as Error).message
      }
      const race = StaggeredRace.race([Effect.fail("no")].values(), { delay: 1 })
      deepStrictEqual(messages(runEvents(race).exit), ["no"])
      const message = said(race)
      assertTrue(message.startsWith(none) && /once/.test(message), message)
      // An empty list can be iterated again: there is nothing to explain.
      strictEqual(said(StaggeredRace.race([] as Array<Effect.Effect<number>>, { delay: 1 })), none)
      strictEqual(said(StaggeredRace.race(new Set<Effect.Effect<number>>(), { delay: 1 })), none)
    })
  })
})
