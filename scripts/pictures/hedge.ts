import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { StaggeredRace } from "../../src/index.js"
import type { Picture } from "./picture.js"

// Most requests are answered within 95 ms. This one is not, so a hedge is sent.

const request = Effect.gen(function*() {
  const { index } = Option.getOrThrow(yield* StaggeredRace.CurrentAttempt)
  // The server is busy when the request arrives, and free when the hedge does.
  yield* Effect.sleep(index === 0 ? "400 millis" : "40 millis")
  return `answer to attempt ${index}`
})

export const hedge: Picture = {
  title:
    "A hedged request: no answer after 95 ms, so a hedge is sent. The hedge answers 40 ms later and wins, and the " +
    "request is interrupted",
  race: StaggeredRace.outcome([request, request], { delay: "95 millis" }),
  labels: ["request", "hedge"]
}
