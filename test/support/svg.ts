import { createRequire } from "node:module"

// The types of saxes do not compile under `exactOptionalPropertyTypes`.
const { SaxesParser }: { readonly SaxesParser: new() => Parser } = createRequire(import.meta.url)("saxes")

interface Parser {
  on(event: "error", handler: (error: Error) => void): void
  on(event: "opentag", handler: (tag: Pick<Node, "name" | "attributes">) => void): void
  on(event: "closetag", handler: () => void): void
  on(event: "text", handler: (text: string) => void): void
  write(text: string): Parser
  close(): void
}

export interface Node {
  readonly name: string
  readonly attributes: Readonly<globalThis.Record<string, string>>
  readonly children: Array<Node | string>
}

/** Parses XML. Throws if the text is not well-formed. */
export const parse = (xml: string): Node => {
  const parser = new SaxesParser()
  const root: Node = { name: "", attributes: {}, children: [] }
  const open = [root]
  parser.on("error", (error) => {
    throw error
  })
  parser.on("opentag", ({ attributes, name }) => {
    const node: Node = { name, attributes, children: [] }
    open.at(-1)?.children.push(node)
    open.push(node)
  })
  parser.on("closetag", () => void open.pop())
  parser.on("text", (text) => void open.at(-1)?.children.push(text))
  parser.write(xml).close()
  return elements(root)[0] ?? root
}

export const elements = (node: Node): ReadonlyArray<Node> => node.children.filter((child) => typeof child !== "string")

export const all = (node: Node, is: (node: Node) => boolean): ReadonlyArray<Node> =>
  elements(node).flatMap((child) => [...is(child) ? [child] : [], ...all(child, is)])

export const named = (node: Node, name: string) => all(node, (child) => child.name === name)

export const content = (node: Node): string =>
  node.children.map((child) => typeof child === "string" ? child : content(child)).join("")

export const hasClass = ({ attributes }: Node, name: string) => (attributes.class ?? "").split(" ").includes(name)
