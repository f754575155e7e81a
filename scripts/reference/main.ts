import * as fs from "node:fs"
import { Application, Context, Converter, PageEvent, type TypeDocOptions } from "typedoc"
import { readCommand } from "../command.js"
import {
  accessible,
  describesFunction,
  hideInitializers,
  linkToRepository,
  nameDocuments,
  nameExamples,
  readable,
  Router,
  Theme,
  withoutWords
} from "./adapt.js"
import { check } from "./check.js"

readCommand(
  `npm run build:site: builds the live page and the reference in site/dist

The reference has the doc comments, the README, the guides and the changelog as pages.

  --help, -h  this text

Ends with status 1 on any warning: a link to nowhere, an export without a doc comment, an unknown tag, an export without
a page, an example that is not shown.`,
  {}
)

const site = "site/dist"
const reference = "reference"

const manifest: { readonly exports: Record<string, unknown>; readonly repository: { readonly url: string } } = JSON
  .parse(fs.readFileSync("package.json", "utf8"))
const repository = manifest.repository.url.replace(/^git\+/, "").replace(/\.git$/, "")

/** The entry points, each a module. The barrel is left out, because it only names some of them. */
const modules = Object.keys(manifest.exports).filter((name) => name !== "." && name !== "./package.json").map((name) =>
  name.slice(2)
)
/** The modules that others build on come first. */
const order = ["StaggeredRace", "Timeline", "HappyEyeballs", "Hedge", "Replicas"]
const rank = (name: string) => order.includes(name) ? order.indexOf(name) : order.length
modules.sort((a, b) => rank(a) - rank(b))

const options: TypeDocOptions = {
  name: "effect-staggered-race",
  includeVersion: true,
  entryPoints: modules.map((name) => `src/${name}.ts`),
  tsconfig: "tsconfig.build.json",
  // `npm run typecheck` already reports these errors.
  skipErrorChecking: true,
  excludeExternals: true,
  excludeInternal: true,
  disableSources: true,
  projectDocuments: ["guides/*.md", "CHANGELOG.md"],
  requiredToBeDocumented: ["Variable", "Function", "Class", "Interface", "Method", "TypeAlias"],
  // The prose is on the exports themselves, not on the types of their constructors.
  intentionallyNotDocumented: ["NodeHappyEyeballs.HttpAgent.__type", "NodeHappyEyeballs.HttpsAgent.__type"],
  validation: {
    notExported: true,
    notDocumented: true,
    invalidLink: true,
    invalidPath: true,
    rewrittenLink: true,
    unusedMergeModuleWith: true
  },
  treatWarningsAsErrors: true,
  router: "places",
  sort: ["source-order"],
  sortEntryPoints: false,
  categorizeByGroup: false,
  categoryOrder: [
    "racing",
    "connecting",
    "hedging",
    "rendering",
    "clients",
    "sockets",
    "http",
    "without Effect",
    "constructors",
    "delays",
    "budgets",
    "*",
    "context",
    "services",
    "models",
    "errors",
    "symbols"
  ],
  navigationLinks: { Repository: repository },
  useFirstParagraphOfCommentAsSummary: true,
  includeHierarchySummary: false,
  headings: { readme: false },
  searchInComments: true,
  searchInDocuments: true,
  markdownItLoader: readable,
  customCss: "scripts/reference/style.css",
  favicon: "scripts/reference/favicon.svg",
  githubPages: false,
  hideGenerator: true
}

const app = await Application.bootstrap(options)
app.renderer.defineTheme("operators", Theme)
app.options.setValue("theme", "operators")
app.renderer.defineRouter("places", Router)
app.renderer.on(PageEvent.END, (page) => {
  page.contents = accessible(page.contents ?? "")
})

const { getComment } = Context.prototype
Context.prototype.getComment = function(symbol, kind) {
  const comment = getComment.call(this, symbol, kind)
  if (describesFunction(symbol, this.checker)) {
    comment?.modifierTags.add("@function")
  }
  return comment
}
app.converter.on(Converter.EVENT_RESOLVE_BEGIN, ({ project }) => {
  nameDocuments(project)
  nameExamples(project)
  hideInitializers(project)
})

const project = await app.convert()
if (project === undefined) {
  process.exit(1)
}
linkToRepository(project, repository)
app.validate(project)
await app.generateDocs(project, `${site}/${reference}`)

const failed = app.logger.hasErrors() || app.logger.hasWarnings()
const [{ program } = { program: undefined }] = app.getEntryPoints() ?? []
if (program === undefined) {
  process.exit(1)
}
const { faults, summary } = check(site, reference, modules, program)
const wordless = withoutWords(project)
for (const fault of [...wordless.map((name) => `${name}: its doc comment has no text`), ...faults]) {
  console.error(fault)
}
console.log(summary)
if (failed || wordless.length > 0 || faults.length > 0) {
  process.exit(1)
}
