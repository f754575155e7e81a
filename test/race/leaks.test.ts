import { describe, it } from "@effect/vitest"
import { strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as StaggeredRace from "../../src/StaggeredRace.js"

describe.sequential("21. Nothing leaks", () => {
  it.live("an interrupted race of endless failures leaves no timer of the process", () =>
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
})
