import { readFileSync, writeFileSync } from "node:fs"
import { cpus } from "node:os"
import { median, quantile } from "./measure.js"

/** The samples of one case in one process: microseconds per run, for each round. */
export interface Samples {
  readonly case: string
  readonly against: string
  readonly goal?: number | undefined
  readonly ours: ReadonlyArray<number>
  readonly theirs: ReadonlyArray<number>
  readonly floor?: ReadonlyArray<number> | undefined
}

export interface Row {
  readonly case: string
  readonly against: string
  /** Our time divided by theirs: the median of all rounds. */
  readonly ratio: number
  /** The quartiles of the rounds. */
  readonly spread: readonly [from: number, to: number]
  readonly goal: number | undefined
  /** The floor's time divided by theirs. */
  readonly floor: number | undefined
  /** Microseconds per run. */
  readonly ours: number
  readonly theirs: number
  readonly rounds: number
}

/** A figure that is not a ratio, such as bytes. */
export interface Figure {
  readonly name: string
  readonly value: number
  readonly unit: string
  readonly against: string
  /** The highest value that we want. */
  readonly goal: number
}

export interface Report {
  readonly machine: string
  readonly command: string
  readonly rows: ReadonlyArray<Row>
  readonly figures: ReadonlyArray<Figure>
}

/** Combines the samples that several processes took of one case. */
export const rowOf = (samples: ReadonlyArray<Samples>): Row => {
  const [{ against, case: name, goal }] = samples as [Samples]
  const ratiosOf = (pick: (self: Samples) => ReadonlyArray<number> | undefined) =>
    samples.flatMap((self) => pick(self)?.map((micros, round) => micros / self.theirs[round]!) ?? [])
  const ratios = ratiosOf(({ ours }) => ours)
  const floors = ratiosOf(({ floor }) => floor)
  return {
    case: name,
    against,
    ratio: median(ratios),
    spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
    goal,
    floor: floors.length === 0 ? undefined : median(floors),
    ours: median(samples.flatMap(({ ours }) => ours)),
    theirs: median(samples.flatMap(({ theirs }) => theirs)),
    rounds: ratios.length
  }
}

export const machine = () => {
  const models = cpus().map(({ model }) => model)
  return `Node ${process.version.slice(1)}, ${process.platform} ${process.arch}, ${models.length} × ${models[0]}`
}

export const isMissed = ({ goal, ratio }: Row) => goal !== undefined && ratio > goal

const figure = (value: number | undefined) => value === undefined ? "" : value.toFixed(2)
const micros = (value: number) => value < 100 ? value.toFixed(1) : value.toFixed(0)

const nameOf = (row: Row) => `${row.case} : ${row.against}`

export const titles = ["ratio", "middle half", "goal", "floor", "ours µs", "theirs µs", "ours : theirs"]

export const cells = (row: Row) => [
  figure(row.ratio),
  row.rounds === 1 ? "1 round" : row.spread.map(figure).join(" – "),
  figure(row.goal),
  figure(row.floor),
  micros(row.ours),
  micros(row.theirs),
  nameOf(row)
]

const widths = [6, 13, 5, 6, 9, 10, 0]

export const line = (values: ReadonlyArray<string>) =>
  values.map((value, index) => index < widths.length - 1 ? value.padStart(widths[index] ?? 0) : `  ${value}`).join(" ")

export const figureLine = ({ against, goal, name, unit, value }: Figure) =>
  `${name}: ${value} ${unit} (${against}; goal: at most ${goal})`

/** Writes a text into a page, between the marks `<!-- NAME -->` and `<!-- end of NAME -->`. */
export const publishText = (path: URL, text: string, name = "figures") => {
  const [begin, end] = [`<!-- ${name} -->`, `<!-- end of ${name} -->`]
  const page = readFileSync(path, "utf8")
  const [before, rest] = page.split(begin)
  const after = rest?.split(end)[1]
  if (before === undefined || after === undefined) {
    throw new Error(`${path.pathname} has no "${begin}" and "${end}"`)
  }
  writeFileSync(path, `${before}${begin}\n\n${text}\n\n${end}${after}`)
}

/** Writes a heading, a table and notes into a page. The second row of the table is the ruler of Markdown. */
export const publish = (
  path: URL,
  heading: string,
  table: ReadonlyArray<ReadonlyArray<string>>,
  notes: ReadonlyArray<string>,
  name?: string
) =>
  publishText(
    path,
    [
      `${heading}:`,
      table.map((cells) => `| ${cells.join(" | ")} |`).join("\n"),
      notes.map((note) => `- ${note}`).join("\n")
    ].join("\n\n"),
    name
  )

export const save = (path: URL, { command, figures, machine, rows }: Report) => {
  const ruler = titles.map((_, index) => index < titles.length - 1 ? "--:" : "---")
  publish(path, `\`${command}\` on ${machine}`, [titles, ruler, ...rows.map(cells)], figures.map(figureLine))
}

/** Writes a table of ratios into a page: of the rows whose names begin with one of `names`. */
export const saveRatios = (path: URL, { command, machine, rows }: Report, names: ReadonlyArray<string>) => {
  const ratios = names.map((name) => {
    const row = rows.find((row) => nameOf(row).startsWith(name))
    if (row === undefined) {
      throw new Error(`there is no case "${name}"`)
    }
    return [nameOf(row), figure(row.ratio)]
  })
  publish(path, `\`${command}\` on ${machine}`, [["ours : theirs", "ratio"], ["---", "--:"], ...ratios], [])
}
