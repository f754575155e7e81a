import { spawn } from "node:child_process"
import * as fs from "node:fs"
import { availableParallelism } from "node:os"
import { readCommand } from "../../scripts/command.js"
import { examples as blocks } from "./examples.js"

readCommand(
  `npm run docs:check: checks the examples of the documentation, every "ts" block in README.md and in the doc comments of
src/*.ts

It compiles all blocks together, and the library with them, with the compiler options of the project, and then runs each
as its own program. It only compiles a block that opens with "ts no-run".

  --help, -h  this text`,
  {}
)

// Each block is copied to a file at the line of its original, so that line numbers in messages are those of the original.
const directory = ".examples"
const out = `${directory}/out`
const limit = 30_000
const parallel = Math.min(4, availableParallelism())

const explain = (code: number | null, signal: NodeJS.Signals | null): string => {
  if (signal === "SIGKILL") return `still running after ${limit / 1000} s`
  if (code === 13) return "a top-level await never settled"
  return signal ?? `exit code ${code}`
}

/** Runs Node. `trouble` says what went wrong; it is empty if nothing did. */
const node = (args: ReadonlyArray<string>, timeout?: number) =>
  new Promise<{ readonly trouble: string; readonly output: string }>((resolve, reject) => {
    const child = spawn(process.execPath, args, { stdio: ["ignore", "pipe", "pipe"], timeout, killSignal: "SIGKILL" })
    let output = ""
    child.stdout.setEncoding("utf8").on("data", (text: string) => output += text)
    child.stderr.setEncoding("utf8").on("data", (text: string) => output += text)
    child.on("error", reject)
    child.on("close", (code, signal) => {
      resolve({ trouble: code === 0 ? "" : explain(code, signal), output: output.trim() })
    })
  })

/** Replaces each position in a copy by the position in its original. */
const restore = (message: string): string =>
  message.replace(
    /[\w./:@~+-]*\.examples\/([\w.-]+\.ts)(?:\((\d+),(\d+)\)|:(\d+)(?::(\d+))?)?/g,
    (match, copy: string, ...[line1, column1, line2, column2]: Array<string | undefined>) => {
      const block = blocks.find((block) => block.copy === copy)
      if (block === undefined) return match
      const column = column1 ?? column2
      return [block.source, line1 ?? line2 ?? block.line, ...(column ? [Number(column) + block.indent] : [])].join(":")
    }
  )

fs.rmSync(directory, { recursive: true, force: true })
fs.mkdirSync(directory)
for (const { code, copy, line } of blocks) {
  fs.writeFileSync(`${directory}/${copy}`, "\n".repeat(line) + code.join("\n") + "\n")
}
const compilerOptions = {
  noEmit: false,
  rootDir: "..",
  outDir: "out",
  sourceMap: true,
  // `npm run typecheck` already checks the declarations of the dependencies.
  skipLibCheck: true
}
fs.writeFileSync(
  `${directory}/tsconfig.json`,
  JSON.stringify({ extends: "../tsconfig.json", compilerOptions, include: ["*.ts"] })
)

const compiled = await node(["node_modules/typescript/bin/tsc", "--pretty", "false", "-p", directory])
if (compiled.trouble !== "") {
  console.error(restore(compiled.output))
  console.error("\nThe examples do not compile.")
  process.exit(1)
}

// With this manifest beside them, examples that import the package by its name find what was compiled with them.
fs.writeFileSync(`${out}/package.json`, fs.readFileSync("package.json", "utf8").replaceAll("./build/", "./src/"))

const run = async (copy: string) => {
  const file = `${out}/${directory}/${copy.replace(/ts$/, "js")}`
  const first = await node([file], limit)
  if (first.trouble === "") return first
  // Source maps give the lines of the original. Only a failure needs them: Node would read those of all dependencies.
  const again = await node(["--enable-source-maps", file], limit)
  return again.trouble === "" ? first : again
}

const queue = blocks.filter((block) => block.run)
const count = queue.length
let failed = 0
await Promise.all(Array.from({ length: parallel }, async () => {
  for (let block = queue.shift(); block !== undefined; block = queue.shift()) {
    const { output, trouble } = await run(block.copy)
    if (trouble === "") {
      console.log(`ok      ${block.source}:${block.line}${output === "" ? " (printed nothing)" : ""}`)
    } else {
      failed++
      const details = restore(output || "(printed nothing)").replace(/^(?=.)/gm, "        ")
      console.error(`FAILED  ${block.source}:${block.line}: ${trouble}\n${details}`)
    }
  }
}))
console.log(`${blocks.length} examples compiled, ${count} run, ${failed} failed`)
if (failed > 0) process.exit(1)
fs.rmSync(directory, { recursive: true })
