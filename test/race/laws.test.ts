import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scheduler from "effect/Scheduler"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Row } from "../support/scenario.js"
import type { Boom } from "../support/scenario.js"
import {
  candidate,
  die,
  fail,
  failed,
  hang,
  nothing,
  observe,
  ok,
  pass,
  scopedCandidate,
  transcript
} from "../support/scenario.js"

type Options = StaggeredRace.Options<string, Boom>

/** Everything that can be seen of one race, from the inside of its candidates and from its outcome. */
const play = (rows: Iterable<Row>, options: Options, interruptAt: number | null = null) =>
  Effect.gen(function*() {
    const seen = transcript()
    const list = Array.from(rows, (row, index) => candidate(row, index, seen))
    const { endedAt, exit, left } = yield* observe(StaggeredRace.outcome(list, options), { interruptAt })
    deepStrictEqual(left, nothing)
    const outcome = Exit.isSuccess(exit) ? exit.value : undefined
    return {
      winner: outcome === undefined
        ? "interrupted"
        : Option.getOrNull(Option.map(outcome.winner, (winner) => winner.index)),
      at: endedAt,
      starts: seen.started.map(([, at]) => at),
      started: seen.started,
      ended: seen.ended,
      by: outcome?.attempts.map((attempt) => attempt.startedBy),
      results: outcome?.attempts.map((attempt) => attempt.result),
      outcome
    }
  })

/**
 * Rows of candidates and what must be seen of them; then the same again with the caller interrupted before, at and
 * after each instant at which something happens.
 */
const scenario = (
  rows: ReadonlyArray<Row>,
  options: Options,
  expected: {
    readonly winner: number | null
    readonly at: number
    readonly starts: ReadonlyArray<number>
    readonly by?: ReadonlyArray<string>
  }
) =>
  Effect.gen(function*() {
    const seen = yield* play(rows, options)
    const { at, by, starts, winner } = seen
    deepStrictEqual({ winner, at, starts, by }, { by, ...expected })
    const instants = new Set([...starts, ...seen.ended.map(([, , at]) => at)])
    const interruptions = [...instants].flatMap((at) => [at - 0.5, at, at + 0.5]).filter((at) => at >= 0)
    yield* Effect.forEach(interruptions, (interruptAt) =>
      Effect.map(play(rows, options, interruptAt), (cut) => {
        if (cut.winner === "interrupted") {
          deepStrictEqual(cut.started.filter(([, at]) => at > interruptAt), [])
          strictEqual(cut.ended.length, cut.started.length)
          strictEqual(cut.at, Math.max(interruptAt, ...cut.ended.map(([, , at]) => at)))
        } else {
          deepStrictEqual({ ...cut, outcome: undefined }, { ...seen, outcome: undefined })
          assertTrue(interruptAt >= at)
        }
      }), { concurrency: "unbounded", discard: true })
  })

const byIndex = <A extends readonly [index: number, ...ReadonlyArray<unknown>]>(entries: ReadonlyArray<A>) =>
  [...entries].sort(([left], [right]) => left - right)

const messages = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) ? Chunk.toReadonlyArray(Cause.failures(exit.cause)) : []

/** A resource that writes its life into `log`, and the index of the attempt that holds it. */
const resource = (log: Array<string>, name: string) =>
  Effect.acquireRelease(
    Effect.sync(() => log.push(`acquire ${name}`)),
    () => Effect.map(Clock.currentTimeMillis, (at) => log.push(`release ${name} @${at}`))
  )

const forever = Duration.infinity

describe.concurrent("the laws", () => {
  it.live("1. the first candidate starts at once", () =>
    Effect.forEach(
      [0, 250, forever],
      (delay) => scenario([ok(123)], { delay, minDelay: 10 }, { winner: 0, at: 123, starts: [0], by: ["first"] })
    ))

  describe("2. the next candidate starts when the newest has failed or its delay has passed, whichever is first", () => {
    it.live("the delay", () =>
      scenario([ok(1000), ok(1000), ok(200)], { delay: 250 }, {
        winner: 2,
        at: 700,
        starts: [0, 250, 500],
        by: ["first", "delay", "delay"]
      }))

    it.live("a success keeps the rest from starting", () =>
      scenario([ok(1000), ok(100), ok(200)], { delay: 250 }, { winner: 1, at: 350, starts: [0, 250] }))

    it.live("a failure of the newest", () =>
      scenario([fail(100), fail(200), hang(), ok(250)], { delay: 250 }, {
        winner: 3,
        at: 800,
        starts: [0, 100, 300, 550],
        by: ["first", "failure", "failure", "delay"]
      }))

    it.live("a failure of the newest while an older one runs", () =>
      scenario([hang(), fail(10), ok(5)], { delay: 250 }, { winner: 2, at: 265, starts: [0, 250, 260] }))

    it.live("an older attempt's failure starts nothing", () =>
      scenario([fail(150), hang(), ok(70)], { delay: 100 }, { winner: 2, at: 270, starts: [0, 100, 200] }))

    it.live("an infinite delay: one after the other", () =>
      scenario([fail(10), fail(20), ok(30)], { delay: forever }, { winner: 2, at: 60, starts: [0, 10, 30] }))

    it.live("no delay: all at once, in order", () =>
      scenario([hang(), hang(), ok(30)], { delay: 0 }, { winner: 2, at: 30, starts: [0, 0, 0] }))

    it.live("a failure that takes time to clean up has ended when it is cleaned up", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const slow = Effect.ensuring(candidate(fail(100), 0, seen), Effect.sleep(50))
        yield* observe(StaggeredRace.race([slow, candidate(ok(10), 1, seen)], { delay: 1000 }))
        deepStrictEqual(seen.started, [[0, 0], [1, 150]])
      }))

    it.live("a schedule is stepped once per start, with the index of the attempt just started", () =>
      Effect.gen(function*() {
        const inputs: Array<number> = []
        const delay = Schedule.tapInput(
          Schedule.delayed(Schedule.recurs(2), () => Duration.millis(100 * (inputs.length))),
          (index: number) => Effect.sync(() => inputs.push(index))
        )
        const rows = [hang(), hang(), fail(40), hang(), ok(1)]
        const seen = yield* play(rows, { delay }, 1000)
        deepStrictEqual(seen.starts, [0, 100, 300, 340])
        deepStrictEqual(inputs, [0, 1, 2, 3])
      }))

    it.live("a schedule that is done leaves the starting to failures", () =>
      scenario([fail(300), hang(), fail(500), ok(1)], { delay: Schedule.addDelay(Schedule.recurs(2), () => 100) }, {
        winner: 3,
        at: 701,
        starts: [0, 100, 200, 700]
      }))

    it.live("a schedule that grows is not stepped by time, but by starts", () =>
      scenario([hang(), fail(20), hang(), hang(), ok(5)], { delay: Schedule.exponential(100) }, {
        winner: 4,
        at: 1325,
        starts: [0, 100, 120, 520, 1320]
      }))
  })

  describe("3. a start, for whatever reason, restarts the delay, and there is one timer at most", () => {
    const hanging = Effect.never as Effect.Effect<string, Boom>
    const failing = (latency: number) => candidate(fail(latency), 0, transcript())

    it.live("none after the last candidate", () =>
      Effect.gen(function*() {
        const race = StaggeredRace.race([hanging, hanging, hanging], { delay: 250 })
        const { left, maxSleeps, samples } = yield* observe(race, {
          sampleAt: [0, 249, 250, 499, 500, 1000],
          interruptAt: 2000
        })
        deepStrictEqual(samples, [1, 1, 1, 1, 0, 0])
        strictEqual(maxSleeps, 1)
        deepStrictEqual(left, nothing)
      }))

    it.live("an iterator that ends shows it at the next start, and no timer is left", () =>
      Effect.gen(function*() {
        const race = StaggeredRace.race(new Set([hanging]).values(), { delay: 250 })
        const { samples } = yield* observe(race, { sampleAt: [0, 249, 250], interruptAt: 2000 })
        deepStrictEqual(samples, [1, 1, 0])
      }))

    it.live("a failure that starts the next restarts it", () =>
      Effect.gen(function*() {
        // The failing candidate sleeps as well: one sleep more until 100.
        const race = StaggeredRace.race([failing(100), hanging, hanging, hanging], { delay: 250 })
        const { maxSleeps, samples } = yield* observe(race, { sampleAt: [50, 100, 349, 350, 600], interruptAt: 2000 })
        deepStrictEqual(samples, [2, 1, 1, 1, 0])
        strictEqual(maxSleeps, 2)
      }))

    it.live("none after the race", () =>
      Effect.gen(function*() {
        const win = Effect.delay(Effect.succeed("win"), 100)
        const after = Effect.zipRight(StaggeredRace.race([win, hanging], { delay: 250 }), Effect.delay(Effect.void, 50))
        const { samples } = yield* observe(after, { sampleAt: [99, 120, 151] })
        deepStrictEqual(samples, [2, 1, 0])
      }))
  })

  describe("4. candidates are pulled one at a time, when they start", () => {
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
  })

  describe("5. the first success decides", () => {
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
  })

  describe("6. once decided, every running attempt is interrupted, all at the same time", () => {
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
        const { left } = yield* observe(Effect.scoped(Effect.ensuring(race, Effect.sync(() => log.push("raced")))))
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
        yield* observe(Effect.scoped(Effect.zipRight(race, Effect.sleep(1000))))
        deepStrictEqual(log, ["acquire a", "acquire b", "cleaned up", "release a @520", "release b @1020"])
      }))

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
  })

  describe("7. a late success changes nothing, and its resources are released once", () => {
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

  describe("8. losers leave nothing behind", () => {
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
  })

  describe("9. all failed: the failures in candidate order", () => {
    const race = (rows: ReadonlyArray<Row>, options: Options) =>
      Effect.map(
        observe(StaggeredRace.race(rows.map((row, index) => candidate(row, index, transcript())), options)),
        ({ endedAt, exit }) => `${failed(exit)} @${endedAt}`
      )

    it.live("sequential where an attempt began after all earlier ones had ended", () =>
      Effect.gen(function*() {
        strictEqual(yield* race([fail(10)], { delay: 250 }), "0 @10")
        strictEqual(yield* race([fail(10), fail(10)], { delay: 250 }), "(0;1) @20")
        strictEqual(yield* race([fail(0), fail(0), fail(0)], { delay: 0 }), "((0;1);2) @0")
      }))

    it.live("parallel where they overlapped", () =>
      Effect.gen(function*() {
        strictEqual(yield* race([fail(300), fail(10)], { delay: 250 }), "(0|1) @300")
        strictEqual(yield* race([fail(300), fail(10), fail(10), fail(300)], { delay: 250 }), "((0|1)|(2|3)) @570")
        strictEqual(yield* race([fail(5), fail(300), fail(10), fail(100)], { delay: 250 }), "(0;((1|2)|3)) @365")
      }))

    it.live("no empty leaves", () =>
      Effect.gen(function*() {
        const interrupted = Effect.flatMap(Effect.fork(Effect.never), (fiber) =>
          Effect.zipRight(Fiber.interrupt(fiber), Fiber.join(fiber)))
        const list = [Effect.fail("a"), Effect.failCause(Cause.empty), interrupted, Effect.fail("b")]
        strictEqual(failed(yield* Effect.exit(StaggeredRace.race(list, { delay: forever }))), "((a;^);b)")
        strictEqual(
          failed(yield* Effect.exit(StaggeredRace.race([Effect.failCause(Cause.empty)], { delay: 1 }))),
          "empty"
        )
      }))
  })

  describe("10. defects and an attempt's own interruption count as failures", () => {
    it.live("and stay in the cause", () =>
      Effect.gen(function*() {
        const rows: ReadonlyArray<Row> = [die(10), { result: "interrupt", latency: 10 }, fail(10)]
        const list = rows.map((row, index) => candidate(row, index, transcript()))
        const { endedAt, exit } = yield* observe(StaggeredRace.race(list, { delay: 250 }))
        strictEqual(`${failed(exit)} @${endedAt}`, "((!0;^);2) @30")
        deepStrictEqual((yield* play([...rows, ok(1)], { delay: 250 })).results, ["failed", "failed", "failed", "won"])
      }))

    it.live("`fatal` can end the race on them", () =>
      Effect.gen(function*() {
        const options: Options = { delay: 100, fatal: Cause.isDie }
        const seen = yield* play([hang({ cleanup: 30 }), fail(10), die(50), ok(1)], options)
        deepStrictEqual(seen.results, ["lost", "failed", "failed"])
        strictEqual(seen.outcome?.decidedBy, "fatal")
        strictEqual(seen.at, 190)
        const list = [hang(), fail(10), die(50), ok(1)].map((row, index) => candidate(row, index, transcript()))
        const { exit } = yield* observe(StaggeredRace.race(list, options))
        strictEqual(failed(exit), "(1|!2)")
      }))

    it.live("a `fatal` that throws is fatal, and is in the cause", () =>
      Effect.gen(function*() {
        const fatal = () => {
          throw "oops"
        }
        strictEqual(
          failed(yield* Effect.exit(StaggeredRace.race([Effect.fail("a"), Effect.succeed(1)], { delay: 1, fatal }))),
          "(a;!oops)"
        )
      }))
  })

  describe("11. the caller's interruption", () => {
    it.live("interrupts every attempt, starts nothing more and waits for all", () =>
      Effect.gen(function*() {
        const cut = yield* play([hang({ cleanup: 300 }), hang({ cleanup: 300 }), ok(1)], { delay: 250 }, 499)
        deepStrictEqual(byIndex(cut.ended), [[0, "interrupted", 799], [1, "interrupted", 799]])
        strictEqual(cut.winner, "interrupted")
        strictEqual(cut.at, 799)
      }))

    it.live("waits for all also where losers are left to the background", () =>
      Effect.gen(function*() {
        const cut = yield* play([hang({ cleanup: 300 })], { delay: 250, losers: "background" }, 100)
        strictEqual(cut.at, 400)
      }))

    it.live("is not swallowed while losers clean up after a win, and the winner's resources are released too", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = [hang({ cleanup: 300 }), ok(100)].map((row, index) => scopedCandidate(row, index, seen))
        const race = Effect.scoped(Effect.zipRight(
          Effect.onExit(StaggeredRace.race(list, { delay: 10 }), () => Effect.sync(() => seen.resources.push("raced"))),
          Effect.sleep(1000)
        ))
        const { endedAt, exit } = yield* observe(race, { interruptAt: 200 })
        strictEqual(Exit.isInterrupted(exit), true)
        strictEqual(endedAt, 410)
        deepStrictEqual(seen.resources, ["+0@0", "+1@10", "-0@410", "-1@410", "raced"])
      }))

    it.live("a timeout is one", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = [hang({ cleanup: 50 }), hang()].map((row, index) => candidate(row, index, seen))
        const { endedAt, exit } = yield* observe(Effect.timeout(StaggeredRace.race(list, { delay: 100 }), 150))
        deepStrictEqual(messages(exit).map(String), ["TimeoutException: Operation timed out after '150ms'"])
        strictEqual(endedAt, 200)
      }))

    it.live("before anything has begun, nothing starts", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const race = StaggeredRace.race([candidate(hang(), 0, seen)], { delay: 100 })
        yield* observe(Effect.zipRight(Effect.interrupt, race))
        deepStrictEqual(seen.started, [])
      }))
  })

  it.live("12. attempts are interruptible also when the race stands in an uninterruptible region", () =>
    Effect.gen(function*() {
      const list = [hang(), ok(100)].map((row, index) => candidate(row, index, transcript()))
      const { endedAt, exit } = yield* observe(Effect.uninterruptible(StaggeredRace.race(list, { delay: 10 })))
      deepStrictEqual(exit, Exit.succeed("value 1"))
      strictEqual(endedAt, 110)
    }))

  it.live("13. the winner's FiberRef changes reach the caller; nobody else's do", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("before")
      const set = (value: string) => FiberRef.set(ref, value)
      const race = StaggeredRace.race([
        Effect.zipRight(set("failed"), Effect.fail("no")),
        Effect.onInterrupt(Effect.zipRight(set("lost"), Effect.never), () => set("cleaned up")),
        Effect.zipRight(Effect.sleep(10), set("won"))
      ], { delay: 10 })
      const { exit } = yield* observe(Effect.scoped(
        Effect.zipRight(
          race,
          Effect.all([FiberRef.get(ref), StaggeredRace.CurrentAttempt, Effect.scope])
        ).pipe(Effect.zipWith(Effect.scope, ([value, attempt, scope], outer) => [value, attempt, scope === outer]))
      ))
      deepStrictEqual(exit, Exit.succeed(["won", Option.none(), true]))
      const none = Effect.zipRight(
        Effect.exit(StaggeredRace.race([Effect.zipRight(set("failed"), Effect.fail("no"))], { delay: 10 })),
        FiberRef.get(ref)
      )
      strictEqual(yield* none, "before")
    }))

  describe("14. a source that throws ends the source, not the race", () => {
    function* broken(...rows: ReadonlyArray<Row>) {
      for (const [index, row] of rows.entries()) {
        yield candidate(row, index, transcript())
      }
      throw "broken"
    }
    const broke = (rows: ReadonlyArray<Row>, delay: number) =>
      Effect.map(observe(StaggeredRace.race(broken(...rows), { delay })), ({ endedAt, exit, left }) => {
        deepStrictEqual(left, nothing)
        return `${failed(exit)} @${endedAt}`
      })

    it.live("running attempts go on, and a win is a win", () =>
      Effect.gen(function*() {
        strictEqual(yield* broke([ok(500)], 100), "succeeded @500")
        const { exit } = yield* observe(StaggeredRace.outcome(broken(ok(500)), { delay: 100 }))
        const { sourceFailure, winner } = yield* exit
        deepStrictEqual([Option.isSome(winner), sourceFailure], [true, Option.some(Cause.die("broken"))])
      }))

    it.live("otherwise its failure stands beside the attempts'", () =>
      Effect.gen(function*() {
        strictEqual(yield* broke([fail(500), fail(300)], 100), "((0|1)|!broken) @500")
        strictEqual(yield* broke([], 100), "!broken @0")
        const thrown: Iterable<Effect.Effect<number>> = {
          [Symbol.iterator]: () => {
            throw "no iterator"
          }
        }
        strictEqual(failed(yield* Effect.exit(StaggeredRace.race(thrown, { delay: 1 }))), "!no iterator")
      }))

    it.live("a stream that fails does the same, with its own type of error", () =>
      Effect.gen(function*() {
        const stream = Stream.concat(Stream.make(candidate(fail(50), 0, transcript())), Stream.fail("gone"))
        const { endedAt, exit } = yield* observe(StaggeredRace.raceStream(stream, { delay: 10 }))
        strictEqual(`${failed(exit)} @${endedAt}`, "(0|gone) @50")
        const outcome = yield* (yield* observe(StaggeredRace.outcomeStream(stream, { delay: 10 }))).exit
        deepStrictEqual(outcome.sourceFailure, Option.some(Cause.fail("gone")))
      }))
  })

  describe("15. a stream that is slow never blocks", () => {
    const slow = (log: Array<string>, rows: ReadonlyArray<readonly [after: number, row: Row]>) => {
      const seen = transcript()
      return {
        seen,
        stream: Stream.fromIterable(rows.map(([after, row], index) => [after, candidate(row, index, seen)] as const))
          .pipe(
            Stream.rechunk(1),
            Stream.mapEffect(([after, effect]) => Effect.as(Effect.sleep(after), effect)),
            Stream.ensuring(Effect.map(Clock.currentTimeMillis, (at) => log.push(`finalized @${at}`)))
          )
      }
    }

    it.live("a due candidate starts as it arrives, and running attempts can win meanwhile", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const { seen, stream } = slow(log, [[0, ok(1000)], [400, hang()], [5000, hang()]])
        const { endedAt, exit, left } = yield* observe(StaggeredRace.outcomeStream(stream, { delay: 250 }))
        deepStrictEqual(left, nothing)
        deepStrictEqual(seen.started, [[0, 0], [1, 650]])
        strictEqual(endedAt, 1000)
        strictEqual(Option.getOrThrow((yield* exit).winner).index, 0)
        deepStrictEqual(log, ["finalized @1000"])
      }))

    it.live("it is finalized when the caller interrupts", () =>
      Effect.gen(function*() {
        const log: Array<string> = []
        const { seen, stream } = slow(log, [[100, ok(1000)], [400, hang()]])
        const { left } = yield* observe(StaggeredRace.raceStream(stream, { delay: 250 }), { interruptAt: 50 })
        deepStrictEqual([left, seen.started, log], [nothing, [], ["finalized @50"]])
      }))

    it.live("all have failed, and it has not ended: the race waits for what it still gives", () =>
      Effect.gen(function*() {
        const { seen, stream } = slow([], [[0, fail(10)], [400, ok(10)]])
        const { endedAt } = yield* observe(StaggeredRace.raceStream(stream, { delay: 250 }))
        deepStrictEqual([seen.started, endedAt], [[[0, 0], [1, 410]], 420])
      }))

    it.live("elements of one chunk are pulled one at a time as well", () =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = [hang(), hang(), ok(10), hang()].map((row, index) => candidate(row, index, seen))
        yield* observe(StaggeredRace.raceStream(Stream.fromIterable(list), { delay: 100 }))
        deepStrictEqual(seen.started, [[0, 0], [1, 100], [2, 200]])
      }))

    it.live("what fails in its finalizer is in the outcome", () =>
      Effect.gen(function*() {
        const stream = Stream.ensuring(Stream.make(Effect.succeed(1)), Effect.die("dirty"))
        strictEqual(yield* StaggeredRace.raceStream(stream, { delay: 10 }), 1)
        const outcome = yield* StaggeredRace.outcomeStream(stream, { delay: 10 })
        strictEqual(failed(Exit.failCause(Option.getOrThrow(outcome.sourceFailure))), "!dirty")
      }))
  })

  it.live("16. no candidates: `race` dies with an IllegalArgumentException, `outcome` reports no attempts", () =>
    Effect.gen(function*() {
      const none: ReadonlyArray<Effect.Effect<number>> = []
      const exits = yield* Effect.forEach([
        StaggeredRace.race(none, { delay: 1 }),
        StaggeredRace.raceStream(Stream.fromIterable(none), { delay: 1 })
      ], Effect.exit)
      for (const exit of exits) {
        const defect = Exit.isFailure(exit) ? Option.getOrThrow(Cause.dieOption(exit.cause)) : undefined
        assertTrue(Cause.isIllegalArgumentException(defect))
        strictEqual((defect as Error).message, "StaggeredRace: there are no candidates to race")
      }
      const { attempts, decidedBy, winner } = yield* StaggeredRace.outcome(none, { delay: 1 })
      deepStrictEqual([attempts, winner, decidedBy], [[], Option.none(), "failures"])
    }))

  describe("17. options that make no sense die with a message that names the option and the value", () => {
    const cases: ReadonlyArray<readonly [options: Record<string, unknown>, message: string]> = [
      [{ delay: -1 }, "option \"delay\" must be a duration of zero or more, got -1"],
      [{ delay: NaN }, "option \"delay\" must be a duration of zero or more, got NaN"],
      [{ delay: -5n }, "option \"delay\" must be a duration of zero or more, got -5"],
      [{ delay: "-5 millis" }, "option \"delay\" must be a duration of zero or more, got \"-5 millis\""],
      [{ delay: "soon" }, "option \"delay\" must be a duration of zero or more, got \"soon\""],
      [{ delay: [1, -5] }, "option \"delay\" must be a duration of zero or more, got [1,-5]"],
      [{}, "option \"delay\" is required: a duration of zero or more, or a schedule"],
      [{ delay: 1, minDelay: -1 }, "option \"minDelay\" must be a duration of zero or more, got -1"],
      [{ delay: 1, minDelay: forever }, "option \"minDelay\" must be finite, got Duration(Infinity)"],
      [
        { delay: 1, concurrency: 0 },
        "option \"concurrency\" must be \"unbounded\" or a whole number of at least 1, got 0"
      ],
      [
        { delay: 1, concurrency: NaN },
        "option \"concurrency\" must be \"unbounded\" or a whole number of at least 1, got NaN"
      ],
      [
        { delay: 1, concurrency: 1.5 },
        "option \"concurrency\" must be \"unbounded\" or a whole number of at least 1, got 1.5"
      ],
      [{ delay: 1, losers: "drop" }, "option \"losers\" must be \"await\" or \"background\", got \"drop\""],
      [{ delay: 1, fatal: true }, "option \"fatal\" must be a function, got true"],
      [{ delay: 1, onEvent: "log" }, "option \"onEvent\" must be a function, got \"log\""]
    ]
    it.live.each(cases)("%o", ([options, message]) =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(
          StaggeredRace.race([Effect.succeed(1)], options as unknown as { readonly delay: 1 })
        )
        const defect = Exit.isFailure(exit) ? Option.getOrThrow(Cause.dieOption(exit.cause)) : undefined
        assertTrue(Cause.isIllegalArgumentException(defect))
        strictEqual((defect as Error).message, `StaggeredRace: ${message}`)
      }))
  })

  it.live("18. a race is a value: it can be run twice, nested, retried and timed out", () =>
    Effect.gen(function*() {
      let runs = 0
      const flaky = Effect.suspend(() => ++runs < 4 ? Effect.fail("again") : Effect.succeed(runs))
      const race = StaggeredRace.race([flaky, Effect.delay(flaky, 10)], { delay: 50 })
      const { exit } = yield* observe(Effect.retry(race, { times: 3 }))
      deepStrictEqual(exit, Exit.succeed(4))
      const nested = StaggeredRace.race([
        StaggeredRace.race([Effect.never, Effect.delay(Effect.succeed("inner"), 100)], { delay: 100 }),
        Effect.delay(Effect.succeed("outer"), 60)
      ], { delay: 100 })
      for (const _ of [1, 2]) {
        const { endedAt, exit, left } = yield* observe(nested)
        deepStrictEqual([endedAt, exit, left], [160, Exit.succeed("outer"), nothing])
      }
      const deep = (depth: number): Effect.Effect<number, string> =>
        depth === 0
          ? Effect.succeed(0)
          : StaggeredRace.race([Effect.fail("no"), Effect.suspend(() => deep(depth - 1))], { delay: 100 })
      strictEqual(yield* deep(5000), 0)
    }))

  it.live("18. also on a scheduler that runs what it is given at once", () =>
    Effect.gen(function*() {
      const atOnce: Scheduler.Scheduler = { shouldYield: () => false, scheduleTask: (task) => task() }
      const gate = yield* Deferred.make<void>()
      const race = StaggeredRace.race([
        Effect.as(Deferred.await(gate), "woken by the second while that is being started"),
        Effect.zipRight(Deferred.succeed(gate, void 0), Effect.never)
      ], { delay: 0 })
      const won = yield* Effect.withScheduler(race, atOnce).pipe(Effect.timeout("5 seconds"))
      strictEqual(won, "woken by the second while that is being started")
    }))

  it.live("19. an attempt's early failure logs nothing as unhandled", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => logged.push(message))
      yield* observe(
        StaggeredRace.race(
          [fail(10), die(10), hang(), ok(50)].map((row, index) => candidate(row, index, transcript())),
          { delay: 20 }
        ).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Logger.withMinimumLogLevel(LogLevel.All)
        )
      )
      deepStrictEqual(logged, [])
    }))

  describe("20. `onEvent` tells what happens, in order", () => {
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

    it.live("a handler that fails, dies, throws or interrupts does not change the race", () =>
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

    it.live("a slow handler holds nothing up, and still hears of all in order", () =>
      Effect.gen(function*() {
        const heard: Array<string> = []
        const onEvent = ({ _tag }: StaggeredRace.RaceEvent<string, Boom>) =>
          Effect.zipRight(Effect.sleep(100), Effect.sync(() => heard.push(_tag)))
        const seen = yield* play([fail(10), ok(50)], { delay: 20, onEvent })
        strictEqual(seen.at, 60)
        deepStrictEqual(heard, ["Started", "Failed", "Started", "Won", "Decided"])
      }))

    it.live("a handler that interrupts the caller ends the race", () =>
      Effect.gen(function*() {
        const caller = yield* Deferred.make<Fiber.RuntimeFiber<unknown, unknown>>()
        const seen = transcript()
        const onEvent = ({ _tag }: StaggeredRace.RaceEvent<string, Boom>) =>
          _tag === "Failed" ? Effect.flatMap(Deferred.await(caller), Fiber.interruptFork) : Effect.void
        const list = [fail(10), ok(50)].map((row, index) => candidate(row, index, seen))
        const { exit, left } = yield* observe(Effect.flatMap(
          Effect.fork(StaggeredRace.race(list, { delay: 20, onEvent })),
          (fiber) => Effect.zipRight(Deferred.succeed(caller, fiber), Fiber.await(fiber))
        ))
        deepStrictEqual(left, nothing)
        assertTrue(Exit.isInterrupted(Exit.flatten(exit)))
        deepStrictEqual(seen.started, [[0, 0]])
      }))
  })
})

describe("minDelay", () => {
  it.live("holds after a failure although a schedule says more", () =>
    Effect.gen(function*() {
      const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(5), 200))
      const seen = yield* play([fail(1), ok(1)], { delay, minDelay: 10 })
      deepStrictEqual(seen.starts, [0, 10])
    }))

  it.live("is the least gap between two starts, also after a failure", () =>
    Effect.zipRight(
      scenario([fail(1), fail(1), fail(30), ok(1)], { delay: 250, minDelay: 10 }, {
        winner: 3,
        at: 51,
        starts: [0, 10, 20, 50]
      }),
      scenario([hang(), hang(), ok(5)], { delay: 2, minDelay: 10 }, { winner: 2, at: 25, starts: [0, 10, 20] })
    ))
})

describe("concurrency", () => {
  it.live("a start that is due waits until an attempt ends", () =>
    scenario([fail(300), hang(), fail(50), ok(10)], { delay: 100, concurrency: 2 }, {
      winner: 3,
      at: 360,
      starts: [0, 100, 300, 350],
      by: ["first", "delay", "delay", "failure"]
    }))

  it.live("is never exceeded, and all are tried", () =>
    Effect.gen(function*() {
      let running = 0
      let most = 0
      const one = (index: number) =>
        Effect.acquireUseRelease(
          Effect.sync(() => most = Math.max(most, ++running)),
          () => Effect.zipRight(Effect.sleep(20), index === 8 ? Effect.succeed(index) : Effect.fail(index)),
          () => Effect.sync(() => running--)
        )
      const { exit } = yield* observe(
        StaggeredRace.race(Array.from({ length: 9 }, (_, index) => one(index)), { delay: 1, concurrency: 3 })
      )
      deepStrictEqual([exit, most], [Exit.succeed(8), 3])
    }))

  it.live("a slot that frees before the delay has passed starts nothing", () =>
    scenario([fail(50), hang(), ok(10)], { delay: 40, concurrency: 2 }, { winner: 2, at: 90, starts: [0, 40, 80] }))
})

describe("CurrentAttempt", () => {
  const progressing = (after: number, by: number, row: Row, index: number, seen = transcript()) =>
    Effect.zipRight(
      Effect.forkDaemon(Effect.delay(
        Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => Option.getOrThrow(attempt).progress(by)),
        after
      )),
      candidate(row, index, seen)
    )

  it.live("is the index inside an attempt, and none outside", () =>
    Effect.gen(function*() {
      const index = Effect.map(StaggeredRace.CurrentAttempt, Option.map(({ index }) => index))
      deepStrictEqual(yield* index, Option.none())
      const same = Effect.flatMap(index, (found) =>
        Option.contains(found, 2) ? Effect.succeed("third") : Effect.fail(found))
      strictEqual(yield* StaggeredRace.race([same, same, same], { delay: 10 }), "third")
      const inner = StaggeredRace.race([Effect.fail("no"), index], { delay: 10 })
      deepStrictEqual(yield* StaggeredRace.race([inner], { delay: 10 }), Option.some(1))
    }))

  const starts = (first: (seen: ReturnType<typeof transcript>) => Effect.Effect<string, Boom>) =>
    Effect.gen(function*() {
      const seen = transcript()
      const list = [first(seen), candidate(hang(), 1, seen), candidate(hang(), 2, seen)]
      yield* observe(StaggeredRace.race(list, { delay: 250 }), { interruptAt: 3000 })
      return seen.started.map(([, at]) => at)
    })

  it.live("progress holds the next start back, counted from the report", () =>
    Effect.gen(function*() {
      deepStrictEqual(yield* starts((seen) => progressing(100, 300, hang(), 0, seen)), [0, 400, 650])
    }))

  it.live("progress never brings the next start forward", () =>
    Effect.gen(function*() {
      deepStrictEqual(yield* starts((seen) => progressing(100, 10, hang(), 0, seen)), [0, 250, 500])
    }))

  it.live("a failure after progress still starts the next at once", () =>
    Effect.gen(function*() {
      deepStrictEqual(yield* starts((seen) => progressing(100, 300, fail(200), 0, seen)), [0, 200, 450])
    }))

  it.live("only the newest attempt can, and only while it runs", () =>
    Effect.gen(function*() {
      deepStrictEqual(yield* starts((seen) => progressing(300, 900, hang(), 0, seen)), [0, 250, 500])
      deepStrictEqual(yield* starts((seen) => progressing(240, 900, fail(230), 0, seen)), [0, 230, 480])
    }))

  it.live("progress counts also while a schedule is slow to answer", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(100), 200))
      const list = [progressing(50, 1000, hang(), 0, seen), candidate(hang(), 1, seen)]
      yield* observe(StaggeredRace.race(list, { delay }), { interruptAt: 3000 })
      deepStrictEqual(seen.started, [[0, 0], [1, 1050]])
    }))

  it.live("progress of no sensible length dies and names the value", () =>
    Effect.gen(function*() {
      const report = Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => Option.getOrThrow(attempt).progress(-1))
      const exit = yield* Effect.exit(StaggeredRace.race([report], { delay: 1 }))
      strictEqual(
        failed(exit),
        "!IllegalArgumentException: StaggeredRace: option \"progress\" must be a duration of zero or more, got -1"
      )
    }))
})

describe("a schedule", () => {
  it.live("that dies ends the race with its defect, and leaves nothing", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const delay = Schedule.addDelay(Schedule.recurs(3), (): number => {
        throw "no delay"
      })
      const list = [hang({ cleanup: 20 })].map((row, index) => candidate(row, index, seen))
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

  it.live("that is slow to answer never blocks", () =>
    Effect.gen(function*() {
      const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(1000), 10))
      const seen = yield* play([ok(100), hang()], { delay })
      deepStrictEqual([seen.winner, seen.at], [0, 100])
      const failing = yield* play([fail(100), ok(100)], { delay })
      deepStrictEqual([failing.winner, failing.starts], [1, [0, 100]])
    }))
})
