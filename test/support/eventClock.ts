import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import * as Runtime from "effect/Runtime"
import * as Scheduler from "effect/Scheduler"
import * as Supervisor from "effect/Supervisor"
import type { Observed } from "./scenario.js"

/** The choices of a user who writes a discrete-event clock. The first of each is the default. */
export interface Variant {
  /** Which of several sleepers of one instant wakes first: the one that fell asleep first, or last. */
  readonly order?: "fifo" | "lifo"
  /** Whether fibers run after each sleeper that wakes, or after all sleepers of an instant. */
  readonly wakes?: "one" | "instant"
  /** Whether a sleep of no time queues behind the other sleepers of this instant, or is no sleep. */
  readonly zero?: "queued" | "atOnce"
  /** How many milliseconds late a sleeper wakes, as timers do on a busy machine. Default 0. */
  readonly late?: number
}

interface Sleeper {
  readonly until: number
  readonly wake: () => void
}

/** A clock for simulations: its time stands still until it is moved to the instant at which the next sleeper wakes. */
export class EventClock implements Clock.Clock {
  readonly [Clock.ClockTypeId]: Clock.ClockTypeId = Clock.ClockTypeId
  readonly currentTimeMillis = Effect.sync(() => this.now)
  readonly currentTimeNanos = Effect.sync(() => this.unsafeCurrentTimeNanos())
  /** In the order in which they wake. */
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
    const { late = 0, zero } = this.variant
    return millis === 0 && zero === "atOnce"
      ? Effect.void
      : Effect.async((resume) => Effect.sync(this.after(millis + late, () => resume(Effect.void))))
  }

  /** Calls back in so many milliseconds. Returns how to cancel that. */
  after(millis: number, wake: () => void): () => void {
    const until = this.now + millis
    const sleeper = { until, wake }
    this.sleepers.splice(this.placeOf(until, this.variant.order === "lifo"), 0, sleeper)
    this.maxSleeps = Math.max(this.maxSleeps, this.sleepers.length)
    return () => {
      const place = this.sleepers.indexOf(sleeper, this.placeOf(until, true))
      if (place >= 0) {
        this.sleepers.splice(place, 1)
      }
    }
  }

  /** The place before, or behind, all that sleep until an instant. */
  private placeOf(until: number, before: boolean): number {
    let [low, high] = [0, this.sleepers.length]
    while (low < high) {
      const middle = (low + high) >> 1
      const other = this.sleepers[middle]!.until
      if (other < until || (!before && other === until)) {
        low = middle + 1
      } else {
        high = middle
      }
    }
    return low
  }

  /** The instant at which the next sleeper wakes. */
  next(): number {
    return this.sleepers[0]?.until ?? Infinity
  }

  /** Moves to that instant and wakes its first sleeper, or all of them. */
  advance(): void {
    this.now = this.next()
    const count = this.variant.wakes === "instant"
      ? this.sleepers.filter(({ until }) => until === this.now).length
      : 1
    this.sleepers.splice(0, count).forEach(({ wake }) => wake())
  }
}

/** Runs fibers until all of them wait. It uses no timer of the process, so it never waits itself. */
export interface Settling extends Scheduler.Scheduler {
  settle(): void
}

const inTurn = (): Settling => {
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

/**
 * Effects in simulated time, which starts at zero and moves when it is told to. Between two instants everything runs that
 * can: `advanceTo` gives fibers their turns, not an event loop. So an effect takes the same course however fast its time
 * passes, and nobody sees it half way through an instant.
 */
export class Simulation {
  private readonly clock: EventClock
  private readonly scheduler = inTurn()

  constructor(variant: Variant = {}) {
    this.clock = new EventClock(variant)
  }

  get now(): number {
    return this.clock.now
  }

  /** Whether nothing happens any more unless it comes from outside. */
  get isQuiet(): boolean {
    return this.clock.next() === Infinity
  }

  fork<A, E>(effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> {
    const fiber = Effect.runFork(Effect.withClock(effect, this.clock), { scheduler: this.scheduler })
    this.scheduler.settle()
    return fiber
  }

  interrupt(fiber: Fiber.RuntimeFiber<unknown, unknown>): void {
    fiber.unsafeInterruptAsFork(FiberId.none)
    this.scheduler.settle()
  }

  /** Calls back in so many milliseconds. Returns how to cancel that. */
  after(millis: number, run: () => void): () => void {
    return this.clock.after(millis, run)
  }

  /** With `Infinity`, until nothing happens any more. The time is then that of the last thing that happened. */
  advanceTo(time: number): void {
    while (!this.isQuiet && this.clock.next() <= time) {
      this.clock.advance()
      this.scheduler.settle()
    }
    if (time < Infinity) {
      this.clock.now = Math.max(this.clock.now, time)
    }
  }
}

export interface RunOptions extends Variant {
  readonly interruptAt?: number | null | undefined
  /** Whether the interruption comes after everything else at that instant. Default: before everything else. */
  readonly interruptLast?: boolean | undefined
  readonly scheduler?: Settling | undefined
  /** The references and flags to start with. */
  readonly runtime?: Runtime.Runtime<never> | undefined
}

/** Runs an effect on a clock of its own until nothing happens any more. */
export const runEvents = <A, E>(
  effect: Effect.Effect<A, E>,
  { interruptAt, interruptLast = false, runtime = Runtime.defaultRuntime, scheduler = inTurn(), ...variant }:
    RunOptions = {}
): Omit<Observed<A, E>, "samples"> => {
  const clock = new EventClock(variant)
  const supervisor = Supervisor.unsafeTrack()
  let endedAt = NaN
  const fiber = Runtime.runFork(
    runtime,
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
