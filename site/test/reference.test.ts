import { beforeAll, expect, it } from "@effect/vitest"
import { execFile } from "node:child_process"
import { promisify } from "node:util"
import type { Locator } from "playwright-core"
import { violationsOf } from "./axe.js"
import { describePage } from "./browser.js"

describePage("the reference beside the page", (site) => {
  // It ends with status 1 if a link leads nowhere, from the page or from the reference.
  beforeAll(
    () =>
      promisify(execFile)(process.execPath, ["--import", "tsx", "scripts/reference/main.ts"]).catch((error) => {
        throw new Error(`${error.stdout}\n${error.stderr}`)
      }),
    180_000
  )

  const pages = ["index", "StaggeredRace", "StaggeredRace/race", "guides/racing", "Hedge/metrics"]

  it.each(pages.flatMap((name) => (["light", "dark"] as const).map((scheme) => [name, scheme] as const)))(
    "breaks no rule of axe: %s, %s",
    async (name, colorScheme) => {
      const page = await site.open(`${site.url}reference/${name}.html`, { colorScheme })
      expect(await violationsOf(page)).toStrictEqual([])
    }
  )

  it("is reached from the page, lists the guides in their order, and leads back", async () => {
    const page = await site.open()
    // A picture that is still under way when the page is left counts as one that failed.
    const follow = async (link: Locator) => {
      await link.click()
      await page.waitForLoadState("networkidle")
    }
    await follow(page.getByRole("link", { name: "Reference" }))
    const list = page.getByRole("navigation", { name: "Pages" })
    expect((await list.getByRole("link").allTextContents()).slice(0, 14)).toStrictEqual([
      "Live page",
      "README",
      "Racing",
      "Happy Eyeballs",
      "Hedging",
      "Replicas",
      "Between machines",
      "Observability",
      "Recipes",
      "Pitfalls",
      "Comparison",
      "Benchmarks",
      "Changelog",
      "StaggeredRace"
    ])
    await follow(list.getByRole("link", { name: "Racing" }))
    expect(await list.locator("[aria-current=page]").textContent()).toBe("Racing")
    await follow(list.getByRole("link", { name: "Live page" }))
    expect(page.url()).toBe(`${site.url}index.html`)
  })
})
