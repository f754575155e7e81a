import { Buckets, indexOf, least, rounding, valueOf } from "./buckets.js"

/** A delay, and the probability of a hedge after it. */
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

  /** The index after the last bucket that counts anything. */
  get end(): number {
    return Math.max(this.ended.end, this.cutOff.end)
  }
}

interface Survival {
  /** For each bucket, the share of calls that take longer. Ends with the last bucket that a call has reached. */
  readonly shares: Float64Array
  /** The last bucket in which a call has ended; -1 if none has. */
  readonly last: number
  /** How many calls were cut off after it. */
  readonly beyond: number
  readonly known: number
}

/**
 * How long recent calls took: those of the last one to two windows.
 *
 * A window lasts until its time is over and enough calls have ended in it. So a sketch that knows enough never falls
 * back to knowing too little: not when calls are rare, and not while all of them are cut off.
 *
 * A call that was cut off would have taken longer; nobody knows how long. The product of Kaplan and Meier estimates
 * shares from such data ("Nonparametric estimation from incomplete observations", JASA 53, 1958). For each bucket, it
 * divides the calls that ended there by the calls that were seen to get that far.
 *
 * @internal
 */
export class Sketch {
  private current = new Window()
  private previous = new Window()
  /** When the time of the current window is over, in milliseconds. */
  private endsAt = Infinity
  /** Grows by one with each recorded value, and with each forgotten window. */
  version = 0

  constructor(
    /** Milliseconds. */
    private readonly window: number,
    /** How many calls must end in a window. */
    private readonly enough: number
  ) {}

  get bytes(): number {
    return this.current.bytes + this.previous.bytes
  }

  /** Forgets what is too old at `now`. All times are milliseconds. */
  private rotate(now: number): void {
    if (now >= this.endsAt && this.current.ended.total >= this.enough) {
      this.previous = this.current
      this.current = new Window()
      // After a pause, this time may be past. Then the next window ends as soon as enough calls have ended in it.
      this.endsAt += this.window
      this.version++
    }
    // A clock that is set back must not make a window longer.
    this.endsAt = Math.min(this.endsAt, now + this.window)
  }

  /** Records a call that took `value` milliseconds, or longer if it was cut off. */
  record(value: number, how: "ended" | "cutOff", now: number): void {
    this.rotate(now)
    this.current[how].add(indexOf(value))
    this.endsAt = Math.max(this.endsAt, now)
    this.version++
  }

  /** How many calls are known. */
  count(now: number): number {
    this.rotate(now)
    return this.current.total + this.previous.total
  }

  /** How many of them have ended. */
  ended(now: number): number {
    this.rotate(now)
    return this.current.ended.total + this.previous.ended.total
  }

  /**
   * The shares of the next call, not of the known ones: they count one more call, slower than all. Without it, the 95th
   * percentile of 20 calls would be the second slowest, and the next call would exceed that two times in 21.
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

  /** The values that the shares `qs` of calls do not exceed. `NaN` if no call has ended. */
  quantiles(qs: ReadonlyArray<number>, now: number): ReadonlyArray<number> {
    const survival = this.survival(now)
    return qs.map((q) => quantileOf(survival, q))
  }

  quantile(q: number, now: number): number {
    return quantileOf(this.survival(now), q)
  }

  /**
   * The delay and the probability that minimize the quantile `tail`, with hedges for at most the share `ratio` of
   * calls. If attempts are independent, no other policy does better (Kaler, He and Elnikety, "Optimal Reissue Policies
   * for Reducing Tail Latency", SPAA 2017). A call takes longer than `t` if its request does, and if there is no hedge
   * or the hedge takes longer than `t` minus the delay.
   */
  choose(tail: number, ratio: number, bounds: { readonly min: number; readonly max: number }, now: number): Choice {
    const survival = this.survival(now)
    const { shares } = survival
    const longer = (value: number) => value < least ? 1 : shares[indexOf(value)] ?? 0
    const within = (delay: number) => {
      const share = longer(delay)
      return { delay, probability: share > ratio ? ratio / share : 1 }
    }
    // The percentile stays the choice if the tail is beyond everything seen, so that nothing can be compared.
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
 * A quantile beyond the slowest call that has ended may be anywhere beyond it. Two dangers:
 *
 * - A delay that grows without end. Calls that hang are cut off a little after the delay. If the delay followed them,
 *   it would grow each time. So if more calls were cut off after the slowest than chance explains (three standard
 *   deviations), the quantile is the slowest.
 * - A delay that sinks. Slow calls rarely end, because a hedge wins first. So within chance, the quantile follows the
 *   calls that were cut off; else it would sink with each window. (For Pareto's distribution and 0.999, six times as
 *   many calls would exceed it.) It goes to twice the slowest at most, because few enough hanging calls look like
 *   chance.
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

/** The first index for which `isTrueOf` holds, or `end` if there is none. It must hold for all later ones, too. */
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
