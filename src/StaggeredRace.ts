import type * as Cause from "effect/Cause"
import type * as Context from "effect/Context"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Option from "effect/Option"
import type * as Predicate from "effect/Predicate"
import type * as Schedule from "effect/Schedule"
import type * as Stream from "effect/Stream"
import * as internal from "./internal/staggeredRace.js"

export interface Options<A = unknown, E = unknown, RD = never, RE = never> {
  readonly delay: Duration.DurationInput | Schedule.Schedule<unknown, number, RD>
  readonly minDelay?: Duration.DurationInput | undefined
  readonly concurrency?: number | "unbounded" | undefined
  readonly fatal?: Predicate.Predicate<Cause.Cause<E>> | undefined
  readonly losers?: "await" | "background" | undefined
  readonly onEvent?: ((event: RaceEvent<A, E>) => Effect.Effect<unknown, unknown, RE>) | undefined
}

export type StartedBy = "first" | "delay" | "failure"

export type DecidedBy = "success" | "failures" | "fatal" | "interruption" | "defect"

export type RaceEvent<A, E> =
  | { readonly _tag: "Started"; readonly at: number; readonly index: number; readonly startedBy: StartedBy }
  | { readonly _tag: "Failed"; readonly at: number; readonly index: number; readonly cause: Cause.Cause<E> }
  | { readonly _tag: "Won"; readonly at: number; readonly index: number; readonly value: A }
  | { readonly _tag: "Decided"; readonly at: number; readonly by: DecidedBy }
  | { readonly _tag: "Lost"; readonly at: number; readonly index: number; readonly cause: Cause.Cause<E> }
  | { readonly _tag: "SucceededLate"; readonly at: number; readonly index: number }
  | { readonly _tag: "SourceFailed"; readonly at: number; readonly cause: Cause.Cause<unknown> }

export interface Winner<A> {
  readonly index: number
  readonly value: A
}

export interface Attempt<A, E> {
  readonly index: number
  readonly startedAt: number
  readonly endedAt: number
  readonly startedBy: StartedBy
  readonly exit: Exit.Exit<A, E>
  readonly result: "won" | "failed" | "lost" | "late"
}

export interface Outcome<A, E, E2 = never> {
  readonly winner: Option.Option<Winner<A>>
  readonly attempts: ReadonlyArray<Attempt<A, E>>
  readonly sourceFailure: Option.Option<Cause.Cause<E2>>
  readonly startedAt: number
  readonly decidedAt: number
  readonly endedAt: number
  readonly decidedBy: DecidedBy
}

export interface CurrentAttempt {
  readonly index: number
  readonly progress: (duration: Duration.DurationInput) => Effect.Effect<void>
}

export const CurrentAttempt: Context.Reference<CurrentAttempt, Option.Option<CurrentAttempt>> = internal.CurrentAttempt

export const race: {
  <A, E, RD = never, RE = never>(
    options: Options<A, E, RD, RE>
  ): <Eff extends Effect.Effect<A, E, unknown>>(
    candidates: Iterable<Eff>
  ) => Effect.Effect<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, Effect.Effect.Context<Eff> | RD | RE>
  <Eff extends Effect.Effect<unknown, unknown, unknown>, RD = never, RE = never>(
    candidates: Iterable<Eff>,
    options: Options<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, RD, RE>
  ): Effect.Effect<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, Effect.Effect.Context<Eff> | RD | RE>
} = dual(2, internal.race)

export const outcome: {
  <A, E, RD = never, RE = never>(
    options: Options<A, E, RD, RE>
  ): <Eff extends Effect.Effect<A, E, unknown>>(
    candidates: Iterable<Eff>
  ) => Effect.Effect<
    Outcome<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>>,
    never,
    Effect.Effect.Context<Eff> | RD | RE
  >
  <Eff extends Effect.Effect<unknown, unknown, unknown>, RD = never, RE = never>(
    candidates: Iterable<Eff>,
    options: Options<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, RD, RE>
  ): Effect.Effect<
    Outcome<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>>,
    never,
    Effect.Effect.Context<Eff> | RD | RE
  >
} = dual(2, internal.outcome)

export const raceStream: {
  <A, E, RD = never, RE = never>(
    options: Options<A, E, RD, RE>
  ): <Eff extends Effect.Effect<A, E, unknown>, E2, R2>(
    candidates: Stream.Stream<Eff, E2, R2>
  ) => Effect.Effect<
    Effect.Effect.Success<Eff>,
    Effect.Effect.Error<Eff> | E2,
    Effect.Effect.Context<Eff> | R2 | RD | RE
  >
  <Eff extends Effect.Effect<unknown, unknown, unknown>, E2, R2, RD = never, RE = never>(
    candidates: Stream.Stream<Eff, E2, R2>,
    options: Options<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, RD, RE>
  ): Effect.Effect<
    Effect.Effect.Success<Eff>,
    Effect.Effect.Error<Eff> | E2,
    Effect.Effect.Context<Eff> | R2 | RD | RE
  >
} = dual(2, internal.raceStream)

export const outcomeStream: {
  <A, E, RD = never, RE = never>(
    options: Options<A, E, RD, RE>
  ): <Eff extends Effect.Effect<A, E, unknown>, E2, R2>(
    candidates: Stream.Stream<Eff, E2, R2>
  ) => Effect.Effect<
    Outcome<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, E2>,
    never,
    Effect.Effect.Context<Eff> | R2 | RD | RE
  >
  <Eff extends Effect.Effect<unknown, unknown, unknown>, E2, R2, RD = never, RE = never>(
    candidates: Stream.Stream<Eff, E2, R2>,
    options: Options<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, RD, RE>
  ): Effect.Effect<
    Outcome<Effect.Effect.Success<Eff>, Effect.Effect.Error<Eff>, E2>,
    never,
    Effect.Effect.Context<Eff> | R2 | RD | RE
  >
} = dual(2, internal.outcomeStream)
