import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { ControlledScheduler } from "effect/Scheduler"

interface Sleeper {
  readonly wakesAt: number
  readonly wake: () => void
}

/**
 * Effects on a clock that goes on when it is told to, from zero. Whoever tells it may do so as fast as the clock on the
 * wall does, a tenth as fast, or all at once.
 *
 * Every sleeper wakes at exactly the millisecond that it asked for, also where a browser draws a frame only each 16 ms,
 * and between two of them everything runs that can: a fiber is given turns by no event loop, but by `advanceTo`, and
 * when that returns, there is nothing left to do before the next instant. So a race takes the same course at any speed,
 * and a picture of it is never of something half done.
 */
export class Simulation {
  private time = 0
  private sleepers: Array<Sleeper> = []
  private readonly scheduler = new ControlledScheduler()

  get now(): number {
    return this.time
  }

  /** Whether nothing will happen any more, unless it comes from outside. */
  get isQuiet(): boolean {
    return this.sleepers.length === 0
  }

  fork<A, E>(effect: Effect.Effect<A, E>): Fiber.RuntimeFiber<A, E> {
    const fiber = Effect.runFork(Effect.withClock(effect, this.clock), { scheduler: this.scheduler })
    this.settle()
    return fiber
  }

  interrupt(fiber: Fiber.RuntimeFiber<unknown, unknown>): void {
    fiber.unsafeInterruptAsFork(FiberId.none)
    this.settle()
  }

  /** To infinity: until nothing will happen any more, and the time is then that of the last thing that did. */
  advanceTo(time: number): void {
    for (let next = this.next(time); next !== undefined; next = this.next(time)) {
      this.time = Math.max(this.time, next.wakesAt)
      next.wake()
      this.settle()
    }
    if (time < Infinity) {
      this.time = Math.max(this.time, time)
    }
  }

  /** Of several that wake at one instant the one that came last, as under `TestClock`. */
  private next(until: number): Sleeper | undefined {
    const next = this.sleepers.reduce<Sleeper | undefined>(
      (next, sleeper) => sleeper.wakesAt <= (next?.wakesAt ?? until) ? sleeper : next,
      undefined
    )
    this.sleepers = this.sleepers.filter((sleeper) => sleeper !== next)
    return next
  }

  private settle(): void {
    while (this.scheduler.tasks.buckets.length > 0) {
      this.scheduler.step()
    }
  }

  private readonly clock: Clock.Clock & { readonly adjust: (millis: number) => void } = {
    [Clock.ClockTypeId]: Clock.ClockTypeId,
    unsafeCurrentTimeMillis: () => this.time,
    unsafeCurrentTimeNanos: () => BigInt(this.time) * 1_000_000n,
    currentTimeMillis: Effect.sync(() => this.time),
    currentTimeNanos: Effect.sync(() => BigInt(this.time) * 1_000_000n),
    sleep: (duration) =>
      Effect.async<void>((resume) => {
        const sleeper: Sleeper = {
          wakesAt: this.time + Duration.toMillis(duration),
          wake: () => resume(Effect.void)
        }
        if (sleeper.wakesAt < Infinity) {
          this.sleepers.push(sleeper)
        }
        return Effect.sync(() => {
          this.sleepers = this.sleepers.filter((other) => other !== sleeper)
        })
      }),
    // A race sees by this that its clock is moved by hand, and that timers of one instant wake one by one.
    adjust: (millis) => this.advanceTo(this.time + millis)
  }
}
