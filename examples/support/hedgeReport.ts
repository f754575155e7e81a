import * as Effect from "effect/Effect"
import { type Figures, figures, type Hedging, hedging, lateness } from "./measured.js"
import { type Counts, noCounts } from "./tailServer.js"

/** What a request is part of: as the first part of its path, and as the tag of what is measured of it. */
export const runOf = (client: string, mode: "plain" | "hedged"): string => `${client} ${mode}`

/** What is known of a client, at any time: what was measured here, what its policy tells, and what the server saw. */
export interface Report {
  readonly client: string
  /** How many requests there are to be, with hedging and without. */
  readonly total: number
  /** How much later than the server was to send them one answer in ten came, without hedging. Milliseconds. */
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

/**
 * Milliseconds. The server takes 2 to 6 for most requests. Where the machine adds as much as that spread to one in ten, it
 * is the machine that decides which requests are late, and so the policy's delay.
 */
const bearable = 4
const isTooBusy = ({ lateness }: Report) => lateness > bearable

/** Says so where latencies would mislead. */
export const tooBusy = (report: Report): Array<string> =>
  isTooBusy(report)
    ? [
      `${report.client}: too busy to measure: without hedging, one answer in ten came more than ` +
      `${report.lateness.toFixed(1)} ms after the server was to send it (${bearable} ms at most), ` +
      "so latencies would be those of this machine, and are not shown"
    ]
    : []

const latency = (report: Report, { quantile }: Figures, share: number) =>
  isTooBusy(report) ? "-" : millis(quantile(share))

/** How it stands, in one line. */
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
    `${number(hedging.copies)} copies`,
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
    `${(100 * seen.copies / seen.first).toFixed(1)} %`,
    wins,
    number(seen.aborted),
    number(seen.first + seen.copies)
  ]
}

/** How it ended: two rows for each client. */
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
 * What does not add up.
 *
 * A copy that loses before it is sent, as its connection was not there yet, is counted by the policy, and the server never
 * sees it. So the server may have seen fewer copies than were made; never more, and never fewer than have won.
 */
export const faults = ({ client, hedged, hedging, plain, seen, total }: Report, ratio: number): Array<string> => {
  const failures = (figures: Figures) =>
    Array.from(figures.ends).flatMap(([end, times]) =>
      end === "answered" || end === "timed out" ? [] : [`${times} x ${end}`]
    )
  const answered = ({ ends }: Figures) => ends.get("answered") ?? 0
  const claims: ReadonlyArray<readonly [holds: boolean, otherwise: string]> = [
    [seen.plain.first === total && seen.plain.copies === 0, "without hedging, the server saw not each request once"],
    [seen.hedged.first <= total && seen.hedged.copies <= hedging.copies, "the server saw more than was sent"],
    [seen.hedged.copies >= hedging.wins, "more copies won than the server saw"],
    [
      seen.plain.answered >= answered(plain) && seen.hedged.answered >= answered(hedged),
      "more was received than the server answered"
    ],
    [hedging.copies <= ratio * total, `more copies than the budget allows: ${hedging.copies} for ${total} requests`],
    ...[seen.plain, seen.hedged].map((counts) =>
      [
        counts.first + counts.copies === counts.answered + counts.aborted,
        "requests without an end at the server"
      ] as const
    )
  ]
  return [
    ...failures(plain),
    ...failures(hedged),
    ...claims.flatMap(([holds, otherwise]) => holds ? [] : [otherwise])
  ].map((fault) => `${client}: ${fault}`)
}
