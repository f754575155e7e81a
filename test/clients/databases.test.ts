import { it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { Redis } from "ioredis"
import pg from "pg"
import * as Hedge from "../../src/Hedge.js"
import { reaches } from "../support/clients/reaches.js"
import { goOn, hang, isMissing, postgres, type Program, redis } from "../support/clients/servers.js"
import { describeNeeding } from "../support/needing.js"
import { leavingNoSocket } from "../support/sockets.js"

declare module "pg" {
  interface ClientBase {
    /** The process of the server that works for this connection. The driver has it; its types do not. */
    readonly processID: number | null
  }
}

// A hedged read of a database: the recipe.

interface Replica {
  readonly pool: pg.Pool
  /** Connections of their own: a pool that is exhausted by late queries has none left to cancel them. */
  readonly cancels: pg.Pool
}

/**
 * A query that is cancelled at the server when it is interrupted. A client goes back to its pool only when its query has
 * ended and the cancellation was answered, which else would hit the client's next query.
 */
const query = ({ cancels, pool }: Replica, text: string): Effect.Effect<ReadonlyArray<unknown>, unknown> =>
  Effect.acquireUseRelease(
    Effect.sync(() => pool.connect()),
    (connecting) =>
      Effect.flatMap(
        Effect.tryPromise(() => connecting),
        (client) =>
          Effect.async<ReadonlyArray<unknown>, unknown>((resume) => {
            const running = client.query({ text, rowMode: "array" }).then(
              ({ rows }) => resume(Effect.succeed(rows.flat())),
              (error) => resume(Effect.fail(error))
            )
            // The server drops a cancellation that overtakes its query. So it is repeated until the query has ended.
            return Effect.promise(() =>
              cancels.query("select pg_cancel_backend($1)", [client.processID]).catch(() => {})
            )
              .pipe(
                Effect.zipRight(Effect.timeoutOption(Effect.interruptible(Effect.promise(() => running)), "50 millis")),
                Effect.repeat({ until: Option.isSome })
              )
          })
      ),
    // One that was interrupted as it waited for a client gives it back when it comes.
    (connecting) => Effect.promise(() => connecting.then((client) => client.release(), () => {}))
  )

/** Hedged over all replicas, from the given one on. With `losers: "await"` it would wait for those that hang. */
const hedged = <A>(
  replicas: ReadonlyArray<A>,
  first: number,
  ask: (replica: A, index: number) => Effect.Effect<unknown, unknown>
) => Hedge.hedgeAll(Arr.map(Arr.rotate(replicas, -first), ask), { delay: "30 millis", losers: "background" })

const reads = 1000
const limits = { max: 5 }

/** 1,000 reads, 20 at a time. Half way, a server hangs until all of them are answered. */
const readAll = (server: Program, read: (id: number) => Effect.Effect<unknown, unknown>) =>
  Effect.forEach(
    Arr.range(0, reads - 1),
    (id) => id === reads / 2 ? Effect.zipRight(hang(server), read(id)) : read(id),
    { concurrency: 20 }
  ).pipe(
    // Reads that are interrupted wait for the server that hangs, and so does a scope around them as it closes.
    Effect.disconnect,
    Effect.timeout("20 seconds"),
    Effect.ensuring(goOn(server))
  )

const live = (name: string, test: Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test)), 60_000)

describeNeeding("hedged reads of two PostgreSQL servers", Effect.all([postgres, postgres]), isMissing, (made) => {
  const poolOf = ({ address, plain }: Program, options: pg.PoolConfig) =>
    Effect.acquireRelease(
      Effect.sync(() =>
        new pg.Pool({ host: address, port: plain, user: "postgres", ...options }).on("error", () => {})
      ),
      (pool) => Effect.promise(() => pool.end())
    )

  const replicaOf = (server: Program) =>
    Effect.all({ pool: poolOf(server, limits), cancels: poolOf(server, { max: 2 }) })

  const stateOf = ({ cancels, pool }: Replica) =>
    Effect.map(
      Effect.promise(() =>
        cancels.query(
          "select from pg_stat_activity where query like '%pg_sleep%' and pid <> pg_backend_pid()" +
            " and state <> 'idle'"
        )
      ),
      ({ rowCount }) =>
        [cancels, pool].reduce((state, { idleCount, options: { max }, totalCount, waitingCount }) => ({
          queries: state.queries,
          waiting: state.waiting + waitingCount,
          checkedOut: state.checkedOut + totalCount - idleCount,
          isWithinBounds: state.isWithinBounds && totalCount <= max
        }), { queries: rowCount, waiting: 0, checkedOut: 0, isWithinBounds: true })
    )

  const isWhole = (replica: Replica) =>
    Effect.gen(function*() {
      yield* reaches({ queries: 0, waiting: 0, checkedOut: 0, isWithinBounds: true }, stateOf(replica))
      const answers = yield* Effect.all(Arr.replicate(query(replica, "select 42"), limits.max), {
        concurrency: "unbounded"
      })
      deepStrictEqual(answers, Arr.replicate([42], limits.max))
    })

  /**
   * How long a query takes, in seconds. One first request in five takes longer than all reads may, so that its hedge has
   * to answer; where only its own server is left, it takes less.
   */
  const seconds = (id: number, index: number) => {
    const late = id % 2 === 1 && id >= 0.4 * reads ? 0.1 : 60
    return index === 0 && id % 5 === 0 ? late : (id % 4) / 1000
  }

  live(
    "one hangs half way: all are answered, lost queries are gone, and the pools are whole",
    Effect.gen(function*() {
      const servers = yield* made
      const replicas = yield* Effect.forEach(servers, replicaOf)
      const answers = yield* readAll(servers[0], (id) =>
        hedged(
          replicas,
          id % 2,
          (replica, index) => query(replica, `select ${id} from pg_sleep(${seconds(id, index)})`)
        ))
      deepStrictEqual(answers, Arr.makeBy(reads, (id) => [id]))
      yield* Effect.forEach(replicas, isWhole)
    })
  )

  live(
    "a cancellation that overtakes its query is repeated",
    Effect.gen(function*() {
      const replica = yield* replicaOf((yield* made)[0])
      const [pid] = yield* query(replica, "select pg_backend_pid()")
      const backend = (signal: NodeJS.Signals) => Effect.sync(() => process.kill(Number(pid), signal))
      yield* backend("SIGSTOP")
      yield* Effect.gen(function*() {
        // It waits at the client's process, which takes the cancellation first.
        yield* Effect.fork(Effect.timeout(query(replica, "select from pg_sleep(60)"), "10 millis"))
        const { cancels } = replica
        yield* reaches([1, 1], Effect.sync(() => [cancels.totalCount, cancels.idleCount]))
      }).pipe(Effect.ensuring(backend("SIGCONT")))
      yield* isWhole(replica)
    })
  )
})

describeNeeding("hedged reads of two Redis servers", Effect.all([redis, redis]), isMissing, (made) => {
  const clientOf = ({ address, plain }: Program) =>
    Effect.acquireRelease(
      Effect.sync(() => new Redis({ host: address, port: plain, retryStrategy: () => null })),
      (client) => Effect.sync(() => client.disconnect())
    )

  const stateOf = (client: Redis) => ({
    status: client.status,
    commands: client.commandQueue.length
  })

  live(
    "one hangs half way: all are answered, no command is left, and the connections are whole",
    Effect.gen(function*() {
      const servers = yield* made
      const clients = yield* Effect.forEach(servers, clientOf)
      const keys = Arr.makeBy(reads, (id) => [`key ${id}`, `value ${id}`])
      yield* Effect.forEach(clients, (client) => Effect.promise(() => client.mset(...keys.flat())))
      // A command cannot be cancelled: it is let go of, and its reply is dropped when it comes.
      const answers = yield* readAll(
        servers[0],
        (id) => hedged(clients, id % 2, (client) => Effect.tryPromise(() => client.get(`key ${id}`)))
      )
      deepStrictEqual(answers, Arr.makeBy(reads, (id) => `value ${id}`))
      for (const client of clients) {
        yield* reaches({ status: "ready", commands: 0 }, Effect.sync(() => stateOf(client)))
        strictEqual(yield* Effect.promise(() => client.get("key 7")), "value 7")
      }
    })
  )
})
