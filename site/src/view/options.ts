import { leastDelay, type Pace, type Scenario, withPace } from "../scenario.js"
import type { Edit } from "./builder.js"
import { h } from "./dom.js"
import { type Complain, numberField, selectField } from "./fields.js"

const places = ["unbounded", "1", "2", "3", "4", "5", "6", "7", "8"] as const

const paces: ReadonlyArray<readonly [Pace, string]> = [
  ["fixed", "always the same"],
  ["exponential", "twice as long each time"],
  ["linear", "longer by the same each time"],
  ["infinite", "infinite: after failures only"]
]

/** How the candidates are raced. */
export const optionFields = (edit: Edit, complain: Complain) => {
  const pace = selectField(
    "delay",
    "",
    paces,
    (pace) => edit((scenario) => ({ ...scenario, delay: withPace(scenario.delay, pace) }), "pace")
  )
  let shownPace: Pace = "fixed"
  const millis = numberField(
    "delay in ms",
    "",
    "delay",
    (millis) => edit(({ delay, ...scenario }) => ({ ...scenario, delay: { ...delay, millis } }), "delay"),
    complain,
    () => leastDelay(shownPace)
  )
  const minDelay = numberField(
    "minDelay in ms",
    "",
    "minDelay",
    (minDelay) => edit((scenario) => ({ ...scenario, minDelay }), "minDelay"),
    complain
  )
  const concurrency = selectField(
    "concurrency",
    "",
    places.map((place) => [place, place] as const),
    (place) =>
      edit((scenario) => ({ ...scenario, concurrency: place === "unbounded" ? place : Number(place) }), "concurrency")
  )
  const losers = selectField(
    "losers",
    "",
    [["await", "await"], ["background", "background"]],
    (losers) => edit((scenario) => ({ ...scenario, losers }), "losers")
  )
  return {
    element: h(
      "div",
      { className: "options" },
      ...[pace, millis, minDelay, concurrency, losers].map(({ element }) => element)
    ),
    show: (scenario: Scenario) => {
      shownPace = scenario.delay.pace
      pace.show(shownPace)
      millis.show(scenario.delay.millis)
      minDelay.show(scenario.minDelay)
      concurrency.show(places.find((place) => place === String(scenario.concurrency)) ?? "unbounded")
      losers.show(scenario.losers)
    }
  }
}
