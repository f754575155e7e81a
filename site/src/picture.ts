import * as Timeline from "../../src/Timeline.js"
import type { Run } from "./run.js"

/** The library's own picture of a race: under way, interrupted, or over. */
export const pictureOf = ({ outcome, scenario }: Run, _width: number): string => {
  const labels = scenario.candidates.map(({ name }) => name)
  const text = outcome ? Timeline.render(outcome, { labels }) : "…"
  return `<pre>${text.replace(/[<&]/g, (c) => `&#${c.charCodeAt(0)};`)}</pre>`
}
