import * as path from "node:path"
import {
  type CommentDisplayPart,
  DeclarationReflection,
  DefaultTheme,
  DefaultThemeRenderContext,
  type DocumentReflection,
  JSX,
  type PageEvent,
  type ProjectReflection,
  type Reflection,
  ReflectionKind,
  StructureRouter,
  type TypeScript
} from "typedoc"
import * as ts from "typescript"

/** Whether a constant is a function to a reader: an operator is a constant whose type has call signatures. */
export const describesFunction = (symbol: TypeScript.Symbol, checker: TypeScript.TypeChecker) => {
  if (symbol.valueDeclaration === undefined || !ts.isVariableDeclaration(symbol.valueDeclaration)) {
    return false
  }
  const type = checker.getTypeOfSymbol(symbol)
  return type.getCallSignatures().length > 0 && type.getProperties().length === 0
}

/** Moves the title of an example from the paragraph before the tag to the tag, where TypeDoc shows it. */
export const nameExamples = (project: ProjectReflection) => {
  for (const { comment } of Object.values(project.reflections)) {
    let before: Array<CommentDisplayPart> = comment?.summary ?? []
    for (const tag of comment?.blockTags ?? []) {
      const last = before.at(-1)
      const [paragraph, title] = /\s*\*\*Example\*\* \(([^)]*)\)\s*$/.exec(last?.text ?? "") ?? []
      if (tag.tag === "@example" && last?.kind === "text" && paragraph !== undefined && title !== undefined) {
        tag.name = title.charAt(0).toUpperCase() + title.slice(1)
        last.text = last.text.slice(0, -paragraph.length)
      }
      before = tag.content
    }
  }
}

/** Hides the initializers of constants, because they are internal. */
export const hideInitializers = (project: ProjectReflection) => {
  for (const variable of project.getReflectionsByKind(ReflectionKind.Variable)) {
    if (variable.isDeclaration()) {
      delete variable.defaultValue
    }
  }
}

/** The names of exports whose doc comment has tags but no text. */
export const withoutWords = (project: ProjectReflection): ReadonlyArray<string> =>
  project.getReflectionsByKind(ReflectionKind.SomeModule).flatMap((module) =>
    module.isDeclaration()
      ? (module.children ?? []).filter((child) => {
        const comment = child.comment ?? child.signatures?.[0]?.comment
        return !comment?.summary.some(({ text }) => text.trim() !== "")
      }).map((child) => child.getFullName())
      : []
  )

/** The guides in reading order. The changelog and any other document come after them. */
const guides = [
  "racing",
  "happy-eyeballs",
  "hedging",
  "replicas",
  "between-machines",
  "observability",
  "recipes",
  "pitfalls",
  "comparison",
  "benchmarks"
].map((name) => `guides/${name}`)

/** The path of each document's page. The pages lie beside each other as the files do, so relative links work. */
const places = new WeakMap<Reflection, string>()

const rankOf = (document: DocumentReflection): number => {
  const rank = guides.indexOf(places.get(document) ?? "")
  return rank < 0 ? guides.length : rank
}

/** Replaces the names of documents, which are file names, by their titles. */
export const nameDocuments = ({ documents = [] }: ProjectReflection) => {
  for (const document of documents) {
    const [, title] = /^# (.+)$/m.exec(document.content[0]?.text ?? "") ?? []
    places.set(document, document.name)
    document.name = title ?? document.name
  }
  documents.sort((a, b) => rankOf(a) - rankOf(b))
}

export class Router extends StructureRouter {
  override getIdealBaseName(reflection: Reflection) {
    return places.get(reflection) ?? super.getIdealBaseName(reflection)
  }
}

/** Turns links to files without a page into links to the repository. TypeDoc copies pictures beside the pages. */
export const linkToRepository = (project: ProjectReflection, repository: string) => {
  const documents = (project.documents ?? []).map((document) => ({
    parts: document.content,
    readme: path.posix.relative(path.posix.dirname(places.get(document) ?? ""), "index.html")
  }))
  for (const { parts, readme } of [{ parts: project.readme ?? [], readme: "index.html" }, ...documents]) {
    for (const [index, part] of parts.entries()) {
      if (part.kind !== "relative-link" || part.target === undefined) continue
      const target = project.files.resolve(part.target, project)
      const anchor = part.targetAnchor === undefined ? "" : `#${part.targetAnchor}`
      if (typeof target === "string" && !/\.(svg|png)$/.test(target)) {
        const file = path.relative(process.cwd(), target)
        parts[index] = { kind: "text", text: `${repository}/blob/HEAD/${file}${anchor}` }
      } else if (target === project) {
        // TypeDoc links to the folder of that page. When the pages are opened as files, a browser lists the folder.
        parts[index] = { kind: "text", text: `${readme}${anchor}` }
      }
    }
  }
}

interface Token {
  type: string
  tag: string
  readonly content: string
  readonly children: Array<Token> | null
}

interface MarkdownParser {
  readonly renderer: { readonly rules: Record<string, () => string> }
  readonly core: {
    readonly ruler: {
      readonly push: (name: string, rule: (state: { readonly tokens: ReadonlyArray<Token> }) => void) => void
    }
  }
}

/**
 * Adapts Markdown. Code in a heading becomes text, because TypeDoc leaves code out of the anchor. An empty head of a
 * table becomes a plain cell. A wide table scrolls in its own box, also with the keyboard.
 */
export const readable = ({ core, renderer }: MarkdownParser) => {
  core.ruler.push("readable", ({ tokens }) => {
    for (const [index, { children, content }] of tokens.entries()) {
      const before = tokens[index - 1]
      const after = tokens[index + 1]
      for (const token of before?.type === "heading_open" ? children ?? [] : []) {
        if (token.type === "code_inline") {
          token.type = "text"
        }
      }
      if (before?.type === "th_open" && after?.type === "th_close" && content === "") {
        before.tag = after.tag = "td"
      }
    }
  })
  renderer.rules["table_open"] = () =>
    "<div class=\"table\" role=\"group\" aria-label=\"Table\" tabindex=\"0\"><table>\n"
  renderer.rules["table_close"] = () => "</table></div>\n"
}

/**
 * Makes a page of the default theme accessible. It adds named landmarks and heading levels without gaps, and removes
 * links inside of what opens and closes a section. It also shows the page at once: the theme hides it until it has built
 * its list of pages, but our list is already there.
 */
export const accessible = (html: string): string => {
  let level = 0
  return html
    .replace("document.body.style.display=\"none\";", "")
    .replace("<div class=\"col-content\">", "<div class=\"col-content\" role=\"main\">")
    .replace("<div class=\"col-sidebar\">", "<div class=\"col-sidebar\" role=\"complementary\" aria-label=\"Sidebar\">")
    .replace("<nav id=\"tsd-sidebar-links\"", "$& aria-label=\"Links\"")
    .replace(
      /<summary\b.*?<\/summary>/gs,
      (summary) => summary.replace(/<a\b[^>]*class="tsd-anchor-icon".*?<\/a>/gs, "")
    )
    .replace(/<h([1-6])\b/g, (heading, digit) => {
      const follows = Math.min(Number(digit), level + 1)
      level = follows
      return follows === Number(digit) ? heading : `${heading} aria-level="${follows}"`
    })
}

class RenderContext extends DefaultThemeRenderContext {
  constructor(...args: ConstructorParameters<typeof DefaultThemeRenderContext>) {
    super(...args)
    const { reflectionTemplate } = this
    this.navigation = (page) => this.list(page)
    this.reflectionTemplate = (page) => {
      const body = reflectionTemplate(page)
      const signatures = page.model instanceof DeclarationReflection ? page.model.signatures ?? [] : []
      if (signatures.length < 2) {
        return body
      }
      const titles = signatures.map((signature) =>
        JSX.createElement("div", { class: "tsd-signature" }, this.memberSignatureTitle(signature))
      )
      return JSX.createElement(
        JSX.Fragment,
        null,
        JSX.createElement("section", { class: "tsd-panel" }, ...titles),
        body
      )
    }
  }

  /** The list of documents and modules. The module of the current page also lists its exports. */
  private list({ model, project }: PageEvent<Reflection>): JSX.Element {
    const link = (href: string, text: string, isCurrent = false) =>
      JSX.createElement("li", null, JSX.createElement("a", { href, ...isCurrent && { "aria-current": "page" } }, text))
    const pages = (of: ReadonlyArray<Reflection>) =>
      of.map((page) => link(this.urlTo(page) ?? "", page.name, page === model))
    const section = (title: string, ...items: ReadonlyArray<JSX.Element>) =>
      JSX.createElement(
        JSX.Fragment,
        null,
        JSX.createElement("p", { class: "list-title" }, title),
        JSX.createElement("ul", null, ...items)
      )
    const isWithin = (module: Reflection) => model === module || model.parent === module
    const modules = (project.children ?? []).map((module) =>
      JSX.createElement(
        JSX.Fragment,
        null,
        ...pages([module]),
        ...isWithin(module)
          ? (module.categories ?? []).map(({ children, title }) =>
            JSX.createElement("li", { class: "category" }, section(title, ...pages(children)))
          )
          : []
      )
    )
    return JSX.createElement(
      "nav",
      { class: "tsd-navigation list", "aria-label": "Pages" },
      JSX.createElement(
        "ul",
        null,
        link(this.relativeURL("../index.html"), "Live page"),
        link(this.relativeURL("index.html"), "README")
      ),
      section("Guides", ...pages(project.documents ?? [])),
      section("Modules", ...modules)
    )
  }
}

/** Shows all signatures of an operator, data-first and data-last, before its description. */
export class Theme extends DefaultTheme {
  override ContextClass = RenderContext
}
