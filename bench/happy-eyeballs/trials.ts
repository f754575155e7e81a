import type { Fault } from "../../test/support/wire/network.js"
import type { Case } from "./cases.js"
import type { Host } from "./hosts.js"

/** One contender's turn in one case. It has its own name and its own addresses. */
export interface Trial extends Host {
  readonly faults: Readonly<Record<string, Fault>>
}

/**
 * Makes trials. There are only 250 IPv4 addresses, so trials reuse them. By then, rounds have passed, and no packet of
 * the earlier trial is still under way.
 */
export const makeTrials = () => {
  let trials = 0
  let addresses = 0
  const addressOf = (index: number) => {
    addresses++
    return index % 2 === 0
      ? `2001:db8:99::1:${addresses.toString(16)}`
      : `10.99.1.${addresses % 250 + 1}`
  }
  return ({ faults }: Case): Trial => {
    const entries = faults.map((fault, index) => [addressOf(index), fault] as const)
    const addresses = entries.map(([address]) => address)
    const isV6 = (address: string) => address.includes(":")
    return {
      name: `trial-${++trials}.test`,
      // The system's resolver returns IPv6 first.
      addresses: [...addresses.filter(isV6), ...addresses.filter((address) => !isV6(address))],
      faults: Object.fromEntries(entries)
    }
  }
}
