/** What products of many fractions are off by, at most. */
const rounding = 1e-9

/**
 * Values are counted in buckets whose bounds grow by a constant factor (Masson, Rim and Lee, "DDSketch", VLDB 2019,
 * section 2), here of 1 %. From a hundredth of a millisecond to a day; what is outside counts as the next bound.
 */
const growth = Math.log(1.01)
const least = 0.01
const most = 24 * 60 * 60 * 1000
const indexOf = (value: number) =>
  Math.ceil(Math.log(Math.min(Math.max(value, least), most) / least) / growth - rounding)
const size = indexOf(most) + 1
/**
 * The upper bound of a bucket: never below what was recorded, so that of calls that all take the same time none is taken
 * for a slow one, and at most 1 % above it.
 */
const valueOf = (index: number) => least * Math.exp(index * growth)

/** A delay, and the probability that there is a copy after it. */
export interface Choice {
  /** Milliseconds. */
  readonly delay: number
  readonly probability: number
}

/** What was recorded within one window. */
class Counts {
  readonly ended = new Uint32Array(size)
  readonly cutOff = new Uint32Array(size)
  total = 0

  clear(): void {
    this.ended.fill(0)
    this.cutOff.fill(0)
    this.total = 0
  }
}

/**
 * How long things took that were recorded lately: at least a whole window of them, at most two.
 *
 * Of what was cut off, it is only known that it would have taken longer. So shares are estimated by the product of
 * Kaplan and Meier ("Nonparametric estimation from incomplete observations", JASA 53, 1958): in each bucket, those that
 * ended are a fraction of those that had been seen to get that far.
 *
 * @internal
 */
export class Sketch {
  private current = new Counts()
  private previous = new Counts()
  private startedAt = -Infinity
  /** Changes by one with each value that is recorded, and with each window that is forgotten. */
  version = 0

  constructor(
    /** Milliseconds. */
    private readonly window: number
  ) {}

  /** Forgets what is too old at `now`, in milliseconds. */
  private rotate(now: number): void {
    const elapsed = now - this.startedAt
    if (elapsed < this.window) {
      // A clock that is set back makes nothing count for longer.
      this.startedAt = Math.min(this.startedAt, now)
      return
    }
    this.version++
    const oldest = this.previous
    oldest.clear()
    this.previous = this.current
    this.current = oldest
    if (elapsed < 2 * this.window) {
      this.startedAt += this.window
    } else {
      this.previous.clear()
      this.startedAt = now
    }
  }

  /** Records what took that long, or at least that long, in milliseconds. */
  record(value: number, how: "ended" | "cutOff", now: number): void {
    this.rotate(now)
    const index = indexOf(value)
    const counts = this.current[how]
    counts[index] = (counts[index] ?? 0) + 1
    this.current.total++
    this.version++
  }

  count(now: number): number {
    this.rotate(now)
    return this.current.total + this.previous.total
  }

  /** For each bucket, up to the last that anything got to, the share of what takes longer. */
  private survival(now: number): Float64Array {
    let seen = this.count(now)
    const shares = new Float64Array(size)
    let share = 1
    let index = 0
    for (; seen > 0; index++) {
      const ended = (this.current.ended[index] ?? 0) + (this.previous.ended[index] ?? 0)
      share *= 1 - ended / seen
      shares[index] = share
      seen -= ended + (this.current.cutOff[index] ?? 0) + (this.previous.cutOff[index] ?? 0)
    }
    return shares.subarray(0, index)
  }

  /**
   * The value that the fraction `q` does not exceed. Where that is more than was ever seen, the most that was seen; not
   * a number where there is nothing.
   */
  quantile(q: number, now: number): number {
    return quantileOf(this.survival(now), q)
  }

  /**
   * The delay, and the probability of a copy after it, that make the quantile `tail` of calls least, with copies for the
   * share `ratio` of them at most (Kaler, He and Elnikety, "Optimal Reissue Policies for Reducing Tail Latency", SPAA
   * 2017: no other policy does better, if copies are independent). A call takes longer than `t` if its first copy does,
   * and there is no second one, or one that takes longer than `t` less the delay.
   */
  choose(tail: number, ratio: number, bounds: { readonly min: number; readonly max: number }, now: number): Choice {
    const shares = this.survival(now)
    const longer = (value: number) => value < least ? 1 : shares[indexOf(value)] ?? 0
    const within = (delay: number) => {
      const share = longer(delay)
      return { delay, probability: share > ratio ? ratio / share : 1 }
    }
    // Where the tail is more than was ever seen, there is nothing to choose by.
    const latest = Math.max(quantileOf(shares, 1 - ratio), bounds.min)
    let best = { ...within(Math.min(latest, bounds.max)), index: shares.length }
    for (let at = Math.min(indexOf(bounds.min), shares.length); at < shares.length; at++) {
      const { delay, probability } = within(Math.max(valueOf(at), bounds.min))
      if (delay > bounds.max) {
        break
      }
      const isWithin = (index: number) =>
        (shares[index] ?? 0) * (1 - probability * (1 - longer(valueOf(index) - delay))) <= 1 - tail + rounding
      if (isWithin(best.index - 1)) {
        best = { delay, probability, index: firstIndex(best.index - 1, isWithin) }
      }
    }
    return best
  }
}

const quantileOf = (shares: Float64Array, q: number): number =>
  shares.length === 0
    ? NaN
    : valueOf(firstIndex(shares.length - 1, (index) => (shares[index] ?? 0) <= 1 - q + rounding))

/** The first place of which something is true that is true of all that follow; `end` where none is before it. */
const firstIndex = (end: number, isTrueOf: (index: number) => boolean): number => {
  let [low, high] = [0, end]
  while (low < high) {
    const middle = (low + high) >> 1
    if (isTrueOf(middle)) {
      high = middle
    } else {
      low = middle + 1
    }
  }
  return low
}
