import { expect, it } from "@effect/vitest"
import * as fs from "node:fs"
import * as path from "node:path"
import { pathToFileURL } from "node:url"
import { gzipSync } from "node:zlib"
import type { Page } from "playwright-core"
import { type Climate, daysOf, summarize, usualClimate } from "../src/days.js"
import { compare as send, type Traffic, usualTraffic } from "../src/hedging.js"
import { presets } from "../src/presets.js"
import { programOf } from "../src/program.js"
import { compare, racers } from "../src/rivals.js"
import type { Scenario } from "../src/scenario.js"
import { costOf, daysRowOf, loadLineOf, policyOf, secondOf, streamRowsOf, textOf } from "../src/words.js"
import { describePage, dist } from "./browser.js"
import { underTestClock } from "./scenarios.js"
import { cells, eventsOf, isOver, linkTo, preset, rowsOf } from "./seen.js"

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
    expect(stands.length).toBeGreaterThan(new Set(lines.map(({ at }) => at)).size > 2 ? 2 : 1)
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
    expect(await page.locator("#status").textContent()).toBe("Decided. Still cleaning up: ams and fra.")
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
    await page.getByLabel("at", { exact: true }).selectOption("real speed")
    await page.evaluate(() => {
      const seen = window as unknown as { frames: number; pictures: number }
      seen.frames = 0
      seen.pictures = 0
      new MutationObserver(() => {
        seen.frames = 0
        seen.pictures++
      }).observe(document.querySelector("#picture")!, { childList: true })
      const count = () => {
        seen.frames++
        requestAnimationFrame(count)
      }
      requestAnimationFrame(count)
    })
    await page.getByRole("button", { name: "Run it live" }).click()
    expect(await page.locator("#status").textContent()).toBe(
      "Hangs on 2001:db8::1: nothing is left to start or to end. Interrupt it."
    )
    // It is drawn for as long as there is something to see.
    await page.waitForFunction(() => {
      const { frames, pictures } = window as unknown as { frames: number; pictures: number }
      return pictures > 2 && frames > 20
    })
    await page.keyboard.press("Escape")
    await isOver(page)
    expect((await eventsOf(page)).map(([, tag]) => tag)).toStrictEqual(["Started", "Decided", "Lost"])
    // Its clock has gone on meanwhile.
    const status = await page.locator("#status").textContent()
    expect(Number(/^Interrupted after (\d+) ms\./.exec(status ?? "")?.[1])).toBeGreaterThan(200)
  })

  it("compares with other racers, the same as in Node", async () => {
    for (const { scenario } of presets) {
      const page = await site.open(linkTo(scenario, "compare"))
      expect(await rowsOf(page, "#panel-compare tbody")).toStrictEqual(
        compare(scenario).map((report, i) => [racers[i]!.name, ...costOf(report, scenario)])
      )
    }
  })

  it("compares when that is looked at, with what was edited before", async () => {
    const scenario = preset("slow-replica")
    const page = await site.open(linkTo(scenario))
    expect(await page.locator("#panel-compare tbody tr").count()).toBe(0)
    await page.getByLabel("delay in ms", { exact: true }).fill("9")
    expect(await page.locator("#panel-compare tbody tr").count()).toBe(0)
    await page.getByRole("tab", { name: "Compare" }).click()
    const edited = { ...scenario, delay: { pace: "fixed", millis: 9 } } as const
    expect(await rowsOf(page, "#panel-compare tbody")).toStrictEqual(
      compare(edited).map((report, i) => [racers[i]!.name, ...costOf(report, edited)])
    )
  })

  it("shows beside each picture of the comparison what it cost", async () => {
    const { scenario } = presets[0]
    const page = await site.open(linkTo(scenario, "compare"))
    expect(await page.locator("#panel-compare .load").allTextContents()).toStrictEqual(
      compare(scenario).map((report) => loadLineOf(report, scenario))
    )
    expect(loadLineOf(compare(scenario)[0]!, scenario)).toBe("1 of 4 started, 40 ms of work")
    expect(loadLineOf(compare(scenario)[1]!, scenario)).toBe("4 of 4 started, 175 ms of work")
  })

  it("shows a hundred days as they come out in Node, and others for another seed, delay or number of ill ones", async () => {
    const { scenario } = presets[0]
    const page = await site.open(linkTo(scenario, "days"))
    const expectDays = async (scenario: Scenario, climate: Climate) =>
      expect(await rowsOf(page, "#panel-days tbody")).toStrictEqual(
        summarize(daysOf(scenario, climate)).map((summary) => [summary.racer.name, ...daysRowOf(summary)])
      )
    await expectDays(scenario, usualClimate)
    expect(await page.locator("#panel-days .racer .days i").count()).toBe(4 * 100)
    await page.getByRole("button", { name: "Draw other days" }).click()
    await expectDays(scenario, { ...usualClimate, seed: 2 })
    await page.getByRole("slider", { name: "ill candidates" }).fill("30")
    await expectDays(scenario, { ill: 30, seed: 2 })
    await page.getByLabel("delay in ms", { exact: true }).fill("30")
    await expectDays({ ...scenario, delay: { pace: "fixed", millis: 30 } }, { ill: 30, seed: 2 })
    await page.waitForFunction(() => location.hash.includes("delay=30&ill=30&seed=2"))
  })

  it("shows a stream of hedged requests as it comes out in Node, and runs it live", async () => {
    const page = await site.open(linkTo(presets[0].scenario, "hedging"))
    const expectStream = async (traffic: Traffic) =>
      expect(await rowsOf(page, "#panel-hedging tbody")).toStrictEqual(streamRowsOf(send(traffic)))
    await expectStream(usualTraffic)
    await page.getByRole("slider", { name: "slow answers" }).fill("10")
    await page.getByRole("slider", { name: "budget" }).fill("20")
    await page.getByRole("checkbox", { name: "brown-out" }).check()
    const traffic: Traffic = { slow: 10, budget: 20, brownOut: true }
    await expectStream(traffic)
    expect(await page.locator("#panel-hedging pre").textContent()).toBe(policyOf(20))
    await page.waitForFunction(() => location.hash.includes("slow=10&budget=20&brownOut=on"))

    const stream = send(traffic)
    const gauge = page.getByRole("meter")
    const second = page.getByRole("slider", { name: "second" })
    for (const at of [1, 21, 60]) {
      await second.fill(`${at}`)
      expect(await page.locator("#panel-hedging .controls [role=status]").textContent()).toContain(
        secondOf(stream, at - 1)
      )
      expect(await gauge.evaluate((meter) => (meter as HTMLMeterElement).value)).toBeCloseTo(
        stream.hedged.samples[at - 1]!.tokens!,
        6
      )
    }
    await page.getByRole("button", { name: "Run it live" }).click()
    await expect.poll(async () => Number(await second.inputValue())).toBeLessThan(60)
    await page.getByRole("button", { name: "Stop" }).click()
    expect(Number(await second.inputValue())).toBeLessThan(60)
  })

  it("keeps a race, live or interrupted, while the comparison is looked at", async () => {
    const scenario = preset("slow-replica")
    const candidates = scenario.candidates.map((old) => ({ ...old, result: "hangs", latency: null } as const))
    const page = await site.open(linkTo({ ...scenario, candidates }), { reducedMotion: "reduce" })
    const lookAway = async () => {
      await page.getByRole("tab", { name: "Compare" }).click()
      await page.getByRole("tab", { name: "Race" }).click()
      await page.getByRole("tab", { name: "Compare" }).click()
      await page.goBack()
      await page.getByRole("tab", { name: "Race", selected: true }).waitFor()
    }
    const stand = async () => [await page.locator("#run").textContent(), await page.locator("#status").textContent()]
    await page.getByLabel("at", { exact: true }).selectOption("1/40 speed")
    await page.getByRole("button", { name: "Run it live" }).click()
    await lookAway()
    expect(await stand()).toStrictEqual(["Start again", "Racing on replica a."])

    // What comes meanwhile is in the picture afterwards.
    await page.getByLabel("at", { exact: true }).selectOption("real speed")
    await page.getByRole("tab", { name: "Compare" }).click()
    await page.locator("#events tr").nth(1).waitFor()
    await page.getByRole("tab", { name: "Race" }).click()
    await page.waitForFunction(() => document.querySelector("#picture")?.textContent?.includes("replica b"))

    await page.keyboard.press("Escape")
    await isOver(page)
    const seen = [await stand(), await eventsOf(page)]
    expect(seen[0]).toStrictEqual(["Run it live", expect.stringMatching(/^Interrupted after/)])
    await lookAway()
    expect([await stand(), await eventsOf(page)]).toStrictEqual(seen)
  })

  it("works without a network once it is loaded, and from a file", async () => {
    const use = async (page: Page) => {
      for (const { scenario, title } of presets) {
        await page.getByRole("button", { name: title }).click()
        expect(await eventsOf(page)).toStrictEqual(cells((await underTestClock(scenario)).lines))
      }
      await page.getByRole("tab", { name: "Compare" }).click()
      expect(await page.locator("#panel-compare figcaption").count()).toBe(racers.length)
    }
    const loaded = await site.open()
    await loaded.context().setOffline(true)
    await use(loaded)
    await use(await site.open(pathToFileURL(path.join(dist, "index.html")).href, { offline: true }))
  })

  it("takes less than 150 kB to load, compressed by gzip: the page, its script and its styles", () => {
    const files = ["index.html", ...fs.readdirSync(path.join(dist, "assets")).map((file) => `assets/${file}`)]
    const sizes = files.map((file) => gzipSync(fs.readFileSync(path.join(dist, file)), { level: 9 }).byteLength)
    expect(files.map((file) => path.extname(file)).sort()).toStrictEqual([".css", ".html", ".js"])
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBeLessThan(150_000)
  })

  it("has a card for links to it, with a picture of 1200 by 630 pixels", async () => {
    const page = await site.open()
    const contentOf = (property: string) => page.locator(`meta[property="og:${property}"]`).getAttribute("content")
    expect(await contentOf("title")).toMatch(/^effect-staggered-race/)
    expect(await contentOf("description")).not.toBe("")
    const image = path.basename((await contentOf("image")) ?? "")
    const size = await page.evaluate(async (image) => {
      const { height, width } = await createImageBitmap(await (await fetch(image)).blob())
      return [width, height]
    }, image)
    expect(size).toStrictEqual([1200, 630])
  })
})
