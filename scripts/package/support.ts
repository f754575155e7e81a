import { spawnSync } from "node:child_process"
import * as fs from "node:fs"
import * as os from "node:os"
import * as path from "node:path"
import { fileURLToPath } from "node:url"

/** The folder of the project. */
export const root = fileURLToPath(new URL("../..", import.meta.url))

export interface Manifest {
  readonly name: string
  readonly version: string
  readonly exports: Readonly<Record<string, string | { readonly types: string; readonly default: string }>>
  readonly peerDependencies: Readonly<Record<string, string>>
  readonly engines: { readonly node: string }
  readonly repository: { readonly url: string }
  readonly publishConfig: { readonly access: string; readonly provenance: boolean }
}

export const manifest: Manifest = JSON.parse(fs.readFileSync(path.join(root, "package.json"), "utf8"))

/** The entry points: the name that a program imports, and the file in `build`. */
export const entryPoints: ReadonlyArray<{ readonly name: string; readonly file: string }> = Object.entries(
  manifest.exports
).flatMap(([key, target]) =>
  typeof target === "string" ? [] : [{ name: path.posix.join(manifest.name, key), file: target.default }]
)

export interface Ran {
  readonly status: number | null
  readonly output: string
}

// `npm exec` asks before it installs a package, and nobody is there to answer.
export const environment = {
  ...process.env,
  npm_config_yes: "true",
  npm_config_prefer_offline: "true",
  npm_config_audit: "false",
  npm_config_fund: "false",
  NO_COLOR: "1"
}

/** Runs a command and returns what it printed. */
export const run = (command: string, args: ReadonlyArray<string>, cwd: string = root): Ran => {
  const { error, status, stderr, stdout } = spawnSync(command, args, {
    cwd,
    encoding: "utf8",
    maxBuffer: 1 << 26,
    env: environment
  })
  return { status, output: error === undefined ? `${stdout}${stderr}`.trim() : error.message }
}

/** Runs a command, and throws if it fails. */
export const must = (command: string, args: ReadonlyArray<string>, cwd: string = root): string => {
  const { output, status } = run(command, args, cwd)
  if (status !== 0) throw new Error(`${command} ${args.join(" ")} failed:\n${output}`)
  return output
}

/** Creates a folder outside of the project, and deletes it when this process ends. */
export const temporary = (): string => {
  const directory = fs.mkdtempSync(path.join(os.tmpdir(), `${manifest.name}-`))
  process.on("exit", () => fs.rmSync(directory, { recursive: true, force: true }))
  return directory
}

const isBuilt = () => {
  const index = path.join(root, "build/index.js")
  const sources = fs.readdirSync(path.join(root, "src"), { recursive: true, encoding: "utf8" })
  const newest = Math.max(
    ...["package.json", "tsconfig.json", "tsconfig.build.json", "src", ...sources.map((file) => path.join("src", file))]
      .map((file) => fs.statSync(path.join(root, file)).mtimeMs)
  )
  return fs.existsSync(index) && fs.statSync(index).mtimeMs > newest
}

/** Builds the package, unless the build is newer than all of its sources. */
export const upToDate = (): void => {
  if (!isBuilt()) must("npm", ["run", "build"])
}

/** Packs the package as it would be published, and returns the tarball. */
export const pack = (directory: string): string => {
  upToDate()
  must("npm", ["pack", "--pack-destination", directory])
  return path.join(directory, `${manifest.name}-${manifest.version}.tgz`)
}

/**
 * Creates `.package/NAME`, a folder for a program that uses the package. The package is installed there as it would be
 * published. The folder is inside of the project, so the program finds all other packages in the project.
 */
export const consumer = (name: string): string => {
  const directory = path.join(root, ".package", name)
  const installed = path.join(directory, "node_modules", manifest.name)
  fs.rmSync(directory, { recursive: true, force: true })
  fs.mkdirSync(installed, { recursive: true })
  must("tar", ["-xzf", pack(temporary()), "-C", installed, "--strip-components", "1"])
  fs.writeFileSync(path.join(directory, "package.json"), JSON.stringify({ private: true, type: "module" }))
  return directory
}

/** Prints the faults, and makes the process end with status 1 if there are any. */
export const conclude = (faults: ReadonlyArray<string>, summary: string): void => {
  for (const fault of faults) console.error(`FAILED  ${fault}`)
  console.log(`${summary}: ${faults.length} faults`)
  if (faults.length > 0) process.exitCode = 1
}
