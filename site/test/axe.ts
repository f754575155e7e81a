import type axe from "axe-core"
import * as fs from "node:fs"
import { createRequire } from "node:module"
import type { Page } from "playwright-core"

const source = fs.readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8")

/** What keeps some people from using a page, by all rules of axe: the rule, and where it is broken. */
export const violationsOf = async (page: Page): Promise<ReadonlyArray<string>> => {
  await page.evaluate(source)
  return page.evaluate(async () => {
    const { axe: rules } = window as unknown as { readonly axe: typeof axe }
    const { violations } = await rules.run()
    return violations.flatMap(({ id, nodes }) => nodes.map(({ html }) => `${id}: ${html.slice(0, 120)}`))
  })
}
