import * as NodeSdk from "@effect/opentelemetry/NodeSdk"
import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import { SpanStatusCode } from "@opentelemetry/api"
import { InMemorySpanExporter, SimpleSpanProcessor } from "@opentelemetry/sdk-trace-base"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as MetricState from "effect/MetricState"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import { vi } from "vitest"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as Hedge from "../../src/Hedge.js"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import type { Boom, Observed, Row } from "../support/scenario.js"
import { candidate, die, fail, failed, hang, nothing, observe, ok, pass, transcript } from "../support/scenario.js"
import { described, Recorder } from "../support/spans.js"

type Options = StaggeredRace.Options<string, Boom>

const candidates = (rows: ReadonlyArray<Row>) => rows.map((row, index) => candidate(row, index, transcript()))

const race = (rows: ReadonlyArray<Row>, options: Options) => StaggeredRace.race(candidates(rows), options)

/** What is seen of an effect by a tracer: the spans, with `@race` and `@attempt` for the prefixes of ours. */
const traced = (
  effect: Effect.Effect<unknown, unknown>,
  interruptAt: number | null = null
): Effect.Effect<ReadonlyArray<string>> =>
  Effect.gen(function*() {
    const recorder = new Recorder()
    const { left } = yield* observe(Effect.withTracer(effect, recorder.tracer), { interruptAt })
    deepStrictEqual(left, nothing)
    deepStrictEqual(recorder.spans.filter(({ ends }) => ends !== 1), [])
    return recorder.tree().map((line) =>
      line.replace(/ staggered_race\.attempt\./g, " .").replace(/ staggered_race\.(?!attempt )/g, " .")
    )
  })

const caller = Effect.withSpan("caller", { captureStackTrace: false })

describe("spans", () => {
  const rows: ReadonlyArray<
    readonly [
      name: string,
      effect: Effect.Effect<unknown, unknown>,
      interruptAt: number | null,
      expected: ReadonlyArray<string>
    ]
  > = [
    ["a win", caller(race([fail(10), hang({ cleanup: 5 }), ok(100)], { delay: 20 })), null, [
      "caller @0-135 ok",
      "  staggered_race @0-135 ok .decided_by=success .attempts=3 .winner=2",
      "    staggered_race.attempt @0-10 failed 0 .index=0 .started_by=first .result=failed",
      "    staggered_race.attempt @10-135 ok .index=1 .started_by=failure .result=lost",
      "    staggered_race.attempt @30-130 ok .index=2 .started_by=delay .result=won"
    ]],
    ["the first succeeds without suspending, in a race with a name", race([ok(0)], { delay: 20, name: "one" }), null, [
      "staggered_race @0-0 ok .name=one .decided_by=success .attempts=1 .winner=0",
      "  staggered_race.attempt @0-0 ok .index=0 .started_by=first .result=won"
    ]],
    ["all fail", caller(race([fail(30), die(10)], { delay: 20 })), null, [
      "caller @0-30 failed (0|!1)",
      "  staggered_race @0-30 failed (0|!1) .decided_by=failures .attempts=2",
      "    staggered_race.attempt @0-30 failed 0 .index=0 .started_by=first .result=failed",
      "    staggered_race.attempt @20-30 failed !1 .index=1 .started_by=delay .result=failed"
    ]],
    ["a failure that is fatal", race([hang(), fail(10), ok(1)], { delay: 20, fatal: () => true }), null, [
      "staggered_race @0-30 failed 1 .decided_by=fatal .attempts=2",
      "  staggered_race.attempt @0-30 ok .index=0 .started_by=first .result=lost",
      "  staggered_race.attempt @20-30 failed 1 .index=1 .started_by=delay .result=failed"
    ]],
    ["interrupted: also its attempts, as they end", caller(race([fail(1), hang({ cleanup: 5 })], { delay: 20 })), 7, [
      "caller @0-12 interrupted",
      "  staggered_race @0-12 interrupted .decided_by=interruption .attempts=2",
      "    staggered_race.attempt @0-1 failed 0 .index=0 .started_by=first .result=failed",
      "    staggered_race.attempt @1-12 interrupted .index=1 .started_by=failure .result=lost"
    ]],
    ["interrupted while losers clean up after a win", race([hang({ cleanup: 50 }), ok(10)], { delay: 20 }), 40, [
      "staggered_race @0-80 interrupted .decided_by=success .attempts=2 .winner=1",
      "  staggered_race.attempt @0-80 ok .index=0 .started_by=first .result=lost",
      "  staggered_race.attempt @20-30 ok .index=1 .started_by=delay .result=won"
    ]],
    [
      "losers in the background end their spans when they end",
      caller(race([hang({ cleanup: 50 }), ok(100, { stubborn: true }), ok(10)], { delay: 20, losers: "background" })),
      null,
      [
        "caller @0-50 ok",
        "  staggered_race @0-50 ok .decided_by=success .attempts=3 .winner=2",
        "    staggered_race.attempt @0-100 ok .index=0 .started_by=first .result=lost",
        "    staggered_race.attempt @20-120 ok .index=1 .started_by=delay .result=lost",
        "    staggered_race.attempt @40-50 ok .index=2 .started_by=delay .result=won"
      ]
    ],
    [
      "a loser whose clean-up fails is no error",
      StaggeredRace.race(
        [Effect.onInterrupt(Effect.never, () => Effect.die("clean-up")), Effect.delay(Effect.void, 10)],
        { delay: 20 }
      ),
      null,
      [
        "staggered_race @0-30 ok .decided_by=success .attempts=2 .winner=1",
        "  staggered_race.attempt @0-30 ok .index=0 .started_by=first .result=lost",
        "  staggered_race.attempt @20-30 ok .index=1 .started_by=delay .result=won"
      ]
    ],
    [
      "a race within a race",
      StaggeredRace.race([race([fail(5), hang()], { delay: 20 }), race([ok(10)], { delay: 20 })], { delay: 50 }),
      null,
      [
        "staggered_race @0-60 ok .decided_by=success .attempts=2 .winner=1",
        "  staggered_race.attempt @0-60 ok .index=0 .started_by=first .result=lost",
        "    staggered_race @0-60 interrupted .decided_by=interruption .attempts=2",
        "      staggered_race.attempt @0-5 failed 0 .index=0 .started_by=first .result=failed",
        "      staggered_race.attempt @5-60 interrupted .index=1 .started_by=failure .result=lost",
        "  staggered_race.attempt @50-60 ok .index=1 .started_by=delay .result=won",
        "    staggered_race @50-60 ok .decided_by=success .attempts=1 .winner=0",
        "      staggered_race.attempt @50-60 ok .index=0 .started_by=first .result=won"
      ]
    ],
    [
      "a stream that fails: what it does is done within the race's span",
      StaggeredRace.raceStream(
        Stream.concat(
          Stream.mapEffect(
            Stream.fromIterable(candidates([fail(10), ok(50)])),
            (one) => Effect.as(Effect.withSpan(Effect.sleep(5), "look up", { captureStackTrace: false }), one)
          ),
          Stream.fail("gone")
        ),
        { delay: 20 }
      ),
      null,
      [
        "staggered_race @0-70 ok .decided_by=success .attempts=2 .winner=1",
        "  look up @0-5 ok",
        "  staggered_race.attempt @5-15 failed 0 .index=0 .started_by=first .result=failed",
        "  look up @15-20 ok",
        "  staggered_race.attempt @20-70 ok .index=1 .started_by=failure .result=won"
      ]
    ],
    [
      "an outcome is no failure, whatever became of the race",
      caller(StaggeredRace.outcome(candidates([fail(10)]), { delay: 20 })),
      null,
      [
        "caller @0-10 ok",
        "  staggered_race @0-10 ok .decided_by=failures .attempts=1",
        "    staggered_race.attempt @0-10 failed 0 .index=0 .started_by=first .result=failed"
      ]
    ],
    ["no candidates", race([], { delay: 20 }), null, [
      "staggered_race @0-0 failed !IllegalArgumentException: StaggeredRace: there are no candidates to race "
      + ".decided_by=failures .attempts=0"
    ]],
    [
      "a schedule that dies",
      race([hang()], { delay: Schedule.addDelayEffect(Schedule.forever, () => Effect.die("schedule")) }),
      null,
      [
        "staggered_race @0-0 failed !schedule .decided_by=defect .attempts=1",
        "  staggered_race.attempt @0-0 ok .index=0 .started_by=first .result=lost"
      ]
    ],
    ["options that make no sense: there was no race", caller(race([ok(1)], { delay: -1 })), null, [
      "caller @0-0 failed !IllegalArgumentException: StaggeredRace: option \"delay\" must be a duration of zero or more, "
      + "got -1"
    ]]
  ]
  it.live.each(rows)(
    "%s",
    ([, effect, interruptAt, expected]) =>
      Effect.map(traced(effect, interruptAt), (seen) => deepStrictEqual(seen, expected))
  )

  it.live("a late success is a result of its own", () =>
    Effect.gen(function*() {
      const seen = new Set<string>()
      // With some numbers of operations before a yield the second has succeeded, but not yet claimed, when the first
      // decides.
      for (let ops = 12; ops <= 80; ops++) {
        const recorder = new Recorder()
        const gate = yield* Deferred.make<void>()
        const open = Effect.zipRight(Deferred.succeed(gate, void 0), Effect.never)
        yield* StaggeredRace.race([pass(gate), pass(gate), open], { delay: 0 }).pipe(
          Effect.withTracer(recorder.tracer),
          Effect.withMaxOpsBeforeYield(ops),
          Effect.withTracerTiming(false),
          Effect.timeout("5 seconds")
        )
        recorder.named("staggered_race.attempt").forEach((span) => seen.add(described(span)))
      }
      const late = [...seen].filter((line) => line.endsWith("late"))
      deepStrictEqual(
        late.map((line) => line.replace(/index=\d/, "index")),
        late.map(() =>
          "staggered_race.attempt @0-0 ok staggered_race.attempt.index staggered_race.attempt.started_by="
          + "delay staggered_race.attempt.result=late"
        )
      )
      assertTrue(late.length > 0)
    }))

  it.live("the current span is that of the attempt, and after the race the caller's again", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const current = Effect.map(Effect.currentSpan, ({ spanId }) => recorder.spans[Number(spanId)])
      const annotating = Effect.zipRight(Effect.annotateCurrentSpan("mine", true), current)
      const told: Array<string | undefined> = []
      const onEvent = () => Effect.map(current, (span) => told.push(span?.name))
      const [within, after] = yield* StaggeredRace.race([annotating], { delay: 20, onEvent }).pipe(
        Effect.zip(current),
        Effect.withSpan("caller"),
        Effect.withTracer(recorder.tracer)
      )
      deepStrictEqual([within?.name, after?.name], ["staggered_race.attempt", "caller"])
      deepStrictEqual(within?.attributes.get("mine"), true)
      strictEqual(after?.attributes.has("mine"), false)
      deepStrictEqual(told, ["staggered_race", "staggered_race", "staggered_race"])
    }))

  it.live("annotations and links that the caller gives to spans are theirs, and so is what it says of their times", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const span = Tracer.externalSpan({ spanId: "linked", traceId: "trace" })
      yield* race([ok(0)], { delay: 20 }).pipe(
        Effect.annotateSpans("tenant", "a"),
        Effect.linkSpans(span),
        Effect.withTracerTiming(false),
        Effect.withTracer(recorder.tracer)
      )
      deepStrictEqual(
        recorder.spans.map(({ attributes, links, status }) => [attributes.get("tenant"), links, status]),
        Array(2).fill([
          "a",
          [{ _tag: "SpanLink", span, attributes: {} }],
          { _tag: "Ended", startTime: 0n, endTime: 0n, exit: Exit.void }
        ]).map(([tenant, links, status], index) => [
          tenant,
          links,
          index === 0 ? { ...status, exit: Exit.succeed("value 0") } : status
        ])
      )
    }))

  it.live("none where nobody sees them: with Effect's own tracer, and where tracing is switched off", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const current = Effect.map(Effect.option(Effect.currentSpan), Option.map(({ name }) => name))
      const one = StaggeredRace.race([current], { delay: 20, name: "silent" })
      deepStrictEqual(
        yield* Effect.all([
          one,
          Effect.withSpan(one, "caller"),
          one.pipe(Effect.withTracerEnabled(false), Effect.withSpan("caller"), Effect.withTracer(recorder.tracer))
        ]),
        [Option.none(), Option.some("caller"), Option.some("caller")]
      )
      deepStrictEqual(recorder.spans.map(({ name }) => name), ["caller"])
    }))

  it.live("a span that is not to be a parent is none: the race's is a child of what stands above it", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const hidden = { context: Tracer.DisablePropagation.context(true), captureStackTrace: false }
      yield* caller(Effect.withSpan(race([ok(0)], { delay: 20 }), "hidden", hidden)).pipe(
        Effect.withTracerTiming(false),
        Effect.withTracer(recorder.tracer)
      )
      deepStrictEqual(recorder.tree().map((line) => line.split(" @")[0]), [
        "caller",
        "  staggered_race",
        "    staggered_race.attempt"
      ])
    }))
})

// What happens in a race, and when, must be the same for the handler of events and for the tracer.
describe("spans and events", () => {
  const row: FastCheck.Arbitrary<Row> = FastCheck.record({
    result: FastCheck.constantFrom<Row["result"]>("ok", "fail", "fail", "fail", "hang", "die", "interrupt"),
    latency: FastCheck.integer({ min: 0, max: 60 }),
    cleanup: FastCheck.constantFrom(0, 0, 7),
    stubborn: FastCheck.boolean()
  }).map(({ latency, result, ...row }) =>
    result === "hang" ? { result, latency: null, cleanup: row.cleanup } : { result, latency, ...row }
  )
  interface Given extends Pick<Options, "concurrency"> {
    readonly rows: ReadonlyArray<Row>
    readonly delay: number
    readonly background: boolean
    readonly fatal: boolean
    readonly asStream: boolean
    readonly interruptAt: number
  }

  const given: FastCheck.Arbitrary<Given> = FastCheck.record({
    rows: FastCheck.array(row, { maxLength: 6 }),
    delay: FastCheck.constantFrom(0, 10, 25, Infinity),
    concurrency: FastCheck.constantFrom(Infinity, 1, 2),
    background: FastCheck.boolean(),
    fatal: FastCheck.boolean(),
    asStream: FastCheck.boolean(),
    interruptAt: FastCheck.integer({ min: 0, max: 150 })
  })

  /** What the events of a race say of its attempts, in the words of the attributes. */
  const toldBy = (events: ReadonlyArray<StaggeredRace.RaceEvent<unknown, unknown>>) => {
    const attempts: Array<{ index: unknown; started: number; by: unknown; ended: number; how: unknown }> = []
    const results = { Failed: "failed", Won: "won", Lost: "lost", SucceededLate: "late" } as const
    for (const event of events) {
      if (event._tag === "Started") {
        const { at, index, startedBy } = event
        attempts[index] = { index, started: at, by: startedBy, ended: NaN, how: undefined }
      } else if (event._tag !== "Decided" && event._tag !== "SourceFailed") {
        Object.assign(attempts[event.index] ?? {}, { ended: event.at, how: results[event._tag] })
      }
    }
    return attempts
  }

  const play = (
    { asStream, background, fatal, interruptAt, rows, ...options }: Given,
    tracer: Tracer.Tracer | undefined
  ) =>
    Effect.gen(function*() {
      const seen = transcript()
      const events: Array<StaggeredRace.RaceEvent<unknown, unknown>> = []
      const list = rows.map((row, index) => candidate(row, index, seen))
      const all: Options = {
        ...options,
        losers: background ? "background" : "await",
        fatal: (cause) => fatal && Cause.isDie(cause),
        onEvent: (event) => Effect.sync(() => events.push(event))
      }
      const outcome = asStream
        ? StaggeredRace.outcomeStream(Stream.fromIterable(list), all)
        : StaggeredRace.outcome(list, all)
      const { endedAt, exit, left } = yield* observe(
        tracer === undefined ? outcome : Effect.withTracer(outcome, tracer),
        { interruptAt }
      )
      deepStrictEqual(left, nothing)
      return { endedAt, events, exit, seen }
    })

  /** But for what differs between any two runs: the ids of fibers, and errors, which an open span is written into. */
  const comparable = ({ endedAt, events, exit, seen }: Effect.Effect.Success<ReturnType<typeof play>>) => ({
    endedAt,
    seen,
    events: events.map((event) => "cause" in event ? { ...event, cause: failed(Exit.failCause(event.cause)) } : event),
    attempts: Exit.isSuccess(exit)
      ? exit.value.attempts.map((attempt) => ({ ...attempt, exit: failed(attempt.exit) }))
      : "interrupted"
  })

  it.live("say the same at the same times, and a tracer changes no race", () =>
    Effect.promise(() =>
      FastCheck.assert(
        FastCheck.asyncProperty(given, (given) =>
          Effect.runPromise(Effect.gen(function*() {
            const recorder = new Recorder()
            const plain = yield* play(given, undefined)
            const traced = yield* play(given, recorder.tracer)
            deepStrictEqual(comparable(traced), comparable(plain))
            const at = (nanos: bigint) => Number(nanos) / 1e6
            const attempts = recorder.named("staggered_race.attempt")
            deepStrictEqual(
              attempts.map(({ attributes, ends, status }) => ({
                index: attributes.get("staggered_race.attempt.index"),
                started: at(status.startTime),
                by: attributes.get("staggered_race.attempt.started_by"),
                ended: status._tag === "Ended" && ends === 1 ? at(status.endTime) : NaN,
                how: attributes.get("staggered_race.attempt.result")
              })),
              toldBy(traced.events)
            )
            const [span] = recorder.named("staggered_race")
            const decided = traced.events.find(({ _tag }) => _tag === "Decided")
            if (span === undefined || decided?._tag !== "Decided") {
              // Interrupted before the race began.
              return deepStrictEqual([recorder.spans.length, given.interruptAt], [0, 0])
            }
            const winner = traced.events.flatMap((event) => event._tag === "Won" ? [event.index] : [])
            deepStrictEqual(
              [Object.fromEntries(span.attributes), span.ends, span.status._tag === "Ended" && at(span.status.endTime)],
              [
                {
                  "staggered_race.decided_by": decided.by,
                  "staggered_race.attempts": attempts.length,
                  ...(winner.length === 1 ? { "staggered_race.winner": winner[0] } : {})
                },
                1,
                traced.endedAt
              ]
            )
          }))),
        { numRuns: 100 }
      )
    ))

  it.live("over every interleaving, also interrupted at any turn: each span ends once, and says what the attempt was", () =>
    Effect.gen(function*() {
      let interrupted = 0
      let ended = 0
      for (let ops = 12; ops <= 72; ops += 2) {
        for (const turns of [null, ops % 5, 5 + ops % 7, 12 + ops % 9]) {
          for (const losers of ["await", "background"] as const) {
            const recorder = new Recorder()
            const gate = yield* Deferred.make<void>()
            const open = Effect.zipRight(Deferred.succeed(gate, void 0), Effect.never)
            const failing = Effect.zipRight(pass(gate), Effect.fail("no"))
            const fiber = yield* StaggeredRace.outcome([pass(gate), failing, pass(gate), open], { delay: 0, losers })
              .pipe(
                Effect.withTracer(recorder.tracer),
                Effect.withMaxOpsBeforeYield(ops),
                Effect.forkDaemon
              )
            if (turns !== null) {
              yield* Effect.repeatN(Effect.yieldNow(), turns)
              yield* Fiber.interruptFork(fiber)
            }
            const exit = yield* Effect.timeout(Fiber.await(fiber), "5 seconds")
            const unended = () => recorder.spans.filter(({ ends }) => ends !== 1).map(described)
            if (losers === "background") {
              yield* Effect.repeat(Effect.yieldNow(), { until: () => unended().length === 0, times: 1000 })
            }
            deepStrictEqual(unended(), [])
            if (Exit.isFailure(exit)) {
              assertTrue(turns !== null && Cause.isInterruptedOnly(exit.cause))
              interrupted++
            } else {
              ended++
              const results = recorder.named("staggered_race.attempt")
                .map(({ attributes }) => attributes.get("staggered_race.attempt.result"))
              if (losers === "await") {
                deepStrictEqual(results, exit.value.attempts.map(({ result }) => result))
              }
              strictEqual(results.filter((result) => result === "won").length, Option.isSome(exit.value.winner) ? 1 : 0)
            }
          }
        }
      }
      // Both must have been seen, or the turns are the wrong ones.
      assertTrue(interrupted > 0 && ended > 0, `${interrupted} interrupted, ${ended} ended`)
    }))
})

describe("telemetry that fails", () => {
  const rows = [fail(10), hang({ cleanup: 5 }), ok(50)]
  const options: Options = { delay: 20, name: "broken" }

  const heard = (self: Effect.Effect<unknown, unknown>) =>
    Effect.gen(function*() {
      const logged: Array<string> = []
      const logger = Logger.make(({ message }) => logged.push(String(Array.isArray(message) ? message[0] : message)))
      const { endedAt, exit, left } = yield* observe(self.pipe(
        Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
        Logger.withMinimumLogLevel(LogLevel.Debug)
      ))
      return {
        seen: { endedAt, exit: failed(exit), left } satisfies Partial<Record<keyof Observed<never, never>, unknown>>,
        logged
      }
    })

  const withoutAttributes = (line: string) => line.replace(/ staggered_race\.\S+=\S*/g, "")

  const broken = () => {
    throw new Error("broken")
  }

  const tracers: ReadonlyArray<
    readonly [name: string, tracer: (recorder: Recorder) => Tracer.Tracer, logged: number, spans: ReadonlyArray<string>]
  > = [
    ["makes no span", ({ tracer }) => ({ ...tracer, span: broken }), 1, []],
    [
      "makes none for attempts",
      ({ tracer }) => ({
        ...tracer,
        span: (name, ...rest) => name === "staggered_race" ? tracer.span(name, ...rest) : broken()
      }),
      3,
      ["staggered_race @0-85 ok"]
    ],
    [
      "takes no attributes of spans that it has made",
      ({ tracer }) => ({
        ...tracer,
        span: (...given) => {
          const span = tracer.span(...given)
          let left = 2
          return Object.assign(span, { attribute: () => left-- > 0 ? undefined : broken() })
        }
      }),
      4,
      [
        "staggered_race @0-85 ok",
        "  staggered_race.attempt @0-10 failed 0",
        "  staggered_race.attempt @10-85 ok",
        "  staggered_race.attempt @30-80 ok"
      ]
    ],
    [
      "ends no span",
      ({ tracer }) => ({
        ...tracer,
        span: (...given) => Object.assign(tracer.span(...given), { end: broken })
      }),
      4,
      [
        "staggered_race @0 has not ended",
        "  staggered_race.attempt @0 has not ended",
        "  staggered_race.attempt @10 has not ended",
        "  staggered_race.attempt @30 has not ended"
      ]
    ]
  ]

  it.live.each(tracers)(
    "a tracer that %s changes no race, and is logged",
    ([, make, times, spans]) =>
      Effect.gen(function*() {
        const recorder = new Recorder()
        const plain = yield* heard(race(rows, { delay: 20 }))
        const { logged, seen } = yield* heard(Effect.withTracer(race(rows, options), make(recorder)))
        deepStrictEqual(seen, plain.seen)
        deepStrictEqual(logged, Array(times).fill("StaggeredRace: tracer failed"))
        deepStrictEqual(recorder.tree().map(withoutAttributes), spans)
      })
  )

  it.live("metrics that throw change neither a race nor its spans, and are logged", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      const plain = yield* heard(race(rows, { delay: 20 }))
      vi.spyOn(StaggeredRace.metrics.races, "unsafeUpdate").mockImplementation(broken)
      vi.spyOn(StaggeredRace.metrics.wasted, "unsafeUpdate").mockImplementation(broken)
      const { logged, seen } = yield* heard(Effect.withTracer(race(rows, options), recorder.tracer))
      deepStrictEqual(seen, plain.seen)
      deepStrictEqual(logged, Array(2).fill("StaggeredRace: telemetry failed"))
      deepStrictEqual(recorder.tree().map(withoutAttributes), [
        "staggered_race @0-85 ok",
        "  staggered_race.attempt @0-10 failed 0",
        "  staggered_race.attempt @10-85 ok",
        "  staggered_race.attempt @30-80 ok"
      ])
    }).pipe(Effect.ensuring(Effect.sync(() => vi.restoreAllMocks()))))
})

/** Everything that is counted under a tag: the names of metrics, their other tags, and their values. */
const counted = (key: string, value: string): Record<string, unknown> =>
  Object.fromEntries(
    Metric.unsafeSnapshot()
      .filter(({ metricKey }) => metricKey.tags.some((tag) => tag.key === key && tag.value === value))
      .map(({ metricKey, metricState }) => {
        const tags = metricKey.tags.filter((tag) => tag.key !== key).map((tag) => `${tag.key}=${tag.value}`)
        return [[metricKey.name, ...tags].join(" "), valueOf(metricState)] as const
      })
      .sort(([left], [right]) => left < right ? -1 : 1)
  )

/** Of a histogram, how many there are in each bucket that is not empty, by its upper boundary. */
const valueOf = (state: unknown): unknown => {
  if (MetricState.isHistogramState(state)) {
    let below = 0
    const buckets = Array.from(state.buckets, ([boundary, count]) => {
      const own = count - below
      below = count
      return [boundary, own] as const
    })
    return { sum: state.sum, ...Object.fromEntries(buckets.filter(([, own]) => own > 0)) }
  }
  return MetricState.isCounterState(state) ? state.count : state
}

describe("metrics", () => {
  it.live("races by what decided them, attempts, times, wins, and what was wasted", () =>
    Effect.gen(function*() {
      const name = "all of it"
      const all: ReadonlyArray<readonly [rows: ReadonlyArray<Row>, options?: Partial<Options>, interruptAt?: number]> =
        [
          [[ok(0)]],
          [[ok(20)]],
          [[fail(10), hang({ cleanup: 5 }), ok(100)]],
          [[hang({ cleanup: 500 }), ok(30)], { losers: "background" }],
          [[fail(5), fail(10)]],
          [[hang(), die(10)], { fatal: Cause.isDie }],
          [[hang()], {}, 1500],
          [[]],
          [[...Array<Row>(7).fill(fail(0)), ok(0)]],
          [[...Array<Row>(8).fill(fail(0)), ok(0)]],
          [[...Array<Row>(20).fill(fail(0)), ok(0)]]
        ]
      for (const [rows, options, interruptAt = null] of all) {
        const { left } = yield* observe(race(rows, { delay: 20, name, ...options }), { interruptAt })
        deepStrictEqual(left, nothing)
      }
      deepStrictEqual(counted("race", name), {
        "staggered_race_attempts": { sum: 50, 0: 1, 1: 3, 2: 3, 3: 1, 8: 1, 10: 1, 50: 1 },
        "staggered_race_decision_seconds unit=s": {
          // 0 four times, 0.015, 0.02, 0.03, 0.05, 0.13 and 1.5
          sum: 0.015 + 0.02 + 0.03 + 0.05 + 0.13 + 1.5,
          0.001: 5,
          0.025: 2,
          0.05: 2,
          0.25: 1,
          2.5: 1
        },
        // 0.125 for the one of the third race, 0.55 of the fourth, 0.03 of the sixth, 1.5 of the one interrupted
        "staggered_race_wasted_seconds unit=s": 0.125 + 0.55 + 0.03 + 1.5,
        "staggered_race_wins index=0": 2,
        "staggered_race_wins index=1": 1,
        "staggered_race_wins index=2": 1,
        "staggered_race_wins index=7": 1,
        "staggered_race_wins index=more": 2,
        "staggered_races decided_by=failures": 2,
        "staggered_races decided_by=fatal": 1,
        "staggered_races decided_by=interruption": 1,
        "staggered_races decided_by=success": 7
      })
    }))

  it.live("have the tags that the caller adds, and are kept without a tracer and with one", () =>
    Effect.gen(function*() {
      const named = race([ok(0)], { delay: 20, name: "tagged" })
      yield* Effect.tagMetrics(named, "region", "a")
      yield* Effect.tagMetrics(Effect.withTracer(named, new Recorder().tracer), "region", "a")
      yield* named
      deepStrictEqual(
        Object.entries(counted("race", "tagged")).filter(([name]) => name.startsWith("staggered_races")),
        [["staggered_races decided_by=success", 1], ["staggered_races region=a decided_by=success", 2]]
      )
    }))

  it.live("none for a race without a name", () =>
    Effect.gen(function*() {
      yield* Effect.tagMetrics(race([ok(0)], { delay: 20 }), "nobody", "yes")
      // Those that Effect keeps of its fibers are there.
      deepStrictEqual(Object.keys(counted("nobody", "yes")).filter((name) => name.startsWith("staggered")), [])
    }))

  it.live.each([[""], [7]])("a name that is none is named: %j", ([name]) =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(race([ok(0)], { delay: 20, name: name as string }))
      strictEqual(
        failed(exit),
        `!IllegalArgumentException: StaggeredRace: option "name" must be a string that is not empty, got ${
          JSON.stringify(name)
        }`
      )
    }))
})

describe("Hedge", () => {
  const call = (options: Partial<Hedge.Options>) => {
    const copies = candidates([hang({ cleanup: 5 }), ok(10)])
    return caller(Hedge.hedgeAll(copies, { delay: 20, ...options }))
  }

  it.live("the copies of a policy with a name have spans of their own, in the place of the race's", () =>
    Effect.gen(function*() {
      deepStrictEqual(yield* traced(call({ name: "reads" })), [
        "caller @0-35 ok",
        "  hedge.attempt @0-35 ok hedge.policy=reads hedge.index=0 hedge.end=lost",
        "  hedge.attempt @20-30 ok hedge.policy=reads hedge.index=1 hedge.end=won"
      ])
      deepStrictEqual(yield* traced(call({ name: "reads" }), 25), [
        "caller @0-30 interrupted",
        "  hedge.attempt @0-30 interrupted hedge.policy=reads hedge.index=0 hedge.end=interrupted",
        "  hedge.attempt @20-25 interrupted hedge.policy=reads hedge.index=1 hedge.end=interrupted"
      ])
    }))

  it.live("those of a policy without a name have none, and nothing is counted", () =>
    Effect.gen(function*() {
      deepStrictEqual(yield* traced(Effect.tagMetrics(call({}), "hedged", "silently")), ["caller @0-35 ok"])
      const kept = Object.keys(counted("hedged", "silently"))
      deepStrictEqual(kept.filter((name) => /^(staggered|hedge)/.test(name)), [])
    }))

  it.live("inside a copy its span is the current one, and a race within it is its child", () =>
    Effect.gen(function*() {
      const copy = race([ok(0)], { delay: 20 })
      deepStrictEqual(yield* traced(Hedge.hedge(copy, { delay: 20, name: "nested" })), [
        "hedge.attempt @0-0 ok hedge.policy=nested hedge.index=0 hedge.end=won",
        "  staggered_race @0-0 ok .decided_by=success .attempts=1 .winner=0",
        "    staggered_race.attempt @0-0 ok .index=0 .started_by=first .result=won"
      ])
    }))
})

describe("HappyEyeballs", () => {
  const connected = (open: (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<string, string>) =>
    caller(HappyEyeballs.connect({ host: "example.com", port: 443 }, open)).pipe(
      Effect.provideService(HappyEyeballs.Resolver, {
        query: (_, family) => Effect.succeed(family === 6 ? ["2001:db8::1"] : ["192.0.2.1"])
      })
    )

  it.live("the span of an attempt says which address it is for, and the caller's says nothing", () =>
    Effect.gen(function*() {
      const seen = yield* traced(
        connected(({ family }) => family === 6 ? Effect.never : Effect.delay(Effect.succeed("open"), 10))
      )
      const server = "server.address=example.com server.port=443"
      deepStrictEqual(seen, [
        "caller @0-260 ok",
        "  staggered_race @0-260 ok .decided_by=success .attempts=2 .winner=1",
        `    staggered_race.attempt @0-260 ok .index=0 .started_by=first ${server} network.peer.address=2001:db8::1 `
        + "network.peer.port=443 network.type=ipv6 .result=lost",
        `    staggered_race.attempt @250-260 ok .index=1 .started_by=delay ${server} network.peer.address=192.0.2.1 `
        + "network.peer.port=443 network.type=ipv4 .result=won"
      ])
    }))

  it.live("where tracing is switched off, nothing is said anywhere", () =>
    Effect.gen(function*() {
      const recorder = new Recorder()
      yield* connected(() => Effect.succeed("open")).pipe(
        Effect.withTracerEnabled(false),
        Effect.withSpan("outer", { captureStackTrace: false }),
        Effect.withTracer(recorder.tracer)
      )
      deepStrictEqual(recorder.spans.map(({ attributes }) => attributes.size), [0])
    }))
})

describe("OpenTelemetry", () => {
  it.live("an exporter gets the spans with their parents, attributes and status", () =>
    Effect.gen(function*() {
      const exporter = new InMemorySpanExporter()
      const sdk = NodeSdk.layer(() => ({
        resource: { serviceName: "test" },
        spanProcessor: new SimpleSpanProcessor(exporter)
      }))
      let spans: ReturnType<typeof exporter.getFinishedSpans> = []
      const program = caller(race([fail(10), hang(), ok(100)], { delay: 20, name: "mirrors" }))
      const failing = Effect.ignore(race([fail(1)], { delay: 20 }))
      const { left } = yield* observe(
        Effect.zipRight(program, failing).pipe(
          Effect.zipRight(Effect.sync(() => spans = exporter.getFinishedSpans())),
          Effect.provide(sdk)
        )
      )
      deepStrictEqual(left, nothing)
      const names = new Map(spans.map((span) => [span.spanContext().spanId, span.name]))
      const millis = ([seconds, nanos]: readonly [number, number]) => seconds * 1000 + nanos / 1e6
      const told = spans.map((span) => ({
        name: span.name,
        parent: names.get(span.parentSpanContext?.spanId ?? ""),
        time: [millis(span.startTime), millis(span.endTime)],
        status: SpanStatusCode[span.status.code],
        attributes: span.attributes
      }))
      const attempt = (index: number, started_by: string, result: string) => ({
        "staggered_race.attempt.index": index,
        "staggered_race.attempt.started_by": started_by,
        "staggered_race.attempt.result": result
      })
      const name = "staggered_race.attempt"
      const parent = "staggered_race"
      deepStrictEqual(told as ReadonlyArray<unknown>, [
        { name, parent, time: [0, 10], status: "ERROR", attributes: attempt(0, "first", "failed") },
        { name, parent, time: [30, 130], status: "OK", attributes: attempt(2, "delay", "won") },
        { name, parent, time: [10, 130], status: "OK", attributes: attempt(1, "failure", "lost") },
        {
          name: parent,
          parent: "caller",
          time: [0, 130],
          status: "OK",
          attributes: {
            "staggered_race.name": "mirrors",
            "staggered_race.decided_by": "success",
            "staggered_race.attempts": 3,
            "staggered_race.winner": 2
          }
        },
        { name: "caller", parent: undefined, time: [0, 130], status: "OK", attributes: {} },
        { name, parent, time: [130, 131], status: "ERROR", attributes: attempt(0, "first", "failed") },
        {
          name: parent,
          parent: undefined,
          time: [130, 131],
          status: "ERROR",
          attributes: { "staggered_race.decided_by": "failures", "staggered_race.attempts": 1 }
        }
      ])
    }))
})
