import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type { Fibers } from "./fibers.js"
import type { StartedBy, Supply } from "./rules.js"

/**
 * Where the candidates of one run of a race come from. The source answers each `pull` by exactly one call to the
 * receiver, at once or later. The race pulls again only after the answer.
 *
 * @internal
 */
export interface Source extends Supply {
  pull(by: StartedBy): void
  /** Stops a pull that is under way. The race is decided and pulls no more. */
  close(): void
  /**
   * Releases what the source holds, with the exit of the race. The race calls it when no attempt runs any more. Returns
   * how the release went. A second call waits for the first.
   */
  release?(exit: Exit.Exit<unknown, unknown>): Effect.Effect<Exit.Exit<void>>
  /** Completes the message for a race without candidates. */
  readonly whyEmpty: string
}

/** @internal */
export interface Receiver<C, E> {
  onCandidate(candidate: C): void
  /** There is nothing for the delay, but there may be something if the newest attempt fails. */
  onWithheld(): void
  onSourceEnd(): void
  onSourceFailure(cause: Cause.Cause<E>): void
}

/** @internal */
export type Open<C, E, R> = (receiver: Receiver<C, E>, fibers: Fibers<R>) => Source

const isStream = (input: unknown): boolean => Predicate.hasProperty(input, Stream.StreamTypeId)

const described = (input: unknown): string =>
  isStream(input)
    ? "a Stream: use raceStream or outcomeStream"
    : Effect.isEffect(input)
    ? "an effect: put it into an array"
    : Array.isArray(input)
    ? "an array: use race or outcome"
    : Predicate.isObject(input)
    ? Predicate.isIterable(input) ? "an iterable: use race or outcome" : "an object that cannot be iterated"
    : JSON.stringify(input) ?? String(input)

const mistaken = (candidates: unknown, expected: string, module = "StaggeredRace") =>
  new Cause.IllegalArgumentException(
    `${module}: candidates must be ${expected}, got ${described(candidates)}`
  )

/** @internal */
export const iterableOf = <C>(candidates: Iterable<C>, module?: string): Iterable<C> => {
  // An effect is iterable, too, for `yield*`.
  if (!Predicate.isIterable(candidates) || typeof candidates === "string" || Effect.isEffect(candidates)) {
    throw mistaken(candidates, "an iterable of effects", module)
  }
  return candidates
}

/** @internal */
export const fromIterable = <C>(candidates: Iterable<C>): Open<C, never, never> => {
  const checked = iterableOf(candidates)
  return (receiver) => new Iteration(checked, receiver)
}

/**
 * `for..of` follows the iterator protocol exactly: what counts as done, and when to call `return`.
 *
 * @internal
 */
export function* each<C>(candidates: Iterable<C>): Generator<C, void, void> {
  for (const candidate of candidates) {
    yield candidate
  }
}

class Iteration<C> implements Source {
  private readonly iterator: Generator<C, void, void>
  private newest: C | undefined
  private pulled = 0

  constructor(private readonly candidates: Iterable<C>, private readonly receiver: Receiver<C, never>) {
    this.iterator = each(candidates)
  }

  left(): number {
    return leftOf(this.candidates, this.pulled, this.newest)
  }

  pull(): void {
    let next: IteratorResult<C, void>
    try {
      next = this.iterator.next()
    } catch (thrown) {
      return this.receiver.onSourceFailure(Cause.die(thrown))
    }
    if (next.done === true) {
      return this.receiver.onSourceEnd()
    }
    this.pulled++
    this.newest = next.value
    this.receiver.onCandidate(next.value)
  }

  close(): void {
    try {
      this.iterator.return()
    } catch (thrown) {
      this.receiver.onSourceFailure(Cause.die(thrown))
    }
  }

  get whyEmpty(): string {
    return "next" in this.candidates
      ? ": an iterator can be read only once, so pass an iterable that can start again"
      : ""
  }
}

// Members of a `Set` can be deleted and added again while it is iterated, so its size alone says nothing. To look
// through a set longer than this would cost too much.
const longestSet = 1024

const leftOf = <C>(candidates: Iterable<C>, pulled: number, newest: C | undefined): number => {
  const iterates = candidates[Symbol.iterator]
  if (Array.isArray(candidates) && iterates === Array.prototype[Symbol.iterator] || Chunk.isChunk(candidates)) {
    return Math.max(0, candidates.length - pulled)
  }
  if (candidates instanceof Set && iterates === Set.prototype[Symbol.iterator] && candidates.size <= longestSet) {
    const members = Array.from(candidates)
    const index = members.lastIndexOf(newest)
    return index < 0 ? Infinity : members.length - 1 - index
  }
  return Infinity
}

/** @internal */
export const fromStream = <C, E, R>(stream: Stream.Stream<C, E, R>): Open<C, E, R> => {
  if (!isStream(stream)) {
    throw mistaken(stream, "a Stream of effects")
  }
  return fromPull(Stream.toPull(stream))
}

/**
 * An open stream. Our own sources provide it directly, which costs less than half of a stream.
 *
 * @internal
 */
export type Pull<C, E, R> = Effect.Effect<Chunk.Chunk<C>, Option.Option<E>, R>

/** @internal */
export const fromPull =
  <C, E, R>(open: Effect.Effect<Pull<C, E, R>, never, R | Scope.Scope>): Open<C, E, R> => (receiver, fibers) =>
    new Pulling(open, receiver, fibers)

/** Undoes the changes of the stream's finalizers to the caller's `FiberRef`s, but keeps an interruption of the caller. */
const asBefore = (fiberId: FiberId.Single, before: FiberRefs.FiberRefs, after: FiberRefs.FiberRefs) =>
  FiberRefs.updateAs(before, {
    fiberId,
    fiberRef: FiberRef.interruptedCause,
    value: FiberRefs.getOrDefault(after, FiberRef.interruptedCause)
  })

class Pulling<C, E, R> implements Source {
  readonly whyEmpty = ""
  private readonly scope = Effect.runSync(Scope.make())
  private released: Effect.Latch | undefined
  private releasedWith: Exit.Exit<void> = Exit.void
  private opened: Pull<C, E, R> | undefined
  private fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined
  private chunk: Iterator<C> = Chunk.empty<C>()[Symbol.iterator]()
  private isClosed = false

  constructor(
    private readonly open: Effect.Effect<Pull<C, E, R>, never, R | Scope.Scope>,
    private readonly receiver: Receiver<C, E>,
    private readonly fibers: Fibers<R>
  ) {}

  left(): number {
    return Infinity
  }

  pull(): void {
    const next = this.chunk.next()
    if (next.done !== true) {
      return this.receiver.onCandidate(next.value)
    }
    const fiber = this.fibers.fork(Effect.interruptible(this.nextChunk), (exit) => this.onChunk(exit))
    this.fiber = fiber.unsafePoll() === null ? fiber : undefined
    if (this.isClosed) {
      // The pull has woken an attempt that decided the race.
      this.close()
    }
  }

  close(): void {
    this.isClosed = true
    this.fiber?.unsafeInterruptAsFork(FiberId.none)
  }

  release(exit: Exit.Exit<unknown, unknown>): Effect.Effect<Exit.Exit<void>> {
    return Effect.withFiberRuntime((fiber) => {
      if (this.released !== undefined) {
        return Effect.map(this.released.await, () => this.releasedWith)
      }
      const released = this.released = Effect.unsafeMakeLatch()
      const before = fiber.getFiberRefs()
      const end = (): Effect.Effect<Exit.Exit<void>> => {
        released.unsafeOpen()
        const keep = Effect.updateFiberRefs((fiberId, after) => asBefore(fiberId, before, after))
        return Effect.as(keep, this.releasedWith)
      }
      return Effect.matchCauseEffect(Scope.close(this.scope, exit), {
        onFailure: (cause) => {
          this.releasedWith = Exit.failCause(cause)
          this.receiver.onSourceFailure(cause)
          return end()
        },
        onSuccess: end
      })
    })
  }

  private get nextChunk(): Pull<C, E, R> {
    const open = Effect.map(Scope.extend(this.open, this.scope), (pull) => this.opened = pull)
    const pull = Effect.suspend(() => this.opened ?? Effect.flatten(open))
    return Effect.flatMap(pull, (chunk) => Chunk.isEmpty(chunk) ? this.nextChunk : Effect.succeed(chunk))
  }

  private onChunk(exit: Exit.Exit<Chunk.Chunk<C>, Option.Option<E>>): void {
    this.fiber = undefined
    if (Exit.isSuccess(exit)) {
      this.chunk = exit.value[Symbol.iterator]()
      return this.isClosed ? undefined : this.pull()
    }
    const failure = Cause.flipCauseOption(exit.cause)
    if (Option.isNone(failure)) {
      return this.receiver.onSourceEnd()
    }
    // At the decision the race itself interrupts the pull. That is not a failure of the stream.
    if (!(this.isClosed && Cause.isInterruptedOnly(failure.value))) {
      this.receiver.onSourceFailure(failure.value)
    }
  }
}
