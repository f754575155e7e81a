import { spawnSync } from "node:child_process"
import { readCommand } from "../command.js"

const all = ["20", "22", "24", "26"]

const usage =
  `npm run test:nodes -- [VERSION...]: runs the tests of the Node modules, and of third-party clients, on other versions
of Node

The library uses undocumented parts of Node's sockets. They must be the same in all versions. npm installs each version
of Node from its package.

  VERSION     a version of Node; default ${all.join(" ")}
  --help, -h  this text`

const { words } = readCommand(usage, {}, { words: true })
const versions = words.length > 0 ? words : all

const failed = versions.filter((version) => {
  console.log(`\nNode ${version}`)
  const { status } = spawnSync(
    "npm",
    [
      "exec",
      "--yes",
      `--package=node@${version}`,
      "--",
      "node",
      "node_modules/vitest/vitest.mjs",
      "run",
      "--project",
      "main",
      "--project",
      "clients",
      "test/node",
      "test/clients"
    ],
    { stdio: "inherit" }
  )
  return status !== 0
})

if (failed.length > 0) {
  console.error(`\nfailed on Node ${failed.join(", ")}`)
  process.exitCode = 1
}
