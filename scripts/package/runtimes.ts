import * as fs from "node:fs"
import * as path from "node:path"
import { readCommand } from "../command.js"
import { conclude, consumer, root, run } from "./support.js"

const runtimes: Readonly<Record<string, ReadonlyArray<string>>> = {
  node: ["node", "--import", "tsx"],
  bun: ["npm", "exec", "--package=bun@1.4.5", "--", "bun", "run"],
  deno: ["npm", "exec", "--package=deno@2.9.6", "--", "deno", "run", "--allow-all", "--node-modules-dir=manual"]
}

const usage = `npm run test:runtimes -- [RUNTIME...]: runs the packed package on Node, Bun and Deno, installed by npm

Every part must work, except those listed as unsupported, which must fail. README.md names the same parts.

  RUNTIME     default ${Object.keys(runtimes).join(" ")}
  --help, -h  this text`

const { words } = readCommand(usage, {}, { words: true })

/** The parts that a runtime does not support, and why. */
const unsupported: Readonly<Record<string, Readonly<Record<string, string>>>> = {
  bun: {
    "connectionAttempt, an event for each address": "Bun's sockets do not emit the events of addresses that fail",
    "connector, with the fetch of undici": "Bun puts its own module in the place of undici",
    "connector, with the global fetch": "Bun's fetch takes no dispatcher"
  },
  deno: {
    "a certificate that is not trusted is final":
      "Deno does not say in `authorizationError` why it closed the connection",
    "connectionAttempt, an event for each address": "Deno's sockets do not emit the event",
    "connector, with the global fetch": "Deno's fetch takes no dispatcher"
  }
}

const directory = consumer("runtimes")
const program = path.join(directory, "program.ts")
fs.copyFileSync(path.join(root, "scripts/package/program.ts"), program)
fs.copyFileSync(path.join(root, "test/fixtures/tls/happy.test.pem"), path.join(directory, "happy.test.pem"))
// Bun follows the `paths` of the nearest tsconfig.json. Without this file, it would run the sources, not the package.
fs.writeFileSync(path.join(directory, "tsconfig.json"), "{}")

const faults: Array<string> = []
let passed = 0
const names = words.length > 0 ? words : Object.keys(runtimes)
for (const name of names) {
  const [command = "", ...args] = runtimes[name] ?? []
  const { output, status } = run(command, [...args, program], directory)
  const results: ReadonlyArray<{ readonly part: string; readonly error?: string }> = output.split("\n")
    .filter((line) => line.startsWith("{\"part\":"))
    .map((line) => JSON.parse(line))
  if (status !== 0 || !/^end$/m.test(output)) faults.push(`${name}: broke off: ${output}`)
  for (const { error, part } of results) {
    const reason = unsupported[name]?.[part]
    if (error === undefined) passed++
    if ((error === undefined) === (reason === undefined)) {
      console.log(`${name}: ${part}: ${reason === undefined ? "works" : `fails, as ${reason}`}`)
    } else {
      faults.push(`${name}: ${part}: ${error ?? "works, but is listed as unsupported"}`)
    }
  }
}
conclude(faults, `${names.join(", ")}: ${passed} parts work`)
