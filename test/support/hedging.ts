import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Hedge from "../../src/Hedge.js"
import { EventClock, runEvents } from "./eventClock.js"
import { nothing, observe, shape } from "./scenario.js"

interface VirtuallyOptions {
  /** Who of those that sleep until the same instant wakes first: who fell asleep first (the default), or last. */
  readonly order?: Order
  readonly interruptAt?: number | undefined
  /** Whether the interruption comes after everything else at that instant. Default: before everything else. */
  readonly interruptLast?: boolean | undefined
  /** The number of operations after which fibers yield. */
  readonly ops?: number | undefined
}

export const orders = ["fifo", "lifo"] as const

export type Order = typeof orders[number]

/** Like `observe`, but much faster: on a discrete-event clock. */
export const virtually = <A, E>(effect: Effect.Effect<A, E>, { ops, ...options }: VirtuallyOptions = {}) =>
  Effect.map(
    Effect.runtime(),
    (runtime) =>
      runEvents(ops === undefined ? effect : Effect.withMaxOpsBeforeYield(effect, ops), { ...options, runtime })
  )

/** The result of an effect on the discrete-event clock. Fails if the effect leaves anything behind. */
export const inTime = <A, E>(effect: Effect.Effect<A, E>, options?: VirtuallyOptions): Effect.Effect<A, E> =>
  Effect.flatMap(virtually(effect, options), ({ exit, left }) => {
    deepStrictEqual(left, nothing)
    return exit
  })

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

const ending = (end: End, name: string | number): Effect.Effect<string, string> => {
  switch (end) {
    case "ok":
    case "bad":
      return Effect.succeed(`${end} ${name}`)
    case "fail":
      return Effect.fail(`${name}`)
    case "die":
      return Effect.die(`${name}`)
    case "interrupt":
      return Effect.interrupt
    case "hang":
      return Effect.never
  }
}

/** Does what a row says. `name` tells the answers apart. */
export const working = (
  [latency, end, { cleanup, stubborn = false } = {}]: Row,
  name: string | number
): Effect.Effect<string, string> =>
  Effect.zipRight(latency > 0 ? Effect.sleep(latency) : Effect.void, ending(end, name)).pipe(
    (work) => stubborn ? Effect.uninterruptible(work) : work,
    (work) => cleanup === undefined ? work : Effect.onInterrupt(work, () => Effect.sleep(cleanup))
  )

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
    const work = working(rows[copy] ?? hang, copy)
    return Effect.zipRight(Effect.acquireRelease(log("+", copy), () => log("-", copy)), work)
  })
  return { events, request }
}

const onFailure = (cause: Cause.Cause<unknown>) => Cause.isInterruptedOnly(cause) ? "interrupted" : shape(cause)

export interface Case {
  readonly options?: Partial<Hedge.Options<string, string>>
  /** The number of different targets. If it is given, the call uses `hedgeAll`. */
  readonly targets?: number
  /** The copy for which choosing a target throws. */
  readonly throwsAt?: number
  /** How many hedges the budget of `runBudgeted` can pay for. Default: enough. */
  readonly tokens?: number
}

/**
 * A call whose copies follow the rows, with a delay of 50. The transcript has three parts: the events up to the end of
 * the call, how the call ended (a cause is written by `shape`), and the events after that.
 */
export const transcriptOf = (
  rows: ReadonlyArray<Row>,
  { options, targets, throwsAt }: Omit<Case, "tokens"> = {},
  policyOf: (options: Hedge.Options<string, string>) => Hedge.Policy<string, string> | Hedge.Options<string, string> = (
    options
  ) => options
) => {
  const { events, request } = requestOf(rows)
  const policy = policyOf({ delay: 50, ...options })
  const candidates = {
    *[Symbol.iterator]() {
      for (let index = 0; index < (targets ?? Infinity); index++) {
        if (index === throwsAt) {
          throw `no target ${index}`
        }
        yield request
      }
    }
  }
  let ended: readonly [at: number, how: string, events: number] | undefined
  const call = (targets === undefined && throwsAt === undefined
    ? Hedge.hedge(request, policy)
    : Hedge.hedgeAll(candidates, policy)).pipe(
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
 * anything behind: a fiber, a sleep, a resource, or a copy that counts as in flight. Tells how many hedges were paid for.
 */
export const runBudgeted = (
  rows: ReadonlyArray<Row>,
  { options, tokens, ...more }: Case,
  { interruptAt = 10_000, ...virtual }: VirtuallyOptions
) =>
  Effect.gen(function*() {
    const copies = Math.max(1, options?.maxHedges ?? 1)
    const budget = yield* Hedge.makeBudget({ ratio: 1, burst: 100, maxInFlight: copies })
    const deposits = yield* Hedge.make({ delay: Duration.infinity, budget })
    const deposit = Effect.withClock(Hedge.hedge(Effect.void, deposits), new EventClock())
    yield* Effect.replicateEffect(deposit, tokens ?? copies, { discard: true })
    // Too little for another hedge.
    yield* Hedge.setRatio(budget, 0.001)
    const policy = yield* Hedge.make<string, string>({ delay: 50, ...options, budget })
    const balance = Effect.map(
      Effect.withClock(Hedge.stats(policy), new EventClock()),
      (stats) => Option.getOrThrow(stats.budget).tokens
    )
    const { call, events, transcript } = transcriptOf(rows, { options: options ?? {}, ...more }, () => policy)
    const before = yield* balance
    const { exit, left } = yield* virtually(call, { interruptAt, ...virtual })
    const paid = Math.round(before - (yield* balance)) || 0
    deepStrictEqual(left, nothing)
    const held = new Map<number, number>()
    events.forEach(([what, copy]) => held.set(copy, (held.get(copy) ?? 0) + (what === "+" ? 1 : -1)))
    strictEqual([...held.values()].every((times) => times === 0), true, transcript())
    yield* Hedge.setRatio(budget, 1)
    strictEqual(yield* mostInFlight(budget, copies), copies, `still in flight after: ${transcript()}`)
    return { exit, events, transcript: transcript(), paid }
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

/** Where two copies end at the same instant, what is seen depends on which of them the clock wakes first. */
export type Seen = string | Readonly<Record<Order, string>>

export const seenIn = (order: Order, seen: Seen) => typeof seen === "string" ? seen : seen[order]

const opsBeforeYield = Array.from({ length: 29 }, (_, index) => 12 + index)

/** Fails unless the same is seen, and paid, wherever fibers yield. */
export const whereverFibersYield = (rows: ReadonlyArray<Row>, more: Case, seen: Seen, paid?: number) =>
  Effect.forEach(
    opsBeforeYield.flatMap((ops) => orders.map((order) => ({ ops, order }))),
    (options) =>
      Effect.map(runBudgeted(rows, more, options), (told) => {
        const where = `${options.ops}, ${options.order}`
        strictEqual(told.transcript, seenIn(options.order, seen), where)
        strictEqual(told.paid, paid ?? told.paid, where)
      }),
    { discard: true }
  )

const instantsOf = (seen: string) =>
  [...new Set([0, 3, ...Array.from(seen.matchAll(/@(\d+)/g), ([, at]) => Number(at))])].filter((at) => at < 10_000)

const endOf = (seen: string) => {
  const [, how, at] = seen.match(/(?:^| )\| (.*?)@(\d+) \|/) ?? []
  return { how, at: Number(at) }
}

/** The events before an instant, up to the end of the call. */
const before = (seen: string, instant: number) =>
  seen.split("|")[0]?.split(" ").filter((event) => Number(event.split("@")[1]) < instant)

/** Fails unless a call that is interrupted at any instant gives back all it has, and sends nothing more. */
export const interruptedAtAnyInstant = (rows: ReadonlyArray<Row>, more: Case, seen: Seen) =>
  Effect.gen(function*() {
    for (const order of orders) {
      const expected = seenIn(order, seen)
      for (
        const options of instantsOf(expected).flatMap((interruptAt) =>
          [false, true].map((interruptLast) => ({ order, interruptAt, interruptLast }))
        )
      ) {
        const { interruptAt } = options
        const { events, exit, transcript } = yield* runBudgeted(rows, more, options)
        const end = endOf(expected)
        if (interruptAt > end.at) {
          strictEqual(transcript, expected)
        } else {
          const isInterrupted = Exit.isInterrupted(exit)
          assertTrue(isInterrupted || (interruptAt === end.at && endOf(transcript).how === end.how), transcript)
          deepStrictEqual(before(transcript, interruptAt), before(expected, interruptAt))
          const late = events.filter(([what, , at]) => what === "+" && at >= interruptAt)
          const sent = late.map(([, copy, at]) => `+${copy}@${at}`)
          assertTrue(
            sent.every((copy) => copy.endsWith(`@${interruptAt}`) && expected.includes(copy)),
            transcript
          )
        }
      }
    }
  })
