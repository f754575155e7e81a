import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as DefaultServices from "effect/DefaultServices"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Runtime from "effect/Runtime"
import * as Tracer from "effect/Tracer"
import type { AnyFiber } from "./race/fibers.js"
import { failed, guarded } from "./race/events.js"

const defaultTracer = Context.get(DefaultServices.liveServices, Tracer.Tracer)

/**
 * Makes and ends spans, each in the step in which it is asked to: so they are as long as what they stand for, and no
 * interruption comes in between. A tracer that throws is logged, and changes nothing.
 *
 * @internal
 */
export class Spans {
  private readonly time: () => bigint

  private constructor(fiber: AnyFiber, private readonly runtime: Runtime.Runtime<never>) {
    const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    this.time = fiber.getFiberRef(FiberRef.currentTracerTimingEnabled)
      ? () => clock.unsafeCurrentTimeNanos()
      : () => 0n
  }

  /**
   * None where nobody would get to see a span: where tracing is switched off, and where there is no tracer but the one
   * that Effect brings along.
   */
  static of(fiber: AnyFiber, runtime: Runtime.Runtime<never>): Spans | undefined {
    return fiber.currentTracer !== defaultTracer && fiber.getFiberRef(FiberRef.currentTracerEnabled)
      ? new Spans(fiber, runtime)
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
