import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Supervisor from "effect/Supervisor"
import * as StaggeredRace from "../../src/StaggeredRace.js"

function* failures(count: number) {
  for (let index = 0; index < count; index++) {
    yield Effect.fail(index)
  }
}

const depth = (cause: Cause.Cause<unknown>): number =>
  Cause.match(cause, {
    onEmpty: 0,
    onFail: () => 1,
    onDie: () => 1,
    onInterrupt: () => 1,
    onSequential: (left, right) => 1 + Math.max(left, right),
    onParallel: (left, right) => 1 + Math.max(left, right)
  })

const { gc } = globalThis

describe("scale", () => {
  it.live("200,000 candidates that fail in turn: all causes can be read, in order", () =>
    Effect.gen(function*() {
      const count = 200_000
      const exit = yield* Effect.exit(StaggeredRace.race(failures(count), { delay: "250 millis" }))
      assertTrue(Exit.isFailure(exit))
      const errors = Chunk.toReadonlyArray(Cause.failures(exit.cause))
      strictEqual(errors.length, count)
      assertTrue(errors.every((error, index) => error === index))
      // What is not deep can be walked, compared and printed by code that recurses.
      strictEqual(depth(exit.cause), 1 + Math.ceil(Math.log2(count)))
      assertTrue(JSON.stringify(exit.cause).length > count)
      const outcome = yield* StaggeredRace.outcome(failures(count), { delay: Duration.infinity })
      strictEqual(outcome.attempts.length, count)
    }))

  it.live("100,000 that fail at the same instant: the same", () =>
    Effect.gen(function*() {
      const count = 100_000
      const late = Array.from({ length: count }, (_, index) => Effect.zipRight(Effect.yieldNow(), Effect.fail(index)))
      const exit = yield* Effect.exit(StaggeredRace.race(late, { delay: 0 }))
      assertTrue(Exit.isFailure(exit))
      strictEqual(Cause.size(exit.cause), count)
      assertTrue(depth(exit.cause) < 40)
    }))

  it.live("20,000 attempts at once", () =>
    Effect.gen(function*() {
      const count = 20_000
      let released = 0
      const hanging = Effect.onInterrupt(Effect.never, () => Effect.sync(() => released++))
      const many = Array.from({ length: count }, (_, index) => index === count - 1 ? Effect.succeed(index) : hanging)
      const outcome = yield* StaggeredRace.outcome(many, { delay: 0 })
      deepStrictEqual(outcome.winner, Option.some({ index: count - 1, value: count - 1 }))
      strictEqual(released, count - 1)
    }))

  it.live("10,000 races interrupted at once leave nothing", () =>
    Effect.gen(function*() {
      const count = 10_000
      let held = 0
      let ended = 0
      const holding = Effect.zipRight(
        Effect.acquireRelease(Effect.sync(() => held++), () => Effect.sync(() => held--)),
        Effect.onExit(Effect.async<number>((_) => {}), () => Effect.sync(() => ended++))
      )
      const race = Effect.scoped(StaggeredRace.race([holding, holding, holding], { delay: 1 }))
      const supervisor = yield* Supervisor.track
      const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length
      const timersBefore = timers()
      yield* Effect.gen(function*() {
        const fibers = yield* Effect.forEach(Array.from({ length: count }), () => Effect.fork(race))
        yield* Effect.sleep(5)
        assertTrue(held >= count)
        yield* Fiber.interruptAll(fibers)
      }).pipe(Effect.supervised(supervisor))
      const alive = (yield* supervisor.value).filter((fiber) => fiber.unsafePoll() === null)
      deepStrictEqual([held, alive.length, timers() <= timersBefore], [0, 0, true])
      assertTrue(ended >= count)
    }))

  it.live("200,000 races in a row keep the heap flat, also within one scope and one fiber", () =>
    Effect.scoped(Effect.gen(function*() {
      const forever = Effect.async<number>((_) => {})
      const race = StaggeredRace.race([Effect.as(Effect.yieldNow(), 1), forever, forever], { delay: "1 hour" })
      const acquiring = Effect.zipRight(Effect.addFinalizer(() => Effect.void), forever)
      const overlapping = StaggeredRace.race([acquiring, Effect.as(Effect.yieldNow(), 1)], { delay: 0 })
      const heapAfter = (races: number) =>
        Effect.gen(function*() {
          for (let count = 0; count < races; count++) {
            yield* count % 2 === 0 ? overlapping : race
          }
          yield* Effect.sleep(10)
          gc?.()
          return process.memoryUsage().heapUsed
        })
      assertTrue(gc !== undefined, "this test needs gc()")
      const before = yield* heapAfter(20_000)
      const after = yield* heapAfter(180_000)
      assertTrue(after - before < 4_000_000, `the heap grew by ${after - before} bytes`)
    })))

  it.live("10,000 races in a row that acquire: the references of the fiber that runs them do not pile up", () =>
    Effect.gen(function*() {
      const acquiring = Effect.acquireRelease(Effect.yieldNow(), () => Effect.void)
      const race = Effect.scoped(StaggeredRace.race([acquiring, Effect.fail("no"), acquiring], { delay: 0 }))
      const depths = Effect.map(
        Effect.getFiberRefs,
        ({ locals }) => Math.max(...Array.from(locals.values(), ({ length }) => length))
      )
      yield* race
      const before = yield* depths
      yield* Effect.repeatN(race, 9999)
      strictEqual(yield* depths, before)
    }))

  it.live("a race that is over keeps nothing, while the fiber and the scope that it ran in live on", () =>
    Effect.scoped(Effect.gen(function*() {
      const alive = new Map<number, string>()
      const registry = new FinalizationRegistry<number>((id) => alive.delete(id))
      let watched = 0
      const watch = <A extends object>(name: string, value: A): A => {
        alive.set(watched, name)
        registry.register(value, watched++)
        return value
      }
      const once = (index: number) => {
        const fails = watch(`fails ${index}`, Effect.suspend(() => Effect.fail(watch(`error ${index}`, {}))))
        const loses = watch(`loses ${index}`, Effect.async<object>((_resume) => {}))
        const wins = watch(
          `wins ${index}`,
          // What it acquires stays until the scope closes; its value does not.
          Effect.zipRight(
            Effect.zipRight(Effect.addFinalizer(() => Effect.void), Effect.sleep(1)),
            Effect.sync(() => watch(`value ${index}`, {}))
          )
        )
        return Effect.zipRight(
          StaggeredRace.race([fails, loses, wins], { delay: 0 }),
          Effect.exit(StaggeredRace.race([fails, fails], { delay: "1 hour" }))
        )
      }
      for (let index = 0; index < 20; index++) {
        yield* Effect.asVoid(once(index))
      }
      strictEqual(watched, 20 * 7)
      // The fiber itself still has the last result that it has seen.
      yield* StaggeredRace.race([Effect.void], { delay: 0 })
      for (let look = 0; look < 50 && alive.size > 0; look++) {
        yield* Effect.sleep(10)
        gc?.()
      }
      deepStrictEqual(Array.from(alive.values()), [])
    })))
})
