import { clamp, type Limited, limits } from "../scenario.js"
import { h } from "./dom.js"
import type { Field } from "./fields.js"

const keys: Readonly<Record<string, number>> = {
  ArrowRight: 10,
  ArrowUp: 10,
  ArrowLeft: -10,
  ArrowDown: -10,
  PageUp: 100,
  PageDown: -100,
  Home: -Infinity,
  End: Infinity
}

// Dragging is coarser than typing.
const grid = 5

/** What a lane shows while one of its ends is dragged must not get another scale under the finger. */
export interface Scale {
  /** The milliseconds of a lane from end to end. */
  readonly span: () => number
  readonly hold: (isHeld: boolean) => void
}

/** The end of a bar: a slider that is dragged along its lane, or moved with the keys. */
export const handle = (
  className: string,
  label: string,
  limited: Limited,
  scale: Scale,
  onEdit: (value: number) => void
): Field<number | null> => {
  const [least, most] = limits[limited]
  const element = h("div", {
    className: `handle ${className}`,
    tabIndex: 0,
    attrs: {
      role: "slider",
      "aria-label": label,
      "aria-valuemin": `${least}`,
      "aria-valuemax": `${most}`
    }
  })
  let value = 0
  const change = (next: number) => {
    const clamped = clamp(limited, next)
    if (clamped !== value) {
      onEdit(clamped)
    }
  }

  element.addEventListener("keydown", (event) => {
    const by = keys[event.key]
    if (by !== undefined && !event.altKey && !event.ctrlKey && !event.metaKey) {
      event.preventDefault()
      change(value + (event.shiftKey && Math.abs(by) === 10 ? by / 10 : by))
    }
  })
  element.addEventListener("pointerdown", (down) => {
    const lane = element.parentElement
    if (lane === null || down.button !== 0) {
      return
    }
    down.preventDefault()
    element.focus()
    element.setPointerCapture(down.pointerId)
    scale.hold(true)
    const perPixel = scale.span() / lane.getBoundingClientRect().width
    const before = value
    const move = (event: PointerEvent) =>
      change(Math.round((before + (event.clientX - down.clientX) * perPixel) / grid) * grid)
    element.addEventListener("pointermove", move)
    element.addEventListener("lostpointercapture", () => {
      element.removeEventListener("pointermove", move)
      scale.hold(false)
    }, { once: true })
  })

  return {
    element,
    show: (next) => {
      element.hidden = next === null
      value = next ?? 0
      element.setAttribute("aria-valuenow", String(value))
      element.setAttribute("aria-valuetext", `${value} ms`)
    }
  }
}
