import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { type Message, type ServerError, type ServerProcess, serverProcess, stop } from "../support/serverProcess.js"

/** How many times as long a slow replica takes. */
export const slowness = 10

/** The share of calls that take ten times as long as others, also while a replica is well. */
export const tail = 1 / 40

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
  /**
   * Does something to it, and returns when that is done: a server that was killed listens again. Calls `changed` as soon
   * as calls feel it.
   */
  readonly treat: (treatment: Treatment, changed: () => void) => Effect.Effect<void, ServerError>
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
    // It keeps its port, so clients only connect again.
    const { port = 0 } = running.first
    let condition = conditions.well
    const isRunning = () => condition.answers || condition === conditions.stopped

    const answer = (times: number) =>
      Effect.gen(function*() {
        if (isRunning()) {
          running.child.kill("SIGCONT")
        } else {
          condition = conditions.starting
          running = yield* start(port)
        }
        return yield* running.ask({ slowness: times })
      })

    const treat = (treatment: Treatment, changed: () => void) => {
      const become = Effect.sync(() => {
        condition = conditions[treatment]
        changed()
      })
      switch (treatment) {
        case "well":
          return Effect.zipRight(answer(1), become)
        case "slow":
          return Effect.zipRight(answer(slowness), become)
        case "stopped":
          return Effect.zipRight(Effect.sync(() => running.child.kill("SIGSTOP")), become)
        case "killed":
          return Effect.zipRight(become, Effect.suspend(() => stop(running.child)))
      }
    }

    const settled = (times: number): Effect.Effect<number, ServerError> =>
      Effect.flatMap(answer(1), ({ running }) =>
        running === 0 || times === 0 ? Effect.succeed(running) : Effect.delay(settled(times - 1), "50 millis"))

    // While a server starts again, what is done to it next has to wait.
    const oneAtATime = (yield* Effect.makeSemaphore(1)).withPermits(1)
    return {
      port,
      get condition() {
        return condition
      },
      treat: (treatment, changed) =>
        oneAtATime(treat(treatment, changed)),
      settle: oneAtATime(Effect.suspend(() =>
        isRunning() ? settled(100) : Effect.succeed(0)
      ))
    }
  })
