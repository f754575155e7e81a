import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Supervisor from "effect/Supervisor"
import * as TestClock from "effect/TestClock"
import * as TestContext from "effect/TestContext"
import * as TestServices from "effect/TestServices"
import { vi } from "vitest"
import { runEvents, type Variant } from "./eventClock.js"
import { observe, type Observed } from "./scenario.js"

type Seen<A, E> = Omit<Observed<A, E>, "samples" | "maxSleeps">

/** Runs an effect from 0 on until nothing can happen any more, interrupted at an instant if that comes first. */
export type OnClock = <A, E>(effect: Effect.Effect<A, E>, interruptAt?: number | null) => Promise<Seen<A, E>>

const onTestClock: OnClock = (effect, interruptAt = null) =>
  Effect.gen(function*() {
    const supervisor = yield* Supervisor.track
    let endedAt = NaN
    const fiber = yield* effect.pipe(
      Effect.onExit(() => Effect.map(Clock.currentTimeMillis, (at) => endedAt = at)),
      Effect.supervised(supervisor),
      Effect.forkDaemon
    )
    if (interruptAt !== null) {
      yield* Effect.forkDaemon(Effect.delay(Fiber.interruptFork(fiber), interruptAt))
    }
    yield* TestClock.adjust(Duration.days(1))
    const exit = yield* Effect.timeout(fiber.await, "10 seconds").pipe(TestServices.provideLive, Effect.orDie)
    const sleeps = (yield* TestClock.sleeps()).length
    const fibers = (yield* supervisor.value).filter((fiber) => fiber.unsafePoll() === null).length
    return { exit, endedAt, left: { sleeps, fibers } }
  }).pipe(Effect.provide(TestContext.TestContext), Effect.runPromise)

const onWrapped: OnClock = (effect, interruptAt = null) =>
  Effect.runPromise(Effect.map(
    observe(effect, { interruptAt }),
    ({ endedAt, exit, left }) => ({ exit, endedAt, left })
  ))

export const onEventClock = (variant: Variant = {}): OnClock => (effect, interruptAt) =>
  Promise.resolve().then(() => {
    const { endedAt, exit, left } = runEvents(effect, { ...variant, interruptAt })
    return { exit, endedAt, left }
  })

/** A clock that is that of the process, and of which nothing is known. */
export const asked = (clock: Clock.Clock): Clock.Clock => ({
  [Clock.ClockTypeId]: Clock.ClockTypeId,
  unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis(),
  unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
  currentTimeMillis: clock.currentTimeMillis,
  currentTimeNanos: clock.currentTimeNanos,
  sleep: (duration) => clock.sleep(duration)
})

// Not to be faked.
const { setImmediate } = globalThis

const turns = async () => {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/**
 * Wants `setTimeout` and `Date` to be faked. Every timer has the turns of the event loop that may come after it: faked
 * timers that go on by themselves fire the next one before a real `setImmediate` is heard.
 */
export const onProcessClock = (clock: (self: Clock.Clock) => Clock.Clock = identity): OnClock =>
async (
  effect,
  interruptAt = null
) => {
  vi.setSystemTime(0)
  const supervisor = Supervisor.unsafeTrack()
  let endedAt = NaN
  const fiber = effect.pipe(
    Effect.onExit(() => Effect.sync(() => endedAt = Date.now())),
    Effect.supervised(supervisor),
    Effect.withClock(clock(Effect.runSync(Effect.clock))),
    Effect.runFork
  )
  if (interruptAt !== null) {
    setTimeout(() => Effect.runFork(Fiber.interruptFork(fiber)), interruptAt)
  }
  await turns()
  while (vi.getTimerCount() > 0) {
    await vi.advanceTimersToNextTimerAsync()
    await turns()
  }
  const exit = fiber.unsafePoll()
  if (exit === null) {
    throw new Error("it waits for what is not to happen on this clock")
  }
  const fibers = Effect.runSync(supervisor.value).filter((fiber) => fiber.unsafePoll() === null).length
  return { exit, endedAt, left: { sleeps: vi.getTimerCount(), fibers } }
}

/** Those that a test can use side by side, by name. */
export const clocks: Readonly<Record<string, OnClock>> = {
  "the TestClock": onTestClock,
  "a clock of which nothing is known, around the TestClock": onWrapped,
  "a discrete-event clock": onEventClock(),
  "a discrete-event clock that settles after each instant": onEventClock({ wakes: "instant" }),
  "a discrete-event clock that wakes the last to come first": onEventClock({ order: "lifo" }),
  "a discrete-event clock that wakes the last to come first, and settles after each instant": onEventClock({
    order: "lifo",
    wakes: "instant"
  })
}
