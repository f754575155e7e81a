import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as dgram from "node:dgram"
import dns from "node:dns"
import type { LookupFunction } from "node:net"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import type * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import { standIns } from "../happyEyeballs/address.js"
import * as Precedence from "../happyEyeballs/precedence.js"
import { defaultHostsFile, localAddresses } from "./hosts.js"
import { type Answer, limitOf, Lookups } from "./lookups.js"
import { withNat64 } from "./nat64.js"
import { policy } from "./policy.js"

/**
 * What a resolver needs to know about its system.
 *
 * @internal
 */
export interface System {
  readonly platform: string
  /** The address from which the system would send to a destination. Undefined if there is no route. */
  readonly sourceOf: (destination: string) => string | undefined
  readonly resultOrder: () => string
  readonly policy: () => Precedence.Policy
}

/**
 * Asks the system by connecting a UDP socket, which sends nothing.
 *
 * Node connects it before `connect` returns, because the address needs no look-up. Another runtime may not. Then no
 * destination has a source, and sources decide nothing.
 */
const probe = (destination: string): string | undefined => {
  try {
    const socket = dgram.createSocket({
      type: destination.includes(":") ? "udp6" : "udp4",
      lookup: (address, family, callback) => callback(null, address, Number(family))
    })
    try {
      // Errors are emitted later, too, and would end the process without a listener.
      socket.on("error", constVoid)
      // The port does not matter. This is that of "discard".
      socket.connect(9, destination)
      // Throws if the socket is not connected.
      socket.remoteAddress()
      return socket.address().address
    } finally {
      socket.close()
    }
  } catch {
    return undefined
  }
}

/**
 * How long to remember a source, in milliseconds. One connection needs several, and most connections need the same
 * ones.
 */
const remembered = 1000

const sources = new Map<string, string | undefined>()
let oldest = -Infinity

/**
 * The address from which the system sends to a destination, at most a second old.
 *
 * @internal
 */
export const sourceOf = (destination: string): string | undefined => {
  const now = performance.now()
  if (now - oldest > remembered) {
    sources.clear()
    oldest = now
  }
  if (!sources.has(destination)) {
    sources.set(destination, probe(destination))
  }
  return sources.get(destination)
}

const node: System = {
  platform: process.platform,
  sourceOf,
  resultOrder: () => dns.getDefaultResultOrder(),
  policy
}

/**
 * The family that leads by the rules of the system. Users can change Node's order at any time, so it is read each time.
 *
 * @internal
 */
export const leads =
  (system: System = node) => (addresses: ReadonlyArray<HappyEyeballs.Address>): Effect.Effect<HappyEyeballs.Family> =>
    Effect.sync(() => {
      switch (system.resultOrder()) {
        case "ipv4first":
          return 4
        case "ipv6first":
          return 6
        default: {
          const pairs = addresses.map(({ address, family }) => ({
            destination: address,
            family,
            source: system.sourceOf(address)
          }))
          return Precedence.sort(pairs, system.policy())[0]?.family ?? 6
        }
      }
    })

/**
 * With `ADDRCONFIG`, getaddrinfo skips a family that the host has no address of, unless it has none of either. Node
 * asks for both families at once. A query for one family fails if the host has no address at all. Then not even
 * `localhost` would resolve offline. So skip a family only if the other has a route.
 */
const defaultHints = (
  system: System,
  family: HappyEyeballs.Family,
  families: ReadonlyArray<HappyEyeballs.Family> | undefined
): number => {
  const isAlone = families !== undefined && families.length < 2
  const other = standIns[family === 6 ? 4 : 6].address
  return isAlone || system.platform === "win32" || system.sourceOf(other) === undefined ? 0 : dns.ADDRCONFIG
}

const lookups = new WeakMap<LookupFunction, Lookups>()

/** The look-ups of `dns.lookup`, or of its replacement, shared by all resolvers. */
const lookupsOf = (ask: LookupFunction): Lookups => {
  const known = lookups.get(ask) ?? new Lookups(ask, limitOf(process.env.UV_THREADPOOL_SIZE))
  lookups.set(ask, known)
  return known
}

/** A user's `lookup` may ignore `all` and answer with a single address, or with anything else. */
const toTexts = (found: unknown): ReadonlyArray<string> => {
  if (typeof found === "string") {
    return [found]
  }
  if (!Array.isArray(found)) {
    throw new TypeError(`lookup answered with ${String(found)}`)
  }
  return found.map((entry: unknown) =>
    String(typeof entry === "object" && entry !== null && "address" in entry ? entry.address : entry)
  )
}

const hosts = localAddresses(defaultHostsFile())

/**
 * Whether the hosts file has the name, but only with addresses of the other family. Asked for both families, the system
 * then looks no further. Asked for one, it would go on to a DNS server.
 */
const isElsewhere = (host: string, family: HappyEyeballs.Family): boolean =>
  Option.exists(hosts(host, family), (addresses) => addresses.length === 0)

/** @internal */
export const makeResolver = (
  { hints, lookup }: NodeHappyEyeballs.ResolverOptions = {},
  system: System = node
): HappyEyeballs.Resolver["Type"] =>
  withNat64({
    leads: leads(system),
    query: (host, family, families) =>
      Effect.async((resume) => {
        const failure = (cause: unknown) => new HappyEyeballs.QueryFailed({ host, family, cause })
        const answer: Answer = (error, found) => {
          try {
            resume(error ? Effect.fail(failure(error)) : Effect.succeed(toTexts(found)))
          } catch (error) {
            resume(Effect.fail(failure(error)))
          }
        }
        if (lookup === undefined && families?.length !== 1 && isElsewhere(host, family)) {
          return resume(Effect.succeed([]))
        }
        const flags = hints ?? defaultHints(system, family, families)
        if (lookup === undefined) {
          // Read `dns.lookup` for each query: caches and monitors replace it, and Node uses the replacement, too.
          const leave = lookupsOf(dns.lookup).join({ host, family, hints: flags }, answer)
          return Effect.sync(leave)
        }
        // Not shared, because its answer may depend on the caller.
        try {
          lookup(host, { all: true, family, hints: flags }, answer)
        } catch (error) {
          resume(Effect.fail(failure(error)))
        }
        return undefined
      })
  })
