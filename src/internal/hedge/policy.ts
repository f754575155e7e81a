import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { constVoid } from "effect/Function"
import type * as Hedge from "../../Hedge.js"
import { Checks } from "../options.js"
import { Budget, isBudget, unlimited } from "./budget.js"
import { type Choice, Sketch } from "./estimator.js"

const check = new Checks("Hedge")

/** @internal */
export const TypeId: Hedge.PolicyTypeId = Symbol.for("effect-staggered-race/Hedge/Policy") as Hedge.PolicyTypeId

/** @internal */
export const percentile = (
  quantile: number,
  { above = "clamp", max = Infinity, min = 1, warmup = 20, window = 30_000 }: Hedge.PercentileOptions = {}
): Hedge.Percentile => {
  const decoded: Hedge.Percentile = {
    _tag: "Percentile",
    quantile: check.fraction("quantile", quantile),
    above: check.oneOf("above", above, ["stop", "clamp"]),
    warmup: check.whole("warmup", warmup, 1),
    min: check.millis("min", min),
    max: check.millis("max", max),
    window: check.period("window", window)
  }
  check.that(decoded.max >= decoded.min, "max", max, "at least min")
  return decoded
}

const isPercentile = (delay: unknown): delay is Hedge.Percentile =>
  typeof delay === "object" && delay !== null && "_tag" in delay && delay._tag === "Percentile"

/** A delay that a race understands. */
type Timing = number | Exclude<Hedge.Options["delay"], Duration.DurationInput | Hedge.Percentile>

/** The options of a policy, checked, with defaults filled in and durations in milliseconds. */
interface Settings<A, E> extends Hedge.Options<A, E> {
  readonly delay: Timing | Hedge.Percentile
  readonly maxHedges: number
  readonly probability: number | "auto"
  readonly tail: number
}

const decode = <A, E>(options: Hedge.Options<A, E>): Settings<A, E> => {
  const {
    accept,
    delay,
    enabled,
    fatal,
    losers = "await",
    maxHedges = 1,
    name,
    probability = 1,
    pushback,
    tail = 0.99
  } = options
  check.name(name)
  check.that(enabled === undefined || Effect.isEffect(enabled), "enabled", enabled, "an effect")
  check.functions({ accept, fatal, pushback })
  if (probability === "auto") {
    const expected = "a number from 0 to 1 unless the delay is a percentile"
    check.that(isPercentile(delay), "probability", probability, expected)
  } else {
    check.share("probability", probability)
  }
  return {
    ...options,
    delay: isPercentile(delay) ? delay : check.delay(delay),
    losers: check.losers(losers),
    maxHedges: check.whole("maxHedges", maxHedges, 0),
    probability,
    tail: check.fraction("tail", tail)
  }
}

/** Why a call sends no hedge. */
export type Denied = "disabled" | "warm-up" | "max" | "budget" | "in-flight" | "no-target" | "pushback"

/** When a call sends hedges, and with which probability if it is late. */
export interface Plan {
  readonly delay: Timing
  readonly probability: number
}

/** How many keys have an estimator. With more keys, the policy forgets the one that was not called for longest. */
const maxKeys = 256

/** Chooses a delay from a sketch, and from the percentile that the sketch estimates. */
type Choose = (sketch: Sketch, estimate: number, now: number) => Choice

/** Chooses the delay for the calls of one key. */
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

  /** Chooses again only when the sketch has grown by 2 %, because choosing reads all of it. */
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
    // A Map keeps the order of insertion, so this key becomes the newest.
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

  /** Whether calls have to be recorded. */
  get learns(): boolean {
    return isPercentile(this.settings.delay)
  }

  /** When a call sends hedges, or why it sends none. */
  plan({ delay: own, key = "" }: Hedge.CallOptions, now: number): Either.Either<Plan, Denied> {
    const { delay: general, probability } = this.settings
    const delay: Timing | Hedge.Percentile = own === undefined ? general : check.millis("delay", own)
    return isPercentile(delay)
      ? this.estimator(key, delay).plan(now)
      : Either.right({ delay, probability: probability === "auto" ? 1 : probability })
  }

  /**
   * Records how long the first copy of a call took, or that it was cut off and would have taken longer. Later copies
   * and quick failures are not recorded, because they would falsify the percentile.
   */
  record(key: string, elapsed: number, how: "ended" | "cutOff", now: number): void {
    const { delay } = this.settings
    if (isPercentile(delay)) {
      this.estimator(key, delay).sketch.record(elapsed, how, now)
    }
  }
}

/** @internal */
export const isPolicy = <A, E>(input: Hedge.Policy<A, E> | object): input is Hedge.Policy<A, E> =>
  input instanceof Policy

/** @internal */
export const make = <A = unknown, E = unknown>(
  options: Hedge.MakeOptions<A, E>
): Effect.Effect<Hedge.Policy<A, E>> =>
  Effect.sync(() => {
    const { budget = {}, ...others } = check.object("options", options, "a delay")
    const isFine = budget === "unlimited" || (typeof budget === "object" && budget !== null)
    check.that(isFine, "budget", budget, "a budget, the options of one, or \"unlimited\"")
    return new Policy(
      others,
      budget === "unlimited" ? unlimited : isBudget(budget) ? budget : new Budget(budget as Hedge.BudgetOptions)
    )
  })

/** @internal */
export const from = <A, E>(policy: Hedge.Policy<A, E> | Hedge.Options<A, E>): Policy<A, E> => {
  if (policy instanceof Policy) {
    return policy
  }
  const options = check.object("options", policy as Hedge.Options<A, E>, "a delay")
  check.that(
    !isPercentile(options.delay),
    "delay",
    "Percentile",
    "a duration or a schedule, or that of a policy that is made once, by Hedge.make"
  )
  return new Policy(options, unlimited)
}
