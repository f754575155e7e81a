import * as Effect from "effect/Effect"

/** What is measured: does its work so often and says how many microseconds all of it took. */
export type Subject = (runs: number) => Effect.Effect<number>

const microseconds = () => Number(process.hrtime.bigint()) / 1e3

const clock = Effect.sync(microseconds)

/** All runs in the fiber that measures: what is timed is the effect, and not how a program is started. */
export const effect = (self: Effect.Effect<unknown, unknown>): Subject => {
  const repeated = (runs: number) => {
    let run = 0
    return Effect.whileLoop({ while: () => run++ < runs, body: () => Effect.exit(self), step: () => {} })
  }
  return (runs) =>
    Effect.flatMap(clock, (start) => Effect.flatMap(repeated(runs), () => Effect.map(clock, (end) => end - start)))
}

export const promise = (make: () => Promise<unknown>): Subject => (runs) =>
  Effect.promise(async () => {
    const start = microseconds()
    for (let run = 0; run < runs; run++) {
      await make().catch(() => {})
    }
    return microseconds() - start
  })

/** Counts each run as so many, to compare what a part of it costs. */
export const per = (parts: number, subject: Subject): Subject => (runs) =>
  Effect.map(subject(runs), (micros) => micros / parts)

export interface Plan {
  readonly rounds: number
  /** How long one side of a round is meant to take. */
  readonly sampleMicros: number
}

export interface Measured {
  /** Ours to theirs: the median over all rounds. */
  readonly ratio: number
  /** Its quartiles. */
  readonly spread: readonly [from: number, to: number]
  /** Microseconds per run. */
  readonly ours: number
  readonly theirs: number
  readonly best: number
}

const quantile = (values: ReadonlyArray<number>, q: number) =>
  [...values].sort((a, b) => a - b)[Math.round((values.length - 1) * q)] ?? NaN

// Neither side pays for what the other has left on the heap.
const sample = (subject: Subject, runs: number) =>
  Effect.suspend(() => {
    globalThis.gc?.()
    return Effect.map(subject(runs), (micros) => micros / runs)
  })

// Doubled until they take long enough to go by, which also warms the code up.
const calibrate = (subject: Subject, sampleMicros: number, runs = 1): Effect.Effect<number> =>
  Effect.flatMap(sample(subject, runs), (micros) =>
    micros * runs >= sampleMicros / 2
      ? Effect.succeed(Math.max(1, Math.round(sampleMicros / micros)))
      : calibrate(subject, sampleMicros, runs * 2))

/** Ours and theirs in turn, round by round: these figures drift with the machine by far more than they differ. */
export const compare = (ours: Subject, theirs: Subject, { rounds, sampleMicros }: Plan): Effect.Effect<Measured> =>
  Effect.gen(function*() {
    const [ourRuns, theirRuns] = [yield* calibrate(ours, sampleMicros), yield* calibrate(theirs, sampleMicros)]
    const samples: Array<readonly [ours: number, theirs: number]> = []
    for (let round = 0; round < rounds; round++) {
      if (round % 2 === 0) {
        const first = yield* sample(ours, ourRuns)
        samples.push([first, yield* sample(theirs, theirRuns)])
      } else {
        const first = yield* sample(theirs, theirRuns)
        samples.push([yield* sample(ours, ourRuns), first])
      }
    }
    const ratios = samples.map(([ours, theirs]) => ours / theirs)
    return {
      best: quantile(samples.map(([ours]) => ours), 0.1) / quantile(samples.map(([, theirs]) => theirs), 0.1),
      ratio: quantile(ratios, 0.5),
      spread: [quantile(ratios, 0.25), quantile(ratios, 0.75)],
      ours: quantile(samples.map(([ours]) => ours), 0.5),
      theirs: quantile(samples.map(([, theirs]) => theirs), 0.5)
    }
  })
