import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"
import { failed, guarded } from "./report.js"

const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/**
 * Makes and ends spans, each in the step in which it is asked to: so they are as long as what they stand for, and no
 * interruption comes in between. A tracer that throws is logged, and changes nothing.
 *
 * @internal
 */
export class Spans {
  private readonly time: () => bigint

  private constructor(private readonly runtime: Runtime.Runtime<never>, clock: Clock.Clock) {
    this.time = FiberRefs.getOrDefault(runtime.fiberRefs, FiberRef.currentTracerTimingEnabled)
      ? () => clock.unsafeCurrentTimeNanos()
      : () => 0n
  }

  /**
   * None where nobody would get to see a span: where tracing is switched off, and where there is no tracer but the one
   * that Effect brings along.
   */
  static of(runtime: Runtime.Runtime<never>): Spans | undefined {
    const services = FiberRefs.getOrDefault(runtime.fiberRefs, DefaultServices.currentServices)
    return Context.get(services, Tracer.Tracer) !== defaultTracer &&
        FiberRefs.getOrDefault(runtime.fiberRefs, FiberRef.currentTracerEnabled)
      ? new Spans(runtime, Context.get(services, Clock.Clock))
      : undefined
  }

  /** A child of the current span, unless it gets another parent. */
  begin(name: string, attributes: Record<string, unknown>, parent?: Tracer.Span): Tracer.Span | undefined {
    const options = { attributes, captureStackTrace: false, ...(parent === undefined ? {} : { parent }) }
    const made = Runtime.runSync(this.runtime, Effect.exit(Effect.makeSpan(name, options)))
    if (Exit.isFailure(made)) {
      Runtime.runFork(this.runtime, failed("tracer", made.cause))
      return undefined
    }
    return made.value
  }

  annotate(span: Tracer.Span | undefined, attributes: Record<string, unknown>): void {
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
