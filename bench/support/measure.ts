import * as Effect from "effect/Effect"

/** What is measured: does its work so many times, and returns the microseconds that all of it took. */
export type Subject = (runs: number) => Effect.Effect<number>

// Processor time of the process: what other programs take of the machine does not count.
const microseconds = () => {
  const { system, user } = process.cpuUsage()
  return system + user
}

const clock = Effect.sync(microseconds)

/** Runs in the fiber that measures, so that the time is that of the effect and not that of starting a program. */
export const effect = (self: Effect.Effect<unknown, unknown>): Subject => {
  // Ends the bench on a failure, which would look fast.
  const once = Effect.orDie(self)
  const repeated = (runs: number) => {
    let run = 0
    return Effect.whileLoop({ while: () => run++ < runs, body: () => once, step: () => {} })
  }
  return (runs) =>
    Effect.flatMap(
      Effect.getFiberRefs,
      (before) =>
        Effect.flatMap(clock, (start) => Effect.flatMap(repeated(runs), () => Effect.map(clock, (end) => end - start)))
          .pipe(
            // References that a subject leaves behind would slow down all that follow.
            Effect.zipLeft(Effect.setFiberRefs(before))
          )
    )
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

/** Doubles the runs until they take long enough to count them from. */
const calibrate = (subject: Subject, sampleMicros: number, runs = 1): Effect.Effect<number> =>
  Effect.flatMap(subject(runs), (micros) =>
    micros >= sampleMicros / 2
      ? Effect.succeed(Math.max(1, Math.round(runs * sampleMicros / micros)))
      : calibrate(subject, sampleMicros, runs * 2))

/** Runs it until V8 has compiled it. */
export const warmUp = (subject: Subject, micros: number): Effect.Effect<void> =>
  Effect.asVoid(calibrate(subject, micros))

/**
 * Samples all subjects in turn, round by round. Each round begins with another subject, because the speed of a machine
 * drifts by more than the subjects differ. Returns a list of samples for each subject, in microseconds per run.
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
