import { it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import type { DnsServerOptions } from "../support/dnsServer.js"
import type { Job } from "../support/wire/namesClient.js"
import type { Fault, Network } from "../support/wire/network.js"
import { ports } from "../support/wire/peers.js"
import { start, tsx } from "../support/wire/programs.js"
import { describeNetwork } from "../support/wire/suite.js"

// Names that a DNS server of ours resolves, on machines that are set up in one way and another. What each client does is
// read from the wire and from the server's log: whom it asks for, and which addresses it sends a SYN to, in which order.

interface Case {
  /** The machine: commands of `ip`. */
  readonly ip?: ReadonlyArray<string>
  readonly etc?: Readonly<Record<string, string>>
  readonly job?: Partial<Job>
  readonly answers?: (addresses: { readonly 4: string; readonly 6: string }) => DnsServerOptions["table"][string]
  readonly faults?: { readonly [F in 4 | 6]?: Fault }
  readonly asked: string
  readonly tried: string
}

/** Routes to all of the Internet, as most machines have. */
const everywhere = ["route add 0.0.0.0/0 dev DEVICE", "route add ::/0 dev DEVICE"]

const dead: Case["faults"] = { 6: { drop: true } }

const cases: Readonly<Record<string, Case>> = {
  "a machine with both families": { ip: everywhere, asked: "A AAAA", tried: "6" },
  "the AAAA query is not answered": {
    answers: (addresses) => ({ A: [addresses[4]], AAAA: "DROP" }),
    asked: "A AAAA",
    tried: "4"
  },
  "the AAAA query is not answered, and the resolver asks DNS servers itself": {
    answers: (addresses) => ({ A: [addresses[4]], AAAA: "DROP" }),
    job: { way: "makeDnsResolver" },
    asked: "A AAAA",
    tried: "4"
  },
  "no IPv6: nobody asks for AAAA": {
    ip: ["route add 0.0.0.0/0 dev DEVICE", "addr del 2001:db8::1/64 dev DEVICE"],
    answers: (addresses) => ({ A: [addresses[4]], AAAA: "DROP" }),
    asked: "A",
    tried: "4"
  },
  "an address of IPv6, and no route": {
    ip: ["route add 0.0.0.0/0 dev DEVICE", "route del 2001:db8::/32 dev DEVICE"],
    asked: "A AAAA",
    tried: "4"
  },
  "only unique-local addresses of IPv6": {
    ip: [...everywhere, "addr del 2001:db8::1/64 dev DEVICE", "addr add fd00:db8::1/64 dev DEVICE nodad"],
    faults: dead,
    asked: "A AAAA",
    tried: "4"
  },
  "dns.setDefaultResultOrder(\"ipv4first\")": {
    job: { resultOrder: "ipv4first" },
    faults: dead,
    asked: "A AAAA",
    tried: "4"
  },
  "gai.conf puts IPv4 first": {
    etc: { "gai.conf": "precedence ::ffff:0:0/96  100\n" },
    faults: dead,
    asked: "A AAAA",
    tried: "4"
  },
  "a name of the hosts file is asked of nobody": {
    etc: { hosts: "127.0.0.1 localhost\n10.99.1.250 NAME\n" },
    asked: "",
    tried: "4"
  }
}

let names = 0

const run = (network: Network, { answers, asked: _, etc, faults = {}, ip = everywhere, job, tried: _tried }: Case) =>
  Effect.gen(function*() {
    const name = `name${++names}.test`
    const addresses = { 4: etc?.["hosts"] ? "10.99.1.250" : `10.99.1.${names}`, 6: `2001:db8:99:ff::${names}` }
    const known = answers?.(addresses) ?? { A: [addresses[4]], AAAA: [addresses[6]] }
    yield* network.faults(
      Object.fromEntries([4, 6].map((family) => [addresses[family as 4], faults[family as 4] ?? { delay: 5 }] as const))
    )
    yield* network.etc({
      "gai.conf": "",
      "hosts": "127.0.0.1 localhost\n",
      "resolv.conf": "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n",
      ...Object.fromEntries(Object.entries(etc ?? {}).map(([file, text]) => [file, text.replace("NAME", name)]))
    })
    yield* network.configure(ip)
    const table = { [name]: known }
    const server = yield* start([
      ...network.client,
      ...tsx(new URL("../support/dnsServer.ts", import.meta.url)),
      JSON.stringify({ host: "127.0.0.1", port: 53, table })
    ])
    const asked: Array<string> = []
    server.lines.on("line", (query) => asked.push(query.split(" ")[0] ?? ""))
    const command = [
      ...network.client,
      ...tsx(new URL("../support/wire/namesClient.ts", import.meta.url)),
      JSON.stringify({ host: name, port: ports.plain, way: "createConnection", ...job } satisfies Job)
    ]
    yield* start(command)
    const packets = yield* network.packets
    const tried = packets.filter(({ flags, from }) => flags === "SYN" && from === "client").map(({ address }) =>
      address === addresses[4] ? "4" : address === addresses[6] ? "6" : address
    )
    return { asked: asked.sort().join(" "), tried: tried.join(" ") }
  }).pipe(Effect.scoped)

const use = (network: Network) =>
  Effect.as(start([...network.server, ...tsx(new URL("../support/wire/server.ts", import.meta.url))]), network)

describeNetwork("names, on a wire", use, (made) => {
  for (const [name, given] of Object.entries(cases)) {
    it.live(name, () =>
      Effect.gen(function*() {
        const network = yield* made
        deepStrictEqual(yield* run(network, given), { asked: given.asked, tried: given.tried })
      }))
  }
})
