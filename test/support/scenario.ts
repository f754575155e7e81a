import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Deferred from "effect/Deferred"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Supervisor from "effect/Supervisor"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as TestServices from "effect/TestServices"

/** What a candidate does. Times are milliseconds from its start. */
export interface Row {
  readonly result: "ok" | "fail" | "die" | "hang" | "interrupt"
  /** When it ends: `null` if it hangs, 0 if it ends without suspending. */
  readonly latency: number | null
  /** How long its clean-up takes after an interruption. */
  readonly cleanup?: number
  /** Whether it ignores interruption until its latency has passed. */
  readonly stubborn?: boolean
}

/** What probes inside the candidates saw of a race. */
export interface Transcript {
  readonly started: Array<readonly [index: number, at: number]>
  readonly ended: Array<readonly [index: number, how: "succeeded" | "failed" | "interrupted", at: number]>
  /** `+0@0`: candidate 0 acquired its resource at 0. `-0@5`: it released the resource at 5. */
  readonly resources: Array<string>
}

export const transcript = (): Transcript => ({ started: [], ended: [], resources: [] })

export class Boom extends Error {
  readonly _tag = "Boom"
  constructor(readonly index: number) {
    super(`boom ${index}`)
  }
}

const endedHow = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit) ? "succeeded" : Cause.isInterrupted(exit.cause) ? "interrupted" : "failed"

const ending = (row: Row, index: number): Effect.Effect<string, Boom> => {
  switch (row.result) {
    case "ok":
      return Effect.succeed(`value ${index}`)
    case "fail":
      return Effect.fail(new Boom(index))
    case "die":
      return Effect.die(new Boom(index))
    case "interrupt":
      return Effect.interrupt
    case "hang":
      return Effect.never
  }
}

export const candidate = (row: Row, index: number, seen: Transcript): Effect.Effect<string, Boom> => {
  const work = Effect.zipRight(row.latency ? Effect.sleep(row.latency) : Effect.void, ending(row, index)).pipe(
    row.stubborn ? Effect.uninterruptible : (self) => self,
    row.cleanup ? Effect.onInterrupt(() => Effect.sleep(row.cleanup ?? 0)) : (self) => self
  )
  return Effect.flatMap(Clock.currentTimeMillis, (at) => {
    seen.started.push([index, at])
    return work
  }).pipe(
    Effect.onExit((exit) => Effect.map(Clock.currentTimeMillis, (at) => seen.ended.push([index, endedHow(exit), at])))
  )
}

export const candidates = (rows: Iterable<Row>, seen = transcript()): Array<Effect.Effect<string, Boom>> =>
  Array.from(rows, (row, index) => candidate(row, index, seen))

/** A candidate that holds a resource while its scope is open. */
export const scopedCandidate = (row: Row, index: number, seen: Transcript) =>
  Effect.zipRight(
    Effect.acquireRelease(
      Effect.map(Clock.currentTimeMillis, (at) => seen.resources.push(`+${index}@${at}`)),
      () => Effect.map(Clock.currentTimeMillis, (at) => seen.resources.push(`-${index}@${at}`))
    ),
    candidate(row, index, seen)
  )

/** A resource that logs when it is acquired and released. */
export const resource = (log: Array<string>, name: string) =>
  Effect.acquireRelease(
    Effect.sync(() => log.push(`acquire ${name}`)),
    () => Effect.map(Clock.currentTimeMillis, (at) => log.push(`release ${name} @${at}`))
  )

/** Waits at a gate, then does enough operations that a fiber can be made to yield at any of the last ones. */
export const pass = (gate: Deferred.Deferred<void>) =>
  Array.from({ length: 20 }).reduce<Effect.Effect<void>>(
    (steps) => Effect.zipRight(steps, Effect.void),
    Deferred.await(gate)
  )

/** The clocks of `observe`: the `TestClock` itself, and another one that forwards to it and has no other property. */
export const clocks = ["TestClock", "another"] as const

/** How an effect ended, when, and what it left behind. */
export interface Observed<A, E> {
  readonly exit: Exit.Exit<A, E>
  readonly endedAt: number
  /** Sleeps that are still pending on the clock, and fibers that have not ended. */
  readonly left: { readonly sleeps: number; readonly fibers: number }
  readonly maxSleeps: number
  /** The number of pending sleeps at each instant of `sampleAt`. */
  readonly samples: ReadonlyArray<number>
}

export interface ObserveOptions {
  readonly interruptAt?: number | null | undefined
  readonly sampleAt?: ReadonlyArray<number>
  readonly clock?: typeof clocks[number]
  /** Called for each sleep that begins. */
  readonly onSleep?: (millis: number) => void
}

/**
 * Runs an effect under its own `TestClock`, until nothing more can happen. Interrupts it at `interruptAt`, if that
 * comes first.
 */
export const observe = <A, E>(
  effect: Effect.Effect<A, E>,
  { clock = "another", interruptAt, onSleep, sampleAt = [] }: ObserveOptions = {}
): Effect.Effect<Observed<A, E>> =>
  Effect.gen(function*() {
    const testClock = yield* Effect.clock
    const sleep = testClock.sleep.bind(testClock)
    let sleeps = 0
    let maxSleeps = 0
    const counted = {
      sleep: (duration: Duration.Duration) =>
        Effect.acquireUseRelease(
          Effect.sync(() => {
            onSleep?.(Duration.toMillis(duration))
            maxSleeps = Math.max(maxSleeps, ++sleeps)
          }),
          () => sleep(duration),
          () => Effect.sync(() => sleeps--)
        )
    }
    const observed: Clock.Clock = clock === "TestClock" ? Object.assign(testClock, counted) : {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: () => testClock.unsafeCurrentTimeMillis(),
      unsafeCurrentTimeNanos: () => testClock.unsafeCurrentTimeNanos(),
      currentTimeMillis: testClock.currentTimeMillis,
      currentTimeNanos: testClock.currentTimeNanos,
      ...counted
    }
    const supervisor = yield* Supervisor.track
    let endedAt = NaN
    const fiber = yield* effect.pipe(
      Effect.onExit(() => Effect.map(Clock.currentTimeMillis, (at) => endedAt = at)),
      Effect.withClock(observed),
      Effect.supervised(supervisor),
      Effect.forkDaemon
    )
    if (typeof interruptAt === "number") {
      yield* Effect.forkDaemon(Effect.zipRight(sleep(Duration.millis(interruptAt)), Fiber.interruptFork(fiber)))
    }
    const samples: Array<number> = []
    for (const at of sampleAt) {
      yield* TestClock.setTime(at)
      samples.push(sleeps)
    }
    yield* TestClock.adjust(Duration.days(1))
    const exit = yield* Effect.timeout(fiber.await, "10 seconds").pipe(TestServices.provideLive, Effect.orDie)
    const fibers = (yield* supervisor.value).filter((fiber) => fiber.unsafePoll() === null).length
    return { exit, endedAt, left: { sleeps, fibers }, maxSleeps, samples }
  }).pipe(Effect.provide(TestContext.TestContext))

export const nothing = { sleeps: 0, fibers: 0 }

export const ok = (latency: number, more: Partial<Row> = {}): Row => ({ result: "ok", latency, ...more })
export const fail = (latency: number, more: Partial<Row> = {}): Row => ({ result: "fail", latency, ...more })
export const die = (latency: number): Row => ({ result: "die", latency })
export const hang = (more: Partial<Row> = {}): Row => ({ result: "hang", latency: null, ...more })

/** A cause in short form: `;` is sequential, `|` is parallel, `!` marks a defect, `^` is an interruption. */
export const shape = (cause: Cause.Cause<unknown>): string =>
  Cause.match(cause, {
    onEmpty: "empty",
    onFail: (error) => error instanceof Boom ? `${error.index}` : String(error),
    onDie: (defect) => `!${defect instanceof Boom ? defect.index : String(defect)}`,
    onInterrupt: () => "^",
    onSequential: (left, right) => `(${left};${right})`,
    onParallel: (left, right) => `(${left}|${right})`
  })

export const failed = (exit: Exit.Exit<unknown, unknown>) => Exit.isFailure(exit) ? shape(exit.cause) : "succeeded"

/** The leaves of a cause from left to right. `catchTag`, `flip` and `retry` look at the first failure. */
export const leaves = (exit: Exit.Exit<unknown, unknown>) => failed(exit).match(/[^();|]+/g) ?? []

export const messages = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isFailure(exit) ? Chunk.toReadonlyArray(Cause.failures(exit.cause)) : []

export const how = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit) ? "succeeded" : Cause.isInterruptedOnly(exit.cause) ? "interrupted" : "failed"

export const forever = Duration.infinity
