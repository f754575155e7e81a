import * as path from "node:path"
import {
  type CommentDisplayPart,
  DeclarationReflection,
  DefaultTheme,
  DefaultThemeRenderContext,
  JSX,
  type ProjectReflection,
  ReflectionKind,
  type TypeScript
} from "typedoc"
import * as ts from "typescript"

/** Operators are constants with the type of a function, or of several. To a reader they are functions. */
export const describesFunction = (symbol: TypeScript.Symbol, checker: TypeScript.TypeChecker) => {
  if (symbol.valueDeclaration === undefined || !ts.isVariableDeclaration(symbol.valueDeclaration)) {
    return false
  }
  const type = checker.getTypeOfSymbol(symbol)
  return type.getCallSignatures().length > 0 && type.getProperties().length === 0
}

/** The title of an example stands in the paragraph before its tag; here it goes to the tag. */
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

/** What a constant is made of is internal. */
export const hideInitializers = (project: ProjectReflection) => {
  for (const variable of project.getReflectionsByKind(ReflectionKind.Variable)) {
    if (variable.isDeclaration()) {
      delete variable.defaultValue
    }
  }
}

/** Exports whose doc comment has tags alone. */
export const withoutWords = (project: ProjectReflection): ReadonlyArray<string> =>
  project.getReflectionsByKind(ReflectionKind.SomeModule).flatMap((module) =>
    module.isDeclaration()
      ? (module.children ?? []).filter((child) => {
        const comment = child.comment ?? child.signatures?.[0]?.comment
        return !comment?.summary.some(({ text }) => text.trim() !== "")
      }).map((child) => child.getFullName())
      : []
  )

/** What the README and the changelog link to and is not among the pages is in the repository. Pictures are copied. */
export const linkToRepository = (project: ProjectReflection, repository: string) => {
  const documents = project.getReflectionsByKind(ReflectionKind.Document).filter((document) => document.isDocument())
  for (const parts of [project.readme ?? [], ...documents.map(({ content }) => content)]) {
    for (const [index, part] of parts.entries()) {
      if (part.kind !== "relative-link" || part.target === undefined) continue
      const target = project.files.resolve(part.target, project)
      if (typeof target === "string" && !/\.(svg|png)$/.test(target)) {
        const anchor = part.targetAnchor === undefined ? "" : `#${part.targetAnchor}`
        parts[index] = {
          kind: "text",
          text: `${repository}/blob/HEAD/${path.relative(process.cwd(), target)}${anchor}`
        }
      }
    }
  }
}

interface Token {
  type: string
  readonly children: Array<Token> | null
}

interface MarkdownParser {
  readonly core: {
    readonly ruler: {
      readonly push: (name: string, rule: (state: { readonly tokens: ReadonlyArray<Token> }) => void) => void
    }
  }
}

/** Code in a heading is text, as it is left out of the heading's anchor otherwise. */
export const plainHeadings = ({ core }: MarkdownParser) =>
  core.ruler.push("plain_headings", ({ tokens }) => {
    for (const [index, { children }] of tokens.entries()) {
      for (const token of tokens[index - 1]?.type === "heading_open" ? children ?? [] : []) {
        if (token.type === "code_inline") {
          token.type = "text"
        }
      }
    }
  })

class RenderContext extends DefaultThemeRenderContext {
  constructor(...args: ConstructorParameters<typeof DefaultThemeRenderContext>) {
    super(...args)
    const { reflectionTemplate } = this
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
}

/** What an operator is called with, last as well as first, stands before all that is said about it. */
export class Theme extends DefaultTheme {
  override ContextClass = RenderContext
}
