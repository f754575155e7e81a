import { existsSync, readdirSync, readFileSync, writeFileSync } from "node:fs"
import { fileURLToPath } from "node:url"
import { readCommand } from "../command.js"
import { card, photograph } from "./card.js"
import { concurrency } from "./concurrency.js"
import { fallbacks } from "./fallbacks.js"
import { happyEyeballs } from "./happyEyeballs.js"
import { hedge } from "./hedge.js"
import { losersAwait, losersBackground } from "./losers.js"
import { draw } from "./picture.js"

const usage =
  `npm run pictures -- [options]: draws the pictures in scripts/pictures: races of this library, in virtual time

  --check     writes nothing; ends with status 1 if a file differs from what it would write
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

const drawn = new Map<string, string>()
for (const [name, picture] of Object.entries(pictures)) {
  drawn.set(name, `${await draw(picture)}\n`)
}
drawn.set("card", `${card(drawn.get("happy-eyeballs") ?? "")}\n`)

const directory = new URL("./", import.meta.url)
const photo = fileURLToPath(new URL("../../site/public/og.png", import.meta.url))
const stale = new Set(readdirSync(directory).filter((name) => name.endsWith(".svg")))
for (const [name, svg] of drawn) {
  const file = new URL(`${name}.svg`, directory)
  const isAsDrawn = existsSync(file) && readFileSync(file, "utf8") === svg && (name !== "card" || existsSync(photo))
  if (!check && !isAsDrawn) {
    writeFileSync(file, svg)
    if (name === "card") {
      await photograph(svg, photo)
    }
  }
  if (isAsDrawn || !check) {
    stale.delete(`${name}.svg`)
  } else {
    stale.add(`${name}.svg`)
  }
}
for (const name of stale) {
  console.error(`scripts/pictures/${name} differs from what \`npm run pictures\` draws`)
}
console.log(`${drawn.size} pictures, ${stale.size} out of date`)
if (stale.size > 0) {
  process.exit(1)
}
