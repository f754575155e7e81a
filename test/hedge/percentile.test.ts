import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Random from "effect/Random"
import * as Hedge from "../../src/Hedge.js"
import { Sketch } from "../../src/internal/hedge/sketch.js"
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
    it("is never below what was recorded, and at most 1 % above: the percentile of what comes next", () => {
      const values = FastCheck.array(FastCheck.double({ min: 0.02, max: 1e6, noNaN: true }), { minLength: 1 })
      FastCheck.assert(
        FastCheck.property(values, FastCheck.double({ min: 0.01, max: 0.99, noNaN: true }), (values, q) => {
          const sketch = new Sketch(1000, 1)
          values.forEach((value) => sketch.record(value, "ended", 0))
          const rank = Math.ceil(q * (values.length + 1) - 1e-9)
          const exact = values.sort((a, b) => a - b)[Math.min(rank, values.length) - 1] ?? NaN
          const ratio = sketch.quantile(q, 0) / exact
          assertTrue(ratio >= 1 - 1e-9 && ratio <= 1.01 + 1e-9, `${ratio}`)
        })
      )
    })

    it("goes from a hundredth of a millisecond to a day", () => {
      const day = 24 * 60 * 60 * 1000
      for (const [value, exact] of [[0, 0.01], [0.001, 0.01], [day, day], [100 * day, day], [Infinity, day]] as const) {
        const sketch = new Sketch(1000, 1)
        sketch.record(value, "ended", 0)
        isAbout(sketch.quantile(0.5, 0), exact)
      }
    })

    it("is not a number where there is nothing", () => {
      strictEqual(new Sketch(1000, 1).quantile(0.5, 0), NaN)
    })

    it("forgets after two windows at most, and not before one", () => {
      const sketch = new Sketch(1000, 1)
      sketch.record(5, "ended", 0)
      sketch.record(50, "ended", 900)
      deepStrictEqual([sketch.count(999), sketch.count(1800)], [2, 2])
      sketch.record(5, "ended", 1900)
      deepStrictEqual([sketch.count(1999), sketch.count(2000), sketch.count(2999)], [3, 1, 1])
    })

    it("forgets in the order in which it learnt", () => {
      const sketch = new Sketch(1000, 1)
      sketch.record(5, "ended", 0)
      sketch.record(50, "ended", 1000)
      deepStrictEqual([sketch.count(1999), sketch.count(2000)], [2, 1])
      isAbout(sketch.quantile(0.5, 2999), 50)
    })

    it("a window lasts until enough has ended in it, whatever was cut off", () => {
      const sketch = new Sketch(1000, 2)
      const at = (now: number, ...record: ReadonlyArray<"ended" | "cutOff">) => {
        record.forEach((how) => sketch.record(5, how, now))
        return [sketch.count(now), sketch.ended(now)]
      }
      deepStrictEqual(at(0, "ended"), [1, 1])
      deepStrictEqual(at(5000, "cutOff", "cutOff", "cutOff"), [4, 1])
      deepStrictEqual(at(9000, "ended"), [5, 2])
      // The window has ended then, and the next one lasts for its time, or for longer.
      deepStrictEqual(at(9999, "ended", "ended"), [7, 4])
      deepStrictEqual(at(10_000), [2, 2])
      deepStrictEqual(at(50_000), [2, 2])
    })

    it("after a pause, what was known before it is forgotten as soon as enough is new", () => {
      const sketch = new Sketch(1000, 2)
      const ended = [0, 1, 2, 9000, 9001, 9002].map((now) => {
        sketch.record(5, "ended", now)
        return sketch.ended(now)
      })
      deepStrictEqual(ended, [1, 2, 3, 4, 2, 3])
    })

    it("a clock that is set back forgets nothing, and a window begins anew", () => {
      const sketch = new Sketch(1000, 1)
      sketch.record(5, "ended", 5000)
      sketch.record(5, "ended", 100)
      sketch.record(5, "ended", 1099)
      deepStrictEqual([1099, 1100, 2099].map((at) => sketch.count(at)), [3, 3, 3])
      sketch.record(5, "ended", 2099)
      deepStrictEqual([2099, 2100].map((at) => sketch.count(at)), [4, 1])
    })

    describe("where it is beyond all that has ended", () => {
      const sketchOf = (...cutOff: ReadonlyArray<number>) => {
        const sketch = new Sketch(1000, 1)
        for (let value = 1; value <= 19; value++) {
          sketch.record(value * 10, "ended", 0)
        }
        cutOff.forEach((value) => sketch.record(value, "cutOff", 0))
        return sketch
      }

      it("not a number, if nothing has", () => {
        const sketch = new Sketch(1000, 1)
        sketch.record(50, "cutOff", 0)
        strictEqual(sketch.quantile(0.5, 0), NaN)
      })

      it("the greatest that has, if no more was cut off", () => {
        isAbout(sketchOf().quantile(0.99, 0), 190)
      })

      it("the greatest that was cut off, if that is within chance, and at most twice what has ended", () => {
        isAbout(sketchOf(200).quantile(0.95, 0), 200)
        isAbout(sketchOf(200, 300, 250).quantile(0.95, 0), 300)
        isAbout(sketchOf(200, 5000, 250).quantile(0.95, 0), 380)
      })

      it("the greatest that has, if more was cut off than chance explains", () => {
        isAbout(sketchOf(...Array.from({ length: 4 }, () => 300)).quantile(0.95, 0), 300)
        isAbout(sketchOf(...Array.from({ length: 5 }, () => 300)).quantile(0.95, 0), 190)
        isAbout(sketchOf(...Array.from({ length: 5 }, () => 300)).quantile(0.5, 0), 130)
        isAbout(sketchOf(...Array.from({ length: 100_000 }, () => 5000)).quantile(0.5, 0), 190)
      })
    })

    it("counts as far as doubles do, in as few bytes as that takes", () => {
      const sketch = new Sketch(1000, 1)
      const bytes = [1, 255, 256, 65_535, 65_536].map((count) => {
        while (sketch.count(0) < count) {
          sketch.record(5, "ended", 0)
        }
        return sketch.bytes
      })
      deepStrictEqual(bytes, [32, 32, 64, 64, 128])
      sketch.record(10, "ended", 0)
      isAbout(sketch.quantile(0.9999, 0), 5)
      isAbout(sketch.quantile(0.99999, 0), 10)
    })

    it.each(
      [
        ["one call a second", 1, 30],
        ["a hundred calls a second", 1, 3000],
        ["a thousand calls a second, most of them alike", 0.5, 30_000],
        ["a thousand calls a second, of which some take a thousand times as long", 1.5, 30_000]
      ] as const
    )("a key takes at most eight kilobytes, of two windows full of log-normal latencies: %s", (_, sigma, calls) => {
      const random = seeded(1)
      const normal = () => Math.sqrt(-2 * Math.log(random())) * Math.cos(2 * Math.PI * random())
      const sketch = new Sketch(30_000, 20)
      for (let call = 0; call < 2 * calls; call++) {
        const latency = 20 * Math.exp(sigma * normal())
        const delay = 20 * Math.exp(sigma * 1.645)
        // A hedge takes as long as a first request, and one call in a hundred hangs for a while.
        const hedge = delay + 20 * Math.exp(sigma * normal())
        const isCutOff = latency > hedge
        sketch.record(isCutOff ? hedge : latency, isCutOff ? "cutOff" : "ended", call * 30_000 / calls)
      }
      assertTrue(sketch.count(59_999) === 2 * calls && sketch.bytes <= 8192, `${sketch.bytes}`)
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

    /**
     * The share of what comes next and takes longer than a value, by the definition of Kaplan and Meier: that of what was
     * seen and of one more, which takes longer than all of it. None known beyond the last.
     */
    const survival =
      (seen: ReadonlyArray<readonly [index: number, isCutOff: boolean, window: number]>) => (at: number) => {
        const last = Math.max(...seen.map(([index]) => index))
        if (at > last) {
          return 0
        }
        const ends = [...new Set(seen.filter(([index, isCutOff]) => !isCutOff && index <= at).map(([index]) => index))]
        const longer = ends.reduce((share, end) => {
          const atRisk = seen.filter(([index]) => index >= end).length
          const ended = seen.filter(([index, isCutOff]) => !isCutOff && index === end).length
          return share * (1 - ended / atRisk)
        }, 1)
        return (seen.length * longer + 1) / (seen.length + 1)
      }

    /** The index of what a quantile is taken to be that is beyond all that has ended. */
    const beyond = (
      seen: ReadonlyArray<readonly [index: number, isCutOff: boolean, window: number]>,
      share: number
    ): number => {
      const indexes = seen.map(([index]) => index)
      const last = Math.max(...seen.filter(([, isCutOff]) => !isCutOff).map(([index]) => index))
      const expected = share * seen.length
      return indexes.filter((index) => index > last).length > expected + 3 * Math.sqrt(expected)
        ? last
        : Math.min(Math.max(...indexes), last + Math.log(2) / Math.log(1.01))
    }

    /** The same values, in a sketch: those of window 0 are forgotten, those of 1 and 2 are known. */
    const sketchOf = (seen: ReadonlyArray<readonly [index: number, isCutOff: boolean, window: number]>) => {
      const sketch = new Sketch(1000, 1)
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
          const exact = indexes.find((index) => longer(index) <= 1 - q + 1e-9) ?? beyond(seen, 1 - q)
          const estimate = sketch.quantile(q, 2000)
          assertTrue(Math.abs(estimate / bound(exact) - 1) < 1e-6, `${estimate}, not ${bound(exact)}`)
        }),
        { numRuns: 500, seed: 1 }
      )
    })

    it("is exact at every percentile of a hundred, whatever products of fractions are off by", () => {
      const sketch = new Sketch(1000, 1)
      for (let index = 1; index < 100; index++) {
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
            const anchored = [...all, [300, false, 0], [300, false, 1]] as const
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
              const latest = Math.min(Math.max(index < 0 ? beyond(seen, ratio) : index, min), max)
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

    it.live.each<readonly [quantile: number, calls: number]>([[0.01, 20], [0.95, 20], [0.98, 50], [0.99, 100], [
      0.999,
      1000
    ]])(
      "none is sent before it can be as rare as it is to be, by default: %s",
      ([quantile, count]) =>
        inTime(Effect.gen(function*() {
          const { call, calls } = yield* callsOf({}, Hedge.percentile(quantile))
          const slow = quantile > 0.5 ? [after(30)] as const : [after(10)] as const
          deepStrictEqual(
            yield* calls([...times(count - 1, after(10)), slow]),
            times(count, after(10)).map(() => undefined)
          )
          isAbout(yield* call([after(100), after(100)]), quantile > 0.5 ? 30 : 10)
        }))
    )

    it.live("a shorter warm-up begins with the greatest that is known, and does not forget earlier", () =>
      inTime(Effect.gen(function*() {
        const { call, calls, delay } = yield* callsOf({}, Hedge.percentile(0.95, { warmup: 3, window: 100 }))
        yield* calls([[after(70)], ...times(2, after(10))])
        isAbout(yield* call([after(100), after(100)]), 70)
        // The window has lasted for its time, but fewer than twenty are known.
        yield* calls(times(15, after(10)))
        isAbout(yield* delay(), 100)
        yield* calls(times(40, after(10)))
        isAbout(yield* delay(), 10)
      })))

    it.live("it does not run away where one server of three hangs", () =>
      inTime(Effect.gen(function*() {
        const { call, delay } = yield* callsOf({}, Hedge.percentile(0.95))
        for (let index = 0; index < 3000; index++) {
          const isHanging = index > 30 && index % 3 === 0
          yield* call(isHanging ? [Effect.never, after(20)] : [after(10 + index % 50), after(100)])
        }
        isAbout(yield* delay(), 59)
      })))

    it.live("what is known is kept while nothing ends", () =>
      inTime(Effect.gen(function*() {
        const { call, calls, delay } = yield* callsOf({}, Hedge.percentile(0.9, { window: 1000 }))
        yield* calls(times(100, after(10)))
        yield* Effect.repeatN(Effect.timeoutOption(call([Effect.never]), 5000), 99)
        isAbout(yield* delay(), 10)
        yield* calls(times(1000, after(40), Effect.never))
        isAbout(yield* delay(), 40)
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
      ["91 of 50 and 9 of 100, at 0.99", [[91, 50], [9, 100]], 0.99, 100],
      ["91 of 50 and 9 of 100, at 0.90", [[91, 50], [9, 100]], 0.9, 50],
      ["91 of 50 and 9 of 100, just above 0.90", [[91, 50], [9, 100]], 0.902, 100],
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
      [{ max: 50, aboveMax: "skip" }, 60, undefined],
      [{ max: "50 millis", aboveMax: "clamp" }, 60, 50],
      [{ max: 50, min: 50, aboveMax: "clamp" }, 10, 50]
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
        const { call, calls } = yield* callsOf({}, Hedge.percentile(0.5, { warmup: 5, max: 50, aboveMax: "skip" }))
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
          strictEqual(yield* inTime(share({ ...delay({ max: 50, aboveMax: "skip" }), probability }, 40, slower())), 0)
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
        isAbout(yield* learnt(0.3, [...times(10, failsAfter(20), failsAfter(200)), ...times(10, after(100))]), 10)
        isAbout(yield* learnt(0.5, [...times(10, failsAfter(20), failsAfter(200)), ...times(10, after(100))]), 100)
      }))

    it.live("slow failures count as cut off also where copies are drawn by lot", () =>
      Effect.map(
        learnt(0.4, [...times(20, failsAfter(100), failsAfter(200)), ...times(10, after(300))], {
          probability: 1 - 1e-12
        }),
        (delay) => isAbout(delay, 300)
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
        yield* calls(times(10, after(100)))
        isAbout(yield* delay(), 100)
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

    it.live("after a pause, goes by what it knew until enough is new", () =>
      inTime(Effect.gen(function*() {
        const { calls, delay } = yield* callsOf({}, Hedge.percentile(0.5, { window: 1000, warmup: 5 }))
        yield* calls(times(20, after(10)))
        yield* Effect.sleep(100_000)
        isAbout(yield* delay(), 10)
        yield* calls(times(4, after(20)))
        isAbout(yield* delay(), 10)
        yield* calls(times(1, after(20)))
        isAbout(yield* delay(), 20)
      })))

    it.live("half a minute counts by default, twice that at most", () =>
      inTime(Effect.gen(function*() {
        const { calls, delay } = yield* callsOf({}, Hedge.percentile(0.5, { warmup: 5 }))
        yield* calls(times(10, after(10)))
        yield* Effect.sleep(30_000)
        yield* calls(times(5, after(40)))
        isAbout(yield* delay(), 10)
        yield* Effect.sleep(30_000)
        isAbout(yield* delay(), 40)
      })))

    it.live.each<readonly [quantile: number, callsPerSecond: number]>([
      [0.95, 0.3],
      [0.95, 1],
      [0.95, 5],
      [0.99, 0.3],
      [0.99, 1]
    ])("of few calls, as few get a hedge as it says: %s, %s a second", ([quantile, rate]) =>
      Effect.gen(function*() {
        const random = seeded(3)
        const { call } = yield* callsOf({}, Hedge.percentile(quantile))
        const calls = 200 / (1 - quantile)
        let late = 0
        for (let index = 0; index < calls; index++) {
          yield* Effect.sleep(-1000 / rate * Math.log(random()))
          const sentAt = yield* call([after(exponential(random)), after(exponential(random))])
          late += sentAt === undefined ? 0 : 1
        }
        assertTrue(late > 0.7 * 200 && late < 1.2 * 200, `${late}, not 200`)
      }).pipe(inTime))
  })

  describe("keys", () => {
    it.live("calls of different keys do not learn from each other", () =>
      inTime(Effect.gen(function*() {
        const { calls, delay } = yield* callsOf({}, Hedge.percentile(0.9, { warmup: 5 }))
        yield* calls(times(10, after(10)), "fast")
        yield* calls(times(10, after(1000)), "slow")
        isAbout(yield* delay("fast"), 10)
        isAbout(yield* delay("slow"), 1000)
      })))

    it.live("a key that knows too little goes by what all know, and then by its own", () =>
      inTime(Effect.gen(function*() {
        const { call, calls, delay } = yield* callsOf({}, Hedge.percentile(0.9, { warmup: 12 }))
        strictEqual(yield* call([after(100), after(100)], "new"), undefined)
        yield* calls(times(10, after(1000)), "slow")
        strictEqual(yield* call([after(10)], "new"), undefined)
        isAbout(yield* call([after(2000), after(2000)], "new"), 1000)
        yield* calls(times(8, after(10)), "new")
        isAbout(yield* delay("new"), 1000)
        yield* calls(times(30, after(10)), "new")
        isAbout(yield* delay("new"), 10)
      })))

    it.live("calls without a key go by all", () =>
      inTime(Effect.gen(function*() {
        const { calls, delay } = yield* callsOf({}, Hedge.percentile(0.5, { warmup: 5 }))
        yield* calls(times(3, after(10)), "fast")
        yield* calls(times(6, after(30)))
        yield* calls(times(3, after(1000)), "slow")
        isAbout(yield* delay(), 30)
        isAbout(yield* delay(""), 30)
      })))

    it.live("more keys in turn than are known get hedges all the same", () =>
      inTime(Effect.gen(function*() {
        const { call } = yield* callsOf({}, Hedge.percentile(0.9))
        const calls = Array.from({ length: 2 * 257 }, (_, index) => call([after(10)], `key ${index % 257}`))
        yield* Effect.all(calls)
        isAbout(yield* call([after(100), after(100)], "key 0"), 10)
      })))

    /** Calls of so many keys, those of the first two quicker than the others. */
    const many = (keys: number, options: Hedge.PercentileOptions = {}) =>
      Effect.map(callsOf({}, Hedge.percentile(0.5, { warmup: 1, ...options })), ({ call, delay }) => ({
        call,
        delay,
        calls: Effect.forEach(
          Array.from({ length: keys }),
          (_, index) => call([after(index < 2 ? 10 : 1000)], `key ${index}`)
        )
      }))

    it.live.each<readonly [name: string, keys: number, options: Hedge.PercentileOptions]>([
      ["256 by default", 257, {}],
      ["as many as the option says", 31, { keys: 30 }]
    ])(
      "of many keys, those that were not called for longest begin anew: %s",
      ([, keys, options]) =>
        inTime(Effect.gen(function*() {
          const { calls, delay } = yield* many(keys, options)
          yield* calls
          isAbout(yield* delay("key 1"), 10)
          isAbout(yield* delay("key 0"), 1000)
        }))
    )

    it.live("with no limit, none begins anew; with zero, all go by what all know", () =>
      inTime(Effect.gen(function*() {
        const unlimited = yield* many(400, { keys: Infinity })
        yield* unlimited.calls
        isAbout(yield* unlimited.delay("key 0"), 10)
        const none = yield* many(10, { keys: 0 })
        yield* none.calls
        isAbout(yield* none.delay("key 0"), 1000)
      })))

    it.live("one that is called now and then stays, however many others there are", () =>
      inTime(Effect.gen(function*() {
        const { call, delay } = yield* callsOf({}, Hedge.percentile(0.9, { warmup: 400 }))
        yield* Effect.forEach(
          Array.from({ length: 500 }),
          (_, index) => Effect.zipRight(call([after(10)], "often"), call([after(1000)], `other ${index}`))
        )
        isAbout(yield* delay("often"), 10)
      })))
  })

  const seed = <A>(effect: Effect.Effect<A>) => Effect.withRandom(effect, Random.make("a seed"))

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
            const { calls } = yield* callsOf({ probability, targetQuantile: 0.97 }, delay)
            const random = seeded(2)
            const latency = () => (random() < 0.05 ? 10 : 1) * (10 + 10 * random())
            const sentAt = yield* calls(Array.from({ length: 3000 }, () => [after(latency()), after(latency())]))
            const last = sentAt.filter((at) => at !== undefined).slice(-10)
            return last.reduce((sum, at) => sum + at, 0) / last.length
          }))
        assertTrue((yield* delays("auto")) < (yield* delays(1)) / 2)
      })))
  })

  describe("stats", () => {
    const rounded = (row: Hedge.KeyStats | undefined) =>
      row && {
        ...row,
        ...Object.fromEntries((["quantile", "p50", "p90", "p99"] as const).map((key) => [key, Math.floor(row[key])])),
        delay: Either.match(row.delay, { onLeft: (reason) => reason, onRight: Math.floor })
      }

    it.live("tell what is known of each key, and of all together", () =>
      inTime(Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: Hedge.percentile(0.8, { max: "1 second" }), budget: "unlimited" })
        const call = (millis: number, key: string) => Hedge.hedge(Effect.sleep(millis), policy, { key })
        const nothing = { count: 0, ended: 0, quantile: NaN, p50: NaN, p90: NaN, p99: NaN, probability: 0 }
        deepStrictEqual(yield* Hedge.stats(policy), {
          keys: [{ key: "", ...nothing, delay: Either.left("warm-up" as const) }],
          budget: Option.none()
        })
        yield* Effect.forEach(Array.from({ length: 20 }), (_, index) => call(10 * (index + 1), "a"))
        yield* Effect.repeatN(call(50, "b"), 2)
        const { keys: [all, a, b, ...others] } = yield* Hedge.stats(policy)
        deepStrictEqual(rounded(all), {
          key: "",
          count: 23,
          ended: 23,
          quantile: 170,
          p50: 90,
          p90: 191,
          p99: 201,
          delay: 170,
          probability: 1
        })
        deepStrictEqual(rounded(a), {
          key: "a",
          count: 20,
          ended: 20,
          quantile: 170,
          p50: 110,
          p90: 191,
          p99: 201,
          delay: 170,
          probability: 1
        })
        deepStrictEqual(rounded(b), {
          key: "b",
          count: 3,
          ended: 3,
          quantile: 50,
          p50: 50,
          p90: 50,
          p99: 50,
          delay: 170,
          probability: 1
        })
        deepStrictEqual(others, [])
      })))

    it.live("tell how many were cut off, and why there is no delay", () =>
      inTime(Effect.gen(function*() {
        const delay = Hedge.percentile(0.5, { max: 5, aboveMax: "skip", warmup: 2 })
        const policy = yield* Hedge.make({ delay, budget: "unlimited" })
        const call = (millis: number) => Hedge.hedge(Effect.sleep(millis), policy)
        yield* Effect.repeatN(call(4), 2)
        yield* Effect.repeatN(Effect.timeoutOption(call(100), 50), 8)
        yield* Effect.repeatN(call(60), 8)
        const { keys: [all] } = yield* Hedge.stats(policy)
        deepStrictEqual([all?.count, all?.ended, all?.delay, all?.probability], [21, 12, Either.left("above-max"), 0])
      })))

    it.live("tell the probability that goes with the delay", () =>
      inTime(seed(Effect.gen(function*() {
        const delay = Hedge.percentile(0.9, { max: "1 second" })
        const policy = yield* Hedge.make({ delay, budget: "unlimited", probability: 0.25 })
        yield* Effect.repeatN(Hedge.hedge(Effect.sleep(10), policy), 19)
        deepStrictEqual((yield* Hedge.stats(policy)).keys[0]?.probability, 0.25)
      }))))

    it.live("do not count as a call: of many keys, they let none begin anew, and what is late stays so", () =>
      inTime(Effect.gen(function*() {
        const policy = yield* Hedge.make({ delay: Hedge.percentile(0.5, { keys: 2 }) })
        const call = (key: string) => Hedge.hedge(Effect.sleep(10), policy, { key })
        const keys = Effect.map(Hedge.stats(policy), ({ keys }) => keys.map(({ key }) => key))
        yield* call("a")
        yield* call("b")
        deepStrictEqual(yield* keys, ["", "a", "b"])
        yield* call("a")
        deepStrictEqual(yield* keys, ["", "b", "a"])
        yield* call("c")
        deepStrictEqual(yield* keys, ["", "a", "c"])
      })))

    it.live("tell what is in the budget, and what is in flight", () =>
      inTime(Effect.gen(function*() {
        const budget = { ratio: 0.3, burst: 5, window: "1 minute" } as const
        const policy = yield* Hedge.make({ delay: 10, budget })
        const stats = Effect.map(Hedge.stats(policy), ({ budget, keys }) => {
          deepStrictEqual(keys, [])
          return Option.getOrThrow(budget)
        })
        deepStrictEqual(yield* stats, { ratio: 0.3, tokens: 0, inFlight: 0 })
        yield* Effect.repeatN(Hedge.hedge(Effect.void, policy), 4)
        deepStrictEqual(yield* stats, { ratio: 0.3, tokens: 1.5, inFlight: 0 })
        const fiber = yield* Effect.fork(Hedge.hedge(Effect.never, policy))
        yield* Effect.sleep(20)
        deepStrictEqual(yield* stats, { ratio: 0.3, tokens: 0.8, inFlight: 1 })
        yield* Fiber.interrupt(fiber)
        deepStrictEqual(yield* stats, { ratio: 0.3, tokens: 0.8, inFlight: 0 })
        yield* Effect.sleep("2 minutes")
        deepStrictEqual(yield* stats, { ratio: 0.3, tokens: 0, inFlight: 0 })
      })))
  })

  const senseless: ReadonlyArray<readonly [make: () => unknown, message: string]> = [
    [() => Hedge.percentile(0), "option \"quantile\" must be a number between 0 and 1, got 0"],
    [() => Hedge.percentile(1), "option \"quantile\" must be a number between 0 and 1, got 1"],
    [() => Hedge.percentile(NaN), "option \"quantile\" must be a number between 0 and 1, got NaN"],
    [() => Hedge.percentile(0.5, { warmup: 0 }), "option \"warmup\" must be a whole number of at least 1, got 0"],
    [() => Hedge.percentile(0.5, { warmup: 1.5 }), "option \"warmup\" must be a whole number of at least 1, got 1.5"],
    [() => Hedge.percentile(0.5, { keys: -1 }), "option \"keys\" must be a whole number of at least 0, got -1"],
    [() => Hedge.percentile(0.5, { keys: NaN }), "option \"keys\" must be a whole number of at least 0, got NaN"],
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
      () => Hedge.percentile(0.5, { aboveMax: "halt" as "skip" }),
      "option \"aboveMax\" must be \"clamp\" or \"skip\", got \"halt\""
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
      "option \"probability\" must be a number from 0 to 1, because the delay is not a percentile, got \"auto\""
    ],
    [
      () => Effect.runSync(Hedge.make({ delay: Hedge.percentile(0.5), targetQuantile: 1 })),
      "option \"targetQuantile\" must be a number between 0 and 1, got 1"
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
      "option \"delay\" must be a duration or a schedule: only a policy from Hedge.make can learn a percentile, got \"Percentile\""
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
