import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as FiberRefs from "effect/FiberRefs"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import type * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type { Attempt, DecidedBy, Options, Outcome } from "../../StaggeredRace.js"
import { decode } from "../options.js"
import { watch as watchRace } from "../raceTelemetry.js"
import type { Watch } from "../telemetry.js"
import type { Started } from "./attempt.js"
import { beside, combine, type Failure, tidy } from "./causes.js"
import { Coordinator } from "./coordinator.js"
import { runtimeOf } from "./fibers.js"
import { fromIterable, fromStream, type Open } from "./source.js"

export { metrics } from "../raceTelemetry.js"
export { CurrentAttempt } from "./coordinator.js"

type Candidate<A, E, R> = Effect.Effect<A, E, R>

const raceTelemetry = watchRace()

/**
 * Runs a race to its end and hands over to `finish`, without a point at which an interruption could come between the
 * winner's success and its delivery.
 */
const run = <A, E, E2, R, B, E3>(
  open: Open<Candidate<A, E, R>, E2, R>,
  options: Options<A, E, R, R>,
  watch: Watch,
  finish: (race: Coordinator<A, E, E2, R>) => Effect.Effect<B, E3>
): Effect.Effect<B, E3, R> =>
  Either.match(Either.try(() => decode(options)), {
    onLeft: Effect.die,
    onRight: (settings) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.withFiberRuntime((fiber, { runtimeFlags }) => {
          const runtime = runtimeOf<R>(fiber, runtimeFlags)
          const telemetry = watch(fiber, runtime, settings.name)
          const race = new Coordinator(open, settings, fiber, within(runtime, telemetry?.span), telemetry)
          const ended = Effect.matchCauseEffect(restore(race.loop), {
            onFailure: (cause) => abandon(race, cause),
            onSuccess: () => settings.background ? Effect.zipRight(race.leave, finish(race)) : finish(race)
          })
          const onEnd = telemetry?.onEnd
          return onEnd === undefined ? ended : Effect.onExit(ended, (exit) => Effect.sync(() => onEnd(exit)))
        })
      )
  })

const within = <R>(runtime: Runtime.Runtime<R>, span: Tracer.Span | undefined): Runtime.Runtime<R> =>
  span === undefined ? runtime : Runtime.provideService(runtime, Tracer.ParentSpan, span)

// The caller was interrupted, perhaps while losers were cleaning up after a win: the winner is given up as well.
const abandon = <A, E, E2, R>(race: Coordinator<A, E, E2, R>, cause: Cause.Cause<never>): Effect.Effect<never> => {
  const exit = Exit.failCause(cause)
  const release = Effect.suspend(() => race.winner?.attempt.scope?.close(exit) ?? Effect.void)
  return Effect.flatMap(
    Effect.exit(Effect.zipRight(race.abandon(Cause.isInterrupted(cause) ? "interruption" : "defect"), release)),
    (released) => Exit.zipLeft(exit, released)
  )
}

// All but the context, in which the winner has a scope and an index that are its own.
const inherit = <A, E, E2, R>(race: Coordinator<A, E, E2, R>): Effect.Effect<void> =>
  race.winner === undefined
    ? Effect.void
    : Effect.inheritFiberRefs(FiberRefs.delete(race.winner.fiber.getFiberRefs(), FiberRef.currentContext))

const causeOf = <E>(exit: Exit.Exit<unknown, E> | undefined): Cause.Cause<E> =>
  exit !== undefined && Exit.isFailure(exit) ? exit.cause : Cause.empty

interface Failed<E> extends Failure<E> {
  readonly endedAt: number
}

/** What a race without a winner fails with: the one rule for `race` and for `toEffect`. */
const fail = <E, E2>(
  failures: ReadonlyArray<Failed<E>>,
  decidedBy: DecidedBy,
  sourceFailure: Cause.Cause<E2> | undefined
): Effect.Effect<never, E | E2> => {
  if (failures.length === 0 && sourceFailure === undefined) {
    return Effect.die(new Cause.IllegalArgumentException("StaggeredRace: there are no candidates to race"))
  }
  // The fatal failure ended the race, so no other one can have come after it.
  const fatal = decidedBy === "fatal"
    ? failures.reduce((last, failure) => failure.endedAt >= last.endedAt ? failure : last)
    : undefined
  const others = combine(failures.filter((failure) => failure !== fatal))
  return Effect.failCause(
    beside<E | E2>(beside(fatal?.cause ?? Cause.empty, others), sourceFailure ?? Cause.empty)
  )
}

const deliver = <A, E, E2, R>(race: Coordinator<A, E, E2, R>): Effect.Effect<A, E | E2> => {
  if (race.winner !== undefined) {
    return Effect.as(inherit(race), race.winner.value)
  }
  const failures = race.attempts.filter(({ result }) => result === "failed").map(({ afterAll, endedAt, exit }) => ({
    cause: causeOf(exit),
    afterAll,
    endedAt
  }))
  return fail(failures, race.decision.by, race.sourceFailure)
}

const describe = <A, E, E2, R>(race: Coordinator<A, E, E2, R>): Effect.Effect<Outcome<A, E, E2>> =>
  Effect.as(inherit(race), {
    winner: Option.map(Option.fromNullable(race.winner), ({ attempt, value }) => ({ index: attempt.index, value })),
    attempts: race.attempts.map((attempt) => attemptOf(race, attempt)),
    sourceFailure: Option.fromNullable(race.sourceFailure),
    startedAt: race.startedAt,
    decidedAt: race.decision.at,
    decidedBy: race.decision.by,
    pending: race.decision.pending,
    endedAt: race.now
  })

// An attempt that goes on in the background is reported as the decision left it: won, or interrupted.
const attemptOf = <A, E, E2, R>(race: Coordinator<A, E, E2, R>, attempt: Started<A, E>): Attempt<A, E> => ({
  index: attempt.index,
  dueAt: attempt.dueAt,
  startedAt: attempt.startedAt,
  startedBy: attempt.startedBy,
  endedAt: Number.isNaN(attempt.endedAt) ? race.decision.at : attempt.endedAt,
  exit: race.winner?.attempt === attempt
    ? Exit.succeed(race.winner.value)
    : Exit.mapErrorCause(attempt.exit ?? Exit.interrupt(race.caller.id()), tidy),
  result: attempt.result ?? "lost"
})

/** @internal */
export const race = <A, E, R>(
  candidates: Iterable<Candidate<A, E, R>>,
  options: Options<A, E, R, R>,
  watch = raceTelemetry
): Effect.Effect<A, E, R> => run(fromIterable(candidates), options, watch, deliver)

/** @internal */
export const outcome = <A, E, R>(
  candidates: Iterable<Candidate<A, E, R>>,
  options: Options<A, E, R, R>,
  watch = raceTelemetry
): Effect.Effect<Outcome<A, E>, never, R> => run(fromIterable(candidates), options, watch, describe)

/** @internal */
export const raceStream = <A, E, R, E2>(
  candidates: Stream.Stream<Candidate<A, E, R>, E2, R>,
  options: Options<A, E, R, R>,
  watch = raceTelemetry
): Effect.Effect<A, E | E2, R> => run(fromStream(candidates), options, watch, deliver)

/** @internal */
export const outcomeStream = <A, E, R, E2>(
  candidates: Stream.Stream<Candidate<A, E, R>, E2, R>,
  options: Options<A, E, R, R>,
  watch = raceTelemetry
): Effect.Effect<Outcome<A, E, E2>, never, R> => run(fromStream(candidates), options, watch, describe)

/** @internal */
export const toEffect = <A, E, E2>(self: Outcome<A, E, E2>): Effect.Effect<A, E | E2> => {
  if (Option.isSome(self.winner)) {
    return Effect.succeed(self.winner.value.value)
  }
  let allEndedAt = -Infinity
  const failures = self.attempts.flatMap(({ endedAt, exit, result, startedAt }) => {
    // As far as milliseconds tell: an ending at the very instant of a start counts before it.
    const afterAll = startedAt >= allEndedAt
    allEndedAt = Math.max(allEndedAt, endedAt)
    return result === "failed" ? [{ cause: causeOf(exit), afterAll, endedAt }] : []
  })
  return fail(failures, self.decidedBy, Option.getOrUndefined(self.sourceFailure))
}
