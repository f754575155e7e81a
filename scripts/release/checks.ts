import type { Manifest } from "../package/support.js"

/** The contents of a release, as texts. Each check is a function of them, and returns the faults that it finds. */
export interface Sources {
  readonly manifest: Manifest
  readonly changelog: string
  readonly readme: string
  /** The modules in `src`, by their paths. */
  readonly modules: ReadonlyMap<string, string>
}

export interface Packed {
  readonly path: string
  readonly size: number
}

/** The heading of the newest version: `## [0.1.0] - 2026-11-26`, or `Unreleased` in the place of the date. */
export const newest = (changelog: string) => {
  const [, version = "", date = ""] = /^## (?:\[(.+?)\] - (.+)|.*)$/m.exec(changelog) ?? []
  return { version, date }
}

export const changelogFaults = ({ changelog, manifest }: Sources): ReadonlyArray<string> => {
  const { date, version } = newest(changelog)
  const heading = `## [${manifest.version}] - `
  if (version !== manifest.version) return [`CHANGELOG.md: the first version has to be "${heading}..."`]
  if (date === "Unreleased") return []
  return /^\d{4}-\d\d-\d\d$/.test(date) && Date.parse(date) <= Date.now()
    ? []
    : [`CHANGELOG.md: "${heading}${date}" needs "Unreleased", or a date that has come, such as 2026-11-26`]
}

const compare = (a: string, b: string) => a.localeCompare(b, "en", { numeric: true })

export const sinceFaults = ({ manifest, modules }: Sources): ReadonlyArray<string> =>
  Array.from(modules).flatMap(([file, text]) =>
    Array.from(text.matchAll(/@since (\S+)/g), ([, since = ""]) => since)
      .filter((since) => !/^\d+\.\d+\.\d+$/.test(since) || compare(since, manifest.version) > 0)
      .map((since) => `${file}: @since ${since}, and the version is ${manifest.version}`)
  )

/** `effect@^3.22` is a good pin for the peer `^3.22.0`. A pin of one number, such as `^3`, would let older ones in. */
export const pinFaults = ({ manifest, readme }: Sources): ReadonlyArray<string> =>
  Object.entries(manifest.peerDependencies).flatMap(([name, range]) =>
    Array.from(readme.matchAll(new RegExp(`(?<=[\\s\`])${name}@([^\\s\`]+)`, "g")), ([, pin = ""]) => pin)
      .filter((pin) => !/\d\.\d/.test(pin) || !`${range}.`.startsWith(`${pin}.`))
      .map((pin) => `README.md: ${name}@${pin}, and the peer is ${range}`)
  )

/** The registry needs these fields to prove where a package comes from. */
export const provenanceFaults = ({ manifest: { publishConfig, repository } }: Sources): ReadonlyArray<string> => [
  ...(/^git\+https:\/\/github\.com\/[\w.-]+\/[\w.-]+\.git$/.test(repository.url)
    ? []
    : [`package.json: repository.url is ${repository.url}`]),
  ...(publishConfig.access === "public" && publishConfig.provenance
    ? []
    : ["package.json: publishConfig needs access \"public\" and provenance true"])
]

const kinds: ReadonlyArray<RegExp> = [
  /^(package\.json|README\.md|LICENSE|CHANGELOG\.md)$/,
  /^build\/[\w/]+\.(js|d\.ts)(\.map)?$/,
  /^src\/[\w/]+\.ts$/
]
/** Limits in bytes, a little above today's sizes, so that nobody publishes a bundle or a picture by accident. */
const [largest, most] = [100_000, 2_500_000]

export const tarballFaults = (files: ReadonlyArray<Packed>, { manifest, modules }: Sources): ReadonlyArray<string> => {
  const paths = new Set(files.map(({ path }) => path))
  const built = Array.from(modules.keys(), (file) => file.replace(/^src\/(.*)\.ts$/, "build/$1"))
  const entries = Object.values(manifest.exports).flatMap((target) =>
    typeof target === "string" ? [target] : [target.default, target.types]
  )
  const wanted = [
    "README.md",
    "LICENSE",
    "CHANGELOG.md",
    ...entries.map((file) => file.replace(/^\.\//, "")),
    ...modules.keys(),
    ...built.flatMap((file) => [`${file}.js`, `${file}.d.ts`, `${file}.js.map`, `${file}.d.ts.map`])
  ]
  const unpacked = files.reduce((sum, { size }) => sum + size, 0)
  return [
    ...wanted.filter((path) => !paths.has(path)).map((path) => `the tarball lacks ${path}`),
    ...files.filter(({ path }) => !kinds.some((kind) => kind.test(path))).map(({ path }) => `the tarball has ${path}`),
    ...files.filter(({ size }) => size > largest).map(({ path, size }) => `${path} has ${size} bytes`),
    ...(unpacked > most ? [`the tarball unpacks to ${unpacked} bytes`] : [])
  ]
}
