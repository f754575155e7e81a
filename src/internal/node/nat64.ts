import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import os from "node:os"
import type { Resolver } from "../../HappyEyeballs.js"
import { findPrefixes, isFar, synthesize, wellKnownName } from "../happyEyeballs/nat64.js"

/**
 * Whether this machine has addresses of IPv6, and none of IPv4. One that it has given to itself, because nobody else did
 * (RFC 3927, RFC 4862), leads nowhere.
 */
const isIpv6Only = (): boolean => {
  // Read for each question: networks change.
  const addresses = Object.values(os.networkInterfaces()).flatMap((addresses = []) => addresses)
    .filter(({ internal }) => !internal)
  return addresses.some(({ address, family }) => family === "IPv6" && !/^fe[89ab]/i.test(address)) &&
    !addresses.some(({ address, family }) => family === "IPv4" && isFar(address))
}

/**
 * Whether an address can only be reached by NAT64.
 *
 * @internal
 */
export const needsNat64 = (address: string): boolean => isFar(address) && isIpv6Only()

/**
 * Lets a resolver say how an IPv4 address is reached from this machine by NAT64. It asks only where it has to.
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
