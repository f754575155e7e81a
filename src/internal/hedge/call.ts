import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import { constant } from "effect/Function"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Hedge from "../../Hedge.js"
import type { Watch } from "../observe.js"
import { isInterruption, tidy } from "../race/causes.js"
import * as staggeredRace from "../race/outcome.js"
import { CallMetrics } from "./metrics.js"
import { type Denied, from, type Plan, type Policy } from "./policy.js"

/** An answer that is not good enough to win. To the race, it is a failure. */
class Rejected extends Data.TaggedError("Rejected")<{ readonly answer: unknown }> {}

/** One copy of a request. It turns the server's answer into a `B`. */
type Copy<B, E, R> = Effect.Effect<B, E | Rejected, R>

/**
 * What a caller hands to a policy.
 *
 * @internal
 */
export interface Request<A, E, R, B> extends Pick<Hedge.Options<A, E>, "accept" | "fatal" | "pushback"> {
  readonly key: string
  /** The copy of that index, which passes its answer to `judge`; none if there is no target left for it. */
  readonly copy: (
    index: number,
    judge: <R1>(answer: Effect.Effect<A, E, R1>) => Copy<A, E, R1>
  ) => Option.Option<Copy<B, E, R>>
  /** The end of a call without a winner that got at least one answer. It gets the first answer, and all failures. */
  readonly settle: (answer: A, failures: Cause.Cause<E>) => Effect.Effect<B, E>
}

/** A race of copies. The call asks for a hedge, and pays for it, only when the hedge is due. */
class Call<A, E, R, B> {
  /** Copies that the call has asked for, and that have not ended. */
  private running = 0
  /** Hedges that are paid for. */
  private sent = 0
  /** Hedges that are paid for and have not begun. */
  private waiting = 0
  /** A hedge that is paid for ahead of its turn. */
  private reserved: Option.Option<Copy<B, E, R>> = Option.none()
  /** The call sends no more hedges. */
  private closed = false
  private isFatal = false
  private isFirstRejected = false

  constructor(
    private readonly policy: Policy<A, E>,
    private readonly request: Request<A, E, R, B>,
    private readonly clock: Clock.Clock,
    private readonly metrics: CallMetrics | undefined
  ) {}

  private get now(): number {
    return this.clock.unsafeCurrentTimeMillis()
  }

  run(plan: Either.Either<Plan, Denied>): Effect.Effect<B, E, R> {
    if (Either.isLeft(plan)) {
      this.deny(plan.left)
      return this.race(Infinity, Infinity)
    }
    const { delay, probability } = plan.right
    const quick = typeof delay === "number" ? delay : Infinity
    this.metrics?.onDelay(quick)
    return probability === 1
      ? this.race(delay, quick)
      : Effect.flatMap(Random.next, (drawn) => this.race(drawn < probability ? delay : Infinity, quick))
  }

  private race(delay: Plan["delay"], quick: number): Effect.Effect<B, E, R> {
    const { metrics, policy: { budget, settings } } = this
    const fatal = settings.fatal ?? this.request.fatal
    const copies = { [Symbol.iterator]: () => this.copies(quick) }
    return staggeredRace.race<B, E | Rejected, R>(copies, {
      delay,
      losers: settings.losers,
      fatal: fatal && ((cause) => this.isFatal = Option.isNone(rejectedIn(cause)) && fatal(cause as Cause.Cause<E>))
    }, metrics?.watch ?? nobody).pipe(
      Effect.catchAllCause((cause) => this.settle(cause)),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          budget.giveBack(this.waiting)
          metrics?.onSettled(exit)
        })
      )
    )
  }

  /** The race pulls a copy when it is due. */
  private *copies(quick: number): Generator<Copy<B, E, R>> {
    const first = this.request.copy(0, (answer) => this.judge(0, answer))
    if (Option.isSome(first)) {
      yield this.observed(0, first.value, quick)
      for (let copy = this.next(); Option.isSome(copy); copy = this.next()) {
        yield copy.value
      }
    }
  }

  /** The next hedge, paid for, or none. */
  private next(): Option.Option<Copy<B, E, R>> {
    const { policy, reserved } = this
    if (Option.isSome(reserved)) {
      this.reserved = Option.none()
      return reserved
    }
    const index = this.sent + 1
    if (this.closed || index > policy.settings.maxHedges) {
      return Option.none()
    }
    // If `copy` throws, the call stays closed and does not ask again.
    this.closed = true
    const copy = this.request.copy(index, (answer) => this.judge(index, answer))
    this.closed = false
    if (Option.isNone(copy)) {
      return this.deny("no-target")
    }
    if (!policy.budget.take(this.now)) {
      return this.deny("budget")
    }
    this.sent++
    this.waiting++
    return Option.some(this.observed(index, copy.value, Infinity))
  }

  private deny(reason: Denied): Option.Option<never> {
    if (!this.closed && this.sent < this.policy.settings.maxHedges) {
      this.metrics?.onDenied(reason)
    }
    this.closed = true
    return Option.none()
  }

  private observed(index: number, copy: Copy<B, E, R>, quick: number): Copy<B, E, R> {
    this.running++
    let startedAt = NaN
    const begun = Effect.suspend(() => {
      startedAt = this.now
      if (index > 0) {
        this.waiting--
      }
      return copy
    })
    return Effect.onExit(begun, (exit) =>
      Effect.sync(() => {
        this.running--
        if (Number.isNaN(startedAt)) {
          // Interrupted before it began: `race` gives it back, with the others that wait.
          return
        }
        if (index > 0) {
          this.policy.budget.giveBack(1)
        } else {
          this.record(this.now - startedAt, exit, quick)
        }
      }))
  }

  private record(elapsed: number, exit: Exit.Exit<unknown, unknown>, quick: number): void {
    if (Exit.isSuccess(exit) && !this.isFirstRejected) {
      this.policy.record(this.request.key, elapsed, "ended", this.now)
    } else if (isInterruption(exit) || elapsed >= quick) {
      this.policy.record(this.request.key, elapsed, "cutOff", this.now)
    }
  }

  /** Lets an answer win that is good enough, or that nothing better can follow. What the answer holds stays open. */
  private judge<R1>(index: number, answer: Effect.Effect<A, E, R1>): Copy<A, E, R1> {
    const { accept = this.request.accept, pushback = this.request.pushback } = this.policy.settings
    const heard = pushback === undefined ? answer : Effect.onExit(answer, (exit) =>
      Effect.sync(() => {
        if (!isInterruption(exit) && pushback(exit)) {
          this.deny("pushback")
        }
      }))
    return accept === undefined ? heard : Effect.flatMap(heard, (answer) => {
      if (accept(answer)) {
        return Effect.succeed(answer)
      }
      this.isFirstRejected ||= index === 0
      this.metrics?.onRejected(index)
      return this.mayGetBetter() ? new Rejected({ answer }) : Effect.succeed(answer)
    })
  }

  private mayGetBetter(): boolean {
    if (this.running > 1) {
      return true
    }
    try {
      this.reserved = this.next()
    } catch {
      // This copy has not failed. The race pulls again if others fail, and then reports the failure of `copy`.
    }
    return Option.isSome(this.reserved)
  }

  private settle(cause: Cause.Cause<E | Rejected>): Effect.Effect<B, E> {
    const rejected = rejectedIn(cause)
    const failures = tidy(
      Cause.flatMap(cause, (error) => error instanceof Rejected ? Cause.empty : Cause.fail(error))
    )
    return Option.isSome(rejected) && !this.isFatal && Chunk.isEmpty(Cause.defects(cause))
      ? this.request.settle(rejected.value.answer as A, failures)
      : Effect.failCause(failures)
  }
}

const nobody: Watch = constant(undefined)

const rejectedIn = (cause: Cause.Cause<unknown>): Option.Option<Rejected> =>
  Chunk.findFirst(Cause.failures(cause), (error) => error instanceof Rejected)

/** @internal */
export const call = <A, E, R, B>(
  input: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  request: Request<A, E, R, B>
): Effect.Effect<B, E, R> =>
  Effect.withFiberRuntime((fiber) => {
    const clock = Context.get(fiber.currentDefaultServices, Clock.Clock)
    const policy = from(input)
    const { budget, settings: { enabled, name } } = policy
    const metrics = name === undefined ? undefined : new CallMetrics(name, fiber)
    const run = (isEnabled: boolean) => {
      const now = clock.unsafeCurrentTimeMillis()
      budget.called(now)
      const plan = isEnabled ? policy.plan(request.key, now) : Either.left("disabled" as const)
      return new Call(policy, request, clock, metrics).run(plan)
    }
    return enabled === undefined ? run(true) : Effect.flatMap(enabled, run)
  })

/** @internal */
export const hedgeWith = <A, E, R>(
  candidate: (index: number) => Option.Option<Effect.Effect<A, E, R>>,
  policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  { key = "" }: Hedge.CallOptions = {}
): Effect.Effect<A, E, R> =>
  call<A, E, R, A>(policy, {
    key,
    copy: (index, judge) => Option.map(candidate(index), judge),
    settle: Effect.succeed
  })

/** @internal */
export const hedge = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  options?: Hedge.CallOptions
): Effect.Effect<A, E, R> => hedgeWith(() => Option.some(self), policy, options)
