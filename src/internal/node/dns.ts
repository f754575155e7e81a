import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import dns from "node:dns"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import type * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import { fromText } from "../happyEyeballs/address.js"
import { Checks } from "../options.js"
import { defaultHostsFile, localAddresses } from "./hosts.js"
import { withNat64 } from "./nat64.js"
import { leads } from "./system.js"

const check = new Checks("NodeHappyEyeballs")

/** The limit of Node's resolver. */
const longest = 2 ** 31 - 1

/**
 * Checks more than Node does. Node accepts other entries, drops the zone of a link-local address, and ends the process
 * on port 0.
 */
const isServer = (entry: unknown): boolean => {
  const text = typeof entry === "string" ? entry : ""
  const [, address = text, port = "53"] = /^(\[.*\]|[^:]*)(?::(\d+))?$/.exec(text) ?? []
  return Option.isSome(fromText(address)) && !address.includes("%") && Number(port) >= 1 && Number(port) <= 65535
}

const decodeServers = (servers: NodeHappyEyeballs.DnsResolverOptions["servers"]) => {
  const expected = "a list of IP addresses, each with an optional port, such as \"[2001:db8::53]:5353\""
  if (servers !== undefined) {
    check.that(Array.isArray(servers) && servers.length > 0, "servers", servers, expected)
    servers.forEach((server) => check.that(isServer(server), "servers", server, expected))
  }
  return servers
}

const decodeMillis = (option: string, input: NodeHappyEyeballs.DnsResolverOptions["timeout"]) => {
  if (input === undefined) {
    return input
  }
  const millis = Math.round(check.period(option, input))
  check.that(millis <= longest, option, input, `at most ${longest} milliseconds`)
  return millis
}

/**
 * Uses one `dns.Resolver` per query, because `cancel` cancels all queries of a resolver. It costs 0.1 milliseconds per
 * query. It also reads resolv.conf each time, so a change of network takes effect.
 *
 * @internal
 */
export const makeDnsResolver = (
  options: NodeHappyEyeballs.DnsResolverOptions = {}
): HappyEyeballs.Resolver["Type"] => {
  const servers = decodeServers(options.servers)
  const settings = {
    maxTimeout: decodeMillis("maxTimeout", options.maxTimeout),
    timeout: decodeMillis("timeout", options.timeout),
    tries: options.tries === undefined ? undefined : check.whole("tries", options.tries, 1, longest)
  }
  const { hostsFile = defaultHostsFile() } = options
  check.that(typeof hostsFile === "string" && hostsFile !== "", "hostsFile", hostsFile, "the path of a file")
  const known = localAddresses(hostsFile)

  const ask = (host: string, family: HappyEyeballs.Family) =>
    Effect.async<ReadonlyArray<string>, HappyEyeballs.QueryFailed>((resume) => {
      const fail = (cause: unknown) => resume(new HappyEyeballs.QueryFailed({ host, family, cause }))
      const answer = (error: NodeJS.ErrnoException | null, addresses: ReadonlyArray<string>) =>
        // ENODATA: the name exists but has no address of this family.
        error === null || error.code === dns.NODATA ? resume(Effect.succeed(addresses ?? [])) : fail(error)
      try {
        const resolver = new dns.Resolver(settings)
        if (servers !== undefined) {
          resolver.setServers(servers)
        }
        if (family === 6) {
          resolver.resolve6(host, answer)
        } else {
          resolver.resolve4(host, answer)
        }
        return Effect.sync(() => resolver.cancel())
      } catch (error) {
        return fail(error)
      }
    })

  return withNat64({
    leads: leads(),
    query: (host, family) =>
      Effect.suspend(() =>
        Option.match(known(host, family), { onNone: () => ask(host, family), onSome: Effect.succeed })
      )
  })
}
