import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import * as Scope from "effect/Scope"
import { type Message, type ServerError, type ServerProcess, serverProcess, stop } from "../support/serverProcess.js"

/** How many times as long a slow replica takes. */
export const slowness = 10

/** What was done to a replica last. */
export interface Condition {
  readonly name: string
  /** Whether it answers calls, if slowly. */
  readonly answers: boolean
}

/** What can be done to a replica, in the order in which a key does it. */
export const treatments = ["well", "slow", "stopped", "killed"] as const

export type Treatment = typeof treatments[number]

export const conditions: Readonly<Record<Treatment | "starting", Condition>> = {
  well: { name: "well", answers: true },
  slow: { name: "slow", answers: true },
  stopped: { name: "stopped", answers: false },
  killed: { name: "killed", answers: false },
  starting: { name: "starting", answers: false }
}

export interface Question extends Message {
  readonly slowness: number
}

export interface Answer extends Message {
  /** How many calls are under way. */
  readonly running: number
  /** Only in the first answer. */
  readonly port?: number
}

/** A replica: a server in a process of its own. */
export interface Server {
  readonly port: number
  readonly condition: Condition
  /** Does something to it, and returns when that is done: a server that was killed listens again. */
  readonly treat: (treatment: Treatment) => Effect.Effect<void, ServerError>
  /** Makes it well, unless it was killed, and waits until it has no calls under way. Gives how many are left. */
  readonly settle: Effect.Effect<number, ServerError>
}

/** Starts a replica. Its process ends with the scope, whatever was done to it. */
export const server = (seed: number): Effect.Effect<Server, ServerError, Scope.Scope> =>
  Effect.gen(function*() {
    const scope = yield* Effect.scope
    const start = (port: number) =>
      serverProcess<Question, Answer>(new URL("./serverProcess.ts", import.meta.url), [`${seed}`, `${port}`]).pipe(
        Effect.provideService(Scope.Scope, scope)
      )

    let running: ServerProcess<Question, Answer> = yield* start(0)
    let condition = conditions.well
    // It keeps its port, so clients only connect again.
    const { port = 0 } = running.first

    const awake = Effect.suspend(() => {
      if (condition === conditions.killed) {
        condition = conditions.starting
        return Effect.map(start(port), (next) => void (running = next))
      }
      running.child.kill("SIGCONT")
      return Effect.void
    })
    const tell = (times: number) => Effect.suspend(() => running.ask({ slowness: times }))
    const does: Record<Treatment, Effect.Effect<unknown, ServerError>> = {
      well: Effect.zipRight(awake, tell(1)),
      slow: Effect.zipRight(awake, tell(slowness)),
      stopped: Effect.sync(() => running.child.kill("SIGSTOP")),
      killed: Effect.suspend(() => stop(running.child))
    }
    // While a server starts again, what is done to it next has to wait.
    const oneAtATime = (yield* Effect.makeSemaphore(1)).withPermits(1)

    return {
      port,
      get condition() {
        return condition
      },
      treat: (next) =>
        oneAtATime(Effect.suspend(() => Effect.map(does[next], () => void (condition = conditions[next])))),
      settle: oneAtATime(Effect.suspend(() =>
        condition === conditions.killed
          ? Effect.succeed(0)
          : Effect.zipRight(awake, tell(1)).pipe(
            Effect.map(({ running }) => running),
            Effect.repeat({
              schedule: Schedule.spaced("50 millis"),
              until: (left) => left === 0,
              times: 100
            })
          )
      ))
    }
  })
