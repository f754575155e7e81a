import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { overhear } from "../support/quiet.js"
import type { Row } from "../support/scenario.js"
import { candidates, die, fail, hang, nothing, observe, ok } from "../support/scenario.js"

const thrower = (): never => {
  throw "no"
}
const once = Schedule.addDelay(Schedule.recurs(1), () => 10)

describe.concurrent("19. Nothing of a race is logged or counted as unhandled", () => {
  it.live("an attempt's early failure logs nothing as unhandled", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => logged.push(message))
      yield* observe(
        StaggeredRace.race(
          candidates([fail(10), die(10), hang(), ok(50)]),
          { delay: 20 }
        ).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Logger.withMinimumLogLevel(LogLevel.All)
        )
      )
      deepStrictEqual(logged, [])
    }))

  const stream = (rows: ReadonlyArray<Row>, after: Stream.Stream<never, string> = Stream.empty) =>
    Stream.concat(Stream.fromIterable(candidates(rows)), after)
  const dirty = (row: Row) => Effect.zipRight(Effect.addFinalizer(() => Effect.die("dirty")), candidates([row])[0]!)
  const delay = 20
  const { outcomeStream, race, raceStream } = StaggeredRace

  const races: Readonly<Record<string, readonly [Effect.Effect<unknown, unknown, Scope.Scope>, interruptAt?: number]>> =
    {
      "attempts that fail": [race(candidates([fail(0), fail(10), fail(50)]), { delay })],
      "attempts that die": [race(candidates([die(0), die(10), ok(0)]), { delay })],
      "attempts that interrupt themselves": [
        race(candidates([{ result: "interrupt", latency: 10 }, { result: "interrupt", latency: 0 }]), { delay })
      ],
      "losers": [race(candidates([hang(), hang({ cleanup: 50 }), ok(500, { stubborn: true }), ok(30)]), { delay })],
      "losers in the background": [race(candidates([hang({ cleanup: 50 }), ok(30)]), { delay, losers: "background" })],
      "finalizers that die": [race([dirty(fail(10)), dirty(hang()), dirty(ok(10))], { delay })],
      "finalizers that die in the background": [race([dirty(hang()), dirty(ok(10))], { delay, losers: "background" })],
      "a timer that fires, and one that is interrupted": [race(candidates([hang(), ok(10), hang()]), { delay })],
      "timers that an earlier start leaves": [race(candidates([fail(10), fail(10), hang(), ok(70)]), { delay })],
      "a failure that is fatal": [race(candidates([hang(), fail(10)]), { delay, fatal: () => true })],
      "a `fatal` that throws": [race(candidates([hang(), fail(10)]), { delay, fatal: thrower })],
      "an iterable that throws": [race({ [Symbol.iterator]: thrower } as Iterable<Effect.Effect<number>>, { delay })],
      "no candidates": [race([] as Array<Effect.Effect<number>>, { delay })],
      "no sensible option": [race([Effect.void], { delay: -1 })],
      "the end of a stream": [raceStream(stream([fail(10), hang(), ok(50)]), { delay })],
      "a stream of nothing": [raceStream(stream([]), { delay })],
      "a stream that fails": [raceStream(stream([fail(10), ok(50)], Stream.fail("gone")), { delay })],
      "a stream that dies": [outcomeStream(stream([fail(10), ok(50)], Stream.die("gone")), { delay })],
      "a stream that interrupts itself": [
        outcomeStream(stream([ok(50)], Stream.fromEffect(Effect.interrupt)), { delay })
      ],
      "a stream whose pull is interrupted": [raceStream(stream([ok(50)], Stream.never), { delay })],
      "a stream whose finalizer dies": [
        raceStream(Stream.ensuring(stream([ok(50)], Stream.never), Effect.die("dirty")), { delay })
      ],
      "a schedule that is done": [race(candidates([hang(), hang(), ok(10)]), { delay: once }), 200],
      "a schedule that dies": [race(candidates([hang()]), { delay: Schedule.delayed(Schedule.forever, thrower) })],
      "a schedule that is interrupted while it is slow": [
        race(candidates([fail(10), ok(10)]), { delay: Schedule.addDelayEffect(Schedule.forever, () => Effect.never) })
      ],
      "the caller's interruption": [race(candidates([hang(), hang({ cleanup: 50 })]), { delay }), 50],
      "that of a race of a stream": [raceStream(stream([hang()], Stream.never), { delay }), 50],
      "that after a win": [race(candidates([hang({ cleanup: 50 }), ok(10)]), { delay }), 50],
      "races within each other": [race([race(candidates([fail(10), hang()]), { delay }), Effect.void], { delay })]
    }

  it.each(Object.entries(races))(
    "%s",
    (_, [self, interruptAt]) =>
      deepStrictEqual(overhear(Effect.scoped(self), { interruptAt }), { left: nothing, logged: [], failures: 0 })
  )

  it("a handler that fails is the user's: logged for those who debug, once per event", () => {
    for (const no of [Effect.fail("no"), Effect.die("no"), Effect.interrupt]) {
      const { failures, left, logged } = overhear(race(candidates([fail(10), ok(10)]), { delay, onEvent: () => no }))
      deepStrictEqual([left, failures], [nothing, 0])
      deepStrictEqual(logged, Array(5).fill("DEBUG StaggeredRace: onEvent failed"))
    }
  })

  it("what a candidate forks is its own, and is heard of", () => {
    const forking = Effect.zipRight(Effect.fork(Effect.fail("unheard")), Effect.sleep(10))
    const { failures, logged } = overhear(race([forking], { delay }))
    deepStrictEqual([failures, logged], [1, ["ERROR Fiber terminated with an unhandled error"]])
  })
})
