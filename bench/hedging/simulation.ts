import * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import * as Random from "effect/Random"
import type * as Scheduler from "effect/Scheduler"

interface Event {
  readonly at: number
  readonly order: number
  run: (() => void) | undefined
}

const isBefore = (a: Event, b: Event) => a.at < b.at || (a.at === b.at && a.order < b.order)

/**
 * Runs effects in simulated time, and nothing of them outside of it: what fibers have to do is done until there is
 * nothing left, then the time goes on to the next event. Events of one time happen in the order in which they were made.
 */
export class Simulation {
  /** Milliseconds. */
  now = 0
  private order = 0
  private readonly heap: Array<Event> = []
  private readonly runtime: ManagedRuntime.ManagedRuntime<never, never>
  private tasks: Array<Scheduler.Task> = []

  constructor(seed: number) {
    const scheduler: Scheduler.Scheduler = {
      scheduleTask: (task) => void this.tasks.push(task),
      shouldYield: (fiber) => fiber.currentOpCount > 2048 ? 0 : false
    }
    const clock: Clock.Clock = Object.assign(Clock.make(), {
      // A race takes it for a clock that is moved by hand.
      adjust: true,
      unsafeCurrentTimeMillis: () => this.now,
      currentTimeMillis: Effect.sync(() => this.now),
      sleep: (duration: Duration.Duration) => this.sleep(Duration.toMillis(duration))
    })
    this.runtime = ManagedRuntime.make(
      Layer.mergeAll(Layer.setClock(clock), Layer.setScheduler(scheduler), Layer.setRandom(Random.make(seed)))
    )
    this.runtime.runSync(Effect.void)
  }

  /** What is to happen in that many milliseconds; returns what cancels it. */
  after(millis: number, run: () => void): () => void {
    const event: Event = { at: this.now + millis, order: this.order++, run }
    this.push(event)
    return () => {
      event.run = undefined
    }
  }

  /** As long as nothing interrupts it. */
  sleep(millis: number): Effect.Effect<void> {
    return Effect.async((resume) => {
      const cancel = this.after(millis, () => resume(Effect.void))
      return Effect.sync(cancel)
    })
  }

  /** Starts an effect, which goes on with the time. */
  start<A>(effect: Effect.Effect<A>, onEnd?: (exit: Exit.Exit<A>) => void): void {
    const fiber = this.runtime.runFork(effect)
    if (onEnd !== undefined) {
      fiber.addObserver(onEnd)
    }
  }

  /** Lets the time go on until it is that late, or nothing is left to happen. */
  goOn(until = Infinity): void {
    for (;;) {
      this.flush()
      const next = this.heap[0]
      if (next === undefined || next.at > until) {
        this.now = until === Infinity ? this.now : until
        return
      }
      this.pop()
      this.now = next.at
      next.run?.()
    }
  }

  private flush(): void {
    while (this.tasks.length > 0) {
      const tasks = this.tasks
      this.tasks = []
      for (const task of tasks) {
        task()
      }
    }
  }

  private push(event: Event): void {
    const { heap } = this
    let index = heap.push(event) - 1
    while (index > 0) {
      const above = (index - 1) >> 1
      if (!isBefore(event, heap[above]!)) {
        break
      }
      heap[index] = heap[above]!
      index = above
    }
    heap[index] = event
  }

  private pop(): void {
    const { heap } = this
    const last = heap.pop()
    if (last === undefined || heap.length === 0) {
      return
    }
    let index = 0
    for (;;) {
      let below = 2 * index + 1
      if (below + 1 < heap.length && isBefore(heap[below + 1]!, heap[below]!)) {
        below++
      }
      if (below >= heap.length || !isBefore(heap[below]!, last)) {
        break
      }
      heap[index] = heap[below]!
      index = below
    }
    heap[index] = last
  }
}
