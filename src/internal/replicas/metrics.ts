import type * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import { inSeconds, Labels } from "../observe.js"
import type { Health } from "./health.js"

/** @internal */
export const metrics = {
  picks: Metric.counter("replica_picks", { description: "Attempts sent, by replica", incremental: true }),
  inFlight: Metric.gauge("replica_in_flight", { description: "Attempts under way, by replica" }),
  wins: Metric.counter("replica_wins", { description: "Answers taken, by replica", incremental: true }),
  ejections: Metric.counter("replica_ejections", { description: "Ejections, by replica", incremental: true }),
  latency: inSeconds(Metric.gauge("replica_latency_seconds", { description: "Mean latency, by replica" }))
}

/**
 * Counts what becomes of the replicas of a set that has a name.
 *
 * @internal
 */
export class SetMetrics {
  private readonly labels: Labels

  constructor(name: string, caller: Fiber.RuntimeFiber<unknown, unknown>) {
    this.labels = Labels.of(caller).and("set", name)
  }

  picked(id: string, { inFlight }: Health): void {
    const { all } = this.labels.and("replica", id)
    metrics.picks.unsafeUpdate(1, all)
    metrics.inFlight.unsafeUpdate(inFlight, all)
  }

  ended(id: string, { inFlight, latency }: Health): void {
    const { all } = this.labels.and("replica", id)
    metrics.inFlight.unsafeUpdate(inFlight, all)
    if (!Number.isNaN(latency)) {
      metrics.latency.unsafeUpdate(latency / 1000, all)
    }
  }

  ejected(id: string): void {
    metrics.ejections.unsafeUpdate(1, this.labels.and("replica", id).all)
  }

  won(id: string): void {
    metrics.wins.unsafeUpdate(1, this.labels.and("replica", id).all)
  }
}
