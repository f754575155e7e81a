import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { StaggeredRace, Timeline } from "../../src/index.js"
import type { Picture } from "./picture.js"

// A loser needs 150 ms to say goodbye to its server. One race waits for it, the other does not.

const goodbye = Effect.sleep("150 millis")

const replicas = [
  Effect.onInterrupt(Effect.never, () => goodbye),
  Effect.delay(Effect.succeed("a row"), "80 millis")
]

const labels = ["replica a", "replica b"]

export const losersAwait: Picture = {
  title:
    "A race that waits for its loser. It is decided at 180 ms, and returns at 330 ms, when the loser has cleaned up",
  race: StaggeredRace.outcome(replicas, { delay: "100 millis" }),
  labels
}

export const losersBackground: Picture = {
  title:
    "The same race with its loser in the background, 250 ms after its start. It returned at the decision, at 180 ms, " +
    "and the loser still cleans up",
  race: Effect.gen(function*() {
    const events: Array<StaggeredRace.RaceEvent<string, never>> = []
    yield* StaggeredRace.race(replicas, {
      delay: "100 millis",
      losers: "background",
      onEvent: (event) => Effect.sync(() => events.push(event))
    })
    // The race has returned the row. The program uses it while the loser cleans up.
    yield* Effect.sleep("70 millis")
    return Timeline.soFar(events, yield* Clock.currentTimeMillis)
  }),
  labels
}
