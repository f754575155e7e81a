import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import os from "node:os"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { dnsServer, type DnsServerOptions } from "../support/dnsServer.js"
import { leavingNoSocket } from "../support/sockets.js"

const live = (name: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test())), 20_000)

const interfaceOf = (address: string, internal: boolean): os.NetworkInterfaceInfo => {
  const rest = { address, internal, netmask: "", mac: "", cidr: null }
  return address.includes(":") ? { ...rest, family: "IPv6", scopeid: 0 } : { ...rest, family: "IPv4" }
}

/** Lets the machine have these addresses, and those of loopback, until the scope closes. */
const machine = (...addresses: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const { networkInterfaces } = os
      os.networkInterfaces = () => ({
        lo: ["127.0.0.1", "::1"].map((address) => interfaceOf(address, true)),
        eth0: addresses.map((address) => interfaceOf(address, false)),
        none: undefined
      })
      return networkInterfaces
    }),
    (networkInterfaces) => Effect.sync(() => os.networkInterfaces = networkInterfaces)
  )

const synthesized = (resolver: HappyEyeballs.Resolver["Type"], address: string) =>
  resolver.synthesize?.(address) ?? Effect.dieMessage("no synthesis")

const dns64: DnsServerOptions["table"] = {
  "ipv4only.arpa": {
    A: ["192.0.0.170", "192.0.0.171"],
    AAAA: ["64:ff9b::192.0.0.170", "64:ff9b::192.0.0.171", "2001:db8:64::192.0.0.170", "2001:db8:64::192.0.0.171"]
  }
}

const asking = (table: DnsServerOptions["table"]) =>
  Effect.map(dnsServer({ host: "127.0.0.1", table }), ({ address, asked }) => ({
    asked,
    resolver: NodeHappyEyeballs.makeDnsResolver({ servers: [address], timeout: 20, tries: 1 })
  }))

const global = "2001:db8::7"

describe("NAT64", () => {
  const rows: ReadonlyArray<
    readonly [name: string, machine: ReadonlyArray<string>, literal: string, synthesized: ReadonlyArray<string>]
  > = [
    ["no IPv4: an address for each prefix", [global], "8.8.8.8", ["64:ff9b::808:808", "2001:db8:64::808:808"]],
    ["a private literal: not with the Well-Known Prefix", [global], "10.0.0.1", ["2001:db8:64::a00:1"]],
    ["IPv4 of nobody's giving is none", [global, "169.254.7.7"], "8.8.8.8", [
      "64:ff9b::808:808",
      "2001:db8:64::808:808"
    ]]
  ]
  for (const [name, addresses, literal, expected] of rows) {
    live(name, () =>
      Effect.gen(function*() {
        yield* machine(...addresses)
        const { asked, resolver } = yield* asking(dns64)
        deepStrictEqual(yield* synthesized(resolver, literal), expected)
        deepStrictEqual(asked, ["AAAA ipv4only.arpa"])
      }))
  }

  const needless: ReadonlyArray<readonly [name: string, machine: ReadonlyArray<string>, literal: string]> = [
    ["a machine with IPv4", [global, "192.168.1.7"], "8.8.8.8"],
    ["a machine with a CLAT (RFC 7335)", [global, "192.0.0.1"], "8.8.8.8"],
    ["a machine without a network", [], "8.8.8.8"],
    ["a machine with its own IPv6 link alone", ["fe80::7", "febf::7"], "8.8.8.8"],
    ["loopback", [global], "127.0.0.2"],
    ["a link-local address", [global], "169.254.169.254"]
  ]
  for (const [name, addresses, literal] of needless) {
    live(`${name}: nobody is asked, and the answer is there at once`, () =>
      Effect.gen(function*() {
        yield* machine(...addresses)
        const { asked, resolver } = yield* asking(dns64)
        deepStrictEqual(Effect.runSync(synthesized(resolver, literal)), [])
        deepStrictEqual(asked, [])
      }))
  }

  live("a network without a NAT64 has no such addresses", () =>
    Effect.gen(function*() {
      yield* machine(global)
      const { resolver } = yield* asking({ "ipv4only.arpa": { A: ["192.0.0.170", "192.0.0.171"] } })
      deepStrictEqual(yield* synthesized(resolver, "8.8.8.8"), [])
    }))

  live("a server that does not answer is a failure that names what was asked", () =>
    Effect.gen(function*() {
      yield* machine(global)
      const { resolver } = yield* asking({ "ipv4only.arpa": { AAAA: "DROP" } })
      const error = yield* Effect.flip(synthesized(resolver, "8.8.8.8"))
      strictEqual(error.message, "no IPv6 addresses of ipv4only.arpa.: queryAaaa ETIMEOUT ipv4only.arpa.")
    }))

  live("the resolver of the system does it too, also with another lookup", () =>
    Effect.gen(function*() {
      yield* machine(global)
      const asked: Array<string> = []
      const resolver = NodeHappyEyeballs.makeResolver({
        lookup: (host, { family }, callback) => {
          asked.push(`${family} ${host}`)
          callback(null, [{ address: "2001:db8:64::192.0.0.171", family: 6 }])
        }
      })
      deepStrictEqual(yield* synthesized(resolver, "8.8.8.8"), ["2001:db8:64::808:808"])
      deepStrictEqual(asked, ["6 ipv4only.arpa."])
    }))

  live("a race for a literal goes by the NAT64 first", () =>
    Effect.gen(function*() {
      yield* machine(global)
      const { resolver } = yield* asking(dns64)
      const open = () => Effect.fail("unreachable")
      const outcome = HappyEyeballs.outcome({ host: "8.8.8.8", port: 443 }, open, { prefer: 6 })
      const { connections } = yield* Effect.provideService(outcome, HappyEyeballs.Resolver, resolver)
      deepStrictEqual(
        connections.map(({ address }) => address),
        ["64:ff9b::808:808", "8.8.8.8", "2001:db8:64::808:808"]
      )
    }))
})
