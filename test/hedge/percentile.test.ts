import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as FastCheck from "effect/FastCheck"
import * as Random from "effect/Random"
import * as Hedge from "../../src/Hedge.js"
import { Sketch } from "../../src/internal/hedge/estimator.js"
import { inTime, virtually } from "../support/hedging.js"
import { seeded } from "../support/random.js"

/** What the copies of a call do; without a second one, it hangs. */
type Copies = readonly [first: Effect.Effect<unknown, string>, second?: Effect.Effect<unknown, string>]

const after = (millis: number) => Effect.sleep(millis)
const failsAfter = (millis: number) => Effect.delay(Effect.fail("failed"), millis)
/** Its copies are interrupted after so long. */
const cutOffAfter = (millis: number): Copies => [Effect.never, Effect.delay(Effect.void, millis)]

/** Calls on one policy; each gives when its copy was sent, in milliseconds from its begin, if it was. */
const callsOf = <A>(options: Omit<Hedge.MakeOptions<A, string>, "delay">, delay: Hedge.Percentile) =>
  Effect.map(Hedge.make<A, string>({ budget: "unlimited", ...options, delay }), (policy) => {
    const call = ([first, second = Effect.never]: Copies, key?: string): Effect.Effect<number | undefined> =>
      Effect.gen(function*() {
        let copies = 0
        let sentAt: number | undefined
        const begunAt = yield* Clock.currentTimeMillis
        const request = Effect.suspend(() => {
          if (copies++ === 0) {
            return first
          }
          return Effect.zipRight(Effect.map(Clock.currentTimeMillis, (at) => sentAt = at - begunAt), second)
        })
        yield* Effect.exit(Hedge.hedge(request as Effect.Effect<A, string>, policy, key === undefined ? {} : { key }))
        return sentAt
      })
    return {
      call,
      calls: (copies: ReadonlyArray<Copies>, key?: string) => Effect.forEach(copies, (copies) => call(copies, key)),
      /** The delay as it is now; the first copy that is sent for it is not recorded as having ended. */
      delay: (key?: string) => call(cutOffAfter(0), key)
    }
  })

const times = (count: number, ...copies: Copies): ReadonlyArray<Copies> => Array.from({ length: count }, () => copies)

/** The estimate of a delay: never too low, and at most 1 % too high. */
const isAbout = (estimate: number | undefined, exact: number) =>
  assertTrue(estimate !== undefined && estimate >= exact - 1e-6 && estimate <= exact * 1.01 + 1e-6, `${estimate}`)

describe("Hedge.percentile", () => {
  describe("the estimate", () => {
    it("is never below what was recorded, and at most 1 % above", () => {
      const values = FastCheck.array(FastCheck.double({ min: 0.02, max: 1e6, noNaN: true }), { minLength: 1 })
      FastCheck.assert(
        FastCheck.property(values, FastCheck.double({ min: 0.01, max: 0.99, noNaN: true }), (values, q) => {
          const sketch = new Sketch(1000)
          values.forEach((value) => sketch.record(value, "ended", 0))
          const exact = values.sort((a, b) => a - b)[Math.max(1, Math.ceil(q * values.length)) - 1] ?? NaN
          const ratio = sketch.quantile(q, 0) / exact
          assertTrue(ratio >= 1 - 1e-9 && ratio <= 1.01 + 1e-9, `${ratio}`)
        })
      )
    })

    it("goes from a hundredth of a millisecond to a day", () => {
      const day = 24 * 60 * 60 * 1000
      for (const [value, exact] of [[0, 0.01], [0.001, 0.01], [day, day], [100 * day, day], [Infinity, day]] as const) {
        const sketch = new Sketch(1000)
        sketch.record(value, "ended", 0)
        isAbout(sketch.quantile(0.5, 0), exact)
      }
    })

    it("is not a number where there is nothing", () => {
      strictEqual(new Sketch(1000).quantile(0.5, 0), NaN)
    })

    it("forgets after two windows at most, and not before one", () => {
      const sketch = new Sketch(1000)
      sketch.record(5, "ended", 0)
      sketch.record(50, "ended", 900)
      deepStrictEqual([sketch.count(999), sketch.count(1800), sketch.count(2000)], [2, 2, 0])
      sketch.record(5, "ended", 10_000)
      deepStrictEqual([sketch.count(10_500), sketch.count(20_000)], [1, 0])
    })

    it("forgets in the order in which it learnt", () => {
      const sketch = new Sketch(1000)
      sketch.record(5, "ended", 0)
      sketch.record(50, "ended", 1000)
      deepStrictEqual([sketch.count(1999), sketch.count(2000), sketch.count(2999), sketch.count(3000)], [2, 1, 1, 0])
      sketch.record(5, "cutOff", 5000)
      sketch.record(50, "ended", 6500)
      strictEqual(sketch.count(6999), 2)
      isAbout(sketch.quantile(0.5, 7000), 50)
      strictEqual(sketch.count(7000), 1)
    })

    it("a clock that is set back forgets nothing, and a window begins anew", () => {
      const sketch = new Sketch(1000)
      sketch.record(5, "ended", 5000)
      sketch.record(5, "ended", 100)
      deepStrictEqual([100, 1099, 1100, 2099, 2100].map((at) => sketch.count(at)), [2, 2, 2, 2, 0])
    })

    // Values that are the bounds of buckets, so that the estimate is exact.
    const bound = (index: number) => 0.01 * 1.01 ** index
    const observations = FastCheck.array(
      FastCheck.tuple(
        FastCheck.integer({ min: 0, max: 600 }),
        FastCheck.boolean(),
        FastCheck.integer({ min: 0, max: 2 })
      ),
      { minLength: 1, maxLength: 60 }
    )

    /** The share of what takes longer than a value, by the definition of Kaplan and Meier; none known beyond the last. */
    const survival =
      (seen: ReadonlyArray<readonly [index: number, isCutOff: boolean, window: number]>) => (at: number) => {
        const last = Math.max(...seen.map(([index]) => index))
        if (at > last) {
          return 0
        }
        const ends = [...new Set(seen.filter(([index, isCutOff]) => !isCutOff && index <= at).map(([index]) => index))]
        return ends.reduce((share, end) => {
          const atRisk = seen.filter(([index]) => index >= end).length
          const ended = seen.filter(([index, isCutOff]) => !isCutOff && index === end).length
          return share * (1 - ended / atRisk)
        }, 1)
      }

    /** The same values, in a sketch: those of window 0 are forgotten, those of 1 and 2 are known. */
    const sketchOf = (seen: ReadonlyArray<readonly [index: number, isCutOff: boolean, window: number]>) => {
      const sketch = new Sketch(1000)
      for (const window of [0, 1, 2]) {
        for (const [index, isCutOff, in_] of seen) {
          if (in_ === window) {
            sketch.record(bound(index) * (1 - 1e-9), isCutOff ? "cutOff" : "ended", window * 1000)
          }
        }
      }
      return sketch
    }

    it("is that of Kaplan and Meier, of what ended and what was cut off in the last windows", () => {
      FastCheck.assert(
        FastCheck.property(observations, FastCheck.integer({ min: 1, max: 99 }), (all, percent) => {
          const q = percent / 100
          const anchored = [...all, [300, false, 0], [300, false, 1]] as const
          const sketch = sketchOf(anchored)
          const seen = anchored.filter(([, , window]) => window > 0)
          const longer = survival(seen)
          const indexes = seen.map(([index]) => index).sort((a, b) => a - b)
          const exact = indexes.find((index) => longer(index) <= 1 - q + 1e-9) ?? Math.max(...indexes)
          const estimate = sketch.quantile(q, 2000)
          assertTrue(Math.abs(estimate / bound(exact) - 1) < 1e-6, `${estimate}, not ${bound(exact)}`)
        }),
        { numRuns: 500, seed: 1 }
      )
    })

    it("is exact at every percentile of a hundred, whatever products of fractions are off by", () => {
      const sketch = new Sketch(1000)
      for (let index = 1; index <= 100; index++) {
        sketch.record(bound(index) * (1 - 1e-9), "ended", 0)
      }
      for (let percent = 1; percent < 100; percent++) {
        const estimate = sketch.quantile(percent / 100, 0)
        assertTrue(Math.abs(estimate / bound(percent) - 1) < 1e-6, `${estimate} at ${percent}`)
      }
    })

    it("what auto chooses is no worse than any other choice, tried one by one, and within the ratio", () => {
      const bounds = FastCheck.tuple(FastCheck.integer({ min: 0, max: 600 }), FastCheck.integer({ min: 0, max: 600 }))
      let [early, unknown] = [0, 0]
      FastCheck.assert(
        FastCheck.property(
          observations,
          FastCheck.integer({ min: 1, max: 60 }),
          FastCheck.integer({ min: 50, max: 99 }),
          bounds,
          (all, ratioPercent, tailPercent, ends) => {
            const [ratio, tail] = [ratioPercent / 100, tailPercent / 100]
            const [min, max] = [Math.min(...ends), Math.max(...ends)]
            const anchored = [...all, [300, false, 1]] as const
            const seen = anchored.filter(([, , window]) => window > 0)
            const last = Math.max(...seen.map(([index]) => index))
            const shares = Array.from({ length: last + 1 }, (_, index) => survival(seen)(index))
            const longer = (value: number) =>
              value < 0.01 ? 1 : shares[Math.max(0, Math.ceil(Math.log(value / 0.01) / Math.log(1.01) - 1e-6))] ?? 0
            /** The quantile `tail` of calls of which some get a copy after `delay`, with that probability. */
            const tailOf = (delay: number, probability: number) => {
              const index = shares.findIndex((share, index) =>
                share * (1 - probability * (1 - longer(bound(index) - delay))) <= 1 - tail + 1e-9
              )
              return index < 0 ? Infinity : index
            }
            const { delay, probability } = sketchOf(anchored).choose(
              tail,
              ratio,
              { min: bound(min), max: bound(max) },
              2000
            )
            assertTrue(delay >= bound(min) * (1 - 1e-9) && delay <= bound(max) * (1 + 1e-9), `${delay}`)
            assertTrue(probability > 0 && probability <= 1, `${probability}`)
            const others = Array.from({ length: Math.max(0, Math.min(max, last) - min + 1) }, (_, offset) => {
              const delay = bound(min + offset)
              return tailOf(delay, Math.min(1, ratio / longer(delay)))
            })
            // Two that are the same but for rounding may be a bucket apart.
            const [chosen, least] = [tailOf(delay, probability), Math.min(...others)]
            assertTrue(chosen <= least + 1, `${chosen}, not ${least}`)
            const spent = probability * longer(delay)
            assertTrue(spent <= ratio + 1e-9, `${spent}, not ${ratio}`)
            if (least === Infinity) {
              // Too little is known of the tail: it is the percentile.
              const index = shares.findIndex((share) => share <= ratio + 1e-9)
              const latest = Math.min(Math.max(index < 0 ? last : index, min), max)
              assertTrue(Math.abs(delay / bound(latest) - 1) < 1e-6, `${delay}, not ${bound(latest)}`)
              assertTrue(probability === 1 || Math.abs(spent - ratio) < 1e-9, `${probability}`)
              unknown++
            }
            early += probability < 1 ? 1 : 0
          }
        ),
        { numRuns: 100, seed: 1, endOnFailure: true }
      )
      assertTrue(early > 20 && unknown > 5, `${early}, ${unknown}`)
    })
  })

  describe("the delay", () => {
    it.live("none is sent before twenty calls are known, by default", () =>
      inTime(Effect.gen(function*() {
        const { call, calls } = yield* callsOf({}, Hedge.percentile(0.9))
        deepStrictEqual(yield* calls(times(20, after(10))), times(20, after(10)).map(() => undefined))
        isAbout(yield* call([after(100), after(100)]), 10)
      })))

    it.live("none is sent before as many calls are known as it says", () =>
      inTime(Effect.gen(function*() {
        const { call, calls } = yield* callsOf({}, Hedge.percentile(0.9, { warmup: 3 }))
        yield* calls(times(2, after(10)))
        strictEqual(yield* call([after(100), after(100)]), undefined)
        isAbout(yield* call([after(200), after(200)]), 100)
      })))

    it.live("while it knows too little, a failure brings no copy either", () =>
      inTime(Effect.gen(function*() {
        const { call } = yield* callsOf({}, Hedge.percentile(0.9, { warmup: 3 }))
        strictEqual(yield* call([failsAfter(1), after(1)]), undefined)
      })))

    it.live.each<
      readonly [name: string, latencies: ReadonlyArray<readonly [count: number, latency: number]>, number, number]
    >([
      ["one in ten is as slow as the slowest of ten", [[8, 1], [2, 10]], 0.9, 10],
      ["90 of 50 and 10 of 100, at 0.99", [[90, 50], [10, 100]], 0.99, 100],
      ["90 of 50 and 10 of 100, at 0.90", [[90, 50], [10, 100]], 0.9, 50],
      ["90 of 50 and 10 of 100, just above 0.90", [[90, 50], [10, 100]], 0.901, 100],
      ["all the same", [[100, 30]], 0.5, 30]
    ])("is the percentile: %s", ([, latencies, quantile, exact]) =>
      inTime(Effect.gen(function*() {
        const total = latencies.reduce((sum, [count]) => sum + count, 0)
        const { calls, delay } = yield* callsOf({}, Hedge.percentile(quantile, { warmup: total }))
        for (const [count, latency] of latencies) {
          yield* calls(times(count, after(latency)))
        }
        isAbout(yield* delay(), exact)
      })))

    it.live.each<readonly [options: Hedge.PercentileOptions, latency: number, sentAt: number | undefined]>([
      [{}, 0, 1],
      [{ min: 10 }, 0, 10],
      [{ min: "10 millis" }, 9, 10],
      [{ max: 50 }, 40, 40],
      [{ max: 50 }, 60, 50],
      [{ max: 50, above: "stop" }, 60, undefined],
      [{ max: "50 millis", above: "clamp" }, 60, 50],
      [{ max: 50, min: 50, above: "clamp" }, 10, 50]
    ])("between bounds: %o, where calls take %s", ([options, latency, expected]) =>
      inTime(Effect.gen(function*() {
        const { calls, delay } = yield* callsOf({}, Hedge.percentile(0.5, { warmup: 5, ...options }))
        yield* calls(times(5, after(latency)))
        const sentAt = yield* Effect.timeoutTo(delay(), {
          duration: 1000,
          onSuccess: (sentAt) => sentAt,
          onTimeout: () => undefined
        })
        if (expected === undefined) {
          strictEqual(sentAt, undefined)
        } else {
          isAbout(sentAt, expected)
        }
      })))

    it.live("above the maximum, a failure brings no copy either, and it is looked at again", () =>
      inTime(Effect.gen(function*() {
        const { call, calls } = yield* callsOf({}, Hedge.percentile(0.5, { warmup: 5, max: 50, above: "stop" }))
        yield* calls(times(5, after(60)))
        strictEqual(yield* call([failsAfter(1), after(1)]), undefined)
        yield* calls(times(10, after(10)))
        isAbout(yield* call([after(100), after(100)]), 10)
      })))

    it.live("none before it knows enough, none above max, or after max", () =>
      Effect.gen(function*() {
        const slow = () => 100
        const delay = (options: Hedge.PercentileOptions) => ({ delay: Hedge.percentile(0.5, options) })
        strictEqual(yield* inTime(share(delay({ warmup: 50 }), 50, slow)), 0)
        const slower = () => {
          let calls = 0
          return () => calls++ < 20 ? 100 : 300
        }
        for (const probability of [1, "auto"] as const) {
          strictEqual(yield* inTime(share({ ...delay({ max: 50, above: "stop" }), probability }, 40, slower())), 0)
        }
        strictEqual(yield* inTime(share(delay({ max: 50 }), 40, slower())), 0.5)
      }))

    it.live("is looked at again when what is known has grown by more than a fiftieth", () =>
      inTime(Effect.gen(function*() {
        const { call } = yield* callsOf({}, Hedge.percentile(0.005, { warmup: 100, window: "1 hour" }))
        const late = call([after(70), after(70)])
        yield* Effect.repeatN(call([after(50)]), 99)
        isAbout(yield* late, 50)
        yield* call([after(10)])
        // Two more are known than when it was looked at, of 102; and then three.
        isAbout(yield* late, 50)
        isAbout(yield* late, 10)
      })))
  })

  describe("what is learnt", () => {
    /** The delay at a quantile, when calls of ten milliseconds and then these are known. */
    const learnt = (
      quantile: number,
      more: ReadonlyArray<Copies>,
      options: Pick<Hedge.Options<string>, "accept" | "probability"> = {}
    ) =>
      inTime(Effect.gen(function*() {
        const { calls, delay } = yield* callsOf<string>(options, Hedge.percentile(quantile, { warmup: 10 }))
        yield* calls(times(10, Effect.delay(Effect.succeed("ok"), 10)))
        yield* calls(more)
        return yield* delay()
      }))

    const bad = (millis: number) => Effect.delay(Effect.succeed("bad"), millis)
    const options = { accept: (answer: string) => answer !== "bad" }

    it.live("a first copy that was cut off would have taken longer", () =>
      Effect.gen(function*() {
        // Ten have ended after 10, ten were cut off after 11, ten have ended after 100.
        const more = [...times(10, ...cutOffAfter(1)), ...times(10, after(100), Effect.never)]
        isAbout(yield* learnt(0.3, more), 10)
        isAbout(yield* learnt(0.5, more), 100)
      }))

    it.live("copies that are sent later teach nothing", () =>
      Effect.gen(function*() {
        isAbout(yield* learnt(0.1, times(50, after(100), after(1))), 10)
        isAbout(yield* learnt(0.5, times(50, after(100), after(200))), 100)
      }))

    it.live("quick failures teach nothing", () =>
      Effect.map(learnt(0.1, times(50, failsAfter(1), failsAfter(1))), (delay) => isAbout(delay, 10)))

    it.live("nor do quick failures count as calls that are known", () =>
      inTime(Effect.gen(function*() {
        const { call, calls } = yield* callsOf({}, Hedge.percentile(0.5, { warmup: 10 }))
        yield* calls(times(20, failsAfter(1)))
        yield* calls(times(9, after(10)))
        strictEqual(yield* call([after(10), after(10)]), undefined)
        isAbout(yield* call([after(20), after(20)]), 10)
      })))

    it.live("nor do quick failures whose own parts were interrupted", () =>
      inTime(Effect.gen(function*() {
        const { call, calls } = yield* callsOf({}, Hedge.percentile(0.5, { warmup: 10 }))
        yield* calls(times(20, Effect.all([failsAfter(1), Effect.never], { concurrency: 2 }), failsAfter(1)))
        strictEqual(yield* call([after(10), after(10)]), undefined)
      })))

    it.live("slow failures count as cut off", () =>
      Effect.gen(function*() {
        isAbout(yield* learnt(0.9, times(20, failsAfter(100), failsAfter(200))), 100)
        isAbout(yield* learnt(0.3, [...times(10, failsAfter(20), failsAfter(200)), ...times(10, after(100))]), 10)
        isAbout(yield* learnt(0.5, [...times(10, failsAfter(20), failsAfter(200)), ...times(10, after(100))]), 100)
      }))

    it.live("slow failures count as cut off also where copies are drawn by lot", () =>
      Effect.map(
        learnt(0.9, times(20, failsAfter(100), failsAfter(200)), { probability: 1 - 1e-12 }),
        (delay) => isAbout(delay, 100)
      ))

    it.live("quick answers that are not accepted teach nothing", () =>
      Effect.map(learnt(0.1, times(50, bad(1), bad(1)), options), (delay) => isAbout(delay, 10)))

    it.live("slow answers that are not accepted count as cut off", () =>
      Effect.gen(function*() {
        const more = [...times(10, bad(20), bad(1)), ...times(10, Effect.delay(Effect.succeed("ok"), 100))]
        isAbout(yield* learnt(0.3, more, options), 10)
        isAbout(yield* learnt(0.5, more, options), 100)
      }))

    it.live("an answer of a later copy that is not accepted does not spoil what the first teaches", () =>
      Effect.gen(function*() {
        const ok = (millis: number) => Effect.delay(Effect.succeed("ok"), millis)
        const more = [...times(9, ok(100), bad(1)), ...times(9, ok(300))]
        isAbout(yield* learnt(0.5, more, options), 100)
      }))

    it.live("calls that are interrupted count as cut off", () =>
      inTime(Effect.gen(function*() {
        const { call, calls, delay } = yield* callsOf({}, Hedge.percentile(0.5, { warmup: 10 }))
        yield* calls(times(10, after(10)))
        yield* Effect.repeatN(Effect.timeoutOption(call([Effect.never]), 50), 19)
        isAbout(yield* delay(), 50)
      })))
  })

  /** Calls one after the other, whose first copies and others take what `latency` says; the share that got a copy. */
  const share = (options: Hedge.MakeOptions, calls: number, latency: (random: () => number) => number, seed = 1) =>
    Effect.gen(function*() {
      const random = seeded(seed)
      const policy = yield* Hedge.make({ budget: "unlimited", ...options })
      let requests = 0
      const request = Effect.suspend(() => {
        requests++
        return Effect.sleep(latency(random))
      })
      yield* Effect.repeatN(Hedge.hedge(request, policy), calls - 1)
      return (requests - calls) / calls
    })

  const exponential = (random: () => number) => -100 * Math.log(random())

  describe("in the long run", () => {
    it.live.each<readonly [quantile: number, calls: number]>([[0.9, 5000], [0.95, 6000], [0.99, 12_000]])(
      "sends a copy for the share of calls that it says, not more for what is cut off: %s",
      ([quantile, calls]) =>
        Effect.gen(function*() {
          const copies = yield* inTime(
            share({ delay: Hedge.percentile(quantile, { window: "1 hour" }) }, calls, exponential)
          )
          assertTrue(Math.abs(copies / (1 - quantile) - 1) < 0.2, `${copies} for ${quantile}`)
        })
    )

    it.live("goes along with answers that become slower within a window, and with those that become quicker within two", () =>
      inTime(Effect.gen(function*() {
        const window = 100_000
        const { calls, delay } = yield* callsOf({}, Hedge.percentile(0.9, { window }))
        /** Calls for so long, a tenth of which take `slow`. */
        const phase = (quick: number, slow: number, millis: number) =>
          Effect.gen(function*() {
            const until = (yield* Clock.currentTimeMillis) + millis
            while ((yield* Clock.currentTimeMillis) < until) {
              yield* calls(times(8, after(quick)))
              yield* calls(times(2, after(slow), Effect.never))
            }
          })
        yield* phase(50, 100, window)
        isAbout(yield* delay(), 100)
        yield* phase(200, 400, window)
        isAbout(yield* delay(), 400)
        yield* phase(50, 100, 2 * window)
        isAbout(yield* delay(), 100)
        yield* phase(12.5, 25, 2 * window)
        isAbout(yield* delay(), 25)
      })))

    it.live("has forgotten what is older than two windows", () =>
      inTime(Effect.gen(function*() {
        const { calls, delay } = yield* callsOf({}, Hedge.percentile(0.5, { window: 1000, warmup: 5 }))
        yield* calls(times(30, after(10)))
        yield* Effect.sleep(700)
        yield* calls(times(5, after(40)))
        isAbout(yield* delay(), 10)
        yield* Effect.sleep(800)
        isAbout(yield* delay(), 40)
      })))

    it.live("knows nothing any more when it was idle for longer than two windows", () =>
      inTime(Effect.gen(function*() {
        const { call, calls } = yield* callsOf({}, Hedge.percentile(0.5, { window: 1000, warmup: 5 }))
        yield* calls(times(20, after(10)))
        isAbout(yield* call([after(100), after(100)]), 10)
        yield* Effect.sleep(2001)
        strictEqual(yield* call([after(100), after(100)]), undefined)
        yield* calls(times(4, after(20)))
        isAbout(yield* call([after(100), after(100)]), 20)
      })))

    it.live("half a minute counts by default, twice that at most", () =>
      inTime(Effect.gen(function*() {
        const { call, calls } = yield* callsOf({}, Hedge.percentile(0.5, { warmup: 5 }))
        yield* calls(times(5, after(10)))
        yield* Effect.sleep(30_000)
        isAbout(yield* call([after(100), after(100)]), 10)
        yield* Effect.sleep(30_000)
        strictEqual(yield* call([after(100), after(100)]), undefined)
      })))
  })

  describe("keys", () => {
    it.live("calls of different keys do not learn from each other", () =>
      inTime(Effect.gen(function*() {
        const { call, calls, delay } = yield* callsOf({}, Hedge.percentile(0.9, { warmup: 5 }))
        yield* calls(times(10, after(10)), "fast")
        yield* calls(times(10, after(1000)), "slow")
        isAbout(yield* delay("fast"), 10)
        isAbout(yield* delay("slow"), 1000)
        strictEqual(yield* call([after(10), after(10)]), undefined)
        strictEqual(yield* call([after(10), after(10)], "other"), undefined)
      })))

    it.live("of very many keys, those that were not called for longest are forgotten", () =>
      inTime(Effect.gen(function*() {
        const { call, delay } = yield* callsOf({}, Hedge.percentile(0.9, { warmup: 1 }))
        yield* call([after(10)], "first")
        yield* Effect.forEach(Array.from({ length: 1000 }), (_, index) => call([after(10)], `key ${index}`))
        // It knows nothing of this one any more, and so sends no copy; of the last it does.
        strictEqual(yield* call([after(100)], "first"), undefined)
        isAbout(yield* delay("key 999"), 10)
        isAbout(yield* delay("key 800"), 10)
      })))

    it.live("two hundred and fifty-six keys are known", () =>
      inTime(Effect.gen(function*() {
        const { call, delay } = yield* callsOf({}, Hedge.percentile(0.9, { warmup: 1 }))
        yield* Effect.forEach(Array.from({ length: 257 }), (_, index) => call([after(10)], `key ${index}`))
        isAbout(yield* delay("key 1"), 10)
        strictEqual(yield* call([after(100)], "key 0"), undefined)
      })))

    it.live("one that is called now and then stays, however many others there are", () =>
      inTime(Effect.gen(function*() {
        const { call, delay } = yield* callsOf({}, Hedge.percentile(0.9, { warmup: 400 }))
        yield* Effect.forEach(
          Array.from({ length: 500 }),
          (_, index) => Effect.zipRight(call([after(10)], "often"), call([after(10)], `other ${index}`))
        )
        isAbout(yield* delay("often"), 10)
      })))
  })

  describe("probability", () => {
    /** For each of so many calls that are late, whether it got a copy. */
    const late = (options: Partial<Hedge.Options>, calls: number, request: Effect.Effect<void, string> = after(10)) =>
      Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: 5, budget: "unlimited", ...options })
        const got: Array<boolean> = []
        for (let call = 0; call < calls; call++) {
          let requests = 0
          yield* Effect.exit(Hedge.hedge(Effect.suspend(() => (requests++, request)), policy))
          got.push(requests > 1)
        }
        return got
      })

    const seed = <A>(effect: Effect.Effect<A>) => Effect.withRandom(effect, Random.make("a seed"))

    it.live.each([[0, 0], [1, 50]])(
      "%s: %s of fifty get one",
      ([probability, expected]) =>
        inTime(Effect.gen(function*() {
          strictEqual((yield* late({ probability }, 50)).filter(Boolean).length, expected)
        }))
    )

    it.live("one of two: it is drawn from the random numbers in the environment, once for each call", () =>
      inTime(Effect.gen(function*() {
        for (const probability of [0.5, 0.2]) {
          const drawn = yield* seed(Effect.all(Array.from({ length: 100 }, () => Random.next)))
          deepStrictEqual(yield* seed(late({ probability }, 100)), drawn.map((drawn) => drawn < probability))
        }
      })))

    it.live("a certain copy draws nothing", () =>
      inTime(Effect.gen(function*() {
        const first = yield* seed(Random.next)
        strictEqual(yield* seed(Effect.zipRight(late({}, 10), Random.next)), first)
      })))

    it.live("a copy that a failure brings forward is always sent", () =>
      inTime(Effect.gen(function*() {
        deepStrictEqual(yield* late({ probability: 0 }, 10, failsAfter(1)), Array.from({ length: 10 }, () => true))
      })))

    it.live("all copies of a call, or none", () =>
      inTime(seed(Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: 1, maxHedges: 3, probability: 0.5, budget: "unlimited" })
        const sent = new Set<number>()
        for (let call = 0; call < 30; call++) {
          let requests = 0
          yield* Hedge.hedge(Effect.suspend(() => (requests++, after(10))), policy)
          sent.add(requests)
        }
        deepStrictEqual([...sent].sort(), [1, 4])
      }))))

    it.live("of a percentile: it holds for each call that is late", () =>
      inTime(Effect.gen(function*() {
        const delay = Hedge.percentile(0.9, { window: "1 hour" })
        const copies = yield* seed(share({ delay, probability: 0.5 }, 6000, exponential))
        assertTrue(Math.abs(copies / 0.05 - 1) < 0.2, `${copies}`)
      })))

    it.live.each<readonly [quantile: number, budget: Hedge.MakeOptions["budget"], expected: number]>([
      [0.9, "unlimited", 0.1],
      [0.95, { ratio: 1 }, 0.05],
      [0.8, { ratio: 0.05, burst: Infinity, window: "10 hours" }, 0.05]
    ])(
      "auto keeps the share of copies, and within the ratio of the budget: %s, %o",
      ([quantile, budget, expected]) =>
        inTime(Effect.gen(function*() {
          const options = {
            delay: Hedge.percentile(quantile, { window: "1 hour" }),
            probability: "auto",
            budget
          } as const
          // One in twenty is ten times as slow.
          const latency = (random: () => number) => (random() < 0.05 ? 10 : 1) * (10 + 10 * random())
          const copies = yield* seed(share(options, 5000, latency))
          assertTrue(Math.abs(copies / expected - 1) < 0.25, `${copies}, not ${expected}`)
        }))
    )

    it.live("auto sends copies earlier than the percentile, to a part of the late calls", () =>
      inTime(Effect.gen(function*() {
        const delays = (probability: "auto" | 1) =>
          seed(Effect.gen(function*() {
            const delay = Hedge.percentile(0.98, { window: "1 hour" })
            const { calls } = yield* callsOf({ probability, tail: 0.97 }, delay)
            const random = seeded(2)
            const latency = () => (random() < 0.05 ? 10 : 1) * (10 + 10 * random())
            const sentAt = yield* calls(Array.from({ length: 3000 }, () => [after(latency()), after(latency())]))
            const last = sentAt.filter((at) => at !== undefined).slice(-10)
            return last.reduce((sum, at) => sum + at, 0) / last.length
          }))
        assertTrue((yield* delays("auto")) < (yield* delays(1)) / 2)
      })))
  })

  const senseless: ReadonlyArray<readonly [make: () => unknown, message: string]> = [
    [() => Hedge.percentile(0), "option \"quantile\" must be a number between 0 and 1, got 0"],
    [() => Hedge.percentile(1), "option \"quantile\" must be a number between 0 and 1, got 1"],
    [() => Hedge.percentile(NaN), "option \"quantile\" must be a number between 0 and 1, got NaN"],
    [() => Hedge.percentile(0.5, { warmup: 0 }), "option \"warmup\" must be a whole number of at least 1, got 0"],
    [() => Hedge.percentile(0.5, { warmup: 1.5 }), "option \"warmup\" must be a whole number of at least 1, got 1.5"],
    [
      () => Hedge.percentile(0.5, { window: 0 }),
      "option \"window\" must be a duration of at least a millisecond, and finite, got 0"
    ],
    [
      () => Hedge.percentile(0.5, { window: "Infinity" as "1 second" }),
      "option \"window\" must be a duration of zero or more, got \"Infinity\""
    ],
    [() => Hedge.percentile(0.5, { min: 5, max: 4 }), "option \"max\" must be at least min, got 4"],
    [() => Hedge.percentile(0.5, { min: -1 }), "option \"min\" must be a duration of zero or more, got -1"],
    [() => Hedge.percentile(0.5, { max: NaN }), "option \"max\" must be a duration of zero or more, got NaN"],
    [
      () => Hedge.percentile(0.5, { above: "halt" as "stop" }),
      "option \"above\" must be \"stop\" or \"clamp\", got \"halt\""
    ],
    [() => Effect.runSync(Hedge.make({ delay: -1 })), "option \"delay\" must be a duration of zero or more, got -1"],
    [
      () => Effect.runSync(Hedge.make({ delay: 1, maxHedges: 0.5 })),
      "option \"maxHedges\" must be a whole number of at least 0, got 0.5"
    ],
    [
      () => Effect.runSync(Hedge.make({ delay: 1, maxHedges: -1 })),
      "option \"maxHedges\" must be a whole number of at least 0, got -1"
    ],
    [
      () => Effect.runSync(Hedge.make({ delay: 1, probability: 1.5 })),
      "option \"probability\" must be a number from 0 to 1, got 1.5"
    ],
    [
      () => Effect.runSync(Hedge.make({ delay: 1, probability: "auto" })),
      "option \"probability\" must be a number from 0 to 1 unless the delay is a percentile, got \"auto\""
    ],
    [
      () => Effect.runSync(Hedge.make({ delay: Hedge.percentile(0.5), tail: 1 })),
      "option \"tail\" must be a number between 0 and 1, got 1"
    ],
    [
      () => Effect.runSync(Hedge.make({ delay: 1, name: "" })),
      "option \"name\" must be a string that is not empty, got \"\""
    ],
    [
      () => Effect.runSync(Hedge.make({ delay: 1, accept: true as unknown as () => boolean })),
      "option \"accept\" must be a function, got true"
    ],
    [
      () => Effect.runSync(Hedge.make({ delay: 1, fatal: true as unknown as () => boolean })),
      "option \"fatal\" must be a function, got true"
    ],
    [
      () => Effect.runSync(Hedge.make({ delay: 1, pushback: true as unknown as () => boolean })),
      "option \"pushback\" must be a function, got true"
    ],
    [
      () => Effect.runSync(Hedge.makeBudget({ ratio: 1.1 })),
      "option \"ratio\" must be a number from 0 to 1, got 1.1"
    ],
    [
      () => Effect.runSync(Hedge.hedge(Effect.void, { delay: Hedge.percentile(0.5) })),
      "option \"delay\" must be a duration or a schedule, or that of a policy that is made once, by Hedge.make, got \"Percentile\""
    ]
  ]
  it.live.each(senseless.map(([make, message]) => [message, make] as const))(
    "what makes no sense is named: %s",
    ([message, make]) =>
      Effect.sync(() => {
        let text = ""
        try {
          make()
        } catch (error) {
          text = String(error)
        }
        assertTrue(text.includes(`Hedge: ${message}`), text)
      })
  )

  it.live("an option of a call that makes no sense is a defect of that call", () =>
    Effect.gen(function*() {
      const { exit } = yield* virtually(Effect.sandbox(Hedge.hedge(Effect.void, { delay: NaN })))
      assertTrue(exit._tag === "Failure" && Cause.pretty(exit.cause).includes("option \"delay\" must be"))
    }))
})
