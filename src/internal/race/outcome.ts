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

/** What the other modules of this library may ask for besides. */
interface Extras<A> {
  readonly accept?: Accept<A> | undefined
  /** Milliseconds. */
  readonly timeout?: number
}

/** Runs a race to its end, and hands it over to `finish`. */
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
 * The race is decided, and its losers have ended or are left to the background. If the caller is interrupted while the
 * source is released, the race gives up the winner as well. After that nothing can interrupt the hand-over: the winner's
 * references and flags become the caller's, and its resources are the outer scope's.
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
 * Leaves the losers to end in the background, and then releases the source. If there is an outer scope, its closing waits
 * for the losers before it releases anything that an attempt holds.
 */
const leave = <A, E, E2, R>(race: Race<A, E, E2, R>): Effect.Effect<unknown> | undefined => {
  const { attempts, caller, fibers, runtime, source, winner } = race
  if (fibers.running === 0 && source.release === undefined) {
    return undefined
  }
  const release = Effect.suspend<unknown, never, never>(() => source.release?.(exitOf(race)) ?? Effect.void)
  const context = runtime.context as Context.Context<unknown>
  return Option.match(Context.getOption(context, Scope.Scope), {
    // Nobody waits for the losers. Only a source needs a fiber that releases it after them.
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
          // A loser that first acquires while the scope closes releases that itself, as it ends.
          attempt.scope?.closesBy(
            attempt === winner?.attempt
              ? (close, isNew) => isNew ? close : later(Effect.ensuring(close, rest))
              : (close, isNew) => isNew ? Effect.void : later(close)
          )
        }
        return Effect.flatMap(Scope.fork(scope, ExecutionStrategy.sequential), (keeper) => {
          const over = Effect.zipRight(Deferred.succeed(losersEnded, void 0), Scope.close(keeper, Exit.void))
          return Effect.zipRight(
            // A child that the winner forked may wait until the winner's resources are released. So it is waited for
            // after that release, not before.
            Effect.forkDaemon(
              Effect.zipRight(
                losersEnd(race),
                winnersScope?.isUsed === true ? Effect.zipRight(over, rest) : Effect.zipRight(rest, over)
              )
            ),
            // A scope that is closed already waits here, so the fiber that ends the wait comes first.
            Scope.addFinalizer(keeper, Deferred.await(losersEnded))
          )
        })
      })
  })
}

/** The winner's own fiber is not waited for: its children may wait for what the winner holds to be released. */
const losersEnd = <A, E, E2, R>({ fibers, winner }: Race<A, E, E2, R>): Effect.Effect<void> =>
  fibers.leftAre(() => winner !== undefined && winner.attempt.isRunning ? 1 : 0)

/** The caller was interrupted, perhaps while losers were cleaning up after a win: the winner is given up as well. */
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

/** How a race has ended: as it was given up, with the value of the winner, or with all failures. */
const exitOf = <A, E, E2, R>(race: Race<A, E, E2, R>): Exit.Exit<A, E | E2> => {
  if (race.aborted !== undefined) {
    return race.aborted
  }
  if (race.winner !== undefined) {
    return Exit.succeed(race.winner.value)
  }
  if (race.decision?.by === "timeout") {
    // What was cut off has not failed.
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

/** An attempt that goes on in the background is reported as the decision left it: won, or interrupted. */
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
  watch = raceTelemetry,
  accept?: Accept<A>
): Effect.Effect<A, E, R> => run(() => fromIterable(candidates), options, watch, exitOf, { accept })

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
 * As `outcomeStream`, for a source of our own, and for so many milliseconds at most.
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
