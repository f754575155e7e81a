import * as Hedge from "../../src/Hedge.js"
import { inTurn, quantile } from "./calls.js"
import { best, hedged, withProbability } from "./closedForms.js"
import { distributions, quantileOf } from "./distributions.js"
import { drawing, oneOfEachPart } from "./draws.js"
import { type Experiment, millis, percent, wider } from "./section.js"

const seed = 3
const ratio = 0.02
const tail = 0.99

export const singleR: Experiment = (scale) => {
  const calls = 200_000 * scale
  const skip = calls / 4
  const rows = distributions.map((distribution) => {
    const measured = (options: Hedge.MakeOptions) => {
      const draw = drawing(seed)
      const warmup = oneOfEachPart(skip, draw)
      const firsts = oneOfEachPart(calls, draw)
      return inTurn(
        options,
        (call, attempt) => distribution.at(attempt > 0 ? draw() : call < 0 ? warmup[skip + call]! : firsts[call]!),
        { calls, seed, skip }
      )
    }
    const chosen = best(distribution, tail, ratio)
    const expected = withProbability(distribution, chosen.delay, chosen.probability)
    const delay = quantileOf(distribution.longer, 1 - ratio)
    return {
      name: distribution.name,
      always: { delay, quantile: quantileOf(hedged(distribution, delay, 1).longer, tail) },
      chosen: { ...chosen, extra: expected.extra },
      known: measured({ delay: chosen.delay, probability: chosen.probability }),
      learned: measured({ delay: Hedge.percentile(1 - ratio, { min: 0 }), probability: "auto", targetQuantile: tail })
    }
  })
  return {
    title: `6. The 99th percentile with hedges for 2 % of calls, ${calls.toLocaleString("en")} calls: milliseconds`,
    table: [
      [
        "latency",
        "hedge every late call: closed form",
        "best delay and probability",
        "best: closed form",
        "best: measured, hedges",
        "`\"auto\"`: measured, hedges"
      ],
      ...rows.map(({ always, chosen, known, learned, name }) => [
        name,
        millis(always.quantile),
        `${millis(chosen.delay)}, ${chosen.probability.toFixed(2)}`,
        millis(chosen.quantile),
        ...[known, learned].map((measured) => `${millis(quantile(measured, tail))}, ${percent(measured.extra)}`)
      ])
    ],
    missed: rows.flatMap(({ chosen, known, learned, name }) => [
      ...(Math.abs(quantile(known, tail) / chosen.quantile - 1) > wider(0.02, scale)
        ? [`${name}: ${quantile(known, tail)} ms, not ${chosen.quantile}`]
        : []),
      ...(Math.abs(known.extra - chosen.extra) > wider(0.003, scale)
        ? [`${name}: ${percent(known.extra)} hedges`]
        : []),
      // A learned choice is off by a bucket, and by the noise of the calls that it was learned from.
      ...(quantile(learned, tail) / chosen.quantile - 1 > wider(0.05, scale)
        ? [`${name}, "auto": ${quantile(learned, tail)} ms, not ${chosen.quantile}`]
        : []),
      ...(learned.extra > ratio + wider(0.003, scale) ? [`${name}, "auto": ${percent(learned.extra)} hedges`] : [])
    ])
  }
}
