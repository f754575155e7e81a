import { Buckets, indexOf, least, rounding, valueOf } from "./buckets.js"

/** A delay, and the probability that there is a copy after it. */
export interface Choice {
  /** Milliseconds. */
  readonly delay: number
  readonly probability: number
}

/** What was recorded within one window. */
class Window {
  readonly ended = new Buckets()
  readonly cutOff = new Buckets()

  get total(): number {
    return this.ended.total + this.cutOff.total
  }

  get bytes(): number {
    return this.ended.bytes + this.cutOff.bytes
  }

  /** What is recorded after this bucket is nothing. */
  get end(): number {
    return Math.max(this.ended.end, this.cutOff.end)
  }
}

interface Survival {
  /** For each bucket, up to the last that anything got to, the share of what takes longer. */
  readonly shares: Float64Array
  /** The last bucket in which something ended; -1 where nothing has. */
  readonly last: number
  /** How many were cut off after that. */
  readonly beyond: number
  readonly known: number
}

/**
 * How long things took that were recorded lately: a whole window of them at least, two at most.
 *
 * A window lasts until its time is over and enough has ended in it. So a sketch that once knows enough always does, also
 * where little is recorded, or where for a while everything is cut off.
 *
 * Of what was cut off, it is only known that it would have taken longer. So shares are estimated by the product of
 * Kaplan and Meier ("Nonparametric estimation from incomplete observations", JASA 53, 1958): in each bucket, those that
 * ended are a fraction of those that had been seen to get that far.
 *
 * @internal
 */
export class Sketch {
  private current = new Window()
  private previous = new Window()
  /** When the time of the current window is over. */
  private endsAt = Infinity
  /** Changes by one with each value that is recorded, and with each window that is forgotten. */
  version = 0

  constructor(
    /** Milliseconds. */
    private readonly window: number,
    /** How much has to end in a window. */
    private readonly enough: number
  ) {}

  get bytes(): number {
    return this.current.bytes + this.previous.bytes
  }

  /** Forgets what is too old at `now`, in milliseconds. */
  private rotate(now: number): void {
    if (now >= this.endsAt && this.current.ended.total >= this.enough) {
      this.previous = this.current
      this.current = new Window()
      // After a pause this is past already: then what was known before it is forgotten as soon as enough is new.
      this.endsAt += this.window
      this.version++
    }
    // A clock that is set back makes nothing count for longer.
    this.endsAt = Math.min(this.endsAt, now + this.window)
  }

  /** Records what took that long, or at least that long, in milliseconds. */
  record(value: number, how: "ended" | "cutOff", now: number): void {
    this.rotate(now)
    this.current[how].add(indexOf(value))
    this.endsAt = Math.max(this.endsAt, now)
    this.version++
  }

  /** How much is known. */
  count(now: number): number {
    this.rotate(now)
    return this.current.total + this.previous.total
  }

  /** Of how much it is known how long it took. */
  ended(now: number): number {
    this.rotate(now)
    return this.current.ended.total + this.previous.ended.total
  }

  /**
   * The shares are those of what comes next, which are those of what is known and of one more that takes longer than all
   * of it. Without that one, the 95th percentile of twenty is the greatest but one, and of what comes next two in
   * twenty-one take longer.
   */
  private survival(now: number): Survival {
    const known = this.count(now)
    const { current, previous } = this
    const shares = new Float64Array(Math.max(current.end, previous.end))
    let [seen, share, last, beyond, index] = [known, 1, -1, known, 0]
    for (; seen > 0; index++) {
      const ended = current.ended.at(index) + previous.ended.at(index)
      if (ended > 0) {
        share *= 1 - ended / seen
        last = index
        beyond = seen - ended
      }
      shares[index] = (known * share + 1) / (known + 1)
      seen -= ended + current.cutOff.at(index) + previous.cutOff.at(index)
    }
    return { shares: shares.subarray(0, index), last, beyond, known }
  }

  /**
   * The values that the fractions `qs` do not exceed. Not a number where nothing has ended.
   */
  quantiles(qs: ReadonlyArray<number>, now: number): ReadonlyArray<number> {
    const survival = this.survival(now)
    return qs.map((q) => quantileOf(survival, q))
  }

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
    const survival = this.survival(now)
    const { shares } = survival
    const longer = (value: number) => value < least ? 1 : shares[indexOf(value)] ?? 0
    const within = (delay: number) => {
      const share = longer(delay)
      return { delay, probability: share > ratio ? ratio / share : 1 }
    }
    // Where the tail is more than was ever seen, there is nothing to choose by.
    const latest = Math.max(quantileOf(survival, 1 - ratio), bounds.min)
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

/**
 * Where the quantile is beyond all that has ended, it may be anywhere beyond. A part that hangs is cut off a little after
 * the delay, and a delay that goes by what was cut off then grows each time. So if more was cut off after the last that
 * ended than chance explains (three standard deviations), the quantile is that last value.
 *
 * Otherwise it goes on to what was cut off. What is slow rarely ends, as a hedge comes first, and without a way up the
 * quantile would sink with each window: of Pareto's distribution and 0.999, six times as many calls would exceed it. It
 * goes no further than twice the last value, because a part that hangs may be small enough to look like chance.
 */
const quantileOf = ({ beyond, known, last, shares }: Survival, q: number): number => {
  const index = firstIndex(last + 1, (index) => (shares[index] ?? 0) <= 1 - q + rounding)
  if (last < 0 || index <= last) {
    return last < 0 ? NaN : valueOf(index)
  }
  const expected = known * (1 - q)
  return beyond > expected + 3 * Math.sqrt(expected)
    ? valueOf(last)
    : Math.min(valueOf(shares.length - 1), 2 * valueOf(last))
}

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
