import * as fs from "node:fs"
import * as path from "node:path"
import { readCommand } from "../command.js"
import { conclude, consumer, entryPoints, root, run } from "./support.js"

/** The result of each version with `strict`. 5.4 is the first with `NoInfer`, which Effect's declarations use. */
const expected: Readonly<Record<string, "passes" | "needs skipLibCheck">> = {
  "5.4": "needs skipLibCheck",
  "5.6": "needs skipLibCheck",
  "5.7": "passes",
  "5.9": "passes",
  "6": "passes",
  "7": "passes"
}

const usage = `npm run test:typescript -- [VERSION...]: compiles a program against the built declarations

Then it checks what README.md says about versions of TypeScript.

  VERSION     a version of TypeScript; default ${Object.keys(expected).join(" ")}
  --help, -h  this text`

const { words } = readCommand(usage, {}, { words: true })

const first = (...results: ReadonlyArray<string>) =>
  Object.keys(expected).sort((a, b) => Number(a) - Number(b)).find((version) =>
    results.includes(expected[version] ?? "")
  )

const directory = consumer("typescript")
fs.copyFileSync(path.join(root, "scripts/package/typed.ts"), path.join(directory, "typed.ts"))
fs.writeFileSync(
  path.join(directory, "all.ts"),
  entryPoints.map(({ name }, index) => `export * as e${index} from "${name}"\n`).join("")
)
const compilerOptions = {
  target: "ES2022",
  lib: ["ES2022", "DOM"],
  module: "NodeNext",
  types: ["node"],
  strict: true,
  exactOptionalPropertyTypes: true,
  noEmit: true,
  pretty: false
}
fs.writeFileSync(
  path.join(directory, "tsconfig.json"),
  JSON.stringify({ compilerOptions, files: ["all.ts", "typed.ts"] })
)

/** Compiles with one version. `ours` leaves out errors in declarations of other packages. */
const compile = (version: string, skipLibCheck: boolean) => {
  const tsc = ["exec", `--package=typescript@${version}`, "--", "tsc", "-p", ".", "--skipLibCheck", `${skipLibCheck}`]
  const { output, status } = run("npm", tsc, directory)
  const errors = output.split("\n").filter((line) => line.includes("error TS"))
  if (status !== 0 && errors.length === 0) throw new Error(`typescript ${version}: ${output}`)
  return { errors, ours: errors.filter((line) => !/node_modules\/(?!effect-staggered-race\/)/.test(line)) }
}

const faults: Array<string> = []
const versions = words.length > 0 ? words : Object.keys(expected)
for (const version of versions) {
  const plain = compile(version, false)
  const result = plain.errors.length === 0
    ? "passes"
    : compile(version, true).errors.length === 0
    ? "needs skipLibCheck"
    : "fails"
  console.log(`typescript ${version}: ${result}`)
  if (result !== expected[version]) {
    faults.push(
      [`typescript ${version} ${result}, expected: ${expected[version]}`, ...plain.errors.slice(0, 9)].join("\n  ")
    )
  } else {
    faults.push(...plain.ours)
  }
}

const row = /^\| TypeScript \|.*$/m.exec(fs.readFileSync(path.join(root, "README.md"), "utf8"))?.[0] ?? ""
const said = row.match(/\d+\.\d+/g)?.join(", ")
const wanted = [first("needs skipLibCheck", "passes"), first("passes")].join(", ")
if (said !== wanted) {
  faults.push(`the row TypeScript of README.md should name ${wanted} (the second without skipLibCheck): ${row}`)
}
conclude(faults, `${versions.length} versions of TypeScript`)
