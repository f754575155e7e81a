import * as fs from "node:fs"
import * as path from "node:path"
import { readCommand } from "../command.js"
import { conclude, manifest, must, root, run, temporary } from "../package/support.js"
import {
  changelogFaults,
  newest,
  type Packed,
  pinFaults,
  provenanceFaults,
  sinceFaults,
  type Sources,
  tarballFaults
} from "./checks.js"

const usage = `npm run release -- [options]: checks a release, then publishes it with its provenance and tags it

The workflow "Release" runs it, because only CI can prove where a package comes from.

  --date      writes today's date into the changelog, for you to commit
  --dry-run   checks everything, then prints what it would do
  --help, -h  this text`

const { options: values } = readCommand(usage, { "date": { type: "boolean" }, "dry-run": { type: "boolean" } })
const read = (file: string) => fs.readFileSync(path.join(root, file), "utf8")
const tag = `v${manifest.version}`
const modules = fs.readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
  .filter((file) => file.endsWith(".ts"))
  .map((file) => path.posix.join("src", file))
const sources: Sources = {
  manifest,
  changelog: read("CHANGELOG.md"),
  readme: read("README.md"),
  modules: new Map(modules.map((file) => [file, read(file)]))
}
const isDated = newest(sources.changelog).date !== "Unreleased"

/** The quick checks. They come first, because they fail more often than the slow ones. */
const ofSources = (): ReadonlyArray<string> => [
  ...(must("git", ["status", "--porcelain"]) === "" ? [] : ["the tree has changes that are not committed"]),
  ...(must("git", ["tag", "--list", tag]) === "" ? [] : [`there is a tag ${tag} already`]),
  ...changelogFaults(sources),
  ...sinceFaults(sources),
  ...pinFaults(sources),
  ...provenanceFaults(sources),
  ...(isDated || values["dry-run"] === true ? [] : ["CHANGELOG.md has no date: npm run release -- --date"]),
  ...(process.env["ACTIONS_ID_TOKEN_REQUEST_URL"] !== undefined || values["dry-run"] === true
    ? []
    : ["only the workflow \"Release\" can publish with provenance; here, --dry-run checks"])
]

const release = () => {
  const early = ofSources()
  if (early.length > 0) return conclude(early, `release of ${manifest.version}`)

  must("npm", ["run", "build"])
  must("npm", ["run", "check:package"])
  const directory = temporary()
  const [packed]: ReadonlyArray<{ readonly filename: string; readonly files: ReadonlyArray<Packed> }> = JSON.parse(
    must("npm", ["pack", "--json", "--ignore-scripts", "--pack-destination", directory])
  )
  if (packed === undefined) throw new Error("npm pack packed nothing")
  const faults = [...tarballFaults(packed.files, sources)]
  const tarball = path.join(directory, packed.filename)
  const rehearsal = run("npm", ["publish", tarball, "--dry-run", "--provenance=false"])
  if (rehearsal.status !== 0 || /auto-corrected/.test(rehearsal.output)) faults.push(rehearsal.output)

  const unpacked = packed.files.reduce((sum, { size }) => sum + size, 0)
  console.log(`${packed.filename}: ${packed.files.length} files, ${(unpacked / 1e6).toFixed(2)} MB unpacked`)
  // The tag follows the package, so a version that was not published has no tag.
  const steps = [["npm", "publish", tarball], ["git", "tag", tag], ["git", "push", "origin", tag]] as const
  if (faults.length === 0) {
    if (values["dry-run"] === true && !isDated) console.log("before: npm run release -- --date, and commit it")
    for (const [command, ...args] of steps) {
      const shown = `${command} ${args.map((arg) => path.basename(arg)).join(" ")}`
      console.log(values["dry-run"] === true ? `would run: ${shown}` : `$ ${shown}`)
      if (values["dry-run"] !== true) console.log(must(command, args))
    }
  }
  conclude(faults, `release of ${manifest.version}`)
}

if (values.date === true) {
  const today = new Date().toISOString().slice(0, 10)
  const heading = `## [${manifest.version}] - `
  const dated = sources.changelog.replace(`${heading}Unreleased`, `${heading}${today}`)
  fs.writeFileSync(path.join(root, "CHANGELOG.md"), dated)
} else {
  release()
}
