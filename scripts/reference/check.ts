import * as fs from "node:fs"
import * as path from "node:path"
import * as ts from "typescript"
import { examples } from "../../test/support/examples.js"

const decode = (html: string) =>
  html.replace(
    /&(?:lt|gt|quot|nbsp|#39|#x27|amp);/g,
    (entity) => ({ "&lt;": "<", "&gt;": ">", "&quot;": "\"", "&nbsp;": " ", "&amp;": "&" })[entity] ?? "'"
  )

const all = (text: string, pattern: RegExp) => Array.from(text.matchAll(pattern), ([, group = ""]) => decode(group))

/** Removes white space, because the pages may break lines elsewhere. */
const squeeze = (code: string) => code.replace(/\s+/g, "")

/** The names that an entry point exports. A name of both a value and a type counts twice. */
const exportsOf = (program: ts.Program, file: string): ReadonlyArray<string> => {
  const source = program.getSourceFile(path.resolve(file))
  const symbol = source && program.getTypeChecker().getSymbolAtLocation(source)
  if (symbol === undefined) {
    throw new Error(`${file} has no exports`)
  }
  return program.getTypeChecker().getExportsOfModule(symbol).flatMap(({ flags, name }) => {
    const both = (flags & ts.SymbolFlags.Variable) !== 0 &&
      (flags & (ts.SymbolFlags.Interface | ts.SymbolFlags.TypeAlias)) !== 0
    return both ? [name, name] : [name]
  })
}

/**
 * Checks the pages of a directory, and of the reference in it. Faults are: links to nowhere, requests to other hosts,
 * exports without a page, and examples that no page shows.
 */
export const check = (
  directory: string,
  reference: string,
  modules: ReadonlyArray<string>,
  program: ts.Program
) => {
  const faults: Array<string> = []
  const files = new Map(
    fs.readdirSync(directory, { recursive: true, encoding: "utf8" })
      .filter((file) => fs.statSync(path.join(directory, file)).isFile())
      .map((file) => [file, fs.readFileSync(path.join(directory, file), "utf8")])
  )
  const pages = Array.from(files).filter(([file]) => file.endsWith(".html"))
  const anchors = new Map(Array.from(files, ([file, text]) => [file, new Set(all(text, / id="([^"]*)"/g))]))

  let links = 0
  for (const [file, html] of pages) {
    for (const link of all(html, / (?:href|src)="([^"]*)"/g)) {
      if (/^[a-z]+:/.test(link)) continue
      links++
      const [target = "", anchor = ""] = link.split("#").map(decodeURIComponent)
      const to = target === "" ? file : path.normalize(path.join(path.dirname(file), target))
      if (!files.has(to)) {
        faults.push(`${file}: there is no page ${link}`)
      } else if (anchor !== "" && anchors.get(to)?.has(anchor) !== true) {
        faults.push(`${file}: there is no anchor ${link}`)
      }
    }
    for (
      const tag of html.match(/<(?:script|img|link|iframe|source|use)\b[^>]*(?:src|href)="(?:[a-z]+:)?\/\/[^>]*>/g) ??
        []
    ) {
      faults.push(`${file}: loads from another host: ${tag}`)
    }
  }
  for (const [file, text] of files) {
    for (const request of file.endsWith(".css") ? text.match(/(?:url\(|@import)[^;]*\/\/[^;]*/g) ?? [] : []) {
      faults.push(`${file}: loads from another host: ${request}`)
    }
  }

  const titles = pages.map(([file, html]) => {
    const title = /<h1[^>]*>\w+(?: Alias)? (\w+)/.exec(html.replaceAll("<wbr/>", ""))?.[1]
    return path.relative(reference, path.join(path.dirname(file), title ?? ""))
  })
  const exported = [
    ...exportsOf(program, "src/index.ts"),
    ...modules.flatMap((
      module
    ) => [module, ...exportsOf(program, `src/${module}.ts`).map((name) => `${module}/${name}`)])
  ]
  for (const name of new Set(exported)) {
    const wanted = modules.includes(name) ? 1 : exported.filter((other) => other === name).length
    if (titles.filter((title) => title === name).length !== wanted) {
      faults.push(`${name}: ${wanted} pages should have this title`)
    }
  }

  const shown = new Set(
    pages.flatMap(([, html]) =>
      Array.from(
        html.matchAll(/<code class="ts[^"]*">(.*?)<\/code>/gs),
        ([, code = ""]) => squeeze(decode(code.replace(/<[^>]*>/g, "")))
      )
    )
  )
  for (const { code, line, source } of examples) {
    if (!shown.has(squeeze(code.join("\n")))) {
      faults.push(`${source}:${line}: no page shows this example`)
    }
  }

  const summary = `${pages.length} pages, ${links} links, ${exported.length} exports, ${examples.length} examples: ` +
    `${faults.length} faults`
  return { faults, summary }
}
