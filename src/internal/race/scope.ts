import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import type * as Exit from "effect/Exit"
import * as FiberRefs from "effect/FiberRefs"
import * as Scope from "effect/Scope"

interface Child {
  readonly scope: Scope.CloseableScope
  /** The child's place in the outer scope. Closed with the child, so that the outer scope forgets it. */
  readonly place: Scope.CloseableScope
}

/** How the outer scope closes a child. `isNew`: the outer scope was closed before the child was made. */
type Closing = (close: Effect.Effect<void>, isNew: boolean) => Effect.Effect<void>

// A stand-in returns its lazy scope for this key. Any other scope returns nothing.
const lazy = Symbol("LazyScope")
const behind = (scope: Scope.Scope): LazyScope | undefined => Reflect.get(scope, lazy)

/**
 * A child of a scope, made on first use. So a candidate that acquires nothing costs no scope. Its win leaves nothing
 * behind in the outer scope, which may stay open as long as the program runs.
 *
 * Effect has no lazy scope, and cannot tell whether a scope is empty. So the attempt gets a stand-in. Every use of a
 * scope begins with reading one of its properties; the stand-in then makes the child and reads from it.
 *
 * @internal
 */
export class LazyScope {
  readonly scope: Scope.Scope
  private child: Child | undefined
  private closedWith: Exit.Exit<unknown, unknown> | undefined
  private closing: Closing = (close) => close

  constructor(private readonly outer: Scope.Scope) {
    // The target is a new object, because a proxy of a frozen object may return only that object's own values.
    this.scope = new Proxy<Scope.Scope>(Object.create(outer), {
      get: (_, key) => key === lazy ? this : Reflect.get(this.open().scope, key),
      set: (_, key, value) => Reflect.set(this.open().scope, key, value)
    })
  }

  /** Call it once. Finalizers that are added later run at once. */
  close(exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    const { child } = this
    this.closedWith = exit
    return child === undefined
      ? Effect.void
      : Effect.ensuring(Scope.close(child.scope, exit), Scope.close(child.place, exit))
  }

  get isUsed(): boolean {
    return this.child !== undefined
  }

  /** Replaces how the outer scope closes a child that is still open. */
  closesBy(closing: Closing): void {
    this.closing = closing
  }

  private open(): Child {
    if (this.child !== undefined) {
      return this.child
    }
    // For nested races, opens the outermost scope first, so that no depth of nesting overflows the stack.
    const outer: Array<LazyScope> = []
    let next = behind(this.outer)
    while (next !== undefined && next.child === undefined) {
      outer.push(next)
      next = behind(next.outer)
    }
    outer.reverse().forEach((scope) => scope.open())
    this.child = Effect.runSync(Effect.flatMap(Scope.make(this.outer.strategy), (scope) => this.adopt(scope)))
    return this.child
  }

  private adopt(scope: Scope.CloseableScope): Effect.Effect<Child> {
    if (this.closedWith !== undefined) {
      return Effect.as(Scope.close(scope, this.closedWith), { scope, place: scope })
    }
    return Effect.flatMap(Scope.fork(this.outer, ExecutionStrategy.sequential), (place) =>
      Effect.as(
        Scope.addFinalizerExit(place, (exit) => {
          const close = onOwnStacks(Scope.close(scope, exit))
          // If the outer scope is closed already, this runs while the child is being made, and must not suspend.
          return this.closedWith === undefined ? this.closing(close, !this.isUsed) : close
        }),
        { scope, place }
      ))
  }
}

/**
 * In Effect 3, the fiber that closes a scope inherits the `FiberRef`s of the fiber that acquired, and would slow down
 * with every race. This restores its own, with the values that the finalizers set.
 */
const onOwnStacks = (self: Effect.Effect<void>): Effect.Effect<void> =>
  Effect.flatMap(Effect.getFiberRefs, (before) =>
    Effect.ensuring(
      self,
      Effect.updateFiberRefs((fiberId, after) =>
        Array.from(FiberRefs.fiberRefs(after)).reduce((refs, fiberRef) => {
          const value = FiberRefs.getOrDefault(after, fiberRef)
          return Equal.equals(value, FiberRefs.getOrDefault(refs, fiberRef))
            ? refs
            : FiberRefs.updateAs(refs, { fiberId, fiberRef, value })
        }, before)
      )
    ))
