import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual } from "@effect/vitest/utils"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { readFileSync } from "node:fs"
import { text } from "node:stream/consumers"
import { assert } from "vitest"

const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(
  readFileSync("package.json", "utf8")
)

// A script that runs a program of ours ends with it, so that what follows `--` is the program's. Those that are compiled
// first are run from their source here.
const programs = Object.entries(scripts).flatMap(([name, script]) => {
  const program = /(?:tsx (\S+\.ts)|\.bench\/(\S+)\.js)$/.exec(script)
  return program === null ? [] : [[name, program[1] ?? `${program[2]}.ts`] as const]
})

const run = async (program: string, option: string) => {
  const child = spawn(process.execPath, ["--import", "tsx", program, option], { timeout: 60_000 })
  const [stdout, stderr, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
  return { stdout, stderr, status }
}

describe("a program says how it is used, and does nothing else", () => {
  it("all scripts that run one of ours are tried", () => {
    const ours = Object.entries(scripts).filter(([, script]) => /\btsx\b|\.bench\//.test(script)).map(([name]) => name)
    deepStrictEqual(programs.map(([name]) => name), ours)
    assertTrue(programs.length > 10)
  })

  for (const [name, program] of programs) {
    it.concurrent(`npm ${name === "start" ? name : `run ${name}`}`, async () => {
      const asked = await run(program, "--help")
      deepStrictEqual([asked.status, asked.stderr], [0, ""])
      const command = name === "start" ? "npm start" : `npm run ${name}`
      assertTrue(asked.stdout.includes(`${command} --`) || asked.stdout.includes(`${command}:`), asked.stdout)
      assertTrue(asked.stdout.includes("--help, -h"), asked.stdout)
      const mistaken = await run(program, "--no-such-option")
      assert.include(mistaken.stderr, "'--no-such-option'")
      // It prints the same usage, and nothing else.
      assertTrue(mistaken.stderr.endsWith(asked.stdout), mistaken.stderr)
      deepStrictEqual([mistaken.status, mistaken.stdout], [1, ""])
    })
  }
})
