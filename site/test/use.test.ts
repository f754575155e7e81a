import { expect, it } from "@effect/vitest"
import type { Page } from "playwright-core"
import { views } from "../src/link.js"
import { presets } from "../src/presets.js"
import { programOf } from "../src/program.js"
import { describePage } from "./browser.js"
import { isOver, linkTo, measure, namesOf, preset } from "./seen.js"

describePage("the page in use", (site) => {
  it("copies the program", async () => {
    const page = await site.open("", { permissions: ["clipboard-read", "clipboard-write"] })
    await page.getByRole("button", { name: "Copy the program" }).click()
    await page.getByText("Copied.").waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(programOf(presets[0].scenario))
  })

  it("copies the line that installs the library", async () => {
    const page = await site.open("", { permissions: ["clipboard-read", "clipboard-write"] })
    await page.getByRole("button", { name: "Copy", exact: true }).click()
    await page.getByText("Copied.").waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(
      "npm install effect-staggered-race effect@^3.22"
    )
  })

  it("works by keyboard alone", async () => {
    const { scenario } = presets[1]!
    const page = await site.open(linkTo(scenario))
    const focused = () =>
      page.evaluate(() => {
        const { ariaLabel, id, textContent } = document.activeElement ?? document.body
        return ariaLabel ?? (id === "speed" ? id : textContent ?? "")
      })
    const order: Array<string> = []
    const tabTo = async (name: string) => {
      for (let i = 0; i < 60 && order.at(-1) !== name; i++) {
        await page.keyboard.press("Tab")
        order.push(await focused())
      }
      expect(order.at(-1)).toBe(name)
    }
    const { candidates } = scenario

    await tabTo("Race")
    await page.keyboard.press("ArrowRight")
    expect(await page.getByRole("tabpanel", { name: "Compare" }).isVisible()).toBe(true)
    await page.keyboard.press("ArrowLeft")
    await tabTo("latency, candidate 2")
    expect(order).toStrictEqual([
      "Guides",
      "Reference",
      "Repository",
      "Copy",
      "Race",
      ...presets.map(({ title }) => title),
      "Run it live",
      "Interrupt",
      "speed",
      "Copy a link to this race",
      "delay line",
      "name, candidate 1",
      "result, candidate 1",
      "clean-up, candidate 1", // its bar
      "clean-up, candidate 1", // its field
      "remove candidate 1, 2001:db8::1",
      "name, candidate 2",
      "result, candidate 2",
      "latency, candidate 2"
    ])
    // Focus is seen wherever it is.
    expect(await page.evaluate(() => getComputedStyle(document.activeElement!).outlineStyle)).toBe("solid")

    for (const key of ["ArrowRight", "ArrowRight", "ArrowLeft", "Shift+ArrowLeft", "PageUp", "ArrowUp"]) {
      await page.keyboard.press(key)
    }
    const latency = candidates[1]!.latency! + 10 + 10 - 10 - 1 + 100 + 10
    const edited = {
      ...scenario,
      candidates: candidates.map((old, i) => i === 1 ? { ...old, latency } : old)
    }
    expect(await page.locator("#program").textContent()).toBe(programOf(edited))
    expect(await page.locator(".of-latency").nth(1).getAttribute("aria-valuetext")).toBe(`${latency} ms`)
    await page.keyboard.press("Home")
    expect(await page.locator(".of-latency").nth(1).getAttribute("aria-valuenow")).toBe("0")
    await page.keyboard.press("End")
    expect(await page.locator(".of-latency").nth(1).getAttribute("aria-valuenow")).toBe("10000")

    for (let i = 0; i < 60 && await focused() !== "Run it live"; i++) {
      await page.keyboard.press("Shift+Tab")
    }
    await page.keyboard.press("Enter")
    expect(await focused()).toBe("Start again")
    await page.keyboard.press("Tab")
    expect(await focused()).toBe("Interrupt")
    await page.keyboard.press("Space")
    await isOver(page)
    expect(await page.locator("#status").textContent()).toMatch(/^Interrupted after/)
    expect(await focused()).toBe("Interrupt")
  })

  const dragOn = (page: Page) => async (selector: string, by: number) => {
    await page.locator(selector).first().scrollIntoViewIfNeeded()
    const box = (await page.locator(selector).first().boundingBox())!
    const [x, y] = [box.x + box.width / 2, box.y + Math.min(box.height / 2, 14)]
    await page.mouse.move(x, y)
    await page.mouse.down()
    await page.mouse.move(x + by, y, { steps: 5 })
    await page.mouse.up()
  }

  it.each([[1280, 800], [390, 844]])("has a line for the delay, which is dragged: %d by %d", async (width, height) => {
    const page = await site.open(linkTo(preset("slow-replica")), { viewport: { width, height } })
    const lane = (await page.locator(".delay-lane").boundingBox())!
    // The line stands where the bars say that it does.
    expect(lane.x).toBe((await page.locator(".lane").first().boundingBox())!.x)
    expect(lane.width).toBe((await page.locator(".lane").first().boundingBox())!.width)
    await dragOn(page)(".of-delay", 60)
    const delay = Number(await page.getByLabel("delay in ms", { exact: true }).inputValue())
    expect(Math.abs(delay - (95 + 60 * (700 + 120) * 1.05 / lane.width))).toBeLessThanOrEqual(5)
    await page.getByRole("slider", { name: "delay line" }).press("Home")
    expect(await page.getByLabel("delay in ms", { exact: true }).inputValue()).toBe("0")
    await page.getByLabel("delay", { exact: true }).selectOption("exponential")
    await page.getByRole("slider", { name: "delay line" }).press("Home")
    expect(await page.getByLabel("delay in ms", { exact: true }).inputValue()).toBe("1")
    await page.getByLabel("delay", { exact: true }).selectOption("infinite")
    expect(await page.locator(".of-delay").isVisible()).toBe(false)
  })

  it.each([[1280, 800], [390, 844]])(
    "keeps the picture in sight down to the last bar: %d by %d",
    async (width, height) => {
      const page = await site.open(linkTo(preset("mirrors")), { viewport: { width, height } })
      for (const bar of await page.locator(".lane").all()) {
        await bar.evaluate((element) => element.scrollIntoView({ block: "end" }))
        const [picture, lane] = [(await page.locator("#picture").boundingBox())!, (await bar.boundingBox())!]
        expect(picture.y).toBeGreaterThanOrEqual(0)
        expect(lane.y).toBeGreaterThan(picture.y + picture.height)
        expect(lane.y + lane.height).toBeLessThan(height + 1)
      }
      // Further down it is out of the way.
      await page.locator("#program").evaluate((element) => element.scrollIntoView({ block: "start" }))
      expect((await page.locator("#picture").boundingBox())!.y).toBeLessThan(0)
    }
  )

  it("has bars that are dragged, and candidates that come and go", async () => {
    const page = await site.open(linkTo(preset("slow-replica")))
    const drag = dragOn(page)
    const valueOf = async (label: string) => Number(await page.getByLabel(label, { exact: true }).last().inputValue())
    const { width } = (await page.locator(".lane").first().boundingBox())!
    const span = (700 + 120) * 1.05
    await drag(".of-latency", -100)
    expect(Math.abs(await valueOf("latency, candidate 1") - (700 - 100 * span / width))).toBeLessThanOrEqual(5)
    await drag(".of-clean-up", -2000)
    expect(await valueOf("clean-up, candidate 1")).toBe(0)

    await page.getByRole("button", { name: "Add a candidate" }).click()
    expect(await namesOf(page)).toStrictEqual(["replica a", "replica b", "candidate a"])
    await page.getByLabel("name, candidate 3").fill("replica c")
    await page.getByLabel("result, candidate 3").selectOption("hangs")
    expect(await page.getByLabel("latency, candidate 3").last().isDisabled()).toBe(true)
    await page.getByRole("button", { name: "remove candidate 1, replica a" }).click()
    await page.getByRole("button", { name: "remove candidate 1, replica b" }).click()
    expect(await namesOf(page)).toStrictEqual(["replica c"])
    expect(await page.getByRole("button", { name: "remove candidate 1, replica c" }).isDisabled()).toBe(true)
  })

  it("says what is wrong with what was typed, and goes back to what was there", async () => {
    const page = await site.open()
    const field = page.getByLabel("delay in ms", { exact: true })
    await field.fill("10001")
    expect(await page.locator("#trouble").textContent()).toBe(
      "delay in ms: “10001” is not a whole number from 0 to 10000."
    )
    expect(await field.getAttribute("aria-invalid")).toBe("true")
    expect(await page.locator("#program").textContent()).toBe(programOf(presets[0].scenario))
    await field.blur()
    expect([await field.inputValue(), await page.locator("#trouble").textContent()]).toStrictEqual([
      `${presets[0].scenario.delay.millis}`,
      ""
    ])
    await page.getByLabel("name, candidate 1").fill(" ")
    expect(await page.locator("#trouble").textContent()).toBe("name: “ ” is not a name of 1 to 24 characters.")
  })

  it("says what a delay must be where a schedule begins with it", async () => {
    const scenario = { ...preset("slow-replica"), delay: { pace: "exponential", millis: 1 } } as const
    const page = await site.open(linkTo(scenario))
    const field = page.getByLabel("delay in ms", { exact: true })
    await field.fill("0")
    expect(await page.locator("#trouble").textContent()).toBe("delay in ms: “0” is not a whole number from 1 to 10000.")
    await field.blur()
    expect([await field.inputValue(), await page.locator("#trouble").textContent()]).toStrictEqual(["1", ""])
    await page.getByLabel("delay", { exact: true }).selectOption("fixed")
    await field.fill("0")
    expect(await page.locator("#trouble").textContent()).toBe("")
    expect(await page.locator("#program").textContent()).toBe(
      programOf({ ...scenario, delay: { pace: "fixed", millis: 0 } })
    )
  })

  it("takes no name with characters that nobody sees, and shows which they are", async () => {
    const page = await site.open()
    await page.getByLabel("name, candidate 1").fill("a\u202eb")
    expect(await page.locator("#trouble").textContent()).toBe(
      "name: “a\\u{202e}b” has characters that cannot be seen."
    )
    expect(await page.locator("#program").textContent()).toBe(programOf(presets[0].scenario))
  })

  it.each([360, 700, 1280])("has room for names that are one long word, %d pixels wide", async (width) => {
    const mirrors = preset("mirrors")
    const long = (letter: string) => ({
      ...mirrors,
      candidates: mirrors.candidates.map((candidate) => ({ ...candidate, name: letter.repeat(24) }))
    })
    for (const letter of ["W", "漢"]) {
      for (const view of views) {
        const page = await site.open(linkTo(long(letter), view), { viewport: { width, height: 800 } })
        const wide = await page.evaluate(() =>
          [
            document.documentElement,
            ...Array.from(
              document.querySelectorAll(".presets, #status, .events, pre:has(#outcome), .racer strong, .figures")
            )
          ]
            .filter(({ clientWidth, parentElement, scrollWidth }) =>
              scrollWidth > clientWidth || clientWidth > (parentElement?.clientWidth ?? Infinity)
            )
            .map(({ outerHTML }) => outerHTML.slice(0, 80))
        )
        expect(wide).toStrictEqual([])
        await page.context().close()
      }
    }
  })

  it("moves only when something happens, where motion is not wanted", async () => {
    const page = await site.open(linkTo(preset("slow-replica")), { reducedMotion: "reduce" })
    await page.evaluate(() => {
      const seen = window as unknown as { pictures: number }
      seen.pictures = 0
      new MutationObserver(() => seen.pictures++).observe(document.querySelector("#picture")!, { childList: true })
    })
    await page.getByRole("button", { name: "Run it live" }).click()
    await isOver(page)
    const pictures = await page.evaluate(() => (window as unknown as { pictures: number }).pictures)
    // Two starts, the decision, the loser's end, and the race as a whole.
    expect(pictures).toBeLessThanOrEqual(5)
  })

  it.each([["light"], ["dark"]] as const)(
    "can be read and touched on a phone and on a desk: %s",
    async (colorScheme) => {
      for (const width of [360, 1280]) {
        for (const view of views) {
          const page = await site.open(linkTo(preset("mirrors"), view), {
            colorScheme,
            viewport: { width, height: 800 }
          })
          const { least, overflows, small } = await page.evaluate(measure)
          expect({ least: least.ratio >= 4.5 || least, overflows, small }).toStrictEqual({
            least: true,
            overflows: false,
            small: []
          })
        }
      }
    }
  )
})
