import { type Climate, daysOf, summarize, type Summary, usualClimate } from "../days.js"
import { limits, type Scenario } from "../scenario.js"
import { daysRowOf, drawnHow } from "../words.js"
import { h, place, setText } from "./dom.js"
import { rangeField } from "./fields.js"
import { figures } from "./table.js"

/** Each rule over the same hundred days: a bar for each day's answer, and the figures below. */
export const hundredDays = (edit: (change: (climate: Climate) => Climate, key?: string) => void) => {
  const ill = rangeField(
    "ill candidates",
    limits.ill,
    (value) => `${value} %`,
    (ill) => edit((climate) => ({ ...climate, ill }), "ill")
  )
  const seed = h("output")
  const again = h("button", { type: "button", className: "quiet" }, "Draw other days")
  again.addEventListener(
    "click",
    () => edit(({ ill, seed }) => ({ ill, seed: seed === limits.seed[1] ? usualClimate.seed : seed + 1 }))
  )
  const pictures = h("div", { className: "racers" })
  const table = figures("The same hundred days for each rule", [
    "rule",
    "answered",
    "attempts a day",
    "work a day",
    "p50",
    "p99"
  ])
  return {
    element: h(
      "div",
      {},
      h("p", { className: "note" }, drawnHow, " The number of candidates, the delay and its options are those below."),
      h("div", { className: "controls" }, ill.element, again, h("span", { className: "note" }, "seed ", seed)),
      pictures,
      h(
        "p",
        { className: "key", attrs: { "aria-hidden": "true" } },
        h("span", {}, h("span", { className: "days" }, h("i")), "a day’s answer: the higher, the later"),
        h("span", {}, h("span", { className: "days" }, h("i", { className: "none" })), "no answer")
      ),
      table.element
    ),
    show: (scenario: Scenario, climate: Climate): void => {
      ill.show(climate.ill)
      setText(seed, String(climate.seed))
      const summaries = summarize(daysOf(scenario, climate))
      const most = Math.max(1, ...summaries.flatMap(({ answers }) => answers.filter(Number.isFinite)))
      pictures.replaceChildren(...summaries.map((summary) => strip(summary, most)))
      table.show(summaries.map((summary) => [summary.racer.name, ...daysRowOf(summary)]))
    }
  }
}

const strip = (summary: Summary, most: number): HTMLElement => {
  const [answered = "", attempts, work] = daysRowOf(summary)
  return h(
    "figure",
    { className: "racer" },
    h(
      "figcaption",
      {},
      h("h3", {}, summary.racer.name),
      h("strong", {}, `answers on ${answered}`),
      h("p", {}, `${attempts} attempts and ${work} of work a day`)
    ),
    h(
      "div",
      { className: "days", attrs: { "aria-hidden": "true" } },
      ...summary.answers.map((answer) => {
        const bar = h("i", { className: Number.isFinite(answer) ? "" : "none" })
        place(bar, { height: answer / most })
        return bar
      })
    )
  )
}
