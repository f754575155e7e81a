import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Random from "effect/Random"
import * as Replicas from "../../src/Replicas.js"
import { type Row, working } from "./hedging.js"

/** What a replica does with a request, which may depend on the time and on how many it has had before. */
export type Behaviour = Row | ((at: number, before: number) => Row)

interface Asked {
  readonly id: string
  /** Of the attempt in its call. */
  readonly index: number
  readonly at: number
}

/** Servers by id, and what they were asked for, in order. The target of a replica is its id. */
export const serversOf = (servers: Readonly<Record<string, Behaviour>>) => {
  const asked: Array<Asked> = []
  const request = (id: string, index: number): Effect.Effect<string, string> =>
    Effect.flatMap(Clock.currentTimeMillis, (at) => {
      const behaviour = servers[id]!
      const before = asked.filter((other) => other.id === id).length
      const row = typeof behaviour === "function" ? behaviour(at, before) : behaviour
      asked.push({ id, index, at })
      return working(row, id)
    })
  /** `a0@50`: attempt 0 of a call went to replica `a` at 50. */
  const log = () => asked.map(({ at, id, index }) => `${id}${index}@${at}`).join(" ")
  return { asked, request, log, ids: Object.keys(servers) }
}

/** Replicas whose targets are their ids. `a/east` is in the zone `east`. */
export const replicasOf = (ids: ReadonlyArray<string>): ReadonlyArray<Replicas.Replica<string>> =>
  ids.map((named) => {
    const [id = "", zone] = named.split("/")
    return { id, target: id, zone }
  })

/** A set that draws the same numbers whenever it is made. */
export const setOf = (ids: ReadonlyArray<string>, options?: Replicas.Options, seed = 1) =>
  Effect.withRandom(Replicas.make(replicasOf(ids), options), Random.make(seed))

/** Runs an effect every so many milliseconds, whether earlier ones have ended or not, and waits for all. */
export const every = <A, E>(millis: number, times: number, effect: (turn: number) => Effect.Effect<A, E>) =>
  Effect.forEach(
    Array.from({ length: times }, (_, turn) => turn),
    (turn) => Effect.delay(effect(turn), turn * millis),
    { concurrency: "unbounded" }
  )

export const stateOf = <T>(self: Replicas.Replicas<T>, id: string) =>
  Effect.map(Replicas.states(self), (states) => states.find((state) => state.id === id)!)

/** How many attempts are under way, in the order of the set. */
export const inFlight = <T>(self: Replicas.Replicas<T>) =>
  Effect.map(Replicas.states(self), (states) => states.map(({ inFlight }) => inFlight))
