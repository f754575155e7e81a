import * as Effect from "effect/Effect"

/** The work to measure. It runs `runs` times, and returns the microseconds that all runs took together. */
export type Subject = (runs: number) => Effect.Effect<number>

// Processor time of this process, so that the work of other programs does not count.
const microseconds = () => {
  const { system, user } = process.cpuUsage()
  return system + user
}

const clock = Effect.sync(microseconds)

/** Runs an effect in the measuring fiber, so that the time does not include the start of a runtime. */
export const effect = (self: Effect.Effect<unknown, unknown>): Subject => {
  // A failure ends the bench, because it would look fast.
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
            // FiberRefs that a subject leaves behind would slow down the subjects after it.
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
  /** The time that one sample should take, in microseconds. */
  readonly sampleMicros: number
}

/** The runs that fill one sample. Doubles them until they take at least half of it, then extrapolates. */
const calibrate = (subject: Subject, sampleMicros: number, runs = 1): Effect.Effect<number> =>
  Effect.flatMap(subject(runs), (micros) =>
    micros >= sampleMicros / 2
      ? Effect.succeed(Math.max(1, Math.round(runs * sampleMicros / micros)))
      : calibrate(subject, sampleMicros, runs * 2))

/** Runs a subject until V8 has compiled it. */
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
