type Props<K extends keyof HTMLElementTagNameMap> =
  & Partial<Omit<HTMLElementTagNameMap[K], "style" | "dataset">>
  & { readonly attrs?: Readonly<Record<string, string>> }

/** An element with properties, attributes and children. Text is text: nothing is read as markup. */
export const h = <K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { attrs = {}, ...properties }: Props<K> = {},
  ...children: ReadonlyArray<Node | string>
): HTMLElementTagNameMap[K] => {
  const element = Object.assign(document.createElement(tag), properties)
  for (const [name, value] of Object.entries(attrs)) {
    element.setAttribute(name, value)
  }
  element.append(...children)
  return element
}

/** An element of the page's own markup. */
export const byId = (id: string): HTMLElement => {
  const element = document.getElementById(id)
  if (element === null) {
    throw new Error(`the page has no element "${id}"`)
  }
  return element
}

/** Sets an element's style by custom properties, in which lengths are shares of a lane. */
export const place = (element: HTMLElement, shares: Readonly<Record<string, number>>): void => {
  for (const [name, share] of Object.entries(shares)) {
    element.style.setProperty(`--${name}`, `${Math.round(Math.min(1, share) * 1e4) / 100}%`)
  }
}

export const setText = (element: HTMLElement, text: string): void => {
  if (element.textContent !== text) {
    element.textContent = text
  }
}
