import { expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import { presets } from "../src/presets.js"
import { programOf } from "../src/program.js"
import { runAtOnce } from "../src/run.js"
import { linesOf } from "../src/words.js"
import { describePage } from "./browser.js"
import { scenarios } from "./scenarios.js"
import { cells, eventsOf, linkTo, namesOf, preset } from "./seen.js"

describePage("the address of the page", (site) => {
  it("shows what a link says, and gives that link back, whatever the scenario", async () => {
    const page = await site.open("", { permissions: ["clipboard-read", "clipboard-write"] })
    for (const scenario of FastCheck.sample(scenarios, { seed: 7, numRuns: 12 })) {
      const link = linkTo(scenario)
      await page.goto(site.url + link)
      expect(await page.locator("#bad-link").textContent()).toBe("")
      expect(await namesOf(page)).toStrictEqual(scenario.candidates.map(({ name }) => name))
      expect(await page.locator("#program").textContent()).toBe(programOf(scenario))
      expect(await eventsOf(page)).toStrictEqual(cells(linesOf(runAtOnce(scenario))))
      await page.getByRole("button", { name: "Copy a link to this race" }).click()
      await page.getByText("Copied.").first().waitFor()
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(site.url + link)
    }
  })

  it("takes what names say as text", async () => {
    const scenario = preset("slow-replica")
    const name = "<img src=x onerror=a()>"
    const page = await site.open(linkTo({
      ...scenario,
      candidates: scenario.candidates.map((candidate) => ({ ...candidate, name }))
    }))
    await page.getByRole("tab", { name: "Compare" }).click()
    expect(await page.locator("img").count()).toBe(0)
    expect(await page.locator(".bars .name").first().textContent()).toBe(name)
  })

  it.each([
    ["#v=9&delay=250&candidate=a,succeeds,10,0", "v: “9” is a version that this page does not know, which is 1."],
    ["#v=1&delay=fast&candidate=a,succeeds,10,0", "delay: “fast” is none of exponential, linear, infinite."],
    [
      "#v=1&delay=250&candidate=a,succeeds,<b>,0",
      "candidate 1, latency: “%3Cb%3E” is not a whole number from 0 to 10000."
    ]
  ])("says what is wrong with a bad link, and shows something else: %s", async (fragment, trouble) => {
    const page = await site.open(fragment)
    expect(await page.getByRole("alert").textContent()).toBe(
      `This link cannot be followed. ${trouble} Here is “${presets[0].title}” instead.`
    )
    expect(await namesOf(page)).toStrictEqual(presets[0].scenario.candidates.map(({ name }) => name))
    // The message goes as soon as something else is chosen.
    await page.getByRole("button", { name: presets[1]!.title }).click()
    expect(await page.getByRole("alert").textContent()).toBe("")
  })

  it("goes back and forward through what was chosen, and edits of one thing are one step", async () => {
    const page = await site.open()
    const at = () => page.evaluate(() => location.hash)
    const isAt = (hash: string) => page.waitForFunction((hash) => location.hash === hash, hash)
    const edited = { ...preset("slow-replica"), minDelay: 150 }
    await page.getByRole("button", { name: "A slow replica" }).click()
    await page.getByLabel("minDelay in ms").fill("1")
    await page.getByLabel("minDelay in ms").fill("15")
    await page.getByLabel("minDelay in ms").fill("150")
    await isAt(linkTo(edited))
    await page.getByRole("tab", { name: "Compare" }).click()
    expect(await at()).toBe(linkTo(edited, "compare"))
    await page.goBack()
    await isAt(linkTo(edited))
    expect(await page.getByRole("tab", { name: "Race" }).getAttribute("aria-selected")).toBe("true")
    await page.goBack()
    await isAt(linkTo(preset("slow-replica")))
    expect(await page.getByLabel("minDelay in ms").inputValue()).toBe("0")
    await page.goBack()
    await isAt("")
    expect(await namesOf(page)).toStrictEqual(presets[0].scenario.candidates.map(({ name }) => name))
    await page.goForward()
    await page.goForward()
    await isAt(linkTo(edited))
    expect(await page.locator("#program").textContent()).toBe(programOf(edited))
  })

  it("goes back through what was added and removed one by one", async () => {
    const page = await site.open(linkTo(preset("slow-replica")))
    const add = page.getByRole("button", { name: "Add a candidate" })
    const remove = page.getByRole("button", { name: /^remove candidate 1/ })
    const stands: Array<ReadonlyArray<string>> = [await namesOf(page)]
    for (const button of [add, add, remove, remove]) {
      await button.click()
      stands.push(await namesOf(page))
    }
    expect(stands.map((names) => names.length)).toStrictEqual([2, 3, 4, 3, 2])
    for (const names of stands.slice(0, -1).reverse()) {
      await page.goBack()
      expect(await namesOf(page)).toStrictEqual(names)
    }
  })
})
