import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents } from "../support/eventClock.js"
import type { Options } from "../support/play.js"
import type { Row } from "../support/scenario.js"
import { candidate, candidates, die, fail, hang, leaves, observe, ok, shape, transcript } from "../support/scenario.js"

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

  it.live("tells when each attempt made progress last", () =>
    Effect.gen(function*() {
      const progress = (millis: number) =>
        Effect.zipRight(
          Effect.sleep(millis),
          Effect.flatMap(StaggeredRace.CurrentAttempt, (current) => Option.getOrThrow(current).progress(100))
        )
      const steps = Effect.zipRight(progress(10), progress(20))
      const { exit } = yield* observe(
        StaggeredRace.outcome([Effect.zipRight(steps, Effect.never), Effect.fail(0), Effect.as(progress(5), "ok")], {
          delay: 50
        })
      )
      const { attempts } = yield* exit
      deepStrictEqual(attempts.map(({ progressedAt }) => Option.getOrNull(progressedAt)), [30, null, 135])
    }))

  it.live("tells since when a start was held back, and by what: no place, minDelay, progress, a slow stream", () =>
    Effect.gen(function*() {
      const due = (race: Effect.Effect<StaggeredRace.Outcome<string, unknown, unknown>>) =>
        Effect.gen(function*() {
          const { attempts, pending } = yield* (yield* observe(race)).exit
          return [
            ...attempts.map(({ dueAt, heldBackBy, startedAt }) => [dueAt, startedAt, ...Option.toArray(heldBackBy)]),
            ...Option.toArray(pending).map(({ dueAt, heldBackBy }) => ["pending", dueAt, heldBackBy])
          ]
        })
      const four = candidates([hang(), fail(250), ok(60), ok(5)])
      deepStrictEqual(yield* due(StaggeredRace.outcome(four, { delay: 100, concurrency: 2 })), [
        [0, 0],
        [100, 100],
        [200, 350, "concurrency"]
        // The third succeeds at 410, before the fourth is due.
      ])
      deepStrictEqual(yield* due(StaggeredRace.outcome(four, { delay: 20, concurrency: 2 })), [
        [0, 0],
        [20, 20],
        [40, 270, "concurrency"],
        ["pending", 290, "concurrency"]
      ])
      const two = candidates([fail(3), ok(5)])
      deepStrictEqual(yield* due(StaggeredRace.outcome(two, { delay: 100, minDelay: 10 })), [[0, 0], [
        3,
        10,
        "minDelay"
      ]])
      const holding = Effect.zipRight(
        Effect.flatMap(StaggeredRace.CurrentAttempt, (current) => Option.getOrThrow(current).progress(30)),
        Effect.never
      )
      deepStrictEqual(
        yield* due(StaggeredRace.outcome([holding, Effect.succeed("")], { delay: 20 })),
        [[0, 0], [20, 30, "progress"]]
      )
      const slow = Stream.concat(
        Stream.make(Effect.never),
        Stream.fromEffect(Effect.delay(Effect.succeed(two[1]!), 50))
      )
      deepStrictEqual(yield* due(StaggeredRace.outcomeStream(slow, { delay: 20 })), [[0, 0], [20, 70, "source"]])
    }))

  it("of a Set, a start was held back if a member is known to be left", () => {
    const pending = (...rows: ReadonlyArray<"wins" | "hangs" | "leaves">) => {
      const members: Set<Effect.Effect<string>> = new Set(rows.map((row) => {
        const self: Effect.Effect<string> = Effect.suspend(() =>
          row === "wins"
            ? Effect.delay(Effect.succeed("won"), 100)
            : Effect.zipRight(Effect.sync(() => row === "leaves" && members.delete(self)), Effect.never)
        )
        return self
      }))
      const options = { delay: 20, concurrency: Math.min(2, rows.length) }
      return Exit.map(
        runEvents(StaggeredRace.outcome(members, options)).exit,
        ({ pending }) => Option.toArray(pending).map(({ dueAt }) => dueAt)
      )
    }
    deepStrictEqual(pending("wins"), Exit.succeed([]))
    deepStrictEqual(pending("wins", "hangs"), Exit.succeed([]))
    deepStrictEqual(pending("wins", "hangs", "hangs"), Exit.succeed([40]))
    // The newest has left the Set, so nobody knows how many come after it.
    deepStrictEqual(pending("wins", "leaves", "hangs"), Exit.succeed([]))
  })

  describe("leads back to the value, or to the failure, that `race` would have given: `toEffect`", () => {
    const options: Options = { delay: 100, fatal: Cause.isInterrupted }
    const either = (rows: ReadonlyArray<Row>, more: Partial<Options> = {}) => {
      const given = { ...options, ...more }
      const outcome = StaggeredRace.outcome(candidates(rows), given)
      return [
        runEvents(Effect.flatMap(outcome, StaggeredRace.toEffect)).exit,
        runEvents(StaggeredRace.race(candidates(rows), given)).exit
      ] as const
    }
    const causeOf = (exit: Exit.Exit<unknown, unknown>) => Exit.isFailure(exit) ? shape(exit.cause) : exit.value

    it("the winner's value", () => {
      const [led, raced] = either([fail(10), hang(), ok(10)])
      deepStrictEqual([led, raced], [Exit.succeed("value 2"), Exit.succeed("value 2")])
    })

    it("the same cause, in the same shape", () => {
      const all: ReadonlyArray<ReadonlyArray<Row>> = [
        [fail(10)],
        [fail(10), fail(0), fail(10)],
        [fail(300), fail(10), fail(10), fail(300)],
        [die(10), fail(10)],
        [die(10)],
        [fail(300), { result: "interrupt", latency: 10 }, ok(1)],
        [hang(), fail(10), { result: "interrupt", latency: 200 }]
      ]
      for (const rows of all) {
        const [led, raced] = either(rows)
        assertTrue(Exit.isFailure(raced))
        strictEqual(causeOf(led), causeOf(raced))
      }
    })

    it("a fatal failure first, as there", () => {
      const [led, raced] = either([fail(170), fail(10), die(10), ok(1)], { fatal: Cause.isDie })
      deepStrictEqual(leaves(led), ["!2", "1"])
      strictEqual(causeOf(led), causeOf(raced))
      // Both fail at 110.
      const [ledTie, racedTie] = either([fail(110), die(10), ok(1)], { fatal: Cause.isDie })
      deepStrictEqual([leaves(ledTie), causeOf(ledTie)], [["!1", "0"], causeOf(racedTie)])
    })

    it("what `fatal` threw, as there", () => {
      const [led, raced] = either([fail(10), ok(1)], {
        fatal: () => {
          throw "oops"
        }
      })
      deepStrictEqual(leaves(led), ["0", "!oops"])
      strictEqual(causeOf(led), causeOf(raced))
    })

    it("the stream's failure beside the attempts'", () => {
      const stream = (row: Row) => Stream.concat(Stream.fromIterable(candidates([row])), Stream.fail("gone"))
      const led = (row: Row) =>
        runEvents(Effect.flatMap(StaggeredRace.outcomeStream(stream(row), { delay: 10 }), StaggeredRace.toEffect)).exit
      deepStrictEqual(led(ok(50)), Exit.succeed("value 0"))
      strictEqual(
        causeOf(led(fail(50))),
        causeOf(runEvents(StaggeredRace.raceStream(stream(fail(50)), { delay: 10 })).exit)
      )
      strictEqual(causeOf(led(fail(50))), "(0|gone)")
      const nothing = Effect.flatMap(
        StaggeredRace.outcomeStream(Stream.fail("gone") as Stream.Stream<Effect.Effect<never>, string>, { delay: 10 }),
        StaggeredRace.toEffect
      )
      strictEqual(causeOf(runEvents(nothing).exit), "gone")
    })

    it("no attempts: the defect that `race` dies of", () => {
      const [led, raced] = either([])
      assertTrue(Exit.isFailure(led) && Exit.isFailure(raced))
      const defect = Option.getOrThrow(Cause.dieOption(led.cause))
      assertTrue(Cause.isIllegalArgumentException(defect))
      strictEqual(causeOf(led), causeOf(raced))
    })

    it("its errors are typed: one can be caught, and the program can go on", () => {
      const logged: Array<string> = []
      const program = StaggeredRace.outcome(candidates([fail(10), fail(10)]), options).pipe(
        Effect.tap(({ attempts }) => Effect.sync(() => logged.push(`${attempts.length} attempts`))),
        Effect.flatMap(StaggeredRace.toEffect),
        Effect.catchTag("Boom", (boom) => Effect.succeed(`after ${boom.index}`))
      )
      deepStrictEqual([runEvents(program).exit, logged], [Exit.succeed("after 0"), ["2 attempts"]])
    })
  })
})
