import * as fs from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { publishText } from "../../bench/support/report.js"
import { readCommand } from "../command.js"
import { conclude, must, root, upToDate } from "./support.js"

const usage = `npm run sizes -- [options]: measures the entry points, minified and compressed, without effect

The table in README.md is the limit. The command fails if a size is not what the table says, within a tolerance.

  --save      writes the table
  --help, -h  this text`

/** How far a size may differ from README.md, so that small changes need no new table. */
const tolerance = 0.05

const { options: values } = readCommand(usage, { save: { type: "boolean" } })
upToDate()
const measured: ReadonlyArray<{ readonly name: string; readonly size: number }> = JSON.parse(
  must("npx", ["size-limit", "--json"])
)
const kilobytes = (size: number) => (size / 1000).toFixed(1)

const readme = path.join(root, "README.md")
const text = fs.readFileSync(readme, "utf8")
const block = /(?<=<!-- sizes -->\n)[^]*(?=<!-- end of sizes -->)/
const said = new Map(
  Array.from((block.exec(text)?.[0] ?? "").matchAll(/^\| `(.+?)` \| ([\d.]+) kB \|$/gm), ([, name, size]) => [
    name ?? "",
    Number(size)
  ])
)

if (values.save === true) {
  const rows = measured.map(({ name, size }) => `| \`${name}\` | ${kilobytes(size)} kB |`)
  const table = ["| entry point | minified, gzip, without `effect` |", "| --- | --: |", ...rows]
  publishText(pathToFileURL(readme), table.join("\n"), "sizes")
}

const faults: Array<string> = []
for (const { name, size } of measured) {
  const before = said.get(name)
  console.log(`${name}: ${kilobytes(size)} kB`)
  if (values.save !== true && !(Math.abs(size / 1000 - (before ?? NaN)) <= tolerance * (before ?? NaN))) {
    faults.push(`${name} has ${kilobytes(size)} kB, README.md says ${before ?? "nothing"}: npm run sizes -- --save`)
  }
}
const names = measured.map(({ name }) => name)
if (values.save !== true) {
  faults.push(
    ...[...said.keys()].filter((name) => !names.includes(name)).map((name) => `README.md: there is no ${name}`)
  )
}
conclude(faults, `${measured.length} entry points`)
