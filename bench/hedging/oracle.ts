import type * as Hedge from "../../src/Hedge.js"
import { inTurn, type Measured, quantile } from "./calls.js"
import { type Expected, hedged } from "./closedForms.js"
import { type Distribution, distributions, quantileOf } from "./distributions.js"
import { drawing, oneOfEachPart } from "./draws.js"
import type { Line } from "./plots.js"
import { type Experiment, millis, percent, wider } from "./section.js"

const seed = 1

interface Row {
  readonly distribution: Distribution
  readonly policy: string
  readonly measured: Measured
  readonly expected: Expected
}

const policies = ({ longer }: Distribution) => {
  const after = (q: number) => quantileOf(longer, q)
  return [
    { policy: "none", delay: 0, maxHedges: 0 },
    { policy: "after Q.95", delay: after(0.95), maxHedges: 1 },
    { policy: "after Q.98", delay: after(0.98), maxHedges: 1 },
    { policy: "at once", delay: 0, maxHedges: 1 },
    { policy: "two, each after Q.95", delay: after(0.95), maxHedges: 2 }
  ]
}

/** Quantiles, and the relative error that each may have. */
const quantiles = [[0.5, 0.02], [0.95, 0.02], [0.99, 0.02], [0.999, 0.06]] as const

/**
 * A quantile may lie in a gap between fast and slow calls, where hardly any call ends. One more call then moves it far.
 * So it is enough if the share of calls beyond the measured quantile is right.
 */
const isOff = ({ expected: { longer }, measured }: Row, q: number, tolerance: number) => {
  const value = quantile(measured, q)
  return Math.abs(value / quantileOf(longer, q) - 1) > tolerance &&
    Math.abs(longer(value) / (1 - q) - 1) > tolerance / 2
}

const name = ({ distribution, policy }: Row) => `${distribution.name}, ${policy}`

const missedOf = (row: Row, scale: number): ReadonlyArray<string> => [
  ...quantiles.filter(([q, tolerance]) => isOff(row, q, wider(tolerance, scale))).map(([q]) =>
    `${name(row)}: the quantile ${q} is ${quantile(row.measured, q)}, not ${quantileOf(row.expected.longer, q)}`
  ),
  ...(Math.abs(row.measured.extra - row.expected.extra) > wider(0.003, scale)
    ? [`${name(row)}: ${row.measured.extra} hedges per call, not ${row.expected.extra}`]
    : [])
]

/** The times that a share of calls exceeds, for shares from a half to one in ten thousand. */
const tail = ({ latencies }: Measured): Line["points"] =>
  Array.from({ length: 112 }, (_, step) => 0.5 * 10 ** (-step / 30)).map((share) =>
    [latencies[Math.min(latencies.length - 1, Math.floor((1 - share) * latencies.length))] ?? NaN, share] as const
  )

export const oracle: Experiment = (scale) => {
  const calls = 200_000 * scale
  const rows = distributions.flatMap((distribution) =>
    policies(distribution).map(({ delay, maxHedges, policy }): Row => {
      const draw = drawing(seed)
      const firsts = oneOfEachPart(calls, draw)
      const latency = (call: number, attempt: number) => distribution.at(attempt === 0 ? firsts[call]! : draw())
      const options: Hedge.MakeOptions = { delay, maxHedges }
      return {
        distribution,
        policy,
        measured: inTurn(options, latency, { calls, seed }),
        expected: hedged(distribution, delay, maxHedges)
      }
    })
  )
  return {
    title: `1. Against the closed form, ${calls.toLocaleString("en")} calls: milliseconds, expected values in brackets`,
    table: [
      ["latency", "hedge", "p50", "p95", "p99", "p99.9", "hedges"],
      ...rows.map((row) => [
        row.distribution.name,
        row.policy,
        ...quantiles.map(([q]) =>
          `${millis(quantile(row.measured, q))} (${millis(quantileOf(row.expected.longer, q))})`
        ),
        `${percent(row.measured.extra)} (${percent(row.expected.extra)})`
      ])
    ],
    missed: rows.flatMap((row) => missedOf(row, scale)),
    plot: {
      file: "tail.svg",
      description:
        "The share of calls that take longer than a time, for five distributions of latency: without hedges, " +
        "with one after the 95th percentile, and with one at once",
      panels: distributions.map((distribution) => ({
        title: distribution.name,
        x: { title: "milliseconds", type: "log" },
        y: { title: "share of slower calls", type: "log" },
        lines: rows.filter((row) => row.distribution === distribution && /none|^after Q.95|at once/.test(row.policy))
          .map(({ measured, policy }) => ({ name: policy, points: tail(measured) }))
      }))
    }
  }
}
