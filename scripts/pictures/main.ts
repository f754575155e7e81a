import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { readCommand } from "../command.js"
import { concurrency } from "./concurrency.js"
import { fallbacks } from "./fallbacks.js"
import { happyEyeballs } from "./happyEyeballs.js"
import { hedge } from "./hedge.js"
import { losersAwait, losersBackground } from "./losers.js"
import { draw } from "./picture.js"

const usage = `npm run pictures -- [options]: draws races of this library, in virtual time, into scripts/pictures

  --check     writes nothing, and ends with status 1 if a file is not what would be written
  --help, -h  this text`

const { options: { check = false } } = readCommand(usage, { check: { type: "boolean" } })

const pictures = {
  "concurrency": concurrency,
  "fallbacks": fallbacks,
  "happy-eyeballs": happyEyeballs,
  "hedge": hedge,
  "losers-await": losersAwait,
  "losers-background": losersBackground
}

const directory = new URL("./", import.meta.url)
const stale = new Set(readdirSync(directory).filter((name) => name.endsWith(".svg")))

for (const [name, picture] of Object.entries(pictures)) {
  const svg = `${await draw(picture)}\n`
  const file = new URL(`${name}.svg`, directory)
  if (!check) {
    writeFileSync(file, svg)
  }
  if (existsSync(file) && readFileSync(file, "utf8") === svg) {
    stale.delete(`${name}.svg`)
  } else {
    stale.add(`${name}.svg`)
  }
}
for (const name of stale) {
  console.error(`scripts/pictures/${name} is not what \`npm run pictures\` draws`)
}
console.log(`${Object.keys(pictures).length} pictures, ${stale.size} not as they are drawn`)
if (stale.size > 0) {
  process.exit(1)
}
