import * as Effect from "effect/Effect"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as RuntimeFlags from "effect/RuntimeFlags"
import * as RuntimeFlagsPatch from "effect/RuntimeFlagsPatch"
import { runEvents, type RunOptions } from "./eventClock.js"

const failures = Metric.counter("effect_fiber_failures", { incremental: true })
let runs = 0

/**
 * Runs an effect and returns all that was logged, at any level, and how many fibers failed by Effect's own metric. The
 * fiber that runs the effect is not counted. Unhandled failures are logged as errors.
 */
export const overhear = (self: Effect.Effect<unknown, unknown>, options?: RunOptions) => {
  const logged: Array<string> = []
  const logger = Logger.make(({ logLevel, message }) => logged.push(`${logLevel.label} ${[message].flat()[0]}`))
  const run = `${runs++}`
  const { left } = runEvents(
    Effect.exit(self).pipe(
      Effect.provide(Logger.replace(Logger.defaultLogger, logger)),
      Logger.withMinimumLogLevel(LogLevel.All),
      Effect.withUnhandledErrorLogLevel(Option.some(LogLevel.Error)),
      Effect.withRuntimeFlagsPatch(RuntimeFlagsPatch.enable(RuntimeFlags.RuntimeMetrics)),
      Effect.tagMetrics("overheard", run)
    ),
    options
  )
  const { count } = Effect.runSync(Metric.value(Metric.tagged(failures, "overheard", run)))
  return { left, logged, failures: count }
}
