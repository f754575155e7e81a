import { writeFileSync } from "node:fs"
import { parseArgs } from "node:util"
import { publishText } from "../support/report.js"
import { brownOut } from "./brownOut.js"
import { calibration } from "./calibration.js"
import { oracle } from "./oracle.js"
import { toSvg } from "./plots.js"
import { queues } from "./queues.js"
import type { Section } from "./section.js"
import { shift } from "./shift.js"
import { singleR } from "./singleR.js"

// `npm run bench:hedging`, and what may follow after `--`:
//   --quick        a tenth of the calls
//   --only NAME    one experiment
//   --save         writes the tables into README.md beside this and of the project, and the pictures
// The same figures come out of it each time. Ends with status 1 if one is not as it must be.

const experiments = { oracle, calibration, shift, brownOut, queues, singleR }

const { values: options } = parseArgs({
  options: { quick: { type: "boolean" }, only: { type: "string" }, save: { type: "boolean" } }
})

const chosen = Object.entries(experiments).filter(([name]) => options.only === undefined || name === options.only)
if (chosen.length === 0) {
  console.error(`--only has to be one of ${Object.keys(experiments).join(", ")}, not "${options.only}"`)
  process.exit(1)
}
if (options.save === true && (options.quick === true || options.only !== undefined)) {
  console.error("--save writes all of it, so it goes with neither --quick nor --only")
  process.exit(1)
}

const tableOf = ([titles = [], ...rows]: Section["table"]) =>
  [titles, titles.map(() => "---"), ...rows].map((cells) => `| ${cells.join(" | ")} |`).join("\n")

const sections = chosen.map(([name, experiment]) => {
  const section = experiment(options.quick === true ? 0.1 : 1)
  console.log(`${section.title}\n\n${tableOf(section.table)}\n`)
  return { name, ...section }
})

if (options.save === true) {
  const parts = sections.map(({ plot, table, title }) =>
    [`### ${title}`, ...(plot === undefined ? [] : [`![${plot.description}](${plot.file})`]), tableOf(table)].join(
      "\n\n"
    )
  )
  publishText(new URL("README.md", import.meta.url), parts.join("\n\n"))
  for (const { name, plot, table } of sections) {
    if (name === "queues") {
      publishText(new URL("../../README.md", import.meta.url), tableOf(table), name)
    }
    if (plot !== undefined) {
      writeFileSync(new URL(plot.file, import.meta.url), `${await toSvg(plot.description, plot.panels)}\n`)
    }
  }
}

const missed = sections.flatMap((section) => section.missed)
if (missed.length > 0) {
  console.log(`not as it must be:\n${missed.join("\n")}`)
  process.exitCode = 1
}
