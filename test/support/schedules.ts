import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Schedule from "effect/Schedule"
import type * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Supervisor from "effect/Supervisor"
import { inspect } from "node:util"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { EventClock } from "./eventClock.js"
import { seeded } from "./random.js"

// A random race, run once by a random schedule: which fiber goes on, where it yields, when time passes and when the
// caller is interrupted are up to chance, and chance is a number. What is checked holds for every race and schedule.

// ---------------------------------------------------------------------------------------------------------- the races

type Random = () => number

type Step =
  /** Holds a resource that takes time to get and to give back. */
  | { readonly _: "hold"; readonly acquiring: number; readonly releasing: number }
  | { readonly _: "sleep"; readonly millis: number }
  | { readonly _: "yield"; readonly times: number }
  | { readonly _: "progress"; readonly millis: number }
  | { readonly _: "ref" }
  /** Forks a child that holds something for a while. */
  | { readonly _: "fork"; readonly scoped: boolean; readonly millis: number; readonly releasing: number }
  /** Forks a child that cannot be interrupted, and ends when the attempt's scope is closed. */
  | { readonly _: "latched" }
  | { readonly _: "race"; readonly race: Race; readonly recovers: boolean }

interface Candidate {
  readonly steps: ReadonlyArray<Step>
  readonly end: "ok" | "fail" | "die" | "interrupt" | "hang"
  readonly uninterruptible: boolean
  /** How long its clean-up takes when it is interrupted. */
  readonly cleanup: number
}

export interface Race {
  readonly candidates: ReadonlyArray<Candidate>
  readonly source:
    | { readonly _: "array" | "set" }
    | { readonly _: "generator"; readonly end: "end" | "throw"; readonly throwsOnReturn: boolean }
    | {
      readonly _: "stream"
      readonly gap: number
      readonly chunk: number
      readonly end: "end" | "fail" | "die" | "never"
      readonly releasing: number
    }
  readonly delay:
    | number
    | { readonly delays: ReadonlyArray<number>; readonly slow: number; readonly end: "done" | "die" }
  readonly minDelay: number
  readonly concurrency: number
  readonly fatal: "never" | "defects" | "throws"
  readonly losers: "await" | "background"
  readonly handler: "plain" | "slow" | "fails" | "dies"
  readonly as: "race" | "outcome"
}

interface Program {
  readonly race: Race
  /** Whether there is a scope around it; where there is none, each candidate has its own. */
  readonly scoped: boolean
  readonly parallelFinalizers: boolean
  readonly uninterruptible: boolean
  /** How long the winner's resources are used. */
  readonly use: number
}

const pick = <A>(random: Random, ...options: ReadonlyArray<A>): A => options[Math.floor(random() * options.length)]!
const times = <A>(count: number, make: (index: number) => A): ReadonlyArray<A> => Array.from({ length: count }, (_, i) => make(i))

const makeStep = (random: Random, depth: number, finite: boolean): Step => {
  const millis = () => pick(random, 0, 0, 1, 2, 3, 5, 8)
  const kind = random()
  return kind < 0.3
    ? { _: "hold", acquiring: pick(random, 0, 0, 0, 1, 4), releasing: pick(random, 0, 0, 0, 2, 6) }
    : kind < 0.55
    ? { _: "sleep", millis: millis() }
    : kind < 0.65
    ? { _: "yield", times: pick(random, 1, 2, 5) }
    : kind < 0.72
    ? { _: "ref" }
    : kind < 0.78
    ? { _: "progress", millis: pick(random, 0, 2, 5, 10) }
    : kind < 0.88
    ? { _: "fork", scoped: random() < 0.4, millis: pick(random, 0, 2, 5, Infinity), releasing: pick(random, 0, 0, 3) }
    : kind < 0.91 && !finite
    ? { _: "latched" }
    : depth > 0
    ? { _: "race", race: makeRace(random, depth - 1, finite), recovers: random() < 0.3 }
    : { _: "sleep", millis: millis() }
}

const makeCandidate = (random: Random, depth: number, finite: boolean): Candidate => {
  const uninterruptible = random() < 0.08
  const isFinite = finite || uninterruptible
  return {
    steps: times(pick(random, 0, 1, 1, 2, 2, 3, 4), () => makeStep(random, depth, isFinite)),
    end: pick(random, "ok", "ok", "fail", "fail", "fail", "die", "interrupt", ...(isFinite ? [] : ["hang", "hang"] as const)),
    uninterruptible,
    cleanup: pick(random, 0, 0, 0, 1, 5)
  }
}

const makeSource = (random: Random, finite: boolean): Race["source"] => {
  const kind = pick(random, "array", "array", "array", "set", "generator", "stream", "stream")
  return kind === "generator"
    ? { _: kind, end: pick(random, "end", "end", "throw"), throwsOnReturn: random() < 0.1 }
    : kind === "stream"
    ? {
      _: kind,
      gap: pick(random, 0, 0, 1, 4),
      chunk: pick(random, 1, 1, 3),
      end: pick(random, "end", "end", "end", "fail", "die", ...(finite ? [] : ["never"] as const)),
      releasing: pick(random, 0, 0, 2)
    }
    : { _: kind }
}

const makeRace = (random: Random, depth: number, finite: boolean, losers?: Race["losers"]): Race => ({
  candidates: times(pick(random, 1, 2, 2, 3, 3, 4, 5), () => makeCandidate(random, depth, finite)),
  source: makeSource(random, finite),
  delay: random() < 0.75
    ? pick(random, 0, 0, 1, 2, 4, 8, Infinity)
    : {
      delays: times(pick(random, 1, 2, 4), () => pick(random, 0, 1, 3, 6)),
      slow: pick(random, 0, 0, 0, 2),
      end: pick(random, "done", "done", "done", "die")
    },
  minDelay: pick(random, 0, 0, 0, 1, 3),
  concurrency: pick(random, Infinity, Infinity, Infinity, 1, 2, 3),
  fatal: pick(random, "never", "never", "never", "defects", "throws"),
  losers: losers ?? pick(random, "await", "await", "background"),
  handler: pick(random, "plain", "plain", "plain", "slow", "fails", "dies"),
  as: pick(random, "race", "outcome", "outcome")
})

export const makeProgram = (random: Random, losers: Race["losers"]): Program => {
  const uninterruptible = random() < 0.05
  return {
    race: makeRace(random, 1, uninterruptible, losers),
    scoped: random() < 0.85,
    parallelFinalizers: random() < 0.1,
    uninterruptible,
    use: pick(random, 0, 0, 1, 5)
  }
}

// ------------------------------------------------------------------------------------------------------ the schedules

// To yield takes a fiber of Effect 3 operations too: where it yields again before, it never gets anywhere.
const operationsToYield = 12

/** Runs any task that is ready, and lets time pass when there is none, or now and then before. */
export class RandomScheduler implements Scheduler.Scheduler {
  private readonly tasks: Array<{ readonly task: Scheduler.Task; readonly rank: number }> = []
  private readonly ranks = new Map<number, number>()
  /** Operations that each fiber has left until it yields, and how many more than it needs to yield it may have. */
  private readonly left = new Map<number, number>()
  private readonly range: number
  /** How the next is picked: any, or the one of the fiber with the highest rank, so that some starve for long. */
  private readonly starves: boolean
  private operations = 0

  constructor(private readonly random: Random) {
    this.range = pick(random, 2, 10, 50, Infinity)
    this.starves = random() < 0.4
  }

  scheduleTask(task: Scheduler.Task, _priority: number, fiber?: Fiber.RuntimeFiber<unknown, unknown>): void {
    this.tasks.push({ task, rank: this.starves ? this.rankOf(fiber) : 0 })
  }

  shouldYield(fiber: Fiber.RuntimeFiber<unknown, unknown>): number | false {
    if (++this.operations > 1_000_000) {
      throw new Error("it spins")
    }
    if (this.range === Infinity) {
      return false
    }
    const { id } = fiber.id()
    const left = this.left.get(id) ?? Math.floor(this.random() * (operationsToYield + this.range))
    this.left.set(id, left > 0 ? left - 1 : operationsToYield + Math.floor(this.random() * this.range))
    return left > 0 ? false : 0
  }

  get isIdle(): boolean {
    return this.tasks.length === 0
  }

  step(): void {
    let index = Math.floor(this.random() * this.tasks.length)
    if (this.starves) {
      this.tasks.forEach(({ rank }, other) => index = rank > this.tasks[index]!.rank ? other : index)
    }
    const { task } = this.tasks[index]!
    this.tasks[index] = this.tasks[this.tasks.length - 1]!
    this.tasks.pop()
    task()
  }

  private rankOf(fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined): number {
    const id = fiber?.id().id ?? -1
    const rank = this.random() < 0.1 ? undefined : this.ranks.get(id)
    if (rank === undefined) {
      this.ranks.set(id, this.random())
    }
    return this.ranks.get(id)!
  }
}

// ------------------------------------------------------------------------------------------------------ what they see

/** What was seen of an attempt from inside. */
interface AttemptSeen {
  readonly path: string
  entered: number
  exited: number
  /** The value of the reference as the candidate ended. */
  ref: string
  readonly resources: Array<ResourceSeen>
  readonly races: Array<RaceSeen>
}

interface ResourceSeen {
  readonly name: string
  acquired: number
  released: number
  /** Whether it belongs to the attempt's scope, and not to a child of its own. */
  readonly scoped: boolean
}

interface RaceSeen {
  readonly path: string
  readonly spec: Race
  readonly attempts: Array<AttemptSeen>
  readonly events: Array<StaggeredRace.RaceEvent<string, string>>
  /** Of the stream, if there is one. */
  readonly stream: ResourceSeen
  streamEnded: boolean
  /** How many candidates the source has given. */
  given: number
  iteratorsOpen: number
  winner: number | undefined
  outcome: StaggeredRace.Outcome<string, string, string> | undefined
  exit: Exit.Exit<unknown, unknown> | undefined
  /** The reference's values before and after the race. */
  refs: { readonly before: string; readonly after: string } | undefined
  /** With what the stream was released, if that was before its own end. */
  streamExit: Exit.Exit<unknown, unknown> | undefined
  /** What was open of each attempt as the race returned; of the stream, at -1. */
  readonly leftOpen: Array<readonly [index: number, name: string]>
  /** Whether the interruption came while losers were cleaning up after a win, and the race was to wait for them. */
  interruptedInCleanUp: boolean
}

const names = (resources: ReadonlyArray<ResourceSeen>): string => resources.map(({ name }) => name).join()

const isOpen = (resource: ResourceSeen): boolean => resource.acquired > resource.released

/** All that is open of an attempt, but for what its own races have left in the background. */
const openIn = (attempt: AttemptSeen): ReadonlyArray<string> => [
  ...attempt.resources.filter(isOpen).map(({ name }) => name),
  ...attempt.races.flatMap((race) => race.attempts.flatMap(openIn))
]

const ref = FiberRef.unsafeMake("none")

class Run {
  readonly faults: Array<string> = []
  readonly races: Array<RaceSeen> = []

  constructor(readonly program: Program) {}

  check(holds: boolean, fault: string | (() => string)): void {
    if (!holds) {
      this.faults.push(typeof fault === "string" ? fault : fault())
    }
  }

  private resource(into: Array<ResourceSeen>, name: string, scoped: boolean): ResourceSeen {
    const seen: ResourceSeen = { name, acquired: 0, released: 0, scoped }
    into.push(seen)
    return seen
  }

  private release(resource: ResourceSeen, millis: number): Effect.Effect<void> {
    const released = Effect.sync(() => {
      resource.released++
    })
    return millis === 0 ? released : Effect.zipRight(Effect.sleep(millis), released)
  }

  private acquire(resource: ResourceSeen, millis: number): Effect.Effect<void> {
    const acquired = Effect.sync(() => {
      resource.acquired++
    })
    return millis === 0 ? acquired : Effect.zipRight(Effect.sleep(millis), acquired)
  }

  private step(step: Step, attempt: AttemptSeen, index: number): Effect.Effect<void, string, Scope.Scope> {
    const name = `${attempt.path}:${index}`
    switch (step._) {
      case "hold": {
        const resource = this.resource(attempt.resources, name, true)
        return Effect.acquireRelease(this.acquire(resource, step.acquiring), () => this.release(resource, step.releasing))
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
        const resource = this.resource(attempt.resources, name, step.scoped)
        const child = Effect.interruptible(Effect.acquireUseRelease(
          this.acquire(resource, 0),
          () => step.millis === Infinity ? Effect.never : Effect.sleep(step.millis),
          () => this.release(resource, step.releasing)
        ))
        return Effect.asVoid(step.scoped ? Effect.forkScoped(child) : Effect.fork(child))
      }
      case "latched":
        return Deferred.make<void>().pipe(
          Effect.flatMap((latch) =>
            Effect.acquireRelease(
              Effect.fork(Effect.uninterruptible(Deferred.await(latch))),
              () => Deferred.succeed(latch, void 0)
            )
          ),
          Effect.asVoid
        )
      case "race": {
        const race = this.race(step.race, name, attempt)
        return Effect.asVoid(step.recovers ? Effect.catchAllCause(race, () => Effect.void) : race)
      }
    }
  }

  private candidate(spec: Candidate, race: RaceSeen, index: number): Effect.Effect<string, string, Scope.Scope> {
    const path = `${race.path}/${index}`
    const attempt: AttemptSeen = { path, entered: 0, exited: 0, ref: "", resources: [], races: [] }
    race.attempts[index] = attempt
    const end = spec.end === "ok"
      ? Effect.succeed(path)
      : spec.end === "fail"
      ? Effect.fail(path)
      : spec.end === "die"
      ? Effect.die(path)
      : spec.end === "interrupt"
      ? Effect.interrupt
      : Effect.never
    const steps = spec.steps.reduceRight<Effect.Effect<string, string, Scope.Scope>>(
      (next, step, index) => Effect.zipRight(Effect.suspend(() => this.step(step, attempt, index)), next),
      Effect.zipLeft(end, Effect.map(FiberRef.get(ref), (value) => attempt.ref = value))
    )
    const work = spec.cleanup > 0 ? Effect.onInterrupt(steps, () => Effect.sleep(spec.cleanup)) : steps
    return Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(
        Effect.sync(() => this.enter(race, attempt)),
        () =>
          Effect.onExit(spec.uninterruptible ? work : restore(work), () =>
            Effect.sync(() => {
              attempt.exited++
            }))
      )
    )
  }

  private enter(race: RaceSeen, attempt: AttemptSeen): void {
    attempt.entered++
    const running = race.attempts.filter(({ entered, exited, resources }) =>
      entered > exited || resources.some((resource) => resource.scoped && isOpen(resource))
    )
    this.check(running.length <= race.spec.concurrency, () => `${running.length} attempts of ${race.path} run at once`)
    this.check(race.winner === undefined || race.spec.losers === "background", () => `${attempt.path} starts after the race has returned`)
  }

  private stream(race: RaceSeen, candidates: ReadonlyArray<Effect.Effect<string, string, Scope.Scope>>) {
    const { source } = race.spec
    if (source._ !== "stream") {
      throw new Error("no stream")
    }
    const elements = Stream.fromIterable(candidates).pipe(
      Stream.rechunk(source.chunk),
      Stream.mapChunksEffect((chunk) =>
        Effect.as(
          source.gap === 0
            ? Effect.sync(() => race.given += chunk.length)
            : Effect.zipRight(Effect.sleep(source.gap), Effect.sync(() => race.given += chunk.length)),
          chunk
        )
      )
    )
    const end = Effect.suspend((): Effect.Effect<never, Option.Option<string>> => {
      race.streamEnded = source.end !== "never"
      return source.end === "end"
        ? Effect.fail(Option.none())
        : source.end === "fail"
        ? Effect.fail(Option.some("stream"))
        : source.end === "die"
        ? Effect.die("stream")
        : Effect.never
    })
    return Stream.acquireRelease(
      this.acquire(race.stream, 0),
      (_, exit) =>
        Effect.zipRight(
          Effect.suspend(() => this.onStreamRelease(race, exit)),
          this.release(race.stream, source.releasing)
        )
    ).pipe(Stream.flatMap(() => Stream.concat(elements, Stream.repeatEffectOption(end))))
  }

  private onStreamRelease(race: RaceSeen, exit: Exit.Exit<unknown, unknown>): Effect.Effect<void> {
    // One that has come to its own end is done with what it holds.
    if (!race.streamEnded) {
      const running = race.attempts.filter(({ entered, exited }) => entered > exited)
      this.check(
        race.spec.losers === "background" || running.length === 0,
        () => `the stream of ${race.path} is released while ${running.map(({ path }) => path)} run`
      )
      race.streamExit = exit
    }
    return Effect.void
  }

  private iterable(race: RaceSeen, candidates: ReadonlyArray<Effect.Effect<string, string, Scope.Scope>>) {
    const { source } = race.spec
    if (source._ === "array") {
      return candidates
    }
    if (source._ === "set") {
      return new Set(candidates)
    }
    return function*() {
      race.iteratorsOpen++
      try {
        for (const candidate of candidates) {
          race.given++
          yield candidate
        }
        if (source._ === "generator" && source.end === "throw") {
          throw "source"
        }
      } finally {
        race.iteratorsOpen--
        if (source._ === "generator" && source.throwsOnReturn) {
          throw "return"
        }
      }
    }()
  }

  private options(race: RaceSeen): StaggeredRace.Options<string, string> {
    const { concurrency, delay, fatal, handler, losers, minDelay } = race.spec
    const after = handler === "slow"
      ? Effect.sleep(2)
      : handler === "fails"
      ? Effect.fail("handler")
      : handler === "dies"
      ? Effect.die("handler")
      : Effect.void
    return {
      delay: typeof delay === "number" ? delay : Schedule.addDelayEffect(
        Schedule.whileOutput(Schedule.forever, (step) => delay.end === "die" || step < delay.delays.length),
        (step) => {
          const answer = step < delay.delays.length ? Effect.succeed(delay.delays[step]!) : Effect.die("schedule")
          return delay.slow === 0 ? answer : Effect.delay(answer, delay.slow)
        }
      ),
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
        race.events.push(event)
        return after
      }
    }
  }

  race(spec: Race, path: string, within: AttemptSeen | undefined): Effect.Effect<string, string, Scope.Scope> {
    const race: RaceSeen = {
      path,
      spec,
      attempts: [],
      events: [],
      stream: { name: `${path} stream`, acquired: 0, released: 0, scoped: false },
      streamEnded: false,
      given: 0,
      iteratorsOpen: 0,
      winner: undefined,
      outcome: undefined,
      exit: undefined,
      refs: undefined,
      streamExit: undefined,
      leftOpen: [],
      interruptedInCleanUp: false
    }
    this.races.push(race)
    within?.races.push(race)
    const candidates = spec.candidates.map((candidate, index) => {
      const self = this.candidate(candidate, race, index)
      return this.program.scoped ? self : Effect.scoped(self)
    })
    const options = this.options(race)
    const indexOf = (value: string) => Number(value.slice(value.lastIndexOf("/") + 1))
    const report = (outcome: StaggeredRace.Outcome<string, string, string>) => {
      race.outcome = outcome
      return Option.match(outcome.winner, {
        onNone: () => Effect.fail(`${path} none`),
        onSome: ({ index, value }) => {
          this.check(index === indexOf(value), `the winner of ${path} is not ${index}`)
          return Effect.succeed(value)
        }
      })
    }
    const raced = spec.source._ === "stream"
      ? spec.as === "race"
        ? StaggeredRace.raceStream(this.stream(race, candidates), options)
        : Effect.flatMap(StaggeredRace.outcomeStream(this.stream(race, candidates), options), report)
      : spec.as === "race"
      ? StaggeredRace.race(this.iterable(race, candidates), options)
      : Effect.flatMap(StaggeredRace.outcome(this.iterable(race, candidates), options), report)
    return Effect.flatMap(FiberRef.get(ref), (before) =>
      raced.pipe(
        Effect.onExit((exit) => {
          race.exit = exit
          race.winner = Exit.isSuccess(exit) ? indexOf(exit.value) : undefined
          this.onReturn(race)
          return Effect.void
        }),
        Effect.onExit((exit) =>
          Effect.map(FiberRef.get(ref), (after) => {
            race.refs = { before, after }
          })
        )
      ))
  }

  private onReturn(race: RaceSeen): void {
    for (const [index, attempt] of race.attempts.entries()) {
      if (index === race.winner) {
        const closed = this.heldBy(race, index).filter((resource) => !isOpen(resource))
        this.check(
          !this.program.scoped || closed.length === 0,
          () => `${race.path} returns with ${names(closed)} of its winner closed`
        )
      }
      const open = [...openIn(attempt), ...(attempt.entered > attempt.exited ? [`${attempt.path} itself`] : [])]
      race.leftOpen.push(...open.map((name) => [index, name] as const))
    }
    if (isOpen(race.stream)) {
      race.leftOpen.push([-1, race.stream.name])
    }
    this.check(race.iteratorsOpen === 0, () => `${race.path} returns with its iterator open`)
  }

  /** What the winner of a race holds until its scope is closed. */
  private heldBy(race: RaceSeen, index: number): ReadonlyArray<ResourceSeen> {
    return race.attempts[index]!.resources.filter(({ name }) =>
      race.spec.candidates[index]!.steps[Number(name.slice(name.lastIndexOf(":") + 1))]?._ === "hold"
    )
  }

  /**
   * Whether the interruption came before the race had returned. Effect itself forgets one that comes while a scope
   * closes, if it comes after the first of its finalizers.
   */
  mustEndInterrupted = false

  onInterrupt(): void {
    const race = this.races[0]
    if (race !== undefined && race.exit === undefined) {
      const won = race.events.find((event) => event._tag === "Won")?.index
      this.mustEndInterrupted = true
      race.interruptedInCleanUp = !this.program.uninterruptible && race.spec.losers === "await" && won !== undefined &&
        race.attempts.some(({ entered, exited }, index) => index !== won && entered > exited)
    }
  }

  // ----------------------------------------------------------------------------------------------------- at the end

  /** What the winners of a program hold, while it uses them. */
  checkInUse(): void {
    const race = this.races[0]
    if (race?.winner !== undefined && this.program.scoped) {
      const closed = this.heldBy(race, race.winner).filter((resource) => !isOpen(resource))
      this.check(closed.length === 0, () => `${names(closed)} closed while in use`)
    }
  }

  checkAllReleased(when: string): void {
    for (const race of this.races) {
      for (const resource of [race.stream, ...race.attempts.flatMap(({ resources }) => resources)]) {
        this.check(
          resource.acquired === resource.released,
          () => `${when}, ${resource.name} was acquired ${resource.acquired} and released ${resource.released} times`
        )
      }
    }
  }

  checkAtEnd(): void {
    this.checkAllReleased("in the end")
    for (const race of this.races) {
      // One that was interrupted before it began has nothing to tell.
      if (race.exit !== undefined && !(race.events.length === 0 && Exit.isInterrupted(race.exit))) {
        this.checkEvents(race)
      }
      for (const attempt of race.attempts) {
        this.check(attempt.entered <= 1, () => `${attempt.path} ran ${attempt.entered} times`)
        this.check(attempt.entered === attempt.exited, () => `${attempt.path} has not ended`)
      }
    }
  }

  private checkEvents(race: RaceSeen): void {
    const { attempts: entered, events, outcome, path, spec } = race
    const say = (what: string) => () =>
      `${path}: ${what}: ${events.map((event) => `${event._tag}${"index" in event ? event.index : ""}@${event.at}`)}`
    const starts: Array<StaggeredRace.RaceEvent<string, string> & { readonly _tag: "Started" }> = []
    const ends = new Map<number, StaggeredRace.RaceEvent<string, string>>()
    let decided: (StaggeredRace.RaceEvent<string, string> & { readonly _tag: "Decided" }) | undefined
    let won: number | undefined
    let at = 0
    let running = 0
    for (const event of events) {
      this.check(event.at >= at, say("time goes back"))
      at = event.at
      if (event._tag === "Started") {
        const before = starts[starts.length - 1]
        this.check(event.index === starts.length, say("starts out of order"))
        this.check(decided === undefined && won === undefined, say("starts after the decision"))
        this.check(event.startedBy === "first" ? before === undefined : before !== undefined, say("the first"))
        this.check(++running <= spec.concurrency, say("too many at once"))
        this.check(event.dueAt <= event.at, say("starts before it is due"))
        if (before !== undefined) {
          this.check(event.at >= before.at + spec.minDelay, say("starts too soon"))
          const end = ends.get(before.index)
          this.check(
            event.startedBy === "delay"
              ? typeof spec.delay !== "number" || event.at >= before.at + spec.delay
              : end?._tag === "Failed",
            say(`${event.index} is not due`)
          )
        }
        starts.push(event)
      } else if (event._tag === "Decided") {
        this.check(decided === undefined, say("decided twice"))
        this.check((won !== undefined) === (event.by === "success"), say(`decided by ${event.by}`))
        decided = event
      } else if (event._tag !== "SourceFailed") {
        this.check(event.index < starts.length && !ends.has(event.index), say("ends twice, or before it starts"))
        const early = event._tag === "Failed" || event._tag === "Won"
        this.check(early === (decided === undefined), say("ends on the wrong side of the decision"))
        this.check(won === undefined || !early, say("goes on after the win"))
        won = event._tag === "Won" ? event.index : won
        running--
        ends.set(event.index, event)
      }
    }
    this.check(decided !== undefined, say("never decided"))
    this.check(ends.size === starts.length, say("some never end"))
    this.check(
      entered.filter(({ entered }) => entered > 0).length <= starts.length,
      say("there are attempts that no event tells of")
    )
    if (race.winner !== undefined) {
      this.check(race.winner === won, say(`the winner is ${race.winner}`))
    }
    const exit = race.exit!
    // An interruption may also come right behind a race that has delivered what it won. To the caller that is the same.
    const isInterrupted = race.interruptedInCleanUp || decided?.by === "interruption"
    const mayHaveDelivered = !isInterrupted && won !== undefined
    this.check(!isInterrupted || Exit.isInterrupted(exit), say("the interruption is swallowed"))
    const leftOpen = race.leftOpen.filter(([index]) =>
      isInterrupted || (index !== won && spec.losers === "await")
    )
    this.check(leftOpen.length === 0, say(`it returns with ${leftOpen.map(([, name]) => name)} open`))
    if (race.streamExit !== undefined && (isInterrupted || Exit.isSuccess(exit))) {
      this.check(
        Exit.isInterrupted(race.streamExit) === isInterrupted,
        say(`its stream is released with a ${race.streamExit._tag}`)
      )
    }
    if (race.refs !== undefined) {
      const { after, before } = race.refs
      const inherited = won === undefined ? before : entered[won]!.ref
      this.check(
        (after === before && Exit.isFailure(exit)) || (after === inherited && mayHaveDelivered),
        say(`the reference was ${before} and is ${after}, with the winner's ${inherited}`)
      )
    }
    if (Exit.isFailure(exit) && outcome === undefined && !Cause.isInterrupted(exit.cause) && decided?.by !== "defect") {
      const failures = [...Cause.failures(exit.cause), ...Cause.defects(exit.cause)].map(String)
      for (const [index, event] of ends) {
        const ended = spec.candidates[index]!.steps.some(({ _ }) => _ === "race") ? undefined : spec.candidates[index]!.end
        this.check(
          event._tag !== "Failed" || (ended !== "fail" && ended !== "die") || failures.includes(`${path}/${index}`),
          say(`the failure of ${index} is not among ${failures}`)
        )
      }
    }
    if (decided?.by === "failures") {
      this.check([...ends.values()].every(({ _tag }) => _tag === "Failed"), say("not all have failed"))
      const all = spec.source._ === "stream" ? race.given : spec.candidates.length
      this.check(starts.length === all, say(`${starts.length} of ${all} started`))
    }
    if (outcome !== undefined) {
      const reported = outcome.attempts.map(({ dueAt, index, result, startedAt, startedBy }) =>
        `${index} ${startedBy} ${dueAt} ${startedAt} ${result}`
      )
      const results = { Failed: "failed", Won: "won", Lost: "lost", SucceededLate: "late" } as const
      const told = starts.map(({ at, dueAt, index, startedBy }, place) => {
        const end = ends.get(index)?._tag
        const late = spec.losers === "background" && outcome.attempts[place]?.result === "lost"
        return `${index} ${startedBy} ${dueAt} ${at} ${late ? "lost" : results[end as keyof typeof results]}`
      })
      this.check(reported.join() === told.join(), say(`the report tells of ${reported}, the events of ${told}`))
      this.check(
        outcome.decidedAt === decided?.at && outcome.decidedBy === decided.by,
        say(`decided by ${outcome.decidedBy} at ${outcome.decidedAt}`)
      )
      this.check(
        outcome.attempts.every(({ exit, result }) => Exit.isSuccess(exit) === (result === "won" || result === "late")),
        say("a result that is not the exit's")
      )
    }
  }
}

// ------------------------------------------------------------------------------------------------------------ a run

const maySit = (race: Race): boolean =>
  (race.source._ === "stream" && race.source.end === "never") ||
  race.candidates.some(({ end, steps }) =>
    end === "hang" || steps.some((step) => step._ === "latched" || (step._ === "race" && maySit(step.race)))
  )

export interface Report {
  readonly faults: ReadonlyArray<string>
  readonly program: Program
  readonly steps: number
  readonly exit: Exit.Exit<unknown, unknown> | null
  readonly interrupted: boolean
}

/** Runs the program of a seed by the schedule of a seed. */
export const explore = (seed: number, losers: Race["losers"]): Report =>
  runProgram(makeProgram(seeded(seed), losers), seeded(seed ^ 0x5bd1e995))

export const runProgram = (program: Program, random: Random): Report => {
  const run = new Run(program)
  const clock = new EventClock({ order: pick(random, "fifo", "lifo"), wakes: pick(random, "one", "instant") })
  const scheduler = new RandomScheduler(random)
  const supervisor = Supervisor.unsafeTrack()
  const interruptAfter = random() < 0.5 ? Math.floor(2 ** (random() * 8)) : Infinity
  const interruptAt = random() < 0.2 ? Math.floor(random() * 20) : Infinity
  const rush = pick(random, 0, 0, 0.02)

  const using = Effect.zipRight(
    program.use === 0 ? Effect.yieldNow() : Effect.sleep(program.use),
    Effect.sync(() => run.checkInUse())
  )
  const raced = Effect.zipRight(run.race(program.race, "", undefined), using)
  const masked = program.uninterruptible ? Effect.uninterruptible(raced) : raced
  const scoped = Effect.scoped(masked)
  const whole = (program.parallelFinalizers ? Effect.parallelFinalizers(scoped) : scoped).pipe(
    Effect.onExit(() => Effect.sync(() => program.scoped && run.checkAllReleased("after the scope")))
  )

  let steps = 0
  let interrupted = false
  let exit: Exit.Exit<unknown, unknown> | null = null
  try {
    const fiber = Runtime.runFork(
      Runtime.defaultRuntime,
      whole.pipe(Effect.supervised(supervisor), Effect.withClock(clock)),
      { scheduler }
    )
    const interrupt = () => {
      interrupted = fiber.unsafePoll() === null
      run.onInterrupt()
      fiber.unsafeInterruptAsFork(FiberId.none)
    }
    for (;;) {
      if (!interrupted && fiber.unsafePoll() === null && (steps >= interruptAfter || clock.now >= interruptAt)) {
        interrupt()
      }
      if (++steps > 20_000) {
        throw new Error("it goes on for ever")
      }
      if (!scheduler.isIdle && (rush === 0 || random() >= rush)) {
        scheduler.step()
      } else if (clock.next() < Infinity) {
        clock.advance()
      } else if (!scheduler.isIdle) {
        scheduler.step()
      } else if (fiber.unsafePoll() === null && !interrupted) {
        run.check(maySit(program.race), "it hangs")
        interrupt()
      } else {
        break
      }
    }
    exit = fiber.unsafePoll()
    run.check(exit !== null, interrupted ? "it hangs when it is interrupted" : "it hangs")
    if (exit !== null) {
      run.check(!run.mustEndInterrupted || Exit.isInterrupted(exit), "the interruption is swallowed")
      run.checkAtEnd()
    }
    const alive = Effect.runSync(supervisor.value).filter((fiber) => fiber.unsafePoll() === null)
    run.check(alive.length === 0, `${alive.length} fibers are alive`)
    run.check(clock.sleepers.length === 0, `${clock.sleepers.length} sleeps are pending`)
  } catch (thrown) {
    run.faults.push(thrown instanceof Error ? thrown.stack ?? thrown.message : String(thrown))
  }
  return { faults: run.faults, program, steps, exit, interrupted }
}

export const show = (value: unknown): string => inspect(value, { depth: null, breakLength: 140, compact: 10 })
