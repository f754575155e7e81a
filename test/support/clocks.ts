import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { identity } from "effect/Function"
import * as Supervisor from "effect/Supervisor"
import { vi } from "vitest"
import { runEvents, type Variant } from "./eventClock.js"
import type { clocks as testClocks } from "./scenario.js"
import { observe, type Observed } from "./scenario.js"

type Seen<A, E> = Omit<Observed<A, E>, "samples" | "maxSleeps">

/** Runs an effect from 0 on until nothing can happen any more, interrupted at an instant if that comes first. */
export type OnClock = <A, E>(effect: Effect.Effect<A, E>, interruptAt?: number | null) => Promise<Seen<A, E>>

const underTest = (clock: typeof testClocks[number]): OnClock => (effect, interruptAt = null) =>
  Effect.runPromise(Effect.map(
    observe(effect, { clock, interruptAt }),
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
 * Wants `setTimeout` and `Date` to be faked. Timers of one instant fire together, as in Node, and then the event loop
 * has its turns: faked timers that go on by themselves fire the next one before a real `setImmediate` is heard.
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
    vi.advanceTimersToNextTimer()
    vi.advanceTimersByTime(0)
    await turns()
  }
  const exit = fiber.unsafePoll()
  if (exit === null) {
    throw new Error("it waits for what is not to happen on this clock")
  }
  const fibers = Effect.runSync(supervisor.value).filter((fiber) => fiber.unsafePoll() === null).length
  return { exit, endedAt, left: { sleeps: vi.getTimerCount(), fibers } }
}

/** Those that wake the first to come first, also where a sleep of no time has come last. */
export const inOrder: Readonly<Record<string, OnClock>> = {
  "a discrete-event clock": onEventClock(),
  "a discrete-event clock that settles after each instant": onEventClock({ wakes: "instant" })
}

/** Those that a test can use side by side, by name. */
export const clocks: Readonly<Record<string, OnClock>> = {
  "the TestClock": underTest("TestClock"),
  "a clock around the TestClock": underTest("another"),
  ...inOrder,
  "a discrete-event clock that wakes the last first": onEventClock({ order: "lifo" }),
  "a discrete-event clock that wakes the last first, and settles after each instant": onEventClock({
    order: "lifo",
    wakes: "instant"
  })
}
