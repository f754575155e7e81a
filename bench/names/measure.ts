import * as Effect from "effect/Effect"
import { fileURLToPath } from "node:url"
import type { Network } from "../../test/support/wire/network.js"
import { start, tsx } from "../../test/support/wire/programs.js"
import { run } from "../support/processes.js"
import { type Addresses, type Case, defaults } from "./cases.js"
import type { Column } from "./columns.js"
import { type Job, limit, type Outcome } from "./job.js"

/** The limit for a whole job, in milliseconds. */
const longest = 60_000

const program = (name: string) => new URL(name, import.meta.url)
const python = fileURLToPath(program("client.py"))
const dnsServer = program("../../test/support/dnsServer.ts")

const parse = (stdout: string): ReadonlyArray<Outcome> =>
  stdout.split("\n").filter((line) => line.endsWith("}")).map((line) => JSON.parse(line))

const curl = (network: Network, { atOnce, hosts, port }: Omit<Job, "way">) =>
  Effect.forEach(hosts, (host) => {
    const options = ["-q", "-s", "-o", "/dev/null", "-m", `${limit / 1000}`, "-w", "%{time_connect}", "--noproxy", "*"]
    return Effect.map(
      run([...network.client, "curl", ...options, `http://${host}:${port}`], 2 * limit),
      // curl prints 0 if it did not connect. Its exit code says nothing, because the server may not speak HTTP.
      ({ code, stdout }): Outcome =>
        Number(stdout) > 0
          ? { took: Number(stdout) * 1000 }
          : { took: NaN, failed: code === undefined ? "no end" : `exit code ${code}` }
    )
  }, { concurrency: atOnce ? "unbounded" : 1 })

/** Runs a job, and returns the outcome for each host. */
const measure = (network: Network, way: Column["name"], job: Omit<Job, "way">) =>
  way === "curl"
    ? curl(network, job)
    : Effect.map(
      run([
        ...network.client,
        ...way === "asyncio" ? ["python3", python] : tsx(program("client.ts")),
        JSON.stringify({ ...job, way })
      ], longest),
      ({ stdout }) => {
        const outcomes = parse(stdout)
        return job.hosts.map((_, index): Outcome => outcomes[index] ?? { took: NaN, failed: "no end" })
      }
    )

let names = 0
const newName = () => `name${++names}.test`
const newAddresses = (): Addresses => ({ 4: `10.99.1.${++names % 250 + 1}`, 6: `2001:db8:99:ff::${names}` })

const times = <A>(count: number, make: () => A) => Array.from({ length: count }, make)
const repeated = <A>(count: number, value: A) => times(count, () => value)

/** The hosts of a case, the hosts to warm up with, and the one host that is healthy whatever the case. */
const plan = ({ hosts, local }: Case) => {
  const [name, healthy] = [newName(), newName()]
  const warmUps = 150
  if (local !== undefined) {
    return { warmUps: repeated(warmUps, "localhost"), hosts: repeated(50, "localhost"), healthy }
  }
  switch (hosts) {
    case "few":
      return { warmUps: repeated(warmUps, healthy), hosts: times(3, newName), healthy }
    case "six at once":
      return { warmUps: repeated(warmUps, name), hosts: times(6, newName), healthy }
    case "the same":
      return { warmUps: [...repeated(warmUps, healthy), name], hosts: repeated(6, name), healthy }
    default:
      return { warmUps: times(warmUps, newName), hosts: times(50, newName), healthy }
  }
}

/** Shortens a job. asyncio and curl connect to few hosts, because an unanswered query costs them seconds. */
const shorter = (way: Column["name"], { answers, hosts }: Case, job: Omit<Job, "way">): Omit<Job, "way"> =>
  way === "asyncio" || way === "curl"
    ? { ...job, hosts: job.hosts.slice(0, answers === undefined ? 7 : hosts === undefined ? 3 : 6) }
    : way.startsWith("ours") || hosts !== "six at once"
    ? job
    : { ...job, warmUps: job.warmUps.slice(0, 10) }

/** Runs a case, and returns for each column the outcome of each host. */
export const runCase = (network: Network, given: Case, columns: ReadonlyArray<Column>, port: number) =>
  Effect.gen(function*() {
    const { answers, dead = [], etc, hosts, ip, local, resultOrder, timeout } = { ...defaults, ...given }
    const planned = plan(given)
    const addresses = newAddresses()
    yield* network.faults(Object.fromEntries(dead.map((family) => [addresses[family], { drop: true }])))
    yield* network.etc({
      "gai.conf": "",
      hosts: "127.0.0.1 localhost\n::1 localhost\n",
      "resolv.conf": "nameserver 127.0.0.1\noptions timeout:2 attempts:1\n",
      ...etc
    })
    yield* network.configure(ip)
    const rowOf = (addresses: Addresses) => answers?.(addresses) ?? { A: [addresses[4]], AAAA: [addresses[6]] }
    const table = {
      ...Object.fromEntries([...planned.warmUps, ...planned.hosts].map((host) => [host, rowOf(addresses)])),
      [planned.healthy]: rowOf(newAddresses())
    }
    yield* start([...network.client, ...tsx(dnsServer), JSON.stringify({ host: "127.0.0.1", port: 53, table })])
    if (local !== undefined) {
      const script = `require("net").createServer((s) => s.end()).listen(4000, "${local}", () => console.log("ready"))`
      yield* start([...network.client, process.execPath, "-e", script])
    }
    const job = {
      warmUps: planned.warmUps,
      hosts: planned.hosts,
      atOnce: hosts === "six at once",
      port: local === undefined ? port : 4000,
      resultOrder,
      timeout: timeout ?? limit
    }
    return yield* Effect.forEach(columns, ({ name }) => measure(network, name, shorter(name, given, job)))
  }).pipe(Effect.scoped)
