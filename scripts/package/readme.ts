import { execFile } from "node:child_process"
import * as fs from "node:fs"
import * as path from "node:path"
import { blocksOf } from "../../test/support/examples.js"
import { readCommand } from "../command.js"
import { conclude, entryPoints, environment, manifest, must, pack, root, run, temporary } from "./support.js"

const usage = `npm run test:readme: does what README.md says, word for word, in an empty folder, with the packed package

It runs the commands that install the package or a pinned version. It compiles each ts block, and runs it as README.md
says to run one, unless the block is marked "ts no-run". A line "console.log(...) // text" must print that text. Each
entry point must also load from CommonJS.

  --help, -h  this text`

readCommand(usage, {})
process.chdir(root)
const blocks = blocksOf("README.md")
const programs = blocks.filter(({ language }) => language === "ts")
const shell = blocks.filter(({ language }) => language === "sh")
const lines = fs.readFileSync("README.md", "utf8").split("\n")
const faults: Array<string> = []

const installs = (command: string) =>
  command.startsWith("npm install") && (command.includes(` ${manifest.name}`) || /@[\^~\d]/.test(command))
const inText = lines.flatMap((text, line) =>
  Array.from(text.matchAll(/`(npm install [^`]+)`/g), ([, command = ""]) => ({ line, command }))
)
const inBlocks = shell.flatMap(({ code, line }) =>
  code.map((command) => ({ line, command, all: code[0]?.startsWith("npm init") === true }))
)
const commands = [...inText.map((found) => ({ ...found, all: false })), ...inBlocks]
  .filter(({ all, command }) => command !== "" && (all || installs(command)))
  .sort((a, b) => a.line - b.line)
  .map(({ command }) => command)
const start = commands.some((command) => command.startsWith("npm init"))
  ? []
  : ["npm init -y", "npm pkg set type=module"]
const runner = /\bnpx tsx(?= \S+\.ts)/.exec(lines.join("\n"))?.[0] ?? "npx tsx"

const folder = temporary()
const tarball = pack(temporary())
for (const command of [...start, ...commands]) {
  console.log(`$ ${command}`)
  must("sh", ["-c", command.replace(new RegExp(`(?<= )${manifest.name}(?= |$)`), tarball)], folder)
}
for (const { code, copy } of programs) fs.writeFileSync(path.join(folder, copy), `${code.join("\n")}\n`)

let outputs = 0
const queue = programs.filter(({ run }) => run)
const ran = queue.length
const execute = (copy: string) =>
  new Promise<{ readonly failed: boolean; readonly output: string }>((resolve) => {
    const options = { cwd: folder, timeout: 60_000, env: environment }
    execFile("sh", ["-c", `exec ${runner} ${copy}`], options, (error, stdout, stderr) => {
      resolve({ failed: error !== null, output: `${stdout}${stderr}` })
    })
  })
await Promise.all([1, 2].map(async () => {
  for (let block = queue.shift(); block !== undefined; block = queue.shift()) {
    const place = `README.md:${block.line}`
    const { failed, output } = await execute(block.copy)
    if (failed) faults.push(`${place}: ${runner} ${block.copy}\n${output}`)
    for (const line of failed ? [] : block.code) {
      const expected = /\blog\(.*\) \/\/ (.+)$/.exec(line)?.[1]
      if (expected === undefined) continue
      outputs++
      if (!output.includes(expected)) faults.push(`${place}: does not print "${expected}", but:\n${output}`)
    }
  }
}))
if (outputs === 0) faults.push("README.md shows no output to compare")

// Blocks that only compile may import packages that README.md does not install. They use the project's packages.
const link = (name: string) => {
  const [from, to] = [path.join(root, "node_modules", name), path.join(folder, "node_modules", name)]
  if (fs.existsSync(to) || !fs.existsSync(from)) return
  fs.mkdirSync(path.dirname(to), { recursive: true })
  fs.symlinkSync(fs.realpathSync(from), to)
}
for (const name of ["@types/node", ...Object.keys(manifest.peerDependencies)]) link(name)
for (const { code } of programs.filter(({ run }) => !run)) {
  for (const [, name = ""] of code.join("\n").matchAll(/ from "((?:@[^/"]+\/)?[^/":]+)(?:\/[^"]*)?"/g)) {
    link(name)
    link(`@types/${name}`)
  }
}
fs.writeFileSync(
  path.join(folder, "tsconfig.json"),
  JSON.stringify({
    compilerOptions: {
      target: "ES2022",
      lib: ["ES2022", "DOM"],
      module: "NodeNext",
      moduleDetection: "force",
      types: ["node"],
      strict: true,
      exactOptionalPropertyTypes: true,
      skipLibCheck: true,
      noEmit: true
    },
    files: programs.map(({ copy }) => copy)
  })
)
const compiled = run(process.execPath, [path.join(root, "node_modules/typescript/bin/tsc"), "-p", folder], folder)
if (compiled.status !== 0) faults.push(`the blocks of README.md do not compile:\n${compiled.output}`)

// From Node 20.19 on, `require` of an ES module works without a flag, and gives the same instance as `import`.
fs.writeFileSync(
  path.join(folder, "commonjs.cjs"),
  `const { Effect } = require("effect")
const { StaggeredRace } = require("${manifest.name}")
const race = StaggeredRace.race([Effect.never, Effect.succeed("won")], { delay: "20 millis" })
Promise.all([
  Effect.runPromise(race).then((value) => { if (value !== "won") throw new Error(value) }),
  ...${JSON.stringify(entryPoints.map(({ name }) => name))}.map((name) =>
    import(name).then((module) => { if (module !== require(name)) throw new Error(name + ": two instances") }))
]).then(() => console.log("CommonJS: ok"))
`
)
const commonjs = run(process.execPath, ["commonjs.cjs"], folder)
if (commonjs.status !== 0 || commonjs.output !== "CommonJS: ok") faults.push(`from CommonJS: ${commonjs.output}`)

conclude(faults, `${programs.length} blocks of README.md compiled, ${ran} run, ${outputs} outputs compared`)
