import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents, type RunOptions } from "../support/eventClock.js"
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
  transcript
} from "../support/scenario.js"

describe.concurrent("15. A Stream source that is slow never blocks, and is interrupted when the race is decided", () => {
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
      const list = candidates([hang(), hang(), ok(10), hang()], seen)
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

  it.live("a stream is finalized when its last pull has ended, not before", () =>
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

  it.live("a stream that is interrupted by the end of the race has not failed", () =>
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

  describe("it is finalized with the race's own exit, after the losers have ended", () => {
    /** A stream that holds a pool. Each loser logs whether the pool is still open when it cleans up. */
    const pooled = (log: Array<string>, rows: ReadonlyArray<Row>, after: Stream.Stream<never, string> = Stream.never) =>
      Stream.unwrapScoped(Effect.gen(function*() {
        let isOpen = true
        const tell = (what: string) => Effect.map(Clock.currentTimeMillis, (at) => log.push(`${what} @${at}`))
        yield* Effect.addFinalizer((exit) => {
          isOpen = false
          return tell(`closed: ${how(exit)}`)
        })
        const using = (effect: Effect.Effect<string, Boom>, index: number) =>
          Effect.onInterrupt(
            effect,
            () => Effect.suspend(() => tell(`${index} ${isOpen ? "used it" : "found it closed"}`))
          )
        return Stream.concat(Stream.fromIterable(candidates(rows).map(using)), after)
      }))

    const racing = (
      rows: ReadonlyArray<Row>,
      options: Partial<Options> = {},
      run: RunOptions = {},
      after?: Stream.Stream<never, string>
    ) => {
      const log: Array<string> = []
      const race = StaggeredRace.raceStream(pooled(log, rows, after), { delay: 10, ...options })
      const returned = Effect.map(Clock.currentTimeMillis, (at) => log.push(`returned @${at}`))
      const { left } = runEvents(Effect.scoped(Effect.ensuring(race, returned)), run)
      deepStrictEqual(left, nothing)
      return log
    }
    const two = [hang({ cleanup: 50 }), ok(100)]

    it("after a win it is a success", () =>
      deepStrictEqual(racing(two), ["0 used it @160", "closed: succeeded @160", "returned @160"]))

    it("in the background as well", () =>
      deepStrictEqual(racing(two, { losers: "background" }), [
        "returned @110",
        "0 used it @160",
        "closed: succeeded @160"
      ]))

    describe.each(["await", "background"] as const)(
      "and after the winner's children have ended (losers: %s)",
      (losers) => {
        const racing = <R>(log: Array<string>, before: Effect.Effect<void, never, R>) => {
          const child = Effect.onInterrupt(
            Effect.never,
            () => Effect.zipRight(Effect.sleep(50), Effect.sync(() => log.push("used it")))
          )
          const winner = Effect.all([before, Effect.fork(child), Effect.sleep(10)])
          const pool = Effect.acquireRelease(Effect.void, () => Effect.sync(() => log.push("closed")))
          const stream = Stream.unwrapScoped(Effect.as(pool, Stream.concat(Stream.make(winner), Stream.never)))
          return StaggeredRace.raceStream(stream, { delay: 5, losers })
        }
        it.each([
          ["without a scope", (log: Array<string>) => racing(log, Effect.void)],
          [
            "in a scope",
            (log: Array<string>) => Effect.scoped(Effect.zipRight(Effect.scope, racing(log, Effect.void)))
          ],
          [
            "in a scope, and the winner holds something",
            (log: Array<string>) => Effect.scoped(racing(log, Effect.addFinalizer(() => Effect.void)))
          ]
        ])("%s", (_, race) => {
          const log: Array<string> = []
          const { left } = runEvents(race(log))
          deepStrictEqual({ left, log }, { left: nothing, log: ["used it", "closed"] })
        })
      }
    )

    it("what fails in it is in the cause of a race that is interrupted", () => {
      const stream = Stream.ensuring(Stream.concat(Stream.make(Effect.never), Stream.never), Effect.die("dirty"))
      const { exit } = runEvents(StaggeredRace.raceStream(stream, { delay: 10 }), { interruptAt: 30 })
      assertTrue(Exit.isFailure(exit) && Cause.isInterrupted(exit.cause))
      deepStrictEqual(Exit.isFailure(exit) && Chunk.toReadonlyArray(Cause.defects(exit.cause)), ["dirty"])
    })

    it("its end and its finalizer are no failure of the source", () => {
      const heard: Array<string> = []
      const onEvent = ({ _tag }: { readonly _tag: string }) => Effect.sync(() => heard.push(_tag))
      runEvents(StaggeredRace.raceStream(Stream.fromIterable(candidates([fail(10), ok(10)])), { delay: 20, onEvent }))
      runEvents(StaggeredRace.raceStream(Stream.fromIterable(candidates([fail(10)])), { delay: 20, onEvent }))
      deepStrictEqual(heard, ["Started", "Failed", "Started", "Won", "Decided", "Started", "Failed", "Decided"])
    })

    it("a race that has failed is a failure", () =>
      deepStrictEqual(racing([hang({ cleanup: 50 }), fail(100)], { fatal: () => true }), [
        "0 used it @160",
        "closed: failed @160",
        "returned @160"
      ]))

    it("an interrupted race is an interruption: what was begun is rolled back", () => {
      for (const losers of ["await", "background"] as const) {
        deepStrictEqual(racing([hang({ cleanup: 50 }), hang()], { losers }, { interruptAt: 70 }), [
          "1 used it @70",
          "0 used it @120",
          "closed: interrupted @120",
          "returned @120"
        ])
      }
    })

    it("also one that is interrupted while losers clean up after a win", () =>
      deepStrictEqual(racing(two, {}, { interruptAt: 120 }), [
        "0 used it @160",
        "closed: interrupted @160",
        "returned @160"
      ]))

    it("a stream that has ended by itself has closed what it held by itself", () =>
      deepStrictEqual(racing([fail(10), fail(10)], {}, {}, Stream.empty), ["closed: succeeded @20", "returned @20"]))

    it("and one that has failed has seen its own failure", () =>
      assertTrue(racing(two, {}, {}, Stream.fail("gone")).some((line) => line.startsWith("closed: failed"))))

    it("an outcome is a success, and an interruption where it is interrupted", () => {
      const seen = (interruptAt: number | null, rows: ReadonlyArray<Row>) => {
        const log: Array<string> = []
        const options = { delay: 10, fatal: () => true }
        runEvents(StaggeredRace.outcomeStream(pooled(log, rows), options), { interruptAt })
        return log.filter((line) => line.startsWith("closed"))
      }
      deepStrictEqual(seen(null, two), ["closed: succeeded @160"])
      deepStrictEqual(seen(70, two), ["closed: interrupted @120"])
    })

    it("what fails in it has failed with the source, and does not change a win", () => {
      const dirty = (rows: ReadonlyArray<Row>) =>
        Stream.ensuring(Stream.concat(Stream.fromIterable(candidates(rows)), Stream.never), Effect.die("dirty"))
      const options = { delay: 10, fatal: () => true }
      deepStrictEqual(runEvents(StaggeredRace.raceStream(dirty(two), options)).exit, Exit.succeed("value 1"))
      deepStrictEqual(leaves(runEvents(StaggeredRace.raceStream(dirty([fail(10)]), options)).exit), ["0", "!dirty"])
    })
  })

  it("a pull that is under way is interrupted at the decision, and not when the losers have ended", () => {
    const log: Array<string> = []
    const pulling = Effect.onInterrupt(
      Effect.never,
      () => Effect.map(Clock.currentTimeMillis, (at) => log.push(`interrupted @${at}`))
    )
    const stream = Stream.concat(
      Stream.fromIterable(candidates([hang({ cleanup: 500 }), ok(100)])),
      Stream.fromEffect(pulling)
    )
    const { endedAt } = runEvents(StaggeredRace.raceStream(stream, { delay: 10 }))
    deepStrictEqual([log, endedAt], [["interrupted @110"], 610])
  })

  it("in the background, a scope that closes waits for the stream, after the losers", () => {
    const log: Array<string> = []
    const tell = (what: string) => Effect.map(Clock.currentTimeMillis, (at) => log.push(`${what} @${at}`))
    const stream = Stream.ensuring(
      Stream.concat(Stream.fromIterable(candidates([hang({ cleanup: 50 }), ok(100)])), Stream.never),
      Effect.zipRight(Effect.sleep(30), tell("finalized"))
    )
    const race = StaggeredRace.raceStream(stream, { delay: 10, losers: "background" })
    const { left } = runEvents(
      Effect.zipRight(Effect.scoped(Effect.zipRight(race, tell("returned"))), tell("closed"))
    )
    deepStrictEqual([left, log], [nothing, ["returned @110", "finalized @190", "closed @190"]])
  })
})
