import { describe, expect, it } from "@effect/vitest"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import { decode, encode, type Link, linkOf, views } from "../src/link.js"
import { presets } from "../src/presets.js"
import { type Limited, limits } from "../src/scenario.js"
import { scenarios } from "./scenarios.js"

const good = "#v=1&delay=250&candidate=a,succeeds,10,0"

const whole = (limited: Limited) => FastCheck.integer({ min: limits[limited][0], max: limits[limited][1] })

const links: FastCheck.Arbitrary<Link> = FastCheck.record({
  view: FastCheck.constantFrom(...views),
  scenario: scenarios,
  climate: FastCheck.record({ ill: whole("ill"), seed: whole("seed") }),
  traffic: FastCheck.record({ slow: whole("slow"), budget: whole("budget"), brownOut: FastCheck.boolean() })
})

describe("a link to a scenario", () => {
  it("is made to be read", () => {
    expect(presets.map(({ id, scenario }) => [id, encode(linkOf(scenario))])).toStrictEqual([
      [
        "good-day",
        "#v=1&delay=100&candidate=replica+a,succeeds,40,5&candidate=replica+b,succeeds,60,5" +
        "&candidate=replica+c,succeeds,45,5&candidate=replica+d,succeeds,70,5"
      ],
      [
        "dead-ipv6",
        "#v=1&delay=250&candidate=2001:db8::1,hangs,-,30&candidate=192.0.2.1,succeeds,160,10" +
        "&candidate=2001:db8::2,hangs,-,30&candidate=192.0.2.2,succeeds,120,10"
      ],
      [
        "far-away",
        "#v=1&delay=250&candidate=198.51.100.7,succeeds,320,10&candidate=2001:db8::7,fails,30,10"
      ],
      [
        "slow-replica",
        "#v=1&delay=95&candidate=replica+a,succeeds,700,120&candidate=replica+b,succeeds,140,40"
      ],
      [
        "fallbacks",
        "#v=1&delay=infinite&candidate=cache,fails,30,10&candidate=replica,fails,180,40&candidate=origin,succeeds,260,60"
      ],
      [
        "mirrors",
        "#v=1&delay=120&minDelay=60&concurrency=2&candidate=ams,fails,340,30&candidate=fra,hangs,-,80" +
        "&candidate=lon,fails,20,30&candidate=nyc,succeeds,230,50&candidate=sgp,succeeds,500,50"
      ],
      [
        "rarer-hedges",
        "#v=1&delay=exponential:80&losers=background&candidate=request,succeeds,900,200" +
        "&candidate=first+hedge,hangs,-,120&candidate=second+hedge,succeeds,410,80&candidate=third+hedge,succeeds,200,80"
      ]
    ])
  })

  it("comes out as it went in, whatever the scenario", () => {
    FastCheck.assert(
      FastCheck.property(links, (parts) => {
        const link = encode(parts)
        expect(decode(link)).toStrictEqual(Either.right(parts))
        // Also where spaces, quotes, brackets, stars and underscores mean something, and as browsers write addresses.
        expect(link).toMatch(/^#[A-Za-z\d.,:=;&%+/-]*$/)
        expect(new URL(link, "http://localhost/").hash).toBe(link)
      }),
      { numRuns: 500 }
    )
  })

  it("may name its fields in any order, and also those that have their default", () => {
    expect(decode("#candidate=a,succeeds,10,0&losers=await&concurrency=3&minDelay=0&view=race&delay=250&v=1"))
      .toStrictEqual(decode("#v=1&delay=250&concurrency=3&candidate=a,succeeds,10,0"))
  })

  it("is none where there is no fragment", () => {
    expect([decode(""), decode("#")]).toStrictEqual([undefined, undefined])
  })

  it.each([
    ["#nonsense", "the link: “nonsense” is not a field that this page knows."],
    [`${good}&speed=2`, "the link: “speed=2” is not a field that this page knows."],
    [`${good}&`, "the link: “” is not a field that this page knows."],
    ["#delay=250&candidate=a,succeeds,10,0", "v: “” is missing."],
    ["#v=2&delay=250&candidate=a,succeeds,10,0", "v: “2” is a version that this page does not know, which is 1."],
    ["#v=1&candidate=a,succeeds,10,0", "delay: “” is missing."],
    [`${good}&delay=300`, "delay: “300” is there a second time."],
    [`${good}&view=raw`, "view: “raw” is none of race, compare, days, hedging."],
    ["#v=1&delay=-1&candidate=a,succeeds,10,0", "delay: “-1” is not a whole number from 0 to 10000."],
    ["#v=1&delay=10001&candidate=a,succeeds,10,0", "delay: “10001” is not a whole number from 0 to 10000."],
    ["#v=1&delay=&candidate=a,succeeds,10,0", "delay: “” is not a whole number from 0 to 10000."],
    ["#v=1&delay=cubic:5&candidate=a,succeeds,10,0", "delay: “cubic” is none of exponential, linear, infinite."],
    ["#v=1&delay=linear&candidate=a,succeeds,10,0", "delay: “” is not a whole number from 1 to 10000."],
    ["#v=1&delay=linear:0&candidate=a,succeeds,10,0", "delay: “0” is not a whole number from 1 to 10000."],
    [
      "#v=1&delay=infinite:5&candidate=a,succeeds,10,0",
      "delay: “infinite:5” has no milliseconds where it is infinite."
    ],
    [`${good}&minDelay=1.5`, "minDelay: “1.5” is not a whole number from 0 to 5000."],
    [`${good}&concurrency=0`, "concurrency: “0” is not a whole number from 1 to 8."],
    [`${good}&concurrency=unbounded`, "concurrency: “unbounded” is not a whole number from 1 to 8."],
    [`${good}&ill=61`, "ill: “61” is not a whole number from 0 to 60."],
    [`${good}&seed=0`, "seed: “0” is not a whole number from 1 to 9999."],
    [`${good}&slow=31`, "slow: “31” is not a whole number from 0 to 30."],
    [`${good}&budget=5%`, "budget: “5%” is not a whole number from 0 to 50."],
    [`${good}&brownOut=yes`, "brownOut: “yes” is none of off, on."],
    [`${good}&losers=ignore`, "losers: “ignore” is none of await, background."],
    ["#v=1&delay=250", "candidate: “0 of them” is not a number from 1 to 8."],
    [`${good}${"&candidate=b,fails,1,0".repeat(8)}`, "candidate: “9 of them” is not a number from 1 to 8."],
    [
      `${good}&candidate=b,fails,1`,
      "candidate 2: “b,fails,1” is not a name, a result, a latency and a clean-up time, with commas between them."
    ],
    [`${good}&candidate=,fails,1,0`, "candidate 2, name: “” is not a name of 1 to 24 characters."],
    [`${good}&candidate=%20,fails,1,0`, "candidate 2, name: “ ” is not a name of 1 to 24 characters."],
    [
      `${good}&candidate=${"n".repeat(25)},fails,1,0`,
      `candidate 2, name: “${"n".repeat(25)}” is not a name of 1 to 24 characters.`
    ],
    ...[
      "\0",
      "\u00ad",
      "\u034f",
      "\u061c",
      "\u200b",
      "\u202e",
      "\u2028",
      "\u2029",
      "\u2066",
      "\u3164",
      "\ufe0f",
      "\u{e0061}"
    ]
      .map((char) => [
        `${good}&candidate=a${encodeURIComponent(char)}b,fails,1,0`,
        `candidate 2, name: “a\\u{${char.codePointAt(0)!.toString(16)}}b” has characters that cannot be seen.`
      ]),
    [
      `${good}&candidate=${encodeURIComponent("\u202e".repeat(25))},fails,1,0`,
      `candidate 2, name: “${"\\u{202e}".repeat(25)}” is not a name of 1 to 24 characters.`
    ],
    [`${good}&view=${"x".repeat(60)}`, `view: “${"x".repeat(60)}” is none of race, compare, days, hedging.`],
    [`${good}&view=${"x".repeat(61)}`, `view: “${"x".repeat(60)}…” is none of race, compare, days, hedging.`],
    [`${good}&view=${"🙂".repeat(61)}`, `view: “${"🙂".repeat(60)}…” is none of race, compare, days, hedging.`],
    [`#${"y".repeat(70)}`, `the link: “${"y".repeat(60)}…” is not a field that this page knows.`],
    [`${good}&candidate=%E0%A4,fails,1,0`, "candidate 2, name: “%E0%A4” cannot be decoded."],
    [`${good}&candidate=b,wins,1,0`, "candidate 2, result: “wins” is none of succeeds, fails, hangs."],
    [`${good}&candidate=b,fails,1e3,0`, "candidate 2, latency: “1e3” is not a whole number from 0 to 10000."],
    [`${good}&candidate=b,fails,007,0`, "candidate 2, latency: “007” is not a whole number from 0 to 10000."],
    [`${good}&candidate=b,fails,-,0`, "candidate 2, latency: “-” is not a whole number from 0 to 10000."],
    [`${good}&candidate=b,hangs,5,0`, "candidate 2, latency: “5” is not “-”, and one that hangs has none."],
    [`${good}&candidate=b,fails,1,5001`, "candidate 2, clean-up: “5001” is not a whole number from 0 to 5000."]
  ])("that is bad says what is: %s", (link, trouble) => {
    expect(decode(link)).toStrictEqual(Either.left(trouble))
  })
})
