import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { candidate, nothing, observe, transcript } from "../support/scenario.js"
import { type Timeline, timelines } from "../support/timelines.js"

const replay = ({ candidates, delay, interruptAt }: Timeline, byHand: boolean) =>
  Effect.gen(function*() {
    const seen = transcript()
    const race = StaggeredRace.outcome(candidates.map((row, index) => candidate(row, index, seen)), {
      delay: delay ?? Duration.infinity
    })
    const { endedAt, exit, left } = yield* observe(race, { byHand, interruptAt })
    deepStrictEqual(left, nothing)
    const outcome = Exit.isSuccess(exit) ? exit.value : undefined
    const failure = ({ result }: StaggeredRace.Attempt<unknown, unknown>) =>
      result === "won" ? null : result === "failed" ? "failed" : "interrupted"
    return {
      winner: Option.getOrNull(Option.map(Option.fromNullable(outcome), ({ winner }) =>
        Option.getOrNull(Option.map(winner, ({ index }) =>
          index)))),
      failures: outcome === undefined ? null : outcome.attempts.map(failure),
      interrupted: Exit.isInterrupted(exit),
      endedAt,
      started: seen.started,
      ended: seen.ended.sort(([left], [right]) =>
        left - right
      )
    }
  })

describe("asyncio's staggered race", () => {
  const twice = timelines.flatMap((timeline, index) => [true, false].map((byHand) => ({ byHand, index, timeline })))
  it.live.each([0, 200, 400, 600, 800, 1000, 1200, 1400, 1600, 1800])(
    "timelines from %i",
    (from) =>
      Effect.forEach(
        twice.slice(from, from + 200),
        ({ byHand, index, timeline }) =>
          Effect.map(replay(timeline, byHand), (seen) => {
            const { expect, ...given } = timeline
            deepStrictEqual({ index, byHand, given, seen } as unknown, { index, byHand, given, seen: expect })
          }),
        { concurrency: 200, discard: true }
      )
  )
})
