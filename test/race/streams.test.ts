import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Row } from "../support/scenario.js"
import { candidate, candidates, fail, failed, hang, nothing, observe, ok, transcript } from "../support/scenario.js"

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
})
