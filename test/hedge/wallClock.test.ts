import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Metric from "effect/Metric"
import * as Hedge from "../../src/Hedge.js"
import { runEvents } from "../support/eventClock.js"
import { nothing } from "../support/scenario.js"

const hour = 3_600_000

/** Runs an effect on a clock whose wall is moved by `step`, in milliseconds. Its nanoseconds only go forward. */
const onTheWall = <A, E>(effect: (step: (millis: number) => void) => Effect.Effect<A, E>): Effect.Effect<A, E> =>
  Effect.suspend(() => {
    let offset = 0
    const stepped = Effect.clockWith((clock) => {
      const unsafeCurrentTimeMillis = () => clock.unsafeCurrentTimeMillis() + offset
      const walled: Clock.Clock = {
        [Clock.ClockTypeId]: Clock.ClockTypeId,
        currentTimeMillis: Effect.sync(unsafeCurrentTimeMillis),
        currentTimeNanos: clock.currentTimeNanos,
        unsafeCurrentTimeMillis,
        unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
        sleep: (duration) => clock.sleep(duration)
      }
      return Effect.withClock(effect((millis) => offset += millis), walled)
    })
    const { exit, left } = runEvents(stepped, { interruptAt: 10 * hour })
    deepStrictEqual(left, nothing)
    return exit
  })

describe("a clock on the wall that is set", () => {
  const steps = [["forward", 10_000], ["back", -hour]] as const

  it.live.each(steps)(
    "%s, while calls run, has no part in what is learnt",
    ([, millis]) =>
      onTheWall((step) =>
        Effect.gen(function*() {
          const policy = yield* Hedge.make({ delay: Hedge.percentile(0.9, { max: "1 minute" }), budget: "unlimited" })
          const call = Effect.sleep(20).pipe(Hedge.hedge(policy))
          const calls = Effect.forEach(Array.from({ length: 100 }), () => call, {
            concurrency: "unbounded",
            discard: true
          })
          const stepping = Effect.delay(Effect.sync(() => step(millis)), 10)
          yield* Effect.all([calls, stepping], { concurrency: "unbounded", discard: true })
          const begunAt = yield* Clock.currentTimeNanos
          let sentAt = NaN
          let sent = 0
          const late = Effect.suspend(() =>
            sent++ === 0
              ? Effect.never
              : Effect.map(Clock.currentTimeNanos, (now) => sentAt = Number(now - begunAt) / 1e6)
          )
          yield* Hedge.hedge(late, policy)
          assertTrue(sentAt >= 20 && sentAt <= 20.3, `${sentAt}`)
          deepStrictEqual((yield* Hedge.stats(policy)).keys.map(({ count }) => count), [101])
        })
      )
  )

  it.live.each(steps)(
    "%s, makes what was deposited last as long as ever",
    ([, millis]) =>
      onTheWall((step) =>
        Effect.gen(function*() {
          const budget = yield* Hedge.makeBudget({ ratio: 1, window: "10 seconds" })
          const policy = yield* Hedge.make({ delay: "1 second", budget })
          const deposits = Effect.repeatN(Hedge.hedge(Effect.void, policy), 1)
          yield* deposits
          step(millis)
          yield* Effect.sleep(8000)
          const before = yield* Hedge.tryAcquire(budget)
          yield* Effect.sleep(3000)
          deepStrictEqual([before, yield* Hedge.tryAcquire(budget)], [true, false])
        })
      )
  )

  it.live.each(steps)(
    "%s, has no part in the time that is wasted",
    ([name, millis]) =>
      onTheWall((step) =>
        Effect.gen(function*() {
          let sent = 0
          const request = Effect.suspend(() => sent++ === 0 ? Effect.never : Effect.sleep(10))
          const stepping = Effect.delay(Effect.sync(() => step(millis)), 55)
          const call = Hedge.hedge(request, { delay: 50, name: `wall ${name}` })
          yield* Effect.all([call, stepping], { concurrency: "unbounded", discard: true })
          const { count } = yield* Metric.value(Metric.tagged(Hedge.metrics.wasted, "policy", `wall ${name}`))
          strictEqual(Math.round(count * 1000), 60)
        })
      )
  )
})
