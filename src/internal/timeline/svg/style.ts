import type { SvgOptions } from "../../../Timeline.js"

interface Palette {
  readonly paper: string
  readonly ink: string
  readonly soft: string
  readonly line: string
  readonly link: string
  readonly won: string
  readonly failed: string
  readonly lost: string
  readonly late: string
  readonly running: string
}

/**
 * The contrast with `paper` is at least 4.5 to 1 for text, which is `ink`, `soft` or the colour of a result. It is at
 * least 3 to 1 for shapes, except the lines of the grid.
 *
 * @internal
 */
export const palettes: { readonly light: Palette; readonly dark: Palette } = {
  light: {
    paper: "#ffffff",
    ink: "#1d232b",
    soft: "#59636e",
    line: "#e4e8ed",
    link: "#7d8793",
    won: "#17803d",
    failed: "#c4283a",
    lost: "#8a949f",
    late: "#8a5a00",
    running: "#1462c0"
  },
  dark: {
    paper: "#10151b",
    ink: "#e6ebf1",
    soft: "#9ba6b2",
    line: "#262e38",
    link: "#7a8592",
    won: "#43bd6e",
    failed: "#ff8079",
    lost: "#77828f",
    late: "#dca847",
    running: "#68abff"
  }
}

const variables = (id: string, palette: Palette) =>
  `#${id}{${Object.entries(palette).map(([name, color]) => `--${name}:${color}`).join(";")}}`

// The style sheet of an inline picture applies to the whole page. So every rule names the id of its picture.
const rules: ReadonlyArray<readonly [selector: string, declarations: string]> = [
  ["", "max-width:100%;height:auto;font:12px system-ui,-apple-system,\"Segoe UI\",Roboto,Arial,sans-serif"],
  [" text", "fill:var(--ink);stroke:var(--paper);stroke-width:4px;stroke-linejoin:round;paint-order:stroke"],
  [" .head", "font-size:15px;font-weight:600"],
  [" .soft", "fill:var(--soft)"],
  [" text.lost", "fill:var(--soft)"],
  [" text.pending", "fill:var(--soft)"],
  [" text.ending", "fill:var(--soft)"],
  [" .small", "font-size:11px"],
  [" text.won", "fill:var(--won);font-weight:600"],
  [" text.failed", "fill:var(--failed)"],
  [" text.late", "fill:var(--late)"],
  [" text.running", "fill:var(--running)"],
  [" .lost", "--bar:var(--lost)"],
  [" .ending", "--bar:var(--lost)"],
  [" .won", "--bar:var(--won)"],
  [" .failed", "--bar:var(--failed)"],
  [" .late", "--bar:var(--late)"],
  [" .running", "--bar:var(--running)"],
  [" .paper", "fill:var(--paper)"],
  [" .grid", "stroke:var(--line);fill:none"],
  [" .bar", "fill:var(--bar)"],
  [" .mark", "stroke:var(--bar);stroke-width:2;stroke-linecap:round;stroke-linejoin:round;fill:none"],
  [" .open", "fill:var(--paper)"],
  [" .tick", "stroke:var(--paper);stroke-width:2;stroke-linecap:round;stroke-linejoin:round;fill:none"],
  [" .link", "stroke:var(--link);fill:none;stroke-linejoin:round"],
  [" .tip", "fill:var(--link)"],
  [" .wait", "stroke:var(--link);stroke-width:2.4;stroke-linecap:round;stroke-dasharray:0 5;fill:none"],
  [" .first", "fill:var(--ink)"],
  [" .decided", "stroke:var(--ink);stroke-width:1.2;fill:none"],
  [" .now", "stroke-dasharray:3 3"],
  [" .hatch", "fill:var(--lost)"],
  [" .winding", "stroke:var(--lost);stroke-width:1"],
  [" .hit", "fill:none;pointer-events:all"]
]

/** @internal */
export const styleOf = (id: string, theme: NonNullable<SvgOptions["theme"]>): string => {
  const colors = theme === "auto"
    ? `${variables(id, palettes.light)}@media(prefers-color-scheme:dark){${variables(id, palettes.dark)}}`
    : variables(id, palettes[theme])
  return colors + rules.map(([selector, declarations]) => `#${id}${selector}{${declarations}}`).join("")
}
