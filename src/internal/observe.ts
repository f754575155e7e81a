import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import { constant } from "effect/Function"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import * as MetricLabel from "effect/MetricLabel"
import * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"
import type * as StaggeredRace from "../StaggeredRace.js"

/** @internal */
export type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>
type AnyEvent = StaggeredRace.RaceEvent<unknown, unknown>
type Started = Extract<AnyEvent, { readonly _tag: "Started" }>
type Decided = Extract<AnyEvent, { readonly _tag: "Decided" }>

/**
 * Observes one run of a race. The race calls it synchronously, in the step in which something happens. A user's
 * `onEvent`, in contrast, runs in a fiber of its own.
 *
 * @internal
 */
export interface Telemetry {
  /** The parent span of the attempts, the source, the schedule and the event handler. */
  readonly span?: Tracer.Span | undefined
  /** The span of a running attempt, and the parent of all spans inside it. */
  readonly attemptSpan: (index: number) => Tracer.Span | undefined
  readonly onEvent: (event: AnyEvent) => void
  /** The race returns this exit to its caller. */
  readonly onEnd?: (exit: Exit.Exit<unknown, unknown>) => void
}

/**
 * Makes the observer of a race that begins, or none if nobody would see the result.
 *
 * @internal
 */
export type Watch = (
  caller: AnyFiber,
  runtime: Runtime.Runtime<never>,
  name: string | undefined
) => Telemetry | undefined

/**
 * Logs the failure of an observer. The race goes on.
 *
 * @internal
 */
export const failed = (who: "onEvent" | "telemetry" | "tracer", cause: Cause.Cause<unknown>): Effect.Effect<void> =>
  Effect.logDebug(`StaggeredRace: ${who} failed`, cause)

/**
 * Runs an observer's code, and logs what it throws.
 *
 * @internal
 */
export const guarded = (
  runtime: Runtime.Runtime<never>,
  who: "onEvent" | "telemetry" | "tracer",
  f: () => void
): void => {
  try {
    f()
  } catch (thrown) {
    logged(runtime, failed(who, Cause.die(thrown)))
  }
}

/** Ignores failures: a supervisor that lets no fiber start stops this one, too. */
const logged = (runtime: Runtime.Runtime<never>, log: Effect.Effect<void>): void => {
  try {
    Runtime.runFork(runtime, log)
  } catch {
    return
  }
}

type Attributes = Record<string, unknown>

/**
 * Monotonic milliseconds: they do not jump when somebody sets the wall clock.
 *
 * @internal
 */
export const elapsed = (clock: Clock.Clock): number => Number(clock.unsafeCurrentTimeNanos()) / 1e6

const clockOf = (fiber: AnyFiber): Clock.Clock => Context.get(fiber.currentDefaultServices, Clock.Clock)

const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/** Effect's default tracer shows its spans to nobody, so with it a race makes none. */
const isTraced = (fiber: AnyFiber): boolean =>
  fiber.currentTracer !== defaultTracer && fiber.getFiberRef(FiberRef.currentTracerEnabled)

/**
 * Begins and ends spans without suspending. So a span is exactly as long as its race or attempt, and no interruption
 * leaves it open.
 */
class Spans {
  private readonly time: () => bigint

  constructor(fiber: AnyFiber, private readonly runtime: Runtime.Runtime<never>) {
    const clock = clockOf(fiber)
    this.time = fiber.getFiberRef(FiberRef.currentTracerTimingEnabled)
      ? () => clock.unsafeCurrentTimeNanos()
      : () => 0n
  }

  /** Without a `parent`, the span is a child of the caller's current span. */
  begin(name: string, attributes: Attributes, parent?: Tracer.Span): Tracer.Span | undefined {
    const options = { attributes, captureStackTrace: false, ...(parent === undefined ? {} : { parent }) }
    const made = Runtime.runSync(this.runtime, Effect.exit(Effect.makeSpan(name, options)))
    if (Exit.isFailure(made)) {
      logged(this.runtime, failed("tracer", made.cause))
      return undefined
    }
    return made.value
  }

  annotate(span: Tracer.Span | undefined, attributes: Attributes): void {
    if (span !== undefined) {
      guarded(this.runtime, "tracer", () => {
        for (const key in attributes) {
          span.attribute(key, attributes[key])
        }
      })
    }
  }

  end(span: Tracer.Span | undefined, exit: Exit.Exit<unknown, unknown>): void {
    if (span !== undefined) {
      guarded(this.runtime, "tracer", () => span.end(this.time(), exit))
    }
  }
}

type Tags = ReadonlyArray<MetricLabel.MetricLabel>

/**
 * The tags of metrics. Effect finds a metric fastest by an array of tags that it has seen before, so each combination
 * of tags is made once.
 *
 * @internal
 */
export class Labels {
  private static readonly byTags = new WeakMap<Tags, Labels>()
  private readonly extended = new Map<string, Labels>()

  private constructor(readonly all: Tags) {}

  /** The tags that the caller set with `Effect.tagMetrics`. */
  static of(caller: AnyFiber): Labels {
    const tags = caller.getFiberRef(FiberRef.currentMetricLabels)
    const labels = Labels.byTags.get(tags) ?? new Labels(tags)
    Labels.byTags.set(tags, labels)
    return labels
  }

  and(key: string, value: string): Labels {
    const tag = `${key}=${value}`
    const labels = this.extended.get(tag) ?? new Labels([...this.all, MetricLabel.make(key, value)])
    this.extended.set(tag, labels)
    return labels
  }

  /** Tags an index from 8 on as `more`: an endless race must not make metrics without end. */
  andIndex(key: string, index: number): Labels {
    return this.and(key, index < 8 ? `${index}` : "more")
  }
}

/**
 * How an attempt ended. `rejected`: its answer was not good enough. `interrupted`: it lost because the caller was
 * interrupted. `late`: it succeeded after the decision.
 */
type End = "won" | "failed" | "rejected" | "lost" | "late" | "interrupted"

/**
 * The differences between observing a race and observing a hedged call.
 *
 * @internal
 */
export interface Kind {
  readonly spans: {
    /** The span of the whole run. Without it, the caller's span is the parent of the attempts' spans. */
    readonly run?: { readonly name: string; readonly attributes: Attributes }
    readonly attempt: string
    readonly start: (started: Started) => Attributes
    readonly end: (end: End) => Attributes
    readonly decision?: (by: StaggeredRace.DecidedBy, attempts: number, winner: number | undefined) => Attributes
  }
  /** Updates metrics, after the spans: a metric that throws must not leave a span open. */
  readonly count?: {
    readonly start?: (index: number) => void
    readonly end: (end: End, index: number, seconds: number) => void
    readonly decision?: (decided: Decided, attempts: number, winner: number | undefined) => void
  } | undefined
  /** Whether the answer of the attempt was not good enough. */
  readonly isRejected?: (index: number) => boolean
}

/** Turns the events of a race into spans and metrics, at the time of each event. */
class Observer implements Telemetry {
  readonly span: Tracer.Span | undefined
  private readonly clock: Clock.Clock
  private readonly running = new Map<number, { readonly startedAt: number; readonly span: Tracer.Span | undefined }>()
  private attempts = 0
  private winner: number | undefined
  private isInterrupted = false

  constructor(caller: AnyFiber, private readonly spans: Spans | undefined, private readonly kind: Kind) {
    const { run } = kind.spans
    this.clock = clockOf(caller)
    this.span = run && spans?.begin(run.name, run.attributes)
  }

  readonly attemptSpan = (index: number): Tracer.Span | undefined => this.running.get(index)?.span

  readonly onEvent = (event: AnyEvent): void => {
    switch (event._tag) {
      case "Started": {
        return this.start(event)
      }
      case "Failed": {
        return this.isRejected(event.index)
          ? this.end("rejected", event, Exit.void)
          : this.end("failed", event, Exit.failCause(event.cause))
      }
      case "Won": {
        this.winner = event.index
        return this.end(this.isRejected(event.index) ? "rejected" : "won", event, Exit.void)
      }
      case "Decided": {
        return this.decide(event)
      }
      case "Lost": {
        return this.isInterrupted
          ? this.end("interrupted", event, Exit.failCause(event.cause))
          : this.end("lost", event, Exit.void)
      }
      case "SucceededLate": {
        return this.end("late", event, Exit.void)
      }
    }
  }

  readonly onEnd = (exit: Exit.Exit<unknown, unknown>): void => this.spans?.end(this.span, exit)

  private isRejected(index: number): boolean {
    return this.kind.isRejected?.(index) ?? false
  }

  private start(event: Started): void {
    const { kind: { count, spans: told }, span: parent, spans } = this
    this.attempts++
    // If the tracer could not make the run's span, the caller's span would become the parent of the attempt's.
    const isOrphan = told.run !== undefined && parent === undefined
    const span = isOrphan ? undefined : spans?.begin(told.attempt, told.start(event), parent)
    this.running.set(event.index, { startedAt: elapsed(this.clock), span })
    count?.start?.(event.index)
  }

  private end(end: End, { index }: { readonly index: number }, exit: Exit.Exit<void, unknown>): void {
    const now = elapsed(this.clock)
    const { span, startedAt } = this.running.get(index) ?? { startedAt: now }
    this.running.delete(index)
    this.spans?.annotate(span, this.kind.spans.end(end))
    this.spans?.end(span, exit)
    this.kind.count?.end(end, index, (now - startedAt) / 1000)
  }

  private decide(decided: Decided): void {
    const { attempts, kind: { count, spans: told }, winner } = this
    this.isInterrupted = decided.by === "interruption"
    this.spans?.annotate(this.span, told.decision?.(decided.by, attempts, winner) ?? {})
    count?.decision?.(decided, attempts, winner)
  }
}

/**
 * Observes one run. It makes spans only if there is a tracer.
 *
 * @internal
 */
export const observe = (caller: AnyFiber, runtime: Runtime.Runtime<never>, kind: Kind): Telemetry =>
  new Observer(caller, isTraced(caller) ? new Spans(caller, runtime) : undefined, kind)

/**
 * Adds the tag from which OpenTelemetry exporters read the unit.
 *
 * @internal
 */
export const inSeconds: <Type, In, Out>(metric: Metric.Metric<Type, In, Out>) => Metric.Metric<Type, In, Out> = Metric
  .tagged("unit", "s")

/** @internal */
export const metrics = {
  races: Metric.counter("staggered_races", { description: "Races by what decided them", incremental: true }),
  attempts: Metric.histogram(
    "staggered_race_attempts",
    MetricBoundaries.fromIterable([0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50, 100]),
    "Attempts per race"
  ),
  decision: inSeconds(Metric.histogram(
    "staggered_race_decision_seconds",
    MetricBoundaries.fromIterable([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]),
    "Time until races were decided"
  )),
  wins: Metric.counter("staggered_race_wins", { description: "Wins by the winner's index", incremental: true }),
  wasted: inSeconds(Metric.counter("staggered_race_wasted_seconds", {
    description: "Time spent on attempts that lost",
    incremental: true
  }))
}

const counting = (caller: AnyFiber, name: string): NonNullable<Kind["count"]> => {
  const clock = clockOf(caller)
  const begunAt = elapsed(clock)
  const labels = Labels.of(caller).and("race", name)
  return {
    end: (end, _, seconds) => {
      if (end === "lost" || end === "late" || end === "interrupted") {
        metrics.wasted.unsafeUpdate(seconds, labels.all)
      }
    },
    decision: ({ by }, attempts, winner) => {
      metrics.races.unsafeUpdate(1, labels.and("decided_by", by).all)
      metrics.attempts.unsafeUpdate(attempts, labels.all)
      metrics.decision.unsafeUpdate((elapsed(clock) - begunAt) / 1000, labels.all)
      if (winner !== undefined) {
        metrics.wins.unsafeUpdate(1, labels.andIndex("index", winner).all)
      }
    }
  }
}

/**
 * Observes races: with spans if there is a tracer, with metrics if the race has a name. `attributesOf` gives further
 * attributes for the spans of attempts.
 *
 * @internal
 */
export const watch = (attributesOf: (index: number) => Attributes = constant({})): Watch => (caller, runtime, name) =>
  name === undefined && !isTraced(caller) ? undefined : observe(caller, runtime, {
    spans: {
      run: { name: "staggered_race", attributes: name === undefined ? {} : { "staggered_race.name": name } },
      attempt: "staggered_race.attempt",
      start: ({ index, startedBy }) => ({
        "staggered_race.attempt.index": index,
        "staggered_race.attempt.started_by": startedBy,
        ...attributesOf(index)
      }),
      end: (end) => ({ "staggered_race.attempt.result": end === "interrupted" ? "lost" : end }),
      decision: (by, attempts, winner) => ({
        "staggered_race.decided_by": by,
        "staggered_race.attempts": attempts,
        ...(winner === undefined ? {} : { "staggered_race.winner": winner })
      })
    },
    count: name === undefined ? undefined : counting(caller, name)
  })
