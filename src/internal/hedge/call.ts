import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import type * as Clock from "effect/Clock"
import * as Data from "effect/Data"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import { constant } from "effect/Function"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import type * as Hedge from "../../Hedge.js"
import * as staggeredRace from "../race/outcome.js"
import { isInterruption, tidy } from "../race/causes.js"
import type { Denied, Plan, Policy } from "./policy.js"
import type { CallTelemetry } from "./telemetry.js"

/** An answer that is not good enough to win. */
class Rejected extends Data.TaggedError("Rejected")<{ readonly answer: unknown }> {}

/** What a copy does; `B` is what it makes of its answer. */
type Copy<B, E, R> = Effect.Effect<B, E | Rejected, R>

/**
 * What is asked of a policy.
 *
 * @internal
 */
export interface Request<A, E, R, B> extends Pick<Hedge.Options<A, E>, "accept" | "fatal" | "pushback"> {
  readonly key: string
  /** The copy of that index, with `judge` at its answer; none if there is nothing left to send it to. */
  readonly copy: (
    index: number,
    judge: <R1>(answer: Effect.Effect<A, E, R1>) => Copy<A, E, R1>
  ) => Option.Option<Copy<B, E, R>>
  /** What a call ends with whose copies gave answers that were not good enough, the first of which this is, or failed. */
  readonly settle: (answer: A, failures: Cause.Cause<E>) => Effect.Effect<B, E>
}

/**
 * One call: a race of copies, of which each but the first is asked for, and paid for, when it is due.
 *
 * @internal
 */
export class Call<A, E, R, B> {
  /** Copies that were asked for, and have not ended. */
  private running = 0
  /** Copies besides the first that are paid for. */
  private sent = 0
  /** Copies that are paid for and have not begun. */
  private waiting = 0
  /** A copy that is paid for ahead of its turn. */
  private reserved: Option.Option<Copy<B, E, R>> = Option.none()
  /** No copy is sent any more. */
  private closed = false
  private isFatal = false
  private isFirstRejected = false

  constructor(
    private readonly policy: Policy<A, E>,
    private readonly request: Request<A, E, R, B>,
    private readonly clock: Clock.Clock,
    private readonly telemetry: CallTelemetry | undefined
  ) {}

  private get now(): number {
    return this.clock.unsafeCurrentTimeMillis()
  }

  run(plan: Either.Either<Plan, Denied>): Effect.Effect<B, E, R> {
    if (Either.isLeft(plan)) {
      this.deny(plan.left)
      return this.race(Duration.infinity, Infinity)
    }
    const { delay, probability } = plan.right
    const quick = typeof delay === "number" ? delay : Infinity
    this.telemetry?.onDelay(quick)
    return probability === 1
      ? this.race(delay, quick)
      : Effect.flatMap(Random.next, (drawn) => this.race(drawn < probability ? delay : Duration.infinity, quick))
  }

  private race(delay: Plan["delay"], quick: number): Effect.Effect<B, E, R> {
    const { policy: { budget, settings }, telemetry } = this
    const fatal = settings.fatal ?? this.request.fatal
    const copies = { [Symbol.iterator]: () => this.copies(quick) }
    return staggeredRace.race<B, E | Rejected, R>(copies, {
      delay,
      losers: settings.losers,
      fatal: fatal && ((cause) => this.isFatal = Option.isNone(rejectedIn(cause)) && fatal(cause as Cause.Cause<E>))
    }, constant(telemetry)).pipe(
      Effect.catchAllCause((cause) => this.settle(cause)),
      Effect.onExit((exit) =>
        Effect.sync(() => {
          budget.giveBack(this.waiting)
          telemetry?.onSettled(exit)
        })
      )
    )
  }

  /** Each is asked for when it is due, and not before. */
  private *copies(quick: number): Generator<Copy<B, E, R>> {
    const first = this.request.copy(0, (answer) => this.judge(0, answer))
    if (Option.isSome(first)) {
      yield this.observed(0, first.value, quick)
      for (let copy = this.next(); Option.isSome(copy); copy = this.next()) {
        yield copy.value
      }
    }
  }

  /** The next copy, paid for, if there may be one. */
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
    // A function that throws is not asked again.
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
      this.telemetry?.onDenied(reason)
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
          // It was interrupted before it began, and is given back with those that wait.
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

  /** Lets an answer through that is good enough, or that nothing better can follow: what it holds is still there. */
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
      this.telemetry?.onRejected(index)
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
      // What it throws is part of the cause if all copies fail, and this one has not.
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

const rejectedIn = (cause: Cause.Cause<unknown>): Option.Option<Rejected> =>
  Chunk.findFirst(Cause.failures(cause), (error) => error instanceof Rejected)
