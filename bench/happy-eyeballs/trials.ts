import type { Fault } from "../../test/support/wire/network.js"
import type { Case } from "./cases.js"
import type { Host } from "./hosts.js"

/** One contender's turn in one case: a name, and addresses, that nobody else has. */
export interface Trial extends Host {
  readonly faults: Readonly<Record<string, Fault>>
}

/**
 * Makes trials. There are only 250 addresses of IPv4, so they come back, but after rounds, when nothing of before is
 * under way any more.
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
      // In the order in which they will be resolved.
      addresses: [...addresses.filter(isV6), ...addresses.filter((address) => !isV6(address))],
      faults: Object.fromEntries(entries)
    }
  }
}
