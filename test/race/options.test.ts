import { describe, it } from "@effect/vitest"
import { assertTrue, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { forever } from "../support/scenario.js"

describe.concurrent("17. Options that make no sense die with a message that names the option and the value", () => {
  const cases: ReadonlyArray<readonly [options: Record<string, unknown>, message: string]> = [
    [{ delay: -1 }, "option \"delay\" must be a duration of zero or more, got -1"],
    [{ delay: NaN }, "option \"delay\" must be a duration of zero or more, got NaN"],
    [{ delay: -5n }, "option \"delay\" must be a duration of zero or more, got -5"],
    [{ delay: "-5 millis" }, "option \"delay\" must be a duration of zero or more, got \"-5 millis\""],
    [{ delay: "soon" }, "option \"delay\" must be a duration of zero or more, got \"soon\""],
    [{ delay: [1, -5] }, "option \"delay\" must be a duration of zero or more, got [1,-5]"],
    [{}, "option \"delay\" must be a duration of zero or more, got undefined"],
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
})
