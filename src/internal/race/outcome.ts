import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as ExecutionStrategy from "effect/ExecutionStrategy"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type * as StaggeredRace from "../../StaggeredRace.js"
import { type Watch, watch as watchRace } from "../observe.js"
import type { Attempt } from "./attempt.js"
import { beside, combine, tidy } from "./causes.js"
import { runtimeOf } from "./fibers.js"
import type { Decision } from "./rules.js"
import { type Accept, Race } from "./run.js"
import { decode, type Settings } from "./settings.js"
import { fromIterable, fromPull, fromStream, type Open, type Pull } from "./source.js"

export { metrics } from "../observe.js"
export { CurrentAttempt } from "./attempt.js"

type Candidate<A, E, R> = Effect.Effect<A, E, R>

const raceTelemetry = watchRace()

/** Options that only other modules of this library use. */
interface Extras<A> {
  readonly accept?: Accept<A> | undefined
  /** Milliseconds. */
  readonly timeout?: number
}

/** Runs a race to its end. `finish` turns it into the result. */
const run = <A, E, E2, R, B, E3>(
  from: () => Open<Candidate<A, E, R>, E2, R>,
  options: StaggeredRace.Options<A, E, R, R>,
  watch: Watch,
  finish: (race: Race<A, E, E2, R>) => Effect.Effect<B, E3>,
  { accept, timeout = Infinity }: Extras<A> = {}
): Effect.Effect<B, E3, R> => {
  let settings: Settings<A, E, R, R>
  let open: Open<Candidate<A, E, R>, E2, R>
  try {
    settings = decode(options)
    open = from()
  } catch (mistake) {
    return Effect.die(mistake)
  }
  return Effect.uninterruptibleMask((restore) =>
    Effect.withFiberRuntime((caller, { runtimeFlags }) => {
      const plain = runtimeOf<R>(caller, runtimeFlags)
      const telemetry = watch(caller, plain, settings.name)
      const span = telemetry?.span
      const runtime = span === undefined ? plain : Runtime.provideService(plain, Tracer.ParentSpan, span)
      const race = new Race(open, settings, caller, runtime, telemetry, accept)
      const ended = Effect.matchCauseEffect(restore(race.loop(timeout)), {
        onFailure: (cause) => abandon(race, cause),
        onSuccess: () => Effect.flatMap(settle(race, restore), () => finish(race))
      })
      const onEnd = telemetry?.onEnd
      return onEnd === undefined ? ended : Effect.onExit(ended, (exit) => Effect.sync(() => onEnd(exit)))
    })
  )
}

/**
 * Ends a decided race whose losers have ended, or end in the background. If the caller is interrupted while the source
 * is released, the race gives up the winner as well. After that, nothing can interrupt the hand-over: the caller
 * inherits the winner's `FiberRef`s and flags, and the outer scope keeps its resources.
 */
const settle = <A, E, E2, R>(
  race: Race<A, E, E2, R>,
  restore: <B>(self: Effect.Effect<B>) => Effect.Effect<B>
): Effect.Effect<void> => {
  const { fiber } = race.winner?.attempt ?? {}
  const inherit = fiber === undefined ? Effect.void : race.fibers.inherit(fiber)
  const release = race.settings.background ? leave(race) : race.source.release?.(exitOf(race))
  return release === undefined ? inherit : Effect.matchCauseEffect(Effect.zipRight(release, restore(Effect.void)), {
    onFailure: (cause) => abandon(race, cause),
    onSuccess: () => inherit
  })
}

/**
 * Lets the losers end in the background, and then releases the source. If there is an outer scope, it waits for the
 * losers when it closes, before it releases anything that an attempt holds.
 */
const leave = <A, E, E2, R>(race: Race<A, E, E2, R>): Effect.Effect<unknown> | undefined => {
  const { attempts, caller, fibers, runtime, source, winner } = race
  if (fibers.running === 0 && source.release === undefined) {
    return undefined
  }
  const release = Effect.suspend<unknown, never, never>(() => source.release?.(exitOf(race)) ?? Effect.void)
  const context = runtime.context as Context.Context<unknown>
  return Option.match(Context.getOption(context, Scope.Scope), {
    // Nobody waits for the losers, so a fiber is needed only to release a source after them.
    onNone: () =>
      source.release === undefined
        ? Effect.void
        : Effect.forkDaemon(Effect.zipRight(fibers.leftAre(() => 0), release)),
    onSome: (scope) =>
      Effect.suspend(() => {
        const losersEnded = Deferred.unsafeMake<void>(caller.id())
        const later = (close: Effect.Effect<void>) => Effect.zipRight(Deferred.await(losersEnded), close)
        const { fiber, isRunning = false, scope: winnersScope } = winner?.attempt ?? {}
        const children = isRunning && fiber !== undefined ? Fiber.await(fiber) : Effect.void
        const rest = Effect.zipRight(children, release)
        for (const attempt of attempts) {
          // If a loser first acquires while the scope closes, the loser itself releases that when it ends.
          attempt.scope?.closesBy(
            attempt === winner?.attempt
              ? (close, isNew) => isNew ? close : later(Effect.ensuring(close, rest))
              : (close, isNew) => isNew ? Effect.void : later(close)
          )
        }
        return Effect.flatMap(Scope.fork(scope, ExecutionStrategy.sequential), (keeper) => {
          const over = Effect.zipRight(Deferred.succeed(losersEnded, void 0), Scope.close(keeper, Exit.void))
          return Effect.zipRight(
            // A child of the winner may wait for the release of the winner's resources. To wait for the child before
            // that release would be a deadlock.
            Effect.forkDaemon(
              Effect.zipRight(
                losersEnd(race),
                winnersScope?.isUsed === true ? Effect.zipRight(over, rest) : Effect.zipRight(rest, over)
              )
            ),
            // If the scope is closed already, this line waits, so the fiber that ends the wait must come first.
            Scope.addFinalizer(keeper, Deferred.await(losersEnded))
          )
        })
      })
  })
}

/** Does not wait for the winner's fiber: its children may wait for the release of the winner's resources. */
const losersEnd = <A, E, E2, R>({ fibers, winner }: Race<A, E, E2, R>): Effect.Effect<void> =>
  fibers.leftAre(() => winner !== undefined && winner.attempt.isRunning ? 1 : 0)

/** Ends a race whose caller was interrupted. If that happens after a win, the race gives up the winner as well. */
const abandon = <A, E, E2, R>(race: Race<A, E, E2, R>, cause: Cause.Cause<never>): Effect.Effect<never> => {
  const exit = race.abort(cause)
  return Effect.gen(function*() {
    yield* losersEnd(race)
    const given = yield* Effect.exit(race.winner?.attempt.scope?.close(exit) ?? Effect.void)
    yield* race.fibers.leftAre(() => 0)
    const released = yield* race.source.release?.(exit) ?? Effect.succeed(Exit.void)
    return yield* Exit.zipLeft(Exit.zipLeft(exit, given), released)
  })
}

/** The exit of a race: why it was given up, or the value of the winner, or all failures. */
const exitOf = <A, E, E2, R>(race: Race<A, E, E2, R>): Exit.Exit<A, E | E2> => {
  if (race.aborted !== undefined) {
    return race.aborted
  }
  if (race.winner !== undefined) {
    return Exit.succeed(race.winner.value)
  }
  if (race.decision?.by === "timeout") {
    // The attempts that the timeout cut off have not failed. An interruption stands for them.
    return Exit.failCause(beside<E>(combine(race.attempts), Cause.interrupt(race.caller.id())))
  }
  if (race.attempts.length === 0 && race.sourceFailure === undefined) {
    return Exit.die(
      new Cause.IllegalArgumentException(`StaggeredRace: there are no candidates to race${race.source.whyEmpty}`)
    )
  }
  const cause = beside<E | E2>(combine(race.attempts, race.fatal), race.sourceFailure ?? Cause.empty)
  return race.spare !== undefined && race.fatal === undefined && Chunk.isEmpty(Cause.defects(cause))
    ? race.spare
    : Exit.failCause(cause)
}

const describe = <A, E, E2, R>(race: Race<A, E, E2, R>): Effect.Effect<StaggeredRace.Outcome<A, E, E2>> =>
  Effect.sync(() => {
    const decision = race.decision!
    return {
      winner: Option.map(Option.fromNullable(race.winner), ({ attempt, value }) => ({ index: attempt.index, value })),
      exit: exitOf(race),
      attempts: race.attempts.map((attempt) => attemptOf(race, decision, attempt)),
      sourceFailure: Option.fromNullable(race.sourceFailure),
      startedAt: race.startedAt,
      decidedAt: decision.at,
      decidedBy: decision.by,
      pending: Option.fromNullable(decision.pending),
      endedAt: race.now
    }
  })

/** Reports an attempt that is still running in the background as it is at the decision: won, or interrupted. */
const attemptOf = <A, E, E2, R>(
  { caller, winner }: Race<A, E, E2, R>,
  { at }: Decision,
  attempt: Attempt<A, E>
): StaggeredRace.Attempt<A, E> => ({
  index: attempt.index,
  dueAt: attempt.dueAt,
  heldBackBy: Option.fromNullable(attempt.heldBackBy),
  startedAt: attempt.startedAt,
  startedBy: attempt.startedBy,
  endedAt: attempt.isRunning ? at : attempt.endedAt,
  progressedAt: Option.fromNullable(attempt.progressedAt),
  exit: winner?.attempt === attempt
    ? Exit.succeed(winner.value)
    : attempt.isRunning || attempt.exit === undefined
    ? Exit.interrupt(caller.id())
    : Exit.mapErrorCause(attempt.exit, tidy),
  result: attempt.result ?? "lost"
})

/** @internal */
export const toEffect = <A, E, E2>({ exit }: StaggeredRace.Outcome<A, E, E2>): Effect.Effect<A, E | E2> => exit

/** @internal */
export const race = <A, E, R>(
  candidates: Iterable<Candidate<A, E, R>>,
  options: StaggeredRace.Options<A, E, R, R>,
  watch = raceTelemetry
): Effect.Effect<A, E, R> => run(() => fromIterable(candidates), options, watch, exitOf)

/**
 * As `race`, for a source of our own, whose race judges successes.
 *
 * @internal
 */
export const raceOf = <A, E, R>(
  open: Open<Candidate<A, E, R>, never, R>,
  options: StaggeredRace.Options<A, E, R, R>,
  watch: Watch,
  accept: Accept<A> | undefined
): Effect.Effect<A, E, R> => run(() => open, options, watch, exitOf, { accept })

/** @internal */
export const outcome = <A, E, R>(
  candidates: Iterable<Candidate<A, E, R>>,
  options: StaggeredRace.Options<A, E, R, R>,
  watch = raceTelemetry
): Effect.Effect<StaggeredRace.Outcome<A, E>, never, R> => run(() => fromIterable(candidates), options, watch, describe)

/** @internal */
export const raceStream = <A, E, R, E2>(
  candidates: Stream.Stream<Candidate<A, E, R>, E2, R>,
  options: StaggeredRace.Options<A, E, R, R>,
  watch = raceTelemetry
): Effect.Effect<A, E | E2, R> => run(() => fromStream(candidates), options, watch, exitOf)

/** @internal */
export const outcomeStream = <A, E, R, E2>(
  candidates: Stream.Stream<Candidate<A, E, R>, E2, R>,
  options: StaggeredRace.Options<A, E, R, R>,
  watch = raceTelemetry
): Effect.Effect<StaggeredRace.Outcome<A, E, E2>, never, R> =>
  run(() => fromStream(candidates), options, watch, describe)

/**
 * As `outcomeStream`, for a source of our own. `timeout` is in milliseconds.
 *
 * @internal
 */
export const outcomePull = <A, E, R, E2>(
  open: Effect.Effect<Pull<Candidate<A, E, R>, E2, R>, never, R | Scope.Scope>,
  options: StaggeredRace.Options<A, E, R, R>,
  watch: Watch,
  timeout: number
): Effect.Effect<StaggeredRace.Outcome<A, E, E2>, never, R> =>
  run(() => fromPull(open), options, watch, describe, { timeout })
