import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as TestServices from "effect/TestServices"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { effectOf, optionsOf } from "../src/effects.js"
import type { Event, Outcome } from "../src/run.js"
import { type Candidate, type Delay, limits, paces, results, type Scenario, troubleWithName } from "../src/scenario.js"
import { type EventLine, lineOf, namesOf } from "../src/words.js"

const whole = (least: number, most: number) => FastCheck.integer({ min: least, max: most })

/** Names that a link, a page or a program could stumble over. */
const name = FastCheck.oneof(
  FastCheck.constantFrom(
    "2001:db8::1",
    "a&b=c#d",
    "100 %+",
    "a, b",
    "`${x}` \\ \"'",
    "<img src=x onerror=a()>",
    "é日🙂"
  ),
  FastCheck.string({ minLength: 1, maxLength: limits.name[1], unit: "binary" })
).filter((name) => troubleWithName(name) === undefined)

const candidate: FastCheck.Arbitrary<Candidate> = FastCheck.record({
  name,
  result: FastCheck.constantFrom(...results),
  latency: FastCheck.oneof(whole(0, 40).map((n) => n * 10), whole(...limits.latency)),
  cleanUp: FastCheck.oneof(FastCheck.constant(0), whole(...limits.cleanUp))
}).map((candidate) => candidate.result === "hangs" ? { ...candidate, latency: null } : candidate)

const delay: FastCheck.Arbitrary<Delay> = FastCheck.record({
  pace: FastCheck.constantFrom(...paces),
  millis: FastCheck.oneof(whole(1, 30).map((n) => n * 10), whole(1, limits.delay[1]))
}).map((delay) => delay.pace === "infinite" ? { ...delay, millis: null } : delay)

/** Scenarios that a link can carry. In many of them several things happen at one instant. */
export const scenarios: FastCheck.Arbitrary<Scenario> = FastCheck.record({
  candidates: FastCheck.array(candidate, { minLength: 1, maxLength: limits.candidates[1] }),
  delay,
  minDelay: FastCheck.oneof(FastCheck.constant(0), whole(0, 10).map((n) => n * 10)),
  concurrency: FastCheck.oneof(FastCheck.constant("unbounded" as const), whole(...limits.concurrency)),
  losers: FastCheck.constantFrom("await", "background")
})

export interface Transcript {
  readonly lines: ReadonlyArray<EventLine>
  /** `undefined` if the race hangs or was interrupted. */
  readonly outcome: Outcome | undefined
}

/** Runs a scenario by the library under `TestClock`, without the page's clock. */
export const underTestClock = (scenario: Scenario, interruptAt?: number): Promise<Transcript> => {
  const events: Array<Event> = []
  return Effect.gen(function*() {
    const fiber = yield* Effect.forkDaemon(StaggeredRace.outcome(scenario.candidates.map(effectOf), {
      ...optionsOf(scenario),
      onEvent: (event) => Effect.sync(() => events.push(event))
    }))
    if (interruptAt !== undefined) {
      yield* TestClock.setTime(interruptAt)
      yield* Fiber.interruptFork(fiber)
    }
    yield* TestClock.adjust("1 hour")
    const exit = yield* Effect.timeoutOption(fiber.await, "20 millis").pipe(TestServices.provideLive)
    const lines = events.map((event) => lineOf(event, namesOf(scenario)))
    yield* Effect.forkDaemon(Fiber.interrupt(fiber))
    yield* TestClock.adjust("1 hour")
    return { lines, outcome: exit._tag === "Some" && Exit.isSuccess(exit.value) ? exit.value.value : undefined }
  }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)
}
