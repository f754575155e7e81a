import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents } from "../support/eventClock.js"
import { fail, hang, nothing, ok, scopedCandidate, transcript } from "../support/scenario.js"

describe.sequential("21. Nothing leaks", () => {
  /** The timers and immediates that are pending in the process. */
  const pending = () =>
    process.getActiveResourcesInfo().filter((resource) => resource === "Timeout" || resource === "Immediate").sort()
  /** What is pending now and was not before. The test runner uses timers too, and may finish some meanwhile. */
  const leftSince = (before: ReturnType<typeof pending>) => {
    const left = [...pending()]
    before.forEach((resource) => left.includes(resource) && left.splice(left.indexOf(resource), 1))
    return left
  }
  const hanging = Effect.async<void>((_resume) => {})
  const nextTurn = Effect.async<void>((resume) => {
    const immediate = setImmediate(() => resume(Effect.void))
    return Effect.sync(() => clearImmediate(immediate))
  })

  it.live("an interrupted race of endless failures leaves no timer of the process", () =>
    Effect.gen(function*() {
      function* failures() {
        for (let index = 0; index < 1e6; index++) {
          yield Effect.fail(index)
        }
      }
      const before = pending()
      for (let count = 0; count < 50; count++) {
        const fiber = yield* Effect.fork(StaggeredRace.race(failures(), { delay: 250 }))
        while (pending().length <= before.length) {
          yield* Effect.yieldNow()
        }
        yield* Fiber.interrupt(fiber)
        deepStrictEqual(leftSince(before), [])
      }
    }))

  it.live("an interrupted race that waits for the event loop, or for its timer, leaves neither", () =>
    Effect.gen(function*() {
      const before = yield* Effect.map(nextTurn, pending)
      for (let turns = 0; turns < 40; turns++) {
        const fiber = yield* Effect.fork(
          StaggeredRace.race(
            [nextTurn, hanging, hanging].map((self) => Effect.zipRight(self, Effect.fail("no"))),
            { delay: 1 }
          )
        )
        yield* Effect.repeatN(Effect.yieldNow(), turns)
        yield* turns % 4 === 0 ? Effect.sleep(turns / 8) : Effect.void
        yield* Fiber.interrupt(fiber)
        deepStrictEqual(leftSince(before), [])
      }
    }))

  it.live("nor does one that is decided", () =>
    Effect.gen(function*() {
      const before = yield* Effect.map(nextTurn, pending)
      for (const losers of ["await", "background"] as const) {
        for (const latency of [0, 1, 2, 3]) {
          yield* StaggeredRace.race([hanging, hanging, Effect.delay(Effect.void, latency), hanging], {
            delay: 1,
            losers
          })
          yield* Effect.yieldNow()
          deepStrictEqual(leftSince(before), [])
        }
      }
    }))

  it("every fiber has ended, and no sleep is pending, on whatever an end falls", () => {
    const rows = [fail(10), hang({ cleanup: 7 }), ok(40, { stubborn: true }), ok(30)]
    // Something happens at 10, 20, 30, 40 and, after an interruption or the win, some milliseconds later.
    const instants = [0, 9, 10, 11, 20, 21, 29, 30, 31, 39, 40, 41, 46, 47, 48]
    for (const losers of ["await", "background"] as const) {
      for (const interruptAt of [null, ...instants]) {
        for (const interruptLast of [true, false]) {
          const seen = transcript()
          const list = rows.map((row, index) => scopedCandidate(row, index, seen))
          for (
            const race of [
              StaggeredRace.outcome(list, { delay: 10, losers }),
              StaggeredRace.outcomeStream(Stream.fromIterable(list), { delay: Schedule.spaced(10), losers })
            ]
          ) {
            const { left } = runEvents(Effect.scoped(race), { interruptAt, interruptLast })
            const held = seen.resources.map((line) => line[0] === "+" ? 1 : -1).reduce((sum, one) => sum + one, 0)
            deepStrictEqual({ losers, interruptAt, left, held }, { losers, interruptAt, left: nothing, held: 0 })
          }
        }
      }
    }
  })
})
