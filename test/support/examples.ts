import * as fs from "node:fs"

/** A block of code in the documentation. */
interface Block {
  readonly source: string
  readonly language: string
  readonly line: number
  readonly indent: number
  readonly code: ReadonlyArray<string>
  readonly copy: string
  readonly run: boolean
}

/** The blocks of code in a page, or in the doc comments of a module. */
export const blocksOf = (source: string): ReadonlyArray<Block> => {
  // In TypeScript, a fence follows the `*` of a doc comment.
  const fence = source.endsWith(".md") ? /^(\s*)(`{3,})([^`]*)$/ : /^(\s*\*\s*)(`{3,})([^`]*)$/
  const blocks: Array<Block> = []
  let open:
    | { line: number; indent: number; ticks: string; info: ReadonlyArray<string>; code: Array<string> }
    | undefined
  for (const [index, text] of fs.readFileSync(source, "utf8").split(/\r?\n/).entries()) {
    const [, prefix = "", ticks = "", info = ""] = fence.exec(text) ?? []
    if (open === undefined) {
      if (ticks !== "") {
        open = { line: index + 1, indent: prefix.length, ticks, info: info.trim().split(/\s+/), code: [] }
      }
    } else if (ticks.length >= open.ticks.length && info.trim() === "") {
      const { code, indent, info: [language = "", ...flags], line } = open
      const copy = `${source.replace(/\.\w+$/, "").replaceAll("/", "-")}-${line}.ts`
      blocks.push({ source, language, line, indent, code, copy, run: !flags.includes("no-run") })
      open = undefined
    } else {
      open.code.push(text.slice(open.indent))
    }
  }
  if (open !== undefined) {
    console.error(`${source}:${open.line}: this block is never closed`)
    process.exit(1)
  }
  return blocks
}

/** The examples in README.md, in `guides/*.md` and in the doc comments of `src/*.ts`. */
export const examples = [
  "README.md",
  ...fs.readdirSync("guides").map((name) => `guides/${name}`),
  ...fs.readdirSync("src").filter((name) => name.endsWith(".ts")).map((name) => `src/${name}`)
].flatMap(blocksOf).filter(({ language }) => language === "ts")
