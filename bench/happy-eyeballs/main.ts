import * as Effect from "effect/Effect"
import { readCommand } from "../../scripts/command.js"
import * as Network from "../../test/support/wire/network.js"
import { BenchFailed, chosen, runBench } from "../support/command.js"
import { save, toText } from "../support/table.js"
import { cases } from "./cases.js"
import { contenders } from "./contenders.js"
import { measure } from "./measure.js"
import { type Report, shortcomings, tableOf } from "./report.js"

const usage = `npm run bench:happy-eyeballs -- [options]: how long it takes to connect to hosts with several addresses

  --rounds N     how often each case runs; default 5
  --only WORDS   only the cases whose name has these words
  --save         writes the table into bench/happy-eyeballs/README.md, and a part of it into README.md
  --help, -h     this text

Ends with status 1 if ours does not connect where it must, if it connects too late, or if there is no test network.`

const { options } = readCommand(usage, {
  rounds: { type: "string", default: "5" },
  only: { type: "string" },
  save: { type: "boolean" }
})

runBench(Effect.gen(function*() {
  const rounds = Number(options.rounds)
  if (!(Number.isSafeInteger(rounds) && rounds > 0)) {
    return yield* new BenchFailed({ message: `--rounds must be a whole number above 0, not "${options.rounds}"` })
  }
  const some = yield* chosen(cases, options)
  const { absent, present } = yield* contenders
  const network = yield* Network.make
  const measurements = yield* measure(network, some, present, rounds)
  const report: Report = { rounds, cases: some, contenders: present, absent, measurements }
  const table = tableOf(report)
  console.log(toText(table))
  if (options.save === true) {
    save(new URL("README.md", import.meta.url), table)
    save(
      new URL("../../README.md", import.meta.url),
      tableOf({ ...report, cases: some.filter(({ inReadme }) => inReadme === true) })
    )
  }
  const missed = shortcomings(report)
  return missed.length === 0 ? undefined : yield* new BenchFailed({ message: `\n${missed.join("\n")}` })
}))
