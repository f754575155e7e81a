import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as MetricBoundaries from "effect/MetricBoundaries"
import { Hedge } from "../../src/index.js"

// A hundredth from each to the next, up to six seconds: that is how exact percentiles are.
const milliseconds = Metric.histogram(
  "demo_milliseconds",
  MetricBoundaries.exponential({ start: 0.1, factor: 1.01, count: 1100 })
)

const ends = Metric.frequency("demo_ends")

/** Records how long a call takes, and how it ends, which is what it succeeds with. */
export const measured = (run: string) => {
  const [taken, ended] = [Metric.tagged(milliseconds, "run", run), Metric.tagged(ends, "run", run)]
  return <E, R>(call: Effect.Effect<string, E, R>): Effect.Effect<string, E, R> =>
    call.pipe(Metric.trackDurationWith(taken, Duration.toMillis), Effect.tap((end) => Metric.update(ended, end)))
}

/** What was recorded so far. */
export interface Figures {
  readonly requests: number
  readonly ends: ReadonlyMap<string, number>
  /** Milliseconds. */
  readonly quantile: (share: number) => number
}

export const figures = (run: string): Effect.Effect<Figures> =>
  Effect.gen(function*() {
    const { buckets, count, max } = yield* Metric.value(Metric.tagged(milliseconds, "run", run))
    const { occurrences } = yield* Metric.value(Metric.tagged(ends, "run", run))
    return {
      requests: count,
      ends: occurrences,
      quantile: (share) => {
        const found = buckets.find(([, below]) => below > 0 && below >= share * count)
        return found === undefined ? NaN : Math.min(found[0], max)
      }
    }
  })

/** What a policy tells of itself. */
export interface Hedging {
  readonly copies: number
  readonly wins: number
  /** Copies that the budget did not allow. */
  readonly denied: number
  /** Milliseconds. */
  readonly delay: number
}

export const hedging = (policy: string): Effect.Effect<Hedging> =>
  Effect.gen(function*() {
    const { copies, delay, denied, wins } = Hedge.metrics
    // The order of the tags matters: that of the policy is the first.
    const value = <Type, Out>(metric: Metric.Metric<Type, number, Out>, key = "", tag = "") => {
      const own = Metric.tagged(metric, "policy", policy)
      return Metric.value(key === "" ? own : Metric.tagged(own, key, tag))
    }
    return {
      copies: (yield* value(copies)).count,
      wins: (yield* value(wins, "copy", "1")).count,
      denied: (yield* value(denied, "reason", "budget")).count,
      delay: (yield* value(delay)).value
    }
  })
