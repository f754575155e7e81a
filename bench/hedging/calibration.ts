import * as Hedge from "../../src/Hedge.js"
import { inTurn } from "./calls.js"
import { type Distribution, distributions, quantileOf } from "./distributions.js"
import { drawing } from "./draws.js"
import { type Experiment, percent, wider } from "./section.js"

const seed = 2

/** Whether 10 % more or fewer slow calls move the percentile to a time that is more than three times as long. */
const isInGap = ({ longer }: Distribution, q: number) =>
  quantileOf(longer, 1 - 0.9 * (1 - q)) > 3 * quantileOf(longer, 1 - 1.1 * (1 - q))

export const calibration: Experiment = (scale) => {
  const calls = 200_000 * scale
  const rows = distributions.flatMap((distribution) =>
    [0.9, 0.95, 0.99].map((quantile) => {
      const draw = drawing(seed)
      const { extra } = inTurn(
        { delay: Hedge.percentile(quantile, { min: 0 }) },
        () => distribution.at(draw()),
        { calls, seed, skip: 2000 }
      )
      return { distribution, quantile, extra }
    })
  )
  return {
    title: `2. The share of calls that get a hedge when the delay is learned, without a budget, ${
      calls.toLocaleString("en")
    } calls`,
    table: [
      ["latency", "percentile", "expected", "measured"],
      ...rows.map((
        { distribution, extra, quantile }
      ) => [distribution.name, `${quantile}`, percent(1 - quantile), percent(extra)])
    ],
    missed: rows.filter(({ distribution, extra, quantile }) => {
      const times = extra / (1 - quantile)
      const fewer = isInGap(distribution, quantile) ? 0.2 : 0.1
      return times > 1 + wider(0.1, scale) || times < 1 - wider(fewer, scale)
    }).map(({ distribution, extra, quantile }) =>
      `${distribution.name}: ${percent(extra)} hedges, with the percentile ${quantile}`
    )
  }
}
