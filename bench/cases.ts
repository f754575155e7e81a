import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import type * as Hedge from "../src/Hedge.js"
import { silentTracer } from "../test/support/races.js"
import * as floors from "./floors.js"
import type { Asyncio } from "./rivals/asyncio.js"
import * as promises from "./rivals/promises.js"
import type { Library } from "./support/library.js"
import { effect, promise, type Subject } from "./support/measure.js"

export interface Case {
  readonly name: string
  readonly against: string
  readonly ours: Subject
  readonly theirs: Subject
  /** The parts of one run, if the case compares the time of a part. */
  readonly parts?: readonly [ours: number, theirs: number]
  /** The highest ratio that we want. */
  readonly goal?: number
  /** A program that does only what the rules of a race demand of this case. */
  readonly floor?: Subject
  /** Whether the case takes too long for `--quick`. */
  readonly long?: boolean
  /** The number of rounds, if one run takes seconds. Default that of the bench. */
  readonly rounds?: number
}

type Candidate = Effect.Effect<string, string>

// Yields once, then succeeds.
const atOnce: Candidate = Effect.as(Effect.yieldNow(), "at once")
const sync: Candidate = Effect.succeed("sync")
const hanging: Candidate = Effect.async<string>((_resume) => {})
const failing: Candidate = Effect.zipRight(Effect.yieldNow(), Effect.fail("no"))

const firstOf = (count: number, first: Candidate) => [first, ...Array<Candidate>(count - 1).fill(hanging)]
const lastOf = (count: number, others: Candidate) => [...Array<Candidate>(count - 1).fill(others), atOnce]

// The idiom that a staggered race replaces. It starts all fibers at once, and each sleeps until its turn.
const delayed = (candidates: ReadonlyArray<Candidate>, millis: number) =>
  Effect.raceAll(
    candidates.map((candidate, index) => index === 0 ? candidate : Effect.delay(candidate, index * millis))
  )

const idiom = "raceAll with Effect.delay"
const forkAndAwait = (candidate: Candidate) => Effect.flatMap(Effect.fork(candidate), Fiber.await)

const manyAtOnce = (race: Candidate): Effect.Effect<void, string> =>
  Effect.all(Array<Candidate>(1000).fill(race), { concurrency: "unbounded", discard: true })
const afterOneMilli = Array<Candidate>(3).fill(Effect.delay(sync, 1))

const scoped = Array(3).fill(Effect.acquireRelease(atOnce, () => Effect.void)) as ReadonlyArray<
  Effect.Effect<string, string, Scope.Scope>
>

// The same as `atOnce` and `failing`, as promises.
const answering = async () => await Promise.resolve("at once")
const rejecting = async () => {
  await Promise.resolve()
  throw new Error("no")
}
const pending = (signal: AbortSignal) =>
  new Promise<string>((_resolve, reject) => signal.addEventListener("abort", () => reject(signal.reason)))

const underTracer = (self: Subject): Subject => (runs) => Effect.withTracer(self(runs), silentTracer)

/** The cases for one build of the library: ours, or the one of `--against`. */
export const casesOf = ({ Hedge, StaggeredRace }: Library): ReadonlyArray<Case> => {
  const racing = (count: number): Case => ({
    name: `all of ${count} at once, delay 0, the last wins`,
    against: "raceAll",
    goal: 1,
    ours: effect(StaggeredRace.race(lastOf(count, hanging), { delay: 0 })),
    theirs: effect(Effect.raceAll(lastOf(count, hanging))),
    floor: effect(floors.atOnce(lastOf(count, hanging))),
    long: count > 1000
  })

  const inTurn = (count: number): Case => ({
    name: `${count} fail in turn, the last wins`,
    against: "raceAll of the same",
    goal: count > 1000 ? 1 : 0.9,
    ours: effect(StaggeredRace.race(lastOf(count, failing), { delay: "1 hour" })),
    theirs: effect(Effect.raceAll(lastOf(count, failing))),
    floor: effect(floors.inTurn(lastOf(count, failing))),
    long: count > 1000,
    ...(count > 10_000 ? { rounds: 3 } : {})
  })

  const underDelay = (count: number): Case => ({
    name: `${count} fail in turn, under a delay of 250 ms`,
    against: "race without the delay",
    goal: 1.3,
    ours: effect(StaggeredRace.race(lastOf(count, failing), { delay: 250 })),
    theirs: effect(StaggeredRace.race(lastOf(count, failing), { delay: Infinity })),
    long: count > 1000,
    ...(count > 10_000 ? { rounds: 3 } : {})
  })

  const overPromises = (
    name: string,
    ours: ReadonlyArray<Candidate>,
    theirs: ReadonlyArray<promises.Candidate<string>>,
    delay: number
  ): Case => ({
    name,
    against: "the same rules over promises",
    ours: effect(StaggeredRace.race(ours, { delay })),
    theirs: promise(() => promises.staggeredRace(theirs, { delay }))
  })

  const hedged = (name: string, policy: Hedge.Policy | Hedge.Options): Case => ({
    name: `hedged, ${name}, answers at once`,
    against: "race of one",
    goal: 1.5,
    ours: effect(Hedge.hedge(atOnce, policy)),
    theirs: effect(StaggeredRace.race([atOnce], { delay: 250 }))
  })

  return [
    ...([[3, 0.35], [10, 0.2]] as const).map(([count, goal]) => ({
      name: `first of ${count} answers at once, delay 250 ms`,
      against: idiom,
      goal,
      ours: effect(StaggeredRace.race(firstOf(count, atOnce), { delay: 250 })),
      theirs: effect(delayed(firstOf(count, atOnce), 250))
    })),
    ...([["answers at once", atOnce, 1.3], ["succeeds synchronously", sync, 1.2]] as const).map(
      ([does, candidate, goal]) => ({
        name: `first ${does}`,
        against: "Effect.fork and Fiber.await",
        goal,
        ours: effect(StaggeredRace.race([candidate], { delay: 250 })),
        theirs: effect(forkAndAwait(candidate)),
        floor: effect(floors.first(candidate, 250))
      })
    ),
    ...[2, 10, 100, 1000, 10_000].map(racing),
    ...[10, 1000, 100_000].map(inTurn),
    {
      name: "100000 fail in turn, per attempt",
      against: "1000 fail in turn, per attempt",
      // The ratio of times per attempt. It would be 100 if the time grew with the square.
      goal: 2,
      parts: [100_000, 1000],
      ours: effect(StaggeredRace.race(lastOf(100_000, failing), { delay: "1 hour" })),
      theirs: effect(StaggeredRace.race(lastOf(1000, failing), { delay: "1 hour" })),
      long: true,
      rounds: 3
    },
    ...[10, 1000, 100_000].map(underDelay),
    {
      name: "first answers after 1 ms, 1000 races at once, delay 250 ms",
      against: idiom,
      goal: 0.6,
      ours: effect(manyAtOnce(StaggeredRace.race(afterOneMilli, { delay: 250 }))),
      theirs: effect(manyAtOnce(delayed(afterOneMilli, 250)))
    },
    {
      name: "first of 3 scoped answers at once, delay 250 ms",
      against: `${idiom} and Effect.scoped`,
      goal: 1,
      ours: effect(Effect.scoped(StaggeredRace.race(scoped, { delay: 250 }))),
      theirs: effect(delayed(scoped.map(Effect.scoped), 250)),
      floor: effect(Effect.scoped(floors.first(Effect.scoped(scoped[0]!), 250)))
    },
    {
      name: "3 scoped at once, delay 0",
      against: "raceAll and Effect.scoped",
      goal: 1,
      ours: effect(Effect.scoped(StaggeredRace.race(scoped, { delay: 0 }))),
      theirs: effect(Effect.raceAll(scoped.map(Effect.scoped))),
      floor: effect(floors.atOnce(scoped.map(Effect.scoped)))
    },
    {
      name: "first of 3 answers at once, in a scope that stays open",
      against: "outside of any scope",
      goal: 1.15,
      ours: (runs) => Effect.scoped(effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250 }))(runs)),
      theirs: effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250 }))
    },
    {
      name: "outcome, first of 3 answers at once",
      against: "race",
      goal: 1.15,
      ours: effect(StaggeredRace.outcome(firstOf(3, atOnce), { delay: 250 })),
      theirs: effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250 }))
    },
    {
      name: "a Schedule as the delay, first of 3 answers at once",
      against: "a Duration",
      goal: 1.5,
      ours: effect(StaggeredRace.race(firstOf(3, atOnce), { delay: Schedule.spaced(250) })),
      theirs: effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250 }))
    },
    {
      name: "raceStream over Stream.fromIterable, first of 3 answers at once",
      against: "race",
      goal: 3,
      ours: effect(StaggeredRace.raceStream(Stream.fromIterable(firstOf(3, atOnce)), { delay: 250 })),
      theirs: effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250 })),
      floor: effect(Effect.zipRight(
        floors.pullOnce(Stream.fromIterable(firstOf(3, atOnce))),
        StaggeredRace.race(firstOf(3, atOnce), { delay: 250 })
      ))
    },
    {
      name: "raceStream over Stream.fromIterable, 100 fail in turn",
      against: "race",
      goal: 3,
      ours: effect(StaggeredRace.raceStream(Stream.fromIterable(lastOf(100, failing)), { delay: 250 })),
      theirs: effect(StaggeredRace.race(lastOf(100, failing), { delay: 250 }))
    },
    {
      name: "first of 3 answers at once, with a tracer: two spans",
      against: "without",
      ours: underTracer(effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250 }))),
      theirs: effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250 }))
    },
    {
      name: "first of 3 answers at once, with a name: four metrics",
      against: "without",
      ours: effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250, name: "bench" })),
      theirs: effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250 }))
    },
    hedged("plain options", { delay: 250 }),
    hedged("a percentile and a budget", Effect.runSync(Hedge.make({ delay: Hedge.percentile(0.95) }))),
    {
      name: "hedged, the same, with metrics, answers at once",
      against: "race of one with a name",
      ours: effect(Hedge.hedge(atOnce, Effect.runSync(Hedge.make({ delay: Hedge.percentile(0.95), name: "bench" })))),
      theirs: effect(StaggeredRace.race([atOnce], { delay: 250, name: "bench" }))
    },
    overPromises(
      "first of 3 answers at once, delay 250 ms",
      firstOf(3, atOnce),
      [answering, pending, pending],
      250
    ),
    overPromises(
      "all of 100 at once, delay 0, the last wins",
      lastOf(100, hanging),
      [...Array(99).fill(pending), answering],
      0
    ),
    overPromises(
      "1000 fail in turn, the last wins",
      lastOf(1000, failing),
      [...Array(999).fill(rejecting), answering],
      3_600_000
    )
  ]
}

/** Compares each race with the same race of another build, once. */
export const beside = (ours: ReadonlyArray<Case>, theirs: ReadonlyArray<Case>): ReadonlyArray<Case> => {
  const pairs = new Map(ours.map((self, index) => [self.name, [self, theirs[index]!] as const]))
  return Array.from(pairs.values(), ([{ floor: _floor, ...self }, other]) => ({
    ...self,
    against: "the other build",
    theirs: other.ours,
    ...(self.parts && { parts: [self.parts[0], self.parts[0]] as const }),
    goal: 1.05
  }))
}

/** Compares with CPython's own race. */
export const besideAsyncio = (
  { StaggeredRace }: Library,
  { subject, version }: Asyncio
): ReadonlyArray<Case> => {
  const against = `asyncio of Python ${version}`
  return [
    {
      name: "first of 3 answers at once, delay 250 ms",
      against,
      goal: 1,
      ours: effect(StaggeredRace.race(firstOf(3, atOnce), { delay: 250 })),
      theirs: subject("first:3")
    },
    ...[1000, 5000].map((count) => ({
      name: `${count} fail in turn, the last wins`,
      against,
      goal: 1,
      ours: effect(StaggeredRace.race(lastOf(count, failing), { delay: Infinity })),
      theirs: subject(`turn:${count}`),
      long: true,
      // CPython's race takes half a minute.
      ...(count === 5000 ? { rounds: 1 } : {})
    }))
  ]
}
