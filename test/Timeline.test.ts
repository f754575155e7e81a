import { describe, it } from "@effect/vitest"
import { assertTrue } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as TestClock from "effect/TestClock"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Cause from "effect/Cause"
import * as StaggeredRace from "../src/StaggeredRace.js"
import * as Timeline from "../src/Timeline.js"

const play = (candidates: Array<Effect.Effect<any, any>>, options: any, opts?: any) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(StaggeredRace.outcome(candidates, options))
    yield* TestClock.adjust("100 minutes")
    const outcome = yield* Fiber.join(fiber)
    console.log("\n" + Timeline.render(outcome as any, opts))
    return outcome
  })
const fail = (e: unknown, ms: number) => Effect.delay(Effect.fail(e), ms)
const ok = (ms: number) => Effect.delay(Effect.succeed(1), ms)
describe("x", () => {
  it.effect("demo", () => Effect.gen(function*() {
    yield* play([fail("connection refused", 150), Effect.onInterrupt(ok(2000), () => Effect.sleep(100)), ok(300)], { delay: 250 }, { labels: ["ams", "fra", "lon"], width: 72 })
    yield* play([fail("connection refused", 300), Effect.onInterrupt(ok(2000), () => Effect.sleep(150)), Effect.uninterruptible(ok(420)), ok(200)], { delay: 250 })
    yield* play([fail("connection refused", 300), Effect.onInterrupt(ok(2000), () => Effect.sleep(150)), Effect.uninterruptible(ok(420)), ok(200)], { delay: 250 }, { width: 40, labels: ["2001:db8::1", "2001:db8::2", "日本語ラベルです長い", "🙂 smile\nx"] })
    yield* play([fail("connection refused", 300), fail(new Error("boom"), 5), Effect.die("x")], { delay: 250 })
    yield* play([fail("no", 300), Effect.onInterrupt(ok(2000), () => Effect.sleep(150)), fail({ _tag: "Fatal" }, 400), ok(200)], { delay: 250, fatal: (c: any) => Cause.pretty(c).includes("Fatal") })
    yield* play([], { delay: 250 })
    yield* play([Effect.succeed(1)], { delay: 250 })
    yield* play([Effect.fail("a"), Effect.fail("b"), Effect.succeed(1)], { delay: 250 })
    yield* play([fail("a", 20000), ok(90000), ok(30000)], { delay: "15 seconds" })
    const many = yield* play(Array.from({ length: 1000 }, (_, i) => i === 700 ? ok(900) : i % 3 ? fail("refused " + i, 3 + i % 7) : ok(1e7)), { delay: 10 }, { maxRows: 12 })
    console.log(Timeline.render(many as any, { maxRows: 5, width: 200, color: true }))
  }))
})
