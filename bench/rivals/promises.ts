const longestTimeout = 2 ** 31 - 1

/** Resolves with a success, rejects with a failure; gives up when the signal says so. */
export type Candidate<A> = (signal: AbortSignal) => PromiseLike<A>

/**
 * The staggered race as it can be had without Effect, over promises and abort signals, with the same rules as far as
 * a promise can keep them: the next candidate starts when the newest has failed or the delay has passed, whichever is
 * first; a start restarts the delay; one timer at most, none after the decision; candidates are pulled as they start
 * and the iterator is closed; the first success wins, the others are aborted at once and waited for; all failed: their
 * errors in candidate order; the caller's signal aborts all and is waited for.
 *
 * What it cannot keep: nothing forces a candidate to give up, or to release what a late success has acquired; and one
 * that ends at the very instant of the timer is heard after it, if the timer comes first.
 */
export const staggeredRace = <A>(
  candidates: Iterable<Candidate<A>>,
  { delay, signal }: { readonly delay: number; readonly signal?: AbortSignal }
): Promise<A> =>
  new Promise((resolve, reject) => {
    if (!(delay >= 0)) {
      throw new RangeError(`"delay" must be zero or more, got ${delay}`)
    }
    signal?.throwIfAborted()
    const iterator = candidates[Symbol.iterator]()
    const running = new Map<number, AbortController>()
    const errors: Array<unknown> = []
    let started = 0
    let exhausted = false
    let isDue = false
    let isStarting = false
    let decision: (() => void) | undefined
    let timer: NodeJS.Timeout | undefined

    const decide = (settle: () => void) => {
      if (decision !== undefined) {
        return
      }
      decision = settle
      clearTimeout(timer)
      signal?.removeEventListener("abort", onAbort)
      for (const controller of running.values()) {
        controller.abort()
      }
      if (!exhausted) {
        try {
          iterator.return?.()
        } catch (error) {
          errors.push(error)
        }
      }
    }
    const onAbort = () => decide(() => reject(signal?.reason))

    const onEnd = () => {
      if (running.size === 0 && exhausted) {
        decide(() => reject(new AggregateError(errors, "all candidates have failed")))
      }
      if (running.size === 0) {
        decision?.()
      }
    }

    const start = async (candidate: Candidate<A>, index: number, controller: AbortController) => {
      try {
        const value = await candidate(controller.signal)
        running.delete(index)
        decide(() => resolve(value))
      } catch (error) {
        errors[index] = error
        running.delete(index)
        if (decision === undefined && index === started - 1) {
          startNext()
        }
      }
      onEnd()
    }

    const pull = (): Candidate<A> | undefined => {
      try {
        const { done, value } = iterator.next()
        exhausted = done === true
        return value
      } catch (error) {
        exhausted = true
        errors[started] = error
        return undefined
      }
    }

    // Where a start brings the next at once, as with no delay, or with a candidate that throws before it waits, it does
    // so in a loop: a thousand do not go a thousand deep.
    const startNext = () => {
      isDue = true
      if (isStarting) {
        return
      }
      isStarting = true
      while (isDue && decision === undefined) {
        isDue = delay === 0
        const candidate = exhausted ? undefined : pull()
        if (candidate === undefined) {
          break
        }
        const controller = new AbortController()
        running.set(started, controller)
        void start(candidate, started++, controller)
      }
      isStarting = false
      onEnd()
      if (decision === undefined && !exhausted && delay <= longestTimeout) {
        timer = timer?.refresh() ?? setTimeout(startNext, delay)
      }
    }

    signal?.addEventListener("abort", onAbort)
    startNext()
  })
