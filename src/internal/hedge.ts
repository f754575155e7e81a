import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Hedge from "../Hedge.js"
import * as StaggeredRace from "../StaggeredRace.js"
import { Bucket } from "./bucket.js"
import * as settings from "./settings.js"
import { Sketch } from "./sketch.js"

const invalid = (option: string, value: unknown, expected: string) => settings.invalid(option, value, expected, "Hedge")

const decodeMillis = (option: string, input: unknown) => settings.decodeMillis(option, input, "Hedge")

const decodeWindow = (input: unknown) => {
  const window = decodeMillis("window", input)
  if (!(window > 0 && window < Infinity)) {
    throw invalid("window", input, "a duration above zero, and finite")
  }
  return window
}

const decodeCount = (option: string, value: number, least: number) => {
  if (!(Number.isInteger(value) && value >= least)) {
    throw invalid(option, value, `a whole number of at least ${least}`)
  }
  return value
}

/** @internal */
export const BudgetTypeId: Hedge.BudgetTypeId = Symbol.for("effect-staggered-race/Hedge/Budget") as Hedge.BudgetTypeId

/** @internal */
export const PolicyTypeId: Hedge.PolicyTypeId = Symbol.for("effect-staggered-race/Hedge/Policy") as Hedge.PolicyTypeId

/** @internal */
export class Budget implements Hedge.Budget {
  readonly [BudgetTypeId]: Hedge.BudgetTypeId = BudgetTypeId
  private readonly bucket: Bucket
  private readonly ratio: number
  private readonly maxInFlight: number
  private inFlight = 0

  constructor({ maxInFlight = 32, ratio = 0.05, window = 10_000 }: Hedge.BudgetOptions) {
    if (!(ratio >= 0 && ratio <= 1)) {
      throw invalid("ratio", ratio, "a number from 0 to 1")
    }
    this.ratio = ratio
    this.maxInFlight = maxInFlight === Infinity ? maxInFlight : decodeCount("maxInFlight", maxInFlight, 0)
    this.bucket = new Bucket(decodeWindow(window))
  }

  called(now: number): void {
    this.bucket.deposit(this.ratio, now)
  }

  /** Whether one more copy may be sent: then it is paid for, and in flight until it is given back. */
  take(now: number): boolean {
    const isTaken = this.inFlight < this.maxInFlight && this.bucket.take(now)
    if (isTaken) {
      this.inFlight++
    }
    return isTaken
  }

  giveBack(count: number): void {
    this.inFlight -= count
  }
}

const isBudget = (budget: Hedge.Budget | Hedge.BudgetOptions): budget is Budget => BudgetTypeId in budget

/** Who may always send another copy. */
const unlimited = { called: constVoid, take: () => true, giveBack: constVoid }

/** @internal */
export const percentile = (
  quantile: number,
  { above = "stop", max = Infinity, min = 1, warmup = 20, window = 30_000 }: Hedge.PercentileOptions = {}
): Hedge.Percentile => {
  if (!(quantile > 0 && quantile < 1)) {
    throw invalid("quantile", quantile, "a number between 0 and 1")
  }
  if (above !== "stop" && above !== "clamp") {
    throw invalid("above", above, "\"stop\" or \"clamp\"")
  }
  const decoded = {
    max: decodeMillis("max", max),
    min: decodeMillis("min", min),
    window: decodeWindow(window)
  }
  if (decoded.max < decoded.min) {
    throw invalid("max", max, "at least min")
  }
  return { _tag: "Percentile", quantile, above, warmup: decodeCount("warmup", warmup, 1), ...decoded }
}

const isPercentile = (delay: unknown): delay is Hedge.Percentile =>
  typeof delay === "object" && delay !== null && "_tag" in delay && delay._tag === "Percentile"

/** A delay that `StaggeredRace` understands. */
type Timing = Exclude<Hedge.Options["delay"], Hedge.Percentile>

/** How many keys have an estimator of their own; of more, the one that was not called for longest is forgotten. */
const maxKeys = 256

class Policy<A, E> implements Hedge.Policy<A, E> {
  readonly [PolicyTypeId]: Hedge.Policy<A, E>[Hedge.PolicyTypeId] = { _A: constVoid, _E: constVoid }
  private readonly sketches = new Map<string, Sketch>()
  readonly maxHedges: number

  constructor(
    readonly options: Hedge.Options<A, E>,
    readonly budget: Pick<Budget, "called" | "take" | "giveBack">
  ) {
    this.maxHedges = decodeCount("maxHedges", options.maxHedges ?? 1, 0)
    if (!isPercentile(options.delay) && !Schedule.isSchedule(options.delay)) {
      decodeMillis("delay", options.delay)
    }
  }

  private sketch(key: string, { window }: Hedge.Percentile): Sketch {
    const sketch = this.sketches.get(key) ?? new Sketch(window)
    // The order of a map is that of its insertions.
    this.sketches.delete(key)
    this.sketches.set(key, sketch)
    const [eldest] = this.sketches.keys()
    if (this.sketches.size > maxKeys && eldest !== undefined) {
      this.sketches.delete(eldest)
    }
    return sketch
  }

  /** When to send a copy; none where there is to be none. */
  delay(key: string, now: number): Option.Option<Timing> {
    const { delay } = this.options
    if (!isPercentile(delay)) {
      return Option.some(delay)
    }
    const sketch = this.sketch(key, delay)
    if (sketch.count(now) < delay.warmup) {
      return Option.none()
    }
    const estimate = Math.max(sketch.quantile(delay.quantile, now), delay.min)
    return estimate <= delay.max
      ? Option.some(estimate)
      : delay.above === "clamp"
      ? Option.some(delay.max)
      : Option.none()
  }

  /**
   * Records what the first copy of a call has taken. One that was cut off has taken at least that long, and is only ever
   * cut off after the delay; so what is told about the delay, the share of copies that take longer, stays true. Copies
   * that are sent later, and quick failures, would falsify it.
   */
  record(key: string, elapsed: number, exit: Exit.Exit<unknown, unknown>, delay: number, now: number): void {
    const percentile = this.options.delay
    if (isPercentile(percentile) && (Exit.isSuccess(exit) || elapsed >= delay)) {
      this.sketch(key, percentile).record(elapsed, now)
    }
  }
}

/** @internal */
export const makeBudget = (options: Hedge.BudgetOptions = {}): Effect.Effect<Hedge.Budget> =>
  Effect.sync(() => new Budget(options))

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

/** A success that is not good enough to win. */
class Rejected extends Data.TaggedError("Rejected")<{ readonly value: unknown }> {}

const rejectedIn = (cause: Cause.Cause<unknown>): Option.Option<Rejected> =>
  Chunk.findFirst(Cause.failures(cause), (error) => error instanceof Rejected)

const decode = <A, E>(policy: Hedge.Policy<A, E> | Hedge.Options<A, E>): Policy<A, E> => {
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

/** @internal */
export const hedge = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  input: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  { key = "" }: Hedge.CallOptions = {}
): Effect.Effect<A, E, R> =>
  Effect.clockWith((clock) => {
    const policy = decode(input)
    const { accept, enabled = Effect.succeed(true), fatal } = policy.options
    const now = () => clock.unsafeCurrentTimeMillis()

    const first = (delay: number) =>
      Effect.suspend(() => {
        const startedAt = now()
        return Effect.onExit(
          self,
          (exit) => Effect.sync(() => policy.record(key, now() - startedAt, exit, delay, now()))
        )
      })

    const race = (delay: Timing) => {
      let taken = 0
      const judged = (copy: Effect.Effect<A, E, R>): Effect.Effect<A, E | Rejected, R> =>
        accept === undefined
          ? copy
          : Effect.flatMap(copy, (value) => accept(value) ? Effect.succeed(value) : new Rejected({ value }))
      const copies = {
        // Each is asked for when it is due, and not before: so this is when it is paid for.
        *[Symbol.iterator]() {
          yield judged(first(typeof delay === "number" ? delay : Infinity))
          while (taken < policy.maxHedges && policy.budget.take(now())) {
            taken++
            yield judged(self)
          }
        }
      }
      return StaggeredRace.race(copies, {
        delay,
        losers: policy.options.losers,
        fatal: fatal === undefined
          ? undefined
          : (cause) => Option.isNone(rejectedIn(cause)) && fatal(cause as Cause.Cause<E>)
      }).pipe(
        Effect.ensuring(Effect.sync(() => policy.budget.giveBack(taken))),
        Effect.catchAllCause((cause): Effect.Effect<A, E> => {
          // Nothing better has come.
          const rejected = rejectedIn(cause)
          return Option.isSome(rejected)
            ? Effect.succeed(rejected.value.value as A)
            : Effect.failCause(cause as Cause.Cause<E>)
        })
      )
    }

    return Effect.flatMap(enabled, (isEnabled) => {
      policy.budget.called(now())
      const delay = policy.delay(key, now())
      return isEnabled && policy.maxHedges > 0 && Option.isSome(delay) ? race(delay.value) : first(Infinity)
    })
  })
