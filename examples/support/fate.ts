import { createHash } from "node:crypto"

/** What becomes of a request. */
export interface Fate {
  /** How long its answer takes. */
  readonly millis: number
  /** Whether the answer stops in the middle, and never goes on. */
  readonly stalls: boolean
}

/**
 * The tail: 2 to 6 milliseconds, ten times as long for one request in twenty, and one in five hundred stalls.
 *
 * It depends on which request it is, and not on when it comes. So a run can be repeated, the same requests are slow with
 * hedging and without, and a copy is as likely to be slow as a first one.
 */
export const fate = (seed: number, request: number, copy: number): Fate => {
  const hash = createHash("sha256").update(`${seed} ${request} ${copy}`).digest()
  const drawn = (index: number) => hash.readUInt32LE(4 * index) / 2 ** 32
  return { millis: (2 + 4 * drawn(0)) * (drawn(1) < 1 / 20 ? 10 : 1), stalls: drawn(2) < 1 / 500 }
}
