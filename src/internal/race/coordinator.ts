import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Tracer from "effect/Tracer"
import type * as StaggeredRace from "../../StaggeredRace.js"
import type { Telemetry } from "../observe.js"
import { type AnyFiber, Started } from "./attempt.js"
import { tidy } from "./causes.js"
import { makeReport, type Report } from "./events.js"
import { Fibers, nextTurn } from "./fibers.js"
import { Pace } from "./pace.js"
import { LazyScope } from "./scope.js"
import type { Settings } from "./settings.js"
import type { Open, Receiver, Source } from "./source.js"

/** @internal */
export const CurrentAttempt = Context.Reference<StaggeredRace.CurrentAttempt>()(
  "effect-staggered-race/CurrentAttempt",
  {
    defaultValue: () => Option.none<StaggeredRace.CurrentAttempt>()
  }
)

const undecided = { at: NaN, by: "failures", pending: Option.none() } as const

// A fiber that was started in place and yields once goes on in the second turn from then.
const turnsToAnswer = 2

// Fibers that yield give way to other fibers, not to the event loop: candidates that fail without ever waiting would
// keep every timer and socket of the process from being heard, and with them whatever could stop an endless source.
const startsPerTurn = 1024

/** What an attempt gets to see of itself. */
const contextOf = <R>(
  attempt: Started<unknown, unknown>,
  span: Tracer.Span | undefined,
  context: Context.Context<R>
): Context.Context<R> => {
  let own: Context.Context<R> = Context.add(context, CurrentAttempt, Option.some(attempt))
  if (attempt.scope !== undefined) {
    own = Context.add(own, Scope.Scope, attempt.scope.scope)
  }
  return span === undefined ? own : Context.add(own, Tracer.ParentSpan, span)
}

/**
 * Owns the state of one run of a race: what is due, who runs, what is decided.
 *
 * The caller's fiber runs `loop` and is the only one to start attempts. An attempt has a fiber of its own; as it ends
 * it changes the state, in one synchronous step, and wakes the loop. An ending after the decision changes nothing but
 * its own record.
 *
 * @internal
 */
export class Coordinator<A, E, E2, R> implements Receiver<Effect.Effect<A, E, R>, E2> {
  readonly startedAt: number
  readonly attempts: Array<Started<A, E>> = []
  winner: { readonly attempt: Started<A, E>; readonly fiber: AnyFiber; readonly value: A } | undefined
  decision: Pick<StaggeredRace.RaceEvent<A, E> & { readonly _tag: "Decided" }, "at" | "by" | "pending"> = undecided
  sourceFailure: Cause.Cause<E2> | undefined

  private readonly fibers: Fibers<R>
  private readonly scope: Scope.Scope | undefined
  private readonly report: Report<A, E> | undefined
  private readonly pace: Pace<R>
  private readonly source: Source

  /** Attempts that have not ended. */
  private running = 0
  private startedBy: StaggeredRace.StartedBy = "first"
  private pulling = false
  private pulled: Option.Option<Effect.Effect<A, E, R>> = Option.none()
  /** Turns that the race still gives what runs to answer at once, before it makes its first timer. */
  private turnsLeft = turnsToAnswer
  private scheduleDefect: Cause.Cause<never> | undefined

  constructor(
    open: Open<Effect.Effect<A, E, R>, E2, R>,
    private readonly settings: Settings<A, E, R, R>,
    readonly caller: AnyFiber,
    private readonly runtime: Runtime.Runtime<R>,
    private readonly telemetry: Telemetry | undefined
  ) {
    // Of all that ends after the decision only the last is worth a look.
    this.fibers = new Fibers(runtime, () => !this.isDecided || this.isOver)
    this.scope = Option.getOrUndefined(Context.getOption(runtime.context, Scope.Scope))
    this.report = makeReport(runtime, settings.onEvent, telemetry)
    this.pace = new Pace({
      delay: settings.delay,
      minDelay: settings.minDelay,
      clock: Context.get(caller.currentDefaultServices, Clock.Clock),
      fiberId: caller.id(),
      spawn: this.fibers.spawn,
      onTimer: () => this.fibers.stir(),
      onScheduleDefect: (cause) => {
        this.scheduleDefect = cause
      }
    })
    this.source = open(this, this.fibers.spawn)
    this.startedAt = this.pace.now
  }

  get now(): number {
    return this.pace.now
  }

  private get isDecided(): boolean {
    return this.decision !== undecided
  }

  /** Whether nothing is left for the loop to do, or to wait for. */
  private get isOver(): boolean {
    return this.isDecided && (this.fibers.haveEnded || this.settings.background)
  }

  /** Runs in the caller's fiber until the race is decided and, where losers are awaited, all its fibers have ended. */
  readonly loop: Effect.Effect<void> = Effect.whileLoop({
    while: () => !this.isOver,
    body: () => this.advance(),
    step: constVoid
  })

  /** Ends a race whose loop was interrupted, or died: nothing more starts, and all that still runs is waited for. */
  abandon(by: StaggeredRace.DecidedBy): Effect.Effect<void> {
    this.decide(by)
    return this.fibers.ended
  }

  /** Leaves losers in the background to the outer scope, if there is one. */
  readonly leave: Effect.Effect<void> = Effect.suspend(() =>
    this.scope === undefined || this.fibers.haveEnded ? Effect.void : this.fibers.keepIn(this.scope)
  )

  /** One step of the loop: starts the next attempt if it is due, else sees to it that the loop is woken, and waits. */
  private advance(): Effect.Effect<void> {
    this.fibers.look()
    if (this.isDecided) {
      return this.fibers.pause
    }
    if (this.scheduleDefect !== undefined) {
      return Effect.failCause(this.scheduleDefect)
    }
    if (this.pulling) {
      return this.fibers.pause
    }
    if (Option.isNone(this.pulled)) {
      const wait = this.beforePull()
      if (wait !== undefined) {
        return wait
      }
      this.pulling = true
      this.source.pull()
    }
    return Option.isNone(this.pulled) ? Effect.void : this.start(this.pulled.value)
  }

  /** What the loop has to wait with before it pulls the next candidate; nothing when that is due now. */
  private beforePull(): Effect.Effect<void> | undefined {
    if (this.source.left() === 0) {
      this.pace.disarm()
      if (this.running > 0) {
        return this.fibers.pause
      }
      this.decide("failures")
      return Effect.void
    }
    if (this.running >= this.settings.concurrency) {
      return this.fibers.pause
    }
    const { armsFirst, isArmed, remaining } = this.pace
    if (remaining > 0) {
      if (this.turnsLeft > 0 && !isArmed && remaining < Infinity) {
        this.turnsLeft--
        return Effect.yieldNow()
      }
      this.pace.arm()
      return this.fibers.pause
    }
    if (armsFirst && isArmed) {
      this.pace.disarm()
      return this.fibers.pause
    }
    return this.pace.owesTurn() ? nextTurn : undefined
  }

  private start(candidate: Effect.Effect<A, E, R>): Effect.Effect<void> {
    const index = this.attempts.length
    const { dueAt } = this.pace
    const startedAt = this.pace.restart(index)
    const attempt = new Started<A, E>(index, startedAt, dueAt, this.startedBy, this.running === 0, this.pace)
    attempt.scope = this.scope && new LazyScope(this.scope)
    this.attempts.push(attempt)
    this.running++
    this.pulled = Option.none()
    this.startedBy = "delay"
    this.report?.({ _tag: "Started", at: startedAt, index, dueAt, startedBy: attempt.startedBy })
    if (this.pace.armsFirst && this.source.left() > 0) {
      this.pace.arm()
    }
    const span = this.telemetry?.attemptSpan(index)
    const fiber = this.fibers.spawn(
      this.run(attempt, candidate),
      (exit) => this.onAttemptEnd(attempt, Exit.flatten(exit)),
      Runtime.updateContext(this.runtime, (context) => contextOf(attempt, span, context))
    )
    if (attempt.result === undefined) {
      attempt.fiber = fiber
      // Decided while it was being started, by an attempt that it has woken.
      if (this.isDecided) {
        fiber.unsafeInterruptAsFork(this.caller.id())
      }
    }
    if (this.attempts.length % startsPerTurn === 0 && !this.isDecided) {
      return nextTurn
    }
    // One that starts from the scheduler has its turn before the loop goes on, as one in place has had.
    return this.fibers.startInPlace ? Effect.void : Effect.yieldNow()
  }

  /**
   * What the fiber of an attempt does. It starts uninterruptible, as the caller's is here, and only the candidate can
   * be interrupted: no interruption comes between a success and the claim, or between a failure and its clean-up.
   */
  private run(attempt: Started<A, E>, candidate: Effect.Effect<A, E, R>): Effect.Effect<Exit.Exit<A, E>, never, R> {
    return Effect.matchCauseEffect(Effect.interruptible(candidate), {
      onFailure: (cause) => this.giveBack(attempt, Exit.failCause(cause)),
      onSuccess: (value) => Effect.withFiberRuntime((fiber) => this.claim(attempt, value, fiber))
    })
  }

  /**
   * The first success claims the win: the look whether the race is decided, the claim and the signal to the others are
   * one step, in which no fiber can yield.
   */
  private claim(attempt: Started<A, E>, value: A, fiber: AnyFiber): Effect.Effect<Exit.Exit<A, E>> {
    const exit = Exit.succeed(value)
    if (this.isDecided) {
      return this.giveBack(attempt, exit)
    }
    this.winner = { attempt, fiber, value }
    attempt.result = "won"
    this.decide("success")
    return Effect.succeed(exit)
  }

  /** Whoever does not win gives back what it has acquired. */
  private giveBack(attempt: Started<A, E>, exit: Exit.Exit<A, E>): Effect.Effect<Exit.Exit<A, E>> {
    return attempt.scope === undefined
      ? Effect.succeed(exit)
      : Effect.map(Effect.exit(attempt.scope.close(exit)), (closed) => Exit.zipLeft(exit, closed))
  }

  /** The one place where a race is decided. Interruption is only signalled here: the fibers end in their own time. */
  private decide(by: StaggeredRace.DecidedBy): void {
    if (this.isDecided) {
      return
    }
    const at = this.now
    const { dueAt } = this.pace
    const left = this.source.left()
    const pending = left > 0 && left < Infinity && dueAt < at ? Option.some({ dueAt }) : Option.none()
    this.decision = { at, by, pending }
    this.pulled = Option.none()
    for (const attempt of this.attempts) {
      if (attempt.result === undefined) {
        attempt.fiber?.unsafeInterruptAsFork(this.caller.id())
      }
    }
    this.pace.stop()
    this.source.close()
    if (this.winner !== undefined) {
      this.report?.({ _tag: "Won", at, index: this.winner.attempt.index, value: this.winner.value })
    }
    this.report?.({ _tag: "Decided", at, by, pending })
  }

  private onAttemptEnd(attempt: Started<A, E>, exit: Exit.Exit<A, E>): void {
    const { index } = attempt
    this.running--
    attempt.endedAt = this.now
    attempt.fiber = undefined
    attempt.pace = undefined
    // A winner's finalizers may hold their attempt for long: the value is the race's alone.
    if (attempt.result === "won") {
      return
    }
    attempt.exit = exit
    attempt.scope = undefined
    if (Exit.isSuccess(exit)) {
      attempt.result = "late"
      this.report?.({ _tag: "SucceededLate", at: attempt.endedAt, index })
    } else if (this.isDecided) {
      attempt.result = "lost"
      this.report?.({ _tag: "Lost", at: attempt.endedAt, index, cause: tidy(exit.cause) })
    } else {
      const cause = tidy(exit.cause)
      attempt.result = "failed"
      attempt.exit = cause === exit.cause ? exit : Exit.failCause(cause)
      this.report?.({ _tag: "Failed", at: attempt.endedAt, index, cause })
      this.onFailure(attempt, cause)
    }
  }

  private onFailure(attempt: Started<A, E>, cause: Cause.Cause<E>): void {
    if (attempt.index === this.attempts.length - 1 && !this.pulling) {
      this.startedBy = "failure"
      this.pace.expedite()
    }
    try {
      if (this.settings.fatal?.(cause)) {
        this.decide("fatal")
      }
    } catch (thrown) {
      attempt.exit = Exit.failCause(Cause.sequential(cause, Cause.die(thrown)))
      this.decide("fatal")
    }
  }

  onCandidate(candidate: Effect.Effect<A, E, R>): void {
    this.pulling = false
    if (!this.isDecided) {
      this.pulled = Option.some(candidate)
    }
    this.fibers.stir()
  }

  onSourceEnd(): void {
    this.pulling = false
    this.fibers.stir()
  }

  onSourceFailure(cause: Cause.Cause<E2>): void {
    this.pulling = false
    this.sourceFailure = this.sourceFailure === undefined ? cause : Cause.parallel(this.sourceFailure, cause)
    this.report?.({ _tag: "SourceFailed", at: this.now, cause })
    this.fibers.stir()
  }
}
