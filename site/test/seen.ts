import type { Page } from "playwright-core"
import { encode, linkOf, type View } from "../src/link.js"
import { presets } from "../src/presets.js"
import type { Scenario } from "../src/scenario.js"
import type { EventLine } from "../src/words.js"

export const linkTo = (scenario: Scenario, view?: View) => encode(linkOf(scenario, view))

export const preset = (id: string) => presets.find((preset) => preset.id === id)!.scenario

/** The rows of a table as text. */
export const rowsOf = (page: Page, selector: string): Promise<ReadonlyArray<ReadonlyArray<string>>> =>
  page.locator(selector).evaluate((body) =>
    Array.from(body.querySelectorAll("tr"), (row) => Array.from(row.children, (cell) => cell.textContent ?? ""))
  )

export const eventsOf = (page: Page) => rowsOf(page, "#events")

/** What the page writes into that table. */
export const cells = (lines: ReadonlyArray<EventLine>) =>
  lines.map(({ at, tag, what, who }) => [`${at} ms`, tag, who === "" ? what : `${who} ${what}`])

export const isOver = (page: Page) =>
  page.waitForFunction(() => document.querySelector("#interrupt")?.getAttribute("aria-disabled") === "true")

export const namesOf = (page: Page) =>
  page.locator(".candidate input[type=text]").evaluateAll((inputs) =>
    inputs.map((input) => (input as HTMLInputElement).value)
  )

/** Runs in the page: the least contrast of its texts, whether it is wider than the window, what is hard to touch. */
export const measure = () => {
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
