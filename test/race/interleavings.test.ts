import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Supervisor from "effect/Supervisor"
import * as StaggeredRace from "../../src/StaggeredRace.js"

// Where fibers yield decides what interleaves with what. `withMaxOpsBeforeYield` moves those points, and padding moves
// the candidates against each other: every run here is deterministic, and no two are alike. Below 12 operations a
// fiber of Effect 3 never gets past its own yield.
const opsBeforeYield = Array.from({ length: 60 }, (_, index) => 12 + index)
const paddings = [0, 1, 2, 3, 5, 8]

const pad = (steps: number) => Effect.repeatN(Effect.void, steps)

/** What was acquired and is not released yet, and how often each was released. */
class Ledger {
  readonly open = new Set<number>()
  readonly acquired: Array<number> = []
  readonly released: Array<number> = []
  readonly hold = (index: number) =>
    Effect.acquireRelease(
      Effect.zipRight(
        pad(index % 3),
        Effect.sync(() => {
          this.open.add(index)
          this.acquired.push(index)
        })
      ),
      () =>
        Effect.zipRight(
          pad(2),
          Effect.sync(() => {
            this.open.delete(index)
            this.released.push(index)
          })
        )
    )
}

interface Shape {
  readonly name: string
  /** Candidates that hold a resource and meet at a gate, so that they end in the same turn. */
  readonly candidates: (
    ledger: Ledger,
    gate: Deferred.Deferred<void>,
    padding: number
  ) => ReadonlyArray<Effect.Effect<number, string, Scope.Scope>>
  readonly options?: StaggeredRace.Options<number, string>
}

const at = (gate: Deferred.Deferred<void>) => Effect.zipRight(Deferred.await(gate), Effect.void)

const wins = (ledger: Ledger, gate: Deferred.Deferred<void>, index: number, padding: number) =>
  Effect.zipRight(ledger.hold(index), at(gate)).pipe(Effect.zipRight(pad(padding)), Effect.as(index))

const fails = (ledger: Ledger, gate: Deferred.Deferred<void>, index: number, padding: number) =>
  Effect.zipRight(ledger.hold(index), at(gate)).pipe(Effect.zipRight(pad(padding)), Effect.zipRight(Effect.fail("no")))

const opens = (ledger: Ledger, gate: Deferred.Deferred<void>, index: number) =>
  Effect.zipRight(ledger.hold(index), Deferred.succeed(gate, void 0)).pipe(Effect.zipRight(Effect.never))

const shapes: ReadonlyArray<Shape> = [
  {
    name: "all succeed in the same turn",
    candidates: (ledger, gate, padding) => [
      wins(ledger, gate, 0, padding),
      wins(ledger, gate, 1, 0),
      wins(ledger, gate, 2, 1),
      opens(ledger, gate, 3)
    ]
  },
  {
    name: "successes and failures in the same turn",
    candidates: (ledger, gate, padding) => [
      fails(ledger, gate, 0, padding),
      wins(ledger, gate, 1, 1),
      fails(ledger, gate, 2, 0),
      wins(ledger, gate, 3, padding),
      opens(ledger, gate, 4)
    ]
  },
  {
    name: "losers left to the background",
    candidates: (ledger, gate, padding) => [
      wins(ledger, gate, 0, padding),
      wins(ledger, gate, 1, 0),
      opens(ledger, gate, 2)
    ],
    options: { delay: 0, losers: "background" }
  },
  {
    name: "losers that clean up in the background",
    candidates: (ledger, gate, padding) => [
      Effect.onInterrupt(wins(ledger, gate, 0, 8), () => pad(padding)),
      wins(ledger, gate, 1, 0),
      Effect.onInterrupt(opens(ledger, gate, 2), () => Effect.repeatN(Effect.yieldNow(), 5))
    ],
    options: { delay: 0, losers: "background" }
  },
  {
    name: "two at a time",
    candidates: (ledger, gate, padding) => [
      opens(ledger, gate, 0),
      fails(ledger, gate, 1, padding),
      fails(ledger, gate, 2, 0),
      wins(ledger, gate, 3, padding),
      wins(ledger, gate, 4, 0)
    ],
    options: { delay: 0, concurrency: 2 }
  },
  {
    name: "all fail in the same turn",
    candidates: (ledger, gate, padding) => [
      fails(ledger, gate, 0, padding),
      fails(ledger, gate, 1, 0),
      Effect.zipRight(Deferred.succeed(gate, void 0), fails(ledger, gate, 2, 1))
    ]
  },
  {
    name: "they end without suspending",
    candidates: (ledger, _, padding) => [
      Effect.zipRight(ledger.hold(0), Effect.fail("no")),
      Effect.zipRight(ledger.hold(1), Effect.zipRight(pad(padding), Effect.succeed(1))),
      Effect.zipRight(ledger.hold(2), Effect.succeed(2))
    ]
  }
]

const onlyWinner = (ledger: Ledger, outcome: StaggeredRace.Outcome<number, string>) => {
  const winner = Option.getOrUndefined(outcome.winner)
  deepStrictEqual(outcome.attempts.filter(({ result }) => result === "won").length, winner === undefined ? 0 : 1)
  strictEqual(winner?.value, winner?.index)
  return winner === undefined ? [] : [winner.index]
}

const balanced = (ledger: Ledger) => {
  deepStrictEqual([...ledger.open], [])
  deepStrictEqual([...ledger.released].sort(), [...ledger.acquired].sort())
}

const run = (shape: Shape, ops: number, padding: number, interruptAfter: number | null, asStream: boolean) =>
  Effect.gen(function*() {
    const ledger = new Ledger()
    const gate = yield* Deferred.make<void>()
    const supervisor = yield* Supervisor.track
    const candidates = shape.candidates(ledger, gate, padding)
    const options = shape.options ?? { delay: 0 }
    const background = options.losers === "background"
    const race = asStream
      ? StaggeredRace.outcomeStream(Stream.fromIterable(candidates), options)
      : StaggeredRace.outcome(candidates, options)
    let decided = false
    const program = Effect.scoped(Effect.tap(race, (outcome) => {
      decided = true
      const kept = onlyWinner(ledger, outcome)
      if (!background) {
        deepStrictEqual([...ledger.open], kept)
      }
    }))
    const fiber = yield* Effect.forkDaemon(
      program.pipe(Effect.supervised(supervisor), Effect.withMaxOpsBeforeYield(ops))
    )
    if (interruptAfter !== null) {
      yield* Effect.repeatN(Effect.yieldNow(), interruptAfter)
      yield* Fiber.interruptFork(fiber)
    }
    const exit = yield* Fiber.await(fiber)
    if (Exit.isFailure(exit)) {
      assertTrue(interruptAfter !== null && Cause.isInterruptedOnly(exit.cause), Cause.pretty(exit.cause))
    }
    const alive = Effect.map(supervisor.value, (fibers) => fibers.filter((fiber) => fiber.unsafePoll() === null))
    if (background && decided) {
      yield* Effect.repeat(alive, { until: (fibers) => fibers.length === 0 })
    }
    deepStrictEqual(yield* alive, [])
    balanced(ledger)
    return Exit.isInterrupted(exit)
  }).pipe(
    Effect.timeout("20 seconds"),
    Effect.orDie,
    Effect.annotateLogs({ shape: shape.name, ops, padding, interruptAfter }),
    Effect.tapErrorCause((cause) => Effect.logError(`${shape.name}: ops ${ops}, padding ${padding}`, cause))
  )

describe("over every interleaving: laws 5 to 8, 11 and 21", () => {
  for (const shape of shapes) {
    it.live(`${shape.name}: one winner, and nothing left of the others`, () =>
      Effect.forEach(
        opsBeforeYield,
        (ops) =>
          Effect.forEach(paddings, (padding) =>
            Effect.zipRight(run(shape, ops, padding, null, false), run(shape, ops, padding, null, true)))
      ))

    it.live(`${shape.name}: interrupted at any turn, nothing is left of any`, () =>
      Effect.gen(function*() {
        let interrupted = 0
        let ended = 0
        for (const ops of opsBeforeYield.filter((ops) => ops % 4 === 0)) {
          for (let turns = 0; turns <= 24; turns++) {
            if (yield* run(shape, ops, turns % 3, turns, turns % 2 === 1)) {
              interrupted++
            } else {
              ended++
            }
          }
        }
        // Both must have been seen, or the turns are the wrong ones.
        assertTrue(interrupted > 0 && ended > 0, `${interrupted} interrupted, ${ended} ended`)
      }))
  }

  // To leave the losers to the background takes a few operations. The race is decided by then, and its caller can still
  // be interrupted, at each of them.
  for (const shape of shapes.filter(({ options }) => options?.losers === "background")) {
    it.live(`${shape.name}: interrupted at any point of the hand-over, nothing is left of any`, () =>
      Effect.gen(function*() {
        const seen = { interrupted: 0, ended: 0 }
        for (let ops = 12; ops <= 20; ops++) {
          for (let turns = 0; turns <= 60; turns++) {
            for (const padding of [0, 1, 2]) {
              for (const asStream of [false, true]) {
                seen[(yield* run(shape, ops, padding, turns, asStream)) ? "interrupted" : "ended"]++
              }
            }
          }
        }
        assertTrue(seen.interrupted > 0 && seen.ended > 0, `${seen.interrupted} interrupted, ${seen.ended} ended`)
      }))
  }
})
