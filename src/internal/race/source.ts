import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * Where candidates come from, for one run of a race. A `pull` is answered by exactly one call to the receiver, at
 * once or later; the next one follows only after the answer.
 *
 * @internal
 */
export interface Source {
  /** How many candidates are left; `Infinity` where nobody knows. */
  left(): number
  pull(): void
  /** The race is decided and pulls no more. Called once, also after the end. */
  close(): void
}

/** @internal */
export interface Receiver<C, E> {
  onCandidate(candidate: C): void
  onSourceEnd(): void
  onSourceFailure(cause: Cause.Cause<E>): void
}

/**
 * Runs an effect in a fiber which the race waits for before it returns.
 *
 * @internal
 */
export type Spawn<R> = <A, E>(
  effect: Effect.Effect<A, E, R>,
  onExit: (exit: Exit.Exit<A, E>) => void
) => Fiber.RuntimeFiber<A, E>

/** @internal */
export type Open<C, E, R> = (receiver: Receiver<C, E>, spawn: Spawn<R>) => Source

/** @internal */
export const fromIterable = <C>(candidates: Iterable<C>): Open<C, never, never> => (receiver) => {
  let iterator: Iterator<C> | undefined
  let pulled = 0
  let open = true
  const fail = (thrown: unknown) => {
    open = false
    receiver.onSourceFailure(Cause.die(thrown))
  }
  return {
    left: () => open ? Math.max(0, sizeOf(candidates) - pulled) : 0,
    pull() {
      let candidate: C
      try {
        iterator ??= candidates[Symbol.iterator]()
        const { done, value } = iterator.next()
        if (done === true) {
          open = false
          return receiver.onSourceEnd()
        }
        candidate = value
      } catch (thrown) {
        return fail(thrown)
      }
      pulled++
      receiver.onCandidate(candidate)
    },
    close() {
      if (open && iterator !== undefined) {
        open = false
        try {
          iterator.return?.()
        } catch (thrown) {
          fail(thrown)
        }
      }
    }
  }
}

// Asked only of what is known to give as many as it says.
const sizeOf = (candidates: Iterable<unknown>): number =>
  Array.isArray(candidates) || Chunk.isChunk(candidates)
    ? candidates.length
    : candidates instanceof Set
    ? candidates.size
    : Infinity

/** @internal */
export const fromStream = <C, E, R>(stream: Stream.Stream<C, E, R>): Open<C, E, R> => (receiver, spawn) => {
  let scope: Scope.CloseableScope | undefined
  let pullChunk: Effect.Effect<Chunk.Chunk<C>, Option.Option<E>, R> | undefined
  let pulling: Fiber.RuntimeFiber<unknown, unknown> | undefined
  let chunk: Iterator<C> = Chunk.empty<C>()[Symbol.iterator]()
  let open = true
  let closed = false

  const opened = Effect.flatMap(Scope.make(), (made) => {
    scope = made
    return Effect.map(Scope.extend(Stream.toPull(stream), made), (pull) => pullChunk = pull)
  })
  const nextChunk: Effect.Effect<Chunk.Chunk<C>, Option.Option<E>, R> = Effect.flatMap(
    Effect.flatten(Effect.suspend(() => pullChunk === undefined ? opened : Effect.succeed(pullChunk))),
    (pulled) => Chunk.isEmpty(pulled) ? nextChunk : Effect.succeed(pulled)
  )

  const fail = (cause: Cause.Cause<E>) => {
    // Interrupted with the source's own close: no failure of the source.
    if (!(closed && Cause.isInterruptedOnly(cause))) {
      receiver.onSourceFailure(cause)
    }
  }

  const onChunk = (exit: Exit.Exit<Chunk.Chunk<C>, Option.Option<E>>) => {
    pulling = undefined
    if (Exit.isSuccess(exit)) {
      chunk = exit.value[Symbol.iterator]()
      return closed ? undefined : pull()
    }
    open = false
    return Option.match(Cause.flipCauseOption(exit.cause), { onNone: () => receiver.onSourceEnd(), onSome: fail })
  }

  const pull = () => {
    const next = chunk.next()
    if (next.done !== true) {
      return receiver.onCandidate(next.value)
    }
    const fiber = spawn(Effect.interruptible(nextChunk), onChunk)
    pulling = fiber.unsafePoll() === null ? fiber : undefined
  }

  return {
    left: () => open ? Infinity : 0,
    pull,
    close() {
      closed = true
      const finalize = Effect.suspend(() => scope === undefined ? Effect.void : Scope.close(scope, Exit.void))
      spawn(
        pulling === undefined ? finalize : Effect.zipRight(Fiber.interrupt(pulling), finalize),
        (exit) => Exit.isFailure(exit) ? fail(exit.cause) : undefined
      )
    }
  }
}
