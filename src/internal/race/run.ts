import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { constVoid } from "effect/Function"
import * as Option from "effect/Option"
import type * as Runtime from "effect/Runtime"
import { SyncScheduler } from "effect/Scheduler"
import * as Scope from "effect/Scope"
import type { AnyFiber, Telemetry } from "../observe.js"
import { Attempt, contextOf } from "./attempt.js"
import { tidy } from "./causes.js"
import { type Time, timeOf, type TimerEnd } from "./clock.js"
import { makeReport, type Report } from "./events.js"
import { Fibers } from "./fibers.js"
import { Pace } from "./pace.js"
import { type Decision, Rules } from "./rules.js"
import { LazyScope } from "./scope.js"
import type { Settings } from "./settings.js"
import type { Open, Receiver, Source } from "./source.js"

type Candidate<A, E, R> = Effect.Effect<A, E, R>

/** @internal */
export interface Winner<A, E> {
  readonly attempt: Attempt<A, E>
  readonly value: A
}

/**
 * Whether a success of the attempt of that index is good enough to win.
 *
 * @internal
 */
export type Accept<A> = (value: A, index: number) => boolean

// Candidates that fail without suspending would block the event loop, and with it whatever could stop an endless source.
const startsPerBreath = 1024

/**
 * Drives one run of a race: carries out what the rules say, and tells them what happens.
 *
 * The caller's fiber runs `loop` and is the only one to start attempts. An attempt has a fiber and a scope of its own.
 * As it ends it tells the rules, in one synchronous step, and ends the loop's pause. The first success decides, and
 * whatever comes later changes nothing but its own record.
 *
 * @internal
 */
export class Race<A, E, E2, R> implements Receiver<Candidate<A, E, R>, E2> {
  readonly attempts: Array<Attempt<A, E>> = []
  winner: Winner<A, E> | undefined
  /** The attempt that failed in a way that has ended the race. */
  fatal: Attempt<A, E> | undefined
  sourceFailure: Cause.Cause<E2> | undefined
  /** The first success that was not good enough, if it holds nothing. Only declared, as what follows it. */
  declare spare: Exit.Exit<A> | undefined
  /** Set if the caller was interrupted, or the race died, also after a win: then this is how the race ends. */
  aborted: Exit.Exit<never> | undefined

  readonly startedAt: number
  readonly fibers: Fibers<R>
  readonly source: Source
  private readonly rules: Rules
  private readonly time: Time
  private readonly pace: Pace<R>
  private readonly scope: Scope.Scope | undefined
  private readonly report: Report<A, E> | undefined
  private pulled: Candidate<A, E, R> | undefined
  private lastNow = 0
  declare private cancelLimit: (() => void) | undefined
  /** When the source was asked, if it did not answer at once. */
  declare private askedAt?: number | undefined

  constructor(
    open: Open<Candidate<A, E, R>, E2, R>,
    readonly settings: Settings<A, E, R, R>,
    readonly caller: AnyFiber,
    readonly runtime: Runtime.Runtime<R>,
    private readonly telemetry: Telemetry | undefined,
    private readonly accept: Accept<A> | undefined
  ) {
    this.fibers = new Fibers(runtime, this)
    this.source = open(this, this.fibers)
    this.rules = new Rules(settings, this.source)
    this.time = timeOf(Context.get(caller.currentDefaultServices, Clock.Clock), this.fibers)
    this.pace = new Pace(this.rules, this.time, settings.delay, this.fibers)
    this.scope = scopeOf(runtime.context)
    this.report = makeReport(runtime, settings.onEvent, telemetry)
    this.startedAt = this.now
  }

  /** What the clock told last, if it dies: then the race does. */
  get now(): number {
    try {
      return this.lastNow = this.time.now()
    } catch (thrown) {
      this.pace.defect ??= Cause.die(thrown)
      return this.lastNow
    }
  }

  /** None before the race is decided. */
  get decision(): Decision | undefined {
    return this.rules.decision
  }

  private get isDecided(): boolean {
    return this.rules.decision !== undefined
  }

  /** Something has changed. After the decision the loop waits for all fibers, so only the last one to end wakes it. */
  onChange(): void {
    if (!this.isDecided || this.fibers.running === 0 || this.settings.background) {
      this.fibers.stir()
    }
  }

  // What the caller's fiber does.

  /**
   * Runs until the race is decided and, where losers are awaited, all its fibers have ended. After so many milliseconds
   * it is decided, whatever still runs.
   */
  loop(timeout: number): Effect.Effect<void> {
    if (timeout < Infinity) {
      // Before the first attempt, as any timer.
      this.cancelLimit = this.time.arm(timeout, (end) => this.onLimit(end))
    }
    return Effect.whileLoop({
      while: () => !this.isDecided || this.fibers.running > 0 && !this.settings.background,
      body: () => this.advance(),
      step: constVoid
    })
  }

  private advance(): Effect.Effect<void> {
    this.fibers.look()
    if (this.pace.defect !== undefined && !this.isDecided) {
      // Here and not as the loop has failed: an attempt may end in between.
      this.abort(this.pace.defect)
      return Effect.failCause(this.pace.defect)
    }
    for (;;) {
      const command = this.rules.next(this.now)
      switch (command) {
        case "pull":
          this.ask()
          break
        case "start":
          return this.start(this.pulled!)
        case "wait":
          return this.fibers.pause
        default:
          this.pace.follow(command)
      }
    }
  }

  private ask(): void {
    this.rules.pulling()
    this.source.pull()
    if (this.rules.isPulling) {
      this.askedAt = this.lastNow
    }
  }

  private start(candidate: Candidate<A, E, R>): Effect.Effect<void> {
    const at = this.now
    const attempt = new Attempt<A, E>(this.rules.started(at), this)
    const { dueAt, heldBackBy, index, startedBy } = attempt
    attempt.scope = this.scope && new LazyScope(this.scope)
    this.attempts.push(attempt)
    this.pulled = undefined
    this.report?.({ _tag: "Started", at, index, dueAt, heldBackBy: Option.fromNullable(heldBackBy), startedBy })
    try {
      this.pace.restart(index, at)
      if (this.time.armsFirst) {
        this.pace.follow(this.rules.timing(at))
      }
      attempt.runsIn(this.fibers.start(
        contextOf(attempt, this.runtime.context, this.telemetry?.attemptSpan(index)),
        this.run(attempt, candidate),
        (exit) => this.fibers.ended(() => this.onEnd(attempt, exit))
      ))
    } catch (thrown) {
      // A supervisor did not let a fiber start.
      this.onEnd(attempt, Exit.die(thrown))
      throw thrown
    }
    if (!this.isDecided) {
      return this.afterStart()
    }
    // Perhaps it was decided by an attempt that this one has woken.
    this.interrupt(attempt)
    return Effect.void
  }

  private afterStart(): Effect.Effect<void> {
    const { currentScheduler } = this.caller
    // `Effect.runSync` lets nothing else happen.
    const isSync = currentScheduler instanceof SyncScheduler && !currentScheduler.deferred
    if (this.attempts.length % startsPerBreath === 0 && this.time.breathe !== undefined && !isSync) {
      return this.time.breathe
    }
    // An attempt that starts from the scheduler has its turn before the loop goes on, as one in place has had.
    return this.fibers.startInPlace ? Effect.void : Effect.yieldNow()
  }

  // What the fiber of an attempt does.

  /**
   * It starts uninterruptible, as the caller's is here, and only the candidate can be interrupted: no interruption comes
   * between a success and the claim, or between a failure and its clean-up.
   */
  private run(attempt: Attempt<A, E>, candidate: Candidate<A, E, R>): Effect.Effect<void, never, R> {
    return Effect.matchCauseEffect(Effect.interruptible(candidate), {
      onFailure: (cause) => attempt.giveBack(Exit.failCause(cause)),
      onSuccess: (value) => this.claim(attempt, value)
    })
  }

  /** The first success that is good enough wins, in one step in which no fiber can yield. */
  private claim(attempt: Attempt<A, E>, value: A): Effect.Effect<void> {
    if (this.accept !== undefined && !this.isDecided) {
      const rejected = this.judge(this.accept, attempt, value)
      if (rejected !== undefined) {
        return rejected
      }
    }
    if (!this.rules.succeeded(this.now)) {
      return attempt.giveBack(Exit.succeed(value))
    }
    attempt.result = "won"
    this.winner = { attempt, value }
    this.onDecided()
    return Effect.void
  }

  /** Gives back an attempt whose success is not good enough, or cannot be judged. */
  private judge(accept: Accept<A>, attempt: Attempt<A, E>, value: A): Effect.Effect<void> | undefined {
    try {
      if (accept(value, attempt.index) || !this.mayGetBetter(attempt)) {
        return undefined
      }
    } catch (thrown) {
      return attempt.giveBack(Exit.die(thrown))
    }
    // It is as a failure. If it holds nothing, it is kept in case that only failures follow.
    if (attempt.scope?.isUsed !== true) {
      this.spare ??= Exit.succeed(value)
    }
    return attempt.giveBack(Exit.failCause(Cause.empty))
  }

  /** Whether anything may still succeed that is better than the success that has just come. The source may have to say. */
  private mayGetBetter(than: Attempt<A, E>): boolean {
    if (this.attempts.some((attempt) => attempt !== than && attempt.mayWin)) {
      return true
    }
    if (this.rules.isUnasked) {
      this.ask()
    }
    return !this.rules.isExhausted
  }

  private onEnd(attempt: Attempt<A, E>, ended: Exit.Exit<void>): void {
    const at = this.now
    const { index } = attempt
    const exit = attempt.end(at, ended)
    if (exit === undefined) {
      return
    }
    if (Exit.isSuccess(exit)) {
      attempt.result = "late"
      return this.report?.({ _tag: "SucceededLate", at, index })
    }
    if (this.isDecided) {
      attempt.result = "lost"
      return this.report?.({ _tag: "Lost", at, index, cause: tidy(exit.cause) })
    }
    const cause = tidy(exit.cause)
    attempt.result = "failed"
    attempt.exit = cause === exit.cause ? exit : Exit.failCause(cause)
    this.report?.({ _tag: "Failed", at, index, cause })
    if (this.isFatal(attempt, cause)) {
      this.fatal = attempt
    }
    if (this.rules.failed(index, at, this.fatal !== undefined)) {
      this.onDecided()
    } else if (this.rules.isHeldBack) {
      // If there is nothing to wait for, the race has failed now.
      this.mayGetBetter(attempt)
    }
  }

  private isFatal(attempt: Attempt<A, E>, cause: Cause.Cause<E>): boolean {
    try {
      // An attempt that was rejected has not failed by itself.
      return !Cause.isEmptyType(cause) && Boolean(this.settings.fatal?.(cause))
    } catch (thrown) {
      attempt.exit = Exit.failCause(Cause.sequential(cause, Cause.die(thrown)))
      return true
    }
  }

  onProgress(index: number, millis: number): number {
    const at = this.now
    this.rules.progressed(index, at, millis)
    return at
  }

  onHoldBack(millis: number): void {
    this.rules.heldBack(this.now, millis)
    this.onChange()
  }

  onWaive(index: number): void {
    this.rules.waived(index, this.now)
    this.onChange()
  }

  // What the source answers.

  onCandidate(candidate: Candidate<A, E, R>): void {
    if (this.askedAt === undefined) {
      this.rules.pulled()
    } else {
      const at = this.now
      this.rules.pulledLate(at, at - this.askedAt)
      this.askedAt = undefined
    }
    this.pulled = candidate
    this.onChange()
  }

  onSourceEnd(): void {
    if (this.rules.exhausted(this.now)) {
      this.onDecided()
    }
    this.onChange()
  }

  onSourceFailure(cause: Cause.Cause<E2>): void {
    this.sourceFailure = this.sourceFailure === undefined ? cause : Cause.parallel(this.sourceFailure, cause)
    this.report?.({ _tag: "SourceFailed", at: this.now, cause })
    this.onSourceEnd()
  }

  // The decision.

  private onLimit(end: TimerEnd): void {
    this.cancelLimit = undefined
    if (Exit.isFailure(end)) {
      this.pace.defect ??= end.cause
    } else if (end.value === "slept" && this.rules.decide("timeout", this.now)) {
      this.onDecided()
    }
    this.onChange()
  }

  /** Gives up a race that was interrupted, or died, perhaps after it was decided. */
  abort(cause: Cause.Cause<never>): Exit.Exit<never> {
    this.aborted = Exit.failCause(cause)
    if (this.rules.decide(Cause.isInterrupted(cause) ? "interruption" : "defect", this.now)) {
      this.onDecided()
    }
    return this.aborted
  }

  /** Interruption is only signalled here: the fibers end in their own time. */
  private onDecided(): void {
    const { report, rules: { decision }, winner } = this
    this.pulled = undefined
    for (const attempt of this.attempts) {
      this.interrupt(attempt)
    }
    this.pace.stop()
    this.cancelLimit?.()
    this.source.close()
    if (report !== undefined && decision !== undefined) {
      const { at, by, pending } = decision
      if (winner !== undefined) {
        report({ _tag: "Won", at, index: winner.attempt.index, value: winner.value })
      }
      report({ _tag: "Decided", at, by, pending: Option.fromNullable(pending) })
    }
    this.onChange()
  }

  private interrupt(attempt: Attempt<A, E>): void {
    if (attempt.result === undefined) {
      attempt.fiber?.unsafeInterruptAsFork(this.caller.id())
    }
  }
}

const scopeOf = (context: Context.Context<never>): Scope.Scope | undefined => context.unsafeMap.get(Scope.Scope.key)
