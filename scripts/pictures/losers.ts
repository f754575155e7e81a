import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { StaggeredRace, Timeline } from "../../src/index.js"
import type { Picture } from "./picture.js"

// A loser that takes 150 ms to say goodbye to its server, and a race that waits for it, or does not.

const goodbye = Effect.sleep("150 millis")

const replicas = [
  Effect.onInterrupt(Effect.never, () => goodbye),
  Effect.delay(Effect.succeed("a row"), "80 millis")
]

const labels = ["replica a", "replica b"]

export const losersAwait: Picture = {
  title:
    "A race that waits for its loser: it is decided at 180 ms, and returns when the loser has cleaned up, at 330 ms",
  race: StaggeredRace.outcome(replicas, { delay: "100 millis" }),
  labels
}

export const losersBackground: Picture = {
  title:
    "The same race with its loser in the background, 250 ms after it began: it has returned at 180 ms, as it was " +
    "decided, and the loser is still cleaning up",
  race: Effect.gen(function*() {
    const events: Array<StaggeredRace.RaceEvent<string, never>> = []
    yield* StaggeredRace.race(replicas, {
      delay: "100 millis",
      losers: "background",
      onEvent: (event) => Effect.sync(() => events.push(event))
    })
    // The row is here. This is what goes on while it is put to use.
    yield* Effect.sleep("70 millis")
    return Timeline.soFar(events, yield* Clock.currentTimeMillis)
  }),
  labels
}
