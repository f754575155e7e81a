import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Race } from "../support/model.js"
import { predict } from "../support/model.js"
import type { Row } from "../support/scenario.js"
import { candidate, nothing, observe, transcript } from "../support/scenario.js"

// No two things happen at the same instant: which of two sleepers a `TestClock` wakes first is its own affair, and the
// laws have tests for the ties that matter. Whatever is not a multiple of the unit is a power of two of its own, and no
// two sums of those are equal.
const unit = 2 ** 12
const tick = (index: number) => 2 ** index

const row = FastCheck.record({
  result: FastCheck.constantFrom<Row["result"]>("ok", "fail", "fail", "fail", "hang", "die", "interrupt"),
  units: FastCheck.integer({ min: 0, max: 40 }),
  suspends: FastCheck.boolean(),
  cleanup: FastCheck.constantFrom(0, 0, 1, 30).map((units) => units * unit),
  stubborn: FastCheck.boolean()
})

const race: FastCheck.Arbitrary<Race> = FastCheck.record({
  rows: FastCheck.array(row, { maxLength: 10 }),
  delays: FastCheck.oneof(
    FastCheck.constantFrom(0, 1, 5, 10, 25).map((units) => Array<number>(10).fill(units * unit)),
    FastCheck.array(FastCheck.constantFrom(0, 1, 3, 10, 40).map((units) => units * unit), { maxLength: 10 })
  ),
  minDelay: FastCheck.constantFrom(0, 0, 1, 6).map((units) => units * unit),
  concurrency: FastCheck.constantFrom(Infinity, Infinity, 1, 2, 3),
  fatal: FastCheck.boolean(),
  sized: FastCheck.boolean(),
  interruptUnits: FastCheck.option(FastCheck.integer({ min: 0, max: 100 }))
}).map(({ interruptUnits, rows, ...race }) => {
  const hangs = rows.some(({ result }) => result === "hang")
  const interruptAt = interruptUnits === null ? (hangs ? 1000 * unit : null) : interruptUnits * unit
  return {
    ...race,
    interruptAt: interruptAt === null ? null : interruptAt + tick(11),
    rows: rows.map(({ cleanup, result, stubborn, suspends, units }, index) => ({
      result,
      latency: result === "hang" ? null : suspends || result === "interrupt" ? units * unit + tick(index) : 0,
      ...(stubborn && result !== "hang" ? { stubborn } : cleanup > 0 ? { cleanup } : {})
    }))
  }
})

/** A schedule that says each of these delays in turn, and is done after the last. */
const inTurn = (delays: ReadonlyArray<number>) =>
  Schedule.addDelay(
    Schedule.whileOutput(Schedule.forever, (step) => step < delays.length),
    (step) => delays[step] ?? 0
  )

const options = ({ concurrency, delays, fatal, minDelay }: Race) => {
  const constant = delays.length === 10 && delays.every((delay) => delay === delays[0])
  return {
    delay: constant ? delays[0]! : inTurn(delays),
    minDelay,
    concurrency,
    fatal: (cause: Cause.Cause<unknown>) => fatal && Cause.isDie(cause)
  }
}

const watch = (given: Race, byHand: boolean) =>
  Effect.gen(function*() {
    const seen = transcript()
    const list = given.rows.map((row, index) => candidate(row, index, seen))
    const outcome = given.sized
      ? StaggeredRace.outcome(list, options(given))
      : StaggeredRace.outcomeStream(Stream.fromIterable(list), options(given))
    const started: Array<readonly [number, StaggeredRace.StartedBy, number, number]> = []
    const { endedAt, exit, left } = yield* observe(outcome, { byHand, interruptAt: given.interruptAt })
    deepStrictEqual(left, nothing)
    if (Exit.isSuccess(exit)) {
      started.push(
        ...exit.value.attempts.map(({ dueAt, index, startedAt, startedBy }) =>
          [index, startedBy, startedAt, dueAt] as const
        )
      )
    }
    return {
      winner: Exit.isSuccess(exit) ? Option.getOrNull(Option.map(exit.value.winner, ({ index }) => index)) : null,
      interrupted: Exit.isInterrupted(exit),
      endedAt,
      pending: Exit.isSuccess(exit) ? Option.getOrNull(Option.map(exit.value.pending, ({ dueAt }) => dueAt)) : null,
      started: Exit.isSuccess(exit) ? started : seen.started.map(([index, at]) => [index, "?", at, "?"] as const),
      ended: seen.ended.sort(([left], [right]) => left - right)
    }
  })

const agrees = (given: Race, byHand: boolean) =>
  Effect.map(watch(given, byHand), (seen) => {
    const expected = predict(given)
    deepStrictEqual(seen as unknown, {
      ...expected,
      started: expected.interrupted ? expected.started.map(([index, , at]) => [index, "?", at, "?"]) : expected.started
    })
  })

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)
const workers = 24
const runsEach = 100

describe("random races", () => {
  it.live(`end as the model says (${workers * runsEach} of them, SEED=${seed})`, () => {
    console.log(`random races: SEED=${seed}`)
    return Effect.forEach(
      Array.from({ length: workers }, (_, worker) => worker),
      (worker) =>
        Effect.promise(() =>
          FastCheck.assert(
            FastCheck.asyncProperty(
              race,
              FastCheck.boolean(),
              (given, byHand) => Effect.runPromise(agrees(given, byHand))
            ),
            { numRuns: runsEach, seed: seed + worker, interruptAfterTimeLimit: 120_000 }
          )
        ),
      { concurrency: "unbounded", discard: true }
    )
  }, 240_000)
})
