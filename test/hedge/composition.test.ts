import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Hedge from "../../src/Hedge.js"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { virtually } from "../support/hedging.js"
import { failed, nothing } from "../support/scenario.js"

/** What each request does, in the order in which they are sent; all others hang. */
type Requests = ReadonlyArray<Effect.Effect<string, string>>

const after = <A, E>(millis: number, end: Effect.Effect<A, E>) => Effect.delay(end, millis)

/** A request, and the log of them: `h1@50` for one that copy 1 sent at 50, `a0@0` for one of the first copy. */
const requestOf = (requests: Requests) => {
  const log: Array<string> = []
  let sent = 0
  const request = Effect.gen(function*() {
    const { index } = yield* Effect.flatten(StaggeredRace.CurrentAttempt)
    const at = yield* Clock.currentTimeMillis
    log.push(`${index === 0 ? "a" : "h"}${index}@${at}`)
    return yield* (requests[sent++] ?? Effect.never)
  }).pipe(
    Effect.onInterrupt(() => Effect.map(Clock.currentTimeMillis, (at) => void log.push(`interrupted@${at}`))),
    Effect.catchTag("NoSuchElementException", Effect.die)
  )
  return { log, request }
}

const observed = <A, E>(effect: Effect.Effect<A, E>, interruptAt?: number) =>
  Effect.map(virtually(effect, { interruptAt }), ({ endedAt, exit, left }) => {
    deepStrictEqual(left, nothing)
    return `${Exit.isSuccess(exit) ? exit.value : failed(exit)}@${endedAt}`
  })

const fails = Effect.fail("no")
const hedged = Hedge.hedge({ delay: 50, maxHedges: 2 })
const retried = Effect.retry({ times: 1 })

describe("Hedge with others", () => {
  describe("retry", () => {
    it.live("outside: each try is a call of its own, with all its copies", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf([fails, fails, fails, fails, fails, Effect.succeed("answer")])
        strictEqual(yield* observed(request.pipe(hedged, retried)), "answer@0")
        deepStrictEqual(log, ["a0@0", "h1@0", "h2@0", "a0@0", "h1@0", "h2@0"])
      }))

    it.live("inside: each copy has its own tries", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf([fails, fails, fails, fails, fails, Effect.succeed("answer")])
        strictEqual(yield* observed(request.pipe(retried, hedged)), "answer@0")
        deepStrictEqual(log, ["a0@0", "a0@0", "h1@0", "h1@0", "h2@0", "h2@0"])
      }))

    it.live("outside: the delay of each try begins anew", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf([
          after(60, fails),
          after(20, fails),
          after(30, fails),
          Effect.never,
          after(10, Effect.succeed("answer"))
        ])
        strictEqual(yield* observed(request.pipe(hedged, retried)), "answer@160")
        deepStrictEqual(log, ["a0@0", "h1@50", "h2@70", "a0@100", "h1@150", "interrupted@160"])
      }))

    it.live("inside: the winner stops the tries of losers", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf([
          fails,
          after(20, fails),
          after(20, fails),
          after(20, fails),
          after(7, Effect.succeed("answer"))
        ])
        const forever = Effect.retry({ times: 100 })
        strictEqual(yield* observed(request.pipe(forever, hedged)), "answer@57")
        deepStrictEqual(log, ["a0@0", "a0@0", "a0@20", "a0@40", "h1@50", "interrupted@57"])
      }))

    it.live("inside: an interruption of the call stops them all", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf(Array.from({ length: 100 }, () => after(20, fails)))
        strictEqual((yield* observed(request.pipe(Effect.retry({ times: 100 }), hedged), 75)).endsWith("@75"), true)
        deepStrictEqual(log, [
          "a0@0",
          "a0@20",
          "a0@40",
          "h1@50",
          "a0@60",
          "h1@70",
          "interrupted@75",
          "interrupted@75"
        ])
      }))

    it.live("retries and copies stay within one budget together", () =>
      Effect.gen(function*() {
        const budget = yield* Hedge.makeBudget({ ratio: 0.5 })
        const policy = yield* Hedge.make<string, string>({ delay: 50, budget })
        const { log, request } = requestOf(Array.from({ length: 100 }, () => fails))
        const call = request.pipe(
          Hedge.hedge(policy),
          Effect.retry({ times: 5, while: () => Hedge.tryAcquire(budget) })
        )
        yield* observed(Effect.repeatN(Effect.ignore(call), 3))
        // Two calls pay for a copy; it fails, and there is nothing left for a retry.
        deepStrictEqual(log, ["a0@0", "a0@0", "h1@0", "a0@0", "a0@0", "h1@0"])
      }))
  })

  describe("timeout", () => {
    const timeout = Effect.timeoutFail({ duration: 70, onTimeout: () => "timeout" })

    it.live("outside: it interrupts all copies, and none is sent after it", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf([])
        strictEqual(yield* observed(request.pipe(hedged, timeout)), "timeout@70")
        deepStrictEqual(log, ["a0@0", "h1@50", "interrupted@70", "interrupted@70"])
      }))

    it.live("outside: a delay that is longer sends no copy", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf([])
        strictEqual(yield* observed(request.pipe(Hedge.hedge({ delay: 100 }), timeout)), "timeout@70")
        deepStrictEqual(log, ["a0@0", "interrupted@70"])
      }))

    it.live("inside: each copy has its own time", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf([Effect.never, after(65, Effect.succeed("answer"))])
        strictEqual(yield* observed(request.pipe(timeout, Hedge.hedge({ delay: 50 }))), "answer@115")
        deepStrictEqual(log, ["a0@0", "h1@50", "interrupted@70"])
      }))

    it.live("inside: one that is out of time has failed, and brings the next copy forward", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf([Effect.never, after(10, Effect.succeed("answer"))])
        strictEqual(yield* observed(request.pipe(timeout, Hedge.hedge({ delay: 500 }))), "answer@80")
        deepStrictEqual(log, ["a0@0", "interrupted@70", "h1@70"])
      }))

    it.live("inside: if all are out of time, all of that is in the cause", () =>
      Effect.gen(function*() {
        const { log, request } = requestOf([])
        strictEqual(yield* observed(request.pipe(timeout, hedged)), "((timeout|timeout)|timeout)@170")
        deepStrictEqual(log, ["a0@0", "h1@50", "interrupted@70", "h2@100", "interrupted@120", "interrupted@170"])
      }))
  })

  it.live("a hedge of a hedge: the inner copies are interrupted with the outer one", () =>
    Effect.gen(function*() {
      let sent = 0
      const log: Array<string> = []
      const request = Effect.suspend(() => {
        const copy = sent++
        const write = (what: string) =>
          Effect.map(Clock.currentTimeMillis, (at) => void log.push(`${what}${copy}@${at}`))
        return write("+").pipe(
          Effect.zipRight(copy === 2 ? after(5, Effect.succeed("answer")) : Effect.never),
          Effect.ensuring(write("-"))
        )
      })
      const call = request.pipe(Hedge.hedge({ delay: 30 }), Hedge.hedge({ delay: 50 }))
      strictEqual(yield* observed(call), "answer@55")
      deepStrictEqual(log.slice(0, 4), ["+0@0", "+1@30", "+2@50", "-2@55"])
      deepStrictEqual(log.slice(4).sort(), ["-0@55", "-1@55"])
    }))

  it.live("as a copy of its own race: what races inside a copy knows its own index", () =>
    Effect.gen(function*() {
      const inner = StaggeredRace.race([
        Effect.fail("no"),
        Effect.flatMap(StaggeredRace.CurrentAttempt, (attempt) => attempt)
      ], {
        delay: 10
      })
      const both = Effect.gen(function*() {
        const { index } = yield* inner
        const outer = yield* Effect.flatten(StaggeredRace.CurrentAttempt)
        return outer.index === 0 ? yield* Effect.never : `${outer.index} ${index}`
      })
      strictEqual(yield* observed(Hedge.hedge(both, { delay: 50 })), "1 1@50")
    }))
})
