import type * as Fiber from "effect/Fiber"
import type * as Scheduler from "effect/Scheduler"
import { pick, type Random } from "./races.js"

// Yielding takes a fiber of Effect 3 some operations. A fiber that yields again before that never gets anywhere.
const operationsToYield = 12

const mostOperations = 1_000_000

/** Runs any task that is ready, and makes fibers yield anywhere. */
export class RandomScheduler implements Scheduler.Scheduler {
  private readonly tasks: Array<{ readonly task: Scheduler.Task; readonly rank: number }> = []
  /** How many operations each fiber may still do before it yields. */
  private readonly left = new Map<number, number>()
  private readonly range: number
  /** Whether the fiber with the highest rank goes first, so that others starve for long. If not, any goes first. */
  private readonly starves: boolean
  private readonly ranks = new Map<number, number>()
  private operations = 0

  constructor(private readonly random: Random) {
    this.range = pick(random, 2, 10, 50, Infinity)
    this.starves = random() < 0.4
  }

  scheduleTask(task: Scheduler.Task, _priority: number, fiber?: Fiber.RuntimeFiber<unknown, unknown>): void {
    this.tasks.push({ task, rank: this.starves ? this.rankOf(fiber) : 0 })
  }

  shouldYield(fiber: Fiber.RuntimeFiber<unknown, unknown>): number | false {
    if (++this.operations > mostOperations) {
      throw new Error("it spins")
    }
    if (this.range === Infinity) {
      return false
    }
    const { id } = fiber.id()
    const left = this.left.get(id) ?? Math.floor(this.random() * (operationsToYield + this.range))
    this.left.set(id, left > 0 ? left - 1 : operationsToYield + Math.floor(this.random() * this.range))
    return left > 0 ? false : 0
  }

  get isIdle(): boolean {
    return this.tasks.length === 0
  }

  step(): void {
    let index = Math.floor(this.random() * this.tasks.length)
    if (this.starves) {
      this.tasks.forEach(({ rank }, other) => index = rank > this.tasks[index]!.rank ? other : index)
    }
    const { task } = this.tasks[index]!
    this.tasks[index] = this.tasks[this.tasks.length - 1]!
    this.tasks.pop()
    task()
  }

  /** Ranks change now and then, so that nobody starves for ever. */
  private rankOf(fiber: Fiber.RuntimeFiber<unknown, unknown> | undefined): number {
    const id = fiber?.id().id ?? -1
    const known = this.random() < 0.1 ? undefined : this.ranks.get(id)
    const rank = known ?? this.random()
    this.ranks.set(id, rank)
    return rank
  }
}
