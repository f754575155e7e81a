/**
 * What this process knows of one replica, and what it makes of it. Plain data: times are arguments, in milliseconds.
 */

/** @internal */
export interface Settings {
  /** How many replicas are looked at for each pick. */
  readonly choices: number
  readonly halfLife: number
  readonly ejectAfter: number
  readonly ejectFor: number
  readonly maxEjectFor: number
  readonly maxEjected: number
  readonly zone: string | undefined
}

/** How much the newest latency counts in the mean of a replica, and in the mean of the set. */
const weight = { replica: 0.1, set: 0.01 }

/** A failure counts as a latency of so many means of the set. Otherwise one that fails quickly would look quick. */
const penalty = 10

/**
 * The mean latency of what all replicas have answered.
 *
 * @internal
 */
export class Mean {
  value = NaN

  constructor(private readonly weight: number) {}

  add(millis: number): void {
    this.value = Number.isNaN(this.value) ? millis : this.value + this.weight * (millis - this.value)
  }
}

/** @internal */
export const setMean = () => new Mean(weight.set)

/** @internal */
export class Health {
  inFlight = 0
  /** Attempts that have begun. */
  picks = 0
  /** Until when it gets no calls. */
  outUntil = -Infinity
  /** Failures in a row. */
  failures = 0
  private readonly mean = new Mean(weight.replica)
  private measuredAt = -Infinity
  /** How often it was ejected since it last answered. */
  private ejections = 0
  /** A replica that is new, or comes back, gets one call at a time until it has answered. */
  private isOnTrial = true

  constructor(private readonly settings: Settings, private readonly all: Mean) {}

  get latency(): number {
    return this.mean.value
  }

  isOut(now: number): boolean {
    return this.outUntil > now || this.isOnTrial && this.inFlight > 0
  }

  /** The expected wait, or 0 if nothing is known. It falls with time, so that each replica is asked again some time. */
  cost(now: number): number {
    return (this.fresh(now) * this.latency || 0) * (this.inFlight + 1)
  }

  /** How much of what was measured last still counts: from 1 down to 0. */
  private fresh(now: number): number {
    return 2 ** (Math.min(0, this.measuredAt - now) / this.settings.halfLife)
  }

  /** The less is known of a replica of late, the more it counts as one of the set. */
  private expected(now: number): number {
    const { all, latency } = this
    // A replica that is quicker than the set gets calls, and so is measured. Nothing of that is forgotten.
    const usual = Math.min(all.value, latency)
    return Number.isNaN(usual) ? latency : usual + this.fresh(now) * (latency - usual)
  }

  begun(): void {
    this.inFlight++
    this.picks++
  }

  ended(): void {
    this.inFlight--
  }

  answered(millis: number, now: number): void {
    const isOut = this.outUntil > now
    if (this.isOnTrial && !isOut) {
      // What is known is of the time before it was out, and a first answer is often a late one. By itself, either would
      // keep calls away for long.
      this.mean.value = Math.min(this.all.value, millis)
    }
    this.measured(millis, now)
    this.all.add(millis)
    // Those that were under way when it was ejected say nothing new.
    if (!isOut) {
      this.failures = 0
      this.ejections = 0
      this.isOnTrial = false
    }
  }

  /** It was cut off, and would have taken longer. So silence shows without probes. */
  cutOff(millis: number, now: number): void {
    const isKnown = !Number.isNaN(this.latency)
    if (!isKnown || millis > this.fresh(now) * this.latency) {
      // A caller in a hurry must not make it look quick.
      this.measured(Math.max(millis, (isKnown ? this.expected(now) : this.all.value) || 0), now)
    }
  }

  /** It has failed. Returns whether it should be ejected. */
  failed(now: number): boolean {
    this.measured(penalty * (this.all.value || 1), now)
    this.failures++
    return this.outUntil <= now && this.failures >= (this.ejections > 0 ? 1 : this.settings.ejectAfter)
  }

  eject(now: number): void {
    const { ejectFor, maxEjectFor } = this.settings
    this.outUntil = now + Math.min(ejectFor * 2 ** this.ejections, maxEjectFor)
    this.ejections++
    this.failures = 0
    this.isOnTrial = true
  }

  private measured(millis: number, now: number): void {
    // What is forgotten stays forgotten. Otherwise the first answer after an illness would bring the whole of it back.
    this.mean.value = this.expected(now)
    this.mean.add(millis)
    this.measuredAt = now
  }
}
