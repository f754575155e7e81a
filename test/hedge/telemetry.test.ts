import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Context from "effect/Context"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Schedule from "effect/Schedule"
import * as Tracer from "effect/Tracer"
import * as Hedge from "../../src/Hedge.js"
import type { Case, Row } from "../support/hedging.js"
import { accept, inTime, transcriptOf, virtually } from "../support/hedging.js"
import { nothing } from "../support/scenario.js"

/** All that was counted for a policy of that name: `calls end=won`, say, by how many. */
const counted = (policy: string): Record<string, number> =>
  Object.fromEntries(
    Metric.unsafeSnapshot().flatMap(({ metricKey: { name, tags }, metricState }) => {
      if (!name.startsWith("hedge_") || !tags.some(({ key, value }) => key === "policy" && value === policy)) {
        return []
      }
      const others = tags.filter(({ key }) => key !== "policy").map(({ key, value }) => ` ${key}=${value}`).sort()
      const value = MetricState.isCounterState(metricState)
        ? Number(metricState.count)
        : MetricState.isGaugeState(metricState)
        ? Number(metricState.value)
        : NaN
      return [[`${name.slice("hedge_".length)}${others.join("")}`, Math.round(value * 1e6) / 1e6]]
    })
  )

let names = 0
/** A name that no other policy has. */
const newName = () => `telemetry ${names++}`

interface Seen {
  readonly name: string
  readonly parent: string
  readonly attributes: Record<string, unknown>
  /** From when to when, in milliseconds; and whether it is an error. */
  readonly ended: readonly [startedAt: number, endedAt: number, status: "ok" | "error"] | undefined
}

/** A tracer, and the spans that it was asked for, in that order. */
const tracing = () => {
  const spans: Array<{ readonly seen: Seen }> = []
  const tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const attributes = new Map<string, unknown>()
      let status: Tracer.SpanStatus = { _tag: "Started", startTime }
      const span: Tracer.Span = {
        _tag: "Span",
        name,
        spanId: `${name} ${spans.length}`,
        traceId: "trace",
        parent,
        context,
        get status() {
          return status
        },
        attributes,
        links,
        sampled: true,
        kind,
        end: (endTime, exit) => {
          strictEqual(status._tag, "Started", "a span ends once")
          status = { _tag: "Ended", startTime, endTime, exit }
        },
        attribute: (key, value) => void attributes.set(key, value),
        event: () => {},
        addLinks: () => {}
      }
      spans.push({
        get seen() {
          return {
            name,
            parent: Option.match(parent, { onNone: () => "", onSome: ({ spanId }) => spanId }),
            attributes: Object.fromEntries(attributes),
            ended: status._tag === "Started"
              ? undefined
              : [
                Number(status.startTime) / 1e6,
                Number(status.endTime) / 1e6,
                Exit.isSuccess(status.exit) ? "ok" : "error"
              ] as const
          }
        }
      })
      return span
    },
    context: (run) => run()
  })
  return { tracer, seen: () => spans.map(({ seen }) => seen) }
}

const always = () => true

interface Told {
  readonly counted: Record<string, number>
  /** For each copy, how it ended, from when to when, and whether that is an error. */
  readonly spans: ReadonlyArray<readonly [end: string, startedAt: number, endedAt: number, status: "ok" | "error"]>
}

/** The copy wins at 60, and the request ends at 200. */
const lostTooLate: Told = {
  counted: {
    "calls end=won": 1,
    sent: 1,
    "wins index=1": 1,
    "delay_seconds unit=s": 0.05,
    "wasted_seconds unit=s": 0.2
  },
  spans: [["lost", 0, 200, "ok"], ["won", 50, 60, "ok"]]
}

const rows: ReadonlyArray<
  readonly [name: string, rows: ReadonlyArray<Row>, more: Case, told: Told, interruptAt?: number]
> = [
  [
    "the first is in time",
    [[30, "ok"]],
    {},
    { counted: { "calls end=won": 1, "wins index=0": 1, "delay_seconds unit=s": 0.05 }, spans: [["won", 0, 30, "ok"]] }
  ],
  [
    "the copy wins",
    [[90, "ok"], [10, "ok"]],
    {},
    {
      counted: {
        "calls end=won": 1,
        sent: 1,
        "wins index=1": 1,
        "delay_seconds unit=s": 0.05,
        "wasted_seconds unit=s": 0.06
      },
      spans: [["lost", 0, 60, "ok"], ["won", 50, 60, "ok"]]
    }
  ],
  [
    "the first wins all the same",
    [[90, "ok"], [60, "ok"]],
    {},
    {
      counted: {
        "calls end=won": 1,
        sent: 1,
        "wins index=0": 1,
        "delay_seconds unit=s": 0.05,
        "wasted_seconds unit=s": 0.04
      },
      spans: [["won", 0, 90, "ok"], ["lost", 50, 90, "ok"]]
    }
  ],
  [
    "the first of three wins",
    [[160, "ok"], [10, "fail"]],
    { options: { maxHedges: 2 } },
    {
      counted: {
        "calls end=won": 1,
        sent: 2,
        "wins index=0": 1,
        "delay_seconds unit=s": 0.05,
        "wasted_seconds unit=s": 0.1
      },
      spans: [["won", 0, 160, "ok"], ["failed", 50, 60, "error"], ["lost", 60, 160, "ok"]]
    }
  ],
  [
    "all fail",
    [[5, "fail"], [10, "die"]],
    {},
    {
      counted: { "calls end=failed": 1, sent: 1, "delay_seconds unit=s": 0.05 },
      spans: [["failed", 0, 5, "error"], ["failed", 5, 15, "error"]]
    }
  ],
  [
    "the first interrupts itself, and the copy fails",
    [[5, "interrupt"], [10, "fail"]],
    {},
    {
      counted: { "calls end=failed": 1, sent: 1, "delay_seconds unit=s": 0.05 },
      spans: [["failed", 0, 5, "error"], ["failed", 5, 15, "error"]]
    }
  ],
  [
    "a failure is fatal",
    [[60, "fail"]],
    { options: { fatal: always } },
    {
      counted: { "calls end=failed": 1, sent: 1, "delay_seconds unit=s": 0.05, "wasted_seconds unit=s": 0.01 },
      spans: [["failed", 0, 60, "error"], ["lost", 50, 60, "ok"]]
    }
  ],
  [
    "the call is interrupted",
    [],
    {},
    {
      counted: { "calls end=interrupted": 1, sent: 1, "delay_seconds unit=s": 0.05 },
      spans: [["interrupted", 0, 60, "error"], ["interrupted", 50, 60, "error"]]
    },
    60
  ],
  [
    "the call is interrupted while a loser cleans up after a win",
    [[90, "ok", { cleanup: 100 }], [10, "ok"]],
    {},
    {
      counted: {
        "calls end=interrupted": 1,
        sent: 1,
        "wins index=1": 1,
        "delay_seconds unit=s": 0.05,
        "wasted_seconds unit=s": 0.16
      },
      spans: [["lost", 0, 160, "ok"], ["won", 50, 60, "ok"]]
    },
    80
  ],
  [
    "an answer is not accepted, and the copy wins",
    [[5, "bad"], [10, "ok"]],
    { options: { accept } },
    {
      counted: { "calls end=won": 1, sent: 1, "wins index=1": 1, "delay_seconds unit=s": 0.05 },
      spans: [["rejected", 0, 5, "ok"], ["won", 5, 15, "ok"]]
    }
  ],
  [
    "no answer is accepted, and the last of them is kept",
    [[5, "bad"], [10, "bad"]],
    { options: { accept } },
    {
      counted: { "calls end=rejected": 1, sent: 1, "delay_seconds unit=s": 0.05 },
      spans: [["rejected", 0, 5, "ok"], ["rejected", 5, 15, "ok"]]
    }
  ],
  [
    "an answer is not accepted, and then a copy fails",
    [[5, "bad"], [10, "fail"]],
    { options: { accept } },
    {
      counted: { "calls end=failed": 1, sent: 1, "delay_seconds unit=s": 0.05 },
      spans: [["rejected", 0, 5, "ok"], ["failed", 5, 15, "error"]]
    }
  ],
  [
    "a loser cannot be interrupted, and answers too late",
    [[200, "ok", { stubborn: true }], [10, "ok"]],
    {},
    lostTooLate
  ],
  [
    "a loser in the background fails too late",
    [[200, "fail", { stubborn: true }], [10, "ok"]],
    { options: { losers: "background" } },
    lostTooLate
  ],
  [
    "no copy is allowed: none was due",
    [[90, "ok"]],
    { options: { maxHedges: 0 } },
    { counted: { "calls end=won": 1, "wins index=0": 1, "delay_seconds unit=s": 0.05 }, spans: [["won", 0, 90, "ok"]] }
  ],
  [
    "no more copies are allowed: none was due",
    [[90, "fail"], [10, "fail"]],
    {},
    {
      counted: { "calls end=failed": 1, sent: 1, "delay_seconds unit=s": 0.05 },
      spans: [["failed", 0, 90, "error"], ["failed", 50, 60, "error"]]
    }
  ],
  [
    "copies are switched off",
    [[90, "ok"]],
    { options: { enabled: Effect.succeed(false) } },
    {
      counted: { "calls end=won": 1, "wins index=0": 1, "denied reason=disabled": 1 },
      spans: [["won", 0, 90, "ok"]]
    }
  ],
  [
    "there is no target for a copy",
    [[90, "fail"]],
    { options: { maxHedges: 3 }, targets: 1 },
    {
      counted: { "calls end=failed": 1, "denied reason=no-target": 1, "delay_seconds unit=s": 0.05 },
      spans: [["failed", 0, 90, "error"]]
    }
  ],
  [
    "a copy asks for no more",
    [[20, "fail"]],
    { options: { maxHedges: 3, pushback: Exit.isFailure } },
    {
      counted: { "calls end=failed": 1, "denied reason=pushback": 1, "delay_seconds unit=s": 0.05 },
      spans: [["failed", 0, 20, "error"]]
    }
  ],
  [
    "two copies ask for no more: it is said once",
    [[60, "fail"], [30, "fail"]],
    { options: { maxHedges: 3, pushback: Exit.isFailure } },
    {
      counted: { "calls end=failed": 1, sent: 1, "denied reason=pushback": 1, "delay_seconds unit=s": 0.05 },
      spans: [["failed", 0, 60, "error"], ["failed", 50, 80, "error"]]
    }
  ],
  [
    "the last that is allowed asks for no more: none was due",
    [[90, "ok"], [10, "fail"]],
    { options: { pushback: Exit.isFailure } },
    {
      counted: { "calls end=won": 1, sent: 1, "wins index=0": 1, "delay_seconds unit=s": 0.05 },
      spans: [["won", 0, 90, "ok"], ["failed", 50, 60, "error"]]
    }
  ],
  [
    "a schedule has no single delay",
    [[90, "ok"], [10, "ok"]],
    { options: { delay: Schedule.fromDelays(50) } },
    {
      counted: { "calls end=won": 1, sent: 1, "wins index=1": 1, "wasted_seconds unit=s": 0.06 },
      spans: [["lost", 0, 60, "ok"], ["won", 50, 60, "ok"]]
    }
  ],
  [
    "a delay that never ends is no number of milliseconds",
    [[90, "ok"]],
    { options: { delay: Duration.infinity } },
    { counted: { "calls end=won": 1, "wins index=0": 1 }, spans: [["won", 0, 90, "ok"]] }
  ],
  [
    "a delay in words",
    [[30, "ok"]],
    { options: { delay: "50 millis" } },
    { counted: { "calls end=won": 1, "wins index=0": 1, "delay_seconds unit=s": 0.05 }, spans: [["won", 0, 30, "ok"]] }
  ],
  [
    "a delay that is a Duration",
    [[30, "ok"]],
    { options: { delay: Duration.seconds(2) } },
    { counted: { "calls end=won": 1, "wins index=0": 1, "delay_seconds unit=s": 2 }, spans: [["won", 0, 30, "ok"]] }
  ]
]

describe("Hedge's telemetry", () => {
  it.live.each(rows)("what is told of a call: %s", ([, rows, more, told, interruptAt]) =>
    Effect.gen(function*() {
      const name = newName()
      const { seen, tracer } = tracing()
      const { call } = transcriptOf(rows, { ...more, options: { ...more.options, name } })
      const { left } = yield* virtually(
        call.pipe(Effect.withSpan("caller"), Effect.withTracer(tracer)),
        { interruptAt }
      )
      deepStrictEqual(left, nothing)
      deepStrictEqual(counted(name), told.counted)
      const [caller, ...copies] = seen()
      strictEqual(caller?.name, "caller")
      deepStrictEqual(
        copies,
        told.spans.map(([end, ...ended], index): Seen => ({
          name: "hedge.attempt",
          parent: "caller 0",
          attributes: { "hedge.policy": name, "hedge.index": index, "hedge.end": end },
          ended
        }))
      )
    }))

  it.live.each(rows)(
    "a policy without a name tells nothing: %s",
    ([, rows, more, , interruptAt]) =>
      Effect.gen(function*() {
        const before = Metric.unsafeSnapshot().length
        const { seen, tracer } = tracing()
        const { call } = transcriptOf(rows, more)
        yield* virtually(Effect.withTracer(call, tracer), { interruptAt })
        deepStrictEqual([seen(), Metric.unsafeSnapshot().length - before], [[], 0])
      })
  )

  describe("what is denied", () => {
    it.live("for lack of money, once for each call", () =>
      Effect.gen(function*() {
        const name = newName()
        const policy = yield* Hedge.make<string, string>({ delay: 50, maxHedges: 3, name, budget: { ratio: 0.5 } })
        const { call } = transcriptOf([[200, "fail"]], {}, () => policy)
        yield* virtually(call)
        deepStrictEqual(counted(name), {
          "calls end=failed": 1,
          "denied reason=budget": 1,
          "delay_seconds unit=s": 0.05
        })
      }))

    it.live("for what is not known, and for what is too late", () =>
      inTime(Effect.gen(function*() {
        const name = newName()
        const delay = Hedge.percentile(0.5, { warmup: 2, max: 20, aboveMax: "skip" })
        const policy = yield* Hedge.make({ delay, name, budget: "unlimited" })
        const call = (latency: number) => Hedge.hedge(Effect.sleep(latency), policy)
        yield* call(30)
        yield* call(30)
        deepStrictEqual(counted(name), { "calls end=won": 2, "wins index=0": 2, "denied reason=warm-up": 2 })
        yield* Effect.repeatN(call(10), 2)
        const denied = { "denied reason=warm-up": 2, "denied reason=above-max": 3 }
        deepStrictEqual(counted(name), { "calls end=won": 5, "wins index=0": 5, ...denied })
        // Of five that are known, three took ten.
        yield* call(10)
        deepStrictEqual(
          {
            ...counted(name),
            "delay_seconds unit=s": Math.floor((counted(name)["delay_seconds unit=s"] ?? NaN) * 1000)
          },
          { "calls end=won": 6, "wins index=0": 6, ...denied, "delay_seconds unit=s": 10 }
        )
      })))

    it.live("a copy that was not drawn is not denied, but the delay is told", () =>
      inTime(Effect.gen(function*() {
        const name = newName()
        yield* Hedge.hedge(Effect.sleep(90), { delay: 50, probability: 0, name }).pipe(
          Effect.withRandom(Random.make("a seed"))
        )
        deepStrictEqual(counted(name), { "calls end=won": 1, "wins index=0": 1, "delay_seconds unit=s": 0.05 })
      })))
  })

  it.live("the ends of calls are as many as the calls, however they end", () =>
    Effect.gen(function*() {
      const name = newName()
      const policy = yield* Hedge.make<string, string>({
        delay: 5,
        name,
        accept,
        losers: "background",
        budget: { ratio: 0.5 }
      })
      let ended = 0
      const call = (index: number) => {
        const end: Row[1] = (["ok", "bad", "fail", "die", "interrupt"] as const)[index % 5]!
        const { call } = transcriptOf([[index % 9, end], [index % 4, end]], {}, () => policy)
        return Effect.sync(() => void ended++).pipe(
          Effect.ensuring(Effect.exit(Effect.timeoutOption(call, index % 11 === 0 ? 3 : 1000)))
        )
      }
      yield* inTime(
        Effect.forEach(Array.from({ length: 500 }), (_, index) => call(index), { concurrency: 20, discard: true })
      )
      const all = Object.entries(counted(name))
      const sum = (metric: string) =>
        all.filter(([key]) => key.startsWith(metric)).reduce((sum, [, value]) => sum + value, 0)
      strictEqual(sum("calls "), 500)
      strictEqual(ended, 500)
      strictEqual(sum("wins "), all.find(([key]) => key === "calls end=won")?.[1])
      deepStrictEqual(
        all.map(([key]) => key).filter((key) => key.startsWith("calls ")).sort(),
        ["calls end=failed", "calls end=interrupted", "calls end=rejected", "calls end=won"]
      )
      const due = 500 - all.filter(([key]) => key === "denied reason=budget").reduce((sum, [, value]) => sum + value, 0)
      assertTrue(sum("sent") <= due, `${sum("sent")} of ${due}`)
    }))

  it.live("a call whose copies fail while parts of them are interrupted has failed, and was not interrupted", () =>
    Effect.gen(function*() {
      const name = newName()
      const request = Effect.all([Effect.never, Effect.delay(Effect.fail("failed"), 5)], { concurrency: 2 })
      const { exit } = yield* virtually(Hedge.hedge(request, { delay: 50, name }))
      assertTrue(Exit.isFailure(exit) && Array.from(Cause.failures(exit.cause)).length === 2)
      deepStrictEqual(counted(name), { "calls end=failed": 1, sent: 1, "delay_seconds unit=s": 0.05 })
    }))

  it.live("the labels that callers add to metrics are added, and calls with others are counted apart", () =>
    inTime(Effect.gen(function*() {
      const name = newName()
      const policy = yield* Hedge.make({ delay: 50, name, budget: "unlimited" })
      const call = Hedge.hedge(Effect.void, policy)
      yield* Effect.repeatN(Effect.tagMetrics(call, "host", "a"), 1)
      yield* Effect.tagMetrics(call, "host", "b")
      yield* call
      deepStrictEqual(counted(name), {
        "calls end=won host=a": 2,
        "wins host=a index=0": 2,
        "delay_seconds host=a unit=s": 0.05,
        "calls end=won host=b": 1,
        "wins host=b index=0": 1,
        "delay_seconds host=b unit=s": 0.05,
        "calls end=won": 1,
        "wins index=0": 1,
        "delay_seconds unit=s": 0.05
      })
    })))

  it.live("what a copy does is in its span, and the caller's span stays what it was", () =>
    Effect.gen(function*() {
      const { seen, tracer } = tracing()
      let copies = 0
      const request = Effect.suspend(() => copies++ === 0 ? Effect.never : Effect.void).pipe(
        Effect.withSpan("inner")
      )
      const call = Effect.zipRight(
        Hedge.hedge(request, { delay: 50, name: newName() }),
        Effect.withSpan(Effect.void, "after")
      )
      yield* virtually(call.pipe(Effect.withSpan("caller"), Effect.withTracer(tracer)))
      deepStrictEqual(seen().map(({ name, parent }) => [name, parent]), [
        ["caller", ""],
        ["hedge.attempt", "caller 0"],
        ["inner", "hedge.attempt 1"],
        ["hedge.attempt", "caller 0"],
        ["inner", "hedge.attempt 3"],
        ["after", "caller 0"]
      ])
    }))

  it.live("what copies have set reaches the caller as ever, but for their spans", () =>
    inTime(Effect.gen(function*() {
      const ref = FiberRef.unsafeMake("unset")
      yield* Hedge.hedge(FiberRef.set(ref, "set"), { delay: 50, name: newName() })
      strictEqual(yield* FiberRef.get(ref), "set")
      strictEqual(Context.getOption(yield* Effect.context<never>(), Tracer.ParentSpan)._tag, "None")
    })))
})
