import * as Timeline from "../../src/Timeline.js"
import type { Run } from "./run.js"

/**
 * The library's own picture of a race: under way, interrupted, or over. Its axis goes on to `until` at least, so that
 * bars grow along it, and it does not shrink under them.
 */
export const pictureOf = ({ events, now, outcome, scenario }: Run, width: number, until: number): string => {
  // The outcome of a race that leaves its losers to the background does not know when they have ended; events do.
  const race = outcome === undefined || scenario.losers === "background" ? Timeline.soFar(events, now) : outcome
  const labels = scenario.candidates.map(({ name }) => name)
  return Timeline.toSvg(race, { id: "race", width: Math.max(320, Math.floor(width)), labels, unit: "millis", until })
}
