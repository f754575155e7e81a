import * as Effect from "effect/Effect"
import * as Equal from "effect/Equal"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import type * as Exit from "effect/Exit"
import * as FiberRefs from "effect/FiberRefs"
import * as Scope from "effect/Scope"

interface Child {
  readonly scope: Scope.CloseableScope
  /** Its place in the outer scope, which is given up when this is closed. */
  readonly place: Scope.CloseableScope
}

/** How the outer scope closes a child. The child is new if the outer scope was closed before. */
type Closing = (close: Effect.Effect<void>, isNew: boolean) => Effect.Effect<void>

// What a stand-in answers with the lazy scope behind it, and any other scope with nothing.
const lazy = Symbol("LazyScope")
const behind = (scope: Scope.Scope): LazyScope | undefined => Reflect.get(scope, lazy)

/**
 * A child of a scope, made when it is first used: a candidate that acquires nothing costs no scope, and its win leaves
 * nothing behind in an outer scope that may stay open for as long as the program runs.
 *
 * Effect has no such scope, nor a way to ask one whether it is empty. What the attempt gets is a stand-in: whatever is
 * done with a scope begins with reading one of its properties, and that makes the child and reads from it.
 *
 * @internal
 */
export class LazyScope {
  readonly scope: Scope.Scope
  private child: Child | undefined
  private closedWith: Exit.Exit<unknown, unknown> | undefined
  private closing: Closing = (close) => close

  constructor(private readonly outer: Scope.Scope) {
    // Around an object of its own: what stands around a frozen one may answer nothing but what that has.
    this.scope = new Proxy<Scope.Scope>(Object.create(outer), {
      get: (_, key) => key === lazy ? this : Reflect.get(this.open().scope, key),
      set: (_, key, value) => Reflect.set(this.open().scope, key, value)
    })
  }

  /** Once; what is added later is released at once. */
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

  /** Replaces how the outer scope closes the child, if that has not been closed by then. */
  closesBy(closing: Closing): void {
    this.closing = closing
  }

  /** Makes the child, where there is none yet. */
  private open(): Child {
    if (this.child !== undefined) {
      return this.child
    }
    // Of races nested in each other the outermost first, so that no depth of nesting overflows the stack.
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
          // If the outer scope is closed already, this runs before there is a child, and cannot wait.
          return this.closedWith === undefined ? this.closing(close, !this.isUsed) : close
        }),
        { scope, place }
      ))
  }
}

/**
 * In Effect 3, the fiber that closes a scope gets all `FiberRef`s of the fiber that acquired. A fiber that runs many
 * races would become slower with each. Here it keeps its own, with the values that the finalizers have set.
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
