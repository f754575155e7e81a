import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as FastCheck from "effect/FastCheck"
import * as Precedence from "../../src/internal/happyEyeballs/precedence.js"
import { glibc, parseConfiguration } from "../../src/internal/node/policy.js"

/** `destination<source`, or a destination alone where it has no route. */
const pairs = (text: string): ReadonlyArray<Precedence.Pair> =>
  text.split(" ").map((pair) => {
    const [destination = "", source] = pair.split("<")
    return { destination, source }
  })

const order = (text: string, policy: Precedence.Policy) =>
  Precedence.sort(pairs(text), policy).map(({ destination }) => destination).join(" ")

const ipv4First: Precedence.Policy = parseConfiguration("precedence ::ffff:0:0/96 100", glibc)

/** Where both families have the same precedence. */
const level: Precedence.Policy = parseConfiguration("precedence ::/0 40", glibc)

describe("precedence", () => {
  type Row = readonly [name: string, given: string, standard: string, more?: { glibc?: string; ipv4First?: string }]
  const rows: ReadonlyArray<Row> = [
    // The examples of RFC 6724, section 10.2.
    ["matching scope", "2001:db8:1::1<fe80::1 198.51.100.121<198.51.100.117", "198.51.100.121 2001:db8:1::1"],
    [
      "matching scope, the other way round",
      "2001:db8:1::1<2001:db8:1::2 198.51.100.121<169.254.13.78",
      "2001:db8:1::1 198.51.100.121",
      { ipv4First: "2001:db8:1::1 198.51.100.121" }
    ],
    [
      "higher precedence",
      "2001:db8:1::1<2001:db8:1::2 10.1.2.3<10.1.2.4",
      "2001:db8:1::1 10.1.2.3",
      { ipv4First: "10.1.2.3 2001:db8:1::1" }
    ],
    ["smaller scope", "2001:db8:1::1<2001:db8:1::2 fe80::1<fe80::2", "fe80::1 2001:db8:1::1"],
    [
      "matching label (6to4)",
      "2001:db8:1::1<2002:c633:6401::2 2002:c633:6401::1<2002:c633:6401::2",
      [
        "2002:c633:6401::1",
        "2001:db8:1::1"
      ].join(" ")
    ],
    [
      "higher precedence (6to4)",
      "2002:c633:6401::1<2002:c633:6401::2 2001:db8:1::1<2001:db8:1::2",
      "2001:db8:1::1 2002:c633:6401::1"
    ],
    [
      "the longest prefix",
      "2001:db8:3ffe::1<2001:db8:1::2 2001:db8:1::1<2001:db8:1::2",
      "2001:db8:1::1 2001:db8:3ffe::1"
    ],
    // What hosts have today.
    ["no IPv6 route", "2001:db8:1::1 198.51.100.1<192.168.1.2", "198.51.100.1 2001:db8:1::1"],
    ["no IPv4 route", "198.51.100.1 2001:db8:1::1<2001:db8::2", "2001:db8:1::1 198.51.100.1"],
    ["no route at all", "198.51.100.1 2001:db8:1::1", "2001:db8:1::1 198.51.100.1", {
      ipv4First: "198.51.100.1 2001:db8:1::1"
    }],
    ["behind NAT, with IPv6", "198.51.100.1<192.168.1.2 2001:db8:1::1<2001:db8::2", "2001:db8:1::1 198.51.100.1", {
      ipv4First: "198.51.100.1 2001:db8:1::1"
    }],
    [
      "only unique-local IPv6, as from Docker and Tailscale",
      "2001:db8:1::1<fd7a:115c:a1e0::1 198.51.100.1<172.17.0.2",
      "198.51.100.1 2001:db8:1::1"
    ],
    [
      "unique-local to unique-local",
      "fd00::1<fd00::2 192.168.1.1<192.168.1.2",
      "192.168.1.1 fd00::1",
      { glibc: "fd00::1 192.168.1.1" }
    ],
    [
      "Teredo only",
      "2001:db8:1::1<2001:0:53aa::1 198.51.100.1<192.168.1.2",
      "198.51.100.1 2001:db8:1::1"
    ],
    ["localhost", "127.0.0.1<127.0.0.1 ::1<::1", "::1 127.0.0.1", { ipv4First: "127.0.0.1 ::1" }],
    ["localhost, without IPv6", "::1 127.0.0.1<127.0.0.1", "127.0.0.1 ::1"],
    ["a link-local zone", "fe80::1%eth0<fe80::2%eth0 192.168.1.1<192.168.1.2", "fe80::1%eth0 192.168.1.1"],
    ["multicast says its scope", "ff0e::1<2001:db8::2 ff05::1<2001:db8::2 ff02::1<fe80::2", "ff02::1 ff0e::1 ff05::1"],
    ["site-local", "fec0::1<fec0::2 198.51.100.1<192.168.1.2", "198.51.100.1 fec0::1", {
      glibc: "fec0::1 198.51.100.1"
    }],
    [
      "IPv4-mapped is IPv4",
      "::ffff:198.51.100.1<::ffff:10.0.0.1 2001:db8::1<2001:db8::2",
      [
        "2001:db8::1",
        "::ffff:198.51.100.1"
      ].join(" ")
    ],
    ["IPv4 keeps the order of the resolver", "9.0.0.1<10.0.0.2 10.0.0.1<10.0.0.2", "9.0.0.1 10.0.0.1"],
    [
      "what is no address is last",
      "localhost 2001:db8:1::1 198.51.100.1<10.0.0.1",
      [
        "198.51.100.1",
        "2001:db8:1::1",
        "localhost"
      ].join(" ")
    ]
  ]
  it.each(rows.map((row) => [row[0], row] as const))("%s", (_name, [, given, expected, more]) => {
    const reversed = given.split(" ").reverse().join(" ")
    strictEqual(order(given, Precedence.standard), expected)
    strictEqual(order(given, glibc), more?.glibc ?? expected)
    if (more?.ipv4First !== undefined) {
      strictEqual(order(given, ipv4First), more.ipv4First)
    }
    if (!given.startsWith("9.")) {
      strictEqual(order(reversed, Precedence.standard), expected)
    }
  })

  it("the longest prefix does not move IPv4, also where the families are level", () => {
    // Pair by pair this is a circle: 2001:db8::1 is nearer than 2001:d00::1, and neither compares to 192.0.2.1.
    strictEqual(
      order("2001:d00::1<2001:db8::2 192.0.2.1<192.0.2.2 2001:db8::1<2001:db8::2", level),
      "2001:db8::1 192.0.2.1 2001:d00::1"
    )
  })

  const octet = FastCheck.integer({ min: 0, max: 255 })
  const group = FastCheck.oneof(FastCheck.constantFrom(0, 1, 0x0db8), FastCheck.integer({ min: 0, max: 0xffff }))
  const address = FastCheck.oneof(
    FastCheck.tuple(octet, octet, octet, octet).map((octets) => octets.join(".")),
    FastCheck.tuple(
      FastCheck.constantFrom(0, 0x2001, 0x2002, 0xfe80, 0xfec0, 0xfd00, 0x3ffe, 0xff02, 0xff0e),
      group,
      group,
      group
    ).map(([first, ...rest]) => [first, 0, 0, 0, 0, ...rest].map((group) => group.toString(16)).join(":")),
    FastCheck.constantFrom("::1", "127.0.0.1", "169.254.1.1", "::ffff:192.0.2.1", "no address")
  )
  const given = FastCheck.array(
    FastCheck.record({ destination: address, source: FastCheck.option(address, { nil: undefined }) }),
    { maxLength: 12 }
  )
  const policy = FastCheck.constantFrom(Precedence.standard, glibc, ipv4First, level)

  it("is a permutation, and sorting again changes nothing", () => {
    FastCheck.assert(FastCheck.property(given, policy, (given, policy) => {
      const sorted = Precedence.sort(given, policy)
      deepStrictEqual(new Set(sorted), new Set(given))
      strictEqual(sorted.length, given.length)
      deepStrictEqual(Precedence.sort(sorted, policy), sorted)
    }))
  })

  it("any two stand as they do among all, unless only their order was given", () => {
    FastCheck.assert(FastCheck.property(given, policy, (given, policy) => {
      const sorted = Precedence.sort(given, policy)
      for (const [index, first] of sorted.entries()) {
        for (const second of sorted.slice(index + 1)) {
          const straight = Precedence.sort([first, second], policy)
          const reversed = Precedence.sort([second, first], policy)
          assertTrue(straight[0] === first || reversed[0] === first)
          assertTrue(straight[0] === first)
        }
      }
    }))
  })
})
