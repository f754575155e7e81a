import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import * as Tracer from "effect/Tracer"
import type * as Hedge from "../../src/Hedge.js"
import type * as StaggeredRace from "../../src/StaggeredRace.js"

// The races whose cost is counted, in fibers, timers and effects, and in bytes.

type Candidate = Effect.Effect<number, string>

const sync: Candidate = Effect.succeed(1)
// Waits for nothing but its turn: it yields once.
const atOnce: Candidate = Effect.as(Effect.yieldNow(), 1)
const failing: Candidate = Effect.zipRight(Effect.yieldNow(), Effect.fail("no"))
const hanging: Candidate = Effect.async((_resume) => {})
const acquiring = Effect.acquireRelease(atOnce, () => Effect.void)

const firstOf = (size: number, first: Candidate) => [first, ...Array<Candidate>(size - 1).fill(hanging)]
const lastOf = (size: number, others: Candidate) => [...Array<Candidate>(size - 1).fill(others), atOnce]

/** Spans that take what they are told and keep nothing. */
export const silentTracer = Tracer.make({
  span: (name, parent, context, links, startTime, kind) => ({
    _tag: "Span",
    name,
    parent,
    context,
    links,
    kind,
    spanId: "span",
    traceId: "trace",
    sampled: true,
    attributes: new Map(),
    status: { _tag: "Started", startTime },
    attribute: () => {},
    event: () => {},
    addLinks: () => {},
    end: () => {}
  }),
  context: (f) => f()
})

/** The least that it costs to run an effect in a fiber of its own. */
export const forkAndAwait: Effect.Effect<unknown> = Effect.flatMap(Effect.fork(atOnce), Fiber.await)

/** As any build of the library runs them. */
export const racesOf = ({ outcome, race, raceStream }: typeof StaggeredRace) => {
  const delay = 250
  return {
    "the first of 3 succeeds without suspending": race(firstOf(3, sync), { delay }),
    "the first of 3 answers at once": race(firstOf(3, atOnce), { delay }),
    "the only one does": race([atOnce], { delay }),
    "the first of 1,000 does": race(firstOf(1000, atOnce), { delay }),
    "an outcome": outcome(firstOf(3, atOnce), { delay }),
    "an event handler": race(firstOf(3, atOnce), { delay, onEvent: () => Effect.void }),
    "a schedule": race(firstOf(3, atOnce), { delay: Schedule.spaced(delay) }),
    "a stream": raceStream(Stream.fromIterable(firstOf(3, atOnce)), { delay }),
    "in a scope": Effect.scoped(race(firstOf(3, atOnce), { delay })),
    "in a scope, and it acquires": Effect.scoped(race([acquiring, acquiring], { delay })),
    "with a name": race(firstOf(3, atOnce), { delay, name: "counted" }),
    "with a tracer": Effect.withTracer(race(firstOf(3, atOnce), { delay }), silentTracer),
    "2 at once": race(lastOf(2, hanging), { delay: 0 }),
    "10 at once": race(lastOf(10, hanging), { delay: 0 }),
    "100 at once": race(lastOf(100, hanging), { delay: 0 }),
    "1,000 at once": race(lastOf(1000, hanging), { delay: 0 }),
    "2 in turn, no delay": race(lastOf(2, failing), { delay: Infinity }),
    "10 in turn, no delay": race(lastOf(10, failing), { delay: Infinity }),
    "100 in turn, no delay": race(lastOf(100, failing), { delay: Infinity }),
    "1,000 in turn, no delay": race(lastOf(1000, failing), { delay: Infinity }),
    "10 in turn, under a delay": race(lastOf(10, failing), { delay }),
    "100 in turn, under a delay": race(lastOf(100, failing), { delay }),
    "1,000 in turn, under a delay": race(lastOf(1000, failing), { delay }),
    "the delay starts the second": race(lastOf(2, hanging), { delay: 1 }),
    "the delay starts the second to the fifth": race(lastOf(5, hanging), { delay: 1 })
  } satisfies Record<string, Effect.Effect<unknown, string>>
}

export type Name = keyof ReturnType<typeof racesOf>

/** Hedged calls that answer at once. */
export const hedgesOf = ({ hedge, make, percentile }: typeof Hedge) => ({
  "a hedged call": hedge(atOnce, { delay: 250 }),
  "a hedged call that learns and pays": hedge(
    atOnce,
    Effect.runSync(make({ delay: percentile(0.95, { min: 250, max: 2000 }) }))
  )
})

export type HedgeName = keyof ReturnType<typeof hedgesOf>
