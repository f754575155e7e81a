import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual, throws } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { execFileSync } from "node:child_process"
import dns from "node:dns"
import * as fs from "node:fs"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { dnsServer, type DnsServerOptions } from "../support/dnsServer.js"
import { leavingNoSocket, listening, openSockets } from "../support/sockets.js"

const live = (name: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test())), 20_000)

const both: DnsServerOptions["table"][string] = {
  A: ["192.0.2.1", "192.0.2.2"],
  AAAA: ["2001:db8::1", "64:ff9b::192.0.2.33"]
}

/** A hosts file of these lines, or one that does not exist. */
const hosts = (...lines: ReadonlyArray<string>) =>
  Effect.map(
    Effect.acquireRelease(
      Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "hosts-"))),
      (folder) => Effect.sync(() => fs.rmSync(folder, { recursive: true }))
    ),
    (folder) => {
      const file = join(folder, "hosts")
      if (lines.length > 0) {
        fs.writeFileSync(file, lines.join("\n"))
      }
      return file
    }
  )

/** A server that knows this, and a resolver that asks it. */
const asking = (table: DnsServerOptions["table"], options: NodeHappyEyeballs.DnsResolverOptions = {}) =>
  Effect.gen(function*() {
    const { address, asked } = yield* dnsServer({ host: "127.0.0.1", table })
    const hostsFile = yield* hosts()
    return {
      asked,
      resolver: NodeHappyEyeballs.makeDnsResolver({ servers: [address], hostsFile, ...options })
    }
  })

/** The answers of both families, or the codes of their errors. */
const answers = (resolver: HappyEyeballs.Resolver["Type"], host: string) =>
  Effect.forEach([6, 4] as const, (family) =>
    Effect.map(
      Effect.either(resolver.query(host, family)),
      Either.match({
        onLeft: ({ cause }) => (cause as NodeJS.ErrnoException).code,
        onRight: (addresses) => addresses.join(" ")
      })
    ), { concurrency: 2 })

describe("the DNS server of the tests", () => {
  live("answers Node's own resolver, over IPv4 and IPv6", () =>
    Effect.gen(function*() {
      for (const host of ["127.0.0.1", "::1"]) {
        const { address, asked } = yield* dnsServer({
          host,
          table: {
            "happy.test": both,
            "none.test": {},
            "broken.test": { A: "SERVFAIL", AAAA: "REFUSED" },
            "gone.test": { A: "NXDOMAIN" },
            "late.test": { A: { after: 20, reply: ["192.0.2.3"] } }
          }
        })
        const resolver = new dns.promises.Resolver()
        resolver.setServers([address])
        const code = (promise: Promise<ReadonlyArray<string>>) =>
          Effect.promise(() => promise.catch((error: NodeJS.ErrnoException) => error.code))
        deepStrictEqual(yield* code(resolver.resolve4("Happy.Test.")), ["192.0.2.1", "192.0.2.2"])
        deepStrictEqual(yield* code(resolver.resolve6("happy.test")), ["2001:db8::1", "64:ff9b::c000:221"])
        strictEqual(yield* code(resolver.resolve4("none.test")), "ENODATA")
        strictEqual(yield* code(resolver.resolveTxt("none.test").then((records) => records.flat())), "ENODATA")
        strictEqual(yield* code(resolver.resolve4("broken.test")), "ESERVFAIL")
        strictEqual(yield* code(resolver.resolve6("broken.test")), "EREFUSED")
        strictEqual(yield* code(resolver.resolve4("gone.test")), "ENOTFOUND")
        strictEqual(yield* code(resolver.resolve4("unknown.test")), "ENOTFOUND")
        deepStrictEqual(yield* code(resolver.resolve4("late.test")), ["192.0.2.3"])
        deepStrictEqual(asked.slice(0, 2), ["A happy.test", "AAAA happy.test"])
      }
    }))
})

describe("makeDnsResolver", () => {
  live("asks each family in a query of its own", () =>
    Effect.gen(function*() {
      const { asked, resolver } = yield* asking({ "happy.test": both })
      deepStrictEqual(yield* answers(resolver, "happy.test"), ["2001:db8::1 64:ff9b::c000:221", "192.0.2.1 192.0.2.2"])
      deepStrictEqual([...asked].sort(), ["A happy.test", "AAAA happy.test"])
    }))

  const rows: ReadonlyArray<
    readonly [name: string, row: DnsServerOptions["table"][string], answers: [string, string]]
  > = [
    ["no address of one family is an empty answer", { A: ["192.0.2.1"] }, ["", "192.0.2.1"]],
    ["no address of either family is two empty answers", {}, ["", ""]],
    ["no such name is a failure", { A: "NXDOMAIN", AAAA: "NXDOMAIN" }, ["ENOTFOUND", "ENOTFOUND"]],
    ["a broken server is a failure", { A: ["192.0.2.1"], AAAA: "SERVFAIL" }, ["ESERVFAIL", "192.0.2.1"]],
    ["a server that does not want to is a failure", { A: "REFUSED", AAAA: ["2001:db8::1"] }, [
      "2001:db8::1",
      "EREFUSED"
    ]]
  ]
  for (const [name, row, expected] of rows) {
    live(name, () =>
      Effect.gen(function*() {
        const { resolver } = yield* asking({ "happy.test": row }, { tries: 1 })
        deepStrictEqual(yield* answers(resolver, "happy.test"), expected)
      }))
  }

  live("a query that nobody answers fails when its tries have timed out", () =>
    Effect.gen(function*() {
      const { asked, resolver } = yield* asking({ "happy.test": { AAAA: "DROP" } }, { timeout: "20 millis", tries: 2 })
      const error = yield* Effect.flip(resolver.query("happy.test", 6))
      deepStrictEqual([error.host, error.family, (error.cause as NodeJS.ErrnoException).code], [
        "happy.test",
        6,
        "ETIMEOUT"
      ])
      strictEqual(error.message, "no IPv6 addresses of happy.test: queryAaaa ETIMEOUT happy.test")
      deepStrictEqual(asked, ["AAAA happy.test", "AAAA happy.test"])
    }))

  live("a name that cannot be sent is a failure", () =>
    Effect.gen(function*() {
      const { asked, resolver } = yield* asking({})
      deepStrictEqual(yield* answers(resolver, "happy..test"), ["EBADNAME", "EBADNAME"])
      deepStrictEqual(asked, [])
    }))

  live("AAAA dropped, A answered: the race begins 50 ms later", () =>
    Effect.gen(function*() {
      const { resolver } = yield* asking({ "happy.test": { A: ["192.0.2.1"], AAAA: "DROP" } })
      const [elapsed, first] = yield* HappyEyeballs.resolve("happy.test", { prefer: 6 }).pipe(
        Stream.runHead,
        Effect.provideService(HappyEyeballs.Resolver, resolver),
        Effect.timed
      )
      deepStrictEqual(Option.toArray(first), [{ address: "192.0.2.1", family: 4 }])
      const millis = Duration.toMillis(elapsed)
      assertTrue(millis >= 45 && millis < 1000, `${millis} ms`)
    }))

  live("interruption cancels the query, and closes its socket at once", () =>
    Effect.gen(function*() {
      const { asked, resolver } = yield* asking({ "happy.test": { A: "DROP", AAAA: "DROP" } })
      const before = openSockets()
      const first = yield* Effect.fork(resolver.query("happy.test", 6))
      const second = yield* Effect.fork(resolver.query("happy.test", 4))
      yield* Effect.repeat(Effect.sleep(1), { until: () => asked.length === 2 })
      strictEqual(openSockets(), before + 2)
      yield* Fiber.interrupt(first)
      strictEqual(openSockets(), before + 1)
      yield* Fiber.interrupt(second)
      strictEqual(openSockets(), before)
    }))

  live("a connection that wins leaves no query", () =>
    Effect.gen(function*() {
      const { resolver } = yield* asking({ "happy.test": { A: ["127.0.0.3"], AAAA: "DROP" } })
      const port = yield* listening(net.createServer(), "127.0.0.3")
      const before = openSockets()
      const socket = yield* Effect.promise(() =>
        NodeHappyEyeballs.connectPromise({ host: "happy.test", port, resolver })
      )
      strictEqual(socket.remoteAddress, "127.0.0.3")
      assertTrue(openSockets() <= before + 2, "the two ends of the connection")
      socket.destroy()
    }))

  live("needs no thread", () =>
    Effect.gen(function*() {
      const { resolver } = yield* asking({ "happy.test": both })
      const fifo = join(yield* hosts(), "..", "fifo")
      execFileSync("sh", ["-c", "mkfifo \"$0\"", fifo])
      const threads = Number(process.env["UV_THREADPOOL_SIZE"] ?? 4)
      // Each waits in a thread until somebody writes.
      const opens = Array.from({ length: threads }, () => fs.promises.open(fifo, "r"))
      const lookup = yield* Effect.fork(NodeHappyEyeballs.makeResolver().query("localhost", 4))
      const resolved = yield* answers(resolver, "happy.test")
      const stillWaits = (yield* Fiber.poll(lookup))._tag === "None"
      const writer = fs.openSync(fifo, "w")
      const files = yield* Effect.promise(() => Promise.all(opens))
      yield* Effect.promise(() => Promise.all(files.map((file) => file.close())))
      fs.closeSync(writer)
      yield* Fiber.join(lookup)
      assertTrue(stillWaits)
      strictEqual(resolved[1], "192.0.2.1 192.0.2.2")
    }))

  describe("the hosts file", () => {
    const file = [
      "# a comment",
      "192.0.2.1 happy.test alias.test\tHAPPY-Alias.test # sad.test",
      "   2001:db8::1  Happy.Test",
      "192.0.2.2 happy.test",
      "192.0.2.3 four.test",
      "2001:db8::3 six.test dotted.test.",
      "fe80::1%lo zone.test",
      "no.address sad.test",
      "192.0.2.4",
      "",
      "192.0.2.5 last.test\r"
    ]
    const names: ReadonlyArray<readonly [name: string, six: string, four: string]> = [
      ["happy.test", "2001:db8::1", "192.0.2.1 192.0.2.2"],
      ["HAPPY.test.", "2001:db8::1", "192.0.2.1 192.0.2.2"],
      ["alias.test", "", "192.0.2.1"],
      ["happy-alias.test", "", "192.0.2.1"],
      ["four.test", "", "192.0.2.3"],
      ["six.test", "2001:db8::3", ""],
      ["dotted.test", "2001:db8::3", ""],
      ["zone.test", "fe80::1%lo", ""],
      ["last.test", "", "192.0.2.5"]
    ]
    live("a name in it is not asked for, in neither family", () =>
      Effect.gen(function*() {
        const { asked, resolver } = yield* asking({}, { hostsFile: yield* hosts(...file) })
        const found = yield* Effect.forEach(names, ([name]) =>
          Effect.map(answers(resolver, name), (addresses) => [name, ...addresses]))
        deepStrictEqual(found, names.map((row) => [...row]))
        deepStrictEqual(asked, [])
      }))

    live("what is no name in it is asked for", () =>
      Effect.gen(function*() {
        const table = { "sad.test": both, "test": both, "": both }
        const { resolver } = yield* asking(table, { hostsFile: yield* hosts(...file) })
        for (const name of ["sad.test", "test"]) {
          strictEqual((yield* answers(resolver, name))[1], "192.0.2.1 192.0.2.2")
        }
      }))

    live("is read again when it has changed, comes, or goes", () =>
      Effect.gen(function*() {
        const hostsFile = yield* hosts()
        const { resolver } = yield* asking({ "happy.test": { A: ["192.0.2.99"] } }, { hostsFile })
        const query = resolver.query("happy.test", 4)
        deepStrictEqual(yield* query, ["192.0.2.99"])
        fs.writeFileSync(hostsFile, "192.0.2.1 happy.test")
        deepStrictEqual(yield* query, ["192.0.2.1"])
        fs.writeFileSync(hostsFile, "192.0.2.22 happy.test")
        deepStrictEqual(yield* query, ["192.0.2.22"])
        fs.writeFileSync(hostsFile, "192.0.2.33 happy.test")
        fs.utimesSync(hostsFile, 1, 1)
        deepStrictEqual(yield* query, ["192.0.2.33"])
        fs.rmSync(hostsFile)
        deepStrictEqual(yield* query, ["192.0.2.99"])
      }))

    live("that of the system is the default", () =>
      Effect.gen(function*() {
        const { address } = yield* dnsServer({ host: "127.0.0.1", table: {} })
        const resolver = NodeHappyEyeballs.makeDnsResolver({ servers: [address] })
        const [, name = ""] = fs.readFileSync("/etc/hosts", "utf8").split("\n").map((line) => line.split(/\s+/)).find(
          ([ip = "", name = "localhost"]) => net.isIPv4(ip) && !name.includes("localhost")
        ) ?? []
        if (name !== "") {
          assertTrue((yield* resolver.query(name, 4)).length > 0)
        }
        strictEqual((yield* answers(resolver, "sad.test"))[1], "ENOTFOUND")
      }))
  })

  live("localhost is loopback, whatever a file or a server says", () =>
    Effect.gen(function*() {
      const table = { "localhost": both, "app.localhost": both }
      const hostsFile = yield* hosts("192.0.2.1 localhost app.localhost")
      const { asked, resolver } = yield* asking(table, { hostsFile })
      for (const name of ["localhost", "LOCALHOST.", "app.localhost", "a.b.localhost."]) {
        deepStrictEqual(yield* answers(resolver, name), ["::1", "127.0.0.1"])
      }
      deepStrictEqual(asked, [])
      strictEqual((yield* answers(resolver, "notlocalhost"))[1], "ENOTFOUND")
    }))

  live("another server is asked where the first is out of reach", () =>
    Effect.gen(function*() {
      const { address } = yield* dnsServer({ host: "127.0.0.1", table: { "happy.test": both } })
      const resolver = NodeHappyEyeballs.makeDnsResolver({ servers: ["127.0.0.2:1", address] })
      strictEqual((yield* answers(resolver, "happy.test"))[1], "192.0.2.1 192.0.2.2")
    }))

  it("takes servers in each spelling of an address, with and without a port", () => {
    const servers = ["192.0.2.53", "192.0.2.53:5353", "2001:db8::53", "[2001:db8::53]", "[2001:db8::53]:65535"]
    NodeHappyEyeballs.makeDnsResolver({ servers, maxTimeout: "1 second", timeout: 2000, tries: 1 })
    new dns.Resolver().setServers(servers)
  })

  const servers = "a list of IP addresses, each with an optional port, such as \"[2001:db8::53]:5353\""
  const bad: ReadonlyArray<readonly [options: NodeHappyEyeballs.DnsResolverOptions, message: string]> = [
    [{ servers: ["192.0.2.53", "dns.test"] }, `"servers" must be ${servers}, got "dns.test"`],
    [{ servers: ["192.0.2.53:0"] }, `"servers" must be ${servers}, got "192.0.2.53:0"`],
    [{ servers: ["192.0.2.53:65536"] }, `"servers" must be ${servers}, got "192.0.2.53:65536"`],
    [{ servers: ["[2001:db8::53"] }, `"servers" must be ${servers}, got "[2001:db8::53"`],
    [{ servers: [":53"] }, `"servers" must be ${servers}, got ":53"`],
    [{ servers: [""] }, `"servers" must be ${servers}, got ""`],
    [{ servers: ["fe80::1%lo"] }, `"servers" must be ${servers}, got "fe80::1%lo"`],
    [{ servers: [53 as unknown as string] }, `"servers" must be ${servers}, got 53`],
    [{ servers: [] }, `"servers" must be ${servers}, got []`],
    [{ servers: "192.0.2.53" as unknown as [] }, `"servers" must be ${servers}, got "192.0.2.53"`],
    [{ timeout: 0 }, "\"timeout\" must be a duration of at least a millisecond, and finite, got 0"],
    [{ timeout: 2 ** 31 }, "\"timeout\" must be at most 2147483647 milliseconds, got 2147483648"],
    [{ maxTimeout: -1 }, "\"maxTimeout\" must be a duration of zero or more, got -1"],
    [{ tries: 0 }, "\"tries\" must be a whole number from 1 to 2147483647, got 0"],
    [{ hostsFile: "" }, "\"hostsFile\" must be the path of a file, got \"\""]
  ]
  it.each(bad)("an option that makes no sense is named: %o", (options, message) => {
    throws(() => NodeHappyEyeballs.makeDnsResolver(options), (error) => {
      assertTrue(error instanceof Error)
      strictEqual(error.message, `NodeHappyEyeballs: option ${message}`)
    })
  })

  it.live("as a layer", () =>
    Effect.gen(function*() {
      const addresses = Stream.runCollect(HappyEyeballs.resolve("localhost"))
      const layer = NodeHappyEyeballs.layerDns({ servers: ["127.0.0.1:1"] })
      deepStrictEqual(Array.from(yield* Effect.provide(addresses, layer)), [
        { address: "::1", family: 6 },
        { address: "127.0.0.1", family: 4 }
      ])
    }))
})
