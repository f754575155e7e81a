import * as Cause from "effect/Cause"
import * as Equal from "effect/Equal"
import * as Exit from "effect/Exit"
import type { Attempt } from "./attempt.js"

type Join = <E>(left: Cause.Cause<E>, right: Cause.Cause<E>) => Cause.Cause<E>

// Builds a balanced tree. Code that walks or prints a cause may recurse, and would overflow the stack on a list of a
// hundred thousand failures.
const joinAll = <E>(causes: ReadonlyArray<Cause.Cause<E>>, join: Join): Cause.Cause<E> => {
  const between = (from: number, to: number): Cause.Cause<E> => {
    if (to - from <= 1) {
      return causes[from] ?? Cause.empty
    }
    const middle = (from + to + 1) >>> 1
    return join(between(from, middle), between(middle, to))
  }
  return between(0, causes.length)
}

const parallel: Join = (left, right) =>
  Cause.isEmptyType(left) ? right : Cause.isEmptyType(right) ? left : Cause.parallel(left, right)

const sequential: Join = (left, right) =>
  Cause.isEmptyType(left) ? right : Cause.isEmptyType(right) ? left : Cause.sequential(left, right)

/**
 * Drops `Empty` leaves, and the copies of an interruption that Effect adds for each region that the fiber left.
 *
 * @internal
 */
export const tidy = <E>(self: Cause.Cause<E>): Cause.Cause<E> =>
  Cause.isSequentialType(self) || Cause.isParallelType(self)
    ? Cause.match(self, {
      onEmpty: Cause.empty as Cause.Cause<E>,
      onFail: Cause.fail<E>,
      onDie: Cause.die,
      onInterrupt: Cause.interrupt,
      onSequential: (left, right) =>
        Cause.isInterruptType(left) && Equal.equals(left, right) ? left : sequential(left, right),
      onParallel: parallel
    })
    : self

/**
 * Combines the failures of a race in candidate order: `sequential` where an attempt began after all earlier ones had
 * ended, otherwise `parallel`. A fatal failure comes first, because `catchTag`, `flip` and `retry` look there.
 *
 * @internal
 */
export const combine = <E>(
  attempts: ReadonlyArray<Attempt<unknown, E>>,
  fatal?: Attempt<unknown, E>
): Cause.Cause<E> => {
  const runs: Array<Array<Cause.Cause<E>>> = []
  let overlapping: Array<Cause.Cause<E>> | undefined
  for (const attempt of attempts) {
    if (attempt.result !== "failed") {
      continue
    }
    if (overlapping === undefined || !attempt.overlapped) {
      overlapping = []
      runs.push(overlapping)
    }
    const cause = causeOf(attempt)
    if (attempt !== fatal && !Cause.isEmptyType(cause)) {
      overlapping.push(cause)
    }
  }
  const others = joinAll(
    runs.filter((run) => run.length > 0).map((run) => joinAll(run, Cause.parallel)),
    Cause.sequential
  )
  return fatal === undefined ? others : parallel(causeOf(fatal), others)
}

const causeOf = <E>({ exit }: Attempt<unknown, E>): Cause.Cause<E> =>
  exit !== undefined && Exit.isFailure(exit) ? exit.cause : Cause.empty

/**
 * Puts the failure of the source beside those of the attempts.
 *
 * @internal
 */
export const beside = parallel

/**
 * Whether the exit is an interruption and nothing else. A failed effect may have interrupted its own parts: that counts
 * as a failure.
 *
 * @internal
 */
export const isInterruption = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.isInterruptedOnly(exit.cause)
