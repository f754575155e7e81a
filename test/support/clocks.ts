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

/** Runs an effect from 0 on, until nothing more can happen. Interrupts it at an instant, if that comes first. */
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

/** A clock of the user's that asks the process's. */
export const asked = (clock: Clock.Clock): Clock.Clock => ({
  [Clock.ClockTypeId]: Clock.ClockTypeId,
  unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis(),
  unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
  currentTimeMillis: clock.currentTimeMillis,
  currentTimeNanos: clock.currentTimeNanos,
  sleep: (duration) => clock.sleep(duration)
})

// The real one, also where a test fakes timers.
const { setImmediate } = globalThis

const turns = async () => {
  for (let turn = 0; turn < 3; turn++) {
    await new Promise((resolve) => setImmediate(resolve))
  }
}

/**
 * Needs a fake `setTimeout` and `Date`. As in Node, all timers of one instant fire, and then immediates run. Fake timers
 * that advance by themselves do not wait for a real immediate: they fire the next timer before it.
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
    throw new Error("it waits for something that never happens on this clock")
  }
  const fibers = Effect.runSync(supervisor.value).filter((fiber) => fiber.unsafePoll() === null).length
  return { exit, endedAt, left: { sleeps: vi.getTimerCount(), fibers } }
}

/** Clocks that wake the sleepers of one instant in the order in which they fell asleep. */
export const inOrder: Readonly<Record<string, OnClock>> = {
  "a discrete-event clock": onEventClock(),
  "a discrete-event clock that settles after each instant": onEventClock({ wakes: "instant" })
}

/** Clocks that a test can use side by side. */
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
