import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import type * as Hedge from "../../Hedge.js"
import { elapsed } from "../observe.js"
import { Budget, check, isBudget, unlimited } from "./budget.js"
import { type Choose, Estimators, fewest, type Plan, type Unlearnt } from "./estimator.js"

/** @internal */
export const TypeId: Hedge.PolicyTypeId = Symbol.for("effect-staggered-race/Hedge/Policy") as Hedge.PolicyTypeId

/** @internal */
export const percentile = (
  quantile: number,
  { aboveMax = "clamp", keys = 256, max = Infinity, min = 1, warmup, window = 30_000 }: Hedge.PercentileOptions = {}
): Hedge.Percentile => {
  check.fraction("quantile", quantile)
  const decoded: Hedge.Percentile = {
    _tag: "Percentile",
    quantile,
    aboveMax: check.oneOf("aboveMax", aboveMax, ["clamp", "skip"]),
    warmup: check.whole("warmup", warmup ?? Math.max(20, fewest(quantile)), 1),
    keys: check.limit("keys", keys, 0),
    min: check.millis("min", min),
    max: check.millis("max", max),
    window: check.period("window", window)
  }
  check.that(decoded.max >= decoded.min, "max", max, "at least min")
  return decoded
}

const isPercentile = (delay: unknown): delay is Hedge.Percentile =>
  typeof delay === "object" && delay !== null && "_tag" in delay && delay._tag === "Percentile"

/** The options of a policy: checked, with defaults, and durations in milliseconds. */
interface Settings<A, E> extends Hedge.Options<A, E> {
  readonly delay: Plan["delay"] | Hedge.Percentile
  readonly maxHedges: number
  readonly probability: number | "auto"
  readonly targetQuantile: number
}

const decode = <A, E>(options: Hedge.Options<A, E>): Settings<A, E> => {
  const {
    accept,
    delay,
    enabled,
    failovers,
    fatal,
    losers,
    maxHedges = 1,
    name,
    probability = 1,
    pushback,
    targetQuantile = 0.99
  } = options
  check.name(name)
  check.that(enabled === undefined || Effect.isEffect(enabled), "enabled", enabled, "an effect")
  check.functions({ accept, fatal, pushback })
  if (probability === "auto") {
    const expected = "a number from 0 to 1, because the delay is not a percentile"
    check.that(isPercentile(delay), "probability", probability, expected)
  } else {
    check.share("probability", probability)
  }
  return {
    ...options,
    delay: isPercentile(delay) ? delay : check.delay(delay),
    losers: losers && check.losers(losers),
    failovers: failovers === undefined ? undefined : check.limit("failovers", failovers, 0),
    maxHedges: check.whole("maxHedges", maxHedges, 0),
    probability,
    targetQuantile: check.fraction("targetQuantile", targetQuantile)
  }
}

/** Why a call sends no hedge. */
export type Denied = Unlearnt | "disabled" | "budget" | "in-flight" | "no-target" | "pushback"

export type { Plan }

/** @internal */
export class Policy<A, E> implements Hedge.Policy<A, E> {
  readonly [TypeId]: Hedge.Policy<A, E>[Hedge.PolicyTypeId] = { _A: constVoid, _E: constVoid }
  readonly settings: Settings<A, E>
  private readonly delay: Plan["delay"] | Estimators

  constructor(
    options: Hedge.Options<A, E>,
    readonly budget: Pick<Budget, "ratio" | "called" | "take" | "giveBack" | "putBack">
  ) {
    this.settings = decode(options)
    const { delay } = this.settings
    this.delay = isPercentile(delay) ? new Estimators(delay, this.choose(delay)) : delay
  }

  private choose(percentile: Hedge.Percentile): Choose {
    const { probability, targetQuantile } = this.settings
    const { quantile } = percentile
    return probability === "auto"
      ? (sketch, _, now) => sketch.choose(targetQuantile, Math.min(1 - quantile, this.budget.ratio), percentile, now)
      : (_, estimate) => ({ delay: estimate, probability })
  }

  /** Whether calls must record how long their requests took. */
  get learns(): boolean {
    return this.delay instanceof Estimators
  }

  /** When a call sends hedges, or why it sends none. */
  plan({ delay: own, key = "" }: Hedge.CallOptions, now: number): Either.Either<Plan, Denied> {
    const { probability } = this.settings
    const delay = own === undefined ? this.delay : check.millis("delay", own)
    return delay instanceof Estimators
      ? delay.plan(key, now)
      : Either.right({ delay, probability: probability === "auto" ? 1 : probability })
  }

  /**
   * Records how long the request of a call took, or that it was cut off and would have taken longer. Nobody records
   * hedges or quick failures: they would falsify the percentile.
   */
  record(key: string, elapsed: number, how: "ended" | "cutOff", now: number): void {
    if (this.delay instanceof Estimators) {
      this.delay.record(key, elapsed, how, now)
    }
  }

  stats(now: number): Hedge.Stats {
    return {
      keys: this.delay instanceof Estimators ? this.delay.stats(now) : [],
      budget: this.budget instanceof Budget ? Option.some(this.budget.balance(now)) : Option.none()
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
    check.that(isFine, "budget", budget, "a budget, options for one, or \"unlimited\"")
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
  check.that(
    !Effect.isEffect(policy),
    "policy",
    "an effect",
    "a policy or its options: run Hedge.make once, with yield*"
  )
  const options = check.object("options", policy as Hedge.Options<A, E>, "a delay")
  check.that(
    !isPercentile(options.delay),
    "delay",
    "Percentile",
    "a duration or a schedule: only a policy from Hedge.make can learn a percentile"
  )
  return new Policy(options, unlimited)
}

/** @internal */
export const stats = (policy: Hedge.Policy<never, never>): Effect.Effect<Hedge.Stats> =>
  Effect.map(Effect.clock, (clock) => from(policy).stats(elapsed(clock)))
