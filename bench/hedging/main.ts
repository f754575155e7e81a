import { once } from "node:events"
import { writeFileSync } from "node:fs"
import { availableParallelism } from "node:os"
import { Worker } from "node:worker_threads"
import { readCommand } from "../../scripts/command.js"
import { publishText } from "../support/report.js"
import { experiments, type Name, type Work } from "./experiments.js"
import type { Section } from "./section.js"

const usage =
  `npm run bench:hedging -- [options]: experiments with simulated servers, whose figures are the same each time

  --quick      a tenth of the calls
  --only NAME  one experiment: ${Object.keys(experiments).join(", ")}
  --save       writes the tables into bench/hedging/README.md, two into guides, and the pictures
  --help, -h   this text

Ends with status 1 if a figure is not as it must be.`

const { options } = readCommand(usage, {
  quick: { type: "boolean" },
  only: { type: "string" },
  save: { type: "boolean" }
})

const names = (Object.keys(experiments) as Array<Name>).filter((name) => name === (options.only ?? name))
if (names.length === 0) {
  console.error(`--only must be one of ${Object.keys(experiments).join(", ")}, got "${options.only}"`)
  process.exit(1)
}
if (options.save === true && (options.quick === true || options.only !== undefined)) {
  console.error("--save writes all tables: leave out --quick and --only")
  process.exit(1)
}

const tableOf = ([titles = [], ...rows]: Section["table"]) =>
  [titles, titles.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

/** Runs an experiment in a thread of its own. The machine's speed changes no figure, so several may run at once. */
const inThread = async (name: Name): Promise<Section & { readonly name: Name }> => {
  const workerData: Work = { name, scale: options.quick === true ? 0.1 : 1 }
  const [section] = await once(new Worker(new URL("experiments.js", import.meta.url), { workerData }), "message")
  return { name, ...section }
}

const waiting = [...names]
const found = new Map<Name, Section & { readonly name: Name }>()
await Promise.all(Array.from({ length: availableParallelism() }, async () => {
  for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
    found.set(name, await inThread(name))
  }
}))
const sections = names.map((name) => found.get(name)!)
for (const { table, title } of sections) {
  console.log(`${title}\n\n${tableOf(table)}\n`)
}

if (options.save === true) {
  const { toSvg } = await import("./plots.js")
  const here = new URL("../../../bench/hedging/", import.meta.url)
  const parts = sections.map(({ plot, table, title }) =>
    [`### ${title}`, ...(plot === undefined ? [] : [`![${plot.description}](${plot.file})`]), tableOf(table)].join(
      "\n\n"
    )
  )
  publishText(new URL("README.md", here), parts.join("\n\n"))
  for (const { guide, name, plot } of sections) {
    if (guide !== undefined) {
      publishText(new URL(`../../guides/${guide.page}`, here), tableOf(guide.table), name)
    }
    if (plot !== undefined) {
      writeFileSync(new URL(plot.file, here), `${await toSvg(plot.description, plot.panels)}\n`)
    }
  }
}

const missed = sections.flatMap((section) => section.missed)
if (missed.length > 0) {
  console.log(`out of its limits:\n${missed.join("\n")}`)
  process.exitCode = 1
}
