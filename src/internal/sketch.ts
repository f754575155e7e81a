/**
 * Values are counted in buckets whose bounds grow by a constant factor (Masson, Rim and Lee, "DDSketch", VLDB 2019,
 * section 2), here of 1 %. From a hundredth of a millisecond to a day; what is outside counts as the next bound.
 */
const growth = Math.log(1.01)
const least = 0.01
const most = 24 * 60 * 60 * 1000
const indexOf = (value: number) => Math.ceil(Math.log(Math.min(Math.max(value, least), most) / least) / growth)
const size = indexOf(most) + 1
/**
 * The upper bound of a bucket: never below what was recorded, so that of calls that all take the same time none is taken
 * for a slow one, and at most 1 % above it.
 */
const valueOf = (index: number) => least * Math.exp(index * growth)

/**
 * The quantiles of what was recorded lately: at least a whole window of it, at most two.
 *
 * @internal
 */
export class Sketch {
  private current = new Uint32Array(size)
  private previous = new Uint32Array(size)
  private currentCount = 0
  private previousCount = 0
  private startedAt = -Infinity

  constructor(
    /** Milliseconds. */
    private readonly window: number
  ) {}

  /** Forgets what is too old at `now`, in milliseconds. */
  private rotate(now: number): void {
    const elapsed = now - this.startedAt
    if (elapsed < this.window) {
      return
    }
    const oldest = this.previous
    oldest.fill(0)
    this.previous = this.current
    this.previousCount = this.currentCount
    this.current = oldest
    this.currentCount = 0
    if (elapsed < 2 * this.window) {
      this.startedAt += this.window
    } else {
      this.previous.fill(0)
      this.previousCount = 0
      this.startedAt = now
    }
  }

  record(value: number, now: number): void {
    this.rotate(now)
    const index = indexOf(value)
    this.current[index] = (this.current[index] ?? 0) + 1
    this.currentCount++
  }

  count(now: number): number {
    this.rotate(now)
    return this.currentCount + this.previousCount
  }

  /** The value that the fraction `q` of what was recorded does not exceed; not a number where there is none. */
  quantile(q: number, now: number): number {
    const count = this.count(now)
    let rank = Math.max(1, Math.ceil(q * count))
    for (let index = 0; count > 0 && index < size; index++) {
      rank -= (this.current[index] ?? 0) + (this.previous[index] ?? 0)
      if (rank <= 0) {
        return valueOf(index)
      }
    }
    return NaN
  }
}
