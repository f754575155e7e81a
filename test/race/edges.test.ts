import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Row } from "../support/scenario.js"
import type { Boom } from "../support/scenario.js"
import {
  candidate,
  fail,
  failed,
  hang,
  nothing,
  observe,
  ok,
  pass,
  scopedCandidate,
  shape,
  transcript
} from "../support/scenario.js"

const forever = Duration.infinity

const candidates = (rows: ReadonlyArray<Row>, seen = transcript()) =>
  rows.map((row, index) => candidate(row, index, seen))

const how = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit) ? "succeeded" : Cause.isInterruptedOnly(exit.cause) ? "interrupted" : "failed"

/** Two that succeed in the same turn: over these numbers of operations the second is sometimes late. */
const inTheSameTurn = <B, E>(
  run: (candidates: ReadonlyArray<Effect.Effect<string, Boom, Scope.Scope>>) => Effect.Effect<B, E, Scope.Scope>
) =>
  Effect.forEach(Array.from({ length: 69 }, (_, index) => 12 + index), (ops) =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const two = [0, 1].map((index) => Effect.zipLeft(scopedCandidate(ok(0), index, transcript()), pass(gate)))
      const open = Effect.zipRight(Deferred.succeed(gate, void 0), Effect.never)
      return yield* Effect.scoped(run([...two, open])).pipe(Effect.withMaxOpsBeforeYield(ops))
    }))

describe.concurrent("the laws at their edges", () => {
  it.live("4. an iterator is closed once; not at all when it has ended by itself, or has thrown", () =>
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

  it.live("4. the failure of the newest while the next is already being pulled: the delay has started it", () =>
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

  it.live("13. a FiberRef that the winner has not changed is as the caller had it, whatever the others did", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("before")
      const set = (value: string) => FiberRef.set(ref, value)
      const race = StaggeredRace.race([
        Effect.zipRight(set("failed"), Effect.fail("no")),
        Effect.zipRight(set("lost"), Effect.never),
        Effect.delay(Effect.void, 10)
      ], { delay: 10 })
      const { exit } = yield* observe(Effect.zipRight(race, FiberRef.get(ref)))
      deepStrictEqual(exit, Exit.succeed("before"))
    }))

  it.live("13. the winner's FiberRef changes reach the caller of `outcome`", () =>
    Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("before")
      const outcome = StaggeredRace.outcome([FiberRef.set(ref, "won")], { delay: 10 })
      strictEqual(yield* Effect.zipRight(outcome, FiberRef.get(ref)), "won")
    }))

  it.live("2. a schedule's step that is still running at the next start is interrupted, and not waited for", () =>
    Effect.gen(function*() {
      const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(1000), 10))
      const { endedAt, left } = yield* observe(StaggeredRace.race(candidates([fail(100), ok(100)]), { delay }))
      deepStrictEqual([endedAt, left], [200, nothing])
    }))

  it.live("14. a stream that fails, and whose finalizer fails too: both are told", () =>
    Effect.gen(function*() {
      const stream: Stream.Stream<Effect.Effect<number>, string> = Stream.ensuring(
        Stream.fail("gone"),
        Effect.die("dirty")
      )
      const outcome = yield* StaggeredRace.outcomeStream(stream, { delay: 10 })
      strictEqual(shape(Option.getOrThrow(outcome.sourceFailure)), "(gone|!dirty)")
    }))

  it.live("14. a stream that interrupts itself has failed", () =>
    Effect.gen(function*() {
      const stream = Stream.concat(
        Stream.make(Effect.delay(Effect.succeed(1), 50)),
        Stream.fromEffect(Effect.interrupt)
      )
      const { endedAt, exit, left } = yield* observe(
        Effect.timeout(StaggeredRace.outcomeStream(stream, { delay: 10 }), 5000)
      )
      const outcome = yield* exit
      deepStrictEqual([Option.isSome(outcome.winner), endedAt, left], [true, 50, nothing])
      strictEqual(shape(Option.getOrThrow(outcome.sourceFailure)), "^")
      const failing = Stream.concat(Stream.make(Effect.fail("no")), Stream.fromEffect(Effect.interrupt))
      const none = yield* observe(Effect.timeout(StaggeredRace.outcomeStream(failing, { delay: 10 }), 5000))
      deepStrictEqual([Exit.isSuccess(none.exit), none.endedAt], [true, 0])
    }))

  it.live("15. a stream is finalized when its last pull has ended, not before", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const tell = (what: string) => Effect.map(Clock.currentTimeMillis, (at) => log.push(`${what} @${at}`))
      let pulls = 0
      const stream = Stream.fromPull(Effect.as(
        Effect.addFinalizer(() => tell("finalized")),
        Effect.suspend(() =>
          pulls++ === 0
            ? Effect.succeed(Chunk.of(Effect.delay(Effect.succeed(1), 50)))
            : Effect.onExit(Effect.uninterruptible(Effect.delay(Effect.fail(Option.none()), 100)), () => tell("pulled"))
        )
      ))
      yield* observe(StaggeredRace.raceStream(stream, { delay: 10 }))
      deepStrictEqual(log, ["pulled @110", "finalized @110"])
    }))

  it.live("20. a handler that fails, or dies, once still hears of the rest", () =>
    Effect.forEach([Effect.fail("no"), Effect.die("no"), Effect.interrupt], (no) =>
      Effect.gen(function*() {
        const heard: Array<string> = []
        yield* observe(StaggeredRace.race(candidates([fail(10), ok(10)]), {
          delay: 20,
          onEvent: ({ _tag }) => Effect.suspend(() => heard.push(_tag) < 3 ? no : Effect.void)
        }))
        deepStrictEqual(heard, ["Started", "Failed", "Started", "Won", "Decided"])
      })))

  it.live("20. a handler can be timed out", () =>
    Effect.gen(function*() {
      const heard: Array<string> = []
      const onEvent = ({ _tag }: { readonly _tag: string }) =>
        Effect.zipRight(Effect.timeoutOption(Effect.never, 5), Effect.sync(() => heard.push(_tag)))
      const { left } = yield* observe(StaggeredRace.race(candidates([fail(10), ok(10)]), { delay: 20, onEvent }))
      deepStrictEqual([left, heard], [nothing, ["Started", "Failed", "Started", "Won", "Decided"]])
    }))

  it.live("20. a late success is told", () =>
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

  it.live("20. an interruption during the clean-up after a win decides nothing again", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const race = StaggeredRace.race(candidates([hang({ cleanup: 50 }), ok(10)]), {
        delay: 10,
        onEvent: (event) => Effect.sync(() => events.push(`${event._tag} ${"by" in event ? event.by : ""}@${event.at}`))
      })
      yield* observe(race, { interruptAt: 30 })
      deepStrictEqual(events.slice(2), ["Won @20", "Decided success@20", "Lost @70"])
    }))

  it.live("20. a schedule that dies: the race was decided by a defect", () =>
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

  it.live("5. without suspending: the next is not pulled however deep the race is nested", () =>
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

  it.live("3. an infinite delay needs no timer, on any clock", () =>
    Effect.forEach([true, false], (byHand) =>
      Effect.gen(function*() {
        const race = StaggeredRace.race([Effect.never, Effect.never], { delay: forever })
        const { maxSleeps } = yield* observe(race, { byHand, interruptAt: 100 })
        strictEqual(maxSleeps, 0)
      })))

  it.live("3. a Set says how many it has: no timer after the last", () =>
    Effect.gen(function*() {
      const race = StaggeredRace.race(new Set([Effect.never, Effect.zipRight(Effect.void, Effect.never)]), {
        delay: 250
      })
      const { samples } = yield* observe(race, { sampleAt: [0, 249, 250], interruptAt: 2000 })
      deepStrictEqual(samples, [1, 1, 0])
    }))

  it.live("3. a race of which an attempt has failed keeps one timer for all starts, on a clock that is not moved by hand", () =>
    Effect.gen(function*() {
      let made = 0
      const soon = (index: number) =>
        Effect.zipRight(Effect.yieldNow(), index < 9 ? Effect.fail(index) : Effect.succeed(index))
      const race = StaggeredRace.race(Array.from({ length: 10 }, (_, index) => soon(index)), { delay: 250 })
      const { exit } = yield* observe(race, { byHand: false, onSleep: () => made++ })
      deepStrictEqual([exit, made], [Exit.succeed(9), 1])
    }))

  it.live("9. no Empty leaves, also of candidates that fail with some", () =>
    Effect.gen(function*() {
      const { exit } = yield* observe(StaggeredRace.race([
        Effect.failCause(Cause.parallel(Cause.empty, Cause.fail("a"))),
        Effect.failCause(Cause.sequential(Cause.fail("b"), Cause.empty))
      ], { delay: 10 }))
      strictEqual(failed(exit), "(a;b)")
    }))

  it.live("8. an attempt that closes its scope itself closes no other", () =>
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

  it.live("15. a stream that is interrupted by the end of the race has not failed", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const onEvent = ({ _tag }: { readonly _tag: string }) => Effect.sync(() => events.push(_tag))
      const stream = (row: Row) => Stream.concat(Stream.make(candidate(row, 0, transcript())), Stream.never)
      const { exit } = yield* observe(StaggeredRace.outcomeStream(stream(ok(50)), { delay: 10, onEvent }))
      deepStrictEqual((yield* exit).sourceFailure, Option.none())
      deepStrictEqual(events, ["Started", "Won", "Decided"])
      const fatal = yield* observe(StaggeredRace.raceStream(stream(fail(50)), { delay: 10, fatal: () => true }))
      strictEqual(failed(fatal.exit), "0")
    }))

  it.live("18. a race of one candidate, nested deep, does not overflow the stack", () =>
    Effect.gen(function*() {
      const deep = (depth: number): Effect.Effect<number> =>
        depth === 0 ? Effect.succeed(0) : StaggeredRace.race([Effect.suspend(() => deep(depth - 1))], { delay: 100 })
      strictEqual(yield* Effect.timeout(Effect.disconnect(deep(3000)), "20 seconds"), 0)
    }))

  it.live("18. a scope that is first used deep inside of races", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const leaf = Effect.acquireRelease(Effect.sync(() => log.push("+")), () => Effect.sync(() => log.push("-")))
      const deep = (depth: number): Effect.Effect<number, never, Scope.Scope> =>
        depth === 0 ? leaf : StaggeredRace.race([Effect.suspend(() => deep(depth - 1))], { delay: 100 })
      yield* Effect.timeout(Effect.disconnect(Effect.scoped(deep(2000))), "20 seconds")
      deepStrictEqual(log, ["+", "-"])
    }))

  it.live("17. an infinite concurrency is an unbounded one", () =>
    Effect.gen(function*() {
      strictEqual(yield* StaggeredRace.race([Effect.succeed(1)], { delay: 1, concurrency: Infinity }), 1)
    }))

  it.live("18. a schedule's state belongs to one run", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const delay = Schedule.addDelay(Schedule.recurs(1), () => 100)
      const race = StaggeredRace.race(candidates([hang(), hang(), hang()], seen), { delay })
      yield* observe(race, { interruptAt: 1000 })
      yield* observe(race, { interruptAt: 1000 })
      deepStrictEqual(seen.started, [[0, 0], [1, 100], [0, 0], [1, 100]])
    }))

  it.live("20. a handler that fails is logged for those who debug, and for nobody else", () =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ logLevel }) => logged.push(logLevel.label))
      yield* StaggeredRace.race([Effect.succeed(1)], { delay: 1, onEvent: () => Effect.fail("no") }).pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Logger.withMinimumLogLevel(LogLevel.All)
      )
      deepStrictEqual(logged, ["DEBUG", "DEBUG", "DEBUG"])
    }))

  it.live("3. a timer left of an earlier start, which fires too early, is looked at again, on any clock", () =>
    Effect.forEach([true, false], (byHand) =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = candidates([fail(100), hang(), hang(), hang()], seen)
        yield* observe(StaggeredRace.race(list, { delay: 250 }), { byHand, interruptAt: 3000 })
        deepStrictEqual(seen.started, [[0, 0], [1, 100], [2, 350], [3, 600]])
      })))

  it.live("4. while an endless source fails, the timers of the process are heard", () =>
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

  it.live("an attempt that had failed, and was not cleaned up when the race was decided, has lost", () =>
    Effect.gen(function*() {
      const events: Array<string> = []
      const dirty = Effect.zipRight(Effect.addFinalizer(() => Effect.sleep(100)), candidate(fail(10), 0, transcript()))
      const { exit } = yield* observe(Effect.scoped(StaggeredRace.outcome([dirty, Effect.delay(Effect.void, 10)], {
        delay: 20,
        onEvent: (event) => Effect.sync(() => events.push(`${event._tag} @${event.at}`))
      })))
      deepStrictEqual((yield* exit).attempts.map(({ result }) => result), ["lost", "won"])
      deepStrictEqual(events, ["Started @0", "Started @20", "Won @30", "Decided @30", "Lost @110"])
    }))

  it.live("an outcome tells when it began, was decided and ended, and each attempt when it was cleaned up", () =>
    Effect.gen(function*() {
      const slow = (row: Row, index: number) =>
        Effect.zipRight(Effect.addFinalizer(() => Effect.sleep(50)), candidate(row, index, transcript()))
      const race = StaggeredRace.outcome([slow(fail(100), 0), slow(hang(), 1), slow(ok(100), 2)], { delay: 1000 })
      const { exit } = yield* observe(Effect.scoped(Effect.zipRight(Effect.sleep(5), race)), {})
      const { attempts, decidedAt, endedAt, startedAt } = yield* exit
      deepStrictEqual([startedAt, decidedAt, endedAt], [5, 1255, 1305])
      deepStrictEqual(attempts.map(({ endedAt, startedAt }) => [startedAt, endedAt]), [
        [5, 155],
        [155, 1305],
        [1155, 1255]
      ])
    }))

  it.live("an outcome tells since when a start was parked: for a place, by minDelay, by progress, for a slow stream", () =>
    Effect.gen(function*() {
      const due = (race: Effect.Effect<StaggeredRace.Outcome<string, unknown, unknown>>) =>
        Effect.gen(function*() {
          const { attempts, pending } = yield* (yield* observe(race)).exit
          return [
            ...attempts.map(({ dueAt, startedAt }) => [dueAt, startedAt]),
            ...Option.toArray(pending).map(({ dueAt }) => ["pending", dueAt])
          ]
        })
      const four = candidates([hang(), fail(250), ok(60), ok(5)])
      deepStrictEqual(yield* due(StaggeredRace.outcome(four, { delay: 100, concurrency: 2 })), [
        [0, 0],
        [100, 100],
        [200, 350]
        // The third succeeds at 410, before the fourth is due.
      ])
      deepStrictEqual(yield* due(StaggeredRace.outcome(four, { delay: 20, concurrency: 2 })), [
        [0, 0],
        [20, 20],
        [40, 270],
        ["pending", 290]
      ])
      const two = candidates([fail(3), ok(5)])
      deepStrictEqual(yield* due(StaggeredRace.outcome(two, { delay: 100, minDelay: 10 })), [[0, 0], [3, 10]])
      const holding = Effect.zipRight(
        Effect.flatMap(StaggeredRace.CurrentAttempt, (current) => Option.getOrThrow(current).progress(30)),
        Effect.never
      )
      deepStrictEqual(
        yield* due(StaggeredRace.outcome([holding, Effect.succeed("")], { delay: 20 })),
        [[0, 0], [20, 30]]
      )
      const slow = Stream.concat(
        Stream.make(Effect.never),
        Stream.fromEffect(Effect.delay(Effect.succeed(two[1]!), 50))
      )
      deepStrictEqual(yield* due(StaggeredRace.outcomeStream(slow, { delay: 20 })), [[0, 0], [20, 70]])
    }))

  it.live("minDelay is the least gap after a schedule's delay as well", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const options = { delay: Schedule.spaced(2), minDelay: 10 }
      yield* observe(StaggeredRace.race(candidates([hang(), hang(), ok(5)], seen), options))
      deepStrictEqual(seen.started, [[0, 0], [1, 10], [2, 20]])
    }))

  it.live("14. an iterator that gives no result has thrown, and running attempts go on", () =>
    Effect.gen(function*() {
      let pulls = 0
      const broken = {
        [Symbol.iterator]: () => ({
          next: () => pulls++ === 0 ? { done: false, value: Effect.delay(Effect.succeed("first"), 50) } : undefined
        })
      } as unknown as Iterable<Effect.Effect<string>>
      const { exit } = yield* observe(StaggeredRace.outcome(broken, { delay: 10 }))
      const { sourceFailure, winner } = yield* exit
      deepStrictEqual([Option.isSome(winner), Option.isSome(sourceFailure)], [true, true])
    }))

  it.live("what is no effect is an attempt that has failed, and keeps its index", () =>
    Effect.gen(function*() {
      const list = [Effect.fail("no"), undefined, null, Effect.succeed(3)] as unknown as Array<Effect.Effect<number>>
      const { attempts, winner } = yield* StaggeredRace.outcome(list, { delay: 250 })
      deepStrictEqual(winner, Option.some({ index: 3, value: 3 }))
      deepStrictEqual(attempts.map(({ result }) => result), ["failed", "failed", "failed", "won"])
    }))

  it("a race whose 1,024th attempt wins without suspending does not suspend either", () => {
    const list = Array.from({ length: 1024 }, (_, index) => index < 1023 ? Effect.fail(index) : Effect.succeed(index))
    strictEqual(Effect.runSync(StaggeredRace.race(list, { delay: 250 })), 1023)
  })

  it.live("a clock that is set back while a timer sleeps makes no start wait longer", () =>
    Effect.gen(function*() {
      const real = yield* Effect.clock
      let offset = 0
      const clock: Clock.Clock = {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => real.unsafeCurrentTimeMillis() + offset,
        unsafeCurrentTimeNanos: () => real.unsafeCurrentTimeNanos(),
        currentTimeMillis: Effect.sync(() => real.unsafeCurrentTimeMillis() + offset),
        currentTimeNanos: real.currentTimeNanos,
        sleep: (duration) => {
          offset -= 3_600_000
          return real.sleep(duration)
        }
      }
      const race = StaggeredRace.race([Effect.never, Effect.never, Effect.succeed("third")], { delay: 5, minDelay: 3 })
      strictEqual(yield* race.pipe(Effect.withClock(clock), Effect.timeout("5 seconds")), "third")
    }))

  it.live("4. a size that is none, or that grows, loses no candidate", () =>
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

  it.live("a clock that sleeps by moving on at once", () =>
    Effect.gen(function*() {
      let now = 0
      const real = yield* Effect.clock
      const clock: Clock.Clock = {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => now,
        unsafeCurrentTimeNanos: () => BigInt(now) * 1_000_000n,
        currentTimeMillis: Effect.sync(() => now),
        currentTimeNanos: real.currentTimeNanos,
        sleep: (duration) =>
          Effect.sync(() => {
            now += Duration.toMillis(duration)
          })
      }
      const outcome = yield* StaggeredRace.outcome([Effect.never, Effect.never, Effect.succeed(1)], { delay: 250 })
        .pipe(
          Effect.withClock(clock),
          Effect.timeout("2 seconds")
        )
      deepStrictEqual(outcome.attempts.map(({ startedAt }) => startedAt), [0, 250, 500])
    }))

  it.live("8. the finalizers of an attempt run one after the other, the last first, and see how it ended", () =>
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

  it.live("11. a winner that is given up: its finalizers see the interruption, and what fails in them is in the cause", () =>
    Effect.gen(function*() {
      const seen: Array<string> = []
      const won = Effect.zipRight(
        Effect.addFinalizer((exit) => Effect.zipRight(Effect.sync(() => seen.push(how(exit))), Effect.die("dirty"))),
        Effect.void
      )
      const race = Effect.scoped(StaggeredRace.race([candidate(hang({ cleanup: 50 }), 0, transcript()), won], {
        delay: 10
      }))
      const { exit } = yield* observe(race, { interruptAt: 30 })
      deepStrictEqual(seen, ["interrupted"])
      assertTrue(Exit.isFailure(exit) && Cause.isInterrupted(exit.cause))
      deepStrictEqual(Exit.isFailure(exit) && Chunk.toReadonlyArray(Cause.defects(exit.cause)), ["dirty"])
    }))

  it.live("6. losers are interrupted by the caller's fiber", () =>
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

  it.live("the winner's exit is its success, also where the race returns before its fiber has ended", () =>
    inTheSameTurn((list) =>
      Effect.map(StaggeredRace.outcome(list, { delay: 0, losers: "background" }), (outcome) => {
        const { index, value } = Option.getOrThrow(outcome.winner)
        deepStrictEqual(outcome.attempts[index]?.exit, Exit.succeed(value))
      })
    ))

  it.live("9. the same error twice is two failures", () =>
    Effect.gen(function*() {
      const twice = Effect.failCause(Cause.sequential(Cause.fail("a"), Cause.fail("a")))
      strictEqual(failed(yield* Effect.exit(StaggeredRace.race([twice, twice], { delay: 1 }))), "((a;a);(a;a))")
    }))

  it.live("10. `fatal` is not asked about losers", () =>
    Effect.gen(function*() {
      const asked: Array<string> = []
      yield* observe(StaggeredRace.race(candidates([hang(), fail(10), ok(10)]), {
        delay: 20,
        fatal: (cause) => asked.push(shape(cause)) < 0
      }))
      deepStrictEqual(asked, ["1"])
    }))

  it.live("21. an interrupted race of endless failures leaves no timer of the process", () =>
    Effect.gen(function*() {
      const timers = () => process.getActiveResourcesInfo().filter((resource) => resource === "Timeout").length
      function* failures() {
        for (let index = 0; index < 1e6; index++) {
          yield Effect.fail(index)
        }
      }
      const before = timers()
      for (let count = 0; count < 50; count++) {
        const fiber = yield* Effect.fork(StaggeredRace.race(failures(), { delay: 250 }))
        while (timers() === before) {
          yield* Effect.yieldNow()
        }
        yield* Fiber.interrupt(fiber)
        strictEqual(timers(), before)
      }
    }))

  it.live("3. the race returns when its timer is gone, also where a sleep takes a while to be interrupted", () =>
    Effect.gen(function*() {
      const real = yield* Effect.clock
      let pending = 0
      const clock: Clock.Clock = {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        unsafeCurrentTimeMillis: () => 0,
        unsafeCurrentTimeNanos: () => 0n,
        currentTimeMillis: Effect.succeed(0),
        currentTimeNanos: real.currentTimeNanos,
        sleep: () =>
          Effect.acquireUseRelease(
            Effect.sync(() => pending++),
            () => Effect.never,
            () => Effect.zipRight(Effect.repeatN(Effect.yieldNow(), 20), Effect.sync(() => pending--))
          )
      }
      const soon = Effect.repeatN(Effect.yieldNow(), 10)
      yield* Effect.withClock(StaggeredRace.race([soon, Effect.never], { delay: 250 }), clock)
      strictEqual(pending, 0)
    }))

  it.live("3. no timer for the last candidate, nor one that is left of an earlier start, on any clock", () =>
    Effect.forEach([true, false], (byHand) =>
      Effect.gen(function*() {
        const one = yield* observe(StaggeredRace.race([Effect.never], { delay: 250 }), { byHand, interruptAt: 500 })
        strictEqual(one.maxSleeps, 0)
        const failing = Effect.zipRight(Effect.sleep(100), Effect.fail("no"))
        const two = yield* observe(StaggeredRace.race([failing, Effect.never], { delay: 250 }), {
          byHand,
          sampleAt: [99, 101],
          interruptAt: 500
        })
        deepStrictEqual(two.samples, [2, 0])
      })))

  const reports = (after: number, millis: number, row: Row, index: number, seen = transcript()) =>
    Effect.zipRight(
      Effect.forkDaemon(Effect.delay(
        Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => Option.getOrThrow(attempt).progress(millis)),
        after
      )),
      candidate(row, index, seen)
    )

  it.live("CurrentAttempt: progress never brings the next start forward, also when something else ends meanwhile", () =>
    Effect.forEach([true, false], (byHand) =>
      Effect.gen(function*() {
        const seen = transcript()
        const list = [candidate(fail(400), 0, seen), reports(100, 10, hang(), 1, seen), candidate(hang(), 2, seen)]
        yield* observe(StaggeredRace.race(list, { delay: 250 }), { byHand, interruptAt: 3000 })
        deepStrictEqual(seen.started, [[0, 0], [1, 250], [2, 500]])
      })))

  it.live("CurrentAttempt: progress after the end does not put off what the failure has made due", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const list = [reports(20, 900, fail(10), 0, seen), candidate(hang(), 1, seen)]
      yield* observe(StaggeredRace.race(list, { delay: 2000, minDelay: 100 }), { interruptAt: 3000 })
      deepStrictEqual(seen.started, [[0, 0], [1, 100]])
    }))

  it.live("CurrentAttempt: a schedule that answers late does not bring forward what progress has held back", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(50), 100))
      const progressing = Effect.zipRight(
        Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => Option.getOrThrow(attempt).progress(500)),
        candidate(hang(), 0, seen)
      )
      yield* observe(StaggeredRace.race([progressing, candidate(hang(), 1, seen)], { delay }), { interruptAt: 3000 })
      deepStrictEqual(seen.started, [[0, 0], [1, 500]])
    }))

  it.live("2. a schedule that answers after the newest has failed does not put the next start off", () =>
    Effect.gen(function*() {
      const seen = transcript()
      const delay = Schedule.addDelayEffect(Schedule.forever, () => Effect.as(Effect.sleep(20), 500))
      yield* observe(StaggeredRace.race(candidates([fail(10), hang()], seen), { delay, minDelay: 50 }), {
        interruptAt: 3000
      })
      deepStrictEqual(seen.started, [[0, 0], [1, 50]])
    }))
})
