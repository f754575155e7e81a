import * as Either from "effect/Either"
import type { Climate } from "./days.js"
import type { Traffic } from "./hedging.js"
import { decode, encode, type Link, linkOf, type View } from "./link.js"
import { presets, standard } from "./presets.js"
import { programOf } from "./program.js"
import { builder, type Edit } from "./view/builder.js"
import { comparison } from "./view/comparison.js"
import { copyButton } from "./view/copy.js"
import { hundredDays } from "./view/days.js"
import { byId, h, setText } from "./view/dom.js"
import { hedging } from "./view/hedging.js"
import { optionFields } from "./view/options.js"
import { stage } from "./view/stage.js"
import { tabs } from "./view/tabs.js"

// All that can be linked to is here; what a view shows follows from it.
let link: Link = linkOf(standard.scenario)

/** What each view shows, as a link: a tab that comes and goes changes nothing. */
const shown = new Map<View, string>()

/** What was edited last: more edits of the same thing are one step back. */
let lastEdit: string | undefined
let writing: ReturnType<typeof setTimeout> | undefined

// Browsers refuse to write the address for each step of a bar that is dragged.
const writeSoon = () => {
  clearTimeout(writing)
  writing = setTimeout(write, 200)
}
const write = () => {
  clearTimeout(writing)
  history.replaceState(null, "", encode(link))
}

const go = (next: Link, key?: string): void => {
  const isSameEdit = key !== undefined && key === lastEdit
  if (encode(next) === encode(link)) {
    return
  }
  if (!isSameEdit && writing !== undefined) {
    write()
  }
  link = next
  lastEdit = key
  if (isSameEdit) {
    writeSoon()
  } else {
    history.pushState(null, "", encode(link))
  }
  setText(byId("bad-link"), "")
  show()
}

const edit: Edit = (change, key) => go({ ...link, scenario: change(link.scenario) }, key)
const editClimate = (change: (climate: Climate) => Climate, key?: string) =>
  go({ ...link, climate: change(link.climate) }, key)
const editTraffic = (change: (traffic: Traffic) => Traffic, key: string) =>
  go({ ...link, traffic: change(link.traffic) }, key)

const complain = (trouble: string) => setText(byId("trouble"), trouble)

const race = stage()
const rivals = comparison()
const days = hundredDays(editClimate)
const stream = hedging(editTraffic)
const candidates = builder(edit, complain)
const options = optionFields(edit, complain)
const showTab = tabs((view) => go({ ...link, view }))

const presetButtons = presets.map(({ scenario, title }) => {
  const button = h("button", { type: "button" }, title)
  button.addEventListener("click", () => go({ ...link, scenario }))
  return button
})

const show = () => {
  const { climate, scenario, traffic, view } = link
  const ofScenario = linkOf(scenario)
  const code = encode(ofScenario)
  const preset = presets.find((preset) => encode(linkOf(preset.scenario)) === code)
  presetButtons.forEach((button, i) => button.setAttribute("aria-pressed", String(presets[i] === preset)))
  setText(byId("about"), preset?.about ?? "A race of your own. Its link is the address of this page.")
  showTab(view)
  for (const part of Array.from(document.querySelectorAll<HTMLElement>(".of-scenario"))) {
    part.hidden = view === "hedging"
  }
  candidates.show(scenario)
  options.show(scenario)
  setText(byId("program"), programOf(scenario))
  // What each view depends on, and how it shows that. The race is seen under other tabs as well, by its events.
  const drawings: Readonly<Record<View, readonly [of: Link, draw: () => void]>> = {
    race: [ofScenario, () => race.show(scenario)],
    compare: [ofScenario, () => rivals.show(scenario)],
    days: [{ ...ofScenario, climate }, () => days.show(scenario, climate)],
    hedging: [{ ...linkOf(standard.scenario), traffic }, () => stream.show(traffic)]
  }
  for (const view of new Set<View>(["race", link.view])) {
    const [of, draw] = drawings[view]
    if (shown.get(view) !== encode(of)) {
      shown.set(view, encode(of))
      draw()
    }
  }
}

const follow = () => {
  const read = decode(location.hash)
  const isBad = read !== undefined && Either.isLeft(read)
  setText(
    byId("bad-link"),
    isBad ? `This link cannot be followed. ${read.left} Here is “${standard.title}” instead.` : ""
  )
  link = read !== undefined && Either.isRight(read) ? read.right : linkOf(standard.scenario)
  lastEdit = undefined
  show()
}

byId("presets").append(...presetButtons.map((button) => h("li", {}, button)))
byId("panel-compare").append(rivals.element)
byId("panel-days").append(days.element)
byId("panel-hedging").append(stream.element)
byId("copy-install").append(copyButton("Copy", () => byId("install").textContent ?? ""))
byId("builder").append(candidates.element)
byId("options").append(options.element)
byId("copy-program").append(copyButton("Copy the program", () => programOf(link.scenario)))
byId("copy-link").append(copyButton("Copy a link to this race", () => new URL(encode(link), location.href).href))
addEventListener("popstate", follow)
follow()
