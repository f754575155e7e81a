import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as Scheduler from "effect/Scheduler"
import * as Supervisor from "effect/Supervisor"
import type { Observed } from "./scenario.js"

/** What a user may decide who writes a discrete-event clock. The first of each is the default. */
export interface Variant {
  /** Who of those that sleep until the same instant is woken first: who fell asleep first, or last. */
  readonly order?: "fifo" | "lifo"
  /** Whether everything settles after each sleeper that is woken, or after all that sleep until one instant. */
  readonly wakes?: "one" | "instant"
  /** Whether a sleep of no time is a sleep until this instant like any other, or no sleep at all. */
  readonly zero?: "queued" | "atOnce"
}

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

/** A clock for simulations: time stands still until it is moved to the next instant until which somebody sleeps. */
export class EventClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  readonly currentTimeMillis = Effect.sync(() => this.now)
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())
  /** In the order in which they are to be woken. */
  readonly sleepers: Array<Sleeper> = []
  now = 0
  maxSleeps = 0

  constructor(readonly variant: Variant = {}) {}

  unsafeCurrentTimeMillis(): number {
    return this.now
  }

  unsafeCurrentTimeNanos(): bigint {
    return BigInt(Math.round(this.now * 1_000_000))
  }

  sleep(duration: Duration.Duration): Effect.Effect<void> {
    const millis = Duration.toMillis(duration)
    return millis === 0 && this.variant.zero === "atOnce" ? Effect.void : Effect.async((resume) => {
      const until = this.now + millis
      const sleeper = { until, wake: () => resume(Effect.void) }
      const isAfter = this.variant.order === "lifo"
        ? (other: Sleeper) => other.until >= until
        : (other: Sleeper) => other.until > until
      const place = this.sleepers.findIndex(isAfter)
      this.sleepers.splice(place < 0 ? this.sleepers.length : place, 0, sleeper)
      this.maxSleeps = Math.max(this.maxSleeps, this.sleepers.length)
      return Effect.sync(() => {
        const place = this.sleepers.indexOf(sleeper)
        if (place >= 0) {
          this.sleepers.splice(place, 1)
        }
      })
    })
  }

  /** The next instant until which somebody sleeps. */
  next(): number {
    return this.sleepers[0]?.until ?? Infinity
  }

  /** Moves on to the next instant, and wakes who is to be woken. */
  advance(): void {
    this.now = this.next()
    const count = this.variant.wakes === "instant"
      ? this.sleepers.filter(({ until }) => until === this.now).length
      : 1
    this.sleepers.splice(0, count).forEach(({ wake }) => wake())
  }
}

/** Runs what fibers have to do, until all of them wait; without any timer of the process, so without waiting. */
export interface Settling extends Scheduler.Scheduler {
  settle(): void
}

export const inTurn = (): Settling => {
  const tasks: Array<Scheduler.Task> = []
  return {
    scheduleTask: (task) => tasks.push(task),
    shouldYield: Scheduler.defaultShouldYield,
    settle: () => {
      for (const task of tasks) {
        task()
      }
      tasks.length = 0
    }
  }
}

export interface RunOptions extends Variant {
  readonly interruptAt?: number | null | undefined
  /** Whether the interruption comes after all else of its instant, and not before it. */
  readonly interruptLast?: boolean | undefined
  readonly scheduler?: Settling | undefined
}

/** Runs an effect on a clock of its own until nothing can happen any more. */
export const runEvents = <A, E>(
  effect: Effect.Effect<A, E>,
  { interruptAt, interruptLast = false, scheduler = inTurn(), ...variant }: RunOptions = {}
): Omit<Observed<A, E>, "samples"> => {
  const clock = new EventClock(variant)
  const supervisor = Supervisor.unsafeTrack()
  let endedAt = NaN
  const fiber = Runtime.runFork(
    Runtime.defaultRuntime,
    effect.pipe(
      Effect.onExit(() => Effect.sync(() => endedAt = clock.now)),
      Effect.supervised(supervisor),
      Effect.withClock(clock)
    ),
    { scheduler }
  )
  scheduler.settle()
  let steps = 0
  for (let interruption = interruptAt ?? Infinity; Math.min(interruption, clock.next()) < Infinity;) {
    if (++steps > 1_000_000) {
      throw new Error(`it does not come to an end: it is ${clock.now}`)
    }
    if (interruptLast ? interruption < clock.next() : interruption <= clock.next()) {
      clock.now = interruption
      interruption = Infinity
      fiber.unsafeInterruptAsFork(FiberId.none)
    } else {
      clock.advance()
    }
    scheduler.settle()
  }
  const exit = fiber.unsafePoll()
  if (exit === null) {
    throw new Error("it waits for what is not to happen on this clock")
  }
  const fibers = Effect.runSync(supervisor.value).filter((fiber) => fiber.unsafePoll() === null).length
  return { exit, endedAt, left: { sleeps: clock.sleepers.length, fibers }, maxSleeps: clock.maxSleeps }
}
