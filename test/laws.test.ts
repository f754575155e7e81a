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
import * as StaggeredRace from "../src/StaggeredRace.js"
import {
  Boom,
  candidate,
  nothing,
  type Observed,
  observe,
  type Row,
  scopedCandidate,
  transcript,
  type Transcript
} from "./support/scenario.js"

type Options = StaggeredRace.Options<string, Boom>

const ok = (latency: number, more: Partial<Row> = {}): Row => ({ result: "ok", latency, ...more })
const fail = (latency: number, more: Partial<Row> = {}): Row => ({ result: "fail", latency, ...more })
const die = (latency: number, more: Partial<Row> = {}): Row => ({ result: "die", latency, ...more })
const hang = (more: Partial<Row> = {}): Row => ({ result: "hang", latency: null, ...more })

interface Seen extends Transcript {
  readonly observed: Observed<StaggeredRace.Outcome<string, Boom>, never>
  readonly outcome: StaggeredRace.Outcome<string, Boom> | undefined
  readonly at: number
}

const play = (rows: Iterable<Row>, options: Options, interruptAt: number | null = null) =>
  Effect.gen(function*() {
    const seen = transcript()
    function* candidates() {
      let index = 0
      for (const row of rows) {
        yield candidate(row, index++, seen)
      }
    }
    const observed = yield* observe(StaggeredRace.outcome({ [Symbol.iterator]: candidates }, options), { interruptAt })
    deepStrictEqual(observed.left, nothing)
    assertTrue(observed.maxSleeps <= 1 + seen.started.length * 2)
    const outcome = Exit.isSuccess(observed.exit) ? observed.exit.value : undefined
    const result: Seen = { ...seen, observed, outcome, at: observed.endedAt }
    return result
  })

const winner = (seen: Seen) =>
  seen.outcome === undefined ? "interrupted" : Option.getOrNull(Option.map(seen.outcome.winner, ({ index }) => index))

const startedBy = (seen: Seen) => seen.outcome?.attempts.map((attempt) => attempt.startedBy)

const results = (seen: Seen) => seen.outcome?.attempts.map((attempt) => attempt.result)

/** Rows of candidates, what must be seen, and the same again with the caller interrupted at each of its instants. */
const scenario = (
  rows: ReadonlyArray<Row>,
  options: Options,
  expected: { readonly winner: number | null; readonly at: number; readonly starts: ReadonlyArray<number> }
) =>
  Effect.gen(function*() {
    const seen = yield* play(rows, options)
    deepStrictEqual(
      { winner: winner(seen), at: seen.at, starts: seen.started.map(([, at]) => at) },
      expected as unknown
    )
    const instants = new Set([...seen.started, ...seen.ended].map((row) => row[row.length - 1] as number))
    for (const interruptAt of [...instants].flatMap((at) => [at - 0.5, at, at + 0.5]).filter((at) => at >= 0)) {
      const cut = yield* play(rows, options, interruptAt)
      if (winner(cut) === "interrupted") {
        deepStrictEqual(cut.started.filter(([, at]) => at > interruptAt), [])
        strictEqual(cut.started.length, cut.ended.length)
        strictEqual(cut.at, Math.max(interruptAt, ...cut.ended.map(([, , at]) => at)))
      } else {
        deepStrictEqual([cut.started, cut.ended], [seen.started, seen.ended])
        assertTrue(interruptAt >= seen.at)
      }
    }
  })

const errors = <E>(exit: Exit.Exit<unknown, E>) =>
  Exit.isFailure(exit) ? Chunk.toReadonlyArray(Cause.failures(exit.cause)) : []

describe("the laws", () => {
  describe("1. the first candidate starts at once", () => {
    it.live("whatever the delay", () =>
      Effect.forEach([0, 250, Duration.infinity], (delay) =>
        scenario([ok(123)], { delay, minDelay: 10 }, { winner: 0, at: 123, starts: [0] })))
  })

  describe("2. the next candidate starts when the newest attempt has failed or its delay has passed", () => {
    it.live("after the delay: the third wins, the first two are interrupted", () =>
      scenario([ok(1000), ok(1000), ok(200)], { delay: 250 }, { winner: 2, at: 700, starts: [0, 250, 500] }))

    it.live("an early success keeps the third from starting", () =>
      scenario([ok(1000), ok(100), ok(200)], { delay: 250 }, { winner: 1, at: 350, starts: [0, 250] }))

    it.live("at a failure, at once", () =>
      scenario([fail(100), fail(200), hang(), ok(250)], { delay: 250 }, {
        winner: 3,
        at: 800,
        starts: [0, 100, 300, 550]
      }))

    it.live("an older attempt's failure starts nothing", () =>
      scenario([fail(150), hang(), ok(100)], { delay: 100 }, { winner: 2, at: 300, starts: [0, 100, 200] }))

    it.live("the newest's failure starts the next while an older one runs", () =>
      scenario([hang(), fail(10), ok(5)], { delay: 250 }, { winner: 2, at: 265, starts: [0, 250, 260] }))

    it.live("one after the other when the delay is infinite", () =>
      Effect.zipRight(
        scenario([fail(10), fail(20), ok(30)], { delay: Duration.infinity }, { winner: 2, at: 60, starts: [0, 10, 30] }),
        scenario([fail(10), hang(), ok(30)], { delay: Duration.infinity }, { winner: 1, at: 5, starts: [] }).pipe(
          Effect.exit,
          Effect.flatMap((exit) => Effect.sync(() => assertTrue(Exit.isFailure(exit))))
        )
      ).pipe(Effect.timeout("1 second"), Effect.ignore))

    it.live("nothing starts a millisecond too early", () =>
      Effect.gen(function*() {
        for (const [until, starts] of [[249, 1], [250, 2], [499, 2], [500, 3]] as const) {
          const seen = transcript()
          const rows = [hang(), hang(), hang()].map((row, index) => candidate(row, index, seen))
          yield* Effect.fork(observe(StaggeredRace.race(rows, { delay: 250 }), { until })).pipe(
            Effect.zipLeft(Effect.sleep(30))
          )
          strictEqual(seen.started.length, starts)
        }
      }))
  })
})
