import type * as Exit from "effect/Exit"
import type * as Runtime from "effect/Runtime"
import type * as Tracer from "effect/Tracer"
import type { RaceEvent } from "../StaggeredRace.js"
import type { AnyFiber } from "./race/fibers.js"

/**
 * What watches one run of a race, in the very step in which something happens, where a handler of events hears of it
 * in a fiber of its own.
 *
 * @internal
 */
export interface Telemetry {
  /** What the race does is done within it: attempts, the source, the schedule and the handler of events. */
  readonly span?: Tracer.Span | undefined
  /** While it runs; what an attempt does is done within it. */
  readonly attemptSpan: (index: number) => Tracer.Span | undefined
  readonly onEvent: (event: RaceEvent<unknown, unknown>) => void
  /** The race has ended, and this is what it gives to its caller. */
  readonly onEnd?: (exit: Exit.Exit<unknown, unknown>) => void
}

/**
 * Who watches a race that begins; with nobody to tell, nobody.
 *
 * @internal
 */
export type Watch = (
  caller: AnyFiber,
  runtime: Runtime.Runtime<never>,
  name: string | undefined
) => Telemetry | undefined
