import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type { ServerError } from "../support/serverProcess.js"
import { rate, timeout } from "./load.js"
import { quantile, ratio } from "./recipe.js"
import { slowness, tail, type Treatment } from "./server.js"
import type { Stage } from "./stage.js"

/** What happens after the first phase: the name of a phase, and what is done to a server, by its place. */
const steps: ReadonlyArray<readonly [name: string, done?: readonly [place: number, treatment: Treatment]]> = [
  ["1 slow", [0, "slow"]],
  ["1 well", [0, "well"]],
  ["2 stopped", [1, "stopped"]],
  ["2 goes on", [1, "well"]],
  ["3 killed", [2, "killed"]],
  ["3 started again", [2, "well"]],
  ["all well"]
]

const intro = [
  `${rate} calls a second, and each is made in two ways:`,
  "  in turn           to one server after the other",
  "  Replicas, hedged  to the server that should be quickest; to another if late:",
  `                    a hedge if slower than ${100 * quantile} %, for ${100 * ratio} % of calls at most`,
  `A server takes 2 to 6 ms, and ten times as long for ${100 * tail} % of calls.`,
  `If it is slow, it takes ${slowness} times as long. A call fails after ${timeout}.`,
  "",
  "what happens      how many calls Replicas sends to servers 1, 2 and 3"
].join("\n")

/** Plays a script, and tells of each phase when it is over. */
export const play = ({ calls, states, treat }: Stage, seconds: number): Effect.Effect<void, ServerError> =>
  Effect.gen(function*() {
    const picks = Effect.map(states, (states) => states.map(({ picks }) => picks))
    const wait = (name: string) =>
      Effect.gen(function*() {
        const before = yield* picks
        yield* Effect.sleep(Duration.seconds(seconds))
        const sent = (yield* picks).map((total, index) => `${total - (before[index] ?? 0)}`.padStart(6))
        yield* Console.log(name.padEnd(15) + sent.join(""))
      })

    yield* Console.log(intro)
    yield* wait("all well")
    for (const [name, done] of steps) {
      yield* done === undefined ? Effect.sync(() => calls.begin(name)) : treat(...done, () => name)
      yield* wait(name)
    }
  })
