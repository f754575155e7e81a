import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constTrue } from "effect/Function"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Random from "effect/Random"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import { PCGRandom } from "effect/Utils"
import type * as Hedge from "../../Hedge.js"
import * as Replicas from "../../Replicas.js"
import { call } from "../hedge/call.js"
import { from } from "../hedge/policy.js"
import { elapsed } from "../observe.js"
import { Checks } from "../options.js"
import { isInterruption } from "../race/causes.js"
import { Choice, type Member } from "./choice.js"
import { SetMetrics } from "./metrics.js"

const check = new Checks("Replicas")

/** @internal */
export const TypeId: Replicas.TypeId = Symbol.for("effect-staggered-race/Replicas") as Replicas.TypeId

class ReplicaSet<T> implements Replicas.Replicas<T> {
  readonly [TypeId] = { _T: (target: T) => target }

  constructor(readonly choice: Choice<T>, readonly name: string | undefined) {}
}

const choiceOf = <T>(self: Replicas.Replicas<T>): Choice<T> => (self as ReplicaSet<T>).choice

const decode = ({
  choices = 3,
  ejectAfter = 5,
  ejectFor = "1 second",
  halfLife = "10 seconds",
  maxEjectFor = "30 seconds",
  maxEjected = 0.5,
  name,
  zone
}: Replicas.Options) => {
  check.text("zone", zone)
  return {
    choices: check.limit("choices", choices, 1),
    ejectAfter: check.limit("ejectAfter", ejectAfter, 1),
    ejectFor: check.millis("ejectFor", ejectFor),
    halfLife: check.period("halfLife", halfLife),
    maxEjectFor: check.millis("maxEjectFor", maxEjectFor),
    maxEjected: check.share("maxEjected", maxEjected),
    name: check.name(name),
    zone
  }
}

const change = <T>(choice: Choice<T>, replicas: Iterable<Replicas.Replica<T>>): void =>
  choice.update(Array.from(replicas, (replica) => {
    const { id, zone } = check.object("a replica", replica, "an id and a target")
    check.that(typeof id === "string", "id", id, "a string")
    check.text("zone", zone)
    return replica
  }))

/** @internal */
export const make = <T>(
  replicas: Iterable<Replicas.Replica<T>>,
  options: Replicas.Options = {}
): Effect.Effect<Replicas.Replicas<T>> =>
  Effect.map(Random.nextInt, (seed) => {
    const { name, ...settings } = decode(options)
    const random = new PCGRandom(seed)
    const choice = new Choice<T>(settings, (below) => random.integer(below))
    change(choice, replicas)
    return new ReplicaSet(choice, name)
  })

/** @internal */
export const update = <T>(
  self: Replicas.Replicas<T>,
  replicas: Iterable<Replicas.Replica<T>>
): Effect.Effect<void> => Effect.sync(() => change(choiceOf(self), replicas))

/** @internal */
export const fromStream = <T, E, R>(
  sets: Stream.Stream<Iterable<Replicas.Replica<T>>, E, R>,
  options?: Replicas.Options
): Effect.Effect<Replicas.Replicas<T>, E, R | Scope.Scope> =>
  Effect.gen(function*() {
    const self = yield* make<T>([], options)
    const first = yield* Deferred.make<void, E>()
    yield* Stream.runForEach(sets, (set) => Effect.zipRight(update(self, set), Deferred.succeed(first, undefined)))
      .pipe(
        Effect.onExit((exit) =>
          Effect.flatMap(Deferred.done(first, exit), (isFirst) => isFirst ? Effect.void : ended(exit))
        ),
        Effect.exit,
        Effect.forkScoped
      )
    yield* Deferred.await(first)
    return self
  })

const ended = (exit: Exit.Exit<void, unknown>): Effect.Effect<void> =>
  Exit.isSuccess(exit) || isInterruption(exit)
    ? Effect.void
    : Effect.logWarning("Replicas: the stream of sets has failed, and the last set stays", exit.cause)

/** @internal */
export const states = <T>(self: Replicas.Replicas<T>): Effect.Effect<ReadonlyArray<Replicas.State>> =>
  Effect.map(Effect.clock, (clock) => {
    const now = elapsed(clock)
    return Array.from(choiceOf(self), ({ health, replica: { id, zone } }): Replicas.State => ({
      id,
      zone,
      picks: health.picks,
      inFlight: health.inFlight,
      latency: Number.isNaN(health.latency) ? Option.none() : Option.some(health.latency),
      failures: health.failures,
      isOut: health.isOut(now)
    }))
  })

/** What holds in a call to replicas where its policy says nothing. */
const defaults = { failovers: 1, losers: "background" } as const

/** @internal */
export const hedge = <T, A, E, R>(
  self: Replicas.Replicas<T>,
  request: (target: T, index: number) => Effect.Effect<A, E, R>,
  input: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  { isIll = constTrue, onEvent, prefer = [], ...options }: Replicas.CallOptions<T, A, E, R> = {}
): Effect.Effect<A, E | Replicas.NoReplica, R> =>
  Effect.withFiberRuntime((fiber) => {
    const { choice, name } = self as ReplicaSet<T>
    const policy = from(input)
    const { accept, fatal, pushback } = policy.settings
    check.functions({ isIll, onEvent })
    check.that(Array.isArray(prefer) && prefer.every(Predicate.isString), "prefer", prefer, "a list of ids")
    const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    const metrics = name === undefined ? undefined : new SetMetrics(name, fiber)
    const tried: Array<Member<T>> = []

    const ended = (member: Member<T>, startedAt: number, exit: Exit.Exit<A, E>) => {
      const now = elapsed(clock)
      const { health, replica: { id } } = member
      health.ended()
      try {
        if (isInterruption(exit)) {
          health.cutOff(now - startedAt, now)
        } else if (Exit.isSuccess(exit) || !isIll(exit.cause)) {
          health.answered(now - startedAt, now)
        } else if (health.failed(now) && choice.eject(member, now)) {
          metrics?.ejected(id)
        }
      } finally {
        metrics?.ended(id, health)
      }
    }

    /** A call is under way from here on, and not since its replica was picked. */
    const sent = (member: Member<T>, index: number): Effect.Effect<A, E, R> =>
      Effect.uninterruptibleMask((restore) => {
        const { health, replica: { id, target } } = member
        const startedAt = elapsed(clock)
        health.begun()
        metrics?.picked(id, health)
        return Effect.onExit(
          restore(Effect.suspend(() => request(target, index))),
          (exit) => Effect.sync(() => ended(member, startedAt, exit))
        )
      })

    const picked = (again: boolean): Member<T> | undefined => {
      const now = elapsed(clock)
      const member = choice.pick(tried, prefer, now) ?? (again ? choice.pick([], [], now) : undefined)
      if (member !== undefined) {
        tried.push(member)
      }
      return member
    }

    const first = picked(false)
    return first === undefined ? new Replicas.NoReplica() : call<A, E, R, A>(policy, {
      ...options,
      attempts: (heard) => ({
        next: (index, by) => {
          // A failure says nothing for the same replica, but its silence may be that of a connection.
          const member = index === 0 ? first : picked(by === "delay")
          return member && heard(sent(member, index))
        }
      }),
      accept,
      fatal,
      pushback,
      defaults,
      attributes: (index) => ({ "replica.id": tried[index]?.replica.id }),
      observer: metrics && ((event) => {
        if (event._tag === "Won") {
          metrics.won(tried[event.index]!.replica.id)
        }
      }),
      onEvent: onEvent && ((event) => onEvent(event, tried.map(({ replica }) => replica)))
    })
  })
