import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { identity } from "effect/Function"
import * as Option from "effect/Option"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents } from "../support/eventClock.js"
import { byIndex, inTheSameTurn, play, scenario } from "../support/play.js"
import {
  candidate,
  fail,
  forever,
  hang,
  nothing,
  observe,
  ok,
  pass,
  resource,
  scopedCandidate,
  transcript
} from "../support/scenario.js"

describe.concurrent("the decision", () => {
  describe("5. The first success decides", () => {
    it.live("exactly at the delay: nothing starts", () =>
      scenario([ok(250), ok(1)], { delay: 250 }, { winner: 0, at: 250, starts: [0] }))

    it.live("exactly at the delay of a later one: nothing starts", () =>
      scenario([fail(100), ok(250), ok(1)], { delay: 250 }, { winner: 1, at: 350, starts: [0, 100] }))

    it.live("a failure exactly at the delay starts one, not two", () =>
      scenario([fail(250), hang(), ok(10)], { delay: 250 }, { winner: 2, at: 510, starts: [0, 250, 500] }))

    it.live("without suspending: the next is not even pulled, whatever the delay", () =>
      Effect.forEach([0, 250, forever], (delay) =>
        Effect.gen(function*() {
          let pulls = 0
          function* candidates() {
            for (;;) {
              yield Effect.sync(() => ++pulls)
            }
          }
          strictEqual(yield* StaggeredRace.race(candidates(), { delay }), 1)
          strictEqual(pulls, 1)
        })))

    it.live("without suspending: the next is not pulled however deep the race is nested", () =>
      Effect.gen(function*() {
        let pulls = 0
        function* innermost() {
          for (;;) {
            yield Effect.sync(() => ++pulls)
          }
        }
        const nested = (depth: number): Effect.Effect<number> =>
          depth === 0
            ? StaggeredRace.race(innermost(), { delay: 0 })
            : StaggeredRace.race([Effect.suspend(() => nested(depth - 1))], { delay: 0 })
        for (let depth = 0; depth < 40; depth++) {
          pulls = 0
          yield* nested(depth)
          strictEqual(pulls, 1)
        }
      }))

    it("without suspending: the race does not suspend either", () =>
      strictEqual(Effect.runSync(StaggeredRace.race([Effect.fail(1), Effect.succeed(2)], { delay: 250 })), 2))

    it.live("of five that end at the same instant one wins, the others give back what they hold", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const five = [0, 1, 2, 3, 4].map((index) => scopedCandidate(ok(1000 - index * 10), index, seen))
        const { exit, left } = yield* observe(Effect.scoped(StaggeredRace.outcome(five, { delay: 10 })))
        deepStrictEqual(left, nothing)
        const { attempts, winner } = Exit.isSuccess(exit) ? exit.value : (yield* exit)
        const index = Option.getOrThrow(winner).index
        deepStrictEqual(attempts.map(({ result }) => result).filter((result) => result === "won"), ["won"])
        strictEqual(seen.resources.filter((line) => line.startsWith("-")).length, 5)
        strictEqual(seen.resources.at(-1), `-${index}@1000`)
      }))

    it.live("the winner's exit is its success, also where the race returns before its fiber has ended", () =>
      inTheSameTurn((list) =>
        Effect.map(StaggeredRace.outcome(list, { delay: 0, losers: "background" }), (outcome) => {
          const { index, value } = Option.getOrThrow(outcome.winner)
          deepStrictEqual(outcome.attempts[index]?.exit, Exit.succeed(value))
        })
      ))
  })

  describe("6. Once decided, every running attempt is interrupted, all at the same time", () => {
    it.live("and the race returns when they have ended", () =>
      Effect.gen(function*() {
        const two = yield* play([hang({ cleanup: 500 }), hang({ cleanup: 500 }), ok(100)], { delay: 10 })
        deepStrictEqual(byIndex(two.ended), [[0, "interrupted", 620], [1, "interrupted", 620], [2, "succeeded", 120]])
        strictEqual(two.at, 620)
        strictEqual(two.outcome?.decidedAt, 120)
        deepStrictEqual(two.outcome?.attempts.map(({ endedAt }) => endedAt), [620, 620, 120])
      }))

    it.live("or at once, where losers are left to the background", () =>
      Effect.gen(function*() {
        const two = yield* play([hang({ cleanup: 500 }), hang({ cleanup: 500 }), ok(100)], {
          delay: 10,
          losers: "background"
        })
        strictEqual(two.at, 120)
        deepStrictEqual(byIndex(two.ended), [[0, "interrupted", 620], [1, "interrupted", 620], [2, "succeeded", 120]])
        deepStrictEqual(two.results, ["lost", "lost", "won"])
        deepStrictEqual(two.outcome?.attempts.map(({ endedAt }) => endedAt), [120, 120, 120])
      }))

    it.live("in the background, a scope that closes waits for losers before it releases anything", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const loser = Effect.zipRight(
          resource(log, "a"),
          Effect.onInterrupt(
            Effect.never,
            () => Effect.zipRight(Effect.sleep(500), Effect.sync(() => log.push("cleaned up")))
          )
        )
        const race = StaggeredRace.race([loser, Effect.delay(resource(log, "b"), 10)], {
          delay: 10,
          losers: "background"
        })
        for (const finalizers of [identity<typeof race>, Effect.parallelFinalizers]) {
          const raced = Effect.ensuring(finalizers(race), Effect.sync(() => log.push("raced")))
          const { left } = yield* observe(Effect.scoped(raced))
          deepStrictEqual(left, nothing)
          deepStrictEqual(log, [
            "acquire a",
            "acquire b",
            "raced",
            "cleaned up",
            "release a @520",
            "release b @520"
          ])
          log.length = 0
          yield* observe(Effect.scoped(Effect.zipRight(raced, Effect.sleep(1000))))
          deepStrictEqual(log, ["acquire a", "acquire b", "raced", "cleaned up", "release a @520", "release b @1020"])
          log.length = 0
        }
      }))

    it.each([
      ["one after the other", identity],
      ["all at once", Effect.parallelFinalizers]
    ])("in the background, a loser may acquire while the scope closes (finalizers %s)", (_, finalizers) => {
      const log: Array<string> = []
      const late = Effect.uninterruptible(Effect.all([
        Effect.sleep(100),
        resource(log, "a"),
        Effect.sleep(50),
        Effect.sync(() => log.push("used a"))
      ]))
      const race = StaggeredRace.race([late, Effect.void], { delay: 10, losers: "background" })
      const { left } = runEvents(Effect.scoped(Effect.ensuring(finalizers(race), Effect.sync(() => log.push("raced")))))
      deepStrictEqual({ left, log }, { left: nothing, log: ["raced", "acquire a", "used a", "release a @150"] })
    })

    it.live("what a loser has forked is interrupted with it", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const forking = Effect.zipRight(
          Effect.fork(Effect.onInterrupt(Effect.never, () => Effect.sync(() => log.push("child")))),
          Effect.never
        )
        yield* observe(StaggeredRace.race([forking, Effect.delay(Effect.void, 10)], { delay: 10 }))
        deepStrictEqual(log, ["child"])
      }))

    it.live("losers are interrupted by the caller's fiber", () =>
      Effect.forEach(["await", "background"] as const, (losers) =>
        Effect.gen(function*() {
          let by: unknown
          const loser = Effect.onExit(Effect.never, (exit) =>
            Effect.sync(() => {
              by = Exit.isFailure(exit) ? [...Cause.interruptors(exit.cause)] : undefined
            }))
          const { exit } = yield* observe(Effect.zip(
            Effect.fiberId,
            StaggeredRace.outcome([loser, Effect.delay(Effect.void, 10)], { delay: 10, losers })
          ))
          const [caller] = yield* exit
          deepStrictEqual(by, [caller])
        })))

    it.live("an attempt that had failed, and was not cleaned up when the race was decided, has lost", () =>
      Effect.gen(function*() {
        const events: Array<string> = []
        const dirty = Effect.zipRight(
          Effect.addFinalizer(() => Effect.sleep(100)),
          candidate(fail(10), 0, transcript())
        )
        const { exit } = yield* observe(Effect.scoped(StaggeredRace.outcome([dirty, Effect.delay(Effect.void, 10)], {
          delay: 20,
          onEvent: (event) => Effect.sync(() => events.push(`${event._tag} @${event.at}`))
        })))
        deepStrictEqual((yield* exit).attempts.map(({ result }) => result), ["lost", "won"])
        deepStrictEqual(events, ["Started @0", "Started @20", "Won @30", "Decided @30", "Lost @110"])
      }))
  })

  describe("7. A late success changes nothing: its value is dropped, its resources are released, once", () => {
    it.live("a success that comes between the decision and the interruption", () =>
      Effect.gen(function*() {
        let late = 0
        // Two that succeed in the same turn: with some numbers of operations before a yield the second has succeeded,
        // but not yet claimed, when the first decides.
        for (let ops = 12; ops <= 80; ops++) {
          const seen = transcript()
          const gate = yield* Deferred.make<void>()
          const two = [0, 1].map((index) => Effect.zipLeft(scopedCandidate(ok(0), index, seen), pass(gate)))
          const open = Effect.zipRight(Deferred.succeed(gate, void 0), Effect.never)
          const race = StaggeredRace.outcome([...two, open], { delay: 0 })
          const held = Effect.map(race, (outcome) => ({
            outcome,
            released: seen.resources.filter((line) => line[0] === "-")
          }))
          const { outcome, released } = yield* Effect.scoped(held).pipe(
            Effect.withMaxOpsBeforeYield(ops),
            Effect.timeout("5 seconds")
          )
          const won = Option.getOrThrow(outcome.winner)
          strictEqual(won.value, `value ${won.index}`)
          const acquired = seen.resources.filter((line) => line[0] === "+").map((line) => line[1])
          deepStrictEqual(released.map((line) => line[1]), acquired.filter((index) => index !== `${won.index}`))
          strictEqual(seen.resources.length, 2 * acquired.length)
          late += outcome.attempts.filter(({ result }) => result === "late").length
        }
        assertTrue(late > 0)
      }))

    it.live("one that cannot be interrupted is waited for", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const rows = [ok(500, { stubborn: true }), ok(100), hang()]
        const race = Effect.scoped(Effect.zipLeft(
          StaggeredRace.outcome(rows.map((row, index) => scopedCandidate(row, index, seen)), { delay: 10 }),
          Effect.sleep(1000)
        ))
        const outcome = yield* (yield* observe(race)).exit
        deepStrictEqual(outcome.attempts.map(({ result }) => result), ["lost", "won", "lost"])
        deepStrictEqual(outcome.winner, Option.some({ index: 1, value: "value 1" }))
        deepStrictEqual(seen.resources, ["+0@0", "+1@10", "+2@20", "-2@110", "-0@500", "-1@1500"])
      }))
  })
})
