import {
  type Candidate,
  leastDelay,
  limits,
  results,
  type Scenario,
  troubleWithName,
  withCandidate,
  withOneMore,
  without,
  withResult
} from "../scenario.js"
import { h, place, setText } from "./dom.js"
import { type Complain, numberField, selectField, textField } from "./fields.js"
import { handle, type Scale } from "./handle.js"

/** `key` says what was edited: edits of one thing in a row are one step back, and one without a key is always a step. */
export type Edit = (change: (scenario: Scenario) => Scenario, key?: string) => void

interface Row {
  readonly element: HTMLElement
  readonly show: (candidate: Candidate, span: number, delay: number | null, isAlone: boolean) => void
}

/** One that hangs has no end to show: its bar takes this share of its lane, and the clean-up comes behind it. */
const hangsUntil = 0.75

/** The milliseconds that a lane shows: all ends, and a delay that whatever hangs goes past. */
const spanOf = ({ candidates, delay }: Scenario): number =>
  Math.max(
    100,
    (delay.millis ?? 0) / (hangsUntil - 0.1),
    ...candidates.map(({ cleanUp, latency }) => latency === null ? cleanUp / (1 - hangsUntil) : latency + cleanUp)
  ) * 1.05

const row = (index: number, edit: Edit, scale: Scale, complain: Complain): Row => {
  const context = `candidate ${index + 1}`
  const change = (what: string, change: (candidate: Candidate) => Candidate) =>
    edit((scenario) => {
      const candidate = scenario.candidates[index]
      return candidate === undefined ? scenario : withCandidate(scenario, index, change(candidate))
    }, `${what} ${index}`)
  const setLatency = (latency: number) => change("latency", (candidate) => ({ ...candidate, latency }))
  const setCleanUp = (cleanUp: number) => change("cleanUp", (candidate) => ({ ...candidate, cleanUp }))

  const name = textField(
    "name",
    context,
    troubleWithName,
    (name) => change("name", (old) => ({ ...old, name })),
    complain
  )
  const result = selectField(
    "result",
    context,
    results.map((result) => [result, result] as const),
    (result) => change("result", (candidate) => withResult(candidate, result))
  )
  const latency = numberField("latency", context, "latency", setLatency, complain)
  const cleanUp = numberField("clean-up", context, "cleanUp", setCleanUp, complain)
  const latencyHandle = handle("of-latency", `latency, ${context}`, "latency", scale, setLatency)
  const cleanUpHandle = handle("of-clean-up", `clean-up, ${context}`, "cleanUp", scale, setCleanUp)
  const remove = h("button", { type: "button", className: "remove", title: "remove" }, "×")
  remove.addEventListener("click", () => edit((scenario) => without(scenario, index)))
  const lane = h(
    "div",
    { className: "lane" },
    h("span", { className: "work" }),
    h("span", { className: "tail" }),
    latencyHandle.element,
    cleanUpHandle.element
  )

  return {
    element: h(
      "li",
      { className: "candidate" },
      name.element,
      result.element,
      lane,
      latency.element,
      cleanUp.element,
      remove
    ),
    show: (candidate, span, delay, isAlone) => {
      remove.disabled = isAlone
      name.show(candidate.name)
      result.show(candidate.result)
      latency.show(candidate.latency)
      cleanUp.show(candidate.cleanUp)
      latencyHandle.show(candidate.latency)
      cleanUpHandle.show(candidate.cleanUp)
      remove.setAttribute("aria-label", `remove ${context}, ${candidate.name}`)
      lane.className = `lane ${candidate.result}`
      place(lane, {
        work: candidate.latency === null ? hangsUntil : candidate.latency / span,
        tail: candidate.cleanUp / span,
        delay: (delay ?? 0) / span
      })
      lane.classList.toggle("has-delay", delay !== null)
    }
  }
}

/** The candidates, as bars to be dragged and fields to be typed into. */
export const builder = (edit: Edit, complain: Complain) => {
  let rows: ReadonlyArray<Row> = []
  let shown: Scenario | undefined
  let heldSpan: number | undefined
  const scale: Scale = {
    span: () => heldSpan ?? (shown ? spanOf(shown) : 1),
    hold: (isHeld) => {
      heldSpan = isHeld ? scale.span() : undefined
      if (shown !== undefined) {
        show(shown)
      }
    }
  }
  const delayHandle = handle(
    "of-delay",
    "delay line",
    "delay",
    scale,
    (millis) =>
      edit(({ delay, ...scenario }) => ({
        ...scenario,
        delay: { ...delay, millis: Math.max(leastDelay(delay.pace), millis) }
      }), "delay")
  )
  const delayLane = h("div", { className: "delay-lane" }, delayHandle.element)
  delayHandle.element.append(h("span", { attrs: { "aria-hidden": "true" } }, "delay"))
  const list = h("ol", { className: "candidates" })
  const add = h("button", { type: "button", className: "quiet" }, "Add a candidate")
  const note = h("p", { className: "note" })
  add.addEventListener("click", () => {
    edit(withOneMore)
    list.querySelector<HTMLElement>("li:last-child input")?.focus()
  })

  const show = (scenario: Scenario): void => {
    const { candidates, delay } = scenario
    const hadFocus = list.contains(document.activeElement)
    if (rows.length !== candidates.length) {
      const at = Array.from(list.children).findIndex((item) => item.contains(document.activeElement))
      rows = candidates.map((_, index) => row(index, edit, scale, complain))
      list.replaceChildren(...rows.map(({ element }) => element))
      if (hadFocus) {
        list.children[Math.min(at, rows.length - 1)]?.querySelector<HTMLElement>(".remove")?.focus()
      }
    }
    shown = scenario
    const span = scale.span()
    delayHandle.show(delay.millis)
    place(delayLane, { delay: (delay.millis ?? 0) / span })
    const [least, most] = limits.candidates
    candidates.forEach((candidate, index) =>
      rows[index]?.show(candidate, span, delay.millis, candidates.length === least)
    )
    add.disabled = candidates.length === most
    setText(
      note,
      delay.millis === null
        ? "The delay is infinite: only a failure starts the next."
        : `The dashed line is the ${
          delay.pace === "fixed" ? "delay" : "first delay"
        }, ${delay.millis} ms: a bar that goes past it gives the next its start.`
    )
  }

  const lanes = h("div", { className: "lanes" }, delayLane, list)
  return { element: h("div", {}, lanes, h("div", { className: "under" }, add, note)), show }
}
