import * as Effect from "effect/Effect"
import { readCommand } from "../../scripts/command.js"
import * as Network from "../../test/support/wire/network.js"
import { ports } from "../../test/support/wire/peers.js"
import { start, tsx } from "../../test/support/wire/programs.js"
import { BenchFailed, chosen, runBench } from "../support/command.js"
import { versionOf } from "../support/processes.js"
import { save, toText } from "../support/table.js"
import { type Case, connections, requests } from "./cases.js"
import { type Column, connecting, requesting } from "./columns.js"
import { runCase } from "./measure.js"
import { heading, shortcomings, tableOf } from "./report.js"

const usage = `npm run bench:names -- [options]: how long it takes to connect by name

  --only WORDS   only the cases whose name has these words
  --save         writes the tables into bench/names/README.md
  --help, -h     this text

Ends with status 1 if ours misses a goal, or if there is no test network.`

const { options } = readCommand(usage, { only: { type: "string" }, save: { type: "boolean" } })

const server = new URL("../../test/support/wire/server.ts", import.meta.url)
const page = new URL("README.md", import.meta.url)

interface Part {
  /** The name of the table's marks in the page. */
  readonly name: string
  readonly corner: string
  readonly cases: ReadonlyArray<Case>
  readonly columns: ReadonlyArray<Column>
  readonly port: number
}

runBench(Effect.gen(function*() {
  const some = new Set(yield* chosen([...connections, ...requests], options))
  const { curl, python3 } = yield* Effect.all({ curl: versionOf("curl"), python3: versionOf("python3") })
  const machine = heading()
  const network = yield* Network.make
  yield* start([...network.server, ...tsx(server)])
  const parts: ReadonlyArray<Part> = [
    {
      name: "connections",
      corner: "ms until connected",
      cases: connections.filter((given) => some.has(given)),
      columns: connecting({ curl, python3 }),
      port: ports.plain
    },
    {
      name: "requests",
      corner: "ms until answered",
      cases: requests.filter((given) => some.has(given)),
      columns: requesting,
      port: ports.http
    }
  ]
  const missed: Array<string> = []
  for (const { cases, columns, corner, name, port } of parts) {
    const results = yield* Effect.forEach(cases, (given) =>
      Effect.zipRight(
        Effect.sync(() => console.error(given.name)),
        Effect.map(runCase(network, given, columns, port), (outcomes) => ({ case: given, outcomes }))
      ))
    if (results.length > 0) {
      const table = tableOf(machine, corner, columns, results)
      missed.push(...shortcomings(columns, results))
      console.log(`${toText(table)}\n`)
      if (options.save === true) {
        save(page, table, name)
      }
    }
  }
  return missed.length === 0 ? undefined : yield* new BenchFailed({ message: `goals missed: ${missed.length}` })
}))
