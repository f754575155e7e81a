import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type * as Hedge from "../../Hedge.js"
import { Bucket } from "./bucket.js"
import { decodeCount, decodeShare, decodeWindow } from "./settings.js"

/** @internal */
export const TypeId: Hedge.BudgetTypeId = Symbol.for("effect-staggered-race/Hedge/Budget") as Hedge.BudgetTypeId

/** @internal */
export class Budget implements Hedge.Budget {
  readonly [TypeId]: Hedge.BudgetTypeId = TypeId
  private readonly bucket: Bucket
  private readonly maxInFlight: number
  private share: number
  private inFlight = 0

  constructor({ burst = 10, maxInFlight = 32, ratio = 0.05, window = 60_000 }: Hedge.BudgetOptions) {
    this.share = decodeShare("ratio", ratio)
    this.maxInFlight = decodeCount("maxInFlight", maxInFlight, 0, Infinity)
    this.bucket = new Bucket(decodeWindow(window), decodeCount("burst", burst, 1, Infinity))
  }

  get ratio(): number {
    return this.share
  }

  set ratio(ratio: number) {
    this.share = decodeShare("ratio", ratio)
  }

  called(now: number): void {
    this.bucket.deposit(this.ratio, now)
  }

  /** Whether one more request may be sent: then it is paid for. At a ratio of zero, savings are worth nothing. */
  spend(now: number): boolean {
    return this.ratio > 0 && this.bucket.take(now)
  }

  /** Whether one more copy may be sent: then it is paid for, and in flight until it is given back. */
  take(now: number): boolean {
    const isTaken = this.inFlight < this.maxInFlight && this.spend(now)
    if (isTaken) {
      this.inFlight++
    }
    return isTaken
  }

  giveBack(count: number): void {
    this.inFlight -= count
  }
}

/**
 * Who may always send another copy.
 *
 * @internal
 */
export const unlimited = { ratio: 1, called: constVoid, take: () => true, giveBack: constVoid }

/** @internal */
export const isBudget = (budget: Hedge.Budget | Hedge.BudgetOptions): budget is Budget => TypeId in budget

/** @internal */
export const make = (options: Hedge.BudgetOptions = {}): Effect.Effect<Hedge.Budget> =>
  Effect.sync(() => new Budget(options))

/** @internal */
export const spend = (budget: Hedge.Budget): Effect.Effect<boolean> =>
  Effect.map(Clock.currentTimeMillis, (now) => (budget as Budget).spend(now))

/** @internal */
export const setRatio = (budget: Hedge.Budget, ratio: number): Effect.Effect<void> =>
  Effect.sync(() => {
    ;(budget as Budget).ratio = ratio
  })
