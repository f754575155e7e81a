import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import type * as StaggeredRace from "../../StaggeredRace.js"
import type { Pace } from "./pace.js"
import type { LazyScope } from "./scope.js"
import { check } from "./settings.js"

/** @internal */
export type AnyFiber = Fiber.RuntimeFiber<unknown, unknown>

/**
 * An attempt from its start on, mutated by the coordinator alone: what is not `readonly` is set as it becomes known.
 * To the candidate it is the `CurrentAttempt`.
 *
 * @internal
 */
export class Started<A, E> implements StaggeredRace.CurrentAttempt {
  /** While it can be interrupted. */
  fiber: AnyFiber | undefined = undefined
  /** While it is open and the attempt's own. */
  scope: LazyScope | undefined = undefined
  endedAt = NaN
  exit: Exit.Exit<A, E> | undefined = undefined
  result: StaggeredRace.Attempt<A, E>["result"] | undefined = undefined

  constructor(
    readonly index: number,
    readonly startedAt: number,
    readonly dueAt: number,
    readonly startedBy: StaggeredRace.StartedBy,
    /** Whether all earlier attempts had ended. */
    readonly afterAll: boolean,
    /** While it runs: a winner's finalizers may hold their `CurrentAttempt` for long, but not the race. */
    public pace: Pick<Pace<never>, "holdBack"> | undefined
  ) {}

  // Made when it is asked for: few candidates do.
  get progress() {
    return (duration: Duration.DurationInput): Effect.Effect<void> =>
      Effect.sync(() => {
        const millis = check.millis("progress", duration)
        this.pace?.holdBack(this.index, millis)
      })
  }
}
