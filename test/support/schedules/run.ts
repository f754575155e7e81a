import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../../src/StaggeredRace.js"
import type { Candidate, Program, Race, Step } from "./races.js"
import {
  type Attempt,
  faultsOf,
  heldBy,
  isOpen,
  names,
  nothingSeen,
  openIn,
  type Resource,
  type Seen,
  wonIn
} from "./seen.js"

type InScope<A = string> = Effect.Effect<A, string, Scope.Scope>

const ref = FiberRef.unsafeMake("none")

const indexOf = (value: string): number => Number(value.slice(value.lastIndexOf("/") + 1))

/** One run of a program: makes the effects, and watches them from inside. */
export class Run {
  readonly faults: Array<string> = []
  readonly races: Array<Seen> = []
  /**
   * Whether the interruption came before the race returned, and so must be seen. One that comes while a scope closes,
   * after the first of its finalizers, is forgotten by Effect itself.
   */
  mustEndInterrupted = false

  constructor(private readonly program: Program) {}

  check(holds: boolean, fault: string): void {
    if (!holds) {
      this.faults.push(fault)
    }
  }

  // The effects.

  get effect(): Effect.Effect<unknown, string> {
    const { parallelFinalizers, race, scoped, uninterruptible, use } = this.program
    const uses = Effect.zipRight(
      use === 0 ? Effect.yieldNow() : Effect.sleep(use),
      Effect.sync(() => this.checkInUse())
    )
    const raced = Effect.zipRight(this.race(race, "", undefined), uses)
    const inScope = Effect.scoped(uninterruptible ? Effect.uninterruptible(raced) : raced)
    return Effect.onExit(
      parallelFinalizers ? Effect.parallelFinalizers(inScope) : inScope,
      () => Effect.sync(() => scoped && this.checkAllReleased("after the scope"))
    )
  }

  private race(race: Race, path: string, within: Attempt | undefined): InScope {
    const seen = nothingSeen(path, race, this.program.scoped)
    this.races.push(seen)
    within?.races.push(seen)
    const candidates = race.candidates.map((candidate, index) => {
      const self = this.candidate(candidate, seen, index)
      return this.program.scoped ? self : Effect.scoped(self)
    })
    return Effect.flatMap(FiberRef.get(ref), (before) =>
      this.raced(seen, candidates).pipe(
        Effect.onExit((exit) => {
          this.onReturn(seen, exit)
          return Effect.void
        }),
        Effect.onExit(() =>
          Effect.map(FiberRef.get(ref), (after) => {
            seen.refs = { before, after }
          })
        )
      ))
  }

  private raced(seen: Seen, candidates: ReadonlyArray<InScope>): InScope {
    const { race } = seen
    const options = this.options(seen)
    const report = (outcome: StaggeredRace.Outcome<string, string, string>) => {
      seen.outcome = outcome
      return Option.match(outcome.winner, {
        onNone: () => Effect.fail(`${seen.path} none`),
        onSome: ({ index, value }) => {
          this.check(index === indexOf(value), `the winner of ${seen.path} is not ${index}`)
          return Effect.succeed(value)
        }
      })
    }
    if (race.source._ === "stream") {
      const stream = this.stream(seen, race.source, candidates)
      return race.as === "race"
        ? StaggeredRace.raceStream(stream, options)
        : Effect.flatMap(StaggeredRace.outcomeStream(stream, options), report)
    }
    const iterable = race.source._ === "array"
      ? candidates
      : race.source._ === "set"
      ? new Set(candidates)
      : iterate(seen, race.source, candidates)
    return race.as === "race"
      ? StaggeredRace.race(iterable, options)
      : Effect.flatMap(StaggeredRace.outcome(iterable, options), report)
  }

  private options({ events, race }: Seen): StaggeredRace.Options<string, string> {
    const { concurrency, delay, fatal, handler, losers, minDelay } = race
    const after = handler === "slow"
      ? Effect.sleep(2)
      : handler === "fails"
      ? Effect.fail("handler")
      : handler === "dies"
      ? Effect.die("handler")
      : Effect.void
    return {
      delay: typeof delay === "number" ? delay : scheduled(delay),
      minDelay,
      concurrency: concurrency === Infinity ? "unbounded" : concurrency,
      losers,
      fatal: (cause) => {
        if (fatal === "throws" && Cause.isDie(cause)) {
          throw "fatal"
        }
        return fatal === "defects" && Cause.isDie(cause)
      },
      onEvent: (event) => {
        events.push(event)
        return after
      }
    }
  }

  private stream(seen: Seen, source: Race["source"] & { readonly _: "stream" }, candidates: ReadonlyArray<InScope>) {
    const elements = Stream.fromIterable(candidates).pipe(
      Stream.rechunk(source.chunk),
      Stream.mapChunksEffect((chunk) => {
        const given = Effect.sync(() => {
          seen.given += chunk.length
          return chunk
        })
        return source.gap === 0 ? given : Effect.delay(given, source.gap)
      })
    )
    const end = Effect.suspend((): Effect.Effect<never, Option.Option<string>> => {
      seen.streamEnded = source.end !== "never"
      switch (source.end) {
        case "end":
          return Effect.fail(Option.none())
        case "fail":
          return Effect.fail(Option.some("stream"))
        case "die":
          return Effect.die("stream")
        case "never":
          return Effect.never
      }
    })
    return Stream.acquireRelease(acquire(seen.stream, 0), (_, exit) => {
      this.onStreamRelease(seen, exit)
      return release(seen.stream, source.releasing)
    }).pipe(Stream.flatMap(() => Stream.concat(elements, Stream.repeatEffectOption(end))))
  }

  private candidate(candidate: Candidate, seen: Seen, index: number): InScope {
    const path = `${seen.path}/${index}`
    const attempt: Attempt = { path, entered: 0, exited: 0, ref: "", resources: [], races: [] }
    seen.attempts[index] = attempt
    const end = Effect.zipRight(
      Effect.map(FiberRef.get(ref), (value) => {
        attempt.ref = value
      }),
      ending(candidate, path)
    )
    const steps = candidate.steps.reduceRight<InScope>(
      (next, step, index) => Effect.zipRight(Effect.suspend(() => this.step(step, attempt, index)), next),
      end
    )
    const work = candidate.cleanup > 0 ? Effect.onInterrupt(steps, () => Effect.sleep(candidate.cleanup)) : steps
    const exited = Effect.sync(() => {
      attempt.exited++
    })
    return Effect.uninterruptibleMask((restore) =>
      Effect.suspend(() => {
        this.onEnter(seen, attempt)
        return Effect.onExit(candidate.uninterruptible ? work : restore(work), () => exited)
      })
    )
  }

  private step(step: Step, attempt: Attempt, index: number): InScope<unknown> {
    const name = `${attempt.path}:${index}`
    switch (step._) {
      case "hold": {
        const resource = resourceOf(attempt, name, true)
        return Effect.acquireRelease(acquire(resource, step.acquiring), () => release(resource, step.releasing))
      }
      case "sleep":
        return Effect.sleep(step.millis)
      case "yield":
        return Effect.repeatN(Effect.yieldNow(), step.times)
      case "progress":
        return Effect.flatMap(
          StaggeredRace.CurrentAttempt,
          Option.match({ onNone: () => Effect.die("no attempt"), onSome: ({ progress }) => progress(step.millis) })
        )
      case "ref":
        return FiberRef.set(ref, name)
      case "fork": {
        const resource = resourceOf(attempt, name, step.scoped)
        const child = Effect.interruptible(Effect.acquireUseRelease(
          acquire(resource, 0),
          () => step.millis === Infinity ? Effect.never : Effect.sleep(step.millis),
          () => release(resource, step.releasing)
        ))
        return step.scoped ? Effect.forkScoped(child) : Effect.fork(child)
      }
      case "latched":
        return Effect.flatMap(Deferred.make<void>(), (latch) =>
          Effect.acquireRelease(
            Effect.fork(Effect.uninterruptible(Deferred.await(latch))),
            () => Deferred.succeed(latch, void 0)
          ))
      case "race": {
        const race = this.race(step.race, name, attempt)
        return step.recovers ? Effect.catchAllCause(race, () => Effect.void) : race
      }
    }
  }

  // What is checked on the way.

  private onEnter(seen: Seen, attempt: Attempt): void {
    attempt.entered++
    const running = seen.attempts.filter(({ entered, exited, resources }) =>
      entered > exited || resources.some((resource) => resource.scoped && isOpen(resource))
    )
    this.check(running.length <= seen.race.concurrency, `${running.length} attempts of ${seen.path} run at once`)
    // In the background, an attempt that has started may only find out there that it is interrupted.
    this.check(
      seen.winner === undefined || seen.race.losers === "background",
      `${attempt.path} starts after the race has returned`
    )
  }

  private onStreamRelease(seen: Seen, exit: Exit.Exit<unknown, unknown>): void {
    // A stream that has come to its own end is done with what it holds.
    if (!seen.streamEnded) {
      seen.streamExit = exit
      const running = seen.attempts.filter(({ entered, exited }) => entered > exited).map(({ path }) => path)
      this.check(
        running.length === 0 || seen.race.losers === "background",
        `the stream of ${seen.path} is released while ${running} run`
      )
    }
  }

  private onReturn(seen: Seen, exit: Exit.Exit<unknown, string>): void {
    seen.exit = exit
    seen.winner = Exit.isSuccess(exit) ? indexOf(String(exit.value)) : undefined
    for (const [index, attempt] of seen.attempts.entries()) {
      const open = [...openIn(attempt), ...(attempt.entered > attempt.exited ? [`${attempt.path} itself`] : [])]
      seen.leftOpen.push(...open.map((name) => [index, name] as const))
    }
    if (isOpen(seen.stream)) {
      seen.leftOpen.push([-1, seen.stream.name])
    }
    this.check(seen.iteratorsOpen === 0, `${seen.path} returns with its iterator open`)
    this.checkWinner(seen, "as its race returns")
  }

  private checkWinner(seen: Seen, when: string): void {
    if (seen.winner !== undefined) {
      const closed = heldBy(seen, seen.winner).filter((resource) => !isOpen(resource))
      this.check(closed.length === 0, `${names(closed)} of a winner is closed ${when}`)
    }
  }

  private checkInUse(): void {
    this.checkWinner(this.races[0]!, "while it is used")
  }

  onInterrupt(): void {
    const seen = this.races[0]
    if (seen !== undefined && seen.exit === undefined) {
      this.mustEndInterrupted = true
      const won = wonIn(seen)
      if (won !== undefined && seen.race.losers === "await" && !this.program.uninterruptible) {
        const losersRun = seen.attempts.some(({ entered, exited }, index) => index !== won && entered > exited)
        seen.interruptedInCleanUp = losersRun ? "losers" : isOpen(seen.stream) ? "stream" : undefined
      }
    }
  }

  // What is checked when nothing can happen any more.

  checkAtEnd(): void {
    this.checkAllReleased("in the end")
    this.faults.push(...this.races.flatMap(faultsOf))
  }

  private checkAllReleased(when: string): void {
    const resources = this.races.flatMap(({ attempts, stream }) => [stream, ...attempts.flatMap((_) => _.resources)])
    for (const { acquired, name, released } of resources) {
      this.check(acquired === released, `${when}, ${name} was acquired ${acquired} and released ${released} times`)
    }
  }
}

const resourceOf = (attempt: Attempt, name: string, scoped: boolean): Resource => {
  const resource: Resource = { name, acquired: 0, released: 0, scoped }
  attempt.resources.push(resource)
  return resource
}

const after = (millis: number, then: () => void): Effect.Effect<void> =>
  millis === 0 ? Effect.sync(then) : Effect.zipRight(Effect.sleep(millis), Effect.sync(then))

const acquire = (resource: Resource, millis: number) => after(millis, () => resource.acquired++)

const release = (resource: Resource, millis: number) => after(millis, () => resource.released++)

const ending = ({ end }: Candidate, path: string): Effect.Effect<string, string> => {
  switch (end) {
    case "ok":
      return Effect.succeed(path)
    case "fail":
      return Effect.fail(path)
    case "die":
      return Effect.die(path)
    case "interrupt":
      return Effect.interrupt
    case "hang":
      return Effect.never
  }
}

function* iterate(seen: Seen, source: Race["source"], candidates: ReadonlyArray<InScope>) {
  seen.iteratorsOpen++
  try {
    yield* candidates
    if (source._ === "generator" && source.end === "throw") {
      throw "source"
    }
  } finally {
    seen.iteratorsOpen--
    if (source._ === "generator" && source.throwsOnReturn) {
      throw "return"
    }
  }
}

const scheduled = ({ delays, end, slow }: Exclude<Race["delay"], number>) =>
  Schedule.addDelayEffect(
    Schedule.whileOutput(Schedule.forever, (step) => end === "die" || step < delays.length),
    (step) => {
      const delay = delays[step]
      const answer = delay === undefined ? Effect.die("schedule") : Effect.succeed(delay)
      return slow === 0 ? answer : Effect.delay(answer, slow)
    }
  )
