import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { StaggeredRace } from "../../src/index.js"
import type { Picture } from "./picture.js"

// A chain of fallbacks, one after the other. Each has its own time limit.

const cache = Effect.delay(Effect.fail("not in the cache"), "20 millis")
const replica = Effect.timeoutFail(Effect.never, { duration: "150 millis", onTimeout: () => "no answer in 150 ms" })
const origin = Effect.delay(Effect.succeed("from the origin"), "120 millis")

export const fallbacks: Picture = {
  title:
    "A chain of fallbacks: the cache fails after 20 ms, the replica times out 150 ms later, and the origin answers",
  race: StaggeredRace.outcome([cache, replica, origin], { delay: Duration.infinity }),
  labels: ["cache", "replica", "origin"]
}
