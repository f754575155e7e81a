import type { SocketError } from "@effect/platform/Socket"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { Replicas } from "../../src/index.js"
import type { ServerError } from "../support/serverProcess.js"
import { client } from "./client.js"
import { type Gets, type Load, load, timeout } from "./load.js"
import { makeGet } from "./recipe.js"
import { type Server, server, type Treatment } from "./server.js"

/** Names the metrics of the hedged calls. */
export const policyName = "demo"

/** Three servers, and calls to them. */
export interface Stage {
  readonly servers: ReadonlyArray<Server>
  readonly calls: Load
  /** What the set of replicas knows of the servers. */
  readonly states: Effect.Effect<ReadonlyArray<Replicas.State>>
  /** Does something to a server, by its place, and begins a phase with the given name. */
  readonly treat: (place: number, treatment: Treatment, name: () => string) => Effect.Effect<void, ServerError>
}

export const stage = (seed: number): Effect.Effect<Stage, ServerError | SocketError, Scope.Scope> =>
  Effect.gen(function*() {
    const servers = yield* Effect.all(Arr.makeBy(3, () => server(seed)), { concurrency: "unbounded" })
    const clients = yield* Effect.forEach(servers, ({ port }) => client(port))

    /** Each way to make a call, with a memory of its own. */
    const make = (name: string) =>
      Effect.gen(function*() {
        const { get, replicas } = yield* makeGet(clients, name)
        const gets: Gets = {
          "in turn": (id) => clients[id % clients.length]!.Get({ id, attempt: 0 }),
          "hedged": get
        }
        return { gets, replicas }
      })

    // The first calls of a process are slow, because nothing is compiled yet. What they teach is forgotten.
    const { gets: unused } = yield* make("warm-up")
    yield* Effect.forEach(
      Arr.range(1, 200),
      (id) => Effect.zip(unused["in turn"](id), unused.hedged(id)).pipe(Effect.timeout(timeout), Effect.ignore),
      { concurrency: 3 }
    )

    const { gets, replicas } = yield* make(policyName)
    const calls = yield* load(servers, gets)
    return {
      servers,
      calls,
      states: Replicas.states(replicas),
      treat: (place, treatment, name) => servers[place]?.treat(treatment, () => calls.begin(name())) ?? Effect.void
    }
  })
