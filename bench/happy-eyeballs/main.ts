import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { parseArgs } from "node:util"
import * as Network from "../../test/support/wire/network.js"
import { cases } from "./cases.js"
import { contenders } from "./contenders.js"
import { measure, MeasurementFailed } from "./measure.js"
import { type Report, save, shortcomings, toText } from "./report.js"

// `npm run bench:happy-eyeballs`, and what may follow after `--`:
//   --rounds N     5 if not given
//   --only WORDS   the cases whose name has these words
//   --save         writes the table into README.md, beside this and of the project
// Ends with status 1 if ours does not connect where it must, or too late, and where there can be no test network.

const { values: options } = parseArgs({
  options: { rounds: { type: "string", default: "5" }, only: { type: "string" }, save: { type: "boolean" } }
})

const bench = Effect.gen(function*() {
  const rounds = Number(options.rounds)
  if (!(Number.isSafeInteger(rounds) && rounds > 0)) {
    return yield* new MeasurementFailed({ message: `--rounds has to be a number of rounds, not "${options.rounds}"` })
  }
  const chosen = cases.filter(({ name }) => name.includes(options.only ?? ""))
  const { absent, present } = yield* contenders
  const network = yield* Network.make
  const measurements = yield* measure(network, chosen, present, rounds)
  const report: Report = { rounds, cases: chosen, contenders: present, absent, measurements }
  console.log(toText(report))
  if (options.save === true) {
    save(new URL("README.md", import.meta.url), report)
    save(new URL("../../README.md", import.meta.url), report)
  }
  const missed = shortcomings(report)
  return missed.length === 0 ? undefined : yield* new MeasurementFailed({ message: `\n${missed.join("\n")}` })
})

// From a terminal, tsx passes on the signal that has come here already: the second must not cut short what the first
// has begun, to remove the network.
process.on("SIGINT", () => {})

NodeRuntime.runMain(
  Effect.scoped(bench).pipe(Effect.tapErrorCause((cause) =>
    Effect.sync(() => {
      if (!Cause.isInterruptedOnly(cause)) {
        console.error(Option.match(Cause.failureOption(cause), {
          onNone: () => Cause.pretty(cause),
          onSome: ({ message }) => message
        }))
      }
    })
  )),
  { disableErrorReporting: true }
)
