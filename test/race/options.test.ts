import { describe, it } from "@effect/vitest"
import { assertTrue, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents } from "../support/eventClock.js"
import { failed, forever } from "../support/scenario.js"

describe.concurrent("17. Options that make no sense die with a message that names the option and the value", () => {
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

  it.live("an infinite concurrency is an unbounded one", () =>
    Effect.gen(function*() {
      strictEqual(yield* StaggeredRace.race([Effect.succeed(1)], { delay: 1, concurrency: Infinity }), 1)
    }))

  describe("and so do candidates that are none", () => {
    const one = Effect.succeed(1)
    const options = { delay: 1 }
    // What a caller without types may pass, and what the message must mention.
    const race = StaggeredRace.race as unknown as (...args: ReadonlyArray<unknown>) => Effect.Effect<unknown, unknown>
    const raceStream = StaggeredRace.raceStream as unknown as typeof race
    const outcome = StaggeredRace.outcome as unknown as typeof race
    const outcomeStream = StaggeredRace.outcomeStream as unknown as typeof race

    const cases: ReadonlyArray<
      readonly [name: string, self: () => Effect.Effect<unknown, unknown>, ReadonlyArray<RegExp>]
    > = [
      ["an object", () => race({ a: one }, options), [/candidates/, /iterable/i, /object that cannot be iterated/]],
      ["an object, for its outcome", () => outcome({ a: one }, options), [/candidates/, /iterable/i]],
      ["null", () => race(null, options), [/candidates/, /iterable/i, /null/]],
      ["a number", () => race(5, options), [/candidates/, /iterable/i, /5/]],
      ["a string", () => race("ab", options), [/candidates/, /iterable/i, /"ab"/]],
      // An Effect is iterable, so that generators can yield it.
      ["an Effect", () => race(one, options), [/candidates/, /an effect/i, /array/]],
      ["an Effect, for its outcome", () => outcome(one, options), [/candidates/, /an effect/i, /array/]],
      ["a Stream", () => race(Stream.make(one), options), [/Stream/, /raceStream/]],
      ["a Stream, for its outcome", () => outcome(Stream.make(one), options), [/Stream/, /outcomeStream/]],
      ["a list for a Stream", () => raceStream([one], options), [/Stream/, /\brace\b/]],
      ["a list for a Stream, for its outcome", () => outcomeStream([one], options), [/Stream/, /\boutcome\b/]],
      ["a Set for a Stream", () => raceStream(new Set([one]), options), [/Stream/, /iterable/, /\brace\b/]],
      ["an object for a Stream", () => raceStream({ a: one }, options), [/Stream/, /object that cannot be iterated/]],
      ["nothing for a Stream", () => raceStream(undefined, options), [/Stream/, /undefined/]],
      ["no options", () => race([one], undefined), [/options/, /delay/, /undefined/]],
      ["no options, for a Stream", () => raceStream(Stream.make(one), undefined), [/options/, /undefined/]],
      ["options that are null", () => outcome([one], null), [/options/, /null/]],
      ["options that are a duration", () => race([one], "250 millis"), [/options/, /"250 millis"/]]
    ]
    it.each(cases)("%s", (_, self, said) => {
      const exit = runEvents(Effect.suspend(self)).exit
      const defect = Exit.isFailure(exit) ? Option.getOrThrow(Cause.dieOption(exit.cause)) : undefined
      assertTrue(Cause.isIllegalArgumentException(defect), failed(exit))
      const { message } = defect as Error
      for (const pattern of [/^StaggeredRace: /, ...said]) {
        assertTrue(pattern.test(message), `${pattern} in: ${message}`)
      }
    })

    it("in `pipe` as well", () => {
      const piped = pipe({ a: one } as unknown as ReadonlyArray<typeof one>, StaggeredRace.race(options))
      assertTrue(/StaggeredRace: .*iterable/i.test(failed(runEvents(piped).exit)))
    })
  })
})
