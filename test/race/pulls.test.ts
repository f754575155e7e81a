import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Options } from "../support/play.js"
import type { Row } from "../support/scenario.js"
import { candidate, candidates, fail, hang, messages, nothing, observe, ok, transcript } from "../support/scenario.js"

describe.concurrent("4. Candidates are pulled one at a time, when they start, never before", () => {
  const source = (log: Array<string>, rows: ReadonlyArray<Row>) =>
    function*() {
      const seen = transcript()
      try {
        for (const [index, row] of rows.entries()) {
          log.push(`pull ${index}`)
          yield candidate(row, index, seen)
        }
        log.push("end")
      } finally {
        log.push("close")
      }
    }
  const pulled = (rows: ReadonlyArray<Row>, options: Options, interruptAt?: number) =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const { left } = yield* observe(
        StaggeredRace.outcome({ [Symbol.iterator]: source(log, rows) }, options),
        { interruptAt: interruptAt ?? null }
      )
      deepStrictEqual(left, nothing)
      return log
    })

  it.live("and the iterator is closed once when the race ends early", () =>
    Effect.gen(function*() {
      const rows = [fail(10), ok(300), hang(), hang()]
      deepStrictEqual(yield* pulled(rows, { delay: 250 }), ["pull 0", "pull 1", "pull 2", "close"])
      deepStrictEqual(yield* pulled(rows, { delay: 250 }, 100), ["pull 0", "pull 1", "close"])
      deepStrictEqual(yield* pulled(rows, { delay: 250, fatal: () => true }), ["pull 0", "close"])
      deepStrictEqual(yield* pulled([fail(1), fail(1)], { delay: 250 }), ["pull 0", "pull 1", "end", "close"])
    }))

  it.live("an iterator is closed once; not at all when it has ended by itself, or has thrown", () =>
    Effect.gen(function*() {
      const done = () => ({ done: true as const, value: undefined })
      const returns = (effects: ReadonlyArray<Effect.Effect<number, string>>, last: () => IteratorResult<never>) =>
        Effect.gen(function*() {
          let returned = 0
          let next = 0
          const iterator: Iterator<Effect.Effect<number, string>> = {
            next: () => next < effects.length ? { done: false, value: effects[next++]! } : last(),
            return: () => {
              returned++
              return done()
            }
          }
          yield* observe(StaggeredRace.outcome({ [Symbol.iterator]: () => iterator }, { delay: 10 }))
          return returned
        })
      const broken = () => {
        throw "broken"
      }
      const win = Effect.delay(Effect.succeed(1), 50)
      strictEqual(yield* returns([win, Effect.never, Effect.never, Effect.never, Effect.never, Effect.never], done), 1)
      strictEqual(yield* returns([win], done), 0)
      strictEqual(yield* returns([Effect.fail("a"), Effect.fail("b")], done), 0)
      strictEqual(yield* returns([win], broken), 0)
    }))

  it.live("an iterator that cannot be closed takes nothing from a win", () =>
    Effect.gen(function*() {
      const candidates = {
        [Symbol.iterator]: () => ({
          next: () => ({ done: false as const, value: Effect.succeed(1) }),
          return: () => {
            throw "stuck"
          }
        })
      }
      strictEqual(yield* StaggeredRace.race(candidates, { delay: 1 }), 1)
      const outcome = yield* StaggeredRace.outcome(candidates, { delay: 1 })
      deepStrictEqual(outcome.sourceFailure, Option.some(Cause.die("stuck")))
    }))

  it.live("endless sources are fine", () =>
    Effect.gen(function*() {
      function* endless() {
        for (let index = 0;; index++) {
          yield index === 5000 ? Effect.succeed(index) : Effect.fail(index)
        }
      }
      strictEqual(yield* StaggeredRace.race(endless(), { delay: 250 }), 5000)
    }))

  it.live("an endless source of failures can be interrupted", () =>
    Effect.gen(function*() {
      function* failures() {
        for (let index = 0;; index++) {
          yield Effect.fail(index)
        }
      }
      const exit = yield* Effect.exit(Effect.timeout(StaggeredRace.race(failures(), { delay: 250 }), 20))
      deepStrictEqual(messages(exit).map(String), ["TimeoutException: Operation timed out after '20ms'"])
    }))

  it.live("while an endless source fails, the timers of the process are heard", () =>
    Effect.gen(function*() {
      let pulls = 0
      let heardAt = Infinity
      function* failures() {
        while (++pulls < 50_000) {
          yield Effect.fail("no")
        }
        yield Effect.succeed("end")
      }
      setTimeout(() => heardAt = pulls, 0)
      yield* StaggeredRace.race(failures(), { delay: 250 })
      assertTrue(heardAt < 20_000, `heard at ${heardAt}`)
    }))

  it.live("the failure of the newest while the next is already being pulled: the delay has started it", () =>
    Effect.gen(function*() {
      const stream = Stream.fromIterable(candidates([fail(300), ok(10)])).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.sleep(200))
      )
      const outcome = yield* (yield* observe(StaggeredRace.outcomeStream(stream, { delay: 250 }))).exit
      deepStrictEqual(
        outcome.attempts.map(({ startedAt, startedBy }) => [startedAt, startedBy]),
        [[200, "first"], [650, "delay"]]
      )
    }))

  it.live("a size that is none, or that grows, loses no candidate", () =>
    Effect.gen(function*() {
      const lying = { length: 0, size: 1, [Symbol.iterator]: () => [Effect.fail("a"), Effect.succeed("b")].values() }
      strictEqual(yield* StaggeredRace.race(lying, { delay: 250 }), "b")
      const growing: Array<Effect.Effect<string, string>> = []
      growing.push(Effect.suspend(() => {
        growing.push(Effect.succeed("late"))
        return Effect.fail("no")
      }))
      strictEqual(yield* StaggeredRace.race(growing, { delay: 250 }), "late")
    }))
})
