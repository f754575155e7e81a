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

/** Milliseconds for which a look-up is shared and takes a turn. The system's own gives up earlier, if not told otherwise. */
const longest = 30_000

/**
 * How many AAAA look-ups run at a time. libuv reads the variable in the same way. Of its threads it lends half, rounded
 * up, to look-ups, and one of these is left for A look-ups where there are two.
 *
 * @internal
 */
export const limitOf = (UV_THREADPOOL_SIZE: string | undefined): number => {
  const read = UV_THREADPOOL_SIZE === undefined ? 4 : Number.parseInt(UV_THREADPOOL_SIZE, 10) || 1
  const threads = read < 0 ? 1024 : Math.min(read, 1024)
  return Math.max(Math.floor((threads + 1) / 2) - 1, 1)
}

/**
 * The look-ups of one function that takes a thread for each, such as `dns.lookup`.
 *
 * - Equal look-ups are one. Nothing is kept once it is answered.
 * - An A look-up starts at once. An AAAA look-up waits until less than `limit` others run, because DNS servers that drop
 *   AAAA queries would let these hold every thread. One that nobody needs any more when its turn comes is never asked.
 *
 * @internal
 */
export class Lookups {
  /** Those that run, and those that wait, with their callers. */
  private readonly pending = new Map<string, Set<Answer>>()
  /** How to start the AAAA look-ups that wait, in their order. */
  private readonly waiting = new Map<string, () => void>()
  private running = 0

  constructor(private readonly ask: LookupFunction, private readonly limit: number) {}

  /** Calls back, unless what it returns is called first. */
  join(question: Question, answer: Answer): () => void {
    const { family, hints, host } = question
    const key = `${family} ${hints} ${host}`
    const known = this.pending.get(key)
    const callers = known ?? new Set()
    // Who shares a look-up, or waits for a turn, goes on in its own AsyncLocalStorage.
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
        // Not at once: a function that answers at once would do so ever deeper.
        queueMicrotask(() => this.startWaiting())
      }
      isRunning = false
      if (this.pending.get(key) === callers) {
        this.pending.delete(key)
      }
    }
    // What replaces `dns.lookup` may never answer: then whoever comes later asks anew.
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
      // One turn for each, since Effect runs what is due at one time in the AsyncLocalStorage of the first.
      others.forEach((other) => setImmediate(other, error, found))
    }
    try {
      this.ask(host, { all: true, family, hints }, answer)
    } catch (error) {
      answer(error instanceof Error ? error : new Error(String(error)), [])
    }
  }
}
