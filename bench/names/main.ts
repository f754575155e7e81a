import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import type { DnsServerOptions } from "../../test/support/dnsServer.js"
import * as Network from "../../test/support/wire/network.js"
import { ports } from "../../test/support/wire/peers.js"
import { start, tsx } from "../../test/support/wire/programs.js"
import { run } from "../happy-eyeballs/processes.js"
import type { Job } from "./job.js"

// How long until connected, by name, on machines that are set up in different ways: `npm run bench:names`. A DNS server of
// ours answers there. The status is 1 if ours takes longer than it may, beside Node.

interface Case {
  readonly name: string
  /** The machine: commands of `ip`, and files of `/etc`. */
  readonly ip?: ReadonlyArray<string>
  readonly etc?: Readonly<Record<string, string>>
  readonly resultOrder?: Job["resultOrder"]
  readonly answers?: (addresses: { readonly 4: string; readonly 6: string }) => DnsServerOptions["table"][string]
  /** Nothing that is sent to the IPv6 address arrives. */
  readonly isDead?: true
  readonly atOnce?: true
  /** Connects to one host, again and again. */
  readonly isSame?: true
  /** Connects to this machine, where a server listens there. */
  readonly local?: string
  /** The most that ours may take: milliseconds, or milliseconds more than Node. */
  readonly goal: { readonly within: number } | { readonly ofNode: number }
}

const routes = ["route add 0.0.0.0/0 dev DEVICE", "route add ::/0 dev DEVICE"]
const slow = (addresses: { readonly 4: string; readonly 6: string }) => ({
  A: [addresses[4]],
  AAAA: { after: 300, reply: [addresses[6]] }
})

const cases: ReadonlyArray<Case> = [
  {
    name: "IPv4 only, AAAA not answered",
    ip: ["route add 0.0.0.0/0 dev DEVICE", "addr del 2001:db8::1/64 dev DEVICE"],
    answers: (addresses) => ({ A: [addresses[4]], AAAA: "DROP" }),
    goal: { ofNode: 3 }
  },
  {
    name: "unique-local IPv6 only, IPv6 dead",
    ip: [...routes, "addr del 2001:db8::1/64 dev DEVICE", "addr add fd00:db8::1/64 dev DEVICE nodad"],
    isDead: true,
    goal: { ofNode: 3 }
  },
  { name: "ipv4first, IPv6 dead", resultOrder: "ipv4first", isDead: true, goal: { ofNode: 3 } },
  {
    name: "gai.conf: IPv4 first, IPv6 dead",
    etc: { "gai.conf": "precedence ::ffff:0:0/96  100\n" },
    isDead: true,
    goal: { ofNode: 3 }
  },
  {
    name: "no route for IPv6",
    ip: ["route add 0.0.0.0/0 dev DEVICE", "route del 2001:db8::/32 dev DEVICE"],
    goal: { ofNode: 3 }
  },
  { name: "localhost, listening on IPv4 only", local: "127.0.0.1", goal: { ofNode: 3 } },
  { name: "localhost, listening on IPv6", local: "::1", goal: { ofNode: 0.5 } },
  { name: "IPv6 dead, the same host again", isDead: true, isSame: true, goal: { within: 270 } },
  { name: "six hosts at once, AAAA 300 ms late", answers: slow, atOnce: true, goal: { within: 60 } }
]

const ways = ["ours", "ours, DNS", "ours, history", "net.connect", "asyncio", "curl"] as const

// What a process compiles as it runs first is not of interest. Others take seconds where a query is not answered.
const rounds = { ours: 200, others: 7 }
const counted = 50

const median = (values: ReadonlyArray<number>) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

const python = fileURLToPath(new URL("client.py", import.meta.url))

/** Milliseconds of each connection, in the process of the client. */
const measure = (network: Network.Network, way: typeof ways[number], job: Omit<Job, "way">) => {
  const parse = (stdout: string): ReadonlyArray<number> => stdout === "" ? [] : JSON.parse(stdout)
  const program = (command: ReadonlyArray<string>) =>
    Effect.map(
      run([...network.client, ...command, JSON.stringify({ ...job, way })], 60_000),
      ({ stdout }) => parse(stdout)
    )
  switch (way) {
    case "asyncio":
      return program(["python3", python])
    case "curl":
      return Effect.forEach(job.hosts, (host) => {
        const options = ["-q", "-s", "-o", "/dev/null", "-m", "10", "-w", "%{time_connect}", "--noproxy", "*"]
        return Effect.map(
          run(
            [...network.client, "curl", ...options, `http://${host}:${job.port}`],
            12_000
          ),
          ({ stdout }) => Number(stdout) * 1000
        )
      }, { concurrency: job.atOnce ? "unbounded" : 1 })
    default:
      return program(tsx(new URL("client.ts", import.meta.url)))
  }
}

let names = 0

const runCase = (network: Network.Network, given: Case) =>
  Effect.gen(function*() {
    const { answers, atOnce = false, etc, ip = routes, isDead, isSame, local, resultOrder = "verbatim" } = given
    const count = atOnce ? 6 : isSame ? 12 : rounds.ours
    const hosts = local === undefined
      ? Array.from({ length: count }, (_, index) => `name${isSame && index > 0 ? names : ++names}.test`)
      : Array(count).fill("localhost")
    const addresses = { 4: `10.99.1.${names % 250 + 1}`, 6: `2001:db8:99:ff::${names + 1}` }
    yield* network.faults(isDead ? { [addresses[6]]: { drop: true } } : {})
    yield* network.etc({
      "gai.conf": "",
      hosts: "127.0.0.1 localhost\n::1 localhost\n",
      "resolv.conf": "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n",
      ...etc
    })
    yield* network.configure(ip)
    const row = answers?.(addresses) ?? { A: [addresses[4]], AAAA: [addresses[6]] }
    const warmUp = `name${++names}.test`
    const table = Object.fromEntries([...hosts, warmUp].map((host) => [host, row]))
    const dnsServer = new URL("../../test/support/dnsServer.ts", import.meta.url)
    yield* start([...network.client, ...tsx(dnsServer), JSON.stringify({ host: "127.0.0.1", port: 53, table })])
    const port = local === undefined ? ports.plain : 4000
    if (local !== undefined) {
      const script = `require("net").createServer((s) => s.end()).listen(4000, "${local}", () => console.log("ready"))`
      yield* start([...network.client, process.execPath, "-e", script])
    }
    const took = yield* Effect.forEach(ways, (way) => {
      const some = way === "asyncio" || way === "curl" ? hosts.slice(0, rounds.others) : hosts
      return measure(network, way, { atOnce, hosts: some, port, resultOrder, warmUp })
    })
    return took.map((values) =>
      values.length === 0 ? NaN : atOnce ? Math.max(...values) : median(values.slice(-Math.min(counted, count / 2)))
    )
  }).pipe(Effect.scoped)

const print = (cells: ReadonlyArray<string>) =>
  console.log(cells.map((cell, index) => index === 0 ? cell.padEnd(38) : cell.padStart(12)).join(""))

const main = Effect.gen(function*() {
  const network = yield* Network.make
  yield* start([...network.server, ...tsx(new URL("../../test/support/wire/server.ts", import.meta.url))])
  print(["ms until connected", ...ways])
  for (const given of cases) {
    const took = yield* runCase(network, given)
    const [ours = NaN, , , node = NaN] = took
    const most = "within" in given.goal ? given.goal.within : node + given.goal.ofNode
    const isMissed = !(ours <= most)
    print([given.name, ...took.map((value) => value.toFixed(1)), ...isMissed ? [`  > ${most.toFixed(1)}`] : []])
    process.exitCode = isMissed ? 1 : process.exitCode
  }
})

await Effect.runPromise(Effect.scoped(main))
process.exit()
