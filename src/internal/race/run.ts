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
import { type Decision, Rules, type StartedBy } from "./rules.js"
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
 * Whether the value of the attempt with this index is good enough to win.
 *
 * @internal
 */
export type Accept<A> = (value: A, index: number) => boolean

// Candidates that fail without suspending would block the event loop. Then nothing could stop an endless source.
const startsPerBreath = 1024

/**
 * Drives one run of a race: does what the rules say, and tells them what happened.
 *
 * The caller's fiber runs `loop`, and only it starts attempts. Each attempt has its own fiber and scope. When an
 * attempt ends, it tells the rules in one synchronous step and ends the loop's pause. The first success decides the
 * race. After that, an attempt changes only its own record.
 *
 * @internal
 */
export class Race<A, E, E2, R> implements Receiver<Candidate<A, E, R>, E2> {
  readonly attempts: Array<Attempt<A, E>> = []
  winner: Winner<A, E> | undefined
  /** The attempt whose failure ended the race, by the option `fatal`. */
  fatal: Attempt<A, E> | undefined
  sourceFailure: Cause.Cause<E2> | undefined
  /** The first rejected value, if its attempt acquired no resources. Only declared, because most races have none. */
  declare spare: Exit.Exit<A> | undefined
  /** The race's exit if the caller was interrupted or the race died, even after a win. */
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

  /** The current time, or the last known one if the clock dies. Then the race dies, too. */
  get now(): number {
    try {
      return this.lastNow = this.time.now()
    } catch (thrown) {
      this.pace.defect ??= Cause.die(thrown)
      return this.lastNow
    }
  }

  get decision(): Decision | undefined {
    return this.rules.decision
  }

  private get isDecided(): boolean {
    return this.rules.decision !== undefined
  }

  /** Wakes the loop. After the decision, the loop waits for all fibers, so only the last one to end wakes it. */
  onChange(): void {
    if (!this.isDecided || this.fibers.running === 0 || this.settings.background) {
      this.fibers.stir()
    }
  }

  // What the caller's fiber does.

  /**
   * Runs until the race is decided and, if losers are awaited, all its fibers have ended. After `timeout` milliseconds,
   * the race is decided.
   */
  loop(timeout: number): Effect.Effect<void> {
    if (timeout < Infinity) {
      // Before the first attempt starts: see `Time.armsFirst`.
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
      // Abort here, not where the loop's failure is handled: an attempt may end in between.
      this.abort(this.pace.defect)
      return Effect.failCause(this.pace.defect)
    }
    for (;;) {
      const command = this.rules.next(this.now)
      switch (command) {
        case "pull":
          this.ask(this.rules.nextBy)
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

  private ask(by: StartedBy): void {
    this.rules.pulling()
    this.source.pull(by)
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
      // A supervisor threw, and the fiber did not start.
      this.onEnd(attempt, Exit.die(thrown))
      throw thrown
    }
    if (!this.isDecided) {
      return this.afterStart()
    }
    // This attempt may have woken another one that decided the race.
    this.interrupt(attempt)
    return Effect.void
  }

  private afterStart(): Effect.Effect<void> {
    const { currentScheduler } = this.caller
    // Under `Effect.runSync` the race must not suspend.
    const isSync = currentScheduler instanceof SyncScheduler && !currentScheduler.deferred
    if (this.attempts.length % startsPerBreath === 0 && this.time.breathe !== undefined && !isSync) {
      return this.time.breathe
    }
    // An attempt that starts from the scheduler must run before the loop goes on, like one that starts in place.
    return this.fibers.startInPlace ? Effect.void : Effect.yieldNow()
  }

  // What the fiber of an attempt does.

  /**
   * The fiber is uninterruptible, as the caller's is here, except for the candidate. So no interruption comes between a
   * success and its claim, or between a failure and its clean-up.
   */
  private run(attempt: Attempt<A, E>, candidate: Candidate<A, E, R>): Effect.Effect<void, never, R> {
    return Effect.matchCauseEffect(Effect.interruptible(candidate), {
      onFailure: (cause) => attempt.giveBack(Exit.failCause(cause)),
      onSuccess: (value) => this.claim(attempt, value)
    })
  }

  /** Lets the first good success win, in one step in which no fiber can yield. */
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

  /** Returns how to give back an attempt that is not good enough or cannot be judged; `undefined` if it may win. */
  private judge(accept: Accept<A>, attempt: Attempt<A, E>, value: A): Effect.Effect<void> | undefined {
    try {
      if (accept(value, attempt.index) || !this.mayGetBetter(attempt)) {
        return undefined
      }
    } catch (thrown) {
      return attempt.giveBack(Exit.die(thrown))
    }
    // A rejected success counts as a failure. Its value is kept in case only failures follow, unless it needs resources
    // that are released now.
    if (attempt.scope?.isUsed !== true) {
      this.spare ??= Exit.succeed(value)
    }
    return attempt.giveBack(Exit.failCause(Cause.empty))
  }

  /** Whether another attempt or another candidate may still succeed. It may have to ask the source. */
  private mayGetBetter(than: Attempt<A, E>): boolean {
    if (this.attempts.some((attempt) => attempt !== than && attempt.mayWin)) {
      return true
    }
    if (this.rules.isUnasked) {
      this.ask("failure")
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
      // `holdBack` postpones the next start. This asks the source now, so that the race does not wait only to fail.
      this.mayGetBetter(attempt)
    }
  }

  private isFatal(attempt: Attempt<A, E>, cause: Cause.Cause<E>): boolean {
    try {
      // An empty cause is a rejected success, which is no failure to `fatal`.
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

  onWithheld(): void {
    this.rules.withheld()
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

  /** Gives up a race that was interrupted or died, perhaps after its decision. */
  abort(cause: Cause.Cause<never>): Exit.Exit<never> {
    this.aborted = Exit.failCause(cause)
    if (this.rules.decide(Cause.isInterrupted(cause) ? "interruption" : "defect", this.now)) {
      this.onDecided()
    }
    return this.aborted
  }

  /** Only signals the interruption of the losers: their fibers end in their own time. */
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
