import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as StaggeredRace from "../src/StaggeredRace.js"

// Each case runs ours and theirs in turn, round by round, in one process and inside one Effect program, since these
// figures drift with the machine by far more than they differ. What counts is the ratio; see README.md beside this.

type Case = readonly [name: string, ours: Effect.Effect<unknown, unknown>, theirs: Effect.Effect<unknown, unknown>]

const sync = Effect.succeed("sync")
const atOnce = Effect.as(Effect.yieldNow(), "at once")
const hanging = Effect.async<string>((_resume) => {})
const failing = Effect.zipRight(Effect.yieldNow(), Effect.fail("no"))
const later = [Effect.delay(sync, 250), Effect.delay(sync, 500)]
const floor = (candidate: Effect.Effect<string>) => Effect.flatMap(Effect.fork(candidate), Fiber.await)

const lastWins = (count: number, others: Effect.Effect<string, string>) =>
  Array.from({ length: count }, (_, index) => index === count - 1 ? atOnce : others)

const cases = ([first, name]: readonly [Effect.Effect<string>, string]): ReadonlyArray<Case> => [
  [
    `first of 3 ${name}, delay 250 ms : raceAll with Effect.delay`,
    StaggeredRace.race([first, hanging, hanging], { delay: 250 }),
    Effect.raceAll([first, ...later])
  ],
  [
    `first ${name} : Effect.fork and Fiber.await`,
    StaggeredRace.race([first], { delay: 250 }),
    floor(first)
  ],
  [
    `outcome : race, first of 3 ${name}`,
    StaggeredRace.outcome([first, hanging, hanging], { delay: 250 }),
    StaggeredRace.race([first, hanging, hanging], { delay: 250 })
  ]
]

const all: ReadonlyArray<Case> = [
  ...cases([atOnce, "answers at once"]),
  ...cases([sync, "succeeds without suspending"]),
  ...[2, 10, 100, 1000].map((count): Case => [
    `${count} at once, delay 0, the last wins : raceAll`,
    StaggeredRace.race(lastWins(count, hanging), { delay: 0 }),
    Effect.raceAll(lastWins(count, hanging))
  ]),
  ...[10, 1000].flatMap((count): ReadonlyArray<Case> => [
    [
      `${count} fail in turn, the last wins : raceAll of the same`,
      StaggeredRace.race(lastWins(count, failing), { delay: "1 hour" }),
      Effect.raceAll(lastWins(count, failing))
    ]
  ])
]

const rounds = 15
const roundMillis = process.argv.includes("--quick") ? 40 : 150

const now = Effect.sync(() => Number(process.hrtime.bigint()) / 1e3)

/** Microseconds per run. */
const time = (effect: Effect.Effect<unknown, unknown>, runs: number) =>
  Effect.gen(function*() {
    const start = yield* now
    for (let run = 0; run < runs; run++) {
      yield* Effect.exit(effect)
    }
    return ((yield* now) - start) / runs
  })

const median = (values: ReadonlyArray<number>) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

const measure = ([name, ours, theirs]: Case) =>
  Effect.gen(function*() {
    yield* time(ours, 50)
    yield* time(theirs, 50)
    const runs = Math.max(3, Math.ceil(roundMillis * 1000 / ((yield* time(ours, 20)) + (yield* time(theirs, 20)))))
    const samples: Array<readonly [ours: number, theirs: number]> = []
    for (let round = 0; round < rounds; round++) {
      const [first, second] = round % 2 === 0 ? [ours, theirs] : [theirs, ours]
      const [a, b] = [yield* time(first, runs), yield* time(second, runs)]
      samples.push(round % 2 === 0 ? [a, b] : [b, a])
    }
    const ratio = median(samples.map(([ours, theirs]) => ours / theirs))
    const figures = [ratio, median(samples.map(([ours]) => ours)), median(samples.map(([, theirs]) => theirs))] as const
    const [shown, us, them] = figures.map((figure, index) => index === 0 ? figure.toFixed(2) : figure.toFixed(1))
    console.log(`${shown?.padStart(6)} ${us?.padStart(10)} ${them?.padStart(10)}   ${name}`)
  })

console.log(" ratio    ours µs  theirs µs   ours : theirs   (medians of 15 rounds; a ratio below 1 is in our favour)")
await Effect.runPromise(Effect.forEach(all, measure, { discard: true }))
