import * as Effect from "effect/Effect"
import { StaggeredRace } from "../../src/index.js"
import type { Picture } from "./picture.js"

// Four mirrors. The race asks at most two of them at once.

const mirrors = [
  Effect.delay(Effect.fail("timed out"), "350 millis"),
  Effect.delay(Effect.fail("out of order"), "500 millis"),
  Effect.delay(Effect.succeed("a file"), "150 millis"),
  Effect.delay(Effect.succeed("a file"), "150 millis")
]

export const concurrency: Picture = {
  title: "Four mirrors, one more every 100 ms, at most two at once. The third is due at 200 ms and waits for a place " +
    "until the first fails at 350 ms. It wins at 500 ms. The fourth never starts",
  race: StaggeredRace.outcome(mirrors, { delay: "100 millis", concurrency: 2 }),
  labels: ["ams", "fra", "lon", "nyc"]
}
