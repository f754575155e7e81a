import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import { fromBytes, toBytes } from "../../src/internal/happyEyeballs/address.js"
import { findPrefixes, isFar, synthesize } from "../../src/internal/happyEyeballs/nat64.js"
import { observe } from "../support/scenario.js"

const bytesOf = (address: string) => Option.getOrThrow(toBytes(address))

/** As RFC 6052, section 2.2, draws it: which bytes of the IPv6 address are the IPv4 address. */
const figure = {
  32: [4, 5, 6, 7],
  40: [5, 6, 7, 9],
  48: [6, 7, 9, 10],
  56: [7, 9, 10, 11],
  64: [9, 10, 11, 12],
  96: [12, 13, 14, 15]
} as const

const lengths = [32, 40, 48, 56, 64, 96] as const

const write = (prefix: ReadonlyArray<number>, length: (typeof lengths)[number], ipv4: ReadonlyArray<number>) => {
  const bytes = Array.from({ length: 16 }, (_, at) => at < length / 8 ? prefix[at] ?? 0 : 0)
  figure[length].forEach((at, index) => bytes[at] = ipv4[index] ?? 0)
  return fromBytes(bytes)
}

/** What a DNS64 with this prefix answers. */
const answersOf = (prefix: string, length: (typeof lengths)[number]) =>
  [170, 171].map((last) => write(bytesOf(prefix), length, [192, 0, 0, last]))

const found = (answers: ReadonlyArray<string>) =>
  findPrefixes(answers).map(({ bytes, length }) => `${fromBytes(bytes)}/${length}`)

const viaPrefixOf = (answers: ReadonlyArray<string>, address: string) =>
  findPrefixes(answers).map((prefix) => Option.getOrNull(synthesize(prefix, address)))

const byte = FastCheck.integer({ min: 0, max: 255 })

describe("the address parser", () => {
  it("gives bytes, and spells them as RFC 5952 does", () => {
    const rows: ReadonlyArray<readonly [text: string, spelt: string]> = [
      ["2001:db8::1", "2001:db8::1"],
      ["2001:DB8:0:0:0:0:0:1", "2001:db8::1"],
      ["::", "::"],
      ["::1", "::1"],
      ["1::", "1::"],
      ["1:0:2:3:4:5:6:7", "1:0:2:3:4:5:6:7"],
      ["1:0:0:2:0:0:0:3", "1:0:0:2::3"],
      ["1:0:0:2:3:0:0:4", "1::2:3:0:0:4"],
      ["64:ff9b::192.0.2.33", "64:ff9b::c000:221"],
      ["[fe80::1%eth0]", "fe80::1"]
    ]
    deepStrictEqual(rows.map(([text]) => fromBytes(bytesOf(text))), rows.map(([, spelt]) => spelt))
    deepStrictEqual(bytesOf("192.0.2.33"), [192, 0, 2, 33])
    deepStrictEqual(bytesOf("::ffff:192.0.2.33"), [192, 0, 2, 33])
    deepStrictEqual(toBytes("example.com"), Option.none())
  })

  it("reads what it has spelt", () => {
    // Zeros are what the spelling is about.
    const group = FastCheck.oneof(FastCheck.constant([0, 0]), FastCheck.tuple(byte, byte))
    FastCheck.assert(FastCheck.property(
      FastCheck.array(group, { minLength: 8, maxLength: 8 }).map((groups) => groups.flat())
        .filter((bytes) => bytes.slice(0, 12).join() !== "0,0,0,0,0,0,0,0,0,0,255,255"),
      (bytes) => deepStrictEqual(bytesOf(fromBytes(bytes)), bytes)
    ))
  })
})

describe("NAT64", () => {
  // RFC 6052, section 2.4: tables 2 and 3.
  const examples: ReadonlyArray<readonly [prefix: string, length: (typeof lengths)[number], address: string]> = [
    ["2001:db8::", 32, "2001:db8:c000:221::"],
    ["2001:db8:100::", 40, "2001:db8:1c0:2:21::"],
    ["2001:db8:122::", 48, "2001:db8:122:c000:2:2100::"],
    ["2001:db8:122:300::", 56, "2001:db8:122:3c0:0:221::"],
    ["2001:db8:122:344::", 64, "2001:db8:122:344:c0:2:2100::"],
    ["2001:db8:122:344::", 96, "2001:db8:122:344::192.0.2.33"]
  ]
  it.each(examples)("RFC 6052, section 2.4: 192.0.2.33 by %s/%i is %s", (prefix, length, address) => {
    const answers = answersOf(prefix, length)
    deepStrictEqual(found(answers), [`${prefix}/${length}`])
    deepStrictEqual(viaPrefixOf(answers, "192.0.2.33"), [fromBytes(bytesOf(address))])
  })

  it("a prefix of any length is found, and what is synthesized with it has the address at its place", () => {
    FastCheck.assert(FastCheck.property(
      FastCheck.constantFrom(...lengths),
      FastCheck.array(byte, { minLength: 12, maxLength: 12 }),
      FastCheck.tuple(byte, byte, byte, byte),
      (length, random, ipv4) => {
        // Documentation's addresses, and RFC 6052's reserved bits.
        const prefix = [0x20, 0x01, 0x0d, 0xb8, ...random.slice(4)].map((byte, at) => at === 8 ? 0 : byte)
        const answers = [170, 171].map((last) => write(prefix, length, [192, 0, 0, last]))
        const [address = null, ...more] = viaPrefixOf(answers, ipv4.join("."))
        deepStrictEqual(more, [])
        const bytes = bytesOf(address ?? "")
        deepStrictEqual(figure[length].map((at) => bytes[at]), ipv4)
        strictEqual(address, write(prefix, length, ipv4))
      }
    ))
  })

  const rows: ReadonlyArray<readonly [name: string, answers: ReadonlyArray<string>, prefixes: ReadonlyArray<string>]> =
    [
      ["the Well-Known Prefix", ["64:ff9b::192.0.0.170", "64:ff9b::192.0.0.171"], ["64:ff9b::/96"]],
      ["one of the two addresses is enough", ["2001:db8::192.0.0.171"], ["2001:db8::/96"]],
      [
        "several prefixes, in their order",
        [...answersOf("2001:db8:1::", 48), ...answersOf("64:ff9b::", 96)],
        ["2001:db8:1::/48", "64:ff9b::/96"]
      ],
      ["no answer", [], []],
      ["an address of another kind", ["2001:db8::1", "192.0.0.170", "::ffff:192.0.0.170"], []],
      ["not at a place of RFC 6052", ["2001:db8:0:c000:aa::"], []],
      ["bits 64 to 71 are not zero", ["2001:db8:1:2:300::192.0.0.170"], []],
      [
        "a prefix that has the one address in it is found by the other",
        answersOf("2001:db8:c000:aa::", 96),
        ["2001:db8:c000:aa::/96"]
      ],
      [
        "a prefix that has the other address in it",
        answersOf("2001:db8:c000:ab::", 96),
        ["2001:db8:c000:ab::/96"]
      ],
      ["twice in the only answer: which of them is it?", ["2001:db8:c000:aa::192.0.0.170"], []],
      ["twice, once not at a place of RFC 6052", ["2001:c0:0:aa00::192.0.0.170"], []]
    ]
  it.each(rows)("%s", (_, answers, prefixes) => deepStrictEqual(found(answers), prefixes))

  it("RFC 6052, section 3.1: the Well-Known Prefix is for global addresses alone", () => {
    const wellKnown = answersOf("64:ff9b::", 96)
    const own = answersOf("64:ff9b:1::", 48)
    const none = [
      "10.0.0.1",
      "100.64.0.1",
      "100.127.255.255",
      "172.16.0.1",
      "172.31.255.255",
      "192.0.0.8",
      "192.0.2.1",
      "192.168.0.1",
      "198.19.255.255",
      "198.51.100.1",
      "203.0.113.1"
    ]
    for (const address of none) {
      deepStrictEqual([address, ...viaPrefixOf(wellKnown, address)], [address, null])
      strictEqual(viaPrefixOf(own, address).length, 1)
    }
    const global = [
      "9.255.255.255",
      "100.63.0.1",
      "100.128.0.1",
      "172.32.0.1",
      "192.88.99.1",
      "198.20.0.1",
      "::ffff:8.8.8.8"
    ]
    for (const address of global) {
      deepStrictEqual(viaPrefixOf(wellKnown, address), [write(bytesOf("64:ff9b::"), 96, bytesOf(address))])
    }
  })

  it("knows what is in no other network", () => {
    const near = ["0.0.0.0", "127.0.0.1", "127.9.9.9", "169.254.1.1", "224.0.0.1", "239.1.1.1", "255.255.255.255"]
    const others = ["2001:db8::1", "example.com"]
    const far = ["1.0.0.1", "10.0.0.1", "128.0.0.1", "169.253.1.1", "192.0.2.1", "223.255.255.255", "::ffff:192.0.2.1"]
    deepStrictEqual([...near, ...others, ...far].filter(isFar), far)
  })

  describe("an IPv4 literal", () => {
    /** Addresses as they are tried, and when, in milliseconds: each of them fails at once. */
    const tried = (
      host: string,
      resolver: HappyEyeballs.Resolver["Type"],
      options?: HappyEyeballs.ConnectOptions
    ) =>
      Effect.gen(function*() {
        const { exit } = yield* observe(
          HappyEyeballs.outcome({ host, port: 443 }, () => Effect.fail("unreachable"), options).pipe(
            Effect.map(({ connections, resolution }) => ({
              tried: connections.map(({ address, startedAt }) => `${address}@${startedAt}`).join(" "),
              failed: resolution.length
            })),
            Effect.provideService(HappyEyeballs.Resolver, resolver)
          ),
          { interruptAt: 10_000 }
        )
        return yield* exit
      })

    const query = () => Effect.dieMessage("asked")
    const after = (millis: number, ...addresses: ReadonlyArray<string>) => ({
      query,
      synthesize: () => Effect.delay(Effect.succeed(addresses), millis)
    })

    const rows: ReadonlyArray<
      readonly [
        name: string,
        host: string,
        resolver: HappyEyeballs.Resolver["Type"],
        options: HappyEyeballs.ConnectOptions,
        tried: string,
        failed: number
      ]
    > = [
      ["nobody to ask", "192.0.2.1", { query }, {}, "192.0.2.1@0", 0],
      ["nothing to add: at once", "192.0.2.1", { query, synthesize: () => Effect.succeed([]) }, {}, "192.0.2.1@0", 0],
      ["the synthesized addresses first", "192.0.2.1", after(5, "64:ff9b::1"), {}, "64:ff9b::1@5 192.0.2.1@15", 0],
      [
        "of several, the literal is second",
        "192.0.2.1",
        after(5, "64:ff9b::1", "2001:db8::1"),
        {},
        "64:ff9b::1@5 192.0.2.1@15 2001:db8::1@25",
        0
      ],
      ["late: the literal does not wait", "192.0.2.1", after(200, "64:ff9b::1"), {}, "192.0.2.1@50 64:ff9b::1@200", 0],
      [
        "failed: the literal all the same",
        "192.0.2.1",
        {
          query,
          synthesize: (address) => new HappyEyeballs.QueryFailed({ host: address, family: 6, cause: "SERVFAIL" })
        },
        {},
        "192.0.2.1@0",
        1
      ],
      ["no address: failed", "192.0.2.1", after(0, "sad.test"), {}, "192.0.2.1@0", 1],
      ["IPv4 alone is wanted", "192.0.2.1", { query, synthesize: query }, { family: 4 }, "192.0.2.1@0", 0],
      ["IPv4 is preferred", "192.0.2.1", after(5, "64:ff9b::1"), { prefer: 4 }, "192.0.2.1@0 64:ff9b::1@10", 0],
      ["IPv6 alone is wanted", "192.0.2.1", after(5, "64:ff9b::1"), { family: 6 }, "64:ff9b::1@5 192.0.2.1@15", 0],
      ["a literal of IPv6 needs none", "2001:db8::1", { query, synthesize: query }, {}, "2001:db8::1@0", 0]
    ]
    for (const [name, host, resolver, options, expected, failed] of rows) {
      it.live(
        name,
        () => Effect.map(tried(host, resolver, options), (seen) => deepStrictEqual(seen, { tried: expected, failed }))
      )
    }

    it.live("the resolver is given the address, and a history is not asked", () =>
      Effect.gen(function*() {
        const asked: Array<string> = []
        const resolver: HappyEyeballs.Resolver["Type"] = {
          query,
          synthesize: (address) => Effect.sync(() => (asked.push(address), ["2001:db8::1"]))
        }
        const history: HappyEyeballs.History = { order: query, record: () => Effect.void }
        for (const host of ["192.0.2.1", "[::ffff:192.0.2.1]"]) {
          yield* tried(host, resolver, { history })
        }
        deepStrictEqual(asked, ["192.0.2.1", "::ffff:192.0.2.1"])
      }))
  })
})
