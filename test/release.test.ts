import { afterAll, beforeAll, describe, expect, it } from "@effect/vitest"
import { execFile, execFileSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

// A repository of its own, with the files of this one as they are now.
const root = fileURLToPath(new URL("..", import.meta.url))
const clone = fs.mkdtempSync(path.join(os.tmpdir(), "release-"))
const git = (...args: ReadonlyArray<string>) =>
  execFileSync("git", ["-c", "user.name=test", "-c", "user.email=test@example.com", ...args], {
    cwd: clone,
    encoding: "utf8"
  })

beforeAll(() => {
  const files = execFileSync("git", ["ls-files", "--cached", "--others", "--exclude-standard"], {
    cwd: root,
    encoding: "utf8"
  })
  for (const file of files.trim().split("\n").filter((file) => fs.existsSync(path.join(root, file)))) {
    if (file === "node_modules") continue
    fs.cpSync(path.join(root, file), path.join(clone, file))
  }
  git("init", "--quiet")
  fs.appendFileSync(path.join(clone, ".git/info/exclude"), "node_modules\n")
  fs.symlinkSync(fs.realpathSync(path.join(root, "node_modules")), path.join(clone, "node_modules"))
  git("add", "--all")
  git("commit", "--quiet", "--message", "all")
})
afterAll(() => fs.rmSync(clone, { recursive: true, force: true }))

const edit = (file: string, from: RegExp, to: string) => {
  const text = fs.readFileSync(path.join(clone, file), "utf8")
  expect(text).toMatch(from)
  fs.writeFileSync(path.join(clone, file), text.replace(from, to))
}

/** What the command says of the clone after a change, which is then undone. */
const release = async (change: () => void, args: ReadonlyArray<string> = ["--dry-run"]) => {
  const before = git("rev-parse", "HEAD").trim()
  change()
  const env = { ...process.env, ACTIONS_ID_TOKEN_REQUEST_URL: undefined }
  const result = await new Promise<{ readonly failed: boolean; readonly text: string }>((resolve) => {
    execFile("npm", ["run", "release", "--", ...args], { cwd: clone, env }, (error, stdout, stderr) => {
      resolve({ failed: error !== null, text: `${stdout}\n${stderr}` })
    })
  })
  const changelog = fs.readFileSync(path.join(clone, "CHANGELOG.md"), "utf8")
  git("reset", "--quiet", "--hard", before)
  return { ...result, changelog, faults: result.text.match(/(?<=^FAILED {2}).*/gm) ?? [] }
}

/** As {@link release}, of a change that is committed. */
const committed = async (...change: Parameters<typeof edit>) => {
  const { faults } = await release(() => {
    edit(...change)
    git("commit", "--quiet", "--all", "--message", "a change")
  })
  return faults
}

describe("npm run release", () => {
  it("checks a release that is as it should be, and does nothing with --dry-run", async () => {
    const { failed, faults, text } = await release(() => {})
    expect(faults).toEqual([])
    expect(failed).toBe(false)
    expect(text).toMatch(/would run: npm publish [\w-]+-\d+\.\d+\.\d+\.tgz\nwould run: git tag v\d+\.\d+\.\d+\n/)
    expect(git("tag", "--list")).toBe("")
  }, 300_000)

  it("a tree with changes fails", async () => {
    const { failed, faults } = await release(() => fs.appendFileSync(path.join(clone, "src/index.ts"), "\n"))
    expect(faults).toEqual(["the tree has changes that are not committed"])
    expect(failed).toBe(true)
  })

  it("a version that the changelog does not begin with fails", async () => {
    expect(await committed("package.json", /"version": "[^"]+"/, "\"version\": \"9.0.0\"")).toEqual([
      "CHANGELOG.md: the first version has to be \"## [9.0.0] - ...\""
    ])
    expect(await committed("CHANGELOG.md", /^## /m, "## Unreleased\n\n## ")).toHaveLength(1)
  })

  it("a date of the changelog that is none, or is still to come, fails", async () => {
    expect(await committed("CHANGELOG.md", /^(## .* - ).*$/m, "$1soon")).toHaveLength(1)
    expect(await committed("CHANGELOG.md", /^(## .* - ).*$/m, "$12999-01-01")).toHaveLength(1)
  })

  it("--date writes a date into the changelog", async () => {
    const undated = () => edit("CHANGELOG.md", /^(## .* - ).*$/m, "$1Unreleased")
    const { changelog } = await release(undated, ["--date"])
    expect(changelog).toMatch(/^## \[.*\] - \d{4}-\d\d-\d\d$/m)
  })

  it("what is said to be newer than the version fails", async () => {
    const faults = await committed("src/index.ts", /@since \S+/, "@since 99.0.0")
    expect(faults.join()).toMatch(/^src\/index.ts: @since 99.0.0, and the version is \S+$/)
  })

  it("an install line of README.md with another range than the peer's fails", async () => {
    for (const pin of ["effect@^3.1", "effect@^3"]) {
      const [fault] = await committed("README.md", / effect@\^3[.\d]*/, ` ${pin}`)
      expect(fault).toContain(`README.md: ${pin}, and the peer is`)
    }
  })

  it("a package whose origin the registry could not tell fails", async () => {
    expect(await committed("package.json", /"provenance": true/, "\"provenance\": false")).toHaveLength(1)
    expect(await committed("package.json", /git\+https:\/\/github.com\//, "https://example.com/")).toHaveLength(1)
  })

  it("a version that has a tag fails", async () => {
    const { version } = JSON.parse(fs.readFileSync(path.join(clone, "package.json"), "utf8"))
    const { faults } = await release(() => git("tag", `v${version}`))
    expect(faults).toEqual([`there is a tag v${version} already`])
    git("tag", "--delete", `v${version}`)
  })

  it("publishes nothing outside of the workflow, and nothing without a date", async () => {
    const { failed, faults } = await release(() => {}, [])
    expect(faults.join("\n")).toMatch(/only the workflow "Release" can publish/)
    expect(failed).toBe(true)
    expect(git("tag", "--list")).toBe("")
  })
})
