import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { StaggeredRace } from "../../src/index.js"
import type { Picture } from "./picture.js"

// A request that is sent once more when it has no answer after 95 ms, which most of them have.

const request = Effect.gen(function*() {
  const { index } = Option.getOrThrow(yield* StaggeredRace.CurrentAttempt)
  // The server is busy as the first copy comes.
  yield* Effect.sleep(index === 0 ? "400 millis" : "40 millis")
  return `answer to copy ${index}`
})

export const hedge: Picture = {
  title:
    "A hedged request: the first copy has no answer after 95 ms, so a second one is sent. Its answer comes 40 ms " +
    "later and is taken, and the first copy is interrupted",
  race: StaggeredRace.outcome([request, request], { delay: "95 millis" }),
  labels: ["first copy", "second copy"]
}
