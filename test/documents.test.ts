import { describe, expect, it } from "@effect/vitest"
import * as fs from "node:fs"
import { fileURLToPath } from "node:url"

const root = fileURLToPath(new URL("..", import.meta.url))
const read = (file: string) => fs.readFileSync(`${root}/${file}`, "utf8")
const { scripts }: { readonly scripts: Readonly<Record<string, string>> } = JSON.parse(read("package.json"))

/** The commands of a page, without what comes after `--`: `npm start -- HOST PORT`. */
const commandsOf = (page: string) =>
  Array.from(
    read(page).matchAll(/(?<=^|`|&& )npm (?:run ([\w:-]+)|(start|test))(?= *(?:`|--|&&|#|$))/gm),
    ([, run, own]) => run ?? own ?? ""
  )

describe("examples/README.md", () => {
  const programs = fs.readdirSync(`${root}/examples`).filter((file) => file.endsWith(".ts"))

  it("names each program, with the command that runs it", () => {
    const index = read("examples/README.md")
    const linked = Array.from(index.matchAll(/\]\(([^)]+\.ts)\)/g), ([, file]) => file)
    expect(linked.sort()).toEqual(programs.sort())
    for (const program of programs) {
      const row = index.split("\n").find((line) => line.includes(`](${program})`)) ?? ""
      const command = /`npm (?:run )?([\w:]+)/.exec(row)?.[1] ?? ""
      expect(scripts[command]).toBe(`tsx examples/${program}`)
    }
  })
})

describe("CONTRIBUTING.md", () => {
  it("names each command there is, and no other", () => {
    const named = new Set(commandsOf("CONTRIBUTING.md"))
    expect([...named].filter((name) => !(name in scripts))).toEqual([])
    expect(Object.keys(scripts).filter((name) => !named.has(name))).toEqual([])
  })
})

describe("README.md, SECURITY.md and the READMEs of examples and bench", () => {
  it("name only commands that there are", () => {
    for (const page of ["README.md", "SECURITY.md", "examples/README.md", "bench/README.md"]) {
      expect(commandsOf(page).filter((name) => !(name in scripts))).toEqual([])
    }
  })
})
