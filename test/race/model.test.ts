import { afterEach, beforeEach, describe, it } from "@effect/vitest"
import { deepStrictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import * as Stream from "effect/Stream"
import { vi } from "vitest"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { clocks, inOrder, type OnClock, onProcessClock } from "../support/clocks.js"
import type { Race } from "../support/model.js"
import { predict } from "../support/model.js"
import type { Row } from "../support/scenario.js"
import { candidate, nothing, type Transcript, transcript } from "../support/scenario.js"

// Every time is a multiple of the unit, plus a power of two that is its own. No two sums of those are equal, so no two
// things happen at the same instant, unless a test asks for it.
const unit = 2 ** 12
const tick = (index: number) => 2 ** index

/**
 * What may happen at the same instant.
 *
 * - `newest`: the newest attempt may end when its delay passes. Its ending counts first on every clock: that is law 5.
 * - `any`: everything. A clock may wake the sleepers of one instant in any order, so this is for clocks that wake them in
 *   the order in which they fell asleep. Attempts do not wait for a place then: no law orders an ending and the start
 *   that an earlier ending of that instant made room for.
 */
type Ties = "newest" | "any"

const row = FastCheck.record({
  result: FastCheck.constantFrom<Row["result"]>("ok", "fail", "fail", "fail", "hang", "die", "interrupt"),
  units: FastCheck.integer({ min: 0, max: 40 }),
  suspends: FastCheck.boolean(),
  endsWithDelay: FastCheck.integer({ min: 0, max: 4 }).map((one) => one === 0),
  cleanup: FastCheck.constantFrom(0, 0, 1, 30).map((units) => units * unit),
  stubborn: FastCheck.boolean()
})

const sources = ["array", "set", "shrinking set", "generator", "stream"] as const

interface Given extends Race {
  readonly source: typeof sources[number]
}

const races = (ties: Ties): FastCheck.Arbitrary<Given> =>
  FastCheck.record({
    rows: FastCheck.array(row, { maxLength: 10 }),
    delays: FastCheck.oneof(
      FastCheck.constantFrom(0, 1, 5, 10, 25).map((units) => Array<number>(10).fill(units * unit)),
      FastCheck.array(FastCheck.constantFrom(0, 1, 3, 10, 40).map((units) => units * unit), { maxLength: 10 })
    ),
    minDelay: FastCheck.constantFrom(0, 0, 1, 6).map((units) => units * unit),
    concurrency: ties === "any"
      ? FastCheck.constantFrom(Infinity, 1)
      : FastCheck.constantFrom(Infinity, Infinity, 1, 2, 3),
    fatal: FastCheck.boolean(),
    source: FastCheck.constantFrom(...sources),
    interruptUnits: FastCheck.option(FastCheck.integer({ min: 0, max: 100 }))
  }).map(({ interruptUnits, rows, ...race }) => {
    const { delays, minDelay } = race
    const hangs = rows.some(({ result }) => result === "hang")
    const interruptAt = interruptUnits === null ? (hangs ? 1000 * unit : null) : interruptUnits * unit
    return {
      ...race,
      sized: race.source !== "generator" && race.source !== "stream",
      shrinks: race.source === "shrinking set",
      interruptAt: interruptAt === null ? null : interruptAt + tick(11),
      rows: rows.map(({ cleanup, endsWithDelay, result, stubborn, suspends, units }, index) => {
        const apart = ties === "any" ? (result === "interrupt" ? unit : 0) : tick(index)
        const withDelay = Math.max(delays[index] ?? 0, minDelay)
        const latency = endsWithDelay && withDelay > 0 ? withDelay : units * unit + apart
        return {
          result,
          latency: result === "hang" ? null : suspends || result === "interrupt" ? latency : 0,
          ...(stubborn && result !== "hang"
            ? { stubborn }
            : cleanup > 0 && (result !== "interrupt" || ties === "newest" && !endsWithDelay)
            ? { cleanup }
            : {})
        }
      })
    }
  })

/** A schedule that says each of these delays in turn, and is done after the last. */
const inTurn = (delays: ReadonlyArray<number>) =>
  Schedule.addDelay(
    Schedule.whileOutput(Schedule.forever, (step) => step < delays.length),
    (step) => delays[step] ?? 0
  )

const options = ({ concurrency, delays, fatal, minDelay }: Race) => {
  const constant = delays.length === 10 && delays.every((delay) => delay === delays[0])
  return {
    delay: constant ? delays[0]! : inTurn(delays),
    minDelay,
    concurrency,
    fatal: (cause: Cause.Cause<unknown>) => fatal && Cause.isDie(cause)
  }
}

const outcomeOf = (given: Given, seen: Transcript) => {
  const list = given.rows.map((row, index) => candidate(row, index, seen))
  switch (given.source) {
    case "array":
      return StaggeredRace.outcome(list, options(given))
    case "set":
      return StaggeredRace.outcome(new Set(list), options(given))
    case "shrinking set": {
      const set = new Set<typeof list[number]>()
      list.forEach((one) => {
        const member: typeof one = Effect.tapErrorCause(one, () => Effect.sync(() => set.delete(member)))
        set.add(member)
      })
      return StaggeredRace.outcome(set, options(given))
    }
    case "generator":
      return StaggeredRace.outcome(list.values(), options(given))
    case "stream":
      return StaggeredRace.outcomeStream(Stream.fromIterable(list), options(given))
  }
}

const watch = async (given: Given, onClock: OnClock) => {
  const seen = transcript()
  const { endedAt, exit, left } = await onClock(outcomeOf(given, seen), given.interruptAt)
  deepStrictEqual(left, nothing)
  const outcome = Exit.isSuccess(exit) ? exit.value : undefined
  return {
    winner: outcome === undefined ? null : Option.getOrNull(Option.map(outcome.winner, ({ index }) => index)),
    interrupted: Exit.isInterrupted(exit),
    endedAt,
    pending: outcome === undefined ? null : Option.getOrNull(outcome.pending),
    started: outcome === undefined
      ? seen.started.map(([index, at]) => [index, "?", at, "?", "?"])
      : outcome.attempts.map(({ dueAt, heldBackBy, index, startedAt, startedBy }) => [
        index,
        startedBy,
        startedAt,
        dueAt,
        Option.getOrNull(heldBackBy)
      ]),
    ended: seen.ended.sort(([left], [right]) => left - right)
  }
}

const agrees = async (given: Given, onClock: OnClock) => {
  const expected = predict(given)
  deepStrictEqual(await watch(given, onClock) as unknown, {
    ...expected,
    started: expected.interrupted
      ? expected.started.map(([index, , at]) => [index, "?", at, "?", "?"])
      : expected.started
  })
}

const seed = Number(process.env.SEED ?? Date.now() % 2 ** 31)

const check = (onClock: OnClock, ties: Ties, numRuns: number, offset = 0) =>
  FastCheck.assert(FastCheck.asyncProperty(races(ties), (given) => agrees(given, onClock)), {
    numRuns,
    seed: seed + offset
  })

describe(`random races end as the model says (SEED=${seed})`, () => {
  for (const [name, onClock] of Object.entries(clocks)) {
    const isSlow = name.includes("TestClock")
    it(`on ${name}`, async () => {
      const workers = isSlow ? 24 : 1
      await Promise.all(
        Array.from({ length: workers }, (_, worker) => check(onClock, "newest", isSlow ? 50 : 1000, worker))
      )
    }, 240_000)
  }

  for (const [name, onClock] of Object.entries(inOrder)) {
    it(`on ${name}, with any ties`, () => check(onClock, "any", 2000))
  }

  describe("on the clock of the process", () => {
    beforeEach(() => {
      vi.useFakeTimers({ toFake: ["setTimeout", "clearTimeout", "Date"] })
    })
    afterEach(() => {
      vi.useRealTimers()
    })

    it("with ties of the newest", () => check(onProcessClock(), "newest", 1000))
    it("with any ties", () => check(onProcessClock(), "any", 1000))
  })
})
