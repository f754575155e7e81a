import * as Effect from "effect/Effect"

/** What is measured: does its work so many times and says how many microseconds all of it took. */
export type Subject = (runs: number) => Effect.Effect<number>

const microseconds = () => Number(process.hrtime.bigint()) / 1e3

const clock = Effect.sync(microseconds)

/** All runs in the fiber that measures: what is timed is the effect, and not how a program is started. */
export const effect = (self: Effect.Effect<unknown, unknown>): Subject => {
  // A failure ends the bench: what fails is fast.
  const once = Effect.orDie(self)
  const repeated = (runs: number) => {
    let run = 0
    return Effect.whileLoop({ while: () => run++ < runs, body: () => once, step: () => {} })
  }
  return (runs) =>
    Effect.flatMap(clock, (start) => Effect.flatMap(repeated(runs), () => Effect.map(clock, (end) => end - start)))
}

export const promise = (make: () => Promise<unknown>): Subject => (runs) =>
  Effect.promise(async () => {
    const start = microseconds()
    for (let run = 0; run < runs; run++) {
      await make()
    }
    return microseconds() - start
  })

export interface Plan {
  readonly rounds: number
  /** How long one sample is meant to take. */
  readonly sampleMicros: number
}

/** Doubles the runs until they take long enough to go by. */
const calibrate = (subject: Subject, sampleMicros: number, runs = 1): Effect.Effect<number> =>
  Effect.flatMap(subject(runs), (micros) =>
    micros >= sampleMicros / 2
      ? Effect.succeed(Math.max(1, Math.round(runs * sampleMicros / micros)))
      : calibrate(subject, sampleMicros, runs * 2))

/** Until the engine has compiled it. */
export const warmUp = (subject: Subject, micros: number): Effect.Effect<void> =>
  Effect.asVoid(calibrate(subject, micros))

/**
 * Takes all subjects in turn, round by round, each round beginning with another one: these figures drift with the
 * machine by far more than they differ. Returns the samples, in microseconds per run: a list for each subject.
 */
export const sample = (
  subjects: ReadonlyArray<Subject>,
  { rounds, sampleMicros }: Plan
): Effect.Effect<ReadonlyArray<ReadonlyArray<number>>> =>
  Effect.gen(function*() {
    const runs = yield* Effect.forEach(subjects, (subject) => calibrate(subject, sampleMicros))
    const samples = subjects.map(() => Array<number>(rounds).fill(NaN))
    for (let round = 0; round < rounds; round++) {
      for (let turn = 0; turn < subjects.length; turn++) {
        const index = (round + turn) % subjects.length
        samples[index]![round] = (yield* subjects[index]!(runs[index]!)) / runs[index]!
      }
    }
    return samples
  })

export const quantile = (values: ReadonlyArray<number>, q: number) =>
  [...values].sort((a, b) => a - b)[Math.round((values.length - 1) * q)] ?? NaN

export const median = (values: ReadonlyArray<number>) => quantile(values, 0.5)
