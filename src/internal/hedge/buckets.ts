/** The largest rounding error of a product of many fractions. */
export const rounding = 1e-9

/**
 * Each bucket is 1 % wider than the one before (Masson, Rim and Lee, "DDSketch", VLDB 2019, section 2). The buckets
 * reach from a hundredth of a millisecond to a day. A value outside counts as the nearest bound.
 */
const growth = Math.log(1.01)
/** Milliseconds, like all values. */
export const least = 0.01
const most = 24 * 60 * 60 * 1000

/** @internal */
export const indexOf = (value: number): number =>
  Math.ceil(Math.log(Math.min(Math.max(value, least), most) / least) / growth - rounding)

/**
 * The upper bound of a bucket: at most 1 % above the recorded value, and never below it. If all calls take the same
 * time, none is therefore late.
 *
 * @internal
 */
export const valueOf = (index: number): number => least * Math.exp(index * growth)

type Counts = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** When a count outgrows one kind of array, all counts move to the next kind. No count outgrows the last kind. */
const doubles = (length: number): Counts => new Float64Array(length)
const kinds: ReadonlyArray<(length: number) => Counts> = [
  (length) => new Uint8Array(length),
  (length) => new Uint16Array(length),
  (length) => new Uint32Array(length),
  doubles
]

/** The range grows by at least this many buckets. */
const step = 32

/**
 * Counts values by bucket. There is one for each key of a policy, so it keeps only the range of buckets in use, with as
 * few bytes each as the largest count takes. All 2,260 buckets of four bytes take 9 kB; the latencies of one server use
 * a few hundred buckets.
 *
 * @internal
 */
export class Buckets {
  private counts: Counts = new Uint8Array(0)
  private kind = 0
  /** The index of the first bucket of the range. */
  private first = 0
  total = 0

  /** The index after the last bucket of the range. */
  get end(): number {
    return this.first + this.counts.length
  }

  get bytes(): number {
    return this.counts.byteLength
  }

  at(index: number): number {
    return index < this.first ? 0 : this.counts[index - this.first] ?? 0
  }

  add(index: number): void {
    if (index < this.first || index >= this.end) {
      const first = index - index % step
      if (this.counts.length === 0) {
        this.first = first
      }
      this.move(Math.min(first, this.first), Math.max(first + step, this.end))
    }
    const place = index - this.first
    const count = (this.counts[place] ?? 0) + 1
    this.counts[place] = count
    if (this.counts[place] !== count) {
      this.kind++
      this.move(this.first, this.end)
      this.counts[place] = count
    }
    this.total++
  }

  private move(first: number, end: number): void {
    const counts = (kinds[this.kind] ?? doubles)(end - first)
    counts.set(this.counts, this.first - first)
    this.first = first
    this.counts = counts
  }
}
