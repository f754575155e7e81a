import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as FastCheck from "effect/FastCheck"
import { Choice, type Member } from "../../src/internal/replicas/choice.js"
import type { Settings } from "../../src/internal/replicas/health.js"
import { seeded } from "../support/random.js"

const settings: Settings = {
  choices: 3,
  halfLife: 10_000,
  ejectAfter: 3,
  ejectFor: 1000,
  maxEjectFor: 8000,
  maxEjected: 0.5,
  zone: "near"
}

/** What happens to one of the replicas. */
type Event =
  | { readonly what: "begins" }
  | { readonly what: "answers" | "is cut off"; readonly millis: number }
  | { readonly what: "fails" }
  | { readonly what: "time passes"; readonly millis: number }

type Happening = Event & { readonly which: number }

const nat = (max: number) => FastCheck.nat({ max })
const event: FastCheck.Arbitrary<Event> = FastCheck.oneof(
  FastCheck.constant({ what: "begins" as const }),
  FastCheck.record({ what: FastCheck.constant("answers" as const), millis: nat(200) }),
  FastCheck.record({ what: FastCheck.constant("is cut off" as const), millis: nat(200) }),
  FastCheck.constant({ what: "fails" as const }),
  FastCheck.constant({ what: "fails" as const }),
  FastCheck.record({ what: FastCheck.constant("time passes" as const), millis: FastCheck.constantFrom(1, 100, 1500) })
)
const happenings = (members: number): FastCheck.Arbitrary<ReadonlyArray<Happening>> =>
  FastCheck.array(
    FastCheck.tuple(nat(members - 1), event).map(([which, event]) => ({ ...event, which })),
    { maxLength: 120, size: "max" }
  )

/** A replica as plain data. `usual` is the mean latency of the set. */
interface Known {
  readonly inFlight: number
  readonly latency: number | null
  readonly measuredAt: number
  readonly failures: number
  readonly ejections: number
  readonly hasAnswered: boolean
  readonly outUntil: number
}

const unknown: Known = {
  inFlight: 0,
  latency: null,
  measuredAt: 0,
  failures: 0,
  ejections: 0,
  hasAnswered: false,
  outUntil: -Infinity
}

const moved = (mean: number | null, by: number, to: number) => mean === null ? to : mean + by * (to - mean)

/** What is left at a time of what makes it slower than the set. */
const forgotten = ({ latency, measuredAt }: Known, usual: number | null, now: number) => {
  const excess = latency === null || usual === null ? 0 : Math.max(0, latency - usual)
  return latency === null ? null : latency - excess * (1 - 0.5 ** ((now - measuredAt) / settings.halfLife))
}

/** What an attempt costs if no other is in flight. */
const dearness = ({ latency, measuredAt }: Known, now: number) =>
  (latency ?? 0) * 0.5 ** ((now - measuredAt) / settings.halfLife)

/** The rules of the set once more, over values that do not change. */
const after = (happenings: ReadonlyArray<Happening>, count: number) => {
  let [usual, now] = [null as number | null, 0]
  const all = Array.from({ length: count }, () => unknown)
  for (const happening of happenings) {
    const { which } = happening
    const known = all[which]!
    const ended = { ...known, inFlight: known.inFlight - 1 }
    const measured = (millis: number) => ({
      ...ended,
      latency: moved(forgotten(known, usual, now), 0.1, millis),
      measuredAt: now
    })
    switch (happening.what) {
      case "time passes":
        now += happening.millis
        break
      case "begins":
        all[which] = { ...known, inFlight: known.inFlight + 1 }
        break
      case "answers": {
        if (known.inFlight === 0) {
          break
        }
        const { millis } = happening
        const first = moved(usual && Math.min(usual, millis), 0.1, millis)
        const back = { failures: 0, ejections: 0, hasAnswered: true }
        all[which] = known.outUntil > now
          ? measured(millis)
          : known.hasAnswered
          ? { ...measured(millis), ...back }
          : { ...measured(millis), latency: first, ...back }
        usual = moved(usual, 0.01, millis)
        break
      }
      case "is cut off":
        all[which] = known.inFlight === 0
          ? known
          : happening.millis > dearness(known, now) || known.latency === null
          ? measured(Math.max(happening.millis, forgotten(known, usual, now) ?? usual ?? 0))
          : ended
        break
      case "fails": {
        if (known.inFlight === 0) {
          break
        }
        const failed = { ...measured(10 * (usual === null || usual === 0 ? 1 : usual)), failures: known.failures + 1 }
        const isOut = known.outUntil > now
        const isEnough = failed.failures >= (known.ejections > 0 ? 1 : settings.ejectAfter)
        const others = all.filter(({ outUntil }) => outUntil > now).length
        all[which] = !isOut && isEnough && (others + 1) / count <= settings.maxEjected
          ? {
            ...failed,
            failures: 0,
            ejections: known.ejections + 1,
            hasAnswered: false,
            outUntil: now + Math.min(settings.ejectFor * 2 ** known.ejections, settings.maxEjectFor)
          }
          : failed
      }
    }
  }
  const costs = all.map((known) => dearness(known, now) * (known.inFlight + 1))
  const isOut = all.map(({ hasAnswered, inFlight, outUntil }) => outUntil > now || (!hasAnswered && inFlight > 0))
  return { all, costs, isOut, now }
}

/** The same on the set itself. */
const happened = (choice: Choice<number>, happenings: ReadonlyArray<Happening>) => {
  const members = Array.from(choice)
  let now = 0
  for (const happening of happenings) {
    const member = members[happening.which]!
    const { health } = member
    if (happening.what === "time passes") {
      now += happening.millis
    } else if (happening.what === "begins") {
      health.begun()
    } else if (health.inFlight > 0) {
      health.ended()
      switch (happening.what) {
        case "answers":
          health.answered(happening.millis, now)
          break
        case "is cut off":
          health.cutOff(happening.millis, now)
          break
        case "fails":
          if (health.failed(now)) {
            choice.eject(member, now)
          }
      }
    }
  }
  return { members, now }
}

const replicas = (count: number, near: number) =>
  Array.from({ length: count }, (_, index) => ({
    id: `${index}`,
    target: index,
    zone: index < near ? "near" : undefined
  }))

const made = (count: number, near: number, choices: number, seed: number) => {
  const random = seeded(seed)
  const choice = new Choice<number>({ ...settings, choices }, (below) => Math.floor(random() * below))
  choice.update(replicas(count, near))
  return choice
}

const isNear = (actual: number | null, expected: number | null) =>
  actual === expected || (actual !== null && expected !== null &&
    Math.abs(actual - expected) <= 1e-9 * Math.max(1, Math.abs(expected)))

describe("what is known of a replica", () => {
  it("is what a plain model says, whatever happens", () => {
    const count = 4
    FastCheck.assert(
      FastCheck.property(happenings(count), (happenings) => {
        const model = after(happenings, count)
        const { members, now } = happened(made(count, 0, 3, 1), happenings)
        strictEqual(now, model.now)
        members.forEach(({ health }, index) => {
          const known = model.all[index]!
          deepStrictEqual(
            [health.inFlight, health.failures, health.isOut(now), health.outUntil],
            [known.inFlight, known.failures, model.isOut[index], known.outUntil]
          )
          assertTrue(isNear(Number.isNaN(health.latency) ? null : health.latency, known.latency), `${health.latency}`)
          assertTrue(isNear(health.cost(now), model.costs[index]!), `${health.cost(now)}, ${model.costs[index]}`)
        })
      }),
      { numRuns: 2000, seed: 1 }
    )
  })
})

describe("a choice", () => {
  const given = FastCheck.integer({ min: 1, max: 40 }).chain((count) =>
    FastCheck.record({
      count: FastCheck.constant(count),
      near: nat(count),
      choices: FastCheck.constantFrom(1, 2, 3, 5, Infinity),
      tried: FastCheck.array(nat(count - 1), { maxLength: count }),
      prefer: FastCheck.array(nat(count + 1), { maxLength: 3 }),
      happenings: happenings(count),
      seed: FastCheck.integer()
    })
  )

  it("is one of the best kind, and the cheapest of some of them", () => {
    FastCheck.assert(
      FastCheck.property(given, ({ choices, count, happenings, near, prefer, seed, tried }) => {
        const choice = made(count, near, choices, seed)
        const { members, now } = happened(choice, happenings)
        const { costs, isOut } = after(happenings, count)
        const pick = choice.pick(tried.map((index) => members[index]!), prefer.map(String), now)
        const untried = members.map((_, index) => index).filter((index) => !tried.includes(index))
        const well = untried.filter((index) => !isOut[index])
        const preferred = prefer.find((index) => well.includes(index))
        if (preferred !== undefined) {
          return strictEqual(pick?.replica.target, preferred)
        }
        const kind = [well.filter((index) => index < near), well, untried].find((kind) => kind.length > 0)
        if (kind === undefined) {
          return strictEqual(pick, undefined)
        }
        const picked = pick!.replica.target
        assertTrue(kind.includes(picked), `${picked} is none of ${kind}`)
        // It is no dearer than `choices` of its kind, itself among them. Of many, fewer may be drawn.
        const drawn = count <= 16 || choices >= count || choices === 1 ? Math.min(choices, kind.length) : 1
        const noCheaper = kind.filter((index) => costs[index]! >= costs[picked]! - 1e-9)
        assertTrue(noCheaper.length >= drawn, `${noCheaper.length} of ${kind.length}, and ${drawn} drawn`)
      }),
      { numRuns: 2000, seed: 2 }
    )
  })

  it("keeps what is known of those that stay, in the order of the new set", () => {
    FastCheck.assert(
      FastCheck.property(FastCheck.array(FastCheck.array(nat(5), { maxLength: 8 }), { maxLength: 10 }), (sets) => {
        const choice = made(0, 0, 3, 1)
        let before = new Map<string, Member<number>>()
        for (const [turn, ids] of sets.entries()) {
          choice.update(ids.map((id, place) => ({ id: `${id}`, target: turn * 100 + place })))
          const members = Array.from(choice)
          deepStrictEqual(members.map(({ replica: { id } }) => id), [...new Set(ids.map(String))])
          for (const member of members) {
            const { health, replica: { id, target } } = member
            strictEqual(target, turn * 100 + ids.lastIndexOf(Number(id)))
            const known = before.get(id)
            assertTrue(known === undefined ? health.picks === 0 : known === member)
            health.begun()
          }
          before = new Map(members.map((member) => [member.replica.id, member]))
        }
      }),
      { numRuns: 500, seed: 3 }
    )
  })
})

describe("among a thousand", () => {
  const count = 1000

  /** All have answered in 10 milliseconds, but some are out. */
  const known = (out: number, choices = 3) => {
    const choice = made(count, 0, choices, 5)
    for (const { health, replica: { target } } of choice) {
      health.begun()
      health.ended()
      health.answered(10, 0)
      if (target < out) {
        health.eject(0)
      }
    }
    return choice
  }

  it("calls spread: where all are alike, none has more than two of a thousand calls at once", () => {
    const choice = known(0)
    for (let calls = 0; calls < count; calls++) {
      choice.pick([], [], 0)!.health.begun()
    }
    strictEqual(Math.max(...Array.from(choice, ({ health }) => health.inFlight)), 2)
  })

  it("one that is drawn twice counts once", () => {
    const drawn = [3, 3, 4]
    const choice = new Choice<number>({ ...settings, choices: 2 }, () => drawn.shift() ?? 5)
    choice.update(replicas(count, 0))
    for (const { health, replica: { target } } of choice) {
      health.answered(1000 - target, 0)
    }
    strictEqual(choice.pick([], [], 0)!.replica.target, 4)
  })

  it("at random they do not", () => {
    const choice = known(0, 1)
    for (let calls = 0; calls < count; calls++) {
      choice.pick([], [], 0)!.health.begun()
    }
    assertTrue(Math.max(...Array.from(choice, ({ health }) => health.inFlight)) > 3)
  })

  it.each([0, 500, 990, 999])("none that is out is chosen while another is well: %i are out", (out) => {
    const choice = known(out)
    for (let calls = 0; calls < 200; calls++) {
      assertTrue(choice.pick([], [], 0)!.replica.target >= out)
    }
  })

  it("those that are out are chosen if all are, and none twice", () => {
    const choice = known(count)
    const tried: Array<Member<number>> = []
    for (;;) {
      const member = choice.pick(tried, [], 0)
      if (member === undefined) {
        break
      }
      tried.push(member)
    }
    strictEqual(new Set(tried).size, count)
  })

  it("the cheapest of all is chosen if all are looked at", () => {
    const choice = known(0, Infinity)
    const members = Array.from(choice)
    members.forEach(({ health }, index) => index === 777 || health.begun())
    for (let calls = 0; calls < 20; calls++) {
      strictEqual(choice.pick([], [], 0)!.replica.target, 777)
    }
  })
})
