import { compare, type Report, type Span } from "../rivals.js"
import type { Scenario } from "../scenario.js"
import { answerOf, axisOf, costOf, loadLineOf, namesOf, ticksOf } from "../words.js"
import { h, place } from "./dom.js"
import { figures } from "./table.js"

const key = [["won", "the first success"], ["failed", "failed"], ["interrupted", "interrupted, then clean-up"]] as const

/** All racers on one time axis; what the pictures show is in the table, for those who do not see them. */
export const comparison = () => {
  const pictures = h("div", { className: "racers" })
  const table = figures("When each answers, and what it costs", [
    "rule",
    "answers",
    "started",
    "killed before there was an answer",
    "work"
  ])
  const show = (scenario: Scenario): void => {
    const reports = compare(scenario)
    const span = axisOf(reports)
    pictures.replaceChildren(...reports.map((report) => figure(report, scenario, span)), axis(span))
    table.show(reports.map((report) => [report.racer.name, ...costOf(report, scenario)]))
  }
  const element = h(
    "div",
    {},
    pictures,
    h(
      "p",
      { className: "key", attrs: { "aria-hidden": "true" } },
      ...key.map(([how, text]) => h("span", {}, h("span", { className: `span ${how}` }, h("i"), h("b")), text)),
      h("span", {}, h("span", { className: "answer" }), "the race returns")
    ),
    table.element,
    h("p", { className: "note" }, "Work is the time for which attempts ran, all together, with their clean-up.")
  )
  return { element, show }
}

const figure = (report: Report, scenario: Scenario, span: number): HTMLElement => {
  const names = namesOf(scenario)
  const bars = h("div", { className: "bars", attrs: { "aria-hidden": "true" } })
  for (const one of report.spans) {
    bars.append(h("span", { className: "name" }, names(one.index)), bar(one, report, span))
  }
  if (Number.isFinite(report.answersAt)) {
    const answer = h("span", { className: "answer" })
    place(answer, { at: report.answersAt / span })
    bars.append(h("span", { className: "answers" }, answer))
  }
  return h(
    "figure",
    { className: "racer" },
    h(
      "figcaption",
      {},
      h("h3", {}, report.racer.name),
      h("p", {}, report.racer.rule),
      h("strong", {}, answerOf(report, names)),
      h("p", { className: "load" }, loadLineOf(report, scenario))
    ),
    bars
  )
}

/** The milliseconds that the pictures have in common, at their foot. */
const axis = (span: number): HTMLElement => {
  const marks = ticksOf(span).map((at, i, all) => {
    const mark = h("span", {}, i === all.length - 1 ? `${at} ms` : `${at}`)
    place(mark, { at: at / span })
    return mark
  })
  return h("div", { className: "racer axis", attrs: { "aria-hidden": "true" } }, h("span"), h("div", {}, ...marks))
}

const bar = ({ endedAt, how, index, startedAt, workedUntil }: Span, { winner }: Report, span: number): HTMLElement => {
  const lane = h("span", { className: `span ${index === winner ? "won" : how}` }, h("i"), h("b"))
  const end = (at: number) => Number.isFinite(at) ? at / span : 1
  place(lane, {
    from: startedAt / span,
    work: end(workedUntil) - startedAt / span,
    tail: end(endedAt) - end(workedUntil)
  })
  return lane
}
