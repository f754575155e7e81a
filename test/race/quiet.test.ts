import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { candidates, die, fail, hang, observe, ok } from "../support/scenario.js"

describe.concurrent("19. Nothing of a race is logged or counted as unhandled", () => {
  it.live("an attempt's early failure logs nothing as unhandled", () =>
    Effect.gen(function*() {
      const logged: Array<unknown> = []
      const logger = Logger.make(({ message }) => logged.push(message))
      yield* observe(
        StaggeredRace.race(
          candidates([fail(10), die(10), hang(), ok(50)]),
          { delay: 20 }
        ).pipe(
          Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
          Logger.withMinimumLogLevel(LogLevel.All)
        )
      )
      deepStrictEqual(logged, [])
    }))
})
