import * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type * as StaggeredRace from "../../StaggeredRace.js"
import type { AnyFiber } from "../observe.js"
import type { HeldBackBy, Start, StartedBy } from "./rules.js"
import type { LazyScope } from "./scope.js"
import { check } from "./settings.js"

/** @internal */
export const CurrentAttempt = Context.Reference<StaggeredRace.CurrentAttempt>()(
  "effect-staggered-race/CurrentAttempt",
  {
    defaultValue: () => Option.none<StaggeredRace.CurrentAttempt>()
  }
)

/** The race, as one of its attempts sees it. */
interface Progress {
  /** Returns the current time. */
  onProgress(index: number, millis: number): number
  onHoldBack(millis: number): void
  onWaive(index: number): void
}

/**
 * The record of one attempt, which the driver fills in as the attempt goes on. The candidate sees it as its
 * `CurrentAttempt`.
 *
 * @internal
 */
export class Attempt<A, E> implements StaggeredRace.CurrentAttempt {
  readonly index: number
  readonly startedAt: number
  readonly dueAt: number
  readonly startedBy: StartedBy
  readonly overlapped: boolean
  /** Unset when the fiber has ended, except for the winner's: the caller inherits from it. */
  fiber: AnyFiber | undefined = undefined
  /** Closed when the attempt ends without winning. */
  scope: LazyScope | undefined = undefined
  endedAt = NaN
  /** Only declared, as `progressedAt`, to save memory: few starts are held back, and few attempts make progress. */
  declare readonly heldBackBy?: HeldBackBy
  declare progressedAt?: number
  exit: Exit.Exit<A, E> | undefined = undefined
  result: StaggeredRace.Attempt<A, E>["result"] | undefined = undefined

  constructor(
    { dueAt, heldBackBy, index, overlapped, startedAt, startedBy }: Start,
    /** Unset when the attempt ends: a winner's finalizers may keep its `CurrentAttempt`, which must not keep the race. */
    private race: Progress | undefined
  ) {
    this.index = index
    this.startedAt = startedAt
    this.dueAt = dueAt
    this.startedBy = startedBy
    this.overlapped = overlapped
    if (heldBackBy !== undefined) {
      this.heldBackBy = heldBackBy
    }
  }

  get isRunning(): boolean {
    return Number.isNaN(this.endedAt)
  }

  /** Whether it can still succeed. A failed attempt keeps running while its scope closes. */
  get mayWin(): boolean {
    return this.isRunning && this.exit === undefined
  }

  // Getters, because few candidates use these: most attempts then make no closures.
  get progress() {
    return (duration: Duration.DurationInput): Effect.Effect<void> =>
      Effect.sync(() => {
        const millis = check.millis("progress", duration)
        if (this.race !== undefined) {
          this.progressedAt = this.race.onProgress(this.index, millis)
        }
      })
  }

  get holdBack() {
    return (duration: Duration.DurationInput): Effect.Effect<void> =>
      Effect.sync(() => this.race?.onHoldBack(check.millis("holdBack", duration)))
  }

  get waiveMinDelay(): Effect.Effect<void> {
    return Effect.sync(() => this.race?.onWaive(this.index))
  }

  /** Keeps the fiber to interrupt it later. An attempt that never suspends has ended by now. */
  runsIn(fiber: AnyFiber): void {
    if (this.result === undefined || this.result === "won") {
      this.fiber = fiber
    }
  }

  /** Closes the scope of an attempt that did not win. The failure of a finalizer becomes part of its exit. */
  giveBack(exit: Exit.Exit<A, E>): Effect.Effect<void> {
    this.exit = exit
    return this.scope === undefined ? Effect.void : Effect.map(Effect.exit(this.scope.close(exit)), (closed) => {
      this.exit = Exit.zipLeft(exit, closed)
    })
  }

  /** Records the end of the fiber. Returns the attempt's exit; `undefined` for the winner, whose value the race has. */
  end(at: number, ended: Exit.Exit<void>): Exit.Exit<A, E> | undefined {
    this.endedAt = at
    this.race = undefined
    if (this.result === "won") {
      return undefined
    }
    this.fiber = undefined
    this.scope = undefined
    this.exit = Exit.isFailure(ended) ? Exit.failCause(ended.cause) : this.exit ?? Exit.interrupt(FiberId.none)
    return this.exit
  }
}

/**
 * The environment of an attempt: the caller's, with its own `CurrentAttempt`, scope and span.
 *
 * @internal
 */
export const contextOf = <R>(
  attempt: Attempt<unknown, unknown>,
  context: Context.Context<R>,
  span: Tracer.Span | undefined
): Context.Context<R> => {
  const services = new Map(context.unsafeMap).set(CurrentAttempt.key, Option.some(attempt))
  if (attempt.scope !== undefined) {
    services.set(Scope.Scope.key, attempt.scope.scope)
  }
  if (span !== undefined) {
    services.set(Tracer.ParentSpan.key, span)
  }
  return Context.unsafeMake(services)
}
