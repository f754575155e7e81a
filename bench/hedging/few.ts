import * as Hedge from "../../src/Hedge.js"
import { poisson } from "./arrivals.js"
import { inTurn } from "./calls.js"
import { distributions } from "./distributions.js"
import { drawing } from "./draws.js"
import { type Experiment, percent, wider } from "./section.js"

const seed = 8

/** The limits of the measured share of hedges, divided by the expected one. */
const [least, most] = [0.25, 2]

export const few: Experiment = (scale) => {
  const rows = [0.95, 0.999].flatMap((quantile) =>
    [0.3, 1, 5].map((rate) => {
      const known = Math.max(20, Math.round(1 / (1 - quantile)))
      const shares = distributions.map((distribution) => {
        const draw = drawing(seed)
        return inTurn(
          { delay: Hedge.percentile(quantile, { min: 0 }) },
          () => distribution.at(draw()),
          { calls: 200 * scale / (1 - quantile), seed, skip: known, every: poisson(rate, drawing(seed + 1)) }
        ).extra
      })
      return { quantile, rate, shares }
    })
  )
  return {
    title: "8. The share of calls that get a hedge when calls are few, without a budget",
    table: [
      ["percentile", "calls a second", "expected", ...distributions.map(({ name }) => name)],
      ...rows.map(({ quantile, rate, shares }) => [
        `${quantile}`,
        `${rate}`,
        percent(1 - quantile),
        ...shares.map(percent)
      ])
    ],
    missed: rows.flatMap(({ quantile, rate, shares }) =>
      shares.flatMap((share, index) => {
        const times = share / (1 - quantile)
        return times > 1 + wider(most - 1, scale) || times < 1 - wider(1 - least, scale)
          ? [
            `${distributions[index]?.name}, ${rate} a second: ${percent(share)} hedges, with the percentile ${quantile}`
          ]
          : []
      })
    )
  }
}
