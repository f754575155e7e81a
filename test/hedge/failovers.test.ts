import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Hedge from "../../src/Hedge.js"
import type { Case, Row, Seen } from "../support/hedging.js"
import {
  accept,
  hang,
  interruptedAtAnyInstant,
  orders,
  run,
  runBudgeted,
  seenIn,
  virtually,
  whereverFibersYield
} from "../support/hedging.js"

/** One hedge and one failover, with a delay of 50, unless `options` say otherwise. */
const given = (options: Case["options"] = {}, more: Case = {}): Case => ({
  ...more,
  options: { failovers: 1, ...options }
})

/** A budget that is empty. */
const broke = { tokens: 0 }
const off = Effect.succeed(false)
const background = { losers: "background" } as const

/** `paid` is the number of hedges that the budget has paid for. */
type Cases = ReadonlyArray<
  readonly [name: string, rows: ReadonlyArray<Row>, more: Case, seen: Seen, paid: number]
>

const starting: Cases = [
  [
    "a failure starts the next at once, unpaid",
    [[5, "fail"], [10, "ok"]],
    given(),
    "+0@0 -0@5 +1@5 | ok 1@15 | -1@15",
    0
  ],
  ["a defect does so", [[5, "die"], [10, "ok"]], given(), "+0@0 -0@5 +1@5 | ok 1@15 | -1@15", 0],
  [
    "an attempt that interrupts itself does so",
    [[5, "interrupt"], [10, "ok"]],
    given(),
    "+0@0 -0@5 +1@5 | ok 1@15 | -1@15",
    0
  ],
  ["a failure without waiting does so", [[0, "fail"], [0, "ok"]], given(), "+0@0 -0@0 +1@0 | ok 1@0 | -1@0", 0],
  [
    "an answer that is not accepted does so",
    [[5, "bad"], [10, "ok"]],
    given({ accept }),
    "+0@0 -0@5 +1@5 | ok 1@15 | -1@15",
    0
  ],
  [
    "a failure exactly at the delay is a failure",
    [[50, "fail"], [10, "ok"]],
    given(),
    "+0@0 -0@50 +1@50 | ok 1@60 | -1@60",
    0
  ],
  [
    "who is late gets a hedge, which is paid for",
    [[90, "ok"], [10, "ok"]],
    given(),
    "+0@0 +1@50 -0@60 | ok 1@60 | -1@60",
    1
  ],
  [
    "a hedge that fails is replaced, unpaid",
    [hang, [10, "fail"], [10, "ok"]],
    given(),
    "+0@0 +1@50 -1@60 +2@60 -0@70 | ok 2@70 | -2@70",
    1
  ],
  [
    "an attempt that has taken the place of another has a delay of its own",
    [[5, "fail"], hang, [10, "ok"]],
    given(),
    "+0@0 -0@5 +1@5 +2@55 -1@65 | ok 2@65 | -2@65",
    1
  ],
  [
    "the failure of an older attempt starts nothing",
    [[60, "fail"], [30, "ok"]],
    given(),
    "+0@0 +1@50 -0@60 | ok 1@80 | -1@80",
    1
  ],
  ["a fatal failure starts nothing", [[5, "fail"]], given({ fatal: () => true }), "+0@0 -0@5 | 0@5 |", 0],
  [
    "with none, a failure brings the hedge forward",
    [[5, "fail"], [10, "ok"]],
    given({ failovers: 0 }),
    "+0@0 -0@5 +1@5 | ok 1@15 | -1@15",
    1
  ],
  ["with none and no hedge, nothing", [[5, "fail"]], given({ failovers: 0, maxHedges: 0 }), "+0@0 -0@5 | 0@5 |", 0]
]

const purses: Cases = [
  [
    "after the failovers, a failure brings the hedge forward, which is paid for",
    [[5, "fail"], [5, "fail"], [10, "ok"]],
    given(),
    "+0@0 -0@5 +1@5 -1@10 +2@10 | ok 2@20 | -2@20",
    1
  ],
  [
    "after both, a failure is the last",
    [[5, "fail"], [5, "fail"], [5, "fail"]],
    given(),
    "+0@0 -0@5 +1@5 -1@10 +2@10 -2@15 | ((0;1);2)@15 |",
    1
  ],
  [
    "several",
    [[5, "fail"], [5, "fail"], [5, "fail"], [5, "ok"]],
    given({ failovers: 3 }),
    "+0@0 -0@5 +1@5 -1@10 +2@10 -2@15 +3@15 | ok 3@20 | -3@20",
    0
  ],
  [
    "without end, as many as there are targets",
    [[5, "fail"], [5, "fail"], [5, "fail"], [5, "fail"]],
    given({ failovers: Infinity }, { targets: 4 }),
    "+0@0 -0@5 +1@5 -1@10 +2@10 -2@15 +3@15 -3@20 | ((0;1);(2;3))@20 |",
    0
  ],
  [
    "after the hedges, the delay passes in vain, and then the newest fails",
    [hang, [80, "fail"], [10, "ok"]],
    given(),
    "+0@0 +1@50 -1@130 +2@130 -0@140 | ok 2@140 | -2@140",
    1
  ],
  [
    "after the hedges, the delay passes in vain, and then an older one fails",
    [[130, "fail"], [200, "ok"]],
    given(),
    "+0@0 +1@50 -0@130 | ok 1@250 | -1@250",
    1
  ],
  [
    "no hedges: the first is late, and fails",
    [[90, "fail"], [10, "ok"]],
    given({ maxHedges: 0 }),
    "+0@0 -0@90 +1@90 | ok 1@100 | -1@100",
    0
  ],
  ["no hedges: the first is late, and wins", [[90, "ok"]], given({ maxHedges: 0 }), "+0@0 | ok 0@90 | -0@90", 0],
  [
    "no hedges: each of them is late, and fails",
    [[90, "fail"], [90, "fail"], [90, "fail"]],
    given({ maxHedges: 0, failovers: 2 }),
    "+0@0 -0@90 +1@90 -1@180 +2@180 -2@270 | ((0;1);2)@270 |",
    0
  ],
  [
    "two hedges and two failovers, by turns",
    [[5, "fail"], hang, [5, "fail"], hang, [10, "ok"]],
    given({ maxHedges: 2, failovers: 2 }),
    "+0@0 -0@5 +1@5 +2@55 -2@60 +3@60 +4@110 -1@120 -3@120 | ok 4@120 | -4@120",
    2
  ],
  [
    "without a delay all hedges are sent at once, and then failures of the newest count",
    [[25, "fail"], [20, "fail"], [10, "ok"]],
    given({ delay: 0 }),
    "+0@0 +1@0 -1@20 +2@20 -0@25 | ok 2@30 | -2@30",
    1
  ],
  [
    "with a delay that never ends",
    [[80, "fail"], [70, "fail"], [30, "ok"]],
    given({ delay: Duration.infinity }),
    "+0@0 -0@80 +1@80 -1@150 +2@150 | ok 2@180 | -2@180",
    1
  ],
  [
    "with a schedule",
    [hang, [60, "fail"], [10, "ok"]],
    given({ delay: Schedule.fromDelays(20, 20, 20) }),
    "+0@0 +1@20 -1@80 +2@80 -0@90 | ok 2@90 | -2@90",
    1
  ]
]

const denied: Cases = [
  ["no hedge at the delay", [[90, "ok"]], given({}, broke), "+0@0 | ok 0@90 | -0@90", 0],
  [
    "a failure after the delay",
    [[90, "fail"], [10, "ok"]],
    given({}, broke),
    "+0@0 -0@90 +1@90 | ok 1@100 | -1@100",
    0
  ],
  ["a failure before the delay", [[5, "fail"], [10, "ok"]], given({}, broke), "+0@0 -0@5 +1@5 | ok 1@15 | -1@15", 0],
  [
    "no hedge after the failovers",
    [[5, "fail"], [5, "fail"]],
    given({}, broke),
    "+0@0 -0@5 +1@5 -1@10 | (0;1)@10 |",
    0
  ],
  [
    "each failure after a delay",
    [[90, "fail"], [90, "fail"], [10, "ok"]],
    given({ failovers: 2, maxHedges: 3 }, broke),
    "+0@0 -0@90 +1@90 -1@180 +2@180 | ok 2@190 | -2@190",
    0
  ],
  [
    "a budget that pays for the first hedge only",
    [hang, [80, "fail"], [80, "ok"]],
    given({ maxHedges: 3 }, { tokens: 1 }),
    "+0@0 +1@50 -1@130 +2@130 -0@210 | ok 2@210 | -2@210",
    1
  ],
  [
    "an answer that is not accepted is kept after the failovers",
    [[5, "bad"], [5, "bad"]],
    given({ accept }, broke),
    "+0@0 -0@5 +1@5 | bad 1@10 | -1@10",
    0
  ],
  ["without failovers it is the end", [[90, "fail"]], given({ failovers: 0 }, broke), "+0@0 -0@90 | 0@90 |", 0]
]

const hedgeless: Cases = [
  ["switched off, late", [[90, "ok"]], given({ enabled: off }), "+0@0 | ok 0@90 | -0@90", 0],
  [
    "switched off, a failure",
    [[5, "fail"], [10, "ok"]],
    given({ enabled: off }),
    "+0@0 -0@5 +1@5 | ok 1@15 | -1@15",
    0
  ],
  [
    "switched off, too many failures",
    [[5, "fail"], [5, "fail"]],
    given({ enabled: off }),
    "+0@0 -0@5 +1@5 -1@10 | (0;1)@10 |",
    0
  ],
  [
    "warming up, a failure",
    [[5, "fail"], [10, "ok"]],
    given({ delay: Hedge.percentile(0.95) }),
    "+0@0 -0@5 +1@5 | ok 1@15 | -1@15",
    0
  ],
  [
    "warming up, too many failures",
    [[5, "fail"], [5, "fail"]],
    given({ delay: Hedge.percentile(0.95) }),
    "+0@0 -0@5 +1@5 -1@10 | (0;1)@10 |",
    0
  ],
  [
    "of those calls that are late and get none by chance, a failure",
    [[90, "fail"], [10, "ok"]],
    given({ probability: 0 }),
    "+0@0 -0@90 +1@90 | ok 1@100 | -1@100",
    0
  ]
]

const first = (exit: Exit.Exit<string, string>) =>
  Exit.isFailure(exit) && Array.from(Cause.failures(exit.cause)).includes("0")

const pushedBack: Cases = [
  [
    "no more: nothing follows",
    [[5, "fail"]],
    given({ failovers: 3, pushback: Exit.isFailure }),
    "+0@0 -0@5 | 0@5 |",
    0
  ],
  [
    "no more, from an older attempt: nothing follows the newest either",
    [[60, "fail"], [130, "fail"]],
    given({ failovers: 3, maxHedges: 3, pushback: first }),
    "+0@0 +1@50 -0@60 -1@180 | (0|1)@180 |",
    1
  ],
  [
    "no more, when the delay has passed in vain",
    [[90, "fail"]],
    given({ maxHedges: 0, pushback: Exit.isFailure }),
    "+0@0 -0@90 | 0@90 |",
    0
  ],
  [
    "not yet: the next starts then, unpaid",
    [[5, "fail"], [10, "ok"]],
    given({ pushback: (exit) => Exit.isFailure(exit) && 100 }),
    "+0@0 -0@5 +1@105 | ok 1@115 | -1@115",
    0
  ],
  [
    "not yet, after the failovers and the hedges: nothing is waited for",
    [[5, "fail"], [5, "fail"]],
    given({ maxHedges: 0, pushback: (exit) => first(exit) ? false : 100 }),
    "+0@0 -0@5 +1@5 -1@10 | (0;1)@10 |",
    0
  ]
]

const targeted: Cases = [
  ["none is left", [[5, "fail"]], given({}, { targets: 1 }), "+0@0 -0@5 | 0@5 |", 0],
  [
    "none is left at the delay: what was paid is given back",
    [[90, "fail"]],
    given({}, { targets: 1 }),
    "+0@0 -0@90 | 0@90 |",
    0
  ],
  [
    "an error that is thrown for it stays beside the failure",
    [[5, "fail"]],
    given({}, { throwsAt: 1 }),
    "+0@0 -0@5 | (0|!no target 1)@5 |",
    0
  ]
]

const losing: Cases = [
  [
    "the call waits for what a loser has to clean up",
    [[200, "ok", { cleanup: 20 }], [10, "fail"], [10, "ok"]],
    given(),
    "+0@0 +1@50 -1@60 +2@60 -0@90 | ok 2@90 | -2@90",
    1
  ],
  [
    "in the background it does not",
    [[200, "ok", { cleanup: 20 }], [10, "fail"], [10, "ok"]],
    given(background),
    "+0@0 +1@50 -1@60 +2@60 | ok 2@70 | -0@90 -2@90",
    1
  ],
  [
    "one in place of another may lose to a hedge",
    [[5, "fail"], [100, "ok", { stubborn: true }], [10, "ok"]],
    given(background),
    "+0@0 -0@5 +1@5 +2@55 | ok 2@65 | -1@105 -2@105",
    1
  ]
]

const themes = {
  "attempts in place of failed ones": starting,
  "failovers and hedges are separate": purses,
  "a budget that is empty": denied,
  "a call without hedges fails over": hedgeless,
  "pushback": pushedBack,
  "targets": targeted,
  "losers": losing
}

describe("failovers", () => {
  describe.each(Object.entries(themes))("%s", (_, cases) => {
    it.live.each(cases)("%s", ([, rows, more, seen, paid]) =>
      Effect.gen(function*() {
        for (const order of orders) {
          const told = yield* runBudgeted(rows, more, { order })
          deepStrictEqual([told.transcript, told.paid], [seenIn(order, seen), paid])
        }
        if (more.tokens === undefined && more.options?.probability === undefined) {
          // `TestClock` wakes the last sleeper first.
          const { options: { delay, ...options } = {}, ...others } = more
          const isLearnt = typeof delay === "object" && "_tag" in delay && delay._tag === "Percentile"
          const plain = isLearnt ? { delay: Duration.infinity, maxHedges: 0 } : delay === undefined ? {} : { delay }
          strictEqual(yield* run(rows, { ...others, options: { ...options, ...plain } }), seenIn("lifo", seen))
        }
      }))
  })

  describe("whatever comes between", () => {
    const all = Object.values(themes).flat()

    it.live.each(all)(
      "the same is seen wherever fibers yield: %s",
      ([, rows, more, seen, paid]) => whereverFibersYield(rows, more, seen, paid)
    )

    it.live.each(all)(
      "interrupted at any instant, all is given back, and nothing more is sent: %s",
      ([, rows, more, seen]) => interruptedAtAnyInstant(rows, more, seen)
    )
  })

  describe("metrics", () => {
    let names = 0

    it.live.each<
      readonly [name: string, rows: ReadonlyArray<Row>, more: Case, sent: number, failovers: number, denied: string]
    >([
      ["one in place of another is no hedge", [[5, "fail"], [10, "ok"]], given(), 0, 1, ""],
      ["a hedge", [[90, "ok"], [10, "ok"]], given(), 1, 0, ""],
      ["both", [[5, "fail"], [5, "fail"], [10, "ok"]], given(), 1, 1, ""],
      ["the failure after the hedges", [hang, [80, "fail"], [10, "ok"]], given(), 1, 1, ""],
      ["a hedge that is denied, and a failure", [[90, "fail"], [10, "ok"]], given({}, broke), 0, 1, "budget"],
      ["no target", [[5, "fail"]], given({}, { targets: 1 }), 0, 0, "no-target"],
      ["switched off", [[5, "fail"], [10, "ok"]], given({ enabled: off }), 0, 1, "disabled"],
      ["pushed back", [[5, "fail"]], given({ pushback: Exit.isFailure }), 0, 0, "pushback"],
      ["pushed back, without hedges", [[5, "fail"]], given({ maxHedges: 0, pushback: Exit.isFailure }), 0, 0, ""]
    ])("%s", ([, rows, more, sent, failovers, denied]) =>
      Effect.gen(function*() {
        const name = `failovers ${names++}`
        yield* runBudgeted(rows, { ...more, options: { ...more.options, name } }, {})
        const count = (metric: Metric.Metric.Counter<number>) =>
          Effect.map(Metric.value(Metric.tagged(metric, "policy", name)), ({ count }) => count)
        strictEqual(yield* count(Hedge.metrics.sent), sent)
        strictEqual(yield* count(Hedge.metrics.failovers), failovers)
        for (const reason of ["budget", "no-target", "disabled", "pushback"]) {
          const times = yield* count(
            Metric.tagged(Metric.tagged(Hedge.metrics.denied, "policy", name), "reason", reason)
          )
          strictEqual(times, reason === denied ? 1 : 0, reason)
        }
      }))
  })

  it.live("where nothing can follow, there is no timer", () =>
    Effect.gen(function*() {
      const sleeps = (options: Partial<Hedge.Options>) =>
        Effect.map(
          virtually(Hedge.hedge(Effect.as(Effect.sleep(90), "ok"), { delay: 50, maxHedges: 0, ...options })),
          ({ maxSleeps }) => maxSleeps
        )
      strictEqual(yield* sleeps({}), 1)
      strictEqual(yield* sleeps({ maxHedges: 1, enabled: off }), 1)
      strictEqual(yield* sleeps({ maxHedges: 1 }), 2)
    }))

  it.live("a number of failovers that makes no sense is a defect", () =>
    Effect.gen(function*() {
      for (const failovers of [-1, 0.5, NaN]) {
        const cause = yield* Effect.flip(Effect.sandbox(Hedge.hedge(Effect.void, { delay: 1, failovers })))
        const defect = Option.getOrUndefined(Cause.dieOption(cause))
        assertTrue(Cause.isIllegalArgumentException(defect))
        assertTrue(defect.message.startsWith("Hedge: option \"failovers\" must be"), defect.message)
      }
    }))
})

// Times are multiples of the unit, plus a power of two for each attempt, so that no two things happen at one instant.
const unit = 2 ** 8

interface Purses {
  readonly delay: number
  readonly maxHedges: number
  readonly failovers: number
  readonly tokens: number
}

/** A call as a loop from event to event, without fibers and without a race. */
const predict = (rows: ReadonlyArray<Row>, { delay, failovers, maxHedges, tokens }: Purses) => {
  const starts: Array<string> = []
  const running = new Map<number, number>()
  let [now, due, paid, unpaid] = [0, 0, 0, 0]
  let by: "first" | "delay" | "failure" = "first"
  let isDenied = false
  let isAtItsEnd = false
  for (;;) {
    const [index, endsAt] = [...running].reduce((one, other) => other[1] < one[1] ? other : one, [-1, Infinity])
    const startsAt = isAtItsEnd ? Infinity : due
    if (Math.min(endsAt, startsAt) === Infinity) {
      return { starts, end: running.size === 0 ? `failed@${now}` : "hangs", paid }
    }
    if (endsAt <= startsAt) {
      now = endsAt
      running.delete(index)
      if (rows[index]?.[1] === "ok") {
        return { starts, end: `ok ${index}@${now}`, paid }
      }
      if (index === starts.length - 1) {
        due = now
        by = "failure"
      }
      continue
    }
    now = startsAt
    const isFailover = by === "failure" && unpaid < failovers
    const isHedge = by !== "first" && !isFailover
    if (isHedge && (paid === maxHedges || isDenied || paid === tokens)) {
      isDenied ||= paid < maxHedges
      isAtItsEnd = by === "failure" || unpaid === failovers
      due = Infinity
      continue
    }
    paid += isHedge ? 1 : 0
    unpaid += isFailover ? 1 : 0
    const next = starts.length
    const [latency, end] = rows[next] ?? hang
    starts.push(`+${next}@${now}`)
    running.set(next, end === "hang" ? Infinity : now + latency)
    by = "delay"
    due = now + delay
  }
}

const row: FastCheck.Arbitrary<Row> = FastCheck.tuple(
  FastCheck.integer({ min: 1, max: 12 }),
  FastCheck.constantFrom<Row[1]>("ok", "fail", "fail", "fail", "hang")
)

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

it.live(`random calls fail over as the model says (SEED=${seed})`, () =>
  Effect.promise(() =>
    FastCheck.assert(
      FastCheck.asyncProperty(
        FastCheck.array(row, { maxLength: 8 }),
        FastCheck.record({
          delay: FastCheck.constantFrom(0, 1, 3, 6).map((units) => units * unit),
          maxHedges: FastCheck.integer({ min: 0, max: 3 }),
          failovers: FastCheck.constantFrom(0, 1, 2, 3, Infinity),
          tokens: FastCheck.integer({ min: 0, max: 3 })
        }),
        async (rows, purses) => {
          const apart = rows.map(([units, end], index): Row => [units * unit + 2 ** index, end])
          const { tokens, ...options } = purses
          const told = await Effect.runPromise(runBudgeted(apart, { options, tokens }, { interruptAt: 100_000 }))
          const { end, paid, starts } = predict(apart, purses)
          const how = told.transcript.match(/\| (ok \d+|interrupted|.*)@(\d+) \|/)!
          deepStrictEqual({
            starts: told.events.filter(([what]) => what === "+").map(([, index, at]) => `+${index}@${at}`),
            end: how[1]!.startsWith("ok")
              ? `${how[1]}@${how[2]}`
              : how[1] === "interrupted"
              ? "hangs"
              : `failed@${how[2]}`,
            paid: told.paid
          }, { starts, end, paid })
        }
      ),
      { numRuns: 2000, seed }
    )
  ))
