import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import { keyboard } from "../support/keyboard.js"
import { hedging } from "../support/measured.js"
import { wholeScreen } from "../support/screen.js"
import type { ServerError } from "../support/serverProcess.js"
import { type Reading, readKeys } from "./keys.js"
import { results } from "./load.js"
import { picture, Recent } from "./picture.js"
import { conditions, treatments } from "./server.js"
import { policyName, type Stage } from "./stage.js"

/** Draws what happens, and does to the servers what the keys say, until one of them ends it. */
export const live = (stage: Stage): Effect.Effect<void, ServerError> =>
  Effect.gen(function*() {
    const keys = yield* keyboard
    const show = yield* wholeScreen
    const treating = yield* FiberSet.make<void, ServerError>()
    const redraw = Effect.repeat(Effect.flatMap(drawing(stage), show), Schedule.spaced("200 millis"))
    yield* obey(stage, Queue.take(keys), treating).pipe(
      Effect.raceFirst(redraw),
      Effect.raceFirst(FiberSet.join(treating))
    )
  }).pipe(Effect.scoped)

const drawing = ({ calls, servers, states }: Stage) => {
  const recent = new Recent()
  return Effect.gen(function*() {
    const known = yield* states
    const sent = recent.add(performance.now(), known.map(({ picks }) => picks))
    return picture({
      seconds: calls.seconds(),
      servers: known.map((state, index) => ({
        ...state,
        condition: servers[index]?.condition.name ?? "",
        recent: sent[index] ?? 0
      })),
      now: yield* results(calls.phases.at(-1)),
      all: yield* results(),
      slowest: calls.slowest,
      hedging: yield* hedging(policyName)
    })
  })
}

/** What is not well: "1 slow, 3 killed". */
const nameOf = ({ servers }: Stage) =>
  servers.flatMap(({ condition }, index) => condition === conditions.well ? [] : [`${index + 1} ${condition.name}`])
    .join(", ") || "all well"

const obey = (
  stage: Stage,
  next: Effect.Effect<string>,
  treating: FiberSet.FiberSet<void, ServerError>
): Effect.Effect<void> => {
  const pressed = stage.servers.map(() => 0)
  const press = (place: number) => {
    const times = (pressed[place] ?? 0) + 1
    pressed[place] = times
    const treatment = treatments[times % treatments.length] ?? "well"
    // A server that starts takes a while, and other keys do not wait for it.
    return FiberSet.run(treating, stage.treat(place, treatment, () => nameOf(stage)))
  }
  const read = (reading: Reading): Effect.Effect<void> =>
    Effect.flatMap(next, (text) => {
      const { commands, reading: then } = readKeys(stage.servers.length, reading, text)
      const places = commands.flatMap((command) => command === "end" ? [] : [command])
      return Effect.zipRight(
        Effect.forEach(places, press, { discard: true }),
        commands.includes("end") ? Effect.void : read(then)
      )
    })
  return read("text")
}
