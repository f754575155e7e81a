import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import type * as RuntimeFlags from "effect/RuntimeFlags"
import type { AnyFiber } from "../observe.js"
import type { Fork } from "./source.js"

// Fibers start in place, on the stack of the one that starts them. Races nested deeper than this start theirs from the
// scheduler, so that no depth of nesting overflows the stack.
const maxDepth = 16
let depth = 0

/**
 * Runs what a fiber runs for itself in other fibers.
 *
 * @internal
 */
export const runtimeOf = <R>(fiber: AnyFiber, runtimeFlags: RuntimeFlags.RuntimeFlags): Runtime.Runtime<R> =>
  Runtime.make({ context: fiber.currentContext as Context.Context<R>, fiberRefs: fiber.getFiberRefs(), runtimeFlags })

/**
 * The fibers of one run of a race beside the caller's, and the latch that opens when one has ended.
 *
 * @internal
 */
export class Fibers<R> {
  /** How many have not ended. */
  running = 0
  readonly changed = Effect.unsafeMakeLatch()

  constructor(
    private readonly caller: AnyFiber,
    private readonly runtime: Runtime.Runtime<R>,
    /** The end of a fiber, when it has been told. */
    private readonly onEnd: () => void
  ) {}

  /** Whether a fiber that is started now starts in place. One that never suspends has ended then when `fork` returns. */
  get startInPlace(): boolean {
    return depth < maxDepth
  }

  /** A fiber that ends in an `Exit` is never logged or counted as unhandled. */
  readonly fork: Fork<R> = (effect, onExit) =>
    this.forkIn(this.runtime.context, Effect.exit(effect), (exit) => onExit(Exit.flatten(exit)))

  /** It is counted when it has started: a supervisor may have thrown. */
  forkIn<A>(
    context: Context.Context<R>,
    effect: Effect.Effect<A, never, R>,
    onExit: (exit: Exit.Exit<A>) => void
  ): AnyFiber {
    const { caller, runtime: { fiberRefs, runtimeFlags } } = this
    const immediate = this.startInPlace
    // The context counts as the caller's own, so that it is not inherited with what the winner has changed.
    const updateRefs = (_: FiberRefs.FiberRefs, fiberId: FiberId.Runtime) =>
      FiberRefs.updateAs(FiberRefs.forkAs(fiberRefs, fiberId), {
        fiberId: caller.id(),
        fiberRef: FiberRef.currentContext,
        value: context
      })
    depth++
    try {
      const fiber = Runtime.runFork(
        Runtime.make({ context, fiberRefs: FiberRefs.empty(), runtimeFlags }),
        effect,
        { immediate, updateRefs }
      )
      this.running++
      fiber.addObserver((exit) => {
        this.running--
        onExit(exit)
        this.onEnd()
      })
      return fiber
    } finally {
      depth--
    }
  }

  /** Waits until no more than so many are left. */
  leftAre(count: () => number): Effect.Effect<void> {
    return Effect.whileLoop({
      while: () => this.running > count(),
      body: () => {
        this.changed.unsafeClose()
        return this.changed.await
      },
      step: constVoid
    })
  }
}
