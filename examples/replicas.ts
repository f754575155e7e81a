/**
 * Replicas that you make slow, stop and kill while calls go on, with `Replicas.hedge` and without it.
 *
 *     npm run demo:replicas
 *     npm run demo:replicas -- --help
 *
 * Three servers run in processes of their own on this machine (replicas/serverProcess.ts). Every call is made twice at
 * the same time: to the servers in turn, and hedged. In a terminal, keys decide what happens to the servers. Elsewhere, a
 * script does. In the end, no process runs, and no socket is open.
 */
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { readCommand } from "../scripts/command.js"
import { live } from "./replicas/live.js"
import { type Phase, results } from "./replicas/load.js"
import { hedges, table, tooBusy } from "./replicas/report.js"
import { play } from "./replicas/script.js"
import { policyName, stage } from "./replicas/stage.js"
import { DemoError, leavingNothingOpen, runDemo } from "./support/demo.js"
import { hedging } from "./support/measured.js"
import { describeWhole, parseWhole } from "./support/wholes.js"

interface Options {
  readonly seconds: number
  readonly seed: number
}

const demo = ({ seconds, seed }: Options) =>
  Effect.gen(function*() {
    yield* Console.log("starting three servers ...")
    const set = yield* stage(seed)
    yield* process.stdin.isTTY && process.stdout.isTTY ? live(set) : play(set, seconds)
    const { calls, servers } = set
    yield* calls.end
    const left = (yield* Effect.forEach(servers, ({ settle }) => settle)).reduce((sum, left) => sum + left, 0)

    const resultsOf = (phase: Phase) => Effect.map(results(phase), (results) => ({ name: phase.name, results }))
    const phases = yield* Effect.forEach(calls.phases, resultsOf)
    const all = yield* results()
    const machine = yield* calls.machine
    for (
      const line of [
        `\n${table(phases, all)}\n`,
        hedges(yield* hedging(policyName), all.hedged.requests),
        `hedged calls that failed although at most one server was ill: ${calls.unexpected()}`,
        ...tooBusy(machine),
        `calls left under way in the servers: ${left}`
      ]
    ) {
      yield* Console.log(line)
    }
    return left === 0
      ? undefined
      : yield* new DemoError({ message: "calls that nobody waits for still run in the servers" })
  })

const wholes = {
  seconds: { least: 1, most: 3600, otherwise: 3 },
  seed: { least: 0, most: 2 ** 31 - 1, otherwise: 2 }
}

const usage = [
  "Replicas that you make slow, stop and kill while calls go on, with hedges and without them.",
  "",
  "npm run demo:replicas -- [options]",
  "",
  "In a terminal, keys decide what happens: 1 to 3 make that server slow, then stopped, killed, and well again, and q",
  "ends. Elsewhere, it plays a script.",
  "",
  `  --seconds N  how long each phase of the script takes: ${describeWhole(wholes.seconds)}`,
  `  --seed N     decides which calls are slow: ${describeWhole(wholes.seed)}`,
  "  --help, -h   this text"
].join("\n")

const { options: given } = readCommand(usage, { seconds: { type: "string" }, seed: { type: "string" } })

runDemo(
  Effect.all({
    seconds: parseWhole("seconds", wholes.seconds, given.seconds),
    seed: parseWhole("seed", wholes.seed, given.seed)
  }).pipe(Effect.flatMap((options) => leavingNothingOpen(demo(options))))
)
