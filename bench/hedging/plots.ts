import { parse, type Spec, View } from "vega"

export interface Line {
  readonly name: string
  readonly points: ReadonlyArray<readonly [x: number, y: number]>
}

interface Axis {
  readonly title: string
  readonly type: "linear" | "log"
}

/** A set of axes, with one line for each policy. */
export interface Panel {
  readonly title: string
  readonly x: Axis
  readonly y: Axis
  readonly lines: ReadonlyArray<Line>
}

/** Dashes tell the lines apart without colours. */
const styles = [
  { color: "#7a7a7a", dash: [] },
  { color: "#d55e00", dash: [6, 2] },
  { color: "#0072b2", dash: [2, 2] },
  { color: "#009e73", dash: [] }
]

const scaleOf = (name: "x" | "y", { type }: Axis, field: string): NonNullable<Spec["scales"]>[number] => {
  const common = { name, domain: { data: "points", field }, range: name === "x" ? "width" : "height" } as const
  return type === "log" ? { ...common, type } : { ...common, type, zero: name === "y", nice: name === "y" }
}

const panelOf = ({ lines, title, x, y }: Panel, names: ReadonlyArray<string>): NonNullable<Spec["marks"]>[number] => ({
  type: "group",
  title: { text: title.split("; "), fontSize: 11, fontWeight: "normal", anchor: "start", frame: "group" },
  encode: { update: { width: { value: 250 }, height: { value: 190 } } },
  data: [{
    name: "points",
    values: lines.flatMap(({ name, points }) => points.map(([x, y]) => ({ name, x, y })))
  }],
  signals: [{ name: "width", value: 250 }, { name: "height", value: 190 }],
  scales: [scaleOf("x", x, "x"), scaleOf("y", y, "y")],
  axes: [
    { scale: "x", orient: "bottom", title: x.title, grid: true, gridOpacity: 0.3, tickCount: 5, labelOverlap: true },
    { scale: "y", orient: "left", title: y.title, grid: true, gridOpacity: 0.3, tickCount: 5, labelOverlap: true }
  ],
  marks: [{
    type: "group",
    from: { facet: { name: "line", data: "points", groupby: "name" } },
    marks: [{
      type: "line",
      from: { data: "line" },
      encode: {
        update: {
          x: { scale: "x", field: "x" },
          y: { scale: "y", field: "y" },
          stroke: { scale: "color", field: "name" },
          strokeDash: { scale: "dash", field: "name" },
          strokeWidth: { value: names.length > 1 ? 2 : 1 }
        }
      }
    }]
  }]
})

/** A picture of panels side by side, three in a row, with one legend. */
export const toSvg = (description: string, panels: ReadonlyArray<Panel>): Promise<string> => {
  const names = Array.from(new Set(panels.flatMap(({ lines }) => lines.map(({ name }) => name))))
  const used = styles.slice(0, names.length)
  const spec: Spec = {
    description,
    background: "white",
    padding: { left: 64, right: 16, top: 8, bottom: 48 },
    layout: { columns: Math.min(3, panels.length), padding: { row: 80, column: 72 }, bounds: "flush", align: "all" },
    scales: [
      { name: "color", type: "ordinal", domain: names, range: used.map(({ color }) => color) },
      { name: "dash", type: "ordinal", domain: names, range: used.map(({ dash }) => dash) as Array<never> }
    ],
    legends: [{
      stroke: "color",
      strokeDash: "dash",
      orient: "top",
      direction: "horizontal",
      symbolType: "stroke",
      symbolSize: 400,
      symbolStrokeWidth: 2,
      labelLimit: 400
    }],
    marks: panels.map((panel) => panelOf(panel, names))
  }
  return new View(parse(spec), { renderer: "none" }).toSVG()
}
