import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Row } from "../support/scenario.js"
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
})
