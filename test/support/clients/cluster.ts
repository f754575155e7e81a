import * as ClusterSchema from "@effect/cluster/ClusterSchema"
import * as Entity from "@effect/cluster/Entity"
import * as RunnerAddress from "@effect/cluster/RunnerAddress"
import * as NodeClusterSocket from "@effect/platform-node/NodeClusterSocket"
import * as Rpc from "@effect/rpc/Rpc"
import * as PgClient from "@effect/sql-pg/PgClient"
import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Schema from "effect/Schema"

// Replicas in a cluster: the recipe. The test is a client of it, and `clusterRunner.ts` is one of its runners.

/** One for each replica of a thing. */
export const groups = ["a", "b", "c"] as const

export type Group = (typeof groups)[number]

/**
 * The entity `thing/a` is the replica of the thing in group `a`. Its calls are volatile, as they are not annotated as
 * persisted: interrupting a call interrupts its handler.
 */
export const Reader = Entity.make("Reader", [
  Rpc.make("read", { payload: { key: Schema.String, hangsAt: Schema.Array(Schema.String) }, success: Schema.String })
]).annotate(ClusterSchema.ShardGroup, (id) => id.slice(id.lastIndexOf("/") + 1))

/**
 * A runner has the entities of one group, so no two replicas of a thing share a machine. All of them have the default
 * group, too: in it, the cluster runs its health check.
 */
const inGroups = (...own: ReadonlyArray<Group>) => ({
  availableShardGroups: ["default", ...groups],
  assignedShardGroups: ["default", ...own]
})

/** How a runner does what `read` asks for. */
type Read = (
  payload: { readonly key: string; readonly hangsAt: ReadonlyArray<string> },
  entity: string
) => Effect.Effect<string>

export const runner = (group: Group, { host, port }: Address, database: PgClient.PgClientConfig, read: Read) =>
  Reader.toLayer(
    Effect.map(
      Entity.CurrentAddress,
      ({ entityId }) => Reader.of({ read: ({ payload }) => read(payload, entityId) })
    ),
    // By default, an entity handles one call after the other, and one that hangs holds up the rest.
    { concurrency: "unbounded" }
  ).pipe(
    Layer.provide(NodeClusterSocket.layer({
      storage: "sql",
      shardingConfig: {
        ...inGroups(group),
        runnerAddress: Option.some(RunnerAddress.make(host, port))
      }
    })),
    Layer.provide(PgClient.layer(database))
  )

export const client = (database: PgClient.PgClientConfig) =>
  NodeClusterSocket.layer({ clientOnly: true, storage: "sql", shardingConfig: inGroups() }).pipe(
    Layer.provide(PgClient.layer(database))
  )

export interface Address {
  readonly host: string
  readonly port: number
}

/** What the program of a runner is told. */
export interface Task {
  readonly group: Group
  readonly address: Address
  readonly database: PgClient.PgClientConfig
}

/** What it tells: what happens in its handlers. */
export interface Event {
  readonly what: "started" | "interrupted" | "released"
  readonly entity: string
  readonly key: string
}
