import { h } from "./dom.js"

/** Copies a text, and says whether it did. */
export const copyButton = (label: string, text: () => string): HTMLElement => {
  const said = h("span", { className: "said", attrs: { role: "status" } })
  const button = h("button", { type: "button", className: "quiet" }, label)
  button.addEventListener("click", () =>
    navigator.clipboard.writeText(text()).then(
      () => said.textContent = "Copied.",
      () => said.textContent = "The browser does not allow copying here."
    ))
  return h("span", { className: "copy" }, button, said)
}
