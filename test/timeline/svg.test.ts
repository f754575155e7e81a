import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual, throws } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
import { palettes } from "../../src/internal/timeline/svg/style.js"
import { pixels } from "../../src/internal/timeline/svg/xml.js"
import { sizeOf } from "../../src/internal/timeline/words.js"
import * as Timeline from "../../src/Timeline.js"
import { matches } from "../support/golden.js"
import { attempt, outcome, outcomes, text, won, wonBy } from "../support/outcomes.js"
import { scenes } from "../support/pictures.js"
import { all, content, elements, hasClass, named, type Node, parse } from "../support/svg.js"

const race = outcome([attempt({ result: "failed", exit: Exit.fail("no") }), attempt({ index: 1, ...won })], wonBy(1))

const [small, normal, head] = [pixels(11), pixels(12), pixels(15)]

/** The texts of a picture in reading order: the headline, the lanes, the legend. */
const read = (svg: Node) => {
  const lanes = elements(svg).filter((child) => child.name === "g" && named(child, "title").length > 0)
  const texts = elements(svg).filter(({ name }) => name === "text")
  return {
    headline: texts.filter((node) => hasClass(node, "head")).map(content).join(" "),
    lanes: lanes.map((lane) => ({ lane, texts: named(lane, "text").map(content) })),
    gaps: texts.map(content).filter((text) => /^… \d/.test(text)),
    legend: texts.map(content).filter((text) => text in marks)
  }
}

const marks: Readonly<globalThis.Record<string, string>> = {
  "first": "┣",
  "after the delay": "+",
  "after a failure": "!",
  "held back": "·",
  "decided": "┊",
  "winding down": "╌",
  "goes on": "→"
}

const number = (node: Node | undefined, name: string) => Number(node?.attributes[name])

describe("Timeline.toSvg", () => {
  for (const scene of scenes) {
    it.effect(`draws ${scene.name} as it is in the file, wide and narrow`, () =>
      Effect.map(scene.race, (drawable) => {
        for (const width of [720, 400]) {
          const { labels, maxRows, unit } = scene
          matches(
            `${scene.name}-${width}.svg`,
            `${Timeline.toSvg(drawable, { labels, maxRows, unit, width })}\n`
          )
        }
      }))
  }

  it("is well-formed for any outcome, and no text leaves it or overlaps", () => {
    const options = FastCheck.record({
      width: FastCheck.integer({ min: 320, max: 1200 }),
      labels: FastCheck.array(FastCheck.oneof(text, FastCheck.string({ unit: "binary" })), { maxLength: 60 }),
      maxRows: FastCheck.integer({ min: 1, max: 70 }),
      unit: FastCheck.constantFrom("auto" as const, "millis" as const, "seconds" as const),
      title: FastCheck.option(text, { nil: undefined }),
      theme: FastCheck.constantFrom("auto" as const, "light" as const, "dark" as const)
    })
    FastCheck.assert(
      FastCheck.property(outcomes, options, (self, options) => {
        const svg = parse(Timeline.toSvg(self, options))
        const [, , width, height] = (svg.attributes.viewBox ?? "").split(" ").map(Number)
        strictEqual(width, options.width)
        const { gaps, lanes } = read(svg)
        const elided = gaps.reduce((sum, text) => sum + Number(/\d+/.exec(text)?.[0]), 0)
        const pending = lanes.some(({ texts }) => texts[1]?.startsWith("not started")) ? 1 : 0
        strictEqual(elided + lanes.length - pending, self.attempts.length)
        for (const node of all(svg, ({ name }) => ["text", "rect", "circle"].includes(name))) {
          for (const [side, size] of [["x", width], ["y", height], ["cx", width], ["cy", height]] as const) {
            const at = Number(node.attributes[side] ?? 0)
            assertTrue(at >= 0 && at <= (size ?? 0), `${node.name} at ${side} ${node.attributes[side]} of ${size}`)
          }
        }
        const boxes = named(svg, "text").map((node) => {
          const size = sizeOf(content(node), hasClass(node, "head") ? head : hasClass(node, "small") ? small : normal)
          const left = number(node, "x") - (node.attributes["text-anchor"] === "middle" ? size / 2 : 0)
          return { text: content(node), left, right: left + size, y: number(node, "y") }
        }).sort((a, b) => a.y - b.y || a.left - b.left)
        boxes.forEach((box, i) => {
          assertTrue(box.left >= 0 && box.right <= options.width, `${box.text} leaves the picture`)
          const next = boxes[i + 1]
          assertTrue(
            next === undefined || next.y - box.y >= 11 || next.y === box.y && next.left >= box.right ||
              next.left >= box.right || next.right <= box.left,
            `${box.text} overlaps ${next?.text}`
          )
        })
        for (const node of all(svg, ({ name }) => name === "path")) {
          assertTrue(/^M[\d.\s\-MHVhvlmz]+$/.test(node.attributes.d ?? ""), node.attributes.d)
        }
      }),
      { numRuns: 300 }
    )
  })

  it("has the facts of the text, in the same places", () => {
    const columns = 400
    const labels = Array.from({ length: 61 }, (_, i) => `n${i}`)
    FastCheck.assert(
      FastCheck.property(outcomes, FastCheck.integer({ min: 1, max: 70 }), (self, maxRows) => {
        const lines = Timeline.render(self, { width: columns, labels, maxRows }).split("\n")
        const picture = read(parse(Timeline.toSvg(self, { width: 4000, labels, maxRows })))
        const axis = lines.findIndex((line) => /^ +[└├┌│]/.test(line))
        assertTrue(lines.join(" ").startsWith(picture.headline))
        deepStrictEqual(picture.gaps, lines.flatMap((line) => /^…[^)]*\)/.exec(line)?.[0] ?? []))
        if (axis < 0) {
          return strictEqual(picture.lanes.length, 0)
        }
        const left = lines[axis]?.search(/\S/) ?? 0
        const cells = (lines[axis]?.length ?? 0) - left - 1
        const rows = lines.slice(axis + 1).filter((line) => /^n\d/.test(line))
        strictEqual(picture.lanes.length, rows.length)
        rows.forEach((row, i) => {
          const { lane, texts: [label = "", note = ""] } = picture.lanes[i] ?? { lane: parse("<g/>"), texts: [] }
          strictEqual(row.slice(0, left).trim(), label)
          const short = note.replace(/…$/, "")
          assertTrue(row.includes(`  ${short}`) || row.endsWith("…"), `${row} / ${note}`)
          const track = /^M([\d.]+) .*H([\d.]+)$/.exec(
            named(lane, "path").find((node) => hasClass(node, "grid"))?.attributes.d ?? ""
          )
          const [from, to] = [Number(track?.[1]), Number(track?.[2])]
          const bars = named(lane, "rect").filter((node) => hasClass(node, "bar") || hasClass(node, "winding"))
          if (bars.length === 0) {
            return assertTrue(/·/.test(row.slice(left)))
          }
          const start = Math.min(...bars.map((bar) => number(bar, "x")))
          const end = Math.max(...bars.map((bar) => number(bar, "x") + number(bar, "width")))
          const bar = /[┣+!][━█╌┫]*[╳o→]?/.exec(row.slice(left))
          const near = (px: number, cell: number) =>
            assertTrue(
              Math.abs((px - from) / (to - from) * cells - cell) <= 3,
              `${row}\nstarts at ${start}, ends at ${end} of ${from} to ${to}`
            )
          near(start, bar?.index ?? NaN)
          near(end, (bar?.index ?? NaN) + (bar?.[0].length ?? NaN) - 1)
        })
        const key = lines.slice(axis + 1).filter((line) => !/^(n\d|…)/.test(line)).join("  ")
        for (const name of ["first", "after the delay", "after a failure", "decided", "goes on"]) {
          strictEqual(picture.legend.includes(name), key.includes(`${marks[name]} ${name}`), `${name} in ${key}`)
        }
      }),
      { numRuns: 300 }
    )
  })

  it("is looked at by a parser that refuses what is not well-formed", () => {
    for (const xml of ["<a>\x01</a>", "<a>\ufffe</a>", "<a>&</a>", "<a b=\"1\" b=\"2\"/>", "<a><b></a>", "<a/><b/>"]) {
      throws(() => parse(xml))
    }
  })

  it("is an image with a name and a description for who cannot see it", () => {
    const svg = parse(Timeline.toSvg(race, { labels: ["ams", "fra"], id: "one" }))
    deepStrictEqual(
      { role: svg.attributes.role, by: svg.attributes["aria-labelledby"], xmlns: svg.attributes.xmlns },
      { role: "img", by: "one-title one-desc", xmlns: "http://www.w3.org/2000/svg" }
    )
    deepStrictEqual(
      elements(svg).slice(0, 2).map((node) => [node.name, node.attributes.id, content(node)]),
      [
        ["title", "one-title", "winner fra after 100 ms, 2 attempts"],
        [
          "desc",
          "one-desc",
          "winner fra after 100 ms, 2 attempts. ams: started first at 0 ms, ended at 100 ms: failed: no. " +
          "fra: started first at 0 ms, ended at 100 ms: won"
        ]
      ]
    )
    strictEqual(content(named(parse(Timeline.toSvg(race, { title: "a < b\n" })), "title")[0]!), "a < b")
  })

  it("shares no id and no rule of style with another picture, and is the same each time", () => {
    const first = Timeline.toSvg(race)
    strictEqual(first, Timeline.toSvg(race))
    const idsOf = (svg: string) => all(parse(svg), ({ attributes }) => "id" in attributes).map((n) => n.attributes.id)
    const ids = [first, Timeline.toSvg(race, { width: 500 }), Timeline.toSvg(outcome([attempt()]))].map(idsOf)
    strictEqual(new Set(ids.flat()).size, ids.flat().length)
    const svg = parse(Timeline.toSvg(race, { id: "mine" }))
    const style = named(svg, "style").map(content).join("")
    const selectors = style.replace(/@media\([^)]*\)\{/, "").split("}").map((rule) => rule.split("{")[0])
    assertTrue(selectors.filter(Boolean).every((selector) => /^#mine( |$)/.test(selector ?? "")))
    assertTrue(idsOf(Timeline.toSvg(race, { id: "mine" })).every((id) => /^mine-/.test(id ?? "")))
  })

  it("can be read in light and in dark: a contrast of 4.5 to 1 for text, of 3 to 1 for what is drawn", () => {
    const luminance = (color: string) =>
      [1, 3, 5].map((i) => parseInt(color.slice(i, i + 2), 16) / 255)
        .map((c) => c <= 0.04045 ? c / 12.92 : ((c + 0.055) / 1.055) ** 2.4)
        .reduce((sum, c, i) => sum + c * [0.2126, 0.7152, 0.0722][i]!, 0)
    for (const { line: _, paper, ...inks } of Object.values(palettes)) {
      for (const [name, ink] of Object.entries(inks)) {
        const [dark = 0, light = 0] = [luminance(ink), luminance(paper)].sort((a, b) => a - b)
        const contrast = (light + 0.05) / (dark + 0.05)
        assertTrue(
          contrast >= (name === "lost" || name === "link" ? 3 : 4.5),
          `${name} ${ink} on ${paper}: ${contrast}`
        )
      }
    }
    const styleOf = (theme: "auto" | "light" | "dark") =>
      named(parse(Timeline.toSvg(race, { theme })), "style").map(content).join("")
    deepStrictEqual(
      (["auto", "light", "dark"] as const).map((theme) => [
        styleOf(theme).includes("prefers-color-scheme"),
        styleOf(theme).includes(palettes.light.paper),
        styleOf(theme).includes(palettes.dark.paper)
      ]),
      [[true, true, true], [false, true, false], [false, false, true]]
    )
  })

  it("has an axis that goes on to a time at least, where it is told one", () => {
    const span = race.endedAt - race.startedAt
    const decidedAt = (until?: number) => {
      const paths = named(parse(Timeline.toSvg(race, { until })), "path")
      const numbers = (name: string) =>
        (paths.find((path) => hasClass(path, name))?.attributes["d"] ?? "").match(/[\d.]+/g)?.map(Number) ?? []
      const [[x = NaN], [left = NaN, , right = NaN]] = [numbers("decided"), numbers("grid")]
      return Math.round((x - left) / (right - left) * 100)
    }
    const whole = decidedAt()
    deepStrictEqual([0, span / 2, span, span * 2, span * 4].map(decidedAt), [whole, whole, whole, whole / 2, whole / 4])
    assertTrue(whole > 0)
  })

  it("is data-first and data-last", () => {
    strictEqual(pipe(race, Timeline.toSvg({ width: 500 })), Timeline.toSvg(race, { width: 500 }))
    strictEqual(pipe(race, Timeline.toSvg), Timeline.toSvg(race, { width: undefined, id: undefined }))
  })

  it("throws what names the option and the value that make no sense", () => {
    const rejects = (options: Timeline.SvgOptions, message: string) =>
      throws(
        () => Timeline.toSvg(race, options),
        new Cause.IllegalArgumentException(`Timeline: option ${message}`)
      )
    for (const width of [319, 400.5, NaN, Infinity]) {
      rejects({ width }, `"width" must be a whole number of at least 320, got ${width}`)
    }
    for (const until of [-1, NaN, Infinity]) {
      rejects({ until }, `"until" must be a finite number of milliseconds, not negative, got ${until}`)
    }
    rejects({ maxRows: 0 }, "\"maxRows\" must be a whole number of at least 1, got 0")
    rejects({ unit: "hours" as never }, "\"unit\" must be \"auto\" or \"millis\" or \"seconds\", got \"hours\"")
    rejects({ theme: "blue" as never }, "\"theme\" must be \"auto\" or \"light\" or \"dark\", got \"blue\"")
    for (const id of ["", "1a", "a b", "a\"b"]) {
      rejects({ id }, `"id" must be a letter, then letters, digits, - and _, got ${JSON.stringify(id)}`)
    }
  })

  it("draws 200,000 attempts as well", () => {
    const attempts = Array.from({ length: 200_000 }, (_, index) => attempt({ index }))
    strictEqual(read(parse(Timeline.toSvg(outcome(attempts)))).lanes.length, 40)
    assertTrue(Option.isNone(outcome(attempts).winner))
  })
})
