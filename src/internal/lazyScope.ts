import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import type * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Scope from "effect/Scope"

interface Child {
  readonly scope: Scope.CloseableScope
  /** Its place in the outer scope, which is given up when this is closed. */
  readonly place: Scope.CloseableScope
}

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

  constructor(private readonly outer: Scope.Scope) {
    this.scope = new Proxy(outer, {
      get: (_, key) => Reflect.get(this.open(), key),
      set: (_, key, value) => Reflect.set(this.open(), key, value)
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

  private open(): Scope.CloseableScope {
    this.child ??= Effect.runSync(Effect.flatMap(Scope.make(), (scope) => this.adopt(scope)))
    return this.child.scope
  }

  /**
   * When the outer scope closes, whoever closes it releases what another fiber, the attempt's, has acquired. That has
   * its own fiber: in the closing one Effect 3 would leave the acquiring fiber's references on top of its own, and a
   * fiber that runs races for long would become slower with each.
   */
  private adopt(scope: Scope.CloseableScope): Effect.Effect<Child> {
    if (this.closedWith !== undefined) {
      return Effect.as(Scope.close(scope, this.closedWith), { scope, place: scope })
    }
    const release = (exit: Exit.Exit<unknown, unknown>) =>
      this.closedWith === undefined ? Effect.flatMap(Effect.fork(Scope.close(scope, exit)), Fiber.join) : Effect.void
    return Effect.flatMap(
      Scope.fork(this.outer, ExecutionStrategy.sequential),
      (place) => Effect.as(Scope.addFinalizerExit(place, release), { scope, place })
    )
  }
}
