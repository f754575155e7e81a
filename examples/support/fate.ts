import { createHash } from "node:crypto"

/** What becomes of a request. */
export interface Fate {
  /** How long its answer takes, in milliseconds. */
  readonly millis: number
  /** Whether the answer stops in the middle for ever. */
  readonly stalls: boolean
}

/**
 * The heavy tail: 2 to 6 milliseconds, ten times as long for a share of attempts (5 %), and 0.2 % stall.
 *
 * It depends on which attempt it is, not on when it comes. So you can repeat a run, and the same requests are slow with
 * hedging and without. A hedge is as likely to be slow as a request.
 */
export const fate = (seed: number, request: number, attempt: number, share = 1 / 20): Fate => {
  const hash = createHash("sha256").update(`${seed} ${request} ${attempt}`).digest()
  const drawn = (index: number) => hash.readUInt32LE(4 * index) / 2 ** 32
  return { millis: (2 + 4 * drawn(0)) * (drawn(1) < share ? 10 : 1), stalls: drawn(2) < 1 / 500 }
}
