import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Supervisor from "effect/Supervisor"
import { setImmediate, setTimeout } from "node:timers/promises"
import * as Hedge from "../../src/Hedge.js"
import { nothing, observe, shape } from "./scenario.js"

interface Sleeper {
  readonly at: number
  /** Of sleepers that wake at the same instant, the greatest wakes first. */
  readonly order: number
  readonly wake: () => void
}

/** The earlier sleeper first. At the same instant, the one that fell asleep later, as under `TestClock`. */
const isBefore = (a: Sleeper, b: Sleeper) => a.at < b.at || (a.at === b.at && a.order > b.order)

/** A time that never waits: when all fibers sleep, it jumps to the first sleeper that wakes. */
class VirtualTime {
  now = 0
  /** In reverse order: the last one wakes next. */
  private readonly sleepers: Array<Sleeper> = []
  private slept = 0

  get sleeping(): number {
    return this.sleepers.length
  }

  /** Returns how to cancel it. */
  at(at: number, wake: () => void, order = ++this.slept): () => void {
    const sleeper = { at, order, wake }
    let place = this.sleepers.length
    while (place > 0 && isBefore(this.sleepers[place - 1]!, sleeper)) {
      place--
    }
    this.sleepers.splice(place, 0, sleeper)
    return () => {
      const index = this.sleepers.indexOf(sleeper)
      if (index >= 0) {
        this.sleepers.splice(index, 1)
      }
    }
  }

  readonly clock: Clock.Clock = Object.assign(Clock.make(), {
    // Tells a race that this clock is moved by hand.
    adjust: true,
    unsafeCurrentTimeMillis: () => this.now,
    unsafeCurrentTimeNanos: () => BigInt(Math.round(this.now * 1e6)),
    currentTimeMillis: Effect.sync(() => this.now),
    currentTimeNanos: Effect.sync(() => BigInt(Math.round(this.now * 1e6))),
    sleep: (duration: Duration.Duration) =>
      Effect.async<void>((resume) =>
        Effect.sync(this.at(this.now + Duration.toMillis(duration), () => resume(Effect.void)))
      )
  })

  /** Runs until nobody sleeps and `hasEnded` is true. */
  async goOn(hasEnded: () => boolean): Promise<void> {
    for (let idle = 0; idle < 100;) {
      await setImmediate()
      const next = this.sleepers.pop()
      if (next !== undefined) {
        idle = 0
        this.now = Math.max(this.now, next.at)
        next.wake()
      } else if (hasEnded()) {
        return
      } else {
        idle++
        // The scheduler makes fibers that yield very often wait for a timeout.
        await setTimeout(0)
      }
    }
    throw new Error("nobody sleeps, and it has not ended")
  }
}

interface VirtuallyOptions {
  readonly interruptAt?: number | undefined
  /** Whether the interruption comes after everything else at that instant. Default: before everything else. */
  readonly interruptLast?: boolean | undefined
  /** The number of operations after which fibers yield. */
  readonly ops?: number | undefined
}

/** Like `observe`, but much faster: on a clock that moves by itself. */
export const virtually = <A, E>(
  effect: Effect.Effect<A, E>,
  { interruptAt, interruptLast = false, ops }: VirtuallyOptions = {}
) =>
  Effect.gen(function*() {
    const time = new VirtualTime()
    const supervisor = yield* Supervisor.track
    let endedAt = NaN
    const fiber = yield* effect.pipe(
      Effect.onExit(() => Effect.sync(() => endedAt = time.now)),
      (effect) => ops === undefined ? effect : Effect.withMaxOpsBeforeYield(effect, ops),
      Effect.withClock(time.clock),
      Effect.supervised(supervisor),
      Effect.forkDaemon
    )
    if (interruptAt !== undefined) {
      time.at(interruptAt, () => fiber.unsafeInterruptAsFork(FiberId.none), interruptLast ? -1 : Infinity)
    }
    yield* Effect.promise(() => time.goOn(() => fiber.unsafePoll() !== null))
    const exit = yield* fiber.await
    const fibers = (yield* supervisor.value).filter((fiber) => fiber.unsafePoll() === null).length
    return { exit, endedAt, left: { sleeps: time.sleeping, fibers } }
  })

/** The result of an effect on the clock that moves by itself. Fails if the effect leaves anything behind. */
export const inTime = <A, E>(effect: Effect.Effect<A, E>, options?: VirtuallyOptions): Effect.Effect<A, E> =>
  Effect.flatMap(virtually(effect, options), ({ exit, left }) => {
    deepStrictEqual(left, nothing)
    return exit
  })

/** Random numbers from 0 to 1, the same for the same seed. */
export const seeded = (seed: number): () => number => {
  let state = seed >>> 0
  return () => {
    state = (state + 0x6d2b79f5) >>> 0
    let mixed = Math.imul(state ^ (state >>> 15), state | 1)
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61)
    return (((mixed ^ (mixed >>> 14)) >>> 0) + 0.5) / 2 ** 32
  }
}

/** How a copy ends. `bad` is an answer that `accept` refuses. */
type End = "ok" | "bad" | "fail" | "die" | "interrupt" | "hang"

/** How long a copy takes, and how it ends. A copy without a row hangs. */
export type Row = readonly [
  latency: number,
  end: End,
  more?: {
    /** How long its clean-up takes after an interruption. */
    readonly cleanup?: number
    /** Whether it ignores interruption. */
    readonly stubborn?: boolean
  }
]

export const hang: Row = [0, "hang"]

const ending = (end: End, copy: number): Effect.Effect<string, string> => {
  switch (end) {
    case "ok":
    case "bad":
      return Effect.succeed(`${end} ${copy}`)
    case "fail":
      return Effect.fail(`${copy}`)
    case "die":
      return Effect.die(`${copy}`)
    case "interrupt":
      return Effect.interrupt
    case "hang":
      return Effect.never
  }
}

export const accept = (answer: string) => !answer.startsWith("bad")

/** `+1@50`: copy 1 started at 50 and acquired its resource. `-1@60`: it released the resource at 60. */
const renderEvents = (events: ReadonlyArray<readonly [what: "+" | "-", copy: number, at: number]>) => {
  const rendered: Array<string> = []
  let together: Array<typeof events[number]> = []
  const flush = () => {
    // Copies that release at the same time do so in any order.
    together.sort(([, a], [, b]) => a - b).forEach(([what, copy, at]) => rendered.push(`${what}${copy}@${at}`))
    together = []
  }
  for (const event of events) {
    const [what, , at] = event
    if (together.some(([, , time]) => time !== at) || what === "+") {
      flush()
    }
    together.push(event)
    if (what === "+") {
      flush()
    }
  }
  flush()
  return rendered.join(" ")
}

/** A request whose copies follow the rows, and a log of what they did. */
const requestOf = (rows: ReadonlyArray<Row>) => {
  const events: Array<readonly ["+" | "-", copy: number, at: number]> = []
  let copies = 0
  const log = (what: "+" | "-", copy: number) =>
    Effect.map(Clock.currentTimeMillis, (at) => void events.push([what, copy, at]))
  const request = Effect.suspend(() => {
    const copy = copies++
    const [latency, end, { cleanup, stubborn = false } = {}] = rows[copy] ?? hang
    const work = Effect.zipRight(latency > 0 ? Effect.sleep(latency) : Effect.void, ending(end, copy)).pipe(
      (work) => stubborn ? Effect.uninterruptible(work) : work,
      (work) => cleanup === undefined ? work : Effect.onInterrupt(work, () => Effect.sleep(cleanup))
    )
    return Effect.zipRight(Effect.acquireRelease(log("+", copy), () => log("-", copy)), work)
  })
  return { events, request }
}

const onFailure = (cause: Cause.Cause<unknown>) => Cause.isInterruptedOnly(cause) ? "interrupted" : shape(cause)

export interface Case {
  readonly options?: Partial<Hedge.Options<string, string>>
  /** The number of different targets. If it is given, the call uses `hedgeWith`. */
  readonly targets?: number
  /** The copy for which choosing a target throws. */
  readonly throwsAt?: number
}

/**
 * A call whose copies follow the rows, with a delay of 50. The transcript has three parts: the events up to the end of
 * the call, how the call ended (a cause is written by `shape`), and the events after that.
 */
export const transcriptOf = (
  rows: ReadonlyArray<Row>,
  { options, targets, throwsAt }: Case = {},
  policyOf: (options: Hedge.Options<string, string>) => Hedge.Policy<string, string> | Hedge.Options<string, string> = (
    options
  ) => options
) => {
  const { events, request } = requestOf(rows)
  const policy = policyOf({ delay: 50, ...options })
  const targetOf = (index: number) => {
    if (index === throwsAt) {
      throw `no target ${index}`
    }
    return index < (targets ?? Infinity) ? Option.some(request) : Option.none()
  }
  let ended: readonly [at: number, how: string, events: number] | undefined
  const call = (targets === undefined && throwsAt === undefined
    ? Hedge.hedge(request, policy)
    : Hedge.hedgeWith(targetOf, policy)).pipe(
      Effect.onExit((exit) =>
        Effect.map(Clock.currentTimeMillis, (at) => {
          ended = [at, Exit.match(exit, { onFailure, onSuccess: (answer) => answer }), events.length]
        })
      ),
      Effect.scoped
    )
  const transcript = () => {
    const [at, how, before] = ended ?? [NaN, "not begun", 0]
    return `${renderEvents(events.slice(0, before))} | ${how}@${at} | ${renderEvents(events.slice(before))}`.trim()
  }
  return { call, events, transcript }
}

/** The transcript under `TestClock`. A call that hangs is interrupted at ten seconds. */
export const run = (rows: ReadonlyArray<Row>, more?: Case): Effect.Effect<string> =>
  Effect.gen(function*() {
    const { call, transcript } = transcriptOf(rows, more)
    const { left } = yield* observe(call, { interruptAt: 10_000 })
    deepStrictEqual(left, nothing)
    return transcript()
  })

/**
 * Runs the call on the clock that moves by itself, with a budget that is just large enough. Fails if the call leaves
 * anything behind: a fiber, a sleep, a resource, or a copy that counts as in flight.
 */
export const runBudgeted = (
  rows: ReadonlyArray<Row>,
  { options, ...more }: Case,
  { interruptAt = 10_000, ...virtual }: VirtuallyOptions
) =>
  Effect.gen(function*() {
    const copies = Math.max(1, options?.maxHedges ?? 1)
    const budget = yield* Hedge.makeBudget({ ratio: 1, burst: 100, maxInFlight: copies })
    const deposit = yield* Hedge.make({ delay: Duration.infinity, budget })
    yield* Effect.repeatN(Hedge.hedge(Effect.void, deposit), copies).pipe(Effect.withClock(new VirtualTime().clock))
    const policy = yield* Hedge.make<string, string>({ delay: 50, ...options, budget })
    const { call, events, transcript } = transcriptOf(rows, { options: options ?? {}, ...more }, () => policy)
    const { exit, left } = yield* virtually(call, { interruptAt, ...virtual })
    deepStrictEqual(left, nothing)
    const held = new Map<number, number>()
    events.forEach(([what, copy]) => held.set(copy, (held.get(copy) ?? 0) + (what === "+" ? 1 : -1)))
    strictEqual([...held.values()].every((times) => times === 0), true, transcript())
    strictEqual(yield* mostInFlight(budget, copies), copies, `still in flight after: ${transcript()}`)
    return { exit, events, transcript: transcript() }
  })

/** The number of copies that one call may have in flight now, up to `most`. */
export const mostInFlight = (budget: Hedge.Budget, most: number): Effect.Effect<number> =>
  Effect.gen(function*() {
    let sent = 0
    const policy = yield* Hedge.make({ delay: 0, maxHedges: most, budget })
    const calls = yield* Hedge.make({ delay: Duration.infinity, budget })
    yield* Effect.repeatN(Hedge.hedge(Effect.void, calls), most)
    yield* Effect.suspend(() => ++sent > most ? Effect.void : Effect.sleep(1)).pipe(Hedge.hedge(policy))
    return sent - 1
  }).pipe(inTime)
