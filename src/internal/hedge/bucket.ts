/**
 * What extra copies may be sent: a token for each, of which every call deposits a part. All in whole thousandths of a
 * millionth, as ten deposits of 0.1 are not 1 in floating point.
 */
const token = 1_000_000_000

const slices = 10

/**
 * Deposits of the last window, less what was taken out of them. It starts empty, and what is not taken expires, or runs
 * over: the oldest first.
 *
 * @internal
 */
export class Bucket {
  /** What is left of the deposits of each tenth of the window; each has its place by the time, as on a ring. */
  private readonly left = new Float64Array(slices)
  private slice = -Infinity
  private balance = 0

  constructor(
    /** Milliseconds. */
    private readonly window: number,
    /** The most tokens that it holds. */
    private readonly burst: number
  ) {}

  private expire(now: number): void {
    const slice = Math.floor(now * slices / this.window)
    for (let next = Math.max(this.slice + 1, slice - slices + 1); next <= slice; next++) {
      const index = next % slices
      this.balance -= this.left[index] ?? 0
      this.left[index] = 0
    }
    this.slice = Math.max(this.slice, slice)
  }

  /** A part of a token. */
  deposit(ratio: number, now: number): void {
    this.expire(now)
    const amount = Math.round(ratio * token)
    const index = this.slice % slices
    this.left[index] = (this.left[index] ?? 0) + amount
    this.balance += amount
    this.remove(this.balance - this.burst * token)
  }

  /** Takes a token; `false` where there is none. */
  take(now: number): boolean {
    this.expire(now)
    const isEnough = this.balance >= token
    if (isEnough) {
      this.remove(token)
    }
    return isEnough
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
