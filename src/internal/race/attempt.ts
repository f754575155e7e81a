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

interface Progress {
  /** Returns the time. */
  onProgress(index: number, millis: number): number
  onHoldBack(millis: number): void
  onWaive(index: number): void
}

/**
 * An attempt from its start on. The driver sets what is not `readonly` as it becomes known; to its candidate it is the
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
  /** The attempt's fiber while it runs. The winner's is kept, since the caller inherits from it. */
  fiber: AnyFiber | undefined = undefined
  /** While it is the attempt's own, to be closed when it ends without winning. */
  scope: LazyScope | undefined = undefined
  endedAt = NaN
  /** Only declared, as the next one: few starts are held back, and few attempts make progress. */
  declare readonly heldBackBy?: HeldBackBy
  declare progressedAt?: number
  exit: Exit.Exit<A, E> | undefined = undefined
  result: StaggeredRace.Attempt<A, E>["result"] | undefined = undefined

  constructor(
    { dueAt, heldBackBy, index, overlapped, startedAt, startedBy }: Start,
    /** While it runs. A winner's finalizers may hold their `CurrentAttempt` for long, but not its race. */
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

  /** Whether it has not answered yet. */
  get mayWin(): boolean {
    return this.isRunning && this.exit === undefined
  }

  // Made when it is asked for: few candidates do.
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

  /** Keeps the fiber to interrupt it later. The attempt may have ended already, as it started. */
  runsIn(fiber: AnyFiber): void {
    if (this.result === undefined || this.result === "won") {
      this.fiber = fiber
    }
  }

  /** Closes the scope of an attempt that did not win. If a finalizer fails, that is part of how the attempt ended. */
  giveBack(exit: Exit.Exit<A, E>): Effect.Effect<void> {
    this.exit = exit
    return this.scope === undefined ? Effect.void : Effect.map(Effect.exit(this.scope.close(exit)), (closed) => {
      this.exit = Exit.zipLeft(exit, closed)
    })
  }

  /** The fiber has ended. Returns how the attempt ended, or `undefined` for the winner, whose value the race has. */
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
 * What an attempt gets to see of itself.
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
