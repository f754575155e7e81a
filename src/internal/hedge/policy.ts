import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { constVoid } from "effect/Function"
import type * as Hedge from "../../Hedge.js"
import { Budget, isBudget, unlimited } from "./budget.js"
import { type Choice, Sketch } from "./estimator.js"
import { decode, invalid, isPercentile, type Settings, type Timing } from "./settings.js"

/** @internal */
export const TypeId: Hedge.PolicyTypeId = Symbol.for("effect-staggered-race/Hedge/Policy") as Hedge.PolicyTypeId

/** Why no copy is sent. */
export type Denied = "disabled" | "warm-up" | "max" | "budget" | "no-target" | "pushback"

/** When to send copies, and with which probability when the call is late. */
export interface Plan {
  readonly delay: Timing
  readonly probability: number
}

/** How many keys have an estimator of their own; of more, the one that was not called for longest is forgotten. */
const maxKeys = 256

/** `estimate` is the percentile, of what the sketch knows. */
type Choose = (sketch: Sketch, estimate: number, now: number) => Choice

/** What is known of the calls of one key. */
class Estimator {
  readonly sketch: Sketch
  private chosen: Choice = { delay: NaN, probability: 1 }
  private isAboveMax = false
  private chosenAt = -Infinity

  constructor(
    private readonly percentile: Hedge.Percentile,
    private readonly choose: Choose
  ) {
    this.sketch = new Sketch(percentile.window)
  }

  /** Chosen anew when what is known has grown by a fiftieth: a look at all of it for each call would be dear. */
  plan(now: number): Either.Either<Plan, Denied> {
    const { above, max, min, quantile, warmup } = this.percentile
    const count = this.sketch.count(now)
    if (count < warmup) {
      return Either.left("warm-up")
    }
    if (this.sketch.version - this.chosenAt > count / 50) {
      const estimate = this.sketch.quantile(quantile, now)
      this.chosen = this.choose(this.sketch, estimate, now)
      this.isAboveMax = estimate > max
      this.chosenAt = this.sketch.version
    }
    const { delay, probability } = this.chosen
    return this.isAboveMax && above === "stop"
      ? Either.left("max")
      : Either.right({ delay: Math.min(Math.max(delay, min), max), probability })
  }
}

/** @internal */
export class Policy<A, E> implements Hedge.Policy<A, E> {
  readonly [TypeId]: Hedge.Policy<A, E>[Hedge.PolicyTypeId] = { _A: constVoid, _E: constVoid }
  readonly settings: Settings<A, E>
  private readonly estimators = new Map<string, Estimator>()

  constructor(
    options: Hedge.Options<A, E>,
    readonly budget: Pick<Budget, "ratio" | "called" | "take" | "giveBack">
  ) {
    this.settings = decode(options)
  }

  private estimator(key: string, percentile: Hedge.Percentile): Estimator {
    const estimator = this.estimators.get(key) ?? new Estimator(percentile, this.choose(percentile))
    // The order of a map is that of its insertions.
    this.estimators.delete(key)
    this.estimators.set(key, estimator)
    const [eldest] = this.estimators.keys()
    if (this.estimators.size > maxKeys && eldest !== undefined) {
      this.estimators.delete(eldest)
    }
    return estimator
  }

  private choose(percentile: Hedge.Percentile): Choose {
    const { probability, tail } = this.settings
    const { quantile } = percentile
    return probability === "auto"
      ? (sketch, _, now) => sketch.choose(tail, Math.min(1 - quantile, this.budget.ratio), percentile, now)
      : (_, estimate) => ({ delay: estimate, probability })
  }

  /** When to send copies; or why there are to be none. */
  plan(key: string, now: number): Either.Either<Plan, Denied> {
    const { delay, probability } = this.settings
    return isPercentile(delay)
      ? this.estimator(key, delay).plan(now)
      : Either.right({ delay, probability: probability === "auto" ? 1 : probability })
  }

  /**
   * Records what the first copy of a call has taken. Of one that was cut off, it is known that it would have taken
   * longer. Copies that are sent later, and quick failures, would falsify it.
   */
  record(key: string, elapsed: number, how: "ended" | "cutOff", now: number): void {
    const { delay } = this.settings
    if (isPercentile(delay)) {
      this.estimator(key, delay).sketch.record(elapsed, how, now)
    }
  }
}

/** @internal */
export const make = <A = unknown, E = unknown>(
  { budget = {}, ...options }: Hedge.MakeOptions<A, E>
): Effect.Effect<Hedge.Policy<A, E>> =>
  Effect.sync(() =>
    new Policy(
      options,
      budget === "unlimited" ? unlimited : isBudget(budget) ? budget : new Budget(budget as Hedge.BudgetOptions)
    )
  )

/** @internal */
export const from = <A, E>(policy: Hedge.Policy<A, E> | Hedge.Options<A, E>): Policy<A, E> => {
  if (policy instanceof Policy) {
    return policy
  }
  const options = policy as Hedge.Options<A, E>
  if (isPercentile(options.delay)) {
    throw invalid(
      "delay",
      options.delay._tag,
      "a duration or a schedule, or that of a policy that is made once, by Hedge.make"
    )
  }
  return new Policy(options, unlimited)
}
