import { expect, it } from "@effect/vitest"
import { encode, linkOf, type View, views } from "../src/link.js"
import { presets, standard } from "../src/presets.js"
import { violationsOf } from "./axe.js"
import { describePage } from "./browser.js"
import { linkTo, preset } from "./seen.js"

const schemes = ["light", "dark"] as const

describePage("the page for everybody", (site) => {
  const shows = views.flatMap((view) => schemes.map((colorScheme) => ({ view, colorScheme })))

  it.each(shows)("breaks no rule of axe, whatever the preset: $view, $colorScheme", async ({ colorScheme, view }) => {
    const page = await site.open("", { colorScheme })
    await page.locator(`#tab-${view}`).click()
    for (const { scenario, title } of view === "hedging" ? [standard] : presets) {
      if (view !== "hedging") {
        await page.getByRole("button", { name: title, exact: true }).click()
      }
      expect([scenario, await violationsOf(page)]).toStrictEqual([scenario, []])
    }
  })

  it.each(schemes)(
    "breaks none on a phone, in a brown-out, while a race hangs, and with a bad link: %s",
    async (colorScheme) => {
      const alone = { ...preset("dead-ipv6"), candidates: preset("dead-ipv6").candidates.slice(0, 1) }
      const brownOut = { ...linkOf(standard.scenario, "hedging"), traffic: { slow: 4, budget: 5, brownOut: true } }
      for (const link of [linkTo(preset("mirrors")), linkTo(alone), encode(brownOut), "#v=9"]) {
        const page = await site.open(link, { colorScheme, viewport: { width: 390, height: 844 } })
        if (link === linkTo(alone)) {
          await page.getByRole("button", { name: "Run it live" }).click()
        }
        expect([link, await violationsOf(page)]).toStrictEqual([link, []])
      }
    }
  )

  it.each<View>([...views])("has headings in order, and a name for each of its landmarks: %s", async (view) => {
    const page = await site.open(linkTo(standard.scenario, view))
    const { headings, names } = await page.evaluate(() => ({
      headings: Array.from(document.querySelectorAll("h1, h2, h3, h4"))
        .filter((heading) => heading.checkVisibility())
        .map(({ tagName }) => Number(tagName.slice(1))),
      names: Array.from(document.querySelectorAll("nav, section, [role=tabpanel]"))
        .filter((landmark) => landmark.checkVisibility())
        .map((landmark) =>
          landmark.getAttribute("aria-label") ??
            document.getElementById(landmark.getAttribute("aria-labelledby") ?? "")?.textContent ?? ""
        )
    }))
    expect(headings[0]).toBe(1)
    expect(headings.filter((level, i) => level > (headings[i - 1] ?? 0) + 1)).toStrictEqual([])
    expect(names.every((name) => name !== "")).toBe(true)
    expect(new Set(names).size).toBe(names.length)
  })
})
