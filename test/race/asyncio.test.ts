import { describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import { clocks } from "../support/clocks.js"
import { nothing } from "../support/scenario.js"
import { reference, replay, timelines } from "../support/timelines.js"

// Each clock gives what asyncio recorded. What asyncio did not record is the same on all clocks.
describe("asyncio's staggered race", () => {
  for (const [name, onClock] of Object.entries(clocks)) {
    it.each([0, 200, 400, 600, 800])(`is this one on ${name}: timelines from %i`, async (from) => {
      await Promise.all(
        timelines.slice(from, from + 200).map(async (timeline, offset) => {
          const index = from + offset
          const seen = await replay(timeline, onClock)
          const expected = { ...await reference(index), recorded: timeline.expect, left: nothing }
          deepStrictEqual({ index, timeline, seen } as unknown, { index, timeline, seen: expected })
        })
      )
    })
  }
})
