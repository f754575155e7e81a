import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { constant } from "effect/Function"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Hedge from "../../Hedge.js"
import type * as StaggeredRace from "../../StaggeredRace.js"
import { elapsed, type Watch } from "../observe.js"
import { isInterruption } from "../race/causes.js"
import * as staggeredRace from "../race/outcome.js"
import type { StartedBy } from "../race/rules.js"
import { each, iterableOf, type Receiver, type Source } from "../race/source.js"
import { check, unlimited } from "./budget.js"
import { CallMetrics } from "./metrics.js"
import { type Denied, from, type Plan, type Policy } from "./policy.js"

type Event = StaggeredRace.RaceEvent<unknown, unknown>

/** Shows the server's answer to the `pushback` option. */
type Heard<A, E> = <E1 extends E, R>(answer: Effect.Effect<A, E1, R>) => Effect.Effect<A, E1, R>

/**
 * The attempts of one call, each of which turns a server's answer, an `A`, into a `C`. They are asked for one by one,
 * when they are due.
 */
interface Attempts<C, E, R> {
  /** The attempt of that index; `undefined` if there is no target left for it. */
  readonly next: (index: number, by: StartedBy) => Effect.Effect<C, E, R> | undefined
  /** No more is asked for. */
  readonly close?: () => void
}

/**
 * What a caller hands to a policy.
 *
 * @internal
 */
export interface Request<A, E, R, C> extends Hedge.CallOptions {
  readonly attempts: (heard: Heard<A, E>) => Attempts<C, E, R>
  readonly accept: ((answer: C) => boolean) | undefined
  readonly fatal: Hedge.Options<A, E>["fatal"]
  readonly pushback: Hedge.Options<A, E>["pushback"]
  /** What holds where the policy says nothing. */
  readonly defaults?: Pick<Hedge.Options, "failovers" | "losers"> | undefined
  /** What spans of attempts tell besides. */
  readonly attributes?: ((index: number) => Record<string, unknown>) | undefined
  /** Sees what happens in the very step in which it does. */
  readonly observer?: ((event: Event) => void) | undefined
  readonly onEvent?: ((event: StaggeredRace.RaceEvent<C, E>) => Effect.Effect<unknown, unknown, R>) | undefined
}

/**
 * One call. It is the source of its race: when an attempt is due, it pays for it. It is also the observer of its race: it
 * sees each attempt begin and end, in the very step in which it does so.
 */
class Call<A, E, R, C> implements Source {
  readonly whyEmpty = ""
  /** Attempts that were asked for. */
  private asked = 0
  /** Hedges that were paid for. The race may decide before it starts the last of them. */
  private paid = 0
  private begun = 0
  /** The attempts that took the place of a failed one, and were not paid for. */
  private readonly failovers: Array<number> = []
  /** When the request was sent. Unset once the call has recorded how long the request took. */
  private sentAt: number | undefined
  /** How long the request may take before it is late, in milliseconds. */
  private late = Infinity
  /** The call sends no more hedges, but may fail over. */
  private isDenied = false
  /** The call sends nothing more. */
  private isClosed = false
  /** The attempts whose answers `accept` has rejected. */
  private readonly rejected: Array<number> = []
  private readonly attempts: Attempts<C, E, R>
  private readonly maxFailovers: number
  private receiver!: Receiver<Effect.Effect<C, E, R>, never>

  constructor(
    private readonly policy: Policy<A, E>,
    private readonly request: Request<A, E, R, C>,
    private readonly clock: Clock.Clock,
    private readonly metrics: CallMetrics | undefined
  ) {
    this.attempts = request.attempts(this.heard)
    this.maxFailovers = policy.settings.failovers ?? request.defaults?.failovers ?? 0
  }

  run(plan: Either.Either<Plan, Denied>): Effect.Effect<C, E, R> {
    if (Either.isLeft(plan)) {
      this.deny(plan.left)
      return this.race(Infinity)
    }
    const { delay, probability } = plan.right
    this.late = typeof delay === "number" ? delay : Infinity
    this.metrics?.onDelay(this.late)
    return probability === 1
      ? this.race(delay)
      : Effect.flatMap(Random.next, (drawn) => this.race(drawn < probability ? delay : Infinity))
  }

  private race(delay: Plan["delay"]): Effect.Effect<C, E, R> {
    const { metrics, policy: { budget, learns, settings }, request: { accept, defaults, fatal, observer, onEvent } } =
      this
    const isObserved = learns || metrics !== undefined || budget !== unlimited || observer !== undefined
    const race = staggeredRace.raceOf<C, E, R>(
      (receiver) => {
        this.receiver = receiver
        return this
      },
      { delay, losers: settings.losers ?? defaults?.losers, fatal, onEvent },
      isObserved ? this.watch : nobody,
      accept && ((answer, index) => accept(answer) || this.reject(index))
    )
    return metrics === undefined ? race : Effect.onExit(race, (exit) => Effect.sync(() => metrics.onSettled(exit)))
  }

  // The source of the race.

  left(): number {
    return this.asked === 0 || this.mayHedge || this.mayFailOver ? Infinity : 0
  }

  pull(by: StartedBy): void {
    const isFailover = by === "failure" && this.mayFailOver
    const isPaid = this.asked > 0 && !isFailover && this.pay()
    if (this.asked > 0 && !isFailover && !isPaid) {
      // After the delay of an attempt there may still be its failure.
      return by === "delay" && this.mayFailOver ? this.receiver.onWithheld() : this.receiver.onSourceEnd()
    }
    let attempt: Effect.Effect<C, E, R> | undefined
    try {
      attempt = this.attempts.next(this.asked, by)
    } catch (thrown) {
      return this.receiver.onSourceFailure(Cause.die(thrown))
    }
    if (attempt === undefined) {
      if (isPaid) {
        this.paid--
        this.policy.budget.putBack(1, elapsed(this.clock))
      }
      this.deny("no-target")
      return this.receiver.onSourceEnd()
    }
    if (isFailover) {
      this.failovers.push(this.asked)
    }
    this.asked++
    this.receiver.onCandidate(attempt)
  }

  close(): void {
    this.isClosed = true
    try {
      this.attempts.close?.()
    } catch (thrown) {
      this.receiver.onSourceFailure(Cause.die(thrown))
    }
  }

  private get mayHedge(): boolean {
    return !this.isClosed && !this.isDenied && this.paid < this.policy.settings.maxHedges
  }

  private get mayFailOver(): boolean {
    return !this.isClosed && this.failovers.length < this.maxFailovers
  }

  /** Pays for a hedge, if it may be sent. */
  private pay(): boolean {
    if (!this.mayHedge) {
      return false
    }
    const denied = this.policy.budget.take(elapsed(this.clock))
    if (denied !== undefined) {
      this.deny(denied)
      return false
    }
    this.paid++
    return true
  }

  private deny(reason: Denied): void {
    if (this.mayHedge) {
      this.metrics?.onDenied(reason)
    }
    this.isDenied = true
  }

  private readonly isRejected = (index: number): boolean => this.rejected.includes(index)

  private reject(index: number): false {
    this.rejected.push(index)
    return false
  }

  private readonly heard: Heard<A, E> = (answer) => {
    const { pushback } = this.request
    if (pushback === undefined) {
      return answer
    }
    return Effect.flatMap(
      staggeredRace.CurrentAttempt,
      (attempt) =>
        Effect.onExit(answer, (exit) =>
          isInterruption(exit)
            ? Effect.void
            : Effect.suspend(() => this.pushBack(pushback(exit), Option.getOrThrow(attempt))))
    )
  }

  private pushBack(asked: Hedge.Pushback, { holdBack }: StaggeredRace.CurrentAttempt): Effect.Effect<void> {
    if (asked === false) {
      return Effect.void
    }
    const millis = asked === true ? Infinity : check.millis("pushback", asked)
    return millis === Infinity
      ? Effect.sync(() => {
        this.deny("pushback")
        this.isClosed = true
      })
      : holdBack(millis)
  }

  // The observer of the race.

  private readonly watch: Watch = (caller, runtime) => {
    const telemetry = this.metrics?.observe(caller, runtime, {
      isRejected: this.isRejected,
      isHedge: this.isHedge,
      attributes: this.request.attributes
    })
    return {
      attemptSpan: telemetry?.attemptSpan ?? noSpan,
      onEvent: (event) => {
        this.onEvent(event)
        this.request.observer?.(event)
        telemetry?.onEvent(event)
      }
    }
  }

  private readonly isHedge = (index: number): boolean => index > 0 && !this.failovers.includes(index)

  private onEvent(event: Event): void {
    const { budget } = this.policy
    switch (event._tag) {
      case "Started": {
        if (this.isHedge(event.index)) {
          this.begun++
        } else if (event.index === 0) {
          this.sentAt = elapsed(this.clock)
        }
        return
      }
      case "Decided": {
        // A hedge that did not start is refunded. A request that has not answered yet would have taken longer.
        if (this.paid > this.begun) {
          budget.putBack(this.paid - this.begun, elapsed(this.clock))
        }
        return this.record("cutOff", 0)
      }
      case "Won":
      case "Failed":
      case "Lost":
      case "SucceededLate": {
        if (event.index === 0) {
          this.requestEnded(event)
        } else if (this.isHedge(event.index)) {
          budget.giveBack(1)
        }
      }
    }
  }

  private requestEnded(event: Event): void {
    if (event._tag === "Won" && !this.isRejected(0)) {
      return this.record("ended", 0)
    }
    // An early failure does not tell how long an answer takes; a late one tells that it takes longer. An attempt that
    // interrupted itself would have taken longer, whenever it did so.
    const isCutOff = event._tag === "Failed" && Cause.isInterruptedOnly(event.cause) && !Cause.isEmpty(event.cause)
    this.record("cutOff", isCutOff ? 0 : this.late)
  }

  /** Records how long the request took, once, unless it took less than `least` milliseconds. */
  private record(how: "ended" | "cutOff", least: number): void {
    const { clock, policy, request: { key = "" }, sentAt } = this
    if (sentAt !== undefined) {
      const now = elapsed(clock)
      this.sentAt = undefined
      if (now - sentAt >= least) {
        policy.record(key, now - sentAt, how, now)
      }
    }
  }
}

const nobody: Watch = constant(undefined)
const noSpan = constant(undefined)

/** @internal */
export const call = <A, E, R, C>(
  policy: Policy<A, E>,
  request: Request<A, E, R, C>
): Effect.Effect<C, E, R> =>
  Effect.withFiberRuntime((fiber) => {
    const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    const { budget, settings: { enabled, name } } = policy
    const metrics = name === undefined ? undefined : new CallMetrics(name, fiber)
    const run = (isEnabled: boolean) => {
      const now = elapsed(clock)
      budget.called(now)
      const plan = isEnabled ? policy.plan(request, now) : Either.left("disabled" as const)
      return new Call(policy, request, clock, metrics).run(plan)
    }
    return enabled === undefined ? run(true) : Effect.flatMap(enabled, run)
  })

/** Turns a mistake in the arguments into a defect of the call. */
const calling = <A, E, R>(
  decode: () => Request<A, E, R, A>["attempts"],
  input: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  options: Hedge.CallOptions | undefined
): Effect.Effect<A, E, R> => {
  try {
    const policy = from(input)
    const { accept, fatal, pushback } = policy.settings
    return call<A, E, R, A>(policy, { ...options, attempts: decode(), accept, fatal, pushback })
  } catch (mistake) {
    return Effect.die(mistake)
  }
}

/** @internal */
export const hedgeAll = <A, E, R>(
  candidates: Iterable<Effect.Effect<A, E, R>>,
  policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  options?: Hedge.CallOptions
): Effect.Effect<A, E, R> =>
  calling(
    () => {
      const checked = iterableOf(candidates, "Hedge")
      return (heard) => {
        const iterator = each(checked)
        return {
          next: () => {
            const next = iterator.next()
            return next.done === true ? undefined : heard(next.value)
          },
          close: () => void iterator.return()
        }
      }
    },
    policy,
    options
  )

/** @internal */
export const hedge = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  options?: Hedge.CallOptions
): Effect.Effect<A, E, R> => calling(() => (heard) => ({ next: () => heard(self) }), policy, options)
