/** What products of many fractions are off by, at most. */
export const rounding = 1e-9

/**
 * Values are counted in buckets whose bounds grow by a constant factor (Masson, Rim and Lee, "DDSketch", VLDB 2019,
 * section 2), here of 1 %. From a hundredth of a millisecond to a day; what is outside counts as the next bound.
 */
const growth = Math.log(1.01)
/** Milliseconds, as all values. */
export const least = 0.01
const most = 24 * 60 * 60 * 1000

/** @internal */
export const indexOf = (value: number): number =>
  Math.ceil(Math.log(Math.min(Math.max(value, least), most) / least) / growth - rounding)

/**
 * The upper bound of a bucket. It is never below what was recorded, so of calls that all take the same time none is late;
 * and it is at most 1 % above.
 *
 * @internal
 */
export const valueOf = (index: number): number => least * Math.exp(index * growth)

type Counts = Uint8Array | Uint16Array | Uint32Array | Float64Array

/** A count that outgrows one kind of array moves to the next. Nothing outgrows the last. */
const doubles = (length: number): Counts => new Float64Array(length)
const kinds: ReadonlyArray<(length: number) => Counts> = [
  (length) => new Uint8Array(length),
  (length) => new Uint16Array(length),
  (length) => new Uint32Array(length),
  doubles
]

/** By how many buckets the range grows at least. */
const step = 32

/**
 * Counts values by bucket. It has room only for the range of buckets that were used, at as few bytes each as the largest
 * count takes: all 2,260 buckets at four bytes are 9 kB, and the latencies of one server take up a few hundred of them.
 *
 * @internal
 */
export class Buckets {
  private counts: Counts = new Uint8Array(0)
  private kind = 0
  /** The index of the first bucket of the range. */
  private first = 0
  total = 0

  /** The end of the range: no bucket from here on was used. */
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
