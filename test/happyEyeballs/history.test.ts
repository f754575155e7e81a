import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual, throws } from "@effect/vitest/utils"
import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"

const minutes = (count: number) => count * 60_000

/** `6a` is an IPv6 address, `4b` an IPv4 one, and so on. */
const addressOf = (name: string): HappyEyeballs.Address =>
  Option.getOrThrow(
    HappyEyeballs.address(name[0] === "6" ? `2001:db8::${name[1]}` : `192.0.2.${name.charCodeAt(1)}`)
  )

const nameOf = ({ address, family }: HappyEyeballs.Address) =>
  family === 6 ? `6${address.slice(-1)}` : `4${String.fromCharCode(Number(address.split(".")[3]))}`

const listOf = (names: string) => names.split(" ").filter((name) => name !== "").map(addressOf)

/**
 * How long an address takes to connect, and how that ends; a number alone: it succeeds after so long. Addresses without
 * an entry hang.
 */
type Ends = Record<string, number | readonly [at: number, how: "ok" | "fail"]>

interface Given {
  readonly ends: Ends
  /** What the queries are answered with. Default: `6a 4a`. */
  readonly names?: string
  /** When the query for a family is answered. Default: at once. */
  readonly answers?: Partial<Record<HappyEyeballs.Family, number>>
  readonly options?: Omit<HappyEyeballs.ConnectOptions, "history">
  readonly target?: Partial<HappyEyeballs.Target>
}

/** Connects, and tells who was started when, and who won when. */
const connect = (
  history: HappyEyeballs.History,
  { answers = {}, ends, names = "6a 4a", options = {}, target = {} }: Given
) =>
  Effect.gen(function*() {
    const begin = yield* Clock.currentTimeMillis
    const passed = Effect.map(Clock.currentTimeMillis, (now) => now - begin)
    const started: Array<string> = []
    const open = (endpoint: HappyEyeballs.Endpoint) =>
      Effect.flatMap(passed, (at) => {
        const name = nameOf(endpoint)
        started.push(`${name}@${at}`)
        const end = ends[name]
        if (end === undefined) {
          return Effect.never
        }
        const [after, how] = typeof end === "number" ? [end, "ok"] as const : end
        return Effect.delay(how === "ok" ? Effect.succeed(name) : Effect.fail(`${name} refused`), after)
      })
    const connecting = HappyEyeballs.connect({ host: "example.com", port: 443, ...target }, open, {
      ...options,
      history
    }).pipe(
      Effect.orElseSucceed(() => "none"),
      Effect.flatMap((winner) => Effect.map(passed, (at) => `${started.join(" ")} | ${winner}@${at}`)),
      Effect.provideService(HappyEyeballs.Resolver, {
        query: (_, family) =>
          Effect.delay(
            Effect.succeed(listOf(names).filter((address) => address.family === family).map(({ address }) => address)),
            answers[family] ?? 0
          )
      })
    )
    const fiber = yield* Effect.fork(connecting)
    yield* TestClock.adjust(10_000)
    return yield* fiber
  })

/** The transcripts of connections, one after the other: each begins ten seconds after the one before it. */
const ledger = (history: HappyEyeballs.History, given: ReadonlyArray<Given>) =>
  Effect.forEach(given, (each) => connect(history, each))

const orderOf = (history: HappyEyeballs.History, names: string, host = "example.com", port = 443) =>
  Effect.map(history.order(listOf(names), host, port), (order) => order.map(nameOf).join(" "))

type Attempt = readonly [name: string, result: HappyEyeballs.Connection<never>["result"], took?: number]

/** Records a race whose attempts were started now, in this order. */
const record = (
  history: HappyEyeballs.History,
  attempts: ReadonlyArray<Attempt>,
  target: HappyEyeballs.Target = { host: "example.com", port: 443 }
) =>
  Effect.flatMap(Clock.currentTimeMillis, (now) =>
    history.record(
      attempts.map(([name, result, took = 10]) => ({
        ...addressOf(name),
        startedAt: now,
        endedAt: now + took,
        progressedAt: Option.none(),
        result,
        cause: Option.none()
      })),
      target
    ))

const leads = (history: HappyEyeballs.History, target: HappyEyeballs.Target = { host: "example.com", port: 443 }) =>
  Effect.map(history.leads?.(target) ?? Effect.succeedNone, Option.getOrNull)

describe("HappyEyeballs.makeHistory", () => {
  describe("connections one after the other", () => {
    const rows: ReadonlyArray<
      readonly [name: string, given: ReadonlyArray<Given>, transcripts: ReadonlyArray<string>]
    > = [
      [
        "dead IPv6: the second connection begins with the winner, and does not wait",
        [{ ends: { "4a": 20 } }, { ends: { "4a": 20 } }],
        ["6a@0 4a@250 | 4a@270", "4a@0 | 4a@20"]
      ],
      [
        "refused IPv6: likewise",
        [{ ends: { "6a": [20, "fail"], "4a": 20 } }, { ends: { "6a": [20, "fail"], "4a": 20 } }],
        ["6a@0 4a@20 | 4a@40", "4a@0 | 4a@20"]
      ],
      [
        "IPv4 leads, and is dead: IPv6 after the delay, and next time at once",
        [{ ends: { "4a": 20 } }, { ends: { "6a": 30 } }, { ends: { "6a": 30 } }],
        ["6a@0 4a@250 | 4a@270", "4a@0 6a@250 | 6a@280", "6a@0 | 6a@30"]
      ],
      [
        "IPv4 leads: it does not wait for the answer with the IPv6 addresses",
        [{ ends: { "4a": 20 } }, { ends: { "4a": 20 }, answers: { 6: 5000, 4: 10 } }],
        ["6a@0 4a@250 | 4a@270", "4a@10 | 4a@30"]
      ],
      [
        "IPv4 leads: IPv6 waits for the other answer, as long as IPv4 does otherwise",
        [
          { ends: { "4a": 20 } },
          { ends: { "4a": 20 }, answers: { 6: 10, 4: 40 } },
          { ends: { "4a": 20 }, answers: { 6: 10, 4: 70 } }
        ],
        ["6a@0 4a@250 | 4a@270", "4a@40 | 4a@60", "6a@60 4a@310 | 4a@330"]
      ],
      [
        "IPv4 leads, but the name has no IPv4 address any more",
        [{ ends: { "4a": 20 } }, { ends: { "6a": 20 }, names: "6a" }],
        ["6a@0 4a@250 | 4a@270", "6a@0 | 6a@20"]
      ],
      [
        "IPv4 won because the other answer was late: IPv6 is still first",
        [{ ends: { "4a": 20 }, answers: { 6: 500 } }, { ends: { "6a": 20 } }],
        ["4a@50 | 4a@70", "6a@0 | 6a@20"]
      ],
      [
        "what the caller prefers counts before",
        [{ ends: { "4a": 20 } }, { ends: { "4a": 20 }, options: { prefer: 6 } }],
        ["6a@0 4a@250 | 4a@270", "6a@0 4a@250 | 4a@270"]
      ],
      [
        "inside a family: the winner first, then what was never tried, then what has failed or hung",
        [
          { ends: { "4a": [10, "fail"], "4c": 10 }, names: "4a 4b 4c 4d" },
          { ends: { "4d": 10 }, names: "4a 4b 4c 4d" }
        ],
        ["4a@0 4b@10 4c@260 | 4c@270", "4c@0 4d@250 | 4d@260"]
      ],
      [
        "all failed: what was not tried is next",
        [
          { ends: { "4a": [10, "fail"], "4b": [10, "fail"] }, names: "4a 4b" },
          { ends: { "4a": [10, "fail"], "4c": 10 }, names: "4a 4c" }
        ],
        ["4a@0 4b@10 | none@20", "4c@0 | 4c@10"]
      ],
      [
        "a host is the same in capital letters, another host or port is not",
        [
          { ends: { "4a": 20 } },
          { ends: { "4a": 20 }, target: { host: "Example.COM" } },
          { ends: { "4a": 20 }, target: { host: "example.org" } },
          { ends: { "4a": 20 }, target: { port: 80 } }
        ],
        ["6a@0 4a@250 | 4a@270", "4a@0 | 4a@20", "6a@0 4a@250 | 4a@270", "6a@0 4a@250 | 4a@270"]
      ]
    ]
    it.effect.each(rows)("%s", ([, given, transcripts]) =>
      Effect.map(
        ledger(HappyEyeballs.makeHistory(), given),
        (seen) => deepStrictEqual(seen, transcripts)
      ))
  })

  it.effect("a target is forgotten when its time is over, however often it was used", () =>
    Effect.gen(function*() {
      const history = HappyEyeballs.makeHistory({ timeToLive: "10 minutes" })
      const dead: Given = { ends: { "4a": 20 } }
      strictEqual(yield* connect(history, dead), "6a@0 4a@250 | 4a@270")
      for (let minute = 1; minute < 10; minute++) {
        yield* TestClock.setTime(minutes(minute))
        strictEqual(yield* connect(history, dead), "4a@0 | 4a@20")
      }
      // It is known since 270 ms.
      yield* TestClock.setTime(minutes(10) + 269)
      strictEqual(yield* leads(history), 4)
      yield* TestClock.setTime(minutes(10) + 270)
      strictEqual(yield* connect(history, { ends: { "6a": 20, "4a": 20 } }), "6a@0 | 6a@20")
      strictEqual(yield* connect(history, dead), "6a@0 4a@250 | 4a@270")
    }))

  it.effect("a clock that is set back makes nothing live longer", () =>
    Effect.gen(function*() {
      const history = HappyEyeballs.makeHistory()
      yield* TestClock.setTime(minutes(60))
      yield* record(history, [["6a", "failed"], ["4a", "won"]])
      strictEqual(yield* leads(history), 4)
      yield* TestClock.setTime(minutes(59))
      strictEqual(yield* leads(history), null)
    }))

  it.effect("can be told of connections that were made before it", () =>
    Effect.gen(function*() {
      yield* TestClock.setTime(minutes(1))
      const history = HappyEyeballs.makeHistory()
      const progressedAt = Option.none()
      const connection = { startedAt: 0, endedAt: 10, progressedAt, result: "won", cause: Option.none() } as const
      yield* history.record([{ ...addressOf("4b"), ...connection }], { host: "example.com", port: 443 })
      strictEqual(yield* orderOf(history, "4a 4b"), "4b 4a")
    }))

  describe("when the network changes", () => {
    const changing = () => {
      const state = { network: "home" }
      return { state, history: HappyEyeballs.makeHistory({ network: Effect.sync(() => state.network) }) }
    }

    it.effect("all is forgotten", () =>
      Effect.gen(function*() {
        const { history, state } = changing()
        const dead: Given = { ends: { "4a": 20 } }
        strictEqual(yield* connect(history, dead), "6a@0 4a@250 | 4a@270")
        state.network = "train"
        strictEqual(yield* orderOf(history, "4b 4a"), "4b 4a")
        strictEqual(yield* connect(history, dead), "6a@0 4a@250 | 4a@270")
        strictEqual(yield* connect(history, dead), "4a@0 | 4a@20")
        state.network = "home"
        strictEqual(yield* leads(history), null)
      }))

    it.effect("connections that began before it teach nothing", () =>
      Effect.gen(function*() {
        const { history, state } = changing()
        yield* orderOf(history, "4a")
        const fiber = yield* Effect.fork(connect(history, { ends: { "4a": 20 } }))
        yield* TestClock.adjust(100)
        state.network = "train"
        yield* fiber
        strictEqual(yield* leads(history), null)
        strictEqual(yield* orderOf(history, "4b 4a"), "4b 4a")
        strictEqual(yield* connect(history, { ends: { "4a": 20 } }), "6a@0 4a@250 | 4a@270")
        strictEqual(yield* leads(history), 4)
      }))

    it.effect("and the clock is set back, those that follow do teach", () =>
      Effect.gen(function*() {
        const { history, state } = changing()
        yield* TestClock.setTime(minutes(60))
        yield* record(history, [["4a", "won"]])
        state.network = "train"
        strictEqual(yield* orderOf(history, "4b 4a"), "4b 4a")
        yield* TestClock.setTime(minutes(1))
        yield* record(history, [["4a", "won"]])
        strictEqual(yield* orderOf(history, "4b 4a"), "4a 4b")
      }))
  })

  describe("bounds", () => {
    const target = (host: string) => ({ host, port: 443 })

    it.effect("the target that was not used for the longest time is forgotten first", () =>
      Effect.gen(function*() {
        const history = HappyEyeballs.makeHistory({ capacity: 2 })
        const known = Effect.filter(["a", "b", "c"], (host) =>
          Effect.map(orderOf(history, "4b 4a", host), (order) => order === "4a 4b"))
        yield* record(history, [["4a", "won"]], target("a"))
        yield* record(history, [["4a", "won"]], target("b"))
        yield* orderOf(history, "4a", "a")
        yield* record(history, [["4a", "won"]], target("c"))
        deepStrictEqual(yield* known, ["a", "c"])
        yield* history.leads?.(target("a")) ?? Effect.void
        yield* record(history, [["4a", "won"]], target("b"))
        deepStrictEqual(yield* known, ["a", "b"])
      }))

    it.effect("hosts that are addresses take no place", () =>
      Effect.gen(function*() {
        const history = HappyEyeballs.makeHistory({ capacity: 1 })
        yield* record(history, [["4a", "won"]], target("a"))
        yield* record(history, [["4a", "won"]], target("192.0.2.97"))
        yield* record(history, [["6a", "won"]], target("[2001:db8::a]"))
        yield* record(history, [], target("b"))
        strictEqual(yield* orderOf(history, "4b 4a", "a"), "4a 4b")
      }))

    it.effect("of a target, the 32 addresses are known that were tried last", () =>
      Effect.gen(function*() {
        const history = HappyEyeballs.makeHistory()
        const names = Array.from({ length: 33 }, (_, index) => `4${String.fromCharCode(index + 65)}`)
        for (const name of names) {
          yield* record(history, [[name, "failed"]])
        }
        // The first is forgotten: it counts as never tried.
        deepStrictEqual((yield* orderOf(history, Arr.reverse(names).join(" "))).slice(0, 2), "4A")
      }))
  })

  describe("what an attempt says of its address", () => {
    const rows: ReadonlyArray<
      readonly [name: string, races: ReadonlyArray<ReadonlyArray<Attempt>>, order: string, leads: 4 | 6 | null]
    > = [
      ["nothing is known", [], "4a 4b 4c 6a", null],
      ["won: first", [[["4b", "won"]]], "4b 4a 4c 6a", null],
      ["failed: last", [[["4a", "failed"], ["4b", "won"]]], "4b 4c 6a 4a", null],
      ["lost to a later one: last", [[["4a", "lost"], ["4b", "won"]]], "4b 4c 6a 4a", null],
      ["lost to an earlier one: nothing", [[["4b", "won"], ["4a", "lost"]]], "4b 4a 4c 6a", null],
      ["late: it has answered", [[["4c", "late"], ["4b", "won"]]], "4b 4c 4a 6a", null],
      ["failed, then won: first", [[["4a", "failed"], ["4b", "won"]], [["4a", "won"]]], "4a 4b 4c 6a", null],
      ["failed, then late", [[["4a", "failed"], ["4b", "won"]], [["4a", "late"], ["4b", "won"]]], "4b 4a 4c 6a", null],
      ["won, then failed: last", [[["4b", "won"]], [["4b", "failed"]]], "4a 4c 6a 4b", null],
      ["won, then overtaken: last", [[["4b", "won"]], [["4b", "lost"], ["4a", "won"]]], "4a 4c 6a 4b", null],
      ["the sooner before the later", [[["4c", "late", 9], ["4b", "late", 8], ["4a", "won", 99]]], "4a 4b 4c 6a", null],
      [
        "each failed: as the resolver says",
        [[["4a", "failed"], ["4b", "failed"], ["4c", "failed"]]],
        "6a 4a 4b 4c",
        null
      ],
      ["a family that failed: the other leads", [[["6a", "failed"], ["4b", "won"]]], "4b 4a 4c 6a", 4],
      ["a family that was overtaken", [[["6a", "lost"], ["4b", "won"]]], "4b 4a 4c 6a", 4],
      ["IPv6 leads as well", [[["4a", "failed"], ["6a", "won"]]], "6a 4b 4c 4a", 6],
      ["a family that was not tried", [[["4b", "won"], ["6a", "lost"]]], "4b 4a 4c 6a", null],
      ["late is no failure of a family", [[["6a", "late"], ["4b", "won"]]], "4b 6a 4a 4c", null],
      [
        "the leader fails: none leads",
        [[["6a", "lost"], ["4b", "won"]], [["4b", "failed"], ["6a", "failed"]]],
        "4a 4c 4b 6a",
        null
      ]
    ]
    it.effect.each(rows)("%s", ([, races, order, family]) =>
      Effect.gen(function*() {
        const history = HappyEyeballs.makeHistory()
        for (const race of races) {
          yield* record(history, race)
        }
        strictEqual(yield* orderOf(history, "4a 4b 4c 6a"), order)
        strictEqual(yield* leads(history), family)
      }))

    it.effect("times are smoothed: one that is unusual counts an eighth", () =>
      Effect.gen(function*() {
        const history = HappyEyeballs.makeHistory()
        // 100, then 100 + (20 - 100) / 8 = 90.
        yield* record(history, [["4a", "late", 100], ["4b", "late", 91], ["4c", "late", 89], ["4d", "won"]])
        strictEqual(yield* orderOf(history, "4a 4b 4c 4d"), "4d 4c 4b 4a")
        yield* record(history, [["4a", "late", 20], ["4d", "won"]])
        strictEqual(yield* orderOf(history, "4a 4b 4c 4d"), "4d 4c 4a 4b")
      }))

    it.effect("two spellings of one address are one", () =>
      Effect.gen(function*() {
        const history = HappyEyeballs.makeHistory()
        yield* record(history, [["6a", "failed"]])
        const spelled = ["2001:DB8:0::A", "2001:db8::b"].map((text) => Option.getOrThrow(HappyEyeballs.address(text)))
        deepStrictEqual(yield* history.order(spelled, "example.com", 443), Arr.reverse(spelled))
      }))
  })

  it("agrees with a plain model, leaves no address out, and has the last winner first", () => {
    const names = ["4a", "4b", "4c", "6a", "6b"]
    const race = FastCheck.uniqueArray(FastCheck.constantFrom(...names), { minLength: 1, maxLength: 5 }).chain((
      tried
    ) =>
      FastCheck.record({
        tried: FastCheck.constant(tried),
        winner: FastCheck.option(FastCheck.nat(tried.length - 1)),
        others: FastCheck.array(FastCheck.constantFrom<"failed" | "lost" | "late">("failed", "lost", "late"), {
          minLength: 5,
          maxLength: 5
        }),
        times: FastCheck.array(FastCheck.nat(500), { minLength: 5, maxLength: 5 }),
        pause: FastCheck.nat(400)
      })
    )
    const property = FastCheck.property(
      FastCheck.array(race, { maxLength: 12 }),
      FastCheck.shuffledSubarray(names),
      (races, asked) => {
        let now = 0
        const clock = Object.assign(Clock.make(), { currentTimeMillis: Effect.sync(() => now) })
        const program = Effect.gen(function*() {
          const history = HappyEyeballs.makeHistory({ timeToLive: 1000 })
          let since = NaN
          let last: string | undefined
          let model = new Map<string, { readonly good: boolean; readonly time: number }>()
          for (const { others, pause, times, tried, winner } of races) {
            now += pause
            if (!(now - since < 1000)) {
              since = now
              last = undefined
              model = new Map()
            }
            const attempts = tried.map((name, index): Attempt => {
              const other = others[index]!
              const result = index === winner ? "won" : winner === null ? "failed" : other
              return [name, result, times[index]!]
            })
            yield* record(history, attempts)
            for (const [index, [name, result, time = 0]] of attempts.entries()) {
              const before = model.get(name)?.time ?? Infinity
              if (result === "won" || result === "late") {
                model.set(name, { good: true, time: before === Infinity ? time : before * 7 / 8 + time / 8 })
              } else if (result === "failed" || (winner !== null && index < winner)) {
                model.set(name, { good: false, time: before })
              }
              last = result === "won" ? name : last
            }
            const order = (yield* orderOf(history, asked.join(" "))).split(" ").filter((name) => name !== "")
            deepStrictEqual([...order].sort(), [...asked].sort())
            const good = asked.filter((name) => model.get(name)?.good ?? true)
            const timeOf = (name: string) => name === last ? -1 : Math.round((model.get(name)?.time ?? Infinity) * 1e6)
            const expected = [
              ...[...good].sort((a, b) => timeOf(a) === timeOf(b) ? 0 : timeOf(a) < timeOf(b) ? -1 : 1),
              ...asked.filter((name) => !good.includes(name))
            ]
            deepStrictEqual(order, expected)
            if (winner !== null && asked.includes(tried[winner]!)) {
              strictEqual(order[0], tried[winner])
            }
            const family = last !== undefined && model.get(last)?.good ? last[0] : undefined
            const isOtherBad = [...model].some(([name, { good }]) => !good && name[0] !== family)
            strictEqual(yield* leads(history), family !== undefined && isOtherBad ? Number(family) : null)
          }
        })
        return Effect.runSync(Effect.withClock(program, clock))
      }
    )
    FastCheck.assert(property, { numRuns: 300 })
  })

  it.effect("is shared: what one connection learns, the others know", () =>
    Effect.gen(function*() {
      const history = HappyEyeballs.makeHistory()
      const dead: Given = { ends: { "4a": 20 } }
      deepStrictEqual(
        yield* Effect.all([connect(history, dead), connect(history, dead)], { concurrency: 2 }),
        ["6a@0 4a@250 | 4a@270", "6a@0 4a@250 | 4a@270"]
      )
      deepStrictEqual(
        yield* Effect.all([connect(history, dead), connect(history, dead)], { concurrency: 2 }),
        ["4a@0 | 4a@20", "4a@0 | 4a@20"]
      )
    }))

  describe("the member leads of a history", () => {
    const historyOf = (leads: HappyEyeballs.History["leads"]): HappyEyeballs.History => ({
      leads,
      order: Effect.succeed,
      record: () => Effect.void
    })

    it.effect("is asked once, with the target, and sets the family to begin with", () =>
      Effect.gen(function*() {
        const asked: Array<string> = []
        const history = historyOf(({ host, port }) =>
          Effect.sync(() => {
            asked.push(`${host}:${port}`)
            return Option.some(4)
          })
        )
        strictEqual(yield* connect(history, { ends: { "6a": 20 } }), "4a@0 6a@250 | 6a@270")
        strictEqual(yield* connect(history, { ends: { "6a": 20 }, options: { prefer: 6 } }), "6a@0 | 6a@20")
        deepStrictEqual(asked, ["example.com:443"])
      }))

    it.effect.each<readonly [name: string, leads: HappyEyeballs.History["leads"]]>([
      ["is not there", undefined],
      ["has nothing to say", () => Effect.succeedNone],
      ["answers with what is no family", () => Effect.succeedSome(5 as 4)],
      ["dies", () => Effect.dieMessage("no disk")],
      ["throws", () => {
        throw new Error("no disk")
      }]
    ])("%s: as without it", ([, leads]) =>
      Effect.map(
        connect(historyOf(leads), { ends: { "6a": 20 } }),
        (seen) => strictEqual(seen, "6a@0 | 6a@20")
      ))
  })

  it.effect("a history of a class is asked as its member", () =>
    Effect.gen(function*() {
      class Likes4 implements HappyEyeballs.History {
        private readonly family: HappyEyeballs.Family = 4
        readonly recorded: Array<string> = []
        leads() {
          return Effect.succeedSome(this.family)
        }
        order(addresses: ReadonlyArray<HappyEyeballs.Address>) {
          return Effect.succeed(addresses.filter(({ family }) => family === this.family))
        }
        record(connections: ReadonlyArray<HappyEyeballs.Connection<unknown>>) {
          return Effect.sync(() => this.recorded.push(...connections.map(nameOf)))
        }
      }
      const history = new Likes4()
      strictEqual(yield* connect(history, { ends: { "4a": 20 } }), "4a@0 | 4a@20")
      deepStrictEqual(history.recorded, ["4a"])
    }))

  it.each<readonly [options: unknown, message: string]>([
    [null, "options must be an object with a capacity, a timeToLive or a network, got null"],
    [{ capacity: 0 }, "option \"capacity\" must be a whole number of at least 1, got 0"],
    [{ capacity: Infinity }, "option \"capacity\" must be a whole number of at least 1, got Infinity"],
    [{ timeToLive: 0 }, "option \"timeToLive\" must be a duration of at least a millisecond, and finite, got 0"],
    [
      { timeToLive: Infinity },
      "option \"timeToLive\" must be a duration of at least a millisecond, and finite, got Infinity"
    ],
    [{ timeToLive: "soon" }, "option \"timeToLive\" must be a duration of zero or more, got \"soon\""],
    [{ network: "home" }, "option \"network\" must be an effect, got \"home\""]
  ])("what makes no sense is named: %o", (options, message) => {
    throws(() => HappyEyeballs.makeHistory(options as HappyEyeballs.HistoryOptions), (error) => {
      assertTrue(error instanceof Error)
      strictEqual(error.message, `HappyEyeballs: ${message}`)
    })
  })
})
