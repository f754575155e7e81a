import { spawnSync } from "node:child_process"

// Runs the tests of the Node parts, and of clients of other authors, on other versions of Node: `npm run test:nodes`, or
// `npm run test:nodes -- 24`. What is not documented of Node's sockets, and used, has to be the same in all of them. Their
// binaries are packages of npm.

const versions = process.argv.length > 2 ? process.argv.slice(2) : ["20", "22", "24", "26"]

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
