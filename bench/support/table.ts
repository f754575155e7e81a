import { publish } from "./report.js"

/** The result of a bench. The first row has the titles. */
export interface Table {
  readonly heading: string
  readonly rows: ReadonlyArray<ReadonlyArray<string>>
  readonly notes: ReadonlyArray<string>
}

const aligned = (rows: ReadonlyArray<ReadonlyArray<string>>) => {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows.map((row) =>
    row.map((value, column) => column === 0 ? value.padEnd(widths[column]!) : value.padStart(widths[column]!)).join(
      "  "
    )
  )
}

/** Formats the table for a terminal. */
export const toText = ({ heading, notes, rows }: Table) => [heading, "", ...aligned(rows), "", ...notes].join("\n")

/** Writes the table into a page, between the marks of that name. */
export const save = (path: URL, { heading, notes, rows: [titles = [], ...rows] }: Table, name?: string) => {
  const ruler = titles.map((_, index) => index === 0 ? "---" : "--:")
  publish(path, heading, [titles, ruler, ...rows], notes, name)
}
