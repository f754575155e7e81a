import * as Exit from "effect/Exit"
import * as Metric from "effect/Metric"
import type * as Runtime from "effect/Runtime"
import { type AnyFiber, inSeconds, type Kind, Labels, observe, type Telemetry } from "../observe.js"
import { isInterruption } from "../race/causes.js"

/** @internal */
export const metrics = {
  calls: Metric.counter("hedge_calls", { description: "Calls by how they ended", incremental: true }),
  sent: Metric.counter("hedge_sent", { description: "Hedges sent", incremental: true }),
  failovers: Metric.counter("hedge_failovers", {
    description: "Attempts in place of a failed one, without payment",
    incremental: true
  }),
  wins: Metric.counter("hedge_wins", {
    description: "Answers taken, by the attempt that gave them",
    incremental: true
  }),
  denied: Metric.counter("hedge_denied", { description: "Hedges not sent, by the reason", incremental: true }),
  delay: inSeconds(Metric.gauge("hedge_delay_seconds", { description: "The delay of the newest call" })),
  wasted: inSeconds(
    Metric.counter("hedge_wasted_seconds", { description: "Time spent on attempts that lost", incremental: true })
  )
}

/** What a call knows of its attempts. */
interface About {
  readonly isRejected: (index: number) => boolean
  readonly isHedge: (index: number) => boolean
  readonly attributes: ((index: number) => Record<string, unknown>) | undefined
}

/**
 * Updates the metrics of one call of a policy with a name, and observes its race in place of the race's own telemetry.
 *
 * @internal
 */
export class CallMetrics {
  private readonly labels: Labels
  private isWon = false

  constructor(private readonly name: string, caller: AnyFiber) {
    this.labels = Labels.of(caller).and("policy", name)
  }

  /** Observes the race, but not its exit: `onSettled` counts the exit that the caller gets. */
  observe(
    caller: AnyFiber,
    runtime: Runtime.Runtime<never>,
    about: About
  ): Pick<Telemetry, "attemptSpan" | "onEvent"> {
    const { attemptSpan, onEvent } = observe(caller, runtime, this.kind(about))
    return { attemptSpan, onEvent }
  }

  private kind({ attributes, isHedge, isRejected }: About): Kind {
    const { labels, name } = this
    return {
      spans: {
        attempt: "hedge.attempt",
        start: ({ index }) => ({ "hedge.policy": name, "hedge.index": index, ...attributes?.(index) }),
        end: (end) => ({ "hedge.end": end === "late" ? "lost" : end })
      },
      count: {
        start: (index) => {
          if (index > 0) {
            const metric = isHedge(index) ? metrics.sent : metrics.failovers
            metric.unsafeUpdate(1, labels.all)
          }
        },
        end: (end, index, seconds) => {
          if (end === "won") {
            this.isWon = true
            metrics.wins.unsafeUpdate(1, labels.andIndex("index", index).all)
          } else if (end === "lost" || end === "late") {
            metrics.wasted.unsafeUpdate(seconds, labels.all)
          }
        }
      },
      isRejected
    }
  }

  /** The delay in milliseconds, or `Infinity` for a schedule: that has more than one, so the gauge keeps its value. */
  onDelay(millis: number): void {
    if (millis < Infinity) {
      metrics.delay.unsafeUpdate(millis / 1000, this.labels.all)
    }
  }

  onDenied(reason: string): void {
    metrics.denied.unsafeUpdate(1, this.labels.and("reason", reason).all)
  }

  onSettled(exit: Exit.Exit<unknown, unknown>): void {
    const end = isInterruption(exit)
      ? "interrupted"
      : Exit.isFailure(exit)
      ? "failed"
      : this.isWon
      ? "won"
      : "rejected"
    metrics.calls.unsafeUpdate(1, this.labels.and("end", end).all)
  }
}
