import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import os from "node:os"
import type { Resolver } from "../../HappyEyeballs.js"
import { findPrefixes, isFar, synthesize, wellKnownName } from "../happyEyeballs/nat64.js"

/**
 * Whether this machine has IPv6 addresses and no IPv4 ones. Addresses that it gave itself, because nobody else did
 * (RFC 3927, RFC 4862), lead nowhere and do not count.
 */
const isIpv6Only = (): boolean => {
  // Read each time, because networks change.
  const addresses = Object.values(os.networkInterfaces()).flatMap((addresses = []) => addresses)
    .filter(({ internal }) => !internal)
  return addresses.some(({ address, family }) => family === "IPv6" && !/^fe[89ab]/i.test(address)) &&
    !addresses.some(({ address, family }) => family === "IPv4" && isFar(address))
}

/**
 * Whether an address is reachable by NAT64 only.
 *
 * @internal
 */
export const needsNat64 = (address: string): boolean => isFar(address) && isIpv6Only()

/**
 * Adds `synthesize` to a resolver. It sends a query only if this machine needs NAT64 for the address.
 *
 * @internal
 */
export const withNat64 = (resolver: Resolver["Type"]): Resolver["Type"] => ({
  ...resolver,
  synthesize: (address) =>
    Effect.suspend(() =>
      needsNat64(address)
        ? Effect.map(
          resolver.query(wellKnownName, 6),
          (answers) => Arr.filterMap(findPrefixes(answers), (prefix) => synthesize(prefix, address))
        )
        : Effect.succeed([])
    )
})
