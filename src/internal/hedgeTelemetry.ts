import type * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import * as MetricLabel from "effect/MetricLabel"
import type * as Tracer from "effect/Tracer"
import type * as StaggeredRace from "../StaggeredRace.js"

/** @internal */
export const metrics = {
  calls: Metric.counter("hedge_calls", { description: "Calls by how they ended", incremental: true }),
  copies: Metric.counter("hedge_copies", { description: "Copies sent besides the first", incremental: true }),
  wins: Metric.counter("hedge_wins", { description: "Answers taken, by the copy that gave them", incremental: true }),
  denied: Metric.counter("hedge_denied", { description: "Copies not sent, by the reason", incremental: true }),
  delay: Metric.gauge("hedge_delay_milliseconds", { description: "The delay of the newest call" }),
  wasted: Metric.counter("hedge_wasted_seconds", { description: "Time spent on copies that lost", incremental: true })
}

type Ended = "won" | "rejected" | "failed" | "interrupted"

/** The labels of a policy. A metric finds its place by the very array, so each is made once. */
class Labels {
  private readonly tagged = new Map<string, ReadonlyArray<MetricLabel.MetricLabel>>()

  constructor(readonly all: ReadonlyArray<MetricLabel.MetricLabel>) {}

  and(key: string, value: string | number): ReadonlyArray<MetricLabel.MetricLabel> {
    const tag = `${key}=${value}`
    const known = this.tagged.get(tag)
    if (known !== undefined) {
      return known
    }
    const made = [...this.all, MetricLabel.make(key, `${value}`)]
    this.tagged.set(tag, made)
    return made
  }
}

/**
 * What the calls of a policy with a name tell of themselves.
 *
 * @internal
 */
export class Telemetry {
  /** By the labels that callers add to all metrics. */
  private readonly labels = new WeakMap<ReadonlyArray<MetricLabel.MetricLabel>, Labels>()

  constructor(private readonly name: string) {}

  /** That of one call. */
  begin(clock: Clock.Clock): Effect.Effect<CallTelemetry> {
    return Effect.map(FiberRef.get(FiberRef.currentMetricLabels), (added) => {
      const labels = this.labels.get(added) ?? new Labels([...added, MetricLabel.make("policy", this.name)])
      this.labels.set(added, labels)
      return new CallTelemetry(this.name, labels, clock)
    })
  }
}

/** @internal */
export class CallTelemetry {
  private readonly startedAt: Array<number> = []
  private readonly spans: Array<Tracer.Span | undefined> = []
  private readonly rejected = new Set<number>()
  private decidedBy: StaggeredRace.DecidedBy | undefined
  private winner: "won" | "rejected" | undefined

  constructor(
    private readonly name: string,
    private readonly labels: Labels,
    private readonly clock: Clock.Clock
  ) {}

  /** The copy within a span of its own, a child of the caller's. */
  spanned<A, E, R>(index: number, copy: Effect.Effect<A, E, R>): Effect.Effect<A, E, R> {
    const attributes = { "hedge.policy": this.name, "hedge.copy": index }
    return Effect.flatMap(Effect.makeSpan("hedge.copy", { attributes, captureStackTrace: false }), (span) => {
      this.spans[index] = span
      return Effect.withParentSpan(copy, span)
    })
  }

  private end(index: number, how: Ended | "lost", exit: Exit.Exit<unknown, unknown>): void {
    const span = this.spans[index]
    span?.attribute("hedge.end", how)
    span?.end(this.clock.unsafeCurrentTimeNanos(), exit)
  }

  /** Milliseconds; more than any for a schedule, which has no single one. */
  onDelay(millis: number): void {
    if (millis < Infinity) {
      metrics.delay.unsafeUpdate(millis, this.labels.all)
    }
  }

  onDenied(reason: string): void {
    metrics.denied.unsafeUpdate(1, this.labels.and("reason", reason))
  }

  /** The answer of a copy is not good enough. */
  onRejected(index: number): void {
    this.rejected.add(index)
  }

  onEvent(event: StaggeredRace.RaceEvent<unknown, unknown>): void {
    switch (event._tag) {
      case "Started": {
        this.startedAt[event.index] = event.at
        return event.index > 0 ? metrics.copies.unsafeUpdate(1, this.labels.all) : undefined
      }
      case "Failed": {
        const isRejected = this.rejected.has(event.index)
        return this.end(
          event.index,
          isRejected ? "rejected" : "failed",
          isRejected ? Exit.void : Exit.failCause(event.cause)
        )
      }
      case "Won": {
        this.winner = this.rejected.has(event.index) ? "rejected" : "won"
        if (this.winner === "won") {
          metrics.wins.unsafeUpdate(1, this.labels.and("copy", event.index))
        }
        return this.end(event.index, this.winner, Exit.void)
      }
      case "Decided": {
        this.decidedBy = event.by
        return
      }
      case "Lost":
      case "SucceededLate": {
        metrics.wasted.unsafeUpdate((event.at - (this.startedAt[event.index] ?? event.at)) / 1000, this.labels.all)
        return event._tag === "Lost" && this.decidedBy === "interruption"
          ? this.end(event.index, "interrupted", Exit.failCause(event.cause))
          : this.end(event.index, "lost", Exit.void)
      }
    }
  }

  onEnd(exit: Exit.Exit<unknown, unknown>): void {
    const ended: Ended = Exit.isInterrupted(exit)
      ? "interrupted"
      : Exit.isFailure(exit)
      ? "failed"
      : this.winner ?? "rejected"
    metrics.calls.unsafeUpdate(1, this.labels.and("end", ended))
  }
}
