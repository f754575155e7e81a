import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual, throws } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import * as Timeline from "../../src/Timeline.js"
import { virtually } from "../support/hedging.js"
import { nothing, observe } from "../support/scenario.js"

const family = (text: string) => Option.getOrNull(Option.map(HappyEyeballs.address(text), ({ family }) => family))

const addressOf = (text: string): HappyEyeballs.Address => Option.getOrThrow(HappyEyeballs.address(text))

/** `6a` is an IPv6 address, `4b` an IPv4 one, and so on. */
const short = (name: string) => name[0] === "6" ? `2001:db8::${name[1]}` : `192.0.2.${name.charCodeAt(1)}`

const named = (names: string) => names.split(" ").filter((name) => name !== "").map((name) => addressOf(short(name)))

const names = (addresses: Iterable<HappyEyeballs.Address>) =>
  Array.from(
    addresses,
    ({ address, family }) =>
      family === 6 ? `6${address.slice(-1)}` : `4${String.fromCharCode(Number(address.split(".")[3]))}`
  ).join(" ")

/** When a query answers, and which addresses it gives, or "fails". */
type Answer = readonly [at: number, names: string] | "never"

interface Rows {
  readonly 6: Answer
  readonly 4: Answer
}

/** How long a connection to each address takes, and how it ends. Addresses without an entry hang. */
type Ends = Record<string, readonly [at: number, how: "ok" | "fail"]>

const run = (
  rows: Rows,
  ends: Ends = {},
  options: HappyEyeballs.ConnectOptions = {},
  interruptAt = 10_000,
  onClock: typeof virtually = observe,
  leads?: HappyEyeballs.Resolver["Type"]["leads"]
) =>
  Effect.gen(function*() {
    const started: Array<string> = []
    const asked: Array<string> = []
    const resolver = HappyEyeballs.Resolver.of({
      query: (host, family) => {
        const answer = rows[family]
        asked.push(`${family} of ${host}`)
        if (answer === "never") {
          return Effect.never
        }
        const [at, names] = answer
        const answered = names === "fails"
          ? Effect.fail(new HappyEyeballs.QueryFailed({ host, family, cause: new Error("SERVFAIL") }))
          : Effect.succeed(named(names).map(({ address }) => address))
        return at === 0 ? answered : Effect.delay(answered, at)
      },
      leads
    })
    const open = (endpoint: HappyEyeballs.Endpoint) =>
      Effect.flatMap(Clock.currentTimeMillis, (now) => {
        const name = names([endpoint])
        started.push(`${name}@${now}`)
        const end = ends[name]
        return end === undefined
          ? Effect.never
          : Effect.delay(end[1] === "ok" ? Effect.succeed(name) : Effect.fail(`${name} refused`), end[0])
      })
    const connected = HappyEyeballs.connect({ host: "example.com", port: 443 }, open, options).pipe(
      Effect.provideService(HappyEyeballs.Resolver, resolver)
    )
    const { endedAt, exit, left } = yield* onClock(connected, { interruptAt })
    deepStrictEqual(left, nothing)
    return {
      asked,
      exit,
      ended: `${Exit.isSuccess(exit) ? exit.value : "none"}@${endedAt}`,
      started: started.join(" ")
    }
  })

const transcript = (...given: Parameters<typeof run>) =>
  Effect.map(run(...given), ({ ended, started }) => `${started} | ${ended}`)

describe("HappyEyeballs", () => {
  it("knows an address and its family from what is none", () => {
    const rows: ReadonlyArray<readonly [text: string, family: 4 | 6 | null]> = [
      ["192.0.2.1", 4],
      ["255.255.255.255", 4],
      ["256.0.2.1", null],
      ["192.0.2", null],
      ["192.0.2.01", null],
      ["192.0.2.1.1", null],
      ["", null],
      ["example.com", null],
      ["2001:db8::1", 6],
      ["2001:DB8:0:0:0:0:0:1", 6],
      ["[2001:db8::1]", 6],
      ["::", 6],
      ["::1", 6],
      ["1::", 6],
      ["fe80::1%eth0", 6],
      ["fe80::1%", null],
      ["fe80::1%a%b", null],
      ["1:2:3:4:5:6:7", null],
      ["1:2:3:4:5:6:7:8:9", null],
      ["1:2:3:4:5:6:7::8", null],
      ["1:2:3:4:5:6::8", 6],
      ["1::2::3", null],
      [":1", null],
      ["1:", null],
      ["12345::", null],
      ["g::", null],
      ["64:ff9b::192.0.2.1", 6],
      ["::192.0.2.1.5", null],
      ["192.0.2.1::", null],
      ["::ffff:192.0.2.1", 4],
      ["::FFFF:c000:201", 4]
    ]
    deepStrictEqual(rows.map(([text]) => [text, family(text)]), rows.map(([text, family]) => [text, family]))
  })

  describe("interleave", () => {
    const rows: ReadonlyArray<readonly [given: string, options: HappyEyeballs.InterleaveOptions, order: string]> = [
      ["6a 6b 4a 4b", {}, "6a 4a 6b 4b"],
      ["6a 6b 6c 4a", {}, "6a 4a 6b 6c"],
      ["4a 6a 4b", {}, "4a 6a 4b"],
      ["4a 4b", {}, "4a 4b"],
      ["", {}, ""],
      ["6a 6b 6c 4a", { firstFamilyCount: 2 }, "6a 6b 4a 6c"],
      ["6a 4a 4b", { firstFamilyCount: 5 }, "6a 4a 4b"],
      ["4a 6a 4b 6b", { prefer: 6 }, "6a 4a 6b 4b"],
      ["4a 4b", { prefer: 6 }, "4a 4b"],
      ["6a 4a 6a 4a 6b", {}, "6a 4a 6b"]
    ]
    it.each(rows)("%s, %o: %s", (given, options, order) => {
      strictEqual(names(HappyEyeballs.interleave(named(given), options)), order)
      strictEqual(names(HappyEyeballs.interleave(options)(named(given))), order)
    })

    it("two spellings of one address are one, two zones are two", () => {
      const given = ["2001:db8::1", "2001:DB8:0:0::1", "fe80::1%a", "fe80::1%b", "192.0.2.1", "::ffff:192.0.2.1"]
      deepStrictEqual(
        HappyEyeballs.interleave(given.map(addressOf)).map(({ address }) => address),
        ["2001:db8::1", "192.0.2.1", "fe80::1%a", "fe80::1%b"]
      )
    })

    it("is a permutation of what is different, and keeps the order inside each family", () => {
      const addresses = FastCheck.array(
        FastCheck.record({ family: FastCheck.constantFrom<4 | 6>(4, 6), index: FastCheck.integer({ min: 1, max: 9 }) })
          .map(({ family, index }) => addressOf(family === 6 ? `2001:db8::${index}` : `192.0.2.${index}`))
      )
      FastCheck.assert(FastCheck.property(
        addresses,
        FastCheck.integer({ min: 1, max: 4 }),
        FastCheck.constantFrom<4 | 6 | undefined>(4, 6, undefined),
        (given, firstFamilyCount, prefer) => {
          const order = HappyEyeballs.interleave(given, { firstFamilyCount, prefer })
          const inFamily = (
            list: ReadonlyArray<HappyEyeballs.Address>,
            family: 4 | 6
          ) => [...new Set(list.filter((address) => address.family === family).map(({ address }) => address))]
          strictEqual(order.length, inFamily(given, 4).length + inFamily(given, 6).length)
          deepStrictEqual([inFamily(order, 4), inFamily(order, 6)], [inFamily(given, 4), inFamily(given, 6)])
        }
      ))
    })

    it("a count that makes no sense is named", () => {
      throws(() => HappyEyeballs.interleave([], { firstFamilyCount: 0 }), (error) => {
        assertTrue(error instanceof Error && error.message.includes("\"firstFamilyCount\""))
        assertTrue(error instanceof Error && error.message.includes("0"))
      })
    })
  })

  describe("the resolution", () => {
    const rows: ReadonlyArray<readonly [name: string, rows: Rows, transcript: string]> = [
      ["AAAA first, A pending: IPv6 at once", { 6: [10, "6a"], 4: "never" }, "6a@10 | none@10000"],
      ["A first, AAAA pending: after 50 ms", { 6: "never", 4: [10, "4a"] }, "4a@60 | none@10000"],
      ["AAAA 10 ms after A: IPv6 first", { 6: [20, "6a"], 4: [10, "4a"] }, "6a@20 4a@270 | none@10000"],
      ["AAAA 49 ms after A: IPv6 first", { 6: [59, "6a"], 4: [10, "4a"] }, "6a@59 4a@309 | none@10000"],
      [
        "AAAA 51 ms after A: IPv4 first, IPv6 next",
        { 6: [61, "6a"], 4: [10, "4a 4b"] },
        "4a@60 6a@310 4b@560 | none@10000"
      ],
      ["AAAA empty after A: IPv4 at once", { 6: [20, ""], 4: [10, "4a"] }, "4a@20 | none@10000"],
      ["AAAA failed after A: IPv4 at once", { 6: [20, "fails"], 4: [10, "4a"] }, "4a@20 | none@10000"],
      ["AAAA empty before A", { 6: [5, ""], 4: [10, "4a"] }, "4a@10 | none@10000"],
      ["AAAA when IPv4 runs: next in line", { 6: [200, "6a"], 4: [10, "4a 4b"] }, "4a@60 6a@310 4b@560 | none@10000"],
      ["AAAA after all IPv4 runs: as it comes", { 6: [900, "6a"], 4: [10, "4a"] }, "4a@60 6a@900 | none@10000"],
      ["both at once", { 6: [0, "6a 6b"], 4: [0, "4a 4b"] }, "6a@0 4a@250 6b@500 4b@750 | none@10000"],
      ["both failed", { 6: [10, "fails"], 4: [20, "fails"] }, " | none@20"],
      ["both empty", { 6: [10, ""], 4: [20, ""] }, " | none@20"],
      ["neither ever", { 6: "never", 4: "never" }, " | none@10000"]
    ]
    it.live.each(rows)(
      "%s",
      ([, rows, expected]) => Effect.map(transcript(rows), (seen) => strictEqual(seen, expected))
    )

    it.live("AAAA and the end of the delay at the same instant: one start", () =>
      Effect.map(
        run({ 6: [60, "6a"], 4: [10, "4a"] }),
        ({ started }) => assertTrue(started === "6a@60 4a@310" || started === "4a@60 6a@310", started)
      ))

    it.live("both families are asked at once, IPv6 first; a literal is asked of nobody", () =>
      Effect.gen(function*() {
        deepStrictEqual((yield* run({ 6: "never", 4: "never" })).asked, ["6 of example.com", "4 of example.com"])
        const literal = HappyEyeballs.resolve("[2001:db8::1]").pipe(
          Stream.runCollect,
          Effect.provideService(HappyEyeballs.Resolver, { query: () => Effect.dieMessage("asked") })
        )
        deepStrictEqual(Chunk.toReadonlyArray(yield* literal), [{ address: "2001:db8::1", family: 6 }])
      }))

    it.live("IPv4 preferred: the same rules, the other way round", () =>
      Effect.gen(function*() {
        strictEqual(
          yield* transcript({ 6: [10, "6a"], 4: [30, "4a"] }, {}, { prefer: 4 }),
          "4a@30 6a@280 | none@10000"
        )
        strictEqual(
          yield* transcript({ 6: [10, "6a"], 4: [100, "4a"] }, {}, { prefer: 4 }),
          "6a@60 4a@310 | none@10000"
        )
      }))

    describe("a resolver may say which family leads", () => {
      type Leads = NonNullable<HappyEyeballs.Resolver["Type"]["leads"]>
      const ipv4: Leads = () => Effect.succeed(4)
      /** As where only `6f` is known to have no route. */
      const usable: Leads = (addresses) =>
        Effect.sync(() => addresses.some(({ address }) => address === short("6f")) ? 4 : 6)
      const late: Leads = () => Effect.delay(Effect.succeed(4), 5)
      const dies: Leads = () => Effect.dieMessage("no system")
      const throws: Leads = () => {
        throw new Error("no system")
      }

      const rows: ReadonlyArray<readonly [name: string, leads: Leads, rows: Rows, transcript: string]> = [
        ["A first, IPv4 leads: at once", ipv4, { 6: "never", 4: [10, "4a"] }, "4a@10 | none@10000"],
        ["AAAA first, IPv4 leads: after 50 ms", ipv4, { 6: [10, "6a"], 4: "never" }, "6a@60 | none@10000"],
        [
          "A 20 ms after AAAA, IPv4 leads",
          ipv4,
          { 6: [10, "6a 6b"], 4: [30, "4a"] },
          "4a@30 6a@280 6b@530 | none@10000"
        ],
        ["A empty after AAAA: IPv6 at once", ipv4, { 6: [10, "6a"], 4: [30, ""] }, "6a@30 | none@10000"],
        [
          "both at once, IPv4 leads",
          ipv4,
          { 6: [0, "6a 6b"], 4: [0, "4a 4b"] },
          "4a@0 6a@250 4b@500 6b@750 | none@10000"
        ],
        ["A first, IPv6 would lead: waits as ever", usable, { 6: "never", 4: [10, "4a"] }, "4a@60 | none@10000"],
        [
          "A first, then AAAA which cannot be reached: IPv4 at once",
          usable,
          { 6: [30, "6f"], 4: [10, "4a"] },
          "4a@30 6f@280 | none@10000"
        ],
        [
          "AAAA first, and it can be reached: at once",
          usable,
          { 6: [10, "6a"], 4: [30, "4a"] },
          "6a@10 4a@260 | none@10000"
        ],
        [
          "once an address is tried, nothing changes",
          usable,
          { 6: [300, "6f 6a"], 4: [10, "4a 4b"] },
          "4a@60 6f@310 4b@560 6a@810 | none@10000"
        ],
        [
          "what is answered while it decides counts",
          late,
          { 6: [10, "6a"], 4: [12, "4a"] },
          "4a@20 6a@270 | none@10000"
        ],
        ["dies: IPv6", dies, { 6: [10, "6a"], 4: [10, "4a"] }, "6a@10 4a@260 | none@10000"],
        ["throws: IPv6", throws, { 6: [10, "6a"], 4: [10, "4a"] }, "6a@10 4a@260 | none@10000"]
      ]
      it.live.each(rows)("%s", ([, leads, rows, expected]) =>
        Effect.map(
          transcript(rows, {}, {}, 10_000, observe, leads),
          (seen) => strictEqual(seen, expected)
        ))

      it.live("the same, wherever fibers give way to each other", () =>
        Effect.forEach(
          Array.from({ length: 30 }, (_, index) => index + 12),
          (operations) =>
            Effect.forEach(rows, ([name, leads, rows, expected]) =>
              Effect.map(
                transcript(rows, {}, {}, 10_000, virtually, leads),
                (seen) => strictEqual(seen, expected, `${name}, after ${operations} operations`)
              )).pipe(Effect.withMaxOpsBeforeYield(operations), Effect.timeout("20 seconds")),
          { discard: true }
        ))

      it.live("is asked of the first address of each family, or of one that stands for it", () =>
        Effect.gen(function*() {
          const asked: Array<string> = []
          const leads: Leads = (addresses) => {
            asked.push(addresses.map(({ address }) => address).join(" "))
            return Effect.succeed(6)
          }
          const seen = (rows: Rows, options?: HappyEyeballs.ConnectOptions) =>
            Effect.map(run(rows, {}, options, 10_000, virtually, leads), () => asked.splice(0))
          deepStrictEqual(yield* seen({ 6: [10, "6a 6b"], 4: [20, "4a"] }), ["2001:db8::a 192.0.2.1"])
          deepStrictEqual(yield* seen({ 6: [20, "6a 6b"], 4: [10, "4a 4b"] }), [
            "2001:db8::1 192.0.2.97",
            "2001:db8::a 192.0.2.97"
          ])
          // Nobody is asked where nothing is to be decided.
          deepStrictEqual(yield* seen({ 6: [10, "fails"], 4: [20, "4a"] }), [])
          deepStrictEqual(yield* seen({ 6: [10, ""], 4: [20, "4a"] }), [])
          deepStrictEqual(yield* seen({ 6: [10, "6a"], 4: "never" }, { family: 6 }), [])
          deepStrictEqual(yield* seen({ 6: [10, "6a"], 4: "never" }, { prefer: 6 }), [])
        }))

      it.live("the caller's own preference comes first", () =>
        Effect.gen(function*() {
          const both: Rows = { 6: [0, "6a"], 4: [0, "4a"] }
          strictEqual(yield* transcript(both, {}, { prefer: 6 }, 10_000, observe, ipv4), "6a@0 4a@250 | none@10000")
          strictEqual(yield* transcript(both, {}, { prefer: 4 }, 10_000, observe, usable), "4a@0 6a@250 | none@10000")
        }))
    })

    it.live("a query knows which families are asked for", () =>
      Effect.gen(function*() {
        const asked: Array<unknown> = []
        const query: HappyEyeballs.Resolver["Type"]["query"] = (_, family, families) => {
          asked.push([family, families])
          return Effect.succeed([])
        }
        const resolve = (options?: HappyEyeballs.ResolveOptions) =>
          HappyEyeballs.resolve("example.com", options).pipe(
            Stream.runDrain,
            Effect.ignore,
            Effect.provideService(HappyEyeballs.Resolver, { query })
          )
        yield* resolve()
        yield* resolve({ family: 4 })
        deepStrictEqual(asked, [[6, [6, 4]], [4, [6, 4]], [4, [4]]])
      }))

    it.live("the other query is interrupted when the race is decided", () =>
      Effect.map(
        transcript({ 6: [10, "6a"], 4: "never" }, { "6a": [30, "ok"] }),
        (seen) => strictEqual(seen, "6a@10 | 6a@40")
      ))

    it.live("no addresses: a typed failure with both reasons", () =>
      Effect.gen(function*() {
        const query = (host: string, family: HappyEyeballs.Family) =>
          new HappyEyeballs.QueryFailed({ host, family, cause: new Error("SERVFAIL") })
        const error = yield* HappyEyeballs.resolve("example.com").pipe(
          Stream.runDrain,
          Effect.provideService(HappyEyeballs.Resolver, { query }),
          Effect.flip
        )
        strictEqual(error._tag, "ResolutionFailed")
        strictEqual(
          error.message,
          "example.com has no addresses\n  no IPv6 addresses of example.com: SERVFAIL\n" +
            "  no IPv4 addresses of example.com: SERVFAIL"
        )
      }))
  })

  it.live("a query that throws, dies, or answers with what is no address, is a failure of its family", () =>
    Effect.gen(function*() {
      const message = (query: HappyEyeballs.Resolver["Type"]["query"]) =>
        HappyEyeballs.connect({ host: "example.com", port: 443 }, () => Effect.fail("refused")).pipe(
          Effect.provideService(HappyEyeballs.Resolver, { query }),
          Effect.flip,
          Effect.map(({ message }) => message)
        )
      strictEqual(
        yield* message((_, family) => {
          if (family === 6) {
            throw new Error("no network")
          }
          return Effect.dieMessage("no memory")
        }),
        "could not connect to example.com port 443: it has no addresses\n  no network\n  no memory"
      )
      strictEqual(
        yield* message((_, family) => Effect.succeed(family === 6 ? ["localhost"] : ["", "127.1"])),
        "could not connect to example.com port 443: it has no addresses\n" +
          "  no IPv6 addresses of example.com: \"localhost\" is not an IP address\n" +
          "  no IPv4 addresses of example.com: \"\" is not an IP address, \"127.1\" is not an IP address"
      )
    }))

  it.live("what is no address spoils no other of its answer, and is told beside what became of them", () =>
    Effect.gen(function*() {
      const odd: ReadonlyArray<unknown> = [short("6a"), "localhost", undefined, short("6b")]
      const query: HappyEyeballs.Resolver["Type"]["query"] = (_, family) =>
        Effect.succeed(family === 6 ? odd as ReadonlyArray<string> : [short("4a")])
      const ordered: Array<string> = []
      const { connections, resolution } = yield* HappyEyeballs.outcome(
        { host: "example.com", port: 443 },
        () => Effect.fail("refused"),
        {
          history: {
            order: (addresses) => Effect.sync(() => (ordered.push(names(addresses)), addresses)),
            record: () => Effect.void
          }
        }
      ).pipe(Effect.provideService(HappyEyeballs.Resolver, { query }))
      strictEqual(names(connections), "6a 4a 6b")
      deepStrictEqual(ordered, ["6a 6b", "4a"])
      deepStrictEqual(resolution.map((cause) => Option.getOrThrow(Cause.failureOption(cause)).message), [
        "no IPv6 addresses of example.com: \"localhost\" is not an IP address, \"undefined\" is not an IP address"
      ])
    }))

  it.live("history that dies changes nothing", () =>
    Effect.gen(function*() {
      const record = () => Effect.dieMessage("no disk")
      const { ended } = yield* run({ 6: [0, "6a"], 4: "never" }, { "6a": [10, "ok"] }, {
        history: { order: Effect.succeed, record }
      })
      strictEqual(ended, "6a@10")
    }))

  describe("connect", () => {
    const both: Rows = { 6: [0, "6a 6b"], 4: [0, "4a 4b"] }
    const rows: ReadonlyArray<readonly [name: string, ends: Ends, transcript: string]> = [
      ["the first answers: no other is tried", { "6a": [240, "ok"] }, "6a@0 | 6a@240"],
      ["the first hangs", { "4a": [20, "ok"] }, "6a@0 4a@250 | 4a@270"],
      [
        "the first is slow, the second dead: the first, as soon as it answers",
        { "6a": [600, "ok"] },
        "6a@0 4a@250 6b@500 | 6a@600"
      ],
      ["the first is refused: the next at once", { "6a": [20, "fail"], "4a": [20, "ok"] }, "6a@0 4a@20 | 4a@40"],
      [
        "each refused at once: 10 ms between the starts",
        { "6a": [1, "fail"], "4a": [1, "fail"], "6b": [1, "fail"], "4b": [1, "ok"] },
        "6a@0 4a@10 6b@20 4b@30 | 4b@31"
      ],
      [
        "all refused",
        { "6a": [20, "fail"], "4a": [20, "fail"], "6b": [20, "fail"], "4b": [20, "fail"] },
        "6a@0 4a@20 6b@40 4b@60 | none@80"
      ]
    ]
    it.live.each(rows)(
      "%s",
      ([, ends, expected]) => Effect.map(transcript(both, ends), (seen) => strictEqual(seen, expected))
    )

    it.live.each(rows)("%s; interrupted half way", ([, ends, expected]) =>
      Effect.gen(function*() {
        const end = Number(expected.split("@").pop())
        const { exit, started } = yield* run(both, ends, {}, end / 2)
        assertTrue(Exit.isInterrupted(exit))
        assertTrue(expected.startsWith(started))
      }))

    it.live("the same, wherever fibers give way to each other", () =>
      Effect.forEach(Array.from({ length: 30 }, (_, index) => index + 12), (operations) =>
        Effect.gen(function*() {
          for (const [name, ends, expected] of rows) {
            const seen = yield* transcript(both, ends, {}, 10_000, virtually)
            strictEqual(seen, expected, `${name}, after ${operations} operations`)
          }
          const late = yield* transcript(
            { 6: [61, "6a"], 4: [10, "4a 4b"] },
            { "6a": [5, "ok"] },
            {},
            10_000,
            virtually
          )
          strictEqual(late, "4a@60 6a@310 | 6a@315", `after ${operations} operations`)
        }).pipe(Effect.withMaxOpsBeforeYield(operations), Effect.timeout("20 seconds")), { discard: true }))

    it.live("none connected: who was tried, when, and why not, in a message for people", () =>
      Effect.gen(function*() {
        const { exit } = yield* run(
          { 6: [0, "fails"], 4: [0, "4a 4b"] },
          { "4a": [20, "fail"], "4b": [30, "fail"] }
        )
        const error = yield* Effect.flip(exit)
        assertTrue(error instanceof HappyEyeballs.ConnectionFailed)
        deepStrictEqual(
          error.connections.map((
            { address, endedAt, family, result, startedAt }
          ) => [address, family, startedAt, endedAt, result]),
          [["192.0.2.97", 4, 0, 20, "failed"], ["192.0.2.98", 4, 20, 50, "failed"]]
        )
        strictEqual(
          error.message,
          "could not connect to example.com port 443; addresses tried: 2\n" +
            "  192.0.2.97  0 ms to 20 ms: 4a refused\n" +
            "  192.0.2.98  20 ms to 50 ms: 4b refused\n" +
            "  no IPv6 addresses of example.com: SERVFAIL"
        )
      }))

    it.live("progress holds the next back", () =>
      Effect.gen(function*() {
        const started: Array<number> = []
        const open = ({ family }: HappyEyeballs.Endpoint) =>
          Effect.gen(function*() {
            started.push(yield* Clock.currentTimeMillis)
            if (family === 6) {
              const attempt = yield* Effect.flatten(StaggeredRace.CurrentAttempt)
              yield* Effect.sleep(100)
              yield* attempt.progress(300)
            }
            return yield* Effect.never
          })
        yield* observe(
          HappyEyeballs.connect({ host: "example.com", port: 443 }, open).pipe(
            Effect.provideService(HappyEyeballs.Resolver, {
              query: (_, family) => Effect.succeed([short(`${family}a`)])
            })
          ),
          { interruptAt: 1000 }
        )
        deepStrictEqual(started, [0, 400])
      }))

    it.live("outcome: the report of every address, whether or not one answered; Timeline draws it", () =>
      Effect.gen(function*() {
        const outcome = (open: (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<string, string>) =>
          HappyEyeballs.outcome({ host: "example.com", port: 443 }, open, { connectionAttemptDelay: 10 }).pipe(
            Effect.provideService(HappyEyeballs.Resolver, {
              query: (host, family) =>
                family === 6
                  ? new HappyEyeballs.QueryFailed({ host, family, cause: new Error("SERVFAIL") })
                  : Effect.succeed([short("4a"), short("4b"), short("4c")])
            })
          )
        const won = yield* outcome(({ address }) => address === short("4b") ? Effect.succeed("hello") : Effect.never)
        deepStrictEqual(won.connections.map(({ address, result }) => [address, result]), [
          ["192.0.2.97", "lost"],
          ["192.0.2.98", "won"]
        ])
        strictEqual(won.resolution.length, 1)
        const labels = won.connections.map(({ address }) => address)
        assertTrue(Timeline.render(won, { labels }).startsWith("winner 192.0.2.98 after"))
        const lost = yield* outcome(() => Effect.fail("refused"))
        assertTrue(Option.isNone(lost.winner))
        deepStrictEqual(lost.connections.map(({ result }) => result), ["failed", "failed", "failed"])
      }))

    describe("a time limit", () => {
      const target = { host: "example.com", port: 443 }
      const resolverOf = (queries: { readonly [F in HappyEyeballs.Family]: Effect.Effect<ReadonlyArray<string>> }) =>
        Effect.provideService(HappyEyeballs.Resolver, { query: (_, family) => queries[family] })

      it.live("says what each address was doing, and which family has not been found", () =>
        Effect.gen(function*() {
          const open = ({ family, address }: HappyEyeballs.Endpoint) =>
            Effect.gen(function*() {
              if (address === short("6a")) {
                return yield* Effect.fail("refused")
              }
              yield* Effect.sleep(30)
              const attempt = Option.getOrThrow(yield* StaggeredRace.CurrentAttempt)
              if (address === short("6b")) {
                yield* attempt.progress(100)
              }
              return yield* Effect.as(Effect.never, family)
            })
          const connecting = HappyEyeballs.connect(target, open, { timeout: 300 }).pipe(
            resolverOf({ 6: Effect.succeed([short("6a"), short("6b"), short("6c")]), 4: Effect.never })
          )
          const { endedAt, exit, left } = yield* observe(Effect.flip(connecting))
          const failed = Exit.getOrElse(exit, (cause) => {
            throw cause
          })
          deepStrictEqual([endedAt, left, failed.code, failed.decidedBy, failed.unanswered], [
            300,
            nothing,
            "ETIMEDOUT",
            "timeout",
            [4]
          ])
          deepStrictEqual(failed.connections.map(({ endedAt, result, startedAt }) => [startedAt, endedAt, result]), [
            [0, 0, "failed"],
            [10, 300, "lost"],
            [260, 300, "lost"]
          ])
          strictEqual(
            failed.message,
            [
              "could not connect to example.com port 443 in time; addresses tried: 3",
              "2001:db8::a  0 ms to 0 ms: refused",
              "2001:db8::b  10 ms to 300 ms: connected by 40 ms, and then no answer",
              "2001:db8::c  260 ms to 300 ms: no answer",
              "IPv4 addresses of example.com: no answer"
            ].join("\n  ")
          )
        }))

      it.live("counts from the first query on", () =>
        Effect.gen(function*() {
          const connecting = HappyEyeballs.connect(target, () => Effect.never, { timeout: "1 second" }).pipe(
            resolverOf({ 6: Effect.never, 4: Effect.never })
          )
          const { endedAt, exit, left } = yield* observe(Effect.flip(connecting))
          deepStrictEqual([endedAt, left, Exit.isSuccess(exit) && exit.value.message], [
            1000,
            nothing,
            [
              "could not connect to example.com port 443 in time",
              "IPv6 addresses of example.com: no answer",
              "IPv4 addresses of example.com: no answer"
            ].join("\n  ")
          ])
        }))

      it.live("what succeeds when it ends has succeeded, and what comes in time leaves no timer", () =>
        Effect.gen(function*() {
          for (const latency of [10, 299, 300]) {
            const connecting = HappyEyeballs.connect(target, () => Effect.delay(Effect.succeed("ok"), latency), {
              timeout: 300
            }).pipe(resolverOf({ 6: Effect.succeed([short("6a")]), 4: Effect.succeed([]) }))
            const { endedAt, exit, left } = yield* observe(connecting)
            deepStrictEqual([endedAt, Exit.isSuccess(exit), left], [latency, true, nothing])
          }
        }))

      describe("is also that of a history", () => {
        const instant: HappyEyeballs.History = { order: Effect.succeed, record: () => Effect.void }
        const historyRows: ReadonlyArray<
          readonly [name: string, history: Partial<HappyEyeballs.History>, ends: Ends, transcript: string]
        > = [
          ["leads never answers", { leads: () => Effect.never }, { "6a": [20, "ok"] }, " | none@300"],
          ["order never answers", { order: () => Effect.never }, { "6a": [20, "ok"] }, " | none@300"],
          ["record never answers: the connection stays", { record: () => Effect.never }, {
            "6a": [20, "ok"]
          }, "6a@0 | 6a@300"],
          ["record never answers, and no address has", { record: () => Effect.never }, {}, "6a@0 4a@250 | none@300"],
          [
            "leads takes its time of it",
            { leads: () => Effect.delay(Effect.succeedSome(4), 100) },
            { "4a": [250, "ok"] },
            "4a@100 | none@300"
          ],
          ["record is waited for, where it ends in time", { record: () => Effect.sleep(30) }, {
            "6a": [20, "ok"]
          }, "6a@0 | 6a@50"]
        ]
        it.live.each(historyRows)("%s", ([, history, ends, expected]) =>
          Effect.map(
            transcript(both, ends, { timeout: 300, history: { ...instant, ...history } }),
            (seen) => strictEqual(seen, expected)
          ))

        it.live.each(historyRows)(
          "%s; in a region that nothing interrupts",
          ([, history, ends, expected]) =>
            Effect.map(
              transcript(
                both,
                ends,
                { timeout: 300, history: { ...instant, ...history } },
                undefined,
                (effect, options) => observe(Effect.uninterruptible(effect), options)
              ),
              (seen) => strictEqual(seen, expected)
            )
        )

        it.live("the same, wherever fibers give way to each other; and what record does without waiting is done", () =>
          Effect.forEach(Array.from({ length: 30 }, (_, index) => index + 12), (operations) =>
            Effect.gen(function*() {
              for (const [name, history, ends, expected] of historyRows) {
                const seen = yield* transcript(
                  both,
                  ends,
                  { timeout: 300, history: { ...instant, ...history } },
                  10_000,
                  virtually
                )
                strictEqual(seen, expected, `${name}, after ${operations} operations`)
              }
              const recorded: Array<string> = []
              const record: HappyEyeballs.History["record"] = (connections) =>
                Effect.repeatN(Effect.void, 50).pipe(
                  Effect.zipRight(Effect.sync(() => recorded.push(names(connections))))
                )
              const options = { timeout: 300, history: { ...instant, record } }
              const late = yield* transcript(both, {}, options, 10_000, virtually)
              deepStrictEqual([late, recorded], ["6a@0 4a@250 | none@300", ["6a 4a"]], `${operations} operations`)
            }).pipe(Effect.withMaxOpsBeforeYield(operations), Effect.timeout("20 seconds")), { discard: true }))
      })

      it.live("one that makes no sense is named", () =>
        Effect.gen(function*() {
          const connecting = HappyEyeballs.connect(target, () => Effect.never, { timeout: -1 }).pipe(
            resolverOf({ 6: Effect.never, 4: Effect.never })
          )
          const exit = yield* Effect.exit(connecting)
          assertTrue(Exit.isFailure(exit) && String(exit.cause).includes("option \"timeout\" must be a duration"))
        }))
    })

    it.live("a failure that is fatal is the end, and comes first", () =>
      Effect.gen(function*() {
        const { exit, started } = yield* run(
          { 6: [0, "6a 6b"], 4: [0, "4a"] },
          { "6a": [100, "fail"], "4a": [10, "fail"], "6b": [20, "ok"] },
          { fatal: (cause) => String(cause).includes("4a refused") }
        )
        const failure = Exit.isFailure(exit) ? Option.getOrThrow(Cause.failureOption(exit.cause)) : undefined
        deepStrictEqual([started, failure?.failure], ["6a@0 4a@100", Option.some("4a refused")])
      }))

    it.live("one family alone is asked, if that is the option", () =>
      Effect.gen(function*() {
        const { asked, ended, started } = yield* run(both, { "4b": [10, "ok"] }, { family: 4 })
        deepStrictEqual([asked.join(), started, ended], ["4 of example.com", "4a@0 4b@250", "4b@260"])
      }))

    it.live("history orders what a query answers, and is told of what became of it", () =>
      Effect.gen(function*() {
        const recorded: Array<unknown> = []
        const { ended, started } = yield* run({ 6: [0, "6a 6b"], 4: [0, "4a"] }, {
          "6b": [100, "fail"],
          "4a": [10, "ok"]
        }, {
          history: {
            order: (addresses) => Effect.succeed([...addresses].reverse()),
            record: (connections, { host }) =>
              Effect.sync(() => recorded.push(host, ...connections.map(({ address, result }) => [address, result])))
          }
        })
        strictEqual(`${started} | ${ended}`, "6b@0 4a@100 | 4a@110")
        deepStrictEqual(recorded, ["example.com", ["2001:db8::b", "failed"], ["192.0.2.97", "won"]])
      }))

    it.live.each<readonly [options: HappyEyeballs.ConnectOptions & Partial<HappyEyeballs.Target>, message: string]>([
      [
        { connectionAttemptDelay: 9 },
        "option \"connectionAttemptDelay\" must be from 10 milliseconds to 2 seconds (RFC 8305, section 8), got 9"
      ],
      [
        { connectionAttemptDelay: 2001 },
        "option \"connectionAttemptDelay\" must be from 10 milliseconds to 2 seconds (RFC 8305, section 8), got 2001"
      ],
      [
        { connectionAttemptDelay: NaN },
        "option \"connectionAttemptDelay\" must be a duration of zero or more, got NaN"
      ],
      [{ resolutionDelay: -1 }, "option \"resolutionDelay\" must be a duration of zero or more, got -1"],
      [{ firstFamilyCount: 1.5 }, "option \"firstFamilyCount\" must be a whole number of at least 1, got 1.5"],
      [{ prefer: 5 as 4 }, "option \"prefer\" must be 4 or 6, got 5"],
      [{ family: 0 as 4 }, "option \"family\" must be 4 or 6, got 0"],
      [{ host: "" }, "option \"host\" must be a name or an address, got \"\""],
      [{ port: 65536 }, "option \"port\" must be a whole number from 1 to 65535, got 65536"]
    ])(
      "what makes no sense is a defect that names it: %o",
      ([{ host = "example.com", port = 443, ...options }, message]) =>
        Effect.gen(function*() {
          const exit = yield* HappyEyeballs.connect({ host, port }, () => Effect.void, options).pipe(
            Effect.provideService(HappyEyeballs.Resolver, { query: () => Effect.succeed([]) }),
            Effect.exit
          )
          assertTrue(Exit.isFailure(exit) && exit.cause._tag === "Die")
          strictEqual((exit.cause.defect as Error).message, `HappyEyeballs: ${message}`)
        })
    )
  })
})
