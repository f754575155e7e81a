import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

/**
 * Where candidates come from, for one run of a race. A `pull` is answered by exactly one call to the receiver, at once
 * or later. The next one follows only after the answer.
 *
 * @internal
 */
export interface Source {
  /** How many candidates are left, as far as is known without a pull; `Infinity` where nobody knows. */
  readonly left: () => number
  readonly pull: () => void
  /** The race is decided and pulls no more. */
  readonly close: () => void
  /** Releases what the source holds, with the exit of the race, when no candidate runs any more. */
  readonly release: ((exit: Exit.Exit<unknown, unknown>) => Effect.Effect<void>) | undefined
  /** What else there is to say when it gave no candidates. */
  readonly whyEmpty: () => string
}

/** @internal */
export interface Receiver<C, E> {
  readonly onCandidate: (candidate: C) => void
  readonly onSourceEnd: () => void
  readonly onSourceFailure: (cause: Cause.Cause<E>) => void
}

/**
 * Starts a fiber of the race, in place, and tells how it has ended. The race waits for it before it returns.
 *
 * @internal
 */
export type Fork<R> = <A, E>(
  effect: Effect.Effect<A, E, R>,
  onExit: (exit: Exit.Exit<A, E>) => void
) => Fiber.RuntimeFiber<unknown, unknown>

/** @internal */
export type Open<C, E, R> = (receiver: Receiver<C, E>, fork: Fork<R>) => Source

const isStream = (input: unknown): boolean => Predicate.hasProperty(input, Stream.StreamTypeId)

const described = (input: unknown): string =>
  isStream(input)
    ? "a Stream: use raceStream or outcomeStream"
    : Effect.isEffect(input)
    ? "an effect: put it into an array"
    : Array.isArray(input)
    ? "an array: use race or outcome"
    : Predicate.isObject(input)
    ? Predicate.isIterable(input) ? "an iterable: use race or outcome" : "an object that is none"
    : JSON.stringify(input) ?? String(input)

const mistaken = (candidates: unknown, expected: string) =>
  new Cause.IllegalArgumentException(
    `StaggeredRace: candidates must be ${expected}, got ${described(candidates)}`
  )

/**
 * Iterates as `for..of` does, a pull at a time.
 *
 * @internal
 */
export const fromIterable = <C>(candidates: Iterable<C>): Open<C, never, never> => {
  // An effect can be iterated as well, for `yield*`.
  if (!Predicate.isIterable(candidates) || typeof candidates === "string" || Effect.isEffect(candidates)) {
    throw mistaken(candidates, "an iterable of effects")
  }
  return (receiver) => iterate(candidates, receiver)
}

const iterate = <C>(candidates: Iterable<C>, receiver: Receiver<C, never>): Source => {
  const left = leftOf(candidates)
  let iterator: Iterator<C> | undefined
  let newest: C
  let pulled = 0
  let isOpen = true
  const end = (tell: () => void) => {
    isOpen = false
    tell()
  }
  return {
    left: () => left(pulled, newest),
    pull() {
      let next: IteratorResult<C>
      try {
        iterator ??= candidates[Symbol.iterator]()
        next = iterator.next()
        if (Object(next) !== next) {
          throw new TypeError(`Iterator result ${String(next)} is not an object`)
        }
        if (next.done) {
          return end(() => receiver.onSourceEnd())
        }
        newest = next.value
      } catch (thrown) {
        return end(() => receiver.onSourceFailure(Cause.die(thrown)))
      }
      pulled++
      receiver.onCandidate(newest)
    },
    close() {
      if (isOpen && iterator !== undefined) {
        isOpen = false
        try {
          iterator.return?.()
        } catch (thrown) {
          receiver.onSourceFailure(Cause.die(thrown))
        }
      }
    },
    release: undefined,
    whyEmpty: () =>
      (iterator as unknown) === candidates
        ? ": an iterator can be iterated once, so a race over one can run once"
        : ""
  }
}

// A longer `Set` is not looked through for its last member.
const longestSet = 1024

/** How many are left after so many pulls, the last of which gave `newest`. Whatever can change is looked at each time. */
const leftOf = <C>(candidates: Iterable<C>): (pulled: number, newest: C) => number => {
  const iterates = candidates[Symbol.iterator]
  if (Array.isArray(candidates) && iterates === Array.prototype[Symbol.iterator] || Chunk.isChunk(candidates)) {
    return (pulled) => Math.max(0, candidates.length - pulled)
  }
  if (candidates instanceof Set && iterates === Set.prototype[Symbol.iterator] && candidates.size <= longestSet) {
    const { size } = candidates
    // A member that was deleted and added again comes last: the size is the same, and that member is left.
    return (pulled, newest) =>
      candidates.size !== size || pulled >= size && Array.from(candidates).at(-1) !== newest ? Infinity : size - pulled
  }
  return () => Infinity
}

/** @internal */
export const fromStream = <C, E, R>(stream: Stream.Stream<C, E, R>): Open<C, E, R> => {
  if (!isStream(stream)) {
    throw mistaken(stream, "a Stream of effects")
  }
  return (receiver, fork) => pullFrom(stream, receiver, fork)
}

const pullFrom = <C, E, R>(stream: Stream.Stream<C, E, R>, receiver: Receiver<C, E>, fork: Fork<R>): Source => {
  let scope: Scope.CloseableScope | undefined
  let pullChunk: Effect.Effect<Chunk.Chunk<C>, Option.Option<E>, R> | undefined
  let pulling: Fiber.RuntimeFiber<unknown, unknown> | undefined
  let chunk: Iterator<C> = Chunk.empty<C>()[Symbol.iterator]()
  let hasEnded = false
  let isClosed = false

  const opened = Effect.flatMap(Scope.make(), (made) => {
    scope = made
    return Effect.map(Scope.extend(Stream.toPull(stream), made), (pull) => pullChunk = pull)
  })
  const nextChunk: Effect.Effect<Chunk.Chunk<C>, Option.Option<E>, R> = Effect.flatMap(
    Effect.flatten(Effect.suspend(() => pullChunk === undefined ? opened : Effect.succeed(pullChunk))),
    (pulled) => Chunk.isEmpty(pulled) ? nextChunk : Effect.succeed(pulled)
  )

  const onChunk = (exit: Exit.Exit<Chunk.Chunk<C>, Option.Option<E>>) => {
    pulling = undefined
    if (Exit.isSuccess(exit)) {
      chunk = exit.value[Symbol.iterator]()
      return isClosed ? undefined : pull()
    }
    hasEnded = true
    const failure = Cause.flipCauseOption(exit.cause)
    if (Option.isNone(failure)) {
      return receiver.onSourceEnd()
    }
    // The race interrupts a pull when it is decided. That is no failure of the stream.
    if (!(isClosed && Cause.isInterruptedOnly(failure.value))) {
      receiver.onSourceFailure(failure.value)
    }
  }

  const pull = () => {
    const next = chunk.next()
    if (next.done !== true) {
      return receiver.onCandidate(next.value)
    }
    const fiber = fork(Effect.interruptible(nextChunk), onChunk)
    pulling = fiber.unsafePoll() === null ? fiber : undefined
  }

  return {
    left: () => hasEnded ? 0 : Infinity,
    pull,
    close() {
      isClosed = true
      pulling?.unsafeInterruptAsFork(pulling.id())
    },
    release: (exit) =>
      Effect.catchAllCause(
        Effect.suspend(() => scope === undefined ? Effect.void : Scope.close(scope, exit)),
        (cause) => Effect.sync(() => receiver.onSourceFailure(cause))
      ),
    whyEmpty: () => ""
  }
}
