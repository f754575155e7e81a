import { expect, it } from "@effect/vitest"
import * as FastCheck from "effect/FastCheck"
import * as fs from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { gzipSync } from "node:zlib"
import type { Page } from "playwright-core"
import { encode } from "../../site/src/link.js"
import { presets } from "../../site/src/presets.js"
import { programOf } from "../../site/src/program.js"
import { compare, racers } from "../../site/src/rivals.js"
import type { Scenario } from "../../site/src/scenario.js"
import { costOf, type EventLine, textOf } from "../../site/src/words.js"
import { describePage, dist, rowsOf } from "./browser.js"
import { scenarios, underTestClock } from "./scenarios.js"

const linkTo = (scenario: Scenario, view: "race" | "compare" = "race") => encode({ view, scenario })

const preset = (id: string) => presets.find((preset) => preset.id === id)!.scenario

const cells = (lines: ReadonlyArray<EventLine>) =>
  lines.map(({ at, tag, what, who }) => [`${at} ms`, tag, who === "" ? what : `${who} ${what}`])

const eventsOf = (page: Page) => rowsOf(page, "#events")

const isOver = (page: Page) =>
  page.waitForFunction(() => document.querySelector("#interrupt")?.getAttribute("aria-disabled") === "true")

const names = (page: Page) =>
  page.locator(".candidate input[type=text]").evaluateAll((inputs) =>
    inputs.map((input) => (input as HTMLInputElement).value)
  )

/** Runs in the page: the least contrast of its texts, whether it is wider than the window, what is hard to touch. */
const measure = () => {
  const canvas = document.createElement("canvas").getContext("2d", { willReadFrequently: true })!
  const rgba = (color: string) => {
    canvas.clearRect(0, 0, 1, 1)
    canvas.fillStyle = color
    canvas.fillRect(0, 0, 1, 1)
    return Array.from(canvas.getImageData(0, 0, 1, 1).data)
  }
  const luminance = (color: string) => {
    const [r = 0, g = 0, b = 0] = rgba(color).map((part) =>
      part / 255 <= 0.04045 ? part / 255 / 12.92 : ((part / 255 + 0.055) / 1.055) ** 2.4
    )
    return 0.2126 * r + 0.7152 * g + 0.0722 * b
  }
  const behind = (element: Element): string => {
    for (let at: Element | null = element; at !== null; at = at.parentElement) {
      const paper = at.querySelector(":scope > .paper")
      const color = paper ? getComputedStyle(paper).fill : getComputedStyle(at).backgroundColor
      if (rgba(color)[3] === 255) {
        return color
      }
    }
    return getComputedStyle(document.body).backgroundColor
  }
  const isVisible = (element: Element) => element.getClientRects().length > 0
  let least = { ratio: Infinity, text: "", color: "", on: "" }
  const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (texts.nextNode()) {
    const { parentElement, textContent } = texts.currentNode
    if (parentElement === null || textContent?.trim() === "" || !isVisible(parentElement)) {
      continue
    }
    const style = getComputedStyle(parentElement)
    const color = parentElement instanceof SVGElement ? style.fill : style.color
    const on = behind(parentElement)
    const [dark = 0, light = 0] = [luminance(color), luminance(on)].sort((a, b) => a - b)
    const ratio = (light + 0.05) / (dark + 0.05)
    if (ratio < least.ratio) {
      least = { ratio, text: textContent ?? "", color, on }
    }
  }
  const small = Array.from(document.querySelectorAll("button, input, select, [role=slider]"))
    .filter(isVisible)
    .map((element) => [element.outerHTML.slice(0, 80), element.getBoundingClientRect()] as const)
    .filter(([, { height, width }]) => width < 24 || height < 24)
    .map(([html]) => html)
  return { least, overflows: document.documentElement.scrollWidth > innerWidth, small }
}

describePage("the page", (site) => {
  it.each(presets)("shows and runs live what the library does under TestClock: $id", async ({ scenario, title }) => {
    const { lines, outcome } = await underTestClock(scenario)
    const page = await site.open()
    await page.getByRole("button", { name: title }).click()
    expect(await eventsOf(page)).toStrictEqual(cells(lines))
    expect(await page.locator("#outcome").textContent()).toBe(textOf(outcome!))
    expect(await page.locator("#program").textContent()).toBe(programOf(scenario))

    await page.getByLabel("at", { exact: true }).selectOption("real speed")
    const watched = await page.evaluateHandle(() => {
      const seen: Array<string> = []
      const [events, outcome] = ["#events", "#outcome"].map((id) => document.querySelector(id)!)
      new MutationObserver(() => {
        const stand = `${events!.children.length} ${outcome!.textContent!.startsWith("//") ? "running" : "returned"}`
        if (stand !== seen.at(-1)) {
          seen.push(stand)
        }
      }).observe(events!, { childList: true })
      return seen
    })
    await page.getByRole("button", { name: "Run it live" }).click()
    await isOver(page)
    // Live it came bit by bit, and from the first start on.
    const stands = await watched.jsonValue()
    expect(stands[0]).toBe("1 running")
    expect(stands.at(-1)).toBe(`${lines.length} returned`)
    expect(stands.length).toBeGreaterThan(2)
    expect(await eventsOf(page)).toStrictEqual(cells(lines))
    expect(await page.locator("#outcome").textContent()).toBe(textOf(outcome!))
  })

  it("interrupts a race in its midst as the library does", async () => {
    const scenario = preset("mirrors")
    const page = await site.open(linkTo(scenario))
    await page.getByLabel("at", { exact: true }).selectOption("1/10 speed")
    await page.getByRole("button", { name: "Run it live" }).click()
    await page.locator("#events tr").nth(1).waitFor()
    await page.getByRole("button", { name: "Interrupt" }).click()
    expect(await page.locator("#status").textContent()).toBe("Decided: losers are cleaning up.")
    await isOver(page)

    const status = await page.locator("#status").textContent()
    const at = Number(/^Interrupted after (\d+) ms\./.exec(status ?? "")?.[1])
    const { lines } = await underTestClock(scenario, at)
    expect(lines.some(({ tag, what }) => tag === "Decided" && what.startsWith("the caller was"))).toBe(true)
    expect(await eventsOf(page)).toStrictEqual(cells(lines))
    expect(await page.locator("#outcome").textContent()).toMatch(/^\/\/ None: a race that is interrupted/)
  })

  it("goes on with a race that hangs until it is interrupted", async () => {
    const hanging: Scenario = { ...preset("dead-ipv6"), candidates: preset("dead-ipv6").candidates.slice(0, 1) }
    const page = await site.open(linkTo(hanging))
    expect(await page.locator("#status").textContent()).toMatch(/goes on until it is interrupted/)
    await page.getByRole("button", { name: "Run it live" }).click()
    await page.waitForFunction(() => document.querySelector("#status")?.textContent === "Running.")
    await page.keyboard.press("Escape")
    await isOver(page)
    expect((await eventsOf(page)).map(([, tag]) => tag)).toStrictEqual(["Started", "Decided", "Lost"])
  })

  it("shows what a link says, and gives that link back, whatever the scenario", async () => {
    const page = await site.open("", { permissions: ["clipboard-read", "clipboard-write"] })
    for (const scenario of FastCheck.sample(scenarios, { seed: 7, numRuns: 12 })) {
      const link = linkTo(scenario)
      await page.goto(site.url + link)
      expect(await page.locator("#bad-link").textContent()).toBe("")
      expect(await names(page)).toStrictEqual(scenario.candidates.map(({ name }) => name))
      expect(await page.locator("#program").textContent()).toBe(programOf(scenario))
      expect(await eventsOf(page)).toStrictEqual(cells((await underTestClock(scenario)).lines))
      await page.getByRole("button", { name: "Copy a link to this race" }).click()
      await page.getByText("Copied.").first().waitFor()
      expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(site.url + link)
    }
  })

  it("copies the program", async () => {
    const page = await site.open("", { permissions: ["clipboard-read", "clipboard-write"] })
    await page.getByRole("button", { name: "Copy the program" }).click()
    await page.getByText("Copied.").waitFor()
    expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(programOf(presets[0].scenario))
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
    expect(await names(page)).toStrictEqual(presets[0].scenario.candidates.map(({ name }) => name))
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
    expect(await names(page)).toStrictEqual(presets[0].scenario.candidates.map(({ name }) => name))
    await page.goForward()
    await page.goForward()
    await isAt(linkTo(edited))
    expect(await page.locator("#program").textContent()).toBe(programOf(edited))
  })

  it("works by keyboard alone", async () => {
    const page = await site.open()
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
    const { candidates } = presets[0].scenario

    await tabTo("Race")
    await page.keyboard.press("ArrowRight")
    expect(await page.getByRole("tabpanel", { name: "Compare" }).isVisible()).toBe(true)
    await page.keyboard.press("ArrowLeft")
    await tabTo("latency, candidate 2")
    expect(order).toStrictEqual([
      ...presets.map(({ title }) => title),
      "Race",
      "Run it live",
      "Interrupt",
      "speed",
      "Copy a link to this race",
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
      ...presets[0].scenario,
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

  it("has bars that are dragged, and candidates that come and go", async () => {
    const page = await site.open(linkTo(preset("slow-replica")))
    const drag = async (selector: string, by: number) => {
      await page.locator(selector).first().scrollIntoViewIfNeeded()
      const box = (await page.locator(selector).first().boundingBox())!
      await page.mouse.move(box.x + box.width / 2, box.y + box.height / 2)
      await page.mouse.down()
      await page.mouse.move(box.x + box.width / 2 + by, box.y + box.height / 2, { steps: 5 })
      await page.mouse.up()
    }
    const valueOf = async (label: string) => Number(await page.getByLabel(label, { exact: true }).last().inputValue())
    const { width } = (await page.locator(".lane").first().boundingBox())!
    const span = (700 + 120) * 1.05
    await drag(".of-latency", -100)
    expect(Math.abs(await valueOf("latency, candidate 1") - (700 - 100 * span / width))).toBeLessThanOrEqual(5)
    await drag(".of-clean-up", -2000)
    expect(await valueOf("clean-up, candidate 1")).toBe(0)

    await page.getByRole("button", { name: "Add a candidate" }).click()
    expect(await names(page)).toStrictEqual(["replica a", "replica b", "candidate a"])
    await page.getByLabel("name, candidate 3").fill("replica c")
    await page.getByLabel("result, candidate 3").selectOption("hangs")
    expect(await page.getByLabel("latency, candidate 3").last().isDisabled()).toBe(true)
    await page.getByRole("button", { name: "remove candidate 1, replica a" }).click()
    await page.getByRole("button", { name: "remove candidate 1, replica b" }).click()
    expect(await names(page)).toStrictEqual(["replica c"])
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
    expect([await field.inputValue(), await page.locator("#trouble").textContent()]).toStrictEqual(["250", ""])
    await page.getByLabel("name, candidate 1").fill(" ")
    expect(await page.locator("#trouble").textContent()).toBe("name: “ ” is not a name of 1 to 24 characters.")
  })

  it("compares with other racers, the same as in Node", async () => {
    for (const { scenario } of presets) {
      const page = await site.open(linkTo(scenario, "compare"))
      expect(await rowsOf(page, ".costs tbody")).toStrictEqual(
        compare(scenario).map((report, i) => [racers[i]!.name, ...costOf(report, scenario)])
      )
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
        for (const view of ["race", "compare"] as const) {
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

  it("works without a network once it is loaded, and from a file", async () => {
    const use = async (page: Page) => {
      for (const { scenario, title } of presets) {
        await page.getByRole("button", { name: title }).click()
        expect(await eventsOf(page)).toStrictEqual(cells((await underTestClock(scenario)).lines))
      }
      await page.getByRole("tab", { name: "Compare" }).click()
      expect(await page.locator(".racer figcaption").count()).toBe(racers.length)
    }
    const loaded = await site.open()
    await loaded.context().setOffline(true)
    await use(loaded)
    await use(await site.open(pathToFileURL(path.join(dist, "index.html")).href, { offline: true }))
  })

  it("takes less than 150 kB to load", () => {
    const files = fs.readdirSync(dist, { recursive: true, encoding: "utf8" })
      .map((file) => path.join(dist, file))
      .filter((file) => fs.statSync(file).isFile())
    const sizes = files.map((file) => gzipSync(fs.readFileSync(file), { level: 9 }).byteLength)
    expect(files.length).toBeGreaterThanOrEqual(3)
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000)
  })
})
