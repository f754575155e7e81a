import { type Distribution, quantileOf } from "./distributions.js"

/** What a policy does to a distribution, if attempts are independent and stopping a loser costs nothing. */
export interface Expected {
  readonly longer: (millis: number) => number
  /** Hedges per call. */
  readonly extra: number
}

/** A hedge after each `delay`, as many as `hedges`. */
export const hedged = ({ longer }: Distribution, delay: number, hedges: number): Expected => {
  const starts = Array.from({ length: hedges + 1 }, (_, index) => index * delay)
  // The probability that none of the first `attempts` has answered by then.
  const none = (millis: number, attempts: number) =>
    starts.slice(0, attempts).reduce((share, start) => share * longer(millis - start), 1)
  return {
    longer: (millis) => none(millis, starts.length),
    extra: starts.slice(1).reduce((sum, start, index) => sum + none(start, index + 1), 0)
  }
}

/** A hedge after the delay, with a probability (Kaler, He and Elnikety, SPAA 2017). */
export const withProbability = ({ longer }: Distribution, delay: number, probability: number): Expected => ({
  longer: (millis) => longer(millis) * (1 - probability * (1 - longer(millis - delay))),
  extra: probability * longer(delay)
})

/** The delay and the probability that minimize a quantile, with hedges for a share of calls. */
export const best = (distribution: Distribution, tail: number, ratio: number) => {
  const latest = quantileOf(distribution.longer, 1 - ratio)
  const tried = Array.from({ length: 2000 }, (_, step) => {
    const delay = latest * (step + 1) / 2000
    const probability = Math.min(1, ratio / distribution.longer(delay))
    const expected = withProbability(distribution, delay, probability)
    return { delay, probability, quantile: quantileOf(expected.longer, tail) }
  })
  return tried.reduce((least, one) => one.quantile < least.quantile ? one : least)
}
