import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Hedge from "../src/Hedge.js"
import * as StaggeredRace from "../src/StaggeredRace.js"
import { arriving, poisson } from "./hedging/arrivals.js"
import { stragglers } from "./hedging/distributions.js"
import { drawing } from "./hedging/draws.js"
import { Simulation } from "./hedging/simulation.js"
import { setOf } from "./picking.js"
import type { Figure } from "./support/report.js"

const hanging = Effect.async<string, string>((_resume) => {})
const atOnce = Effect.as(Effect.yieldNow(), "at once")

const heap = Effect.gen(function*() {
  // Waits until no stack and no queue of the event loop still holds garbage.
  yield* Effect.sleep(20)
  const { gc } = globalThis
  if (gc === undefined) {
    return yield* Effect.dieMessage("the bench needs node --expose-gc")
  }
  yield* Effect.promise(async () => gc())
  const { arrayBuffers, heapUsed } = process.memoryUsage()
  return heapUsed + arrayBuffers
})

/** The bytes in use per candidate while `count` candidates run. */
const bytesEach = (
  count: number,
  start: (candidates: ReadonlyArray<Effect.Effect<string, string>>) => Effect.Effect<unknown, string>
) =>
  Effect.gen(function*() {
    const running = yield* Deferred.make<void>()
    let started = 0
    const candidate = Effect.suspend(() => {
      started++
      return started === count ? Effect.zipRight(Deferred.succeed(running, void 0), hanging) : hanging
    })
    const candidates = Array<typeof candidate>(count).fill(candidate)
    const before = yield* heap
    const fiber = yield* Effect.fork(start(candidates))
    yield* Deferred.await(running)
    const after = yield* heap
    yield* Fiber.interrupt(fiber)
    return (after - before) / count
  })

const running = Effect.gen(function*() {
  const count = 10_000
  const raced = bytesEach(count, (candidates) => StaggeredRace.race(candidates, { delay: 0 }))
  const forked = bytesEach(
    count,
    (candidates) => Effect.zipRight(Effect.forEach(candidates, (self) => Effect.fork(self)), hanging)
  )
  // Not measured: the first run pays for compilation.
  yield* raced
  yield* forked
  const [ours, theirs] = [yield* raced, yield* forked]
  return {
    name: `${count} attempts that hang, each`,
    value: Math.round(ours),
    unit: "bytes",
    against: `Effect.fork of the same: ${Math.round(theirs)} bytes`,
    goal: Math.round(2 * theirs)
  }
})

/** The growth of the heap over many races in a row, in one fiber and one scope. */
const inARow = (races: number) =>
  Effect.scoped(Effect.gen(function*() {
    const race = StaggeredRace.race([atOnce, hanging, hanging], { delay: 250 })
    const overlapping = StaggeredRace.race([hanging, atOnce], { delay: 0 })
    const run = (count: number) =>
      Effect.forEach(Array.from({ length: count / 2 }), () => Effect.zipRight(race, overlapping), { discard: true })
    // The first half warms up, so the code that V8 keeps does not count.
    const half = Effect.repeatN(run(10_000), races / 20_000 - 1)
    yield* half
    const before = yield* heap
    yield* half
    const after = yield* heap
    return {
      name: `heap after ${races} races in a row`,
      value: Math.round((after - before) / 1024),
      unit: "kB more",
      against: `after ${races / 2} of them`,
      goal: 1024
    }
  }))

/** The candidates, values and errors still reachable after their races, while their fiber and scope are still open. */
const kept = Effect.scoped(Effect.gen(function*() {
  const races = 100
  let alive = 0
  const registry = new FinalizationRegistry<void>(() => alive--)
  const watch = <A extends object>(value: A): A => {
    alive++
    registry.register(value, undefined)
    return value
  }
  const raced = Effect.suspend(() => {
    const failing = watch(Effect.suspend(() => Effect.fail(watch({}))))
    const losing = watch(Effect.async<object>((_resume) => {}))
    const winning = watch(Effect.zipRight(Effect.yieldNow(), Effect.sync(() => watch({}))))
    const list = [failing, losing, winning]
    return Effect.zipRight(
      Effect.asVoid(StaggeredRace.race(list, { delay: 0 })),
      Effect.asVoid(Effect.exit(StaggeredRace.outcome([failing, failing], { delay: 0 })))
    )
  })
  yield* Effect.repeatN(raced, races - 1)
  yield* Effect.exit(StaggeredRace.race([Effect.void], { delay: 0 }))
  for (let look = 0; look < 10 && alive > 0; look++) {
    yield* heap
  }
  return {
    name: `candidates, values and errors kept by ${races} races`,
    value: alive,
    unit: "objects",
    against: "none",
    goal: 0
  }
}))

/** The bytes that a policy keeps per key after two windows of `calls` calls each, in simulated time. */
const bytesOfKey = (keys: number, calls: number) =>
  Effect.gen(function*() {
    const before = yield* heap
    const window = 30_000
    const delay = Hedge.percentile(0.95, { max: "1 second", window, keys })
    const policy = yield* Hedge.make({ budget: "unlimited", delay })
    const draw = drawing(1)
    const simulate = () => {
      const simulation = new Simulation(1)
      for (let key = 0; key < keys; key++) {
        const call = Effect.suspend(() => simulation.sleep(stragglers.at(draw()))).pipe(
          Hedge.hedge(policy, { key: `key ${key}` })
        )
        arriving(simulation, { every: poisson(calls / window * 1000, draw), until: 2 * window }, () => call)
      }
      simulation.advanceTo(Infinity)
    }
    simulate()
    const after = yield* heap
    // The policy also keeps one entry for all calls together.
    return (after - before) / (yield* Hedge.stats(policy)).keys.length
  })

const learnt = Effect.gen(function*() {
  const [keys, calls] = [64, 600]
  // Not measured: the first run pays for compilation.
  yield* bytesOfKey(keys, calls)
  return {
    name: `what a percentile keeps of a key, two windows of ${calls} calls`,
    value: Math.round(yield* bytesOfKey(keys, calls)),
    unit: "bytes",
    against: "four arrays of all buckets: 36800 bytes",
    goal: 8192
  }
})

const knownOfReplicas = Effect.gen(function*() {
  const count = 10_000
  const bytes = Effect.gen(function*() {
    const before = yield* heap
    const set = setOf(count)
    const after = yield* heap
    // The set is in use until here.
    return set.pick([], [], 1) === undefined ? NaN : (after - before) / count
  })
  // Not measured: the first run pays for compilation.
  yield* bytes
  return {
    name: `what a set keeps of each of ${count} replicas, with its id`,
    value: Math.round(yield* bytes),
    unit: "bytes",
    against: "a kilobyte",
    goal: 1000
  }
})

export const memory = (quick: boolean): Effect.Effect<ReadonlyArray<Figure>> =>
  Effect.orDie(Effect.all([running, inARow(quick ? 100_000 : 1_000_000), kept, learnt, knownOfReplicas]))
