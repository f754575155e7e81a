import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import type * as MetricState from "effect/MetricState"
import { Hedge } from "../../src/index.js"

// Each bound is 1 % above the one before, up to six seconds. So percentiles are exact to 1 %.
const boundaries = MetricBoundaries.exponential({ start: 0.1, factor: 1.01, count: 1100 })
const milliseconds = Metric.histogram("demo_milliseconds", boundaries)
const late = Metric.histogram("demo_late_milliseconds", boundaries)

const ends = Metric.frequency("demo_ends")

/** Records how long a call has taken, how it has ended, and how much longer it took than the server, if that is known. */
export const record = (run: string) => {
  const [taken, ended] = [Metric.tagged(milliseconds, "run", run), Metric.tagged(ends, "run", run)]
  const delayed = Metric.tagged(late, "run", run)
  return (millis: number, end: string, lateness?: number): Effect.Effect<void> =>
    Metric.update(taken, millis).pipe(
      Effect.zipRight(Metric.update(ended, end)),
      Effect.zipRight(lateness === undefined ? Effect.void : Metric.update(delayed, lateness))
    )
}

/**
 * Records how long a call takes, in milliseconds, and how it ends, which is its value. With `serverTime`, also records
 * how much longer an answered call takes than the server.
 */
export const measured = (run: string) => {
  const recorded = record(run)
  return <E, R>(call: Effect.Effect<string, E, R>, serverTime?: number): Effect.Effect<string, E, R> =>
    Effect.flatMap(Effect.timed(call), ([duration, end]) => {
      const millis = Duration.toMillis(duration)
      const isDelayKnown = end === "answered" && serverTime !== undefined
      return Effect.as(recorded(millis, end, isDelayKnown ? millis - serverTime : undefined), end)
    })
}

/** What a run has recorded so far. */
export interface Figures {
  readonly requests: number
  readonly ends: ReadonlyMap<string, number>
  /** Milliseconds. */
  readonly quantile: (share: number) => number
}

export const figures = (run: string): Effect.Effect<Figures> =>
  Effect.gen(function*() {
    const taken = yield* Metric.value(Metric.tagged(milliseconds, "run", run))
    const { occurrences } = yield* Metric.value(Metric.tagged(ends, "run", run))
    return { requests: taken.count, ends: occurrences, quantile: quantileOf(taken) }
  })

/**
 * Milliseconds. Most answers of the servers take 2 to 6. If the machine adds as much as that spread to one answer in
 * ten, the machine decides which requests are late, and so the delay of the policy.
 */
export const bearableLateness = 4

/** The 90th percentile of how much longer calls take than the server. Milliseconds. */
export const lateness = (run: string): Effect.Effect<number> =>
  Effect.map(Metric.value(Metric.tagged(late, "run", run)), (delays) => quantileOf(delays)(0.9))

const quantileOf = ({ buckets, count, max }: MetricState.MetricState.Histogram) => (share: number): number => {
  const found = buckets.find(([, below]) => below > 0 && below >= share * count)
  return found === undefined ? NaN : Math.min(found[0], max)
}

/** What a policy has counted. */
export interface Hedging {
  readonly hedges: number
  readonly wins: number
  /** Hedges that the budget did not pay for. */
  readonly denied: number
  /** Milliseconds. */
  readonly delay: number
}

export const hedging = (policy: string): Effect.Effect<Hedging> =>
  Effect.gen(function*() {
    const { delay, denied, sent, wins } = Hedge.metrics
    // Another order of the tags is another metric: `policy` comes first.
    const value = <Type, Out>(metric: Metric.Metric<Type, number, Out>, key = "", tag = "") => {
      const own = Metric.tagged(metric, "policy", policy)
      return Metric.value(key === "" ? own : Metric.tagged(own, key, tag))
    }
    return {
      hedges: (yield* value(sent)).count,
      wins: (yield* value(wins, "index", "1")).count,
      denied: (yield* value(denied, "reason", "budget")).count,
      delay: 1000 * (yield* value(delay)).value
    }
  })
