import { type Call, compare, type Comparison, inSecond, isInBrownOut, service, type Traffic } from "../hedging.js"
import { limits } from "../scenario.js"
import { policyOf, secondOf, servedHow, streamRowsOf } from "../words.js"
import { copyButton } from "./copy.js"
import { h, place, setText } from "./dom.js"
import { checkField, rangeField } from "./fields.js"
import { figures } from "./table.js"

const last = service.seconds - 1

/** Seconds of the stream for one of the browser. */
const speed = 5

/** A stream of requests, second by second: how slow its answers were, what was sent, and what the budget held. */
export const hedging = (edit: (change: (traffic: Traffic) => Traffic, key: string) => void) => {
  const percent = (value: number) => `${value} %`
  const slow = rangeField(
    "slow answers",
    limits.slow,
    percent,
    (slow) => edit((traffic) => ({ ...traffic, slow }), "slow")
  )
  const budget = rangeField(
    "budget",
    limits.budget,
    (value) => `${value} hedges for 100 requests`,
    (budget) => edit((traffic) => ({ ...traffic, budget }), "budget")
  )
  const brownOut = checkField(
    "brown-out",
    (brownOut) => edit((traffic) => ({ ...traffic, brownOut }), "brownOut")
  )
  const run = h("button", { type: "button", className: "main" })
  const second = rangeField("second", [1, service.seconds], String, (value) => {
    stop()
    showSecond(value - 1)
  })
  const status = h("p", { className: "note", attrs: { role: "status" } })
  const gauge = h("meter", {
    min: 0,
    max: service.burst,
    attrs: { "aria-label": "hedges that the budget can pay for" }
  })
  const charts = h("div", { className: "charts" })
  const table = figures("The same requests, three times", [
    "rule",
    "p50",
    "p95",
    "p99",
    "load added",
    "load added in the brown-out"
  ])
  const policy = h("code")

  let shown: Comparison | undefined
  let frame = 0

  const showSecond = (at: number): void => {
    if (shown !== undefined) {
      second.show(at + 1)
      gauge.value = shown.hedged.samples[at]?.tokens ?? 0
      charts.style.setProperty("--played", `${(at + 1) / service.seconds}`)
      setText(status, secondOf(shown, at))
    }
  }

  const stop = () => {
    cancelAnimationFrame(frame)
    frame = 0
    run.textContent = "Run it live"
    // While it runs, each second would interrupt what a screen reader says.
    status.setAttribute("aria-live", "polite")
  }

  const start = () => {
    const begun = performance.now()
    const step = (now: number) => {
      const at = Math.min(last, Math.floor(Math.max(0, now - begun) / 1000 * speed))
      showSecond(at)
      frame = requestAnimationFrame(step)
      if (at === last) {
        stop()
      }
    }
    frame = requestAnimationFrame(step)
    run.textContent = "Stop"
    status.setAttribute("aria-live", "off")
  }

  run.addEventListener("click", () => frame === 0 ? start() : stop())
  stop()

  return {
    element: h(
      "div",
      {},
      h("p", { className: "note" }, servedHow),
      h("div", { className: "controls" }, slow.element, budget.element, brownOut.element),
      charts,
      h(
        "p",
        { className: "key", attrs: { "aria-hidden": "true" } },
        mark("b", "with hedges, within the budget"),
        mark("i", "without hedges, or without a budget")
      ),
      h(
        "div",
        { className: "controls" },
        run,
        second.element,
        h("label", { className: "field" }, h("span", { className: "cap" }, "budget now"), gauge),
        status
      ),
      table.element,
      h(
        "div",
        { className: "heading" },
        h("h3", {}, "The policy"),
        copyButton("Copy the policy", () => policy.textContent ?? "")
      ),
      h("pre", { className: "scroll", tabIndex: 0, attrs: { role: "group", "aria-label": "The policy" } }, policy)
    ),
    show: (traffic: Traffic): void => {
      stop()
      slow.show(traffic.slow)
      budget.show(traffic.budget)
      brownOut.show(traffic.brownOut)
      shown = compare(traffic)
      charts.replaceChildren(...chartsOf(shown))
      table.show(streamRowsOf(shown))
      setText(policy, policyOf(traffic.budget))
      showSecond(last)
    }
  }
}

const mark = (tag: "i" | "b", text: string): HTMLElement => {
  const bar = h("span", {}, h(tag))
  place(bar, { behind: 1, front: 1 })
  return h("span", {}, h("span", { className: "seconds" }, bar), text)
}

const slowest = (calls: ReadonlyArray<Call>): number => Math.max(...calls.map(({ latency }) => latency))

const hedges = (calls: ReadonlyArray<Call>): number => calls.filter(({ hedgedAt }) => hedgedAt !== undefined).length

const chartsOf = ({ hedged, plain, traffic, unlimited }: Comparison): ReadonlyArray<HTMLElement> => [
  chart("slowest answer", "ms", traffic, (second) => [
    slowest(inSecond(plain, second)),
    slowest(inSecond(hedged.calls, second))
  ]),
  chart("hedges sent", "", traffic, (second) => [
    hedges(inSecond(unlimited.calls, second)),
    hedges(inSecond(hedged.calls, second))
  ]),
  chart("budget", "hedges", traffic, (second) => [0, hedged.samples[second]?.tokens ?? 0], service.burst)
]

/** A column for each second: what it would be without hedges, or without a budget, behind what it is. */
const chart = (
  title: string,
  unit: string,
  traffic: Traffic,
  valuesOf: (second: number) => readonly [behind: number, front: number],
  atLeast = 1
): HTMLElement => {
  const values = Array.from({ length: service.seconds }, (_, second) => valuesOf(second))
  const most = Math.max(atLeast, ...values.flat())
  return h(
    "div",
    { className: "chart", attrs: { "aria-hidden": "true" } },
    h("span", { className: "name" }, title, h("br"), `up to ${Math.round(most)} ${unit}`.trim()),
    h(
      "div",
      { className: "seconds" },
      ...values.map(([behind, front], second) => {
        const column = h(
          "span",
          { className: isInBrownOut(traffic, second * 1000) ? "brown-out" : "" },
          h("i"),
          h("b")
        )
        place(column, { behind: behind / most, front: front / most })
        return column
      })
    )
  )
}
