import { it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import type { Fault, Network, Packet } from "../support/wire/network.js"
import { type Connect, type Form, startPeers } from "../support/wire/peers.js"
import { describeNetwork } from "../support/wire/suite.js"

const forms: ReadonlyArray<Form> = ["plain", "tls", "socket", "http", "undici"]

let races = 0
let addresses = 0

/**
 * Rows name addresses `6a`, `6b`, `4a`. Each race has its own, so that nothing that is still under way from an earlier
 * one is taken for a part of it, and each form of it, so that all can run at the same time. IPv4 has 250 in all.
 */
const addressOf = (name: string): string =>
  name[0] === "6" ? `2001:db8:99:${races}::${++addresses}` : `10.99.1.${(++addresses % 250) + 1}`

interface Row {
  /** What each address does. What is not named has an answer after 5 ms. */
  readonly faults: Readonly<Record<string, Fault>>
  /** What the name resolves to; by default, what is in `faults`. */
  readonly addresses?: ReadonlyArray<string>
  readonly answers?: Connect["answers"]
  readonly interruptAfter?: number
}

/** What was seen of one form. */
interface Seen {
  readonly form: Form
  readonly result: string
  /** Each address with the milliseconds, from the first of all, until its SYN. Those that were sent again are left out. */
  readonly starts: ReadonlyArray<readonly [name: string, at: number]>
  readonly packets: ReadonlyArray<Packet & { readonly name: string; readonly after: number }>
}

const order = ({ starts }: Seen) => starts.map(([name]) => name).join(" ")

/** So that they do not get into each other's way, the forms begin one after the other. */
const stagger = 40

const use = (network: Network) => Effect.map(startPeers(network), (peers) => ({ ...network, ...peers }))

describeNetwork("NodeHappyEyeballs, on a wire", use, (wired) => {
  const race = ({ addresses, answers, faults, interruptAfter }: Row, only: ReadonlyArray<Form> = forms) =>
    Effect.gen(function*() {
      const { connect, count, ...wire } = yield* wired
      const names = addresses ?? Object.keys(faults)
      races++
      const own = new Map(only.map((form) => [form, new Map(names.map((name) => [name, addressOf(name)]))]))
      const addressesOf = (form: Form) => own.get(form) ?? new Map<string, string>()
      const before = yield* count

      const run = Effect.gen(function*() {
        yield* wire.faults(
          Object.fromEntries(
            only.flatMap((form) =>
              Array.from(addressesOf(form), ([name, address]) => [address, faults[name] ?? { delay: 5 }])
            )
          )
        )
        const results = yield* Effect.forEach(only, (form, index) =>
          Effect.delay(
            connect({
              form,
              addresses: [...addressesOf(form).values()],
              ...(answers === undefined ? {} : { answers }),
              ...(interruptAfter === undefined ? {} : { interruptAfter })
            }),
            index * stagger
          ), { concurrency: "unbounded" })
        // All sockets are gone as soon as the client has its answer.
        deepStrictEqual(yield* count, before)
        return results
      })

      /** What has been seen so far. */
      const look = (results: ReadonlyArray<string>) =>
        Effect.map(wire.packets, (all) =>
          only.map((form, index): Seen => {
            const named = new Map(Array.from(addressesOf(form), ([name, address]) => [address, name]))
            const own = all.filter(({ address }) => named.has(address))
            const packets = own.map((packet) => ({
              ...packet,
              name: named.get(packet.address) ?? "",
              after: packet.at - (own[0]?.at ?? 0)
            }))
            const starts = new Map<string, number>()
            packets.filter(({ flags }) => flags === "SYN").forEach(({ after, name }) => {
              starts.set(name, starts.get(name) ?? after)
            })
            const result = results[index] ?? ""
            return { form, result: named.get(result) ?? result, starts: [...starts], packets }
          }))
      return { run, look }
    })

  const seen = (row: Row, only?: ReadonlyArray<Form>) =>
    Effect.flatMap(race(row, only), ({ look, run }) => Effect.flatMap(run, look))

  it.scopedLive("both are healthy: only the first is ever tried", () =>
    Effect.gen(function*() {
      for (const one of yield* seen({ addresses: ["6a", "4a"], faults: {} })) {
        deepStrictEqual([one.form, one.result, order(one)], [one.form, "6a", "6a"])
      }
    }))

  // The wire, too, is a process that has to wait for its turn now and then: a first packet that it reads late makes the
  // second look early. Where that is not the reason, another try changes nothing.
  it.scopedLive("the first is dead: the second after 250 ms, never before", () =>
    Effect.gen(function*() {
      const row: Row = { faults: { "6a": { drop: true }, "4a": { delay: 5 } } }
      const gaps: Array<number> = []
      for (let round = 0; round < 20; round++) {
        for (const one of yield* seen(row)) {
          deepStrictEqual([one.form, one.result, order(one)], [one.form, "4a", "6a 4a"])
          gaps.push(one.starts[1]?.[1] ?? NaN)
        }
      }
      gaps.sort((a, b) => a - b)
      const [least = NaN, median = NaN] = [gaps[0], gaps[gaps.length >> 1]]
      assertTrue(least >= 245, `the second came after ${least} ms`)
      assertTrue(median >= 245 && median <= 255, `half of the seconds came after ${median} ms`)
    }), { retry: 2 })

  it.scopedLive.each<readonly [name: string, fault: Fault]>([
    ["refused", { delay: 30, refuse: true }],
    ["unreachable", { delay: 30, unreachable: true }]
  ])("the first is %s: the second at once", ([, fault]) =>
    Effect.gen(function*() {
      for (const one of yield* seen({ faults: { "6a": fault, "4a": { delay: 5 } } })) {
        deepStrictEqual([one.form, one.result, order(one)], [one.form, "4a", "6a 4a"])
        const second = one.starts[1]?.[1] ?? NaN
        assertTrue(second >= 29 && second < 200, `${one.form}: ${second}`)
      }
    }))

  it.scopedLive("the first answers after 240 ms: the second is never tried", () =>
    Effect.gen(function*() {
      const others = forms.filter((form) => form !== "tls")
      const inOne = yield* seen({ addresses: ["6a", "4a"], faults: { "6a": { delay: 240 } } }, others)
      // With TLS, an answer is two trips: one for the connection, one for the handshake.
      const inTwo = yield* seen({ addresses: ["6a", "4a"], faults: { "6a": { delay: 120 } } }, ["tls"])
      for (const one of [...inOne, ...inTwo]) {
        deepStrictEqual([one.form, one.result, order(one)], [one.form, "6a", "6a"])
      }
    }))

  it.scopedLive("a handshake that takes longer than the delay has its time: the second is never tried", () =>
    Effect.gen(function*() {
      const [one] = yield* seen({ addresses: ["6a", "4a"], faults: { "6a": { delay: 180 } } }, ["tls"])
      deepStrictEqual([one?.result, one && order(one)], ["6a", "6a"])
    }))

  it.scopedLive("the first answers after 600 ms, the second is dead: connected to the first", () =>
    Effect.gen(function*() {
      for (const one of yield* seen({ faults: { "6a": { delay: 600 }, "4a": { drop: true } } })) {
        deepStrictEqual([one.form, one.result, order(one)], [one.form, "6a", "6a 4a"])
        const connected = one.packets.find(({ flags, name }) => flags === "ACK" && name === "6a")?.after ?? NaN
        assertTrue(connected >= 599 && connected < 800, `${one.form}: ${connected}`)
      }
    }))

  it.scopedLive("a loser's late answer is answered with a reset", () =>
    Effect.gen(function*() {
      const { look, run } = yield* race({ faults: { "6a": { delay: 450 }, "4a": { delay: 5 } } })
      const results = yield* run
      const all = yield* Effect.delay(look(results), "50 millis").pipe(
        Effect.repeat({
          until: (all) =>
            all.every(({ packets }) => packets.some(({ flags, name }) => flags === "RST" && name === "6a"))
        }),
        Effect.timeout("5 seconds")
      )
      for (const { form, packets, result } of all) {
        const ofLoser = packets.filter(({ name }) => name === "6a").map(({ flags, from }) => `${from} ${flags}`)
        deepStrictEqual([form, result, ...ofLoser], [form, "4a", "client SYN", "server SYN-ACK", "client RST"])
      }
    }))

  it.scopedLive("interrupted after 100 ms: nothing more is sent, and the socket is gone", () =>
    Effect.gen(function*() {
      const { look, run } = yield* race({
        faults: { "6a": { drop: true }, "4a": { delay: 5 } },
        interruptAfter: 100
      })
      const results = yield* run
      // The kernel would send the SYN again after a second.
      yield* Effect.sleep("1300 millis")
      for (const { form, packets, result } of yield* look(results)) {
        deepStrictEqual([form, result, ...packets.map(({ flags, name }) => `${name} ${flags}`)], [
          form,
          "interrupted",
          "6a SYN"
        ])
      }
    }))

  it.scopedLive("of six, only the last is healthy: one every 250 ms, in order", () =>
    Effect.gen(function*() {
      const dead: Fault = { drop: true }
      const faults = { "6a": dead, "6b": dead, "6c": dead, "4a": dead, "4b": dead, "4c": { delay: 5 } }
      for (const one of yield* seen({ faults })) {
        deepStrictEqual([one.form, one.result, order(one)], [one.form, "4c", "6a 4a 6b 4b 6c 4c"])
        for (const [index, [, at]] of one.starts.entries()) {
          assertTrue(Math.abs(at - index * 250) < 100, `${one.form}: ${at} is not ${index * 250}`)
        }
      }
    }))

  // Far to either side of the Resolution Delay. On a virtual clock the same rows hold to the millisecond.
  it.scopedLive.each<readonly [name: string, answers: Connect["answers"], order: string]>([
    ["IPv6 10 ms after IPv4: IPv6 alone", [[4, 0], [6, 10]], "6a"],
    ["IPv6 200 ms after IPv4: IPv4 alone", [[4, 0], [6, 200]], "4a"],
    ["IPv6 late, by a minute: IPv4 alone", [[4, 20], [6, 60_000]], "4a"],
    ["IPv6 fails: IPv4 at once", [[4, 0], [6, 10, true]], "4a"],
    ["IPv6 empty: IPv4 at once", [[4, 0], [6, 10]], "4a"],
    ["IPv4 a minute late: IPv6 at once", [[6, 0], [4, 60_000]], "6a"]
  ])("resolved in two: %s", ([name, answers = [], expected]) =>
    Effect.gen(function*() {
      const addresses = name.includes("empty") ? ["4a"] : ["6a", "4a"]
      for (const one of yield* seen({ addresses, answers, faults: {} })) {
        deepStrictEqual([one.form, one.result, order(one)], [one.form, expected, expected])
      }
    }))

  it.scopedLive("1,000 connections with random faults end as the model says", () =>
    Effect.gen(function*() {
      const seed = Number(process.env["SEED"] ?? Date.now())
      const random = Random.make(seed)
      const jobs = yield* Effect.withRandom(
        Effect.all(Array.from({ length: 1000 }, (_, index) => makeJob(index))),
        random
      )
      const { connect, count, ...wire } = yield* wired
      const before = yield* count
      yield* wire.faults(Object.fromEntries(jobs.flatMap(({ candidates }) => candidates)))
      const results = yield* Effect.forEach(jobs, ({ candidates, form, model }) =>
        connect({
          form,
          addresses: candidates.map(([address]) => address),
          answers: [[6, 0], [4, 0]],
          ...(model.winner === undefined && model.hangs ? { interruptAfter: 2500 } : {})
        }), { concurrency: 32 })
      const packets = yield* wire.packets
      const tried = new Map<string, number>()
      for (const { address, flags } of packets) {
        if (flags === "SYN") {
          tried.set(address, tried.get(address) ?? tried.size)
        }
      }
      const wrong = jobs.flatMap(({ candidates, form, model }, index) => {
        const result = results[index]?.split(":")[0] === "failed" ? "failed" : results[index] ?? ""
        const started = candidates
          .filter(([address]) => tried.has(address))
          .sort(([a], [b]) => (tried.get(a) ?? 0) - (tried.get(b) ?? 0))
          .map(([address]) => address)
        const expected = model.winner ?? (model.hangs ? "interrupted" : "failed")
        return result === expected && String(started) === String(model.started)
          ? []
          : [{ form, candidates, expected, result, started, model }]
      })
      deepStrictEqual(wrong.slice(0, 3), [], `${wrong.length} of 1,000 are not as the model says; SEED=${seed}`)
      strictEqual(results.length, 1000)
      deepStrictEqual(yield* count, before)
    }), 120_000)
})

/** Milliseconds by which any two things that decide a race are apart, so that the machine's own delays decide none. */
const margin = 60

interface Model {
  readonly started: ReadonlyArray<string>
  readonly winner: string | undefined
  /** Whether it would wait for ever. */
  readonly hangs: boolean
  /** The least time between two things whose order matters. */
  readonly slack: number
}

type Candidate = readonly [address: string, fault: Fault]

/** The rules of the race, told as plainly as can be: addresses in order, one decision for each. */
const modelOf = (candidates: ReadonlyArray<Candidate>, trips: number): Model => {
  const started: Array<{ address: string; connected: number; ready: number; failed: number }> = []
  let at = 0
  let slack = Infinity
  const apart = (a: number, b: number) => {
    slack = Number.isFinite(a) && Number.isFinite(b) ? Math.min(slack, Math.abs(a - b)) : slack
  }
  for (const [address, { delay = 0, drop, refuse, unreachable }] of candidates) {
    const won = Math.min(...started.map(({ ready }) => ready))
    apart(won, at)
    if (won < at) {
      break
    }
    const connected = drop || refuse || unreachable ? Infinity : at + delay
    const failed = refuse || unreachable ? at + delay : Infinity
    started.push({ address, connected, ready: connected === Infinity ? Infinity : at + trips * delay, failed })
    const due = at + 250
    apart(connected, due)
    apart(failed, due)
    // A connection that is made has another 250 ms for its handshake.
    const extended = trips > 1 && connected < due ? connected + 250 : due
    at = failed < due ? Math.max(failed, at + 10) : extended
  }
  const won = Math.min(...started.map(({ ready }) => ready))
  const winner = started.find(({ ready }) => ready === won && won < Infinity)
  // Also if they are ready at the same instant.
  started.forEach((other) => other !== winner && apart(other.ready, won))
  return {
    started: started.map(({ address }) => address),
    winner: winner?.address,
    hangs: started.some(({ failed, ready }) => failed === Infinity && ready === Infinity),
    slack
  }
}

const makeJob = (index: number): Effect.Effect<{
  readonly form: Form
  readonly candidates: ReadonlyArray<Candidate>
  readonly model: Model
}> =>
  Effect.gen(function*() {
    const form = forms[index % forms.length] ?? "plain"
    const length = yield* Random.nextIntBetween(1, 5)
    const candidates = yield* Effect.all(Array.from({ length }, (_, place) =>
      Effect.gen(function*() {
        // There are 250 addresses of IPv4, one for each of the first 250; by the rules it is second where it can be.
        const address = index < 250 && place === 1
          ? `10.99.1.${index + 1}`
          : `2001:db8:99:1:${(index + 1).toString(16)}::${place + 1}`
        const kind = yield* Random.nextIntBetween(0, 6)
        const delay = yield* Random.nextIntBetween(0, 450)
        const fault: Fault = kind < 3
          ? { delay }
          : kind === 3
          ? { drop: true }
          : kind === 4
          ? { delay, refuse: true }
          : { delay, unreachable: true }
        return [address, fault] as const
      })))
    const model = modelOf(candidates, form === "tls" ? 2 : 1)
    return model.slack < margin ? yield* makeJob(index) : { form, candidates, model }
  })
