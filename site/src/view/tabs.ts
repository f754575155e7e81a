import { type View, views } from "../link.js"
import { byId } from "./dom.js"

/** The two tabs: arrow keys go from one to the other, and Tab leaves them. */
export const tabs = (onSelect: (view: View) => void) => {
  const tabOf = (view: View) => byId(`tab-${view}`)
  for (const [i, view] of views.entries()) {
    tabOf(view).addEventListener("click", () => onSelect(view))
    tabOf(view).addEventListener("keydown", ({ key }) => {
      const to = { ArrowRight: i + 1, ArrowLeft: i - 1, Home: 0, End: views.length - 1 }[key]
      const next = to === undefined ? undefined : views.at(to % views.length)
      if (next !== undefined) {
        onSelect(next)
        tabOf(next).focus()
      }
    })
  }
  return (selected: View): void => {
    for (const view of views) {
      const isSelected = view === selected
      tabOf(view).setAttribute("aria-selected", String(isSelected))
      tabOf(view).tabIndex = isSelected ? 0 : -1
      byId(`panel-${view}`).hidden = !isSelected
    }
  }
}
