import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { AsyncLocalStorage } from "node:async_hooks"
import { execFileSync } from "node:child_process"
import dns from "node:dns"
import * as http from "node:http"
import type * as net from "node:net"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as Precedence from "../../src/internal/happyEyeballs/precedence.js"
import { glibc, parseConfiguration, policy } from "../../src/internal/node/policy.js"
import { leads, makeResolver, sourceOf, type System } from "../../src/internal/node/system.js"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { leavingNoSocket, listening, openSockets } from "../support/sockets.js"

type Ask = (...args: Parameters<net.LookupFunction>) => void

/** Runs with another function in the place of `dns.lookup`. */
const replacing = <A, E, R>(ask: Ask, effect: Effect.Effect<A, E, R>) =>
  Effect.acquireUseRelease(
    Effect.sync(() => {
      const { lookup } = dns
      dns.lookup = Object.assign(ask, { __promisify__: lookup.__promisify__ }) as typeof lookup
      return lookup
    }),
    () => effect,
    (lookup) => Effect.sync(() => void (dns.lookup = lookup))
  )

/** A system with these networks: for each destination's beginning, the source. What is not listed has no route. */
const system = (sources: Record<string, string>, more: Partial<System> = {}): System => ({
  platform: "linux",
  sourceOf: (destination) =>
    Object.entries(sources).find(([prefix]) =>
      prefix === "6" ? destination.includes(":") : prefix === "4" ? !destination.includes(":") : destination === prefix
    )?.[1],
  resultOrder: () => "verbatim",
  policy: () => glibc,
  ...more
})

const dualStack = { 6: "2001:db8:1::2", 4: "192.168.1.2" }
const uniqueLocal = { 6: "fd7a:115c:a1e0::2", 4: "172.17.0.2" }
const ipv4Only = { 4: "172.17.0.2" }
const ipv6Only = { 6: "2001:db8:1::2" }

const addressesOf = (...texts: ReadonlyArray<string>) =>
  texts.map((text) => Option.getOrThrow(HappyEyeballs.address(text)))

describe("the system", () => {
  describe("which family leads", () => {
    const asked = ["2001:db8:9::1", "198.51.100.1"]
    const rows: ReadonlyArray<readonly [name: string, system: System, family: 4 | 6, addresses?: Array<string>]> = [
      ["both families", system(dualStack), 6],
      ["unique-local IPv6 alone, as Docker and Tailscale give", system(uniqueLocal), 4],
      ["unique-local to unique-local, by glibc", system(uniqueLocal), 6, ["fd00::1", "192.168.1.1"]],
      [
        "unique-local to unique-local, by the RFC",
        system(uniqueLocal, { policy: () => Precedence.standard }),
        4,
        ["fd00::1", "192.168.1.1"]
      ],
      ["no IPv6 route", system(ipv4Only), 4],
      ["no IPv4 route", system(ipv6Only), 6],
      ["no route at all", system({}), 6],
      ["6to4", system({ ...dualStack, 6: "2002:c000:204::1" }), 4],
      ["ipv4first", system(ipv6Only, { resultOrder: () => "ipv4first" }), 4],
      ["ipv6first", system(ipv4Only, { resultOrder: () => "ipv6first" }), 6],
      [
        "gai.conf prefers IPv4",
        system(dualStack, { policy: () => parseConfiguration("precedence ::ffff:0:0/96 100", glibc) }),
        4
      ],
      ["localhost", system({ "::1": "::1", "127.0.0.1": "127.0.0.1" }), 6, ["::1", "127.0.0.1"]],
      ["localhost, without IPv6", system({ "127.0.0.1": "127.0.0.1" }), 4, ["::1", "127.0.0.1"]]
    ]
    it.effect.each(rows)(
      "%s",
      ([, system, family, addresses = asked]) =>
        Effect.map(leads(system)(addressesOf(...addresses)), (seen) => strictEqual(seen, family))
    )

    it.effect("Node's order is read each time", () =>
      Effect.gen(function*() {
        const before = dns.getDefaultResultOrder()
        const { leads } = NodeHappyEyeballs.makeResolver()
        const seen = (order: "ipv4first" | "verbatim") =>
          Effect.suspend(() => {
            dns.setDefaultResultOrder(order)
            return leads?.(addressesOf("::1", "127.0.0.1")) ?? Effect.die("no leads")
          })
        const families = yield* Effect.ensuring(
          Effect.all([seen("verbatim"), seen("ipv4first"), seen("verbatim")]),
          Effect.sync(() => dns.setDefaultResultOrder(before))
        )
        strictEqual(families[1], 4)
        strictEqual(families[0], families[2])
        strictEqual(families[0], sourceOf("::1") === undefined ? 4 : 6)
      }))

    it.live("A first where IPv6 has no route: IPv4 at once", () =>
      Effect.gen(function*() {
        const ask: Ask = (_, { family }, callback) => {
          if (family === 4) {
            setImmediate(callback, null, [{ address: "198.51.100.1", family: 4 }])
          }
        }
        const first = (sources: Record<string, string>, wait: number) =>
          replacing(
            ask,
            HappyEyeballs.resolve("happy.test", { resolutionDelay: "1 hour" }).pipe(
              Stream.runHead,
              Effect.provideService(HappyEyeballs.Resolver, makeResolver({}, system(sources))),
              Effect.timeoutOption(wait),
              Effect.map((head) => Option.getOrUndefined(Option.flatten(head))?.address)
            )
          )
        strictEqual(yield* first(ipv4Only, 10_000), "198.51.100.1")
        strictEqual(yield* first(dualStack, 100), undefined)
      }))
  })

  describe("the source of a destination", () => {
    it.live("is the system's, and leaves no socket", () =>
      leavingNoSocket(Effect.sync(() => {
        strictEqual(sourceOf("127.0.0.9"), "127.0.0.1")
        strictEqual(sourceOf("::1"), "::1")
        strictEqual(sourceOf("::ffff:127.0.0.9"), "::ffff:127.0.0.1")
      })))

    it("is closed at once", () => {
      const before = openSockets()
      for (let index = 0; index < 100; index++) {
        sourceOf("127.0.0.1")
        sourceOf("255.255.255.255")
      }
      strictEqual(openSockets(), before)
    })

    it.live("none where there is no route, or no address", () =>
      Effect.gen(function*() {
        for (const destination of ["255.255.255.255", "fe80::1%no-such-zone", "example.com", "1:2"]) {
          strictEqual(sourceOf(destination), undefined, destination)
        }
        // Errors that nobody listened to would be thrown by now.
        yield* Effect.promise(() => new Promise((resume) => setImmediate(resume)))
      }))
  })

  describe("hints", () => {
    const both = [6, 4] as const
    const rows: ReadonlyArray<
      readonly [name: string, system: System, families: ReadonlyArray<4 | 6> | undefined, hints: Array<number>]
    > = [
      ["both families", system(dualStack), both, [dns.ADDRCONFIG, dns.ADDRCONFIG]],
      ["who asks is not said", system(dualStack), undefined, [dns.ADDRCONFIG, dns.ADDRCONFIG]],
      // The family that the host has no address of is left out by getaddrinfo.
      ["IPv4 alone", system(ipv4Only), both, [dns.ADDRCONFIG, 0]],
      ["IPv6 alone", system(ipv6Only), both, [0, dns.ADDRCONFIG]],
      // With the flag, getaddrinfo would answer neither, not even for localhost.
      ["offline", system({}), both, [0, 0]],
      ["one family is asked for", system(dualStack), [6], [0, 0]],
      ["Windows", system(dualStack, { platform: "win32" }), both, [0, 0]]
    ]
    it.effect.each(rows)("%s", ([, system, families, expected]) =>
      Effect.gen(function*() {
        const seen = (hints?: number) => {
          const asked: Array<number | undefined> = []
          const { query } = makeResolver({
            hints,
            lookup: (_, { hints }, callback) => {
              asked.push(hints)
              callback(null, [])
            }
          }, system)
          return Effect.as(Effect.all([query("x", 6, families), query("x", 4, families)]), asked)
        }
        deepStrictEqual(yield* seen(), expected)
        deepStrictEqual(yield* seen(0), [0, 0])
        deepStrictEqual(yield* seen(dns.V4MAPPED), [dns.V4MAPPED, dns.V4MAPPED])
      }))
  })

  describe("queries", () => {
    it.live("of all resolvers share dns.lookup; each is interrupted by itself", () =>
      Effect.gen(function*() {
        const asked: Array<string> = []
        const ask: Ask = (host, { family }, callback) => {
          asked.push(`${family} ${host}`)
          setTimeout(callback, 20, null, [{ address: "192.0.2.7", family: 4 }])
        }
        const query = Effect.suspend(() => makeResolver({}, system(ipv4Only)).query("happy.test", 4))
        const answers = yield* replacing(
          ask,
          Effect.gen(function*() {
            const fibers = yield* Effect.all([1, 2, 3].map(() => Effect.fork(query)))
            yield* Effect.yieldNow()
            const [first, ...others] = fibers
            yield* Effect.sleep(5)
            yield* first === undefined ? Effect.void : Fiber.interrupt(first)
            return yield* Fiber.join(Fiber.all(others))
          })
        )
        deepStrictEqual(answers, [["192.0.2.7"], ["192.0.2.7"]])
        deepStrictEqual(asked, ["4 happy.test"])
      }))

    it.live("of a user's own function are not shared", () =>
      Effect.gen(function*() {
        let asked = 0
        const { query } = makeResolver({
          lookup: (_, __, callback) => {
            asked++
            setImmediate(callback, null, [])
          }
        }, system(ipv4Only))
        yield* Effect.all([query("x", 4), query("x", 4)], { concurrency: "unbounded" })
        strictEqual(asked, 2)
      }))

    it.live("AAAA that is not answered keeps no other host waiting, and one that nobody needs is not asked", () =>
      Effect.gen(function*() {
        const asked: Array<string> = []
        // Two threads, as libuv lends of four. One that has an AAAA look-up never comes back.
        const queue: Array<() => void> = []
        let free = 2
        const next = () => {
          if (free > 0) {
            queue.shift()?.()
          }
        }
        const ask: Ask = (host, { family }, callback) => {
          queue.push(() => {
            free--
            asked.push(`${family} ${host}`)
            if (family === 4) {
              setTimeout(() => {
                callback(null, [{ address: "192.0.2.7", family: 4 }])
                free++
                next()
              }, 1)
            }
          })
          next()
        }
        const hosts = ["a", "b", "c", "d", "e", "f"]
        const connected = yield* replacing(
          ask,
          Effect.forEach(
            hosts,
            (host) =>
              HappyEyeballs.connect({ host, port: 80 }, ({ host }) => Effect.succeed(host)).pipe(
                Effect.provideService(HappyEyeballs.Resolver, makeResolver({}, system(dualStack))),
                Effect.timeout("10 seconds")
              ),
            { concurrency: "unbounded" }
          )
        )
        deepStrictEqual(connected, hosts)
        deepStrictEqual(asked, ["6 a", ...hosts.map((host) => `4 ${host}`)])
      }))

    it.live("what is no address spoils no other", () =>
      Effect.gen(function*() {
        const found: Array<unknown> = [{ address: "192.0.2.7", family: 4 }, null, { address: "x" }, {}, "192.0.2.8"]
        const lookup = ((_: string, __: object, callback: (...result: Array<unknown>) => void) =>
          callback(null, found)) as net.LookupFunction
        const { connections, resolution } = yield* HappyEyeballs.outcome(
          { host: "happy.test", port: 80 },
          () =>
            Effect.fail("refused"),
          { family: 4 }
        ).pipe(Effect.provideService(HappyEyeballs.Resolver, makeResolver({ lookup }, system(ipv4Only))))
        deepStrictEqual(connections.map(({ address }) => address), ["192.0.2.7", "192.0.2.8"])
        strictEqual(resolution.length, 1)
      }))

    it.live("that are shared do not share an AsyncLocalStorage", () =>
      Effect.scoped(Effect.gen(function*() {
        const storage = new AsyncLocalStorage<string>()
        const port = yield* listening(http.createServer((_, response) => response.end("hello")), "127.0.0.3")
        const agent = new NodeHappyEyeballs.HttpAgent()
        const ask: Ask = (_, { family }, callback) =>
          void setTimeout(callback, 10, null, family === 4 ? [{ address: "127.0.0.3", family }] : [])
        const get = (name: string) =>
          new Promise<string>((resume, reject) =>
            storage.run(name, () =>
              http.get({ host: "happy.test", port, agent }, (response) => {
                const seen = [storage.getStore()]
                response.on("data", () => seen.push(storage.getStore()))
                response.on("end", () => resume(`${name}: ${seen.join(" ")}`))
              }).on("error", reject))
          )
        const seen = yield* replacing(ask, Effect.promise(() => Promise.all(["a", "b", "c"].map(get))))
        deepStrictEqual(seen, ["a: a a", "b: b b", "c: c c"])
      })))
  })

  /**
   * What getaddrinfo says in networks of its own, with the sources of the same addresses. The script gets the networks'
   * commands, a hosts file and a gai.conf.
   */
  const inNetwork = (commands: string, hosts: string, configuration: string): ReadonlyArray<Precedence.Pair> => {
    const script = `
      const dns = require("node:dns"), dgram = require("node:dgram")
      const sourceOf = (address) => {
        const socket = dgram.createSocket({ type: address.includes(":") ? "udp6" : "udp4", lookup: (a, f, cb) => cb(null, a) })
        socket.on("error", () => {}).connect(9, address)
        try { socket.remoteAddress(); return socket.address().address } catch { return undefined } finally { socket.close() }
      }
      dns.lookup("happy.test", { all: true, verbatim: true }, (error, found) =>
        console.log(JSON.stringify(found.map(({ address }) => ({ destination: address, source: sourceOf(address) })))))`
    const setUp = [
      "set -e",
      "mount -t tmpfs none /mnt",
      `printf '${hosts.split(" ").map((address) => `${address} happy.test\\n`).join("")}' > /mnt/hosts`,
      `printf '${configuration}\\n' > /mnt/gai.conf`,
      "printf 'hosts: files\\n' > /mnt/nsswitch.conf",
      ...["hosts", "gai.conf", "nsswitch.conf"].map((file) => `mount --bind /mnt/${file} /etc/${file}`),
      "ip link set lo up",
      commands,
      "exec \"$0\" -e \"$1\""
    ].join("\n")
    return JSON.parse(
      execFileSync("sh", ["-c", "exec unshare -Urnm sh -c \"$@\"", "sh", setUp, process.execPath, script], {
        encoding: "utf8",
        stdio: ["ignore", "pipe", "ignore"]
      })
    )
  }

  const canUnshare = (() => {
    try {
      return inNetwork("", "127.0.0.1", "").length === 1
    } catch {
      return false
    }
  })()

  describe("the order of addresses is getaddrinfo's", () => {
    it.live("for what this host knows itself", () =>
      Effect.gen(function*() {
        const found = yield* Effect.promise(() => dns.promises.lookup("localhost", { all: true, verbatim: true }))
        const pairs = found.map(({ address }) => ({ destination: address, source: sourceOf(address) }))
        const sorted = Precedence.sort([...pairs].reverse(), policy())
        deepStrictEqual(sorted, pairs)
      }))

    // glibc applies rule 9 also to IPv4 addresses of the host's own subnet. None is here but 127.0.0.1, which has a scope
    // of its own.
    const everything = "2001:db8:1::1 2001:db8:9::1 2002:c633:6401::1 2001:0:53aa::1 fd00::1 fec0::1 ::1 ff0e::1 " +
      "198.51.100.1 10.0.0.1 127.0.0.1 169.254.1.1 192.168.9.1"
    const route = (family: 4 | 6, source: string) =>
      `ip -${family} addr add ${source} dev lo ${
        family === 6 ? "nodad" : ""
      } && ip -${family} route add default dev lo src ${source.split("/")[0]}`
    const networks: ReadonlyArray<readonly [name: string, commands: string]> = [
      ["offline", ""],
      ["IPv4 behind NAT", route(4, "192.168.1.2/24")],
      ["IPv6", route(6, "2001:db8:1::2/64")],
      ["both", `${route(4, "192.168.1.2/24")}\n${route(6, "2001:db8:1::2/64")}`],
      ["unique-local and IPv4", `${route(4, "172.17.0.2/16")}\n${route(6, "fd00::2/64")}`],
      ["6to4 and IPv4", `${route(4, "198.51.100.2/24")}\n${route(6, "2002:c633:6402::1/64")}`],
      ["Teredo and IPv4", `${route(4, "192.168.1.2/24")}\n${route(6, "2001:0:53aa::2/64")}`]
    ]
    const configurations = [
      "",
      "precedence ::ffff:0:0/96 100",
      "label fd00::/8 1\\nprecedence fd00::/8 45\\nscopev4 192.168.0.0/16 5\\nscopev4 127.0.0.0/8 2"
    ]
    it.skipIf(!canUnshare).each(networks)("%s", (_, commands) => {
      for (const configuration of configurations) {
        const expected = inNetwork(commands, everything, configuration)
        strictEqual(expected.length, everything.split(" ").length)
        const sorted = Precedence.sort(
          // In the order of the hosts file.
          everything.split(" ").map((address) => expected.find(({ destination }) => destination === address)!),
          parseConfiguration(configuration.replaceAll("\\n", "\n"), glibc)
        )
        deepStrictEqual(
          sorted.map(({ destination }) => destination),
          expected.map(({ destination }) => destination),
          configuration
        )
      }
    })
  })
})
