import { AsyncResource } from "node:async_hooks"
import type { LookupAddress } from "node:dns"
import type { LookupFunction } from "node:net"
import type { Family } from "../../HappyEyeballs.js"

/** @internal */
export interface Question {
  readonly host: string
  readonly family: Family
  readonly hints: number
}

/** @internal */
export type Answer = (error: Error | null, found: string | Array<LookupAddress>) => void

/** How long a look-up is shared and keeps its turn, in milliseconds. By default, the system gives up earlier. */
const longest = 30_000

/**
 * How many AAAA look-ups may run at a time. It reads the variable as libuv does. libuv lends half of its threads to
 * look-ups, rounded up. One of them stays free for A look-ups if there are two.
 *
 * @internal
 */
export const limitOf = (UV_THREADPOOL_SIZE: string | undefined): number => {
  const read = UV_THREADPOOL_SIZE === undefined ? 4 : Number.parseInt(UV_THREADPOOL_SIZE, 10) || 1
  const threads = read < 0 ? 1024 : Math.min(read, 1024)
  return Math.max(Math.floor((threads + 1) / 2) - 1, 1)
}

/**
 * Look-ups through a function that needs a thread for each, such as `dns.lookup`.
 *
 * - Equal look-ups share one call. Answers are not cached.
 * - An A look-up starts at once. An AAAA look-up waits until fewer than `limit` others run. Otherwise, a DNS server
 *   that drops AAAA queries would block every thread. If nobody needs it any more when its turn comes, it never starts.
 *
 * @internal
 */
export class Lookups {
  /** All look-ups that run or wait, with their callers. */
  private readonly pending = new Map<string, Set<Answer>>()
  /** Starts each AAAA look-up that waits, in order. */
  private readonly waiting = new Map<string, () => void>()
  private running = 0

  constructor(private readonly ask: LookupFunction, private readonly limit: number) {}

  /** Joins or adds a look-up. Returns a function that cancels the callback. */
  join(question: Question, answer: Answer): () => void {
    const { family, hints, host } = question
    const key = `${family} ${hints} ${host}`
    const known = this.pending.get(key)
    const callers = known ?? new Set()
    // A caller that shares a look-up, or waits for its turn, keeps its own AsyncLocalStorage.
    const context = new AsyncResource("HappyEyeballs")
    const caller: Answer = (error, found) => context.runInAsyncScope(answer, undefined, error, found)
    callers.add(caller)
    if (known === undefined) {
      this.pending.set(key, callers)
      if (family === 4) {
        this.start(key, question, callers)
      } else {
        this.waiting.set(key, () => context.runInAsyncScope(() => this.start(key, question, callers)))
        this.startWaiting()
      }
    }
    return () => {
      callers.delete(caller)
      if (callers.size === 0 && this.waiting.delete(key)) {
        this.pending.delete(key)
      }
    }
  }

  private startWaiting(): void {
    for (const [key, start] of this.waiting) {
      if (this.running >= this.limit) {
        return
      }
      this.waiting.delete(key)
      this.running++
      start()
    }
  }

  private start(key: string, { family, hints, host }: Question, callers: ReadonlySet<Answer>): void {
    let isRunning = true
    const end = () => {
      if (isRunning && family === 6) {
        this.running--
        // Not at once: if `ask` answers synchronously, the calls would nest without end.
        queueMicrotask(() => this.startWaiting())
      }
      isRunning = false
      if (this.pending.get(key) === callers) {
        this.pending.delete(key)
      }
    }
    // A replacement of `dns.lookup` may never answer. Then later callers ask again.
    const timer = setTimeout(end, longest).unref()
    let isAnswered = false
    const answer: Answer = (error, found) => {
      if (isAnswered) {
        return
      }
      isAnswered = true
      clearTimeout(timer)
      end()
      const [first, ...others] = callers
      first?.(error, found)
      // A separate turn for each: Effect runs everything due at one time in the AsyncLocalStorage of the first.
      others.forEach((other) => setImmediate(other, error, found))
    }
    try {
      this.ask(host, { all: true, family, hints }, answer)
    } catch (error) {
      answer(error instanceof Error ? error : new Error(String(error)), [])
    }
  }
}
