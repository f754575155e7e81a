import { expect, it } from "@effect/vitest"
import * as fs from "node:fs"
import { type View, views } from "../src/link.js"
import { describePage } from "./browser.js"
import { linkTo, preset } from "./seen.js"

/** The blocks of each view, in reading order. The rest of the page is the same under both tabs. */
const blocks: Readonly<Record<View, ReadonlyArray<string>>> = {
  race: [
    "header",
    ".tabs",
    "#presets",
    "#about",
    "#picture",
    ".controls",
    "#builder",
    "#options",
    "section[aria-labelledby=events-title]",
    "section[aria-labelledby=outcome-title]",
    "section[aria-labelledby=program-title]",
    "footer"
  ],
  compare: ["#panel-compare .racers", "#panel-compare .key", "#panel-compare .figures"],
  days: ["#panel-days .controls", "#panel-days .racers", "#panel-days .key", "#panel-days .figures"],
  hedging: [
    "#panel-hedging .controls",
    ".charts",
    "#panel-hedging .key",
    "#panel-hedging .figures",
    "#panel-hedging pre"
  ]
}

/** The height in pixels, and the share of pixels that differ from the page's background. */
type Look = readonly [height: number, ink: number]

/** `all` is from the top of the first block to the bottom of the last. */
type Looks = Readonly<Record<string, Look>>

const file = new URL("layout.json", import.meta.url)

const recorded: Record<string, Looks> = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, "utf8")) : {}

const record = (name: string, looks: Looks) => {
  recorded[name] = looks
  const pages = Object.entries(recorded).map(([name, looks]) => {
    const lines = Object.entries(looks).map(([block, look]) => `    ${JSON.stringify(block)}: ${JSON.stringify(look)}`)
    return `  ${JSON.stringify(name)}: {\n${lines.join(",\n")}\n  }`
  })
  fs.writeFileSync(file, `{\n${pages.join(",\n")}\n}\n`)
}

/** Fonts differ between machines. A block of few lines differs by a line; that averages out over all of them. */
const tolerance = (block: string) => block === "all" ? 1.25 : 2.5

const isAbout = (seen = NaN, expected = NaN, tolerance: number) =>
  seen < expected * tolerance && expected < seen * tolerance

const pages = views.flatMap((view) =>
  [360, 1280].flatMap((width) =>
    (["light", "dark"] as const).map((colorScheme) => ({
      view,
      width,
      colorScheme,
      name: `${view}-${width}-${colorScheme}`
    }))
  )
)

describePage("the layout of the page", (site) => {
  const open = (view: View, width: number, colorScheme: "light" | "dark") =>
    site.open(linkTo(preset("mirrors"), view), { viewport: { width, height: 800 }, colorScheme })

  // Look at the page before you record: `UPDATE=1 npm run test:site` writes layout.json.
  it.each(pages)("has blocks as high and as full as recorded: $name", async ({ colorScheme, name, view, width }) => {
    const page = await open(view, width, colorScheme)
    const picture = (await page.screenshot({ fullPage: true })).toString("base64")
    const { isDark, looks } = await page.evaluate(measure, { blocks: blocks[view], picture })
    if (process.env["UPDATE"]) {
      record(name, looks)
    }
    expect(isDark).toBe(colorScheme === "dark")
    const expected = recorded[name] ?? {}
    expect(Object.keys(looks)).toStrictEqual(Object.keys(expected))
    const different = Object.entries(looks).filter(([block, look]) =>
      look.some((fact, i) => !isAbout(fact, expected[block]?.[i], tolerance(block)))
    )
    expect(different.map(([block, look]) => ({ block, look, recorded: expected[block] }))).toStrictEqual([])
  })

  it.each([360, 700, 1280].flatMap((width) => views.map((view) => ({ view, width }))))(
    "has its blocks one after the other, and no text over another: $view, $width pixels wide",
    async ({ view, width }) => {
      const page = await open(view, width, "light")
      const { columns, ...faults } = await page.evaluate(arrange, blocks[view])
      expect(faults).toStrictEqual({ clipped: [], disorder: [], overlaps: [] })
      expect(columns).toBe(width === 1280 && view !== "hedging" ? 2 : 1)
    }
  )
})

/** Runs in the page: how each block of its picture looks. */
const measure = async ({ blocks, picture }: {
  readonly blocks: ReadonlyArray<string>
  readonly picture: string
}) => {
  const bytes = Uint8Array.from(atob(picture), (char) => char.charCodeAt(0))
  const bitmap = await createImageBitmap(new Blob([bytes], { type: "image/png" }))
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height).getContext("2d", { willReadFrequently: true })!
  canvas.drawImage(bitmap, 0, 0)
  const background = canvas.getImageData(0, 0, 1, 1).data
  const lookOf = (left: number, top: number, right: number, bottom: number): Look => {
    const { data } = canvas.getImageData(left, top, Math.max(1, right - left), Math.max(1, bottom - top))
    let different = 0
    for (let i = 0; i < data.length; i += 4) {
      const distance = [0, 1, 2].reduce((sum, part) => sum + Math.abs(data[i + part]! - background[part]!), 0)
      different += distance > 60 ? 1 : 0
    }
    return [bottom - top, Number((4 * different / data.length).toFixed(4))]
  }
  const boxes = blocks.map((block) => {
    const { bottom, left, right, top } = document.querySelector(block)!.getBoundingClientRect()
    return [left, top + scrollY, right, bottom + scrollY].map(Math.round) as [number, number, number, number]
  })
  const all = lookOf(
    0,
    Math.min(...boxes.map(([, top]) => top)),
    bitmap.width,
    Math.max(...boxes.map(([, , , bottom]) => bottom))
  )
  return {
    isDark: background[0]! < 128,
    looks: Object.fromEntries([["all", all], ...blocks.map((block, i) => [block, lookOf(...boxes[i]!)])]) as Looks
  }
}

/** Runs in the page: blocks out of order, texts over each other, and texts outside of the window. */
const arrange = (blocks: ReadonlyArray<string>) => {
  const boxOf = (block: string) => document.querySelector(block)!.getBoundingClientRect()
  const disorder = blocks.slice(1).flatMap((block, i) => {
    const [before, after] = [boxOf(blocks[i]!), boxOf(block)]
    return after.top >= before.bottom - 1 || after.left >= before.right - 1 ? [] : [`${blocks[i]} and ${block}`]
  })
  const columns = new Set(
    Array.from(document.querySelectorAll(".columns > section"), (section) => section.getBoundingClientRect().left)
  ).size

  // What is for screen readers alone is clipped, and lies anywhere.
  const isSeen = (element: Element | null): boolean =>
    element === null ||
    element.checkVisibility() && getComputedStyle(element).clipPath === "none" && isSeen(element.parentElement)
  const texts: Array<{ readonly text: string; readonly rect: DOMRect; readonly scrolls: boolean }> = []
  const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT)
  while (walker.nextNode()) {
    const { parentElement, textContent } = walker.currentNode
    const text = textContent?.trim() ?? ""
    if (text !== "" && isSeen(parentElement)) {
      const range = document.createRange()
      range.selectNodeContents(walker.currentNode)
      for (const rect of Array.from(range.getClientRects())) {
        texts.push({ text, rect, scrolls: parentElement?.closest(".scroll") !== null })
      }
    }
  }
  const clipped = texts
    .filter(({ rect, scrolls }) => !scrolls && (rect.left < 0 || rect.right > innerWidth))
    .map(({ text }) => text)
  const overlaps = texts.flatMap((one, i) =>
    texts.slice(i + 1).flatMap((other) => {
      const across = Math.min(one.rect.right, other.rect.right) - Math.max(one.rect.left, other.rect.left)
      const down = Math.min(one.rect.bottom, other.rect.bottom) - Math.max(one.rect.top, other.rect.top)
      // The boxes of two lines of a paragraph overlap where the font is higher than the line.
      return across > 1 && down > Math.min(one.rect.height, other.rect.height) / 3
        ? [`${one.text} | ${other.text}`]
        : []
    })
  )
  return { clipped, columns, disorder, overlaps }
}
