import type * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import * as RuntimeFlags from "effect/RuntimeFlags"
import type { AnyFiber } from "../observe.js"

// A fiber starts in place, on the stack of the fiber that starts it. Races that are nested deeper than this start their
// fibers from the scheduler, so that no depth of nesting overflows the stack.
const maxDepth = 16
const inPlace = { immediate: true }
const fromScheduler = { immediate: false }
let depth = 0

/**
 * The fibers that one run of a race starts, and how the caller's fiber waits for them.
 *
 * @internal
 */
export class Fibers<R> {
  running = 0
  /** Whether anything has changed since the last `look`. */
  private hasChanged = false
  private wake: ((_: Effect.Effect<void>) => void) | undefined
  private latches: Set<Effect.Latch> | undefined

  constructor(
    private readonly runtime: Runtime.Runtime<R>,
    private readonly race: { onChange(): void }
  ) {}

  /** Whether a fiber would start in place now. One that never suspends has then ended when `fork` returns. */
  get startInPlace(): boolean {
    return depth < maxDepth
  }

  /** Starts a fiber that ends in an `Exit`, so that it is never logged or counted as unhandled. */
  fork<A, E>(effect: Effect.Effect<A, E, R>, onExit: (exit: Exit.Exit<A, E>) => void): AnyFiber {
    return this.start(this.runtime.context, Effect.exit(effect), (exit) => this.ended(() => onExit(Exit.flatten(exit))))
  }

  /** Records that a fiber has ended. `tell` comes before the wake-ups, so whoever wakes sees the new state. */
  ended(tell: () => void): void {
    this.running--
    tell()
    this.latches?.forEach((latch) => latch.unsafeOpen())
    this.race.onChange()
  }

  /** Starts a fiber; `onExit` must call `ended`. Counts it only when it has started, because a supervisor may throw. */
  start<A>(
    context: Context.Context<R>,
    effect: Effect.Effect<A, never, R>,
    onExit: (exit: Exit.Exit<A>) => void
  ): AnyFiber {
    const { fiberRefs, runtimeFlags } = this.runtime
    const how = this.startInPlace ? inPlace : fromScheduler
    depth++
    try {
      const fiber = Runtime.runFork(Runtime.make({ context, fiberRefs, runtimeFlags }), effect, how)
      this.running++
      fiber.addObserver(onExit)
      return fiber
    } finally {
      depth--
    }
  }

  /**
   * Gives the caller's fiber the `FiberRef`s and runtime flags that the winner has changed. It leaves out the context:
   * in it, the winner has an index and a scope of its own.
   *
   * To inherit costs as much as half a fiber, and most winners change nothing. Effect returns only copies of a fiber's
   * `FiberRef`s, so this looks into the fiber itself to compare. If it finds none there, the caller inherits all.
   */
  inherit(winner: AnyFiber): Effect.Effect<void> {
    const { context, fiberRefs, runtimeFlags } = this.runtime
    const { _fiberRefs: refs, currentRuntimeFlags: flags }: Seen = winner
    if (flags !== runtimeFlags && flags !== RuntimeFlags.enable(runtimeFlags, RuntimeFlags.WindDown)) {
      const own = FiberRef.set(FiberRef.currentContext, context as Context.Context<never>)
      return Effect.zipRight(Fiber.inheritAll(winner), own)
    }
    return refs !== undefined && isEqualButForContext(refs, fiberRefs)
      ? Effect.void
      : Effect.inheritFiberRefs(FiberRefs.delete(winner.getFiberRefs(), FiberRef.currentContext))
  }

  // Waiting.

  /** Must come before the state is read: a change after this call ends the next `pause` at once. */
  look(): void {
    this.hasChanged = false
  }

  /**
   * Suspends the caller's fiber until something has changed since the last `look`. Effect's latch would do the same,
   * but to await one takes 3 kB, a quarter of a fiber.
   */
  readonly pause = Effect.async<void>((resume) => {
    if (this.hasChanged) {
      resume(Effect.void)
    } else {
      this.wake = resume
    }
  })

  stir(): void {
    const { wake } = this
    this.hasChanged = true
    this.wake = undefined
    wake?.(Effect.void)
  }

  onChange(): void {
    this.race.onChange()
  }

  /** Waits until at most this many are running. Several fibers may wait at the same time. */
  leftAre(count: () => number): Effect.Effect<void> {
    return Effect.suspend(() => {
      const latch = Effect.unsafeMakeLatch()
      const latches = this.latches ??= new Set()
      latches.add(latch)
      const left = Effect.whileLoop({
        while: () => this.running > count(),
        body: () => {
          latch.unsafeClose()
          return latch.await
        },
        step: constVoid
      })
      return Effect.ensuring(left, Effect.sync(() => latches.delete(latch)))
    })
  }
}

type Seen = object & { readonly _fiberRefs?: FiberRefs.FiberRefs; readonly currentRuntimeFlags?: unknown }

const isEqualButForContext = (refs: FiberRefs.FiberRefs, others: FiberRefs.FiberRefs): boolean => {
  for (const [fiberRef, values] of refs.locals) {
    if (others.locals.get(fiberRef) !== values && fiberRef !== FiberRef.currentContext) {
      return false
    }
  }
  return true
}

/**
 * Runs effects in other fibers with the environment and the `FiberRef`s of this one.
 *
 * @internal
 */
export const runtimeOf = <R>(fiber: AnyFiber, runtimeFlags: RuntimeFlags.RuntimeFlags): Runtime.Runtime<R> =>
  Runtime.make({ context: fiber.currentContext as Context.Context<R>, fiberRefs: fiber.getFiberRefs(), runtimeFlags })
