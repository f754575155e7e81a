import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type * as Hedge from "../../Hedge.js"
import { elapsed } from "../observe.js"
import { Checks } from "../options.js"

/** @internal */
export const check = new Checks("Hedge")

/** Tokens are counted in billionths, because ten deposits of 0.1 do not sum to 1 in floating point. */
const token = 1_000_000_000

const slices = 10

/** Without a `burst`, a budget saves up what the calls of about a second have deposited, and this many at least. */
const fewest = 3
const second = 1000

/**
 * Holds the tokens that calls deposited within the last window, and that hedges have not spent. A hedge costs one
 * token; each call deposits a part of one. A new bucket is empty.
 *
 * @internal
 */
export class Bucket {
  /** A ring: what is left of the deposits, for each tenth of the window. */
  private readonly left = new Float64Array(slices)
  private slice = -Infinity
  private balance = 0

  /** @param window Milliseconds. */
  constructor(private readonly window: number) {}

  private expire(now: number): void {
    const slice = Math.floor(now * slices / this.window)
    for (let next = Math.max(this.slice + 1, slice - slices + 1); next <= slice; next++) {
      const index = next % slices
      this.balance -= this.left[index] ?? 0
      this.left[index] = 0
    }
    this.slice = Math.max(this.slice, slice)
  }

  /** Adds a part of a token. If it then holds more than `most` tokens, it drops the oldest. */
  deposit(ratio: number, now: number, most: number): void {
    this.expire(now)
    const amount = Math.round(ratio * token)
    const index = this.slice % slices
    this.left[index] = (this.left[index] ?? 0) + amount
    this.balance += amount
    this.remove(this.balance - Math.round(most * token))
  }

  /** Takes one token. Returns `false` if there is none. */
  take(now: number): boolean {
    this.expire(now)
    const isEnough = this.balance >= token
    if (isEnough) {
      this.remove(token)
    }
    return isEnough
  }

  tokens(now: number): number {
    this.expire(now)
    return this.balance / token
  }

  private remove(amount: number): void {
    let due = amount
    for (let step = 1; step <= slices && due > 0; step++) {
      const index = (this.slice + step) % slices
      const part = Math.min(due, this.left[index] ?? 0)
      this.left[index] = (this.left[index] ?? 0) - part
      this.balance -= part
      due -= part
    }
  }
}

/** @internal */
export const TypeId: Hedge.BudgetTypeId = Symbol.for("effect-staggered-race/Hedge/Budget") as Hedge.BudgetTypeId

/** @internal */
export class Budget implements Hedge.Budget {
  readonly [TypeId]: Hedge.BudgetTypeId = TypeId
  private readonly bucket: Bucket
  private readonly burst: number | undefined
  private readonly maxInFlight: number
  private share: number
  private inFlight = 0
  /** What calls have deposited of late: less by a factor of e for each second that has passed. */
  private recent = 0
  private calledAt = -Infinity

  constructor({ burst, maxInFlight = 32, ratio = 0.05, window = 60_000 }: Hedge.BudgetOptions) {
    this.share = check.share("ratio", ratio)
    this.maxInFlight = check.limit("maxInFlight", maxInFlight, 0)
    this.burst = burst === undefined ? undefined : check.limit("burst", burst, 1)
    this.bucket = new Bucket(check.period("window", window))
  }

  private get most(): number {
    return this.burst ?? Math.max(fewest, this.recent)
  }

  get ratio(): number {
    return this.share
  }

  set ratio(ratio: number) {
    this.share = check.share("ratio", ratio)
  }

  called(now: number): void {
    this.recent = this.recent * Math.exp(Math.min(0, this.calledAt - now) / second) + this.ratio
    this.calledAt = now
    this.bucket.deposit(this.ratio, now, this.most)
  }

  /** Pays for one more request. Returns `false` if it may not be sent. A ratio of zero also blocks earlier deposits. */
  spend(now: number): boolean {
    return this.ratio > 0 && this.bucket.take(now)
  }

  /** Pays for one hedge, which is in flight until `giveBack`. Otherwise returns why the hedge may not be sent. */
  take(now: number): "in-flight" | "budget" | undefined {
    if (this.inFlight >= this.maxInFlight) {
      return "in-flight"
    }
    if (!this.spend(now)) {
      return "budget"
    }
    this.inFlight++
    return undefined
  }

  giveBack(count: number): void {
    this.inFlight -= count
  }

  /** Refunds hedges that were paid for and not sent. */
  putBack(count: number, now: number): void {
    this.giveBack(count)
    this.bucket.deposit(count, now, this.most)
  }

  balance(now: number): Hedge.BudgetStats {
    return { ratio: this.ratio, tokens: this.bucket.tokens(now), inFlight: this.inFlight }
  }
}

/**
 * A budget that pays for every hedge.
 *
 * @internal
 */
export const unlimited = { ratio: 1, called: constVoid, take: () => undefined, giveBack: constVoid, putBack: constVoid }

/** @internal */
export const isBudget = (budget: Hedge.Budget | Hedge.BudgetOptions): budget is Budget => TypeId in budget

/** @internal */
export const make = (options: Hedge.BudgetOptions = {}): Effect.Effect<Hedge.Budget> =>
  Effect.sync(() => new Budget(options))

/** @internal */
export const tryAcquire = (budget: Hedge.Budget): Effect.Effect<boolean> =>
  Effect.map(Effect.clock, (clock) => (budget as Budget).spend(elapsed(clock)))

/** @internal */
export const setRatio = (budget: Hedge.Budget, ratio: number): Effect.Effect<void> =>
  Effect.sync(() => {
    ;(budget as Budget).ratio = ratio
  })
