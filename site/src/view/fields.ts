import * as Either from "effect/Either"
import { quote } from "../quote.js"
import { type Limited, limits } from "../scenario.js"
import { h } from "./dom.js"

/** Something on the page that shows a value and lets it be changed. */
export interface Field<A> {
  readonly element: HTMLElement
  readonly show: (value: A) => void
}

/** Told what is wrong with what was typed; no text when nothing is any more. */
export type Complain = (trouble: string) => void

const labelled = (label: string, context: string, control: HTMLElement): HTMLElement => {
  control.setAttribute("aria-label", context === "" ? label : `${label}, ${context}`)
  return h("label", { className: "field" }, h("span", { className: "cap" }, label), control)
}

/** What makes no sense changes nothing, is said, and does not stay when the field is left. */
const typed = <A>(
  label: string,
  input: HTMLInputElement,
  read: (text: string) => Either.Either<A, string>,
  onEdit: (value: A) => void,
  complain: Complain
) => {
  let shown = ""
  const take = () => {
    const value = read(input.value)
    input.setAttribute("aria-invalid", String(Either.isLeft(value)))
    complain(Either.isLeft(value) ? `${label}: ${quote(input.value)} ${value.left}.` : "")
    if (Either.isRight(value) && input.value !== shown) {
      shown = input.value
      onEdit(value.right)
    }
  }
  input.addEventListener("input", take)
  input.addEventListener("blur", () => {
    input.value = shown
    take()
  })
  return (text: string) => {
    if (shown !== text) {
      shown = text
      input.value = text
      input.setAttribute("aria-invalid", "false")
    }
  }
}

export const numberField = (
  label: string,
  context: string,
  limited: Limited,
  onEdit: (value: number) => void,
  complain: Complain,
  /** Where the least depends on another field. */
  leastOf: () => number = () => limits[limited][0]
): Field<number | null> => {
  const most = limits[limited][1]
  const input = h("input", { type: "number", inputMode: "numeric", max: `${most}`, step: "1" })
  const read = (text: string): Either.Either<number, string> =>
    /^\d+$/.test(text) && Number(text) >= leastOf() && Number(text) <= most
      ? Either.right(Number(text))
      : Either.left(`is not a whole number from ${leastOf()} to ${most}`)
  const show = typed(label, input, read, onEdit, complain)
  return {
    element: labelled(label, context, input),
    show: (value) => {
      input.disabled = value === null
      input.min = `${leastOf()}`
      show(value === null ? "" : String(value))
    }
  }
}

/** A bar to drag, with its value beside it. */
export const rangeField = (
  label: string,
  [least, most]: readonly [least: number, most: number],
  text: (value: number) => string,
  onEdit: (value: number) => void
): Field<number> => {
  const input = h("input", {
    type: "range",
    min: `${least}`,
    max: `${most}`,
    step: "1",
    attrs: { "aria-label": label }
  })
  const shown = h("span")
  input.addEventListener("input", () => onEdit(Number(input.value)))
  return {
    element: h("label", { className: "field range" }, h("span", { className: "cap" }, label, " ", shown), input),
    show: (value) => {
      input.value = `${value}`
      input.setAttribute("aria-valuetext", text(value))
      shown.textContent = text(value)
    }
  }
}

export const checkField = (label: string, onEdit: (value: boolean) => void): Field<boolean> => {
  const input = h("input", { type: "checkbox" })
  input.addEventListener("change", () => onEdit(input.checked))
  return {
    element: h("label", { className: "field check" }, input, label),
    show: (value) => {
      input.checked = value
    }
  }
}

export const textField = (
  label: string,
  context: string,
  troubleWith: (text: string) => string | undefined,
  onEdit: (value: string) => void,
  complain: Complain
): Field<string> => {
  const input = h("input", { type: "text", maxLength: limits.name[1], spellcheck: false, autocomplete: "off" })
  const read = (text: string): Either.Either<string, string> => {
    const trouble = troubleWith(text)
    return trouble === undefined ? Either.right(text) : Either.left(trouble)
  }
  return { element: labelled(label, context, input), show: typed(label, input, read, onEdit, complain) }
}

export const selectField = <const A extends string>(
  label: string,
  context: string,
  choices: ReadonlyArray<readonly [value: A, text: string]>,
  onEdit: (value: A) => void
): Field<A> => {
  const select = h("select", {}, ...choices.map(([value, text]) => h("option", { value }, text)))
  select.addEventListener("change", () => {
    const choice = choices.find(([value]) => value === select.value)
    if (choice !== undefined) {
      onEdit(choice[0])
    }
  })
  return {
    element: labelled(label, context, select),
    show: (value) => {
      select.value = value
    }
  }
}
