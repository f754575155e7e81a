import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import { constant } from "effect/Function"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import type * as Tracer from "effect/Tracer"
import type * as StaggeredRace from "../StaggeredRace.js"
import { indexTag, Labels } from "./metricLabels.js"
import { Spans } from "./spans.js"
import type { Telemetry, Watch } from "./telemetry.js"

/** @internal */
export const metrics = {
  races: Metric.counter("staggered_races", { description: "Races by what decided them", incremental: true }),
  attempts: Metric.histogram(
    "staggered_race_attempts",
    MetricBoundaries.fromIterable([0, 1, 2, 3, 4, 5, 6, 8, 10, 15, 20, 50, 100]),
    "Attempts per race"
  ),
  decision: Metric.histogram(
    "staggered_race_decision_seconds",
    MetricBoundaries.fromIterable([0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60]),
    "Time until races were decided"
  ),
  wins: Metric.counter("staggered_race_wins", { description: "Wins by the winner's index", incremental: true }),
  wasted: Metric.counter("staggered_race_wasted_seconds", {
    description: "Time spent on attempts that lost",
    incremental: true
  })
}

type Attributes = Record<string, unknown>

interface Running {
  readonly startedAt: number
  readonly span: Tracer.Span | undefined
}

/** What a race tells of itself. Its span and its metrics say the same as its events, at the same times. */
class RaceTelemetry implements Telemetry {
  readonly span: Tracer.Span | undefined
  private readonly running = new Map<number, Running>()
  private readonly startedAt: number
  private attempts = 0
  private winner: number | undefined
  private isInterrupted = false

  constructor(
    clock: Clock.Clock,
    private readonly spans: Spans | undefined,
    private readonly labels: Labels | undefined,
    private readonly attributesOf: (index: number) => Attributes,
    name: string | undefined
  ) {
    this.startedAt = clock.unsafeCurrentTimeMillis()
    this.span = spans?.begin("staggered_race", name === undefined ? {} : { "staggered_race.name": name })
  }

  readonly attemptSpan = (index: number): Tracer.Span | undefined => this.running.get(index)?.span

  readonly onEvent = (event: StaggeredRace.RaceEvent<unknown, unknown>): void => {
    switch (event._tag) {
      case "Started": {
        return this.begin(event)
      }
      case "Failed": {
        return this.end(event, "failed", Exit.failCause(event.cause))
      }
      case "Won": {
        this.winner = event.index
        return this.end(event, "won", Exit.void)
      }
      case "Decided": {
        return this.decide(event)
      }
      case "Lost": {
        return this.end(event, "lost", this.isInterrupted ? Exit.failCause(event.cause) : Exit.void)
      }
      case "SucceededLate": {
        return this.end(event, "late", Exit.void)
      }
    }
  }

  readonly onEnd = (exit: Exit.Exit<unknown, unknown>): void => this.spans?.end(this.span, exit)

  private begin({ at, index, startedBy }: Extract<StaggeredRace.RaceEvent<unknown, unknown>, { _tag: "Started" }>) {
    this.attempts++
    // Without the race's own span there is none to be the parent.
    const span = this.span && this.spans?.begin("staggered_race.attempt", {
      "staggered_race.attempt.index": index,
      "staggered_race.attempt.started_by": startedBy,
      ...this.attributesOf(index)
    }, this.span)
    this.running.set(index, { startedAt: at, span })
  }

  private end(
    { at, index }: { readonly at: number; readonly index: number },
    result: StaggeredRace.Attempt<unknown, unknown>["result"],
    exit: Exit.Exit<void, unknown>
  ) {
    const { span, startedAt } = this.running.get(index) ?? { startedAt: at }
    this.running.delete(index)
    this.spans?.annotate(span, { "staggered_race.attempt.result": result })
    this.spans?.end(span, exit)
    if (this.labels !== undefined && (result === "lost" || result === "late")) {
      metrics.wasted.unsafeUpdate((at - startedAt) / 1000, this.labels.all)
    }
  }

  private decide({ at, by }: { readonly at: number; readonly by: StaggeredRace.DecidedBy }) {
    const { attempts, labels, winner } = this
    this.isInterrupted = by === "interruption"
    this.spans?.annotate(this.span, {
      "staggered_race.decided_by": by,
      "staggered_race.attempts": attempts,
      ...(winner === undefined ? {} : { "staggered_race.winner": winner })
    })
    if (labels !== undefined) {
      metrics.races.unsafeUpdate(1, labels.and("decided_by", by).all)
      metrics.attempts.unsafeUpdate(attempts, labels.all)
      metrics.decision.unsafeUpdate((at - this.startedAt) / 1000, labels.all)
      if (winner !== undefined) {
        metrics.wins.unsafeUpdate(1, labels.and("index", indexTag(winner)).all)
      }
    }
  }
}

/**
 * Has a race make spans, if there is a tracer, and keep metrics, if it has a name. Attempts may have attributes of their
 * own.
 *
 * @internal
 */
export const watch = (attributesOf: (index: number) => Attributes = constant({})): Watch => (caller, runtime, name) => {
  const spans = Spans.of(caller, runtime)
  if (spans === undefined && name === undefined) {
    return undefined
  }
  const clock = Context.get(caller.currentDefaultServices, Clock.Clock)
  const labels = name === undefined
    ? undefined
    : Labels.of(caller.getFiberRef(FiberRef.currentMetricLabels)).and("race", name)
  return new RaceTelemetry(clock, spans, labels, attributesOf, name)
}
