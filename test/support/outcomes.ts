import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import type * as StaggeredRace from "../../src/StaggeredRace.js"

export type Outcome = StaggeredRace.Outcome<unknown, unknown, unknown>

export type Attempt = StaggeredRace.Attempt<unknown, unknown>

/** An attempt: the first one, which lost after 100 ms, unless `more` says otherwise. */
export const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  index: 0,
  dueAt: more.startedAt ?? 0,
  heldBackBy: Option.none(),
  startedAt: 0,
  endedAt: 100,
  progressedAt: Option.none(),
  startedBy: "first",
  exit: Exit.interrupt(FiberId.none),
  result: "lost",
  ...more
})

/** An outcome: a race without a winner after 100 ms, unless `more` says otherwise. */
export const outcome = (attempts: ReadonlyArray<Attempt>, more: Partial<Outcome> = {}): Outcome => ({
  winner: Option.none(),
  exit: Exit.fail("no"),
  attempts,
  sourceFailure: Option.none(),
  startedAt: 0,
  decidedAt: 100,
  endedAt: 100,
  decidedBy: "failures",
  pending: Option.none(),
  ...more
})

export const won: Partial<Attempt> = { result: "won", exit: Exit.succeed("ok") }

export const wonBy = (index: number, more: Partial<Outcome> = {}): Partial<Outcome> => ({
  exit: Exit.succeed("ok"),
  winner: Option.some({ index, value: "ok" }),
  decidedBy: "success",
  ...more
})

/** Text for labels and messages, with characters that are hard to draw. */
export const text = FastCheck.string({
  unit: FastCheck.constantFrom(..."ab \n\x1b┊╌+!日語👍<&>\"'\ufffe\ud800"),
  maxLength: 60
})

const at = FastCheck.oneof(
  FastCheck.integer({ min: 0, max: 1000 }),
  FastCheck.double({ min: 0, max: 1000, noNaN: true }),
  FastCheck.double()
)

const heldBackBy = FastCheck.constantFrom(
  "concurrency" as const,
  "source" as const,
  "minDelay" as const,
  "progress" as const
)

const cause = FastCheck.oneof(
  text.map(Cause.fail),
  FastCheck.anything().map(Cause.fail),
  text.map(Cause.die),
  FastCheck.constant(Cause.interrupt(FiberId.none)),
  FastCheck.constant(Cause.empty)
)

const attempts = FastCheck.array(
  FastCheck.record({
    dueAt: at,
    heldBackBy: FastCheck.option(heldBackBy).map(Option.fromNullable),
    startedAt: at,
    endedAt: at,
    progressedAt: FastCheck.option(at).map(Option.fromNullable),
    startedBy: FastCheck.constantFrom("first" as const, "delay" as const, "failure" as const),
    result: FastCheck.constantFrom("failed" as const, "lost" as const, "late" as const),
    exit: cause.map(Exit.failCause)
  }),
  { maxLength: 60 }
).map((all) => all.map((some, index): Attempt => ({ ...some, index })))

/** Outcomes of every kind, even kinds that no race can have. */
export const outcomes = FastCheck.record({
  attempts,
  winner: FastCheck.nat({ max: 59 }),
  sourceFailure: FastCheck.option(cause).map(Option.fromNullable),
  startedAt: at,
  decidedAt: at,
  endedAt: at,
  pending: FastCheck.option(FastCheck.record({ dueAt: at, heldBackBy })).map(Option.fromNullable),
  decidedBy: FastCheck.constantFrom(
    "success" as const,
    "failures" as const,
    "fatal" as const,
    "interruption" as const,
    "defect" as const
  )
}).map(({ attempts, winner, ...more }): Outcome =>
  more.decidedBy === "success" && winner < attempts.length
    ? outcome(attempts.map((some) => some.index === winner ? { ...some, ...won } : some), wonBy(winner, more))
    : outcome(attempts, more)
)
