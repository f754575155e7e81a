import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents } from "../support/eventClock.js"
import type { Boom, Row } from "../support/scenario.js"
import {
  candidate,
  fail,
  failed,
  hang,
  how,
  nothing,
  observe,
  ok,
  resource,
  scopedCandidate,
  transcript
} from "../support/scenario.js"

describe.concurrent("8. Losers leave nothing behind", () => {
  it.live("a scope each: closed when it fails or loses; the winner's when the outer scope closes", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const rows = [fail(50), hang(), ok(100), hang()]
      const list = rows.map((row, index) => scopedCandidate(row, index, seen))
      const { left } = yield* observe(Effect.scoped(Effect.zipRight(
        StaggeredRace.race(list, { delay: 60 }),
        Effect.sleep(1000)
      )))
      deepStrictEqual(left, nothing)
      deepStrictEqual(seen.resources, ["+0@0", "-0@50", "+1@50", "+2@110", "+3@170", "-1@210", "-3@210", "-2@1210"])
    }))

  it.live("an outer scope that closes first releases what running attempts have acquired", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const scope = yield* Scope.make()
      const list = [hang(), ok(100)].map((row, index) => scopedCandidate(row, index, seen))
      const { exit } = yield* observe(Effect.gen(function*() {
        const race = yield* Effect.fork(Scope.extend(StaggeredRace.race(list, { delay: 10 }), scope))
        yield* Effect.sleep(50)
        yield* Scope.close(scope, Exit.void)
        return yield* Fiber.join(race)
      }))
      deepStrictEqual(exit, Exit.succeed("value 1"))
      deepStrictEqual(seen.resources, ["+0@0", "+1@10", "-1@50", "-0@50"])
    }))

  it.live("a scope that is first used later: as long as the race's where its attempt has won, else closed", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const scopes: Array<Scope.Scope> = []
      const keep = Effect.map(Effect.scope, (scope) => scopes.push(scope))
      const add = (name: string) =>
        Effect.forEach(
          scopes,
          (scope, index) => Scope.addFinalizer(scope, Effect.sync(() => log.push(`${name} ${index}`)))
        )
      yield* observe(Effect.gen(function*() {
        yield* Effect.scoped(Effect.gen(function*() {
          yield* StaggeredRace.race([
            Effect.zipRight(keep, Effect.never),
            Effect.zipRight(keep, Effect.fail("no")),
            Effect.delay(keep, 10)
          ], { delay: 5 })
          yield* add("in the scope")
          log.push("closes")
        }))
        log.push("closed")
        yield* add("after it")
      }))
      deepStrictEqual(log, [
        "in the scope 0",
        "in the scope 1",
        "closes",
        "in the scope 2",
        "closed",
        "after it 0",
        "after it 1",
        "after it 2"
      ])
    }))

  it.live("what finalizers of the winner set, the fiber that closes the outer scope has", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("before")
      const closed = FiberRef.unsafeMake("no")
      const won = Effect.zipRight(
        Effect.locallyScoped(ref, "won"),
        Effect.flatMap(Effect.scope, (scope) => Scope.addFinalizer(scope, FiberRef.set(closed, "yes")))
      )
      const inside = Effect.zipRight(StaggeredRace.race([won], { delay: 10 }), FiberRef.get(ref))
      const { exit } = yield* observe(Effect.all([
        Effect.scoped(inside),
        FiberRef.get(ref),
        FiberRef.get(closed)
      ]))
      deepStrictEqual(exit, Exit.succeed(["won", "before", "yes"]))
    }))

  it.live("a fiber of the winner's scope can close the outer one", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const { exit, left } = yield* observe(Effect.gen(function*() {
        const outer = yield* Scope.make()
        const closing = Effect.delay(Scope.close(outer, Exit.void), 50).pipe(
          Effect.zipRight(Effect.sync(() => log.push("closed"))),
          Effect.forkScoped
        )
        const won = Effect.zipRight(Effect.addFinalizer(() => Effect.sync(() => log.push("released"))), closing)
        const fiber = yield* Scope.extend(StaggeredRace.race([won], { delay: 10 }), outer)
        yield* Fiber.join(fiber)
      }))
      deepStrictEqual([exit, left, log], [Exit.void, nothing, ["released", "closed"]])
    }))

  it.live("an outer scope that is frozen", () =>
    Effect.gen(function*() {
      const seen = transcript()
      yield* observe(Effect.gen(function*() {
        const outer = Object.freeze(yield* Scope.fork(yield* Scope.make(), ExecutionStrategy.sequential))
        yield* Scope.extend(StaggeredRace.race([scopedCandidate(ok(10), 0, seen)], { delay: 10 }), outer)
      }))
      deepStrictEqual(seen.ended, [[0, "succeeded", 10]])
    }))

  it.live("a candidate that asks for no scope, in a program that has none", () =>
    Effect.gen(function*() {
      const option = Effect.map(Effect.context<never>(), Context.getOption(Scope.Scope))
      deepStrictEqual(yield* StaggeredRace.race([option], { delay: 1 }), Option.none())
    }))

  it.live("what fails in a loser's clean-up is in the outcome", () =>
    Effect.gen(function*() {
      const dirty = Effect.zipRight(Effect.addFinalizer(() => Effect.die("dirty")), Effect.never)
      const { exit } = yield* observe(Effect.scoped(
        StaggeredRace.outcome([dirty, Effect.delay(Effect.succeed(1), 10)], { delay: 10 })
      ))
      const { attempts, winner } = yield* exit
      strictEqual(Option.isSome(winner), true)
      strictEqual(attempts[0]?.result, "lost")
      strictEqual(failed(attempts[0]?.exit ?? Exit.void), "(^;!dirty)")
    }))

  it.live("the winner's resource can be used after the race, and an interruption then releases it once", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const use = Effect.scoped(Effect.zipRight(
        StaggeredRace.race([resource(log, "a"), resource(log, "b")], { delay: 10 }),
        Effect.sleep(1000)
      ))
      yield* observe(use, { interruptAt: 500 })
      deepStrictEqual(log, ["acquire a", "release a @500"])
    }))

  it.live("an attempt that closes its scope itself closes no other", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const add = (name: string) => Effect.addFinalizer(() => Effect.sync(() => log.push(name)))
      const close = Effect.flatMap(Effect.scope, (scope) => Scope.close(scope as Scope.CloseableScope, Exit.void))
      yield* observe(Effect.scoped(Effect.gen(function*() {
        yield* add("outer")
        yield* StaggeredRace.race([Effect.zipRight(add("attempt"), close)], { delay: 10 })
        log.push("raced")
        yield* add("later")
        log.push("added")
      })))
      deepStrictEqual(log, ["attempt", "raced", "added", "later", "outer"])
    }))

  it.live("the finalizers of an attempt run one after the other, the last first, and see how it ended", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const holding = (index: number, row: Row) =>
        Effect.zipRight(
          Effect.forEach(["a", "b"], (name) =>
            Effect.addFinalizer((exit) =>
              Effect.map(
                Effect.zipRight(Effect.sleep(10), Clock.currentTimeMillis),
                (at) => log.push(`${index}${name} ${how(exit)} @${at}`)
              )
            )),
          candidate(row, index, transcript())
        )
      const race = StaggeredRace.race([holding(0, fail(10)), holding(1, hang()), holding(2, ok(100))], { delay: 50 })
      yield* observe(Effect.scoped(race))
      deepStrictEqual(log, [
        "0b failed @20",
        "0a failed @30",
        "1b interrupted @190",
        "1a interrupted @200",
        "2b succeeded @210",
        "2a succeeded @220"
      ])
    }))

  describe("finalizers run as the outer scope's strategy says", () => {
    type Candidates = ReadonlyArray<Effect.Effect<string, Boom, Scope.Scope>>

    const four = (row: Row, index: number) =>
      Effect.zipRight(
        Effect.forEach([0, 1, 2, 3], () => Effect.addFinalizer(() => Effect.sleep(50)), { discard: true }),
        candidate(row, index, transcript())
      )
    /** How long the race takes, and how long its scope then takes to close. */
    const times = (race: (rows: Candidates) => Effect.Effect<unknown, Boom, Scope.Scope>, rows: ReadonlyArray<Row>) => {
      let raced = NaN
      const { endedAt, left } = runEvents(Effect.scoped(
        Effect.zipRight(Effect.exit(race(rows.map(four))), Effect.map(Clock.currentTimeMillis, (at) => raced = at))
      ))
      deepStrictEqual(left, nothing)
      return [raced, endedAt - raced]
    }
    it("one after the other", () => {
      deepStrictEqual(times((rows) => StaggeredRace.race(rows, { delay: 10 }), [ok(100)]), [100, 200])
      deepStrictEqual(times((rows) => StaggeredRace.race(rows, { delay: 10 }), [hang(), ok(100)]), [310, 200])
      deepStrictEqual(times((rows) => StaggeredRace.race(rows, { delay: Infinity }), [fail(0), fail(0)]), [400, 0])
    })

    it("or all at once, with `Effect.parallelFinalizers`: the winner's, a loser's, and those of who failed", () => {
      const race = (options: StaggeredRace.Options<string, Boom>) => (rows: Candidates) =>
        Effect.parallelFinalizers(StaggeredRace.race(rows, options))
      deepStrictEqual(times(race({ delay: 10 }), [ok(100)]), [100, 50])
      deepStrictEqual(times(race({ delay: 10 }), [hang(), ok(100)]), [160, 50])
      deepStrictEqual(times(race({ delay: Infinity }), [fail(0), fail(0)]), [100, 0])
    })

    it("in races within each other as well", () => {
      const nested = (rows: Candidates) =>
        StaggeredRace.race([StaggeredRace.race([StaggeredRace.race(rows, { delay: 10 })], { delay: 10 })], {
          delay: 10
        })
      deepStrictEqual(times((rows) => Effect.parallelFinalizers(nested(rows)), [ok(100)]), [100, 50])
      deepStrictEqual(times(nested, [ok(100)]), [100, 200])
      // An inner race may have a strategy of its own.
      const inner = (rows: Candidates) =>
        StaggeredRace.race([Effect.parallelFinalizers(StaggeredRace.race(rows, { delay: 10 }))], { delay: 10 })
      deepStrictEqual(times(inner, [ok(100)]), [100, 50])
    })
  })

  describe("a finalizer may wait for what its attempt, or another, has started", () => {
    /** Forks a child that only the finalizer ends, like a server that runs until it is told to stop. */
    const serving = (log: Array<string>, row: Row) =>
      Effect.zipRight(
        Effect.acquireRelease(
          Effect.flatMap(Deferred.make<void>(), (stop) =>
            Effect.as(
              Effect.fork(Effect.uninterruptible(Effect.zipRight(
                Deferred.await(stop),
                Effect.sync(() => log.push("stopped"))
              ))),
              stop
            )),
          (stop) => Effect.zipRight(Effect.sync(() => log.push("told to stop")), Deferred.succeed(stop, void 0))
        ),
        candidate(row, 0, transcript())
      )
    const slow = candidate(hang({ cleanup: 50 }), 1, transcript())

    it("a child that the winner's finalizer ends: a race in the background ends, and so does its scope", () => {
      const log: Array<string> = []
      const race = StaggeredRace.race([slow, serving(log, ok(10))], { delay: 10, losers: "background" })
      const { exit, left } = runEvents(Effect.scoped(Effect.zipLeft(race, Effect.sync(() => log.push("returned")))))
      deepStrictEqual([exit, left], [Exit.succeed("value 0"), nothing])
      deepStrictEqual(log, ["returned", "told to stop", "stopped"])
    })

    it("that a loser's finalizer ends, or that of who failed: the race ends", () => {
      for (const row of [hang(), fail(5)]) {
        for (const losers of ["await", "background"] as const) {
          const log: Array<string> = []
          const race = StaggeredRace.race([serving(log, row), candidate(ok(20), 1, transcript())], {
            delay: 10,
            losers
          })
          deepStrictEqual(runEvents(Effect.scoped(race)).exit, Exit.succeed("value 1"))
          deepStrictEqual(log, ["told to stop", "stopped"])
        }
      }
    })

    it("that the winner's finalizer ends: an interruption ends the race, also while losers clean up", () => {
      for (const losers of ["await", "background"] as const) {
        for (const others of [[], [slow]]) {
          const log: Array<string> = []
          const race = StaggeredRace.race([...others, serving(log, ok(10))], { delay: 10, losers })
          const { exit, left } = runEvents(Effect.scoped(Effect.zipRight(race, Effect.sleep(1000))), {
            interruptAt: 40
          })
          deepStrictEqual([how(exit), left, log], ["interrupted", nothing, ["told to stop", "stopped"]])
        }
      }
    })
  })
})
