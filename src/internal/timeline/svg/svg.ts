import * as Hash from "effect/Hash"
import type { SvgOptions, Unit } from "../../../Timeline.js"
import { drawBar, drawPending, legendOf } from "../facts.js"
import { axis, type Gap, type Layout, layout, type Pending, type Row } from "../layout.js"
import type { Drawable } from "../running.js"
import { check, clean, fit, flow, sizeOf, units, widest } from "../words.js"
import { styleOf } from "./style.js"
import { element, pixels, text } from "./xml.js"

const small = pixels(11)
const normal = pixels(12)
// Bold text is about 12 % wider.
const strong = pixels(12 * 1.12)
const large = pixels(15 * 1.12)

/** The least width at which labels and notes stand beside their lanes, not above them. */
const wide = 600

/** @internal */
export const toSvg = (self: Drawable, options: SvgOptions = {}): string => {
  const { id, labels = [], maxRows = 40, theme = "auto", title, unit = "auto", until = 0, width = 720 } = options
  check.whole("width", width, 320)
  check.whole("maxRows", maxRows, 1)
  check.oneOf("unit", unit, units)
  check.that(until >= 0 && until < Infinity, "until", until, "a finite number of milliseconds, not negative")
  check.oneOf("theme", theme, ["auto", "light", "dark"])
  check.that(
    id === undefined || /^[A-Za-z][\w-]*$/.test(id),
    "id",
    id,
    "a letter, then letters, digits, - and _"
  )
  const room = width < wide ? width * 0.4 : width * 0.27
  const names = labels.map((label) => fit(clean(label), room, normal))
  const facts = layout(self, { labels: names, maxRows, unit })
  const span = Math.max(facts.span, until)
  const headline = facts.headline.join(", ")
  const name = (title === undefined ? "" : clean(title)) || headline
  const desc = [headline, ...facts.rows.map((row) => sentenceOf(row, facts))].join(". ")
  const write = (id: string) => {
    const { body, height } = draw(facts, span, width, unit, id)
    const attributes = {
      xmlns: "http://www.w3.org/2000/svg",
      id,
      width,
      height,
      viewBox: `0 0 ${width} ${height}`,
      role: "img",
      "aria-labelledby": `${id}-title ${id}-desc`
    }
    const parts = [
      text(name, { id: `${id}-title` }, "title"),
      text(desc, { id: `${id}-desc` }, "desc"),
      element("style", {}, [styleOf(id, theme)]),
      element("rect", { class: "paper", width, height, rx: 8 }),
      ...body
    ]
    return element("svg", attributes, parts.map((part) => `\n${part}`).concat("\n"))
  }
  return write(id ?? `timeline-${(Hash.string(write("timeline")) >>> 0).toString(36)}`)
}

const causes = { first: "first", delay: "after the delay", failure: "after a failure" } as const

/** The sentence that a screen reader reads for a lane. */
const sentenceOf = (row: Row | Gap | Pending, { time }: Layout): string => {
  if (row._tag === "Gap") {
    return row.text
  }
  const ended = row._tag === "Pending" || row.state === "running" || row.state === "ending"
    ? ""
    : `, ended at ${time(row.to)}`
  const parts = [
    ...row._tag === "Pending" || row.due < row.from ? [`due at ${time(row.due)}`] : [],
    ...row._tag === "Pending" ? [] : [`started ${causes[row.startedBy]} at ${time(row.from)}`]
  ]
  return `${row.label}: ${parts.join(", ")}${ended}: ${row.note}`
}

/** Positions, in pixels. */
interface Grid {
  readonly facts: Layout
  /** The end of the axis, in milliseconds. */
  readonly span: number
  readonly width: number
  readonly pad: number
  readonly isWide: boolean
  /** The ends of the lanes. The marks of bars reach a little beyond them. */
  readonly left: number
  readonly right: number
  readonly noteRoom: number
  readonly x: (millis: number) => number
  readonly id: string
}

const gridOf = (facts: Layout, span: number, width: number, id: string): Grid => {
  const isWide = width >= wide
  const pad = isWide ? 20 : 16
  const drawn = facts.rows.filter((row) => row._tag !== "Gap")
  const noteRoom = Math.min(widest(drawn.map(({ note }) => note), strong), width * 0.34)
  const left = pad + (isWide ? widest(drawn.map(({ label }) => label), normal) + 18 : 4)
  const right = width - pad - (isWide ? noteRoom + 22 : 9)
  const x = (millis: number) => left + (span > 0 ? millis / span : 0) * (right - left)
  return { facts, span, width, pad, isWide, left, right, noteRoom, x, id }
}

const draw = (facts: Layout, span: number, width: number, unit: Unit, id: string) => {
  const grid = gridOf(facts, span, width, id)
  const head = drawHead(grid)
  if (facts.rows.length === 0) {
    return { body: head.body, height: head.bottom + grid.pad - 4 }
  }
  const axis = drawAxis(grid, unit, head.bottom + 26)
  const lanes = drawLanes(grid, head.bottom + 34)
  const lines = drawLines(grid, axis.xs, head.bottom + 33, lanes.bottom)
  const moment = drawMoment(grid, head.bottom + 33, lanes.bottom)
  const legend = drawLegend(grid, moment.bottom + 12)
  return {
    body: [
      drawPattern(id),
      ...head.body,
      lines,
      moment.line,
      ...axis.body,
      ...lanes.body,
      moment.text,
      ...legend.body
    ],
    height: Math.ceil(legend.bottom + grid.pad - 4)
  }
}

const drawPattern = (id: string) =>
  element("defs", {}, [
    element("pattern", {
      id: `${id}-hatch`,
      width: 5,
      height: 5,
      patternUnits: "userSpaceOnUse",
      patternTransform: "rotate(45)"
    }, [element("rect", { class: "hatch", width: 2, height: 5 })])
  ])

const drawHead = ({ facts, pad, width }: Grid) => {
  const room = width - 2 * pad
  const [verdict = "", ...more] = facts.headline
  const verdicts = flow(verdict.split(" "), " ", room, large)
  const lines = flow(more, ", ", room, normal)
  const below = pad + 13 + (verdicts.length - 1) * 19
  return {
    body: [
      ...verdicts.map((line, i) => text(line, { class: "head", x: pad, y: pad + 13 + i * 19 })),
      ...lines.map((line, i) => text(line, { class: "soft", x: pad, y: below + 20 + i * 17 }))
    ],
    bottom: below + 3 + lines.length * 17
  }
}

const drawAxis = ({ left, pad, right, span, width, x }: Grid, unit: Unit, y: number) => {
  const most = (longest: string) => Math.max(2, Math.floor((right - left) / (sizeOf(longest, small) + 34)))
  const marks = axis(span, most, unit)
  const body: Array<string> = []
  let free = 0
  for (const mark of marks) {
    const size = sizeOf(mark.text, small)
    const start = Math.min(Math.max(x(mark.at) - (mark.at === 0 ? 4 : size / 2), pad), width - pad - size)
    if (start >= free) {
      body.push(text(mark.text, { class: "soft small", x: start + size / 2, y, "text-anchor": "middle" }))
      free = start + size + 8
    }
  }
  return { body, xs: marks.map(({ at }) => x(at)) }
}

const drawLines = ({ left, right }: Grid, xs: ReadonlyArray<number>, top: number, bottom: number) =>
  element("path", {
    class: "grid",
    d: [`M${left} ${top}H${Math.round(right)}`, ...xs.map((x) => `M${Math.round(x * 10) / 10} ${top}V${bottom}`)].join(
      ""
    )
  })

const drawLanes = (grid: Grid, top: number) => {
  const { facts, id, isWide, left, noteRoom, pad, right, width, x } = grid
  const body: Array<string> = []
  let bottom = top
  let above = top
  let last: number | undefined
  for (const row of facts.rows) {
    if (row._tag === "Gap") {
      const line = text(fit(row.text, width - 2 * pad, normal), { class: "soft", x: pad, y: bottom + 17 })
      body.push(line)
      above = bottom + 12
      bottom += 26
      last = undefined
      continue
    }
    const y = bottom + (isWide ? 16 : 31)
    const lane = { x, y, above, follows: row._tag === "Row" && row.index - 1 === last, hatch: `${id}-hatch` }
    const style = row._tag === "Row" ? row.state : "pending"
    const room = isWide ? noteRoom : width - 2 * pad - sizeOf(row.label, normal) - 16
    const note = fit(row.note, room, strong)
    body.push(element("g", {}, [
      text(sentenceOf(row, facts), {}, "title"),
      element("rect", { class: "hit", x: pad, y: bottom, width: width - 2 * pad, height: isWide ? 32 : 46 }),
      element("path", { class: "grid", d: `M${left} ${y}H${Math.round(right)}` }),
      row._tag === "Row" ? drawBar(row, lane) : drawPending(row, lane),
      text(row.label, { x: pad, y: isWide ? y + 4 : bottom + 17 }),
      text(note, {
        class: style,
        x: isWide ? width - pad - noteRoom : pad + sizeOf(row.label, normal) + 12,
        y: isWide ? y + 4 : bottom + 17
      })
    ]))
    bottom += isWide ? 32 : 46
    above = y
    last = row._tag === "Row" ? row.index : undefined
  }
  return { body, bottom }
}

/** The vertical line: the decision, or the time of the picture while the race is undecided. */
const drawMoment = ({ facts, pad, width, x }: Grid, top: number, bottom: number) => {
  const at = facts.decidedAt ?? facts.span
  const label = `${facts.decidedAt === undefined ? "now" : "decided"} ${facts.time(at)}`
  const half = sizeOf(label, small) / 2
  const middle = Math.min(Math.max(x(at), pad + half), width - pad - half)
  const style = facts.decidedAt === undefined ? "decided now" : "decided"
  return {
    line: element("path", { class: style, d: `M${Math.round(x(at) * 10) / 10} ${top}V${bottom + 4}` }),
    text: text(label, { class: "small", x: middle, y: bottom + 17, "text-anchor": "middle" }),
    bottom: bottom + 22
  }
}

const drawLegend = ({ facts, id, pad, width }: Grid, top: number) => {
  const body: Array<string> = []
  let x = pad
  let y = top + 8
  for (const { icon, text: label } of legendOf(facts, `${id}-hatch`)) {
    const size = 24 + sizeOf(label, small)
    if (x > pad && x + size > width - pad) {
      x = pad
      y += 20
    }
    body.push(icon(x, y), text(label, { class: "soft small", x: x + 24, y: y + 4 }))
    x += size + 14
  }
  return { body, bottom: y + 8 }
}
