import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Metric from "effect/Metric"
import type * as Runtime from "effect/Runtime"
import type * as Tracer from "effect/Tracer"
import type * as StaggeredRace from "../../StaggeredRace.js"
import { indexTag, Labels } from "../metricLabels.js"
import type { AnyFiber } from "../race/fibers.js"
import { isInterruption } from "../race/causes.js"
import { Spans } from "../spans.js"
import type { Telemetry } from "../telemetry.js"

/** @internal */
export const metrics = {
  calls: Metric.counter("hedge_calls", { description: "Calls by how they ended", incremental: true }),
  copies: Metric.counter("hedge_copies", { description: "Copies started besides the first", incremental: true }),
  wins: Metric.counter("hedge_wins", { description: "Answers taken, by the copy that gave them", incremental: true }),
  denied: Metric.counter("hedge_denied", { description: "Copies not sent, by the reason", incremental: true }),
  delay: Metric.gauge("hedge_delay_milliseconds", { description: "The delay of the newest call" }),
  wasted: Metric.counter("hedge_wasted_seconds", { description: "Time spent on copies that lost", incremental: true })
}

type Ended = "won" | "rejected" | "failed" | "interrupted"

/**
 * What one call of a policy with a name tells of itself: to its race, it is what watches it.
 *
 * @internal
 */
export class CallTelemetry implements Telemetry {
  private readonly startedAt: Array<number> = []
  private readonly copies: Array<Tracer.Span | undefined> = []
  private readonly rejected = new Set<number>()
  private readonly spans: Spans | undefined
  private readonly labels: Labels
  private decidedBy: StaggeredRace.DecidedBy | undefined
  private winner: "won" | "rejected" | undefined

  constructor(private readonly name: string, caller: AnyFiber, runtime: Runtime.Runtime<never>) {
    this.spans = Spans.of(caller, runtime)
    this.labels = Labels.of(caller.getFiberRef(FiberRef.currentMetricLabels)).and("policy", name)
  }

  readonly attemptSpan = (index: number): Tracer.Span | undefined => this.copies[index]

  private end(index: number, how: Ended | "lost", exit: Exit.Exit<unknown, unknown>): void {
    const span = this.copies[index]
    this.spans?.annotate(span, { "hedge.end": how })
    this.spans?.end(span, exit)
  }

  /** Milliseconds; more than any for a schedule, which has no single one. */
  onDelay(millis: number): void {
    if (millis < Infinity) {
      metrics.delay.unsafeUpdate(millis, this.labels.all)
    }
  }

  onDenied(reason: string): void {
    metrics.denied.unsafeUpdate(1, this.labels.and("reason", reason).all)
  }

  /** The answer of a copy is not good enough. */
  onRejected(index: number): void {
    this.rejected.add(index)
  }

  readonly onEvent = (event: StaggeredRace.RaceEvent<unknown, unknown>): void => {
    switch (event._tag) {
      case "Started": {
        const { at, index } = event
        this.startedAt[index] = at
        this.copies[index] = this.spans?.begin("hedge.copy", { "hedge.policy": this.name, "hedge.copy": index })
        return index > 0 ? metrics.copies.unsafeUpdate(1, this.labels.all) : undefined
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
        this.end(event.index, this.winner, Exit.void)
        return this.winner === "won"
          ? metrics.wins.unsafeUpdate(1, this.labels.and("copy", indexTag(event.index)).all)
          : undefined
      }
      case "Decided": {
        this.decidedBy = event.by
        return
      }
      case "Lost":
      case "SucceededLate": {
        if (event._tag === "Lost" && this.decidedBy === "interruption") {
          return this.end(event.index, "interrupted", Exit.failCause(event.cause))
        }
        this.end(event.index, "lost", Exit.void)
        const millis = event.at - (this.startedAt[event.index] ?? event.at)
        return metrics.wasted.unsafeUpdate(millis / 1000, this.labels.all)
      }
    }
  }

  onSettled(exit: Exit.Exit<unknown, unknown>): void {
    const ended: Ended = isInterruption(exit)
      ? "interrupted"
      : Exit.isFailure(exit)
      ? "failed"
      : this.winner ?? "rejected"
    metrics.calls.unsafeUpdate(1, this.labels.and("end", ended).all)
  }
}
