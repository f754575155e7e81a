/** How long answers take, in milliseconds. */
export interface Distribution {
  readonly name: string
  /** The time for a number that was drawn between 0 and 1. */
  readonly at: (drawn: number) => number
  /** The share of answers that take longer. */
  readonly longer: (millis: number) => number
}

/** The complementary error function: its series near zero, its continued fraction further out. */
const erfc = (x: number): number => {
  if (x < 0) {
    return 2 - erfc(-x)
  }
  if (x < 2) {
    let [term, sum] = [x, x]
    for (let n = 1; Math.abs(term) > 1e-17 * Math.abs(sum); n++) {
      term *= -x * x / n
      sum += term / (2 * n + 1)
    }
    return 1 - 2 / Math.sqrt(Math.PI) * sum
  }
  let fraction = 0
  for (let n = 60; n > 0; n--) {
    fraction = n / 2 / (x + fraction)
  }
  return Math.exp(-x * x) / Math.sqrt(Math.PI) / (x + fraction)
}

/** How many standard deviations a normal variable exceeds with this probability. */
const exceededWith = (probability: number): number => {
  if (probability > 0.5) {
    return -exceededWith(1 - probability)
  }
  // Abramowitz and Stegun, 26.2.22, is off by at most 0.003. Newton's steps make it exact.
  const t = Math.sqrt(-2 * Math.log(probability))
  let x = t - (2.30753 + 0.27061 * t) / (1 + 0.99229 * t + 0.04481 * t * t)
  for (let step = 0; step < 3; step++) {
    x += (erfc(x / Math.SQRT2) / 2 - probability) * Math.sqrt(2 * Math.PI) * Math.exp(x * x / 2)
  }
  return x
}

const lognormal = (mu: number, sigma: number): Omit<Distribution, "name"> => ({
  at: (drawn) => Math.exp(mu - sigma * exceededWith(drawn)),
  longer: (millis) => millis <= 0 ? 1 : erfc((Math.log(millis) - mu) / sigma / Math.SQRT2) / 2
})

const ofMean = (mean: number, deviation: number) => {
  const variance = Math.log(1 + (deviation / mean) ** 2)
  return lognormal(Math.log(mean) - variance / 2, Math.sqrt(variance))
}

/** Makes a share of the answers slow. The same draw decides whether an answer is slow and how long it takes. */
const withSlow = (
  { at, longer }: Omit<Distribution, "name">,
  share: number,
  slow: (millis: number) => number,
  unslow: (millis: number) => number
): Omit<Distribution, "name"> => ({
  at: (drawn) => drawn < share ? slow(at(drawn / share)) : at((drawn - share) / (1 - share)),
  longer: (millis) => (1 - share) * longer(millis) + share * longer(unslow(millis))
})

export const exponential: Distribution = {
  name: "exponential, mean 10",
  at: (drawn) => -10 * Math.log(drawn),
  longer: (millis) => Math.exp(-Math.max(0, millis) / 10)
}

export const stragglers: Distribution = {
  name: "lognormal, mean 5, deviation 2; 5 % take ten times as long",
  ...withSlow(ofMean(5, 2), 0.05, (millis) => 10 * millis, (millis) => millis / 10)
}

/** The mean of `stragglers`. */
export const stragglersMean = 5 * (0.95 + 0.05 * 10)

/** As in Kaler, He and Elnikety: light tails, heavy tails, and a few answers that are much slower than the others. */
export const distributions: ReadonlyArray<Distribution> = [
  exponential,
  {
    name: "Pareto, from 5, exponent 1.5",
    at: (drawn) => 5 * drawn ** (-1 / 1.5),
    longer: (millis) => millis <= 5 ? 1 : (5 / millis) ** 1.5
  },
  stragglers,
  {
    name: "lognormal, median 10, sigma 0.3; 1 % take 500 longer",
    ...withSlow(lognormal(Math.log(10), 0.3), 0.01, (millis) => millis + 500, (millis) => millis - 500)
  },
  {
    name: "Weibull, shape 0.5, scale 5",
    at: (drawn) => 5 * Math.log(drawn) ** 2,
    longer: (millis) => millis <= 0 ? 1 : Math.exp(-Math.sqrt(millis / 5))
  }
]

/** The least time that at most the share `1 - q` of answers exceeds. */
export const quantileOf = (longer: (millis: number) => number, q: number): number => {
  let [low, high] = [0, 1]
  while (longer(high) > 1 - q) {
    high *= 2
  }
  for (let step = 0; step < 200 && high - low > 1e-12 * high; step++) {
    const middle = (low + high) / 2
    if (longer(middle) > 1 - q) {
      low = middle
    } else {
      high = middle
    }
  }
  return high
}
