import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Boom, ObserveOptions, Row, Transcript } from "./scenario.js"
import { candidate, candidates, clocks, nothing, observe, ok, pass, scopedCandidate, transcript } from "./scenario.js"

export type Options = StaggeredRace.Options<string, Boom>

/** Runs a race and returns what its candidates saw and what its outcome says. */
export const play = (
  rows: Iterable<Row>,
  options: Options,
  interruptAt: number | null = null,
  clock?: NonNullable<ObserveOptions["clock"]>
) =>
  Effect.gen(function*() {
    const seen = transcript()
    const race = StaggeredRace.outcome(candidates(rows, seen), options)
    const { endedAt, exit, left } = yield* observe(race, { interruptAt, ...(clock && { clock }) })
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

/** Leaves out the outcome: its exits contain fiber ids, which differ from run to run. */
const asSeen = (seen: Effect.Effect.Success<ReturnType<typeof play>>) => ({ ...seen, outcome: undefined })

/**
 * Runs rows of candidates and compares what happens with what is expected, on each clock. Then runs them again for
 * each instant at which something happens, with the caller interrupted just before it, at it, and just after it.
 */
export const scenario = (
  rows: ReadonlyArray<Row>,
  options: Options,
  expected: {
    readonly winner: number | null
    readonly at: number
    readonly starts: ReadonlyArray<number>
    readonly by?: ReadonlyArray<string>
  }
) =>
  Effect.forEach(clocks, (clock) =>
    Effect.gen(function*() {
      const seen = yield* play(rows, options, null, clock)
      const { at, by, starts, winner } = seen
      deepStrictEqual({ winner, at, starts, by }, { by, ...expected })
      const instants = new Set([...starts, ...seen.ended.map(([, , at]) => at)])
      const interruptions = [...instants].flatMap((at) => [at - 0.5, at, at + 0.5]).filter((at) => at >= 0)
      yield* Effect.forEach(interruptions, (interruptAt) =>
        Effect.map(play(rows, options, interruptAt, clock), (cut) => {
          if (cut.winner === "interrupted") {
            deepStrictEqual(cut.started.filter(([, at]) => at > interruptAt), [])
            strictEqual(cut.ended.length, cut.started.length)
            strictEqual(cut.at, Math.max(interruptAt, ...cut.ended.map(([, , at]) => at)))
          } else {
            deepStrictEqual(asSeen(cut), asSeen(seen))
            assertTrue(interruptAt >= at)
          }
        }), { concurrency: "unbounded", discard: true })
    }), { concurrency: "unbounded", discard: true })

export const byIndex = <A extends readonly [index: number, ...ReadonlyArray<unknown>]>(entries: ReadonlyArray<A>) =>
  [...entries].sort(([left], [right]) => left - right)

/** Runs two candidates that succeed in the same turn. For some of these numbers of operations the second is late. */
export const inTheSameTurn = <B, E>(
  run: (candidates: ReadonlyArray<Effect.Effect<string, Boom, Scope.Scope>>) => Effect.Effect<B, E, Scope.Scope>
) =>
  Effect.forEach(Array.from({ length: 69 }, (_, index) => 12 + index), (ops) =>
    Effect.gen(function*() {
      const gate = yield* Deferred.make<void>()
      const two = [0, 1].map((index) => Effect.zipLeft(scopedCandidate(ok(0), index, transcript()), pass(gate)))
      const open = Effect.zipRight(Deferred.succeed(gate, void 0), Effect.never)
      return yield* Effect.scoped(run([...two, open])).pipe(Effect.withMaxOpsBeforeYield(ops))
    }))

/** A candidate that reports progress from another fiber, `after` milliseconds after its start. */
export const progressing = (after: number, by: number, row: Row, index: number, seen: Transcript = transcript()) =>
  Effect.zipRight(
    Effect.forkDaemon(Effect.delay(
      Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => Option.getOrThrow(attempt).progress(by)),
      after
    )),
    candidate(row, index, seen)
  )
