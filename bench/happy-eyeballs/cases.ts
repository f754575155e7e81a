import type { Fault } from "../../test/support/wire/network.js"

export interface Case {
  readonly name: string
  /** The fault of each address, in the order in which clients should try them: IPv6 and IPv4 take turns. */
  readonly faults: ReadonlyArray<Fault>
  /** Whether the README of the project shows this case. */
  readonly inReadme?: true
}

const after = (delay: number): Fault => ({ delay })
const healthy = after(5)
const dead: Fault = { drop: true }
const refused: Fault = { delay: 5, refuse: true }
const unreachable: Fault = { delay: 5, unreachable: true }

export const cases: ReadonlyArray<Case> = [
  { name: "both healthy", faults: [healthy, healthy] },
  { name: "first dead", faults: [dead, healthy], inReadme: true },
  { name: "first refused", faults: [refused, healthy] },
  { name: "first unreachable", faults: [unreachable, healthy] },
  { name: "first answers after 240 ms", faults: [after(240), healthy] },
  { name: "first answers after 600 ms, second dead", faults: [after(600), dead], inReadme: true },
  { name: "first answers after 300 ms, second unreachable", faults: [after(300), unreachable], inReadme: true },
  { name: "each of three answers after 300 ms", faults: [after(300), after(300), after(300)], inReadme: true },
  { name: "six, only the last healthy", faults: [dead, dead, dead, dead, dead, healthy], inReadme: true },
  { name: "all dead", faults: [dead, dead] }
]

/** RFC 8305, section 5: the Connection Attempt Delay, and the least time between two attempts, in milliseconds. */
const attemptDelay = { recommended: 250, least: 10 }

const fails = ({ refuse, unreachable }: Fault) => refuse === true || unreachable === true

/** The milliseconds from the first SYN until a client that follows the RFC connects. `undefined` if it never does. */
export const expected = ({ faults }: Case): number | undefined => {
  let start = 0
  let connected = Infinity
  for (const fault of faults) {
    if (start >= connected) {
      break
    }
    const answered = fault.drop === true ? Infinity : fault.delay ?? 0
    if (!fails(fault)) {
      connected = Math.min(connected, start + answered)
    }
    start += fails(fault)
      ? Math.min(Math.max(answered, attemptDelay.least), attemptDelay.recommended)
      : attemptDelay.recommended
  }
  return connected === Infinity ? undefined : connected
}
