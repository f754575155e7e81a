import * as Effect from "effect/Effect"
import { bearableLateness, type Figures, figures, type Hedging, hedging, lateness } from "./measured.js"
import { type Counts, noCounts } from "./tailServer.js"

/** Names a run: the first part of the path of its requests, and the tag of its metrics. */
export const runOf = (client: string, mode: "plain" | "hedged"): string => `${client} ${mode}`

/** The state of one client: what this process measured, what the policy counted, and what the server saw. */
export interface Report {
  readonly client: string
  /** How many requests the client sends with hedging, and as many without. */
  readonly total: number
  /** By how many milliseconds this machine delays the slowest tenth of answers, at least. Measured without hedging. */
  readonly lateness: number
  readonly plain: Figures
  readonly hedged: Figures
  readonly hedging: Hedging
  readonly seen: { readonly plain: Counts; readonly hedged: Counts }
}

export const report = (
  client: string,
  total: number,
  counts: Readonly<Record<string, Counts>>
): Effect.Effect<Report> =>
  Effect.all({
    client: Effect.succeed(client),
    total: Effect.succeed(total),
    lateness: lateness(runOf(client, "plain")),
    plain: figures(runOf(client, "plain")),
    hedged: figures(runOf(client, "hedged")),
    hedging: hedging(client),
    seen: Effect.succeed({
      plain: counts[runOf(client, "plain")] ?? noCounts,
      hedged: counts[runOf(client, "hedged")] ?? noCounts
    })
  })

const number = (value: number) => value.toLocaleString("en")
const millis = (value: number) => Number.isNaN(value) ? "-" : value.toFixed(1)

const isTooBusy = ({ lateness }: Report) => lateness > bearableLateness

/** A line that says so if latencies would mislead. */
export const tooBusy = (report: Report): Array<string> =>
  isTooBusy(report)
    ? [
      `${report.client}: too busy to measure: without hedging, this machine delayed one answer in ten by more than ` +
      `${report.lateness.toFixed(1)} ms (the limit is ${bearableLateness} ms), ` +
      "so latencies would be those of the machine, and are not shown"
    ]
    : []

const latency = (report: Report, { quantile }: Figures, share: number) =>
  isTooBusy(report) ? "-" : millis(quantile(share))

/** The progress of a client, in one line. */
export const progress = (report: Report): string => {
  const { client, hedged, hedging, plain, seen, total } = report
  const done = plain.requests + hedged.requests
  const filled = Math.round(10 * done / (2 * total))
  const latencies = (figures: Figures) => `p50 ${latency(report, figures, 0.5)} p99 ${latency(report, figures, 0.99)}`
  return [
    `${client.padEnd(9)} ${"█".repeat(filled)}${"░".repeat(10 - filled)} ${number(done).padStart(6)}`,
    `plain ${latencies(plain)}`,
    `hedged ${latencies(hedged)}`,
    `delay ${hedging.delay.toFixed(1)} ms`,
    `${number(hedging.hedges)} hedges`,
    `${number(seen.plain.aborted + seen.hedged.aborted)} aborted`
  ].join("  ")
}

const header = ["client", "", "p50", "p99", "p99.9", "timed out", "extra load", "wins", "aborted", "requests"]

const row = (report: Report, mode: "plain" | "hedged", wins: string) => {
  const { [mode]: figures, client, seen: { [mode]: seen } } = report
  return [
    client,
    mode,
    ...[0.5, 0.99, 0.999].map((share) => latency(report, figures, share)),
    number(figures.ends.get("timed out") ?? 0),
    `${(100 * seen.hedges / seen.first).toFixed(1)} %`,
    wins,
    number(seen.aborted),
    number(seen.first + seen.hedges)
  ]
}

/** The results: two rows for each client. */
export const table = (reports: ReadonlyArray<Report>): string => {
  const rows = [
    header,
    ...reports.flatMap((report) => [
      row(report, "plain", "-"),
      row(report, "hedged", number(report.hedging.wins))
    ])
  ]
  const widths = header.map((_, column) => Math.max(...rows.map((row) => row[column]?.length ?? 0)))
  return rows
    .map((row) =>
      row.map((text, column) => column < 2 ? text.padEnd(widths[column] ?? 0) : text.padStart(widths[column] ?? 0))
        .join("  ")
    )
    .join("\n")
}

/**
 * What does not add up, one line each.
 *
 * A hedge may lose before it has a connection. The policy counts it, and the server never sees it. So the server may
 * see fewer hedges than the policy counts. It never sees more, and never fewer than have won.
 */
export const faults = ({ client, hedged, hedging, plain, seen, total }: Report, ratio: number): Array<string> => {
  const failures = (figures: Figures) =>
    Array.from(figures.ends).flatMap(([end, times]) =>
      end === "answered" || end === "timed out" ? [] : [`${times} x ${end}`]
    )
  const answered = ({ ends }: Figures) => ends.get("answered") ?? 0
  const claims: ReadonlyArray<readonly [holds: boolean, otherwise: string]> = [
    [
      seen.plain.first === total && seen.plain.hedges === 0,
      "without hedging, the server did not see each request once"
    ],
    [seen.hedged.first <= total && seen.hedged.hedges <= hedging.hedges, "the server saw more than the client sent"],
    [seen.hedged.hedges >= hedging.wins, "more hedges won than the server saw"],
    [
      seen.plain.answered >= answered(plain) && seen.hedged.answered >= answered(hedged),
      "the client received more answers than the server sent"
    ],
    [hedging.hedges <= ratio * total, `more hedges than the budget allows: ${hedging.hedges} for ${total} requests`],
    ...[seen.plain, seen.hedged].map((counts) =>
      [
        counts.first + counts.hedges === counts.answered + counts.aborted,
        "some requests have no end at the server"
      ] as const
    )
  ]
  return [
    ...failures(plain),
    ...failures(hedged),
    ...claims.flatMap(([holds, otherwise]) => holds ? [] : [otherwise])
  ].map((fault) => `${client}: ${fault}`)
}
