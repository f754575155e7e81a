import type { RpcClient } from "@effect/rpc/RpcClient"
import type { RpcClientError } from "@effect/rpc/RpcClientError"
import type * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Effect from "effect/Effect"
import { Hedge, Replicas } from "../../src/index.js"
import type { Api } from "./api.js"

export type Client = RpcClient<RpcGroup.Rpcs<typeof Api>, RpcClientError>

/** When a call gets a hedge. It leaves half of the budget for a server that stops. */
export const quantile = 0.95

/** Hedges for each call, at most. */
export const ratio = 0.1

/** A hedged `Get` over the clients of all replicas. A program makes this once. */
export const makeGet = (clients: ReadonlyArray<Client>, name: string) =>
  Effect.gen(function*() {
    const policy = yield* Hedge.make({
      name,
      delay: Hedge.percentile(quantile, { max: "100 millis" }),
      budget: { ratio }
    })
    const replicas = yield* Replicas.make(
      clients.map((target, index) => ({ id: `${index + 1}`, target })),
      // Servers recover within seconds here. Leave it at ten seconds where they take minutes.
      { halfLife: "1 second" }
    )
    const get = (id: number) => Replicas.hedge(replicas, (client, attempt) => client.Get({ id, attempt }), policy)
    return { get, replicas }
  })
