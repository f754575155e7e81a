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
 * What a resolver wants to know of the system it runs on.
 *
 * @internal
 */
export interface System {
  readonly platform: string
  /** The address from which the system would send to a destination; undefined where it has no route. */
  readonly sourceOf: (destination: string) => string | undefined
  readonly resultOrder: () => string
  readonly policy: () => Precedence.Policy
}

/**
 * Asks the system by connecting a UDP socket, which sends nothing.
 *
 * Node connects it before `connect` returns, if the name needs no look-up. Where it does not, as in another runtime, no
 * destination has a source, so that sources decide nothing.
 */
const probe = (destination: string): string | undefined => {
  try {
    const socket = dgram.createSocket({
      type: destination.includes(":") ? "udp6" : "udp4",
      lookup: (address, family, callback) => callback(null, address, Number(family))
    })
    try {
      // Errors are also emitted, later, and would end the process if nobody listened.
      socket.on("error", constVoid)
      // Any port will do: it is that of "discard".
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

/** Milliseconds for which a source is remembered: a connection asks for several, and most go to the same destinations. */
const remembered = 1000

const sources = new Map<string, string | undefined>()
let oldest = -Infinity

/**
 * The address from which the system sends to a destination, as it was within the last second.
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
 * The family that leads by the system's own rules. Users can set Node's order at any time, so it is read each time.
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
 * Node asks for all families at once with `ADDRCONFIG`, and then getaddrinfo asks for no family that the host has no
 * address of, unless it has none of either. A query for one family alone fails in that last case too, so that not even
 * `localhost` would be found offline. So here a family is only left out where the other one has a route.
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

/** The look-ups of `dns.lookup`, or of what has replaced it, by whoever asks. */
const lookupsOf = (ask: LookupFunction): Lookups => {
  const known = lookups.get(ask) ?? new Lookups(ask, limitOf(process.env.UV_THREADPOOL_SIZE))
  lookups.set(ask, known)
  return known
}

/** A user's `lookup` may ignore `all` and answer with a single address, or with what is none. */
const toTexts = (found: unknown): ReadonlyArray<string> => {
  if (typeof found === "string") {
    return [found]
  }
  if (!Array.isArray(found)) {
    throw new TypeError(`lookup has answered with ${String(found)}`)
  }
  return found.map((entry: unknown) =>
    String(typeof entry === "object" && entry !== null && "address" in entry ? entry.address : entry)
  )
}

const hosts = localAddresses(defaultHostsFile())

/**
 * Whether the hosts file has the name, but with addresses of the other family alone. The system asks nobody else for such
 * a name if it is asked for both families at once. If it is asked for one, it goes on to a DNS server.
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
          // Read `dns.lookup` for each query: caches and monitors replace it, and Node itself uses their replacement.
          const leave = lookupsOf(dns.lookup).join({ host, family, hints: flags }, answer)
          return Effect.sync(leave)
        }
        // Not shared: what it answers may depend on who asks.
        try {
          lookup(host, { all: true, family, hints: flags }, answer)
        } catch (error) {
          resume(Effect.fail(failure(error)))
        }
        return undefined
      })
  })
