import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Schedule from "effect/Schedule"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Supervisor from "effect/Supervisor"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { asked as askedClock } from "../support/clocks.js"
import { runEvents } from "../support/eventClock.js"
import type { Options } from "../support/play.js"
import type { Boom, Row } from "../support/scenario.js"
import {
  candidate,
  candidates,
  fail,
  failed,
  hang,
  how,
  leaves,
  nothing,
  observe,
  ok,
  scopedCandidate,
  transcript
} from "../support/scenario.js"

const told = (exit: Exit.Exit<unknown, unknown>) => how(exit) === "interrupted" ? "interrupted" : failed(exit)

describe.concurrent("23. Nothing that a user hands in hangs or spins a race", () => {
  /** Runs a race, interrupts it at 1,000, checks that nothing is left, and tells how and when it ended. */
  const racing = (rows: ReadonlyArray<Row>, options: Options) => {
    const seen = transcript()
    const race = StaggeredRace.race(rows.map((row, index) => scopedCandidate(row, index, seen)), options)
    const { endedAt, exit, left } = runEvents(Effect.scoped(race), { interruptAt: 1000 })
    deepStrictEqual(left, nothing)
    strictEqual(seen.resources.length % 2, 0)
    return [told(exit), endedAt]
  }

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

    it("that dies at a later step, interrupts itself or never answers", () => {
      const at = (step: number, effect: Effect.Effect<number>) =>
        Schedule.addDelayEffect(Schedule.forever, (count) => count < step ? Effect.succeed(10) : effect)
      const races = (step: number, effect: Effect.Effect<number>) =>
        racing([hang(), hang(), fail(100), hang(), ok(5)], { delay: at(step, effect) })
      deepStrictEqual(races(0, Effect.die("no delay")), ["!no delay", 0])
      deepStrictEqual(races(1, Effect.die("no delay")), ["!no delay", 10])
      deepStrictEqual(races(2, Effect.die("no delay")), ["!no delay", 20])
      // From then on only failures start the next: that of the third starts the fourth, which hangs.
      deepStrictEqual(races(2, Effect.never), ["interrupted", 1000])
      assertTrue(Number(races(2, Effect.interrupt)[1]) <= 1000)
    })
  })

  describe("a scheduler that runs at once: what starts may decide the race before it has started", () => {
    const atOnce = Scheduler.make((task) => task())
    /** A race in which the first candidate waits for what `raced` hands on, and is then decided. */
    const decided = (raced: (waits: Effect.Effect<string>, lets: Effect.Effect<never>) => Effect.Effect<string>) => {
      const gate = Deferred.unsafeMake<string>(FiberId.none)
      const lets = Effect.zipRight(Deferred.succeed(gate, "won"), Effect.never)
      const fiber = Effect.runFork(raced(Deferred.await(gate), lets), { scheduler: atOnce })
      return Effect.map(Effect.timeout(Fiber.join(fiber), 1000), (value) => strictEqual(value, "won"))
    }

    it.live("an attempt", () => decided((waits, lets) => StaggeredRace.race([waits, lets], { delay: 0 })))

    it.live("a pull", () =>
      decided((waits, lets) =>
        StaggeredRace.raceStream(Stream.concat(Stream.make(waits), Stream.fromEffect(lets)), { delay: 0 })
      ))

    it.live("a step of the schedule", () =>
      decided((waits, lets) => {
        const delay = Schedule.addDelayEffect(Schedule.forever, (count) => count === 1 ? lets : Effect.succeed(1))
        return StaggeredRace.race([waits, Effect.never, Effect.never], { delay })
      }))
  })

  it("a clock that once cannot tell the time: before the decision it ends the race with its defect", () => {
    const run = (bad: number) => {
      const seen = transcript()
      let asked = 0
      const list = [fail(10), fail(10), ok(10)].map((row, index) => scopedCandidate(row, index, seen))
      const program = Effect.flatMap(
        Effect.clock,
        (clock) =>
          Effect.withClock(StaggeredRace.race(list, { delay: 20 }), {
            ...askedClock(clock),
            unsafeCurrentTimeMillis: () => {
              if (asked++ === bad) {
                throw "no time"
              }
              return clock.unsafeCurrentTimeMillis()
            }
          })
      )
      const { exit, left } = runEvents(Effect.scoped(program))
      deepStrictEqual({ bad, left }, { bad, left: nothing })
      return { asked, told: told(exit) }
    }
    const all = Array.from({ length: run(Infinity).asked + 1 }, (_, bad) => run(bad).told)
    const decided = all.indexOf("succeeded")
    assertTrue(decided > 10)
    deepStrictEqual(all, all.map((_, bad) => bad < decided ? "!no time" : "succeeded"))
  })

  describe("a supervisor", () => {
    /** Throws when the nth fiber starts, and keeps track of the fibers that are alive. */
    class Throwing extends Supervisor.AbstractSupervisor<void> {
      override readonly value = Effect.void
      readonly alive = new Set<unknown>()
      private starts = 0
      constructor(readonly nth: number) {
        super()
      }
      get hasThrown() {
        return this.starts >= this.nth
      }
      override onStart(...[, , , fiber]: Parameters<Supervisor.Supervisor<void>["onStart"]>) {
        if (++this.starts === this.nth) {
          throw "unsupervised"
        }
        this.alive.add(fiber)
      }
      override onEnd(...[, fiber]: Parameters<Supervisor.Supervisor<void>["onEnd"]>) {
        this.alive.delete(fiber)
      }
    }

    const rows = [fail(10), hang({ cleanup: 5 }), fail(100), ok(70)]
    const delay = 20
    const kinds: Readonly<
      Record<
        string,
        (list: ReadonlyArray<Effect.Effect<string, Boom, Scope.Scope>>) => Effect.Effect<unknown, unknown, Scope.Scope>
      >
    > = {
      "a race": (list) => StaggeredRace.race(list, { delay }),
      "a race with losers in the background": (list) => StaggeredRace.race(list, { delay, losers: "background" }),
      "a race with a schedule": (list) => StaggeredRace.race(list, { delay: Schedule.spaced(delay) }),
      "a race of a stream": (list) => StaggeredRace.raceStream(Stream.rechunk(Stream.fromIterable(list), 1), { delay }),
      "an outcome": (list) => StaggeredRace.outcome(list, { delay }),
      "a race that is watched": (list) => StaggeredRace.race(list, { delay, onEvent: () => Effect.sleep(1) })
    }

    /** Runs a race under a throwing supervisor, and checks that nothing is left. */
    const under = (kind: string, nth: number, interruptAt?: number) => {
      const supervisor = new Throwing(nth)
      const seen = transcript()
      const race = kinds[kind]!(rows.map((row, index) => scopedCandidate(row, index, seen)))
      const { endedAt, exit, left } = runEvents(Effect.scoped(Effect.supervised(race, supervisor)), { interruptAt })
      const where = { kind, nth, interruptAt }
      deepStrictEqual({ where, alive: supervisor.alive.size, sleeps: left.sleeps }, { where, alive: 0, sleeps: 0 })
      const held = seen.resources.map((line) => line[0] === "+" ? 1 : -1).reduce((sum, one) => sum + one, 0)
      deepStrictEqual({ where, held }, { where, held: 0 })
      strictEqual(seen.started.length, seen.ended.length)
      return { endedAt, exit, hasThrown: supervisor.hasThrown }
    }

    it.each(Object.keys(kinds))("that throws when a fiber starts, whichever: %s dies of it", (kind) => {
      let thrown = 0
      for (let nth = 1;; nth++) {
        const { endedAt, exit, hasThrown } = under(kind, nth)
        if (!hasThrown) {
          break
        }
        thrown++
        // A fiber that only watches, or starts after the decision, does not change the result.
        if (!Exit.isSuccess(exit)) {
          deepStrictEqual(leaves(exit).filter((leaf) => leaf === "!unsupervised"), ["!unsupervised"])
          assertTrue(endedAt <= 200)
        }
        if (nth === 1 && kind !== "a race that is watched") {
          assertTrue(Exit.isFailure(exit))
        }
      }
      assertTrue(thrown >= 4, `${thrown}`)
    })

    it.each(Object.keys(kinds))("also where it is interrupted: %s ends", (kind) => {
      for (const interruptAt of [0, 5, 15, 25, 45, 115]) {
        for (let nth = 1; under(kind, nth, interruptAt).hasThrown; nth++) {
          continue
        }
      }
    })
  })

  describe("a clock", () => {
    /** Runs a race on a clock with the given `sleep`, which candidates do not use. Counts the sleeps. */
    const under = (
      sleep: (nth: number, millis: number, clock: Clock.Clock) => Effect.Effect<void>,
      options: Partial<Options> = {}
    ) => {
      let sleeps = 0
      const seen = transcript()
      const program = Effect.clockWith((clock) =>
        StaggeredRace.race(
          [fail(100), hang({ cleanup: 5 }), fail(30), ok(70)].map((row, index) =>
            Effect.withClock(scopedCandidate(row, index, seen), clock)
          ),
          { delay: 50, ...options }
        ).pipe(Effect.withClock({
          [Clock.ClockTypeId]: Clock.ClockTypeId,
          unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis(),
          unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
          currentTimeMillis: clock.currentTimeMillis,
          currentTimeNanos: clock.currentTimeNanos,
          sleep: (duration) => {
            if (++sleeps > 100) {
              throw new Error("it spins")
            }
            return sleep(sleeps, Duration.toMillis(duration), clock)
          }
        }))
      )
      const { endedAt, exit, left } = runEvents(Effect.scoped(program), { interruptAt: 1000 })
      deepStrictEqual(left, nothing)
      const held = seen.resources.map((line) => line[0] === "+" ? 1 : -1).reduce((sum, one) => sum + one, 0)
      strictEqual(held, 0)
      return { seen: `${told(exit)} @${endedAt}`, sleeps }
    }
    const sleeping =
      (nth: number, bad: () => Effect.Effect<void>) => (count: number, millis: number, clock: Clock.Clock) =>
        count === nth ? bad() : clock.sleep(Duration.millis(millis))
    const thrower = () => {
      throw "no sleep"
    }

    it("whose `sleep` dies or throws ends the race with its defect", () => {
      for (const bad of [() => Effect.die("no sleep"), thrower]) {
        deepStrictEqual(under(bad).seen, "!no sleep @0")
        deepStrictEqual(under(sleeping(1, bad)).seen, "!no sleep @0")
        const later = under(sleeping(2, bad))
        assertTrue(later.seen.startsWith("!no sleep @"), later.seen)
      }
    })

    it("one that does after a while as well", () => {
      const later = under((_, millis, clock) =>
        Effect.zipRight(clock.sleep(Duration.millis(millis / 2)), Effect.die("woken up"))
      )
      deepStrictEqual(later.seen, "!woken up @25")
    })

    it("that never wakes anybody leaves the starting to failures", () => {
      // The first fails at 100. The second hangs, and no timer starts the third.
      const { seen, sleeps } = under(() => Effect.never)
      deepStrictEqual([seen, sleeps <= 4], ["interrupted @1005", true])
    })

    it("whose `sleep` is interrupted by itself does not make it spin", () => {
      const { sleeps } = under(() => Effect.interrupt)
      assertTrue(sleeps <= 8, `${sleeps} sleeps`)
    })

    it("that wakes everybody at once, and stands still, starts all", () => {
      const { seen, sleeps } = under(() => Effect.void)
      deepStrictEqual([seen, sleeps <= 8], ["succeeded @75", true])
    })

    it("that tells no time", () => {
      for (const now of [NaN, Infinity, -Infinity]) {
        const program = Effect.clockWith((clock) => {
          const standing: Clock.Clock = {
            [Clock.ClockTypeId]: Clock.ClockTypeId,
            unsafeCurrentTimeMillis: () => now,
            unsafeCurrentTimeNanos: () => 0n,
            currentTimeMillis: Effect.succeed(now),
            currentTimeNanos: Effect.succeed(0n),
            sleep: (duration) => clock.sleep(duration)
          }
          const list = [Effect.fail("no"), Effect.never, Effect.succeed("third")]
          return Effect.withClock(StaggeredRace.race(list, { delay: 50 }), standing)
        })
        deepStrictEqual(runEvents(program, { interruptAt: 1000 }).exit, Exit.succeed("third"))
      }
    })
  })

  describe("what is called back", () => {
    const thrower = (): never => {
      throw "no"
    }
    it("`fatal`, an iterable, `onEvent` and a candidate that throw: each ends, and nothing is left", () => {
      const rows = [hang({ cleanup: 5 }), fail(10), ok(200)]
      deepStrictEqual(racing(rows, { delay: 20, fatal: thrower }), ["(1;!no)", 35])
      deepStrictEqual(racing(rows, { delay: 20, onEvent: thrower }), ["succeeded", 235])
      const broken = function*() {
        for (const candidate of candidates(rows.slice(0, 2))) {
          yield candidate
        }
        thrower()
      }
      const { exit, left } = runEvents(StaggeredRace.race(broken(), { delay: 20 }), { interruptAt: 1000 })
      deepStrictEqual([how(exit), left], ["interrupted", nothing])
      const lazy: ReadonlyArray<Effect.Effect<string>> = [
        Effect.suspend(thrower),
        Effect.sync(thrower),
        Effect.succeed("third")
      ]
      deepStrictEqual(runEvents(StaggeredRace.race(lazy, { delay: 20 })).exit, Exit.succeed("third"))
    })
  })

  describe("a finalizer that waits for another attempt's fiber", () => {
    /** A candidate that shows its fiber, and one whose finalizer waits for that fiber. */
    const attempts = (showing: Row, waiting: Row) =>
      Effect.runSync(Effect.map(Deferred.make<Fiber.RuntimeFiber<unknown, unknown>>(), (shown) => {
        const show = Effect.withFiberRuntime<boolean>((fiber) =>
          Deferred.succeed(shown, fiber as Fiber.RuntimeFiber<unknown, unknown>)
        )
        const wait = Effect.addFinalizer(() => Effect.flatMap(Deferred.await(shown), Fiber.await))
        return [
          Effect.zipRight(show, candidate(showing, 0, transcript())),
          Effect.zipRight(wait, candidate(waiting, 1, transcript()))
        ]
      }))
    const ends = (showing: Row, waiting: Row, losers: "await" | "background", interruptAt?: number) => {
      const race = StaggeredRace.race(attempts(showing, waiting), { delay: 10, losers })
      const { exit, left } = runEvents(Effect.scoped(race), { interruptAt })
      deepStrictEqual(left, nothing)
      return told(exit)
    }
    const slow = hang({ cleanup: 50 })

    it("the winner's for a loser, a loser's for the winner, a loser's for another", () => {
      for (const losers of ["await", "background"] as const) {
        strictEqual(ends(slow, ok(20), losers), "succeeded")
        strictEqual(ends(ok(40), slow, losers), "succeeded")
        strictEqual(ends(slow, fail(20), losers, 100), "interrupted")
        for (const interruptAt of [5, 15, 35, 50, 70]) {
          ends(slow, ok(20), losers, interruptAt)
          ends(ok(40), slow, losers, interruptAt)
          ends(slow, slow, losers, interruptAt)
        }
      }
    })
  })
})
