import { h } from "./dom.js"

/** A table of figures, whose rows begin with what they are about. On a phone, each cell says what it is. */
export const figures = (caption: string, head: ReadonlyArray<string>) => {
  const body = h("tbody")
  return {
    element: h(
      "table",
      { className: "figures" },
      h("caption", {}, caption),
      h("thead", {}, h("tr", {}, ...head.map((text) => h("th", { scope: "col" }, text)))),
      body
    ),
    show: (rows: ReadonlyArray<ReadonlyArray<string>>): void =>
      body.replaceChildren(...rows.map(([first = "", ...cells]) =>
        h(
          "tr",
          {},
          h("th", { scope: "row" }, first),
          ...cells.map((cell, i) => h("td", { attrs: { "data-head": head[i + 1] ?? "" } }, cell))
        )
      ))
  }
}
