import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import { constant } from "effect/Function"
import * as Iterable from "effect/Iterable"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Hedge from "../../Hedge.js"
import type * as StaggeredRace from "../../StaggeredRace.js"
import { elapsed, type Watch } from "../observe.js"
import { isInterruption } from "../race/causes.js"
import * as staggeredRace from "../race/outcome.js"
import { iterableOf } from "../race/source.js"
import { check, unlimited } from "./budget.js"
import { CallMetrics } from "./metrics.js"
import { type Denied, from, type Plan, type Policy } from "./policy.js"

type Event = StaggeredRace.RaceEvent<unknown, unknown>

/** Shows the server's answer to the `pushback` option. */
type Heard<A, E> = <E1 extends E, R>(answer: Effect.Effect<A, E1, R>) => Effect.Effect<A, E1, R>

/**
 * What a policy sends for one call: attempts that each turn a server's answer, an `A`, into a `C`.
 *
 * @internal
 */
export interface Request<A, E, R, C> extends Hedge.CallOptions {
  /** The request, then its hedges. The call pulls each when it is due. */
  readonly attempts: (heard: Heard<A, E>) => Iterable<Effect.Effect<C, E, R>>
  readonly accept: ((value: C) => boolean) | undefined
  readonly fatal: Hedge.Options<A, E>["fatal"]
  readonly pushback: Hedge.Options<A, E>["pushback"]
}

/**
 * One call: it is the source and the observer of its race. As the source, it pays for each hedge when the hedge is due.
 * As the observer, it hears each attempt start and end in the same synchronous step, so its counts are never out of
 * date.
 */
class Call<A, E, R, C> {
  /** Hedges that were paid for. The race may decide before it starts the last of them. */
  private paid = 0
  private begun = 0
  /** When the request was sent. Unset once the call has recorded how long the request took. */
  private sentAt: number | undefined
  /** How long the request may take before it is late, in milliseconds. */
  private late = Infinity
  private isClosed = false
  /** The attempts whose answers `accept` has rejected. */
  private readonly rejected: Array<number> = []

  constructor(
    private readonly policy: Policy<A, E>,
    private readonly request: Request<A, E, R, C>,
    private readonly clock: Clock.Clock,
    private readonly metrics: CallMetrics | undefined
  ) {}

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
    const { metrics, policy: { budget, learns, settings: { losers } }, request: { accept, fatal } } = this
    const isObserved = learns || metrics !== undefined || budget !== unlimited
    const attempts = { [Symbol.iterator]: () => this.attempts() }
    const race = staggeredRace.race<C, E, R>(
      attempts,
      { delay, losers, fatal },
      isObserved ? this.watch : nobody,
      accept && ((value, index) => accept(value) || this.reject(index))
    )
    return metrics === undefined ? race : Effect.onExit(race, (exit) => Effect.sync(() => metrics.onSettled(exit)))
  }

  private *attempts(): Generator<Effect.Effect<C, E, R>> {
    let isHedge = false
    for (const attempt of this.request.attempts(this.heard)) {
      if (isHedge && !this.pay()) {
        return
      }
      yield attempt
      if (this.isClosed || this.paid === this.policy.settings.maxHedges) {
        return
      }
      isHedge = true
    }
    this.deny("no-target")
  }

  private pay(): boolean {
    const denied = this.policy.budget.take(elapsed(this.clock))
    if (denied !== undefined) {
      this.deny(denied)
      return false
    }
    this.paid++
    return true
  }

  private deny(reason: Denied): void {
    if (!this.isClosed && this.paid < this.policy.settings.maxHedges) {
      this.metrics?.onDenied(reason)
    }
    this.isClosed = true
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
    return millis === Infinity ? Effect.sync(() => this.deny("pushback")) : holdBack(millis)
  }

  // The observer of the race.

  private readonly watch: Watch = (caller, runtime) => {
    const telemetry = this.metrics?.observe(caller, runtime, this.isRejected)
    return {
      attemptSpan: telemetry?.attemptSpan ?? noSpan,
      onEvent: (event) => {
        this.onEvent(event)
        telemetry?.onEvent(event)
      }
    }
  }

  private onEvent(event: Event): void {
    const { budget } = this.policy
    switch (event._tag) {
      case "Started": {
        if (event.index > 0) {
          this.begun++
        } else {
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
        return event.index > 0 ? budget.giveBack(1) : this.requestEnded(event)
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

function* heardAll<A, E, R>(attempts: Iterable<Effect.Effect<A, E, R>>, heard: Heard<A, E>) {
  for (const attempt of attempts) {
    yield heard(attempt)
  }
}

/** @internal */
export const hedgeAll = <A, E, R>(
  attempts: Iterable<Effect.Effect<A, E, R>>,
  policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  options?: Hedge.CallOptions
): Effect.Effect<A, E, R> =>
  calling(
    () => {
      const checked = iterableOf(attempts, "Hedge")
      return (heard) => heardAll(checked, heard)
    },
    policy,
    options
  )

/** @internal */
export const hedge = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  options?: Hedge.CallOptions
): Effect.Effect<A, E, R> => calling(() => (heard) => Iterable.makeBy(() => heard(self)), policy, options)
