import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents } from "../support/eventClock.js"
import type { Options } from "../support/play.js"
import { inTheSameTurn, play } from "../support/play.js"
import type { Boom, Row } from "../support/scenario.js"
import { candidates, fail, hang, nothing, observe, ok, transcript } from "../support/scenario.js"

describe.concurrent("20. `onEvent` tells of each start, failure, loss, win, late success and decision, in order", () => {
  const told = (rows: ReadonlyArray<Row>, options: Options, interruptAt: number | null = null) =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const onEvent = (event: StaggeredRace.RaceEvent<string, Boom>) =>
        Effect.sync(() => {
          const { _tag, at, ...rest } = event
          const more = "index" in rest ? rest.index : "by" in rest ? rest.by : ""
          events.push(`${_tag} ${more} @${at}`)
        })
      yield* play(rows, { ...options, onEvent }, interruptAt)
      return events
    })

  it.live("a win", () =>
    Effect.gen(function*() {
      const rows = [fail(10), hang({ cleanup: 5 }), ok(100, { stubborn: true }), ok(50)]
      const expected = [
        "Started 0 @0",
        "Failed 0 @10",
        "Started 1 @10",
        "Started 2 @30",
        "Started 3 @50",
        "Won 3 @100",
        "Decided success @100",
        "Lost 1 @105",
        "Lost 2 @130"
      ]
      deepStrictEqual(yield* told(rows, { delay: 20 }), expected)
      deepStrictEqual(yield* told(rows, { delay: 20, losers: "background" }), expected)
    }))

  it.live("no win", () =>
    Effect.gen(function*() {
      deepStrictEqual(yield* told([fail(10), fail(0)], { delay: 20 }), [
        "Started 0 @0",
        "Failed 0 @10",
        "Started 1 @10",
        "Failed 1 @10",
        "Decided failures @10"
      ])
      deepStrictEqual(yield* told([hang(), fail(10), ok(1)], { delay: 20, fatal: () => true }), [
        "Started 0 @0",
        "Started 1 @20",
        "Failed 1 @30",
        "Decided fatal @30",
        "Lost 0 @30"
      ])
      deepStrictEqual(yield* told([hang({ cleanup: 5 })], { delay: 20 }, 7), [
        "Started 0 @0",
        "Decided interruption @7",
        "Lost 0 @12"
      ])
    }))

  it.live("a source that fails", () =>
    Effect.gen(function*() {
      const tags: Array<string> = []
      const stream = Stream.concat(Stream.make(Effect.delay(Effect.succeed(1), 50)), Stream.fail("gone"))
      yield* observe(StaggeredRace.raceStream(stream, {
        delay: 10,
        onEvent: ({ _tag, at }) => Effect.sync(() => tags.push(`${_tag} @${at}`))
      }))
      deepStrictEqual(tags, ["Started @0", "SourceFailed @10", "Won @50", "Decided @50"])
    }))

  it.live("a late success is told", () =>
    Effect.gen(function*() {
      const told = yield* inTheSameTurn((list) =>
        Effect.gen(function*() {
          const events: Array<string> = []
          const outcome = yield* StaggeredRace.outcome(list, {
            delay: 0,
            onEvent: (event) => Effect.sync(() => "index" in event && events.push(`${event._tag} ${event.index}`))
          })
          const late = outcome.attempts.filter(({ result }) => result === "late")
          deepStrictEqual(
            events.filter((event) => event.startsWith("SucceededLate")),
            late.map(({ index }) => `SucceededLate ${index}`)
          )
          return late.length
        })
      )
      assertTrue(told.some((late) => late > 0))
    }))

  it.live("an interruption during the clean-up after a win decides nothing again", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const race = StaggeredRace.race(candidates([hang({ cleanup: 50 }), ok(10)]), {
        delay: 10,
        onEvent: (event) => Effect.sync(() => events.push(`${event._tag} ${"by" in event ? event.by : ""}@${event.at}`))
      })
      yield* observe(race, { interruptAt: 30 })
      deepStrictEqual(events.slice(2), ["Won @20", "Decided success@20", "Lost @70"])
    }))

  it.live("a schedule that dies: the race was decided by a defect", () =>
    Effect.gen(function*() {
      const decided: Array<string> = []
      const delay = Schedule.addDelay(Schedule.recurs(3), (): number => {
        throw "no delay"
      })
      yield* observe(StaggeredRace.race(candidates([hang()]), {
        delay,
        onEvent: (event) => Effect.sync(() => event._tag === "Decided" && decided.push(event.by))
      }))
      deepStrictEqual(decided, ["defect"])
    }))

  describe("a handler", () => {
    it.live("that fails, dies, throws or interrupts does not change the race", () =>
      Effect.gen(function*() {
        const rows = [fail(10), hang(), ok(50)]
        const expected = { ...yield* play(rows, { delay: 20 }), outcome: undefined }
        for (const effect of [Effect.fail("no"), Effect.die("no"), Effect.interrupt]) {
          deepStrictEqual({ ...yield* play(rows, { delay: 20, onEvent: () => effect }), outcome: undefined }, expected)
        }
        const onEvent = () => {
          throw new Error("no")
        }
        deepStrictEqual({ ...yield* play(rows, { delay: 20, onEvent }), outcome: undefined }, expected)
      }))

    it.live("that fails, or dies, once still hears of the rest", () =>
      Effect.forEach([Effect.fail("no"), Effect.die("no"), Effect.interrupt], (no) =>
        Effect.gen(function*() {
          const heard: Array<string> = []
          yield* observe(StaggeredRace.race(candidates([fail(10), ok(10)]), {
            delay: 20,
            onEvent: ({ _tag }) => Effect.suspend(() => heard.push(_tag) < 3 ? no : Effect.void)
          }))
          deepStrictEqual(heard, ["Started", "Failed", "Started", "Won", "Decided"])
        })))

    it("whose fiber is interrupted still hears of the rest, also of what was waiting for it", () => {
      for (const pause of [Effect.void, Effect.sleep(50)]) {
        const heard: Array<string> = []
        const interrupted = Effect.withFiberRuntime<void>((fiber) =>
          Effect.zipRight(Fiber.interruptFork(fiber), Effect.sleep(10))
        )
        const { left } = runEvents(StaggeredRace.race(candidates([fail(10), ok(10)]), {
          delay: 20,
          onEvent: ({ _tag }) => {
            heard.push(_tag)
            return Effect.zipRight(pause, heard.length % 2 === 0 ? Effect.void : interrupted)
          }
        }))
        deepStrictEqual({ left, heard }, { left: nothing, heard: ["Started", "Failed", "Started", "Won", "Decided"] })
      }
    })

    it.live("that is slow holds nothing up, and still hears of all in order", () =>
      Effect.gen(function*() {
        const heard: Array<string> = []
        const onEvent = ({ _tag }: StaggeredRace.RaceEvent<string, Boom>) =>
          Effect.zipRight(Effect.sleep(100), Effect.sync(() => heard.push(_tag)))
        const seen = yield* play([fail(10), ok(50)], { delay: 20, onEvent })
        strictEqual(seen.at, 60)
        deepStrictEqual(heard, ["Started", "Failed", "Started", "Won", "Decided"])
      }))

    it.live("can be timed out", () =>
      Effect.gen(function*() {
        const heard: Array<string> = []
        const onEvent = ({ _tag }: { readonly _tag: string }) =>
          Effect.zipRight(Effect.timeoutOption(Effect.never, 5), Effect.sync(() => heard.push(_tag)))
        const { left } = yield* observe(StaggeredRace.race(candidates([fail(10), ok(10)]), { delay: 20, onEvent }))
        deepStrictEqual([left, heard], [nothing, ["Started", "Failed", "Started", "Won", "Decided"]])
      }))

    it.live("that interrupts the caller ends the race", () =>
      Effect.gen(function*() {
        const caller = yield* Deferred.make<Fiber.RuntimeFiber<unknown, unknown>>()
        const seen = transcript()
        const onEvent = ({ _tag }: StaggeredRace.RaceEvent<string, Boom>) =>
          _tag === "Failed" ? Effect.flatMap(Deferred.await(caller), Fiber.interruptFork) : Effect.void
        const list = candidates([fail(10), ok(50)], seen)
        const { exit, left } = yield* observe(Effect.flatMap(
          Effect.fork(StaggeredRace.race(list, { delay: 20, onEvent })),
          (fiber) => Effect.zipRight(Deferred.succeed(caller, fiber), Fiber.await(fiber))
        ))
        deepStrictEqual(left, nothing)
        assertTrue(Exit.isInterrupted(Exit.flatten(exit)))
        deepStrictEqual(seen.started, [[0, 0]])
      }))

    it.live("that fails is logged for those who debug, and for nobody else", () =>
      Effect.gen(function*() {
        const logged: Array<string> = []
        const logger = Logger.make(({ logLevel }) => logged.push(logLevel.label))
        yield* StaggeredRace.race([Effect.succeed(1)], { delay: 1, onEvent: () => Effect.fail("no") }).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Logger.withMinimumLogLevel(LogLevel.All)
        )
        deepStrictEqual(logged, ["DEBUG", "DEBUG", "DEBUG"])
      }))
  })
})
