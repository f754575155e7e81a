import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as Metric from "effect/Metric"
import * as Option from "effect/Option"
import * as Replicas from "../../src/Replicas.js"
import { hang, inTime, type Row } from "../support/hedging.js"
import { seeded } from "../support/random.js"
import { type Behaviour, every, inFlight, serversOf, setOf, stateOf } from "../support/replicas.js"

const never = { delay: 1000, maxHedges: 0 } as const

/** Servers that answer after 10 milliseconds, more or less, and the first of which may do otherwise. */
const mostlyWell = (count: number, first: Behaviour, seed = 7) => {
  const random = seeded(seed)
  const well = (): Row => [Math.round(5 + 10 * random()), "ok"]
  return serversOf(Object.fromEntries(
    Array.from({ length: count }, (_, index) => [`r${index}`, index === 0 ? first : well])
  ))
}

const well: Row = [10, "ok"]
const refuses: Row = [1, "fail"]

/** The share of calls, from one time to another, that went to a replica first. */
const share = (asked: ReturnType<typeof serversOf>["asked"], id: string, from: number, to: number) => {
  const firsts = asked.filter(({ at, index }) => index === 0 && at >= from && at < to)
  return firsts.filter((one) => one.id === id).length / firsts.length
}

/** The times at which a replica was asked. */
const times = (asked: ReturnType<typeof serversOf>["asked"], id: string) =>
  asked.filter((one) => one.id === id).map(({ at }) => at)

describe("a replica that refuses", () => {
  it.live("gets less than one in a hundred calls while it does, and its share again when it is back", () =>
    inTime(Effect.gen(function*() {
      const { asked, ids, request } = mostlyWell(10, (at) => at >= 5000 && at < 65_000 ? refuses : well)
      const set = yield* setOf(ids)
      const answers = yield* every(5, 25_000, () => Replicas.hedge(set, request, never))
      assertTrue(answers.every((answer) => answer.startsWith("ok")))
      assertTrue(share(asked, "r0", 0, 5000) > 0.05)
      const during = share(asked, "r0", 5000, 65_000)
      assertTrue(during < 0.01, `${during}`)
      const after = share(asked, "r0", 100_000, 125_000)
      assertTrue(after > 0.05, `${after}`)
      deepStrictEqual(yield* inFlight(set), ids.map(() => 0))
    })))

  it.live("gets its share when it is back, also where few calls leave the choice to the latencies alone", () =>
    inTime(Effect.gen(function*() {
      const { asked, ids, request } = mostlyWell(3, (at) => at >= 5000 && at < 8500 ? refuses : well)
      const set = yield* setOf(ids)
      yield* every(20, 3000, () => Replicas.hedge(set, request, never))
      const after = share(asked, "r0", 20_000, 30_000)
      assertTrue(after > 0.2, `${after}`)
    })))

  it.live("stays out, whatever an attempt that was under way before has found", () =>
    inTime(Effect.gen(function*() {
      const { asked, request } = serversOf({
        a: (at) => at === 0 ? [0, "ok"] : at === 20 ? [60, "ok"] : [0, "fail"],
        b: [0, "ok"]
      })
      const set = yield* setOf(["a", "b"], { ejectAfter: 1 })
      yield* every(20, 60, () => Replicas.hedge(set, request, never, { prefer: ["a"] }))
      deepStrictEqual(times(asked, "a"), [0, 20, 40, 1040])
    })))

  it.live("so does one whose first answer comes late", () =>
    inTime(Effect.gen(function*() {
      const { asked, ids, request } = mostlyWell(3, (at) => at < 5100 ? [100, "ok"] : well)
      const set = yield* setOf(["r1", "r2"])
      yield* every(5, 1000, () => Replicas.hedge(set, request, never))
      yield* Replicas.update(set, ids.map((id) => ({ id, target: id })))
      yield* every(5, 400, () => Replicas.hedge(set, request, never))
      const after = share(asked, "r0", 5200, 7000)
      assertTrue(after > 0.2, `${after}`)
    })))

  it.live("is out for twice as long each time, up to the most", () =>
    inTime(Effect.gen(function*() {
      const { asked, request } = serversOf({ a: [0, "fail"], b: [0, "ok"] })
      const set = yield* setOf(["a", "b"])
      yield* every(10, 20_001, () => Replicas.hedge(set, request, never, { prefer: ["a"] }))
      deepStrictEqual(times(asked, "a"), [
        ...[0, 10, 20, 30, 40],
        ...[1040, 3040, 7040, 15_040, 31_040, 61_040, 91_040, 121_040, 151_040, 181_040]
      ])
    })))

  it.live("as the options say", () =>
    inTime(Effect.gen(function*() {
      const { asked, request } = serversOf({ a: [0, "fail"], b: [0, "ok"] })
      const set = yield* setOf(["a", "b"], { ejectAfter: 1, ejectFor: 100, maxEjectFor: 250 })
      yield* every(10, 101, () => Replicas.hedge(set, request, never, { prefer: ["a"] }))
      deepStrictEqual(times(asked, "a"), [0, 100, 300, 550, 800])
    })))

  it.live("and begins anew when it has answered", () =>
    inTime(Effect.gen(function*() {
      const { asked, request } = serversOf({ a: (at) => at === 3000 ? [0, "ok"] : [0, "fail"], b: [0, "ok"] })
      const set = yield* setOf(["a", "b"], { ejectAfter: 2 })
      yield* every(500, 21, () => Replicas.hedge(set, request, never, { prefer: ["a"] }))
      // It answers at 3000. Then two failures eject it, and for a second only.
      deepStrictEqual(times(asked, "a"), [0, 500, 1500, 3500, 7500])
    })))

  it.live("is never out if the options say so", () =>
    inTime(Effect.gen(function*() {
      const { asked, request } = serversOf({ a: [0, "fail"], b: [0, "ok"] })
      const set = yield* setOf(["a", "b"], { ejectAfter: Infinity })
      yield* every(10, 100, () => Replicas.hedge(set, request, never, { prefer: ["a"] }))
      strictEqual(times(asked, "a").length, 100)
      strictEqual((yield* stateOf(set, "a")).failures, 100)
    })))

  it.live("is out once, however many calls it had", () =>
    inTime(Effect.gen(function*() {
      const { asked, request } = serversOf({
        a: (at) => at < 20 ? [1, "ok"] : [at < 1000 ? 50 : 1, "fail"],
        b: well,
        c: well,
        d: well
      })
      const set = yield* setOf(["a", "b", "c", "d"], { name: "many at once" })
      const ask = Replicas.hedge(set, request, never, { prefer: ["a"] })
      yield* ask
      yield* Effect.sleep(50)
      yield* Effect.all(Array.from({ length: 20 }, () => ask), { concurrency: "unbounded" })
      yield* Effect.sleep(900)
      strictEqual((yield* stateOf(set, "a")).isOut, true)
      yield* Effect.sleep(100)
      strictEqual((yield* stateOf(set, "a")).isOut, false)
      strictEqual(times(asked, "a").length, 21)
      const { count } = yield* Metric.value(Replicas.metrics.ejections.pipe(
        Metric.tagged("set", "many at once"),
        Metric.tagged("replica", "a")
      ))
      strictEqual(count, 1)
    })))
})

describe("at most half of the set is out", () => {
  const out = (count: number, options?: Replicas.Options) =>
    inTime(Effect.gen(function*() {
      const { ids, request } = mostlyWell(count, refuses)
      const set = yield* setOf(ids, { ejectAfter: 1, ...options })
      yield* every(10, 100, () => Effect.ignore(Replicas.hedge(set, () => request("r0", 0), never)))
      return (yield* Replicas.states(set)).filter(({ isOut }) => isOut).length
    }))

  it.live.each<readonly [count: number, options: Replicas.Options | undefined, most: number]>([
    [1, undefined, 0],
    [2, undefined, 1],
    [3, undefined, 1],
    [4, undefined, 2],
    [9, undefined, 4],
    [20, undefined, 10],
    [4, { maxEjected: 0 }, 0],
    [4, { maxEjected: 0.25 }, 1],
    [4, { maxEjected: 1 }, 4]
  ])("of %i, with %o: %i", ([count, options, most]) => Effect.map(out(count, options), (out) => strictEqual(out, most)))

  it.live("if all are, one of them is asked all the same", () =>
    inTime(Effect.gen(function*() {
      const { request } = serversOf({ a: (at) => at < 10 ? refuses : well })
      const set = yield* setOf(["a"], { ejectAfter: 1, maxEjected: 1 })
      yield* Effect.ignore(Replicas.hedge(set, request, never))
      strictEqual((yield* stateOf(set, "a")).isOut, true)
      yield* Effect.sleep(10)
      strictEqual(yield* Replicas.hedge(set, request, never), "ok a")
    })))
})

describe("one call at a time", () => {
  /** How many of ten calls at once went to the first of three. */
  const sentAtOnce = (set: Replicas.Replicas<string>, { asked, request }: ReturnType<typeof serversOf>) =>
    Effect.gen(function*() {
      asked.length = 0
      const fiber = yield* Effect.fork(
        Effect.all(Array.from({ length: 10 }, () => Replicas.hedge(set, request, never, { prefer: ["a"] })), {
          concurrency: "unbounded"
        })
      )
      yield* Effect.sleep(1)
      const [state] = yield* Replicas.states(set)
      const sent = asked.filter(({ id, index }) => id === "a" && index === 0).length
      yield* Fiber.join(fiber)
      return { sent, isOut: state!.isOut }
    })

  const warm = (
    set: Replicas.Replicas<string>,
    { request }: ReturnType<typeof serversOf>,
    ids: ReadonlyArray<string>
  ) => Effect.forEach(ids, (id) => Replicas.hedge(set, request, never, { prefer: [id] }))

  it.live("for a replica that is new, until it has answered", () =>
    inTime(Effect.gen(function*() {
      const servers = serversOf({ a: well, b: well, c: well })
      const set = yield* setOf(["a", "b", "c"])
      yield* warm(set, servers, ["b", "c"])
      deepStrictEqual(yield* sentAtOnce(set, servers), { sent: 1, isOut: true })
      deepStrictEqual(yield* sentAtOnce(set, servers), { sent: 10, isOut: false })
    })))

  it.live("for a replica that has been cut off, and has never answered", () =>
    inTime(Effect.gen(function*() {
      const servers = serversOf({ a: (at) => at < 25 ? hang : well, b: well, c: well })
      const set = yield* setOf(["a", "b", "c"])
      yield* warm(set, servers, ["b", "c"])
      yield* Effect.timeoutOption(Replicas.hedge(set, servers.request, never, { prefer: ["a"] }), 5)
      deepStrictEqual(yield* sentAtOnce(set, servers), { sent: 1, isOut: true })
    })))

  it.live("for a replica that has failed, and has never answered", () =>
    inTime(Effect.gen(function*() {
      const servers = serversOf({ a: (at) => at < 25 ? refuses : well, b: well, c: well })
      const set = yield* setOf(["a", "b", "c"])
      yield* warm(set, servers, ["b", "c", "a"])
      deepStrictEqual(yield* sentAtOnce(set, servers), { sent: 1, isOut: true })
    })))

  it.live("for a replica that comes back, until it has answered", () =>
    inTime(Effect.gen(function*() {
      const servers = serversOf({ a: (at) => at > 30 && at < 1000 ? refuses : well, b: well, c: well })
      const set = yield* setOf(["a", "b", "c"], { ejectAfter: 1 })
      yield* warm(set, servers, ["a", "b", "c"])
      yield* Effect.sleep(1)
      yield* warm(set, servers, ["a"])
      deepStrictEqual(yield* sentAtOnce(set, servers), { sent: 0, isOut: true })
      yield* Effect.sleep(1000)
      deepStrictEqual(yield* sentAtOnce(set, servers), { sent: 1, isOut: true })
      deepStrictEqual(yield* sentAtOnce(set, servers), { sent: 10, isOut: false })
    })))
})

describe("a replica that is silent", () => {
  it.live("is noticed by the attempts that lose alone", () =>
    inTime(Effect.gen(function*() {
      const { asked, ids, request } = mostlyWell(10, (at) => at >= 5000 ? hang : well)
      const set = yield* setOf(ids)
      const answers = yield* every(5, 6000, () => Replicas.hedge(set, request, { delay: 50 }))
      assertTrue(answers.every((answer) => answer !== "ok r0" || answer.startsWith("ok")))
      assertTrue(share(asked, "r0", 0, 5000) > 0.05)
      const after = share(asked, "r0", 6000, 30_000)
      assertTrue(after < 0.02, `${after}`)
      const { failures, latency } = yield* stateOf(set, "r0")
      strictEqual(failures, 0)
      assertTrue(Option.getOrThrow(latency) > 20)
    })))

  it.live.each([["slow", [500, "ok"]], ["refusing", refuses]] as const)(
    "also if it was %s before, when its cut-offs are shorter than what is known of it",
    ([, before]) =>
      inTime(Effect.gen(function*() {
        const { asked, ids, request } = mostlyWell(3, (at) => at >= 5000 ? hang : before)
        const set = yield* setOf(ids, { ejectAfter: Infinity })
        yield* every(20, 9000, () => Replicas.hedge(set, request, { delay: 20, failovers: 2 }))
        const shares = [5, 60, 120].map((seconds) => share(asked, "r0", 1000 * seconds, 1000 * (seconds + 55)))
        assertTrue(shares.every((share) => share < 0.02), `${shares}`)
      }))
  )

  it.live("also if it has never answered", () =>
    inTime(Effect.gen(function*() {
      const { asked, ids, request } = mostlyWell(10, hang)
      const set = yield* setOf(ids)
      yield* every(5, 4000, () => Replicas.hedge(set, request, { delay: 50 }))
      const after = share(asked, "r0", 1000, 20_000)
      assertTrue(after < 0.02, `${after}`)
    })))

  it.live("a caller in a hurry does not make it look quick", () =>
    inTime(Effect.gen(function*() {
      const servers = serversOf({ a: [500, "ok"], b: [10, "ok"] })
      const set = yield* setOf(["a", "b"])
      const ask = (id: string) => Replicas.hedge(set, servers.request, never, { prefer: [id] })
      yield* ask("b")
      yield* Effect.timeoutOption(ask("a"), 2)
      deepStrictEqual((yield* stateOf(set, "a")).latency, Option.some(10))
      yield* ask("a")
      const { latency } = yield* stateOf(set, "a")
      yield* Effect.timeoutOption(ask("a"), 2)
      deepStrictEqual((yield* stateOf(set, "a")).latency, latency)
    })))
})

describe("choices", () => {
  const servers = () => serversOf({ a: [10, "ok"], b: [30, "ok"], c: [90, "ok"], d: [90, "ok"] })

  const shares = (options: Replicas.Options) =>
    inTime(Effect.gen(function*() {
      const { asked, ids, request } = servers()
      const set = yield* setOf(ids, options)
      yield* Effect.forEach(ids, (id) => Replicas.hedge(set, request, never, { prefer: [id] }))
      asked.length = 0
      yield* Effect.repeatN(Replicas.hedge(set, request, never), 399)
      return ids.map((id) => times(asked, id).length)
    }))

  it.live("1: at random", () =>
    Effect.map(shares({ choices: 1 }), (shares) => {
      assertTrue(shares.every((share) => share > 70 && share < 130), shares.join())
    }))
  it.live("2: never the dearest, and the others by rank", () =>
    Effect.map(shares({ choices: 2, halfLife: "1 hour" }), ([a = 0, b = 0, c = 0, d = 0]) => {
      // Of two that are drawn, one is `a` half of the time, and `b` is the cheapest of a third.
      assertTrue(a > 170 && a < 230, `${a}`)
      assertTrue(b > 105 && b < 165, `${b}`)
      assertTrue(c + d > 40 && c + d < 95, `${c + d}`)
    }))
  it.live("Infinity: the cheapest", () =>
    Effect.map(shares({ choices: Infinity, halfLife: "1 hour" }), (shares) => deepStrictEqual(shares, [400, 0, 0, 0])))

  it.live("calls under way make a replica dearer", () =>
    inTime(Effect.gen(function*() {
      const { asked, ids, request } = servers()
      const set = yield* setOf(ids, { choices: Infinity, halfLife: "1 hour" })
      yield* Effect.forEach(ids, (id) => Effect.repeatN(Replicas.hedge(set, request, never, { prefer: [id] }), 99))
      asked.length = 0
      yield* Effect.all(Array.from({ length: 5 }, () => Replicas.hedge(set, request, never)), {
        concurrency: "unbounded"
      })
      // 10, 20, and then 30 of either.
      deepStrictEqual(asked.slice(0, 2).map(({ id }) => id), ["a", "a"])
      deepStrictEqual(asked.slice(2, 4).map(({ id }) => id).sort(), ["a", "b"])
      deepStrictEqual(asked.slice(4).map(({ id }) => id), ["a"])
    })))
})
