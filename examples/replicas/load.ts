import type { RpcClientError } from "@effect/rpc/RpcClientError"
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import * as FiberSet from "effect/FiberSet"
import { identity } from "effect/Function"
import type * as Scope from "effect/Scope"
import type * as Replicas from "../../src/Replicas.js"
import { type Figures, figures, lateness, record } from "../support/measured.js"
import { conditions, type Server } from "./server.js"

/** The two ways in which each call is made. */
export const ways = ["in turn", "hedged"] as const

export type Way = typeof ways[number]

/** The time until something is done to a replica. */
export interface Phase {
  readonly number: number
  readonly name: string
  /** How many replicas are not well. */
  readonly ill: number
}

/** What has become of the calls of a phase, or of all. */
export type Results = Readonly<Record<Way, Figures>>

/** Ends a call that nobody answers. It has failed then. */
export const timeout = "1 second"

/** How many calls each way makes in a second, whether the earlier ones are answered or not. */
export const rate = 200

const runOf = (way: Way, phase?: Phase) => phase === undefined ? way : `${way}, phase ${phase.number}`

export const results = (phase?: Phase): Effect.Effect<Results> =>
  Effect.all({ "in turn": figures(runOf("in turn", phase)), "hedged": figures(runOf("hedged", phase)) })

export const failed = ({ ends, requests }: Figures): number => requests - (ends.get("answered") ?? 0)

/** The slowest call that has ended in each second, in milliseconds. `Infinity` if one has failed. */
export type Slowest = Readonly<Record<Way, ReadonlyArray<number>>>

/** What the machine has done to the calls of the way without hedges, apart from servers that were stopped. */
export interface Machine {
  /** By how many milliseconds it has delayed the slowest tenth of answers, at least. */
  readonly lateness: number
  /** The most that it has delayed one answer, in milliseconds. */
  readonly stall: number
}

export interface Load {
  /** All phases so far. */
  readonly phases: ReadonlyArray<Phase>
  /** Begins a phase, after something was done to a server. */
  readonly begin: (name: string) => void
  readonly slowest: Slowest
  /** For how many seconds it runs. */
  readonly seconds: () => number
  /** How many hedged calls have failed although no more than one server was ill. */
  readonly unexpected: () => number
  readonly machine: Effect.Effect<Machine>
  /** Makes no more calls, and waits for those under way. */
  readonly end: Effect.Effect<void>
}

/** Each way to make a call. It gives what the server says about its time. */
export type Gets = Readonly<Record<Way, (id: number) => Effect.Effect<number, RpcClientError | Replicas.NoReplica>>>

/** Makes the same calls in both ways at once, until `end`, or until the scope closes. */
export const load = (
  servers: ReadonlyArray<Server>,
  gets: Gets
): Effect.Effect<Load, never, Scope.Scope> =>
  Effect.gen(function*() {
    const startedAt = performance.now()
    const seconds = () => Math.floor((performance.now() - startedAt) / 1000)
    const first: Phase = { number: 0, name: "all well", ill: 0 }
    const phases = [first]
    const current = () => phases.at(-1) ?? first
    const slowest: Record<Way, Array<number>> = { "in turn": [], "hedged": [] }
    let unexpected = 0
    let stall = 0

    const call = (way: Way, id: number) =>
      Effect.gen(function*() {
        const began = current()
        const server = servers[id % servers.length]
        const condition = server?.condition
        const [duration, { end, serverTime }] = yield* Effect.suspend(() => gets[way](id)).pipe(
          Effect.map((serverTime) => ({ end: "answered", serverTime })),
          Effect.timeoutTo({
            duration: timeout,
            onSuccess: identity,
            onTimeout: () => ({ end: "timed out", serverTime: NaN })
          }),
          // When a connection breaks, the client dies of what it was about to write.
          Effect.catchAllCause((cause) => Effect.succeed({ end: messageOf(cause), serverTime: NaN })),
          Effect.timed
        )
        const millis = Duration.toMillis(duration)
        const isAnswered = end === "answered"
        const isServerTimeKnown = way === "in turn" && isAnswered
        const wasAwake = condition?.answers === true && server?.condition === condition
        const lateness = isServerTimeKnown && wasAwake ? millis - serverTime : undefined
        yield* record(runOf(way))(millis, end, lateness)
        // What is done to a server affects calls that are under way, too. They count for the time when it was ill.
        yield* record(runOf(way, began.ill > 0 ? began : current()))(millis, end)

        const seen = slowest[way]
        while (seen.length <= seconds()) {
          seen.push(0)
        }
        seen.push(Math.max(seen.pop() ?? 0, isAnswered ? millis : Infinity))
        stall = Math.max(stall, lateness ?? 0)
        if (way === "hedged" && !isAnswered && Math.max(began.ill, current().ill) <= 1) {
          unexpected++
        }
      })

    const calls = yield* FiberSet.make()
    const run = yield* FiberSet.runtime(calls)<never>()
    let id = 0
    let due = startedAt
    const ticks = yield* Effect.suspend(() => {
      id++
      // Neither way is always the first.
      for (const way of id % 2 === 0 ? ways : [...ways].reverse()) {
        run(call(way, id))
      }
      // Catches up after a delay of up to a second. The calls of a longer one are skipped.
      const now = performance.now()
      due = Math.max(due + 1000 / rate, now - 1000)
      return Effect.sleep(Math.max(0, due - now))
    }).pipe(Effect.forever, Effect.forkScoped)

    return {
      phases,
      begin: (name) =>
        void phases.push({
          number: phases.length,
          name,
          ill: servers.filter(({ condition }) => condition !== conditions.well).length
        }),
      slowest,
      seconds,
      unexpected: () => unexpected,
      machine: Effect.map(lateness(runOf("in turn")), (lateness) => ({ lateness, stall })),
      end: Effect.zipRight(Fiber.interrupt(ticks), FiberSet.awaitEmpty(calls))
    }
  })

const messageOf = (cause: Cause.Cause<{ readonly message: string }>) => {
  const error = Cause.squash(cause)
  return error instanceof Error ? error.message : String(error)
}
