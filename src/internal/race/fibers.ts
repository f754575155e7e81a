import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import type * as RuntimeFlags from "effect/RuntimeFlags"
import * as Scope from "effect/Scope"
import type { AnyFiber } from "./attempt.js"

// Fibers start in place, on the stack of the one that starts them. Races nested deeper than this start theirs from
// the scheduler, so that no depth of nesting overflows the stack.
const maxDepth = 16
const inPlace = { immediate: true }
const fromScheduler = { immediate: false }
let depth = 0

/**
 * Gives the event loop a turn, as no yielding does: fibers that yield give way to other fibers alone.
 *
 * @internal
 */
export const nextTurn = Effect.async<void>((resume) => {
  const timer = setTimeout(() => resume(Effect.void), 0)
  return Effect.sync(() => clearTimeout(timer))
})

/**
 * Runs what a fiber runs for itself in other fibers.
 *
 * @internal
 */
export const runtimeOf = <R>(fiber: AnyFiber, runtimeFlags: RuntimeFlags.RuntimeFlags): Runtime.Runtime<R> =>
  Runtime.make({ context: fiber.currentContext as Context.Context<R>, fiberRefs: fiber.getFiberRefs(), runtimeFlags })

/**
 * The fibers of one run of a race: attempts, the timer, the source's; and the one other fiber that waits for them.
 *
 * @internal
 */
export class Fibers<R> {
  /** How many have not ended. */
  private alive = 0
  /** Whether anything has changed since the last look. */
  private stirred = false
  private wake: ((_: Effect.Effect<void>) => void) | undefined
  private keeper: Scope.CloseableScope | undefined

  constructor(
    private readonly runtime: Runtime.Runtime<R>,
    /** Whether the end of a fiber is worth waking the one that waits. */
    private readonly isWorthALook: () => boolean
  ) {}

  get haveEnded(): boolean {
    return this.alive === 0
  }

  /** Whether a fiber that is started now starts in place. */
  get startInPlace(): boolean {
    return depth < maxDepth
  }

  /** Starts a fiber. One that starts in place and never suspends has ended when this returns. */
  readonly spawn = <A, E>(
    effect: Effect.Effect<A, E, R>,
    onExit: (exit: Exit.Exit<A, E>) => void,
    runtime = this.runtime
  ): Fiber.RuntimeFiber<A, E> => {
    const how = this.startInPlace ? inPlace : fromScheduler
    this.alive++
    depth++
    try {
      const fiber = Runtime.runFork(runtime, effect, how)
      fiber.addObserver((exit) => {
        this.alive--
        onExit(exit)
        this.stir()
        this.dismissKeeper()
      })
      return fiber
    } finally {
      depth--
    }
  }

  /** Called before a look: what changes from here on ends the next `pause`. */
  look(): void {
    this.stirred = false
  }

  /** Suspends until something has changed since the last look. */
  readonly pause = Effect.async<void>((resume) => {
    if (this.stirred) {
      resume(Effect.void)
    } else {
      this.wake = resume
    }
  })

  /** Something has changed. */
  stir(): void {
    if (this.isWorthALook()) {
      this.stirred = true
      this.wake?.(Effect.void)
      this.wake = undefined
    }
  }

  /** Waits for all. */
  readonly ended: Effect.Effect<void> = Effect.whileLoop({
    while: () => this.alive > 0,
    body: () => {
      this.look()
      return this.pause
    },
    step: constVoid
  })

  /** Leaves them to a scope: as that closes, it waits for them before it releases what it got before. */
  keepIn(scope: Scope.Scope): Effect.Effect<void> {
    return Effect.flatMap(Scope.fork(scope, ExecutionStrategy.sequential), (keeper) => {
      this.keeper = keeper
      return Effect.zipRight(Scope.addFinalizer(keeper, this.ended), Effect.sync(() => this.dismissKeeper()))
    })
  }

  private dismissKeeper(): void {
    if (this.alive === 0 && this.keeper !== undefined) {
      Runtime.runFork(this.runtime, Scope.close(this.keeper, Exit.void))
    }
  }
}
