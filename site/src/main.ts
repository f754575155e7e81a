import * as Either from "effect/Either"
import { decode, encode, type Link } from "./link.js"
import { presets, standard } from "./presets.js"
import { programOf } from "./program.js"
import { builder, type Edit } from "./view/builder.js"
import { comparison } from "./view/comparison.js"
import { copyButton } from "./view/copy.js"
import { byId, h, setText } from "./view/dom.js"
import { optionFields } from "./view/options.js"
import { stage } from "./view/stage.js"
import { tabs } from "./view/tabs.js"

// All that can be linked to is here; what a view shows follows from it.
let link: Link = { view: "race", scenario: standard.scenario }

/** The scenarios that the stage and the comparison show, as links: a tab that comes and goes changes neither. */
let raced: string | undefined
let compared: string | undefined

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

const complain = (trouble: string) => setText(byId("trouble"), trouble)

const race = stage()
const rivals = comparison()
const candidates = builder(edit, complain)
const options = optionFields(edit, complain)
const showTab = tabs((view) => go({ ...link, view }))

const presetButtons = presets.map(({ scenario, title }) => {
  const button = h("button", { type: "button" }, title)
  button.addEventListener("click", () => go({ ...link, scenario }))
  return button
})

const show = () => {
  const { scenario, view } = link
  const code = encode({ view: "race", scenario })
  const preset = presets.find((preset) => encode({ view: "race", scenario: preset.scenario }) === code)
  presetButtons.forEach((button, i) => button.setAttribute("aria-pressed", String(presets[i] === preset)))
  setText(byId("about"), preset?.about ?? "A race of your own. Its link is the address of this page.")
  showTab(view)
  candidates.show(scenario)
  options.show(scenario)
  if (raced !== code) {
    raced = code
    race.show(scenario)
  }
  if (view === "compare" && compared !== code) {
    compared = code
    rivals.show(scenario)
  }
  setText(byId("program"), programOf(scenario))
}

const follow = () => {
  const read = decode(location.hash)
  const isBad = read !== undefined && Either.isLeft(read)
  setText(
    byId("bad-link"),
    isBad ? `This link cannot be followed. ${read.left} Here is “${standard.title}” instead.` : ""
  )
  link = read !== undefined && Either.isRight(read) ? read.right : { view: "race", scenario: standard.scenario }
  lastEdit = undefined
  show()
}

byId("presets").append(...presetButtons.map((button) => h("li", {}, button)))
byId("panel-compare").append(rivals.element)
byId("builder").append(candidates.element)
byId("options").append(options.element)
byId("copy-program").append(copyButton("Copy the program", () => programOf(link.scenario)))
byId("copy-link").append(copyButton("Copy a link to this race", () => new URL(encode(link), location.href).href))
addEventListener("popstate", follow)
follow()
