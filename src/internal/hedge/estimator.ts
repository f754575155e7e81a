import * as Either from "effect/Either"
import type * as Schedule from "effect/Schedule"
import type * as Hedge from "../../Hedge.js"
import { type Choice, Sketch } from "./sketch.js"

/** When a call sends hedges, and the probability that it does if it is late. */
export interface Plan {
  /** Milliseconds, or a schedule. */
  readonly delay: number | Schedule.Schedule<unknown, number>
  readonly probability: number
}

/** Why a percentile gives no delay. */
export type Unlearnt = "warm-up" | "above-max"

/** Chooses a delay from a sketch, or from the percentile that the sketch estimates. */
export type Choose = (sketch: Sketch, estimate: number, now: number) => Choice

/** Learns the delay for the calls of one key, or for all calls. */
class Estimator {
  readonly sketch: Sketch
  private chosen: Choice = { delay: NaN, probability: 1 }
  private isAboveMax = false
  private chosenAt = -Infinity

  constructor(
    private readonly percentile: Hedge.Percentile,
    private readonly choose: Choose
  ) {
    this.sketch = new Sketch(percentile.window, Math.max(percentile.warmup, fewest(percentile.quantile)))
  }

  isWarm(now: number): boolean {
    return this.sketch.ended(now) >= this.percentile.warmup
  }

  /** Keeps the choice until the sketch has grown by 2 %, because choosing reads the whole sketch. */
  plan(now: number): Either.Either<Choice, Unlearnt> {
    const { aboveMax, max, min, quantile } = this.percentile
    if (!this.isWarm(now)) {
      return Either.left("warm-up")
    }
    if (this.sketch.version - this.chosenAt > this.sketch.count(now) / 50) {
      const estimate = this.sketch.quantile(quantile, now)
      this.chosen = this.choose(this.sketch, estimate, now)
      this.isAboveMax = estimate > max
      this.chosenAt = this.sketch.version
    }
    const { delay, probability } = this.chosen
    return this.isAboveMax && aboveMax === "skip"
      ? Either.left("above-max")
      : Either.right({ delay: Math.min(Math.max(delay, min), max), probability })
  }
}

/** The estimators of a policy: one for each key, and one for all calls. */
export class Estimators {
  private readonly all: Estimator
  private readonly byKey = new Map<string, Estimator>()

  constructor(
    private readonly percentile: Hedge.Percentile,
    private readonly choose: Choose
  ) {
    this.all = new Estimator(percentile, choose)
  }

  /** The estimator of a key. A call without a key uses that of all calls. */
  private of(key: string): Estimator {
    if (key === "") {
      return this.all
    }
    const estimator = this.byKey.get(key) ?? new Estimator(this.percentile, this.choose)
    // A Map keeps the order of insertion, so this key becomes the newest.
    this.byKey.delete(key)
    this.byKey.set(key, estimator)
    const [eldest] = this.byKey.keys()
    if (this.byKey.size > this.percentile.keys && eldest !== undefined) {
      this.byKey.delete(eldest)
    }
    return estimator
  }

  private planOf(estimator: Estimator, now: number): Either.Either<Choice, Unlearnt> {
    return (estimator.isWarm(now) ? estimator : this.all).plan(now)
  }

  plan(key: string, now: number): Either.Either<Choice, Unlearnt> {
    return this.planOf(this.of(key), now)
  }

  record(key: string, elapsed: number, how: "ended" | "cutOff", now: number): void {
    const estimator = this.of(key)
    estimator.sketch.record(elapsed, how, now)
    if (estimator !== this.all) {
      this.all.sketch.record(elapsed, how, now)
    }
  }

  stats(now: number): ReadonlyArray<Hedge.KeyStats> {
    return [["", this.all] as const, ...this.byKey].map(([key, estimator]) => {
      const { sketch } = estimator
      const quantiles = sketch.quantiles([this.percentile.quantile, 0.5, 0.9, 0.99], now)
      const [quantile = NaN, p50 = NaN, p90 = NaN, p99 = NaN] = quantiles
      const plan = this.planOf(estimator, now)
      return {
        key,
        count: sketch.count(now),
        ended: sketch.ended(now),
        quantile,
        p50,
        p90,
        p99,
        delay: Either.map(plan, ({ delay }) => delay),
        probability: Either.match(plan, { onLeft: () => 0, onRight: ({ probability }) => probability })
      }
    })
  }
}

/**
 * How many calls to know before the next one exceeds the slowest of them with a probability of at most `1 - quantile`.
 *
 * @internal
 */
export const fewest = (quantile: number): number => Math.ceil((1 - 1e-9) / (1 - quantile))
