import * as Reactivity from "@effect/experimental/Reactivity"
import { PgClient } from "@effect/sql-pg"
import * as Statement from "@effect/sql/Statement"
import { it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import type * as Scope from "effect/Scope"
import { randomUUID } from "node:crypto"
import pg from "pg"
import * as Replicas from "../../src/Replicas.js"
import { reaches } from "../support/clients/reaches.js"
import { goOn, hang, isMissing, postgres, type Program } from "../support/clients/servers.js"
import { describeNeeding } from "../support/needing.js"
import { inFlight } from "../support/replicas.js"
import { leavingNoSocket } from "../support/sockets.js"

// Hedged reads with @effect/sql-pg: the recipe.

interface Database {
  readonly reads: PgClient.PgClient
  /** A pool of its own: sql-pg cancels over the pool of the query, which has no client left when all queries are late. */
  readonly cancels: PgClient.PgClient
  /** One for each client of `reads`. A read that waits here can be interrupted, and the pool never has to wait. */
  readonly permits: Effect.Semaphore
}

const maxConnections = 5

const databaseOf = (config: PgClient.PgClientConfig) =>
  Effect.all({
    reads: PgClient.make({ ...config, maxConnections }),
    cancels: PgClient.make({ ...config, maxConnections: 2 }),
    permits: Effect.makeSemaphore(maxConnections)
  })

/** A read that cancels its query when it is interrupted, and keeps its client until the query has ended. */
const read = <A, E, R>(
  { cancels, permits, reads }: Database,
  query: (sql: PgClient.PgClient) => Effect.Effect<A, E, R>
): Effect.Effect<A, E, R> =>
  Effect.suspend(() => {
    const mark = `/* ${randomUUID()} */`
    const marked = Statement.withTransformer(
      query(reads),
      (statement, sql) => Effect.succeed(sql`${sql.literal(mark)} ${statement}`)
    )
    // By its mark, and not by its process, which may have the next query by then.
    const cancel = cancels`select pg_cancel_backend(pid) from pg_stat_activity
      where starts_with(query, ${mark}) and state = 'active'`
    return Effect.acquireUseRelease(
      Effect.forkDaemon(Effect.uninterruptible(marked)),
      Fiber.join,
      (running) =>
        Effect.gen(function*() {
          // Again, because a cancellation can overtake its query.
          while (running.unsafePoll() === null) {
            yield* Effect.ignore(cancel)
            yield* Effect.timeoutOption(Effect.interruptible(Fiber.await(running)), "50 millis")
          }
        })
    )
  }).pipe(permits.withPermits(1))

/** With `losers: "await"`, a call would wait for a server that hangs. A set of replicas leaves them to the background. */
const policy = { delay: "30 millis" } as const

const live = (name: string, test: Effect.Effect<unknown, unknown, Scope.Scope | Reactivity.Reactivity>) =>
  it.live(name, () => leavingNoSocket(Effect.provide(Effect.scoped(test), Reactivity.layer)), 60_000)

const configOf = ({ address, plain }: Program) => ({ host: address, port: plain, username: "postgres" })

/** A connection of the test itself, which sees what others do, and holds locks that their queries wait for. */
const watch = ({ address, plain }: Program) =>
  Effect.gen(function*() {
    const client = yield* Effect.acquireRelease(
      Effect.promise(async () => {
        const client = new pg.Client({ host: address, port: plain, user: "postgres" })
        await client.connect()
        return client
      }),
      (client) => Effect.promise(() => client.end())
    )
    const ask = (text: string, values: ReadonlyArray<unknown> = []) =>
      Effect.promise(() =>
        client.query({ text, values: [...values], rowMode: "array" }).then(({ rows }) => rows.flat())
      )
    const running = (like: string) =>
      Effect.map(
        ask(
          "select count(*)::int from pg_stat_activity where state = 'active' and pid <> pg_backend_pid() and query like $1",
          [`%${like}%`]
        ),
        ([count]) => count
      )
    return {
      running,
      lock: (id: number) => ask("select pg_advisory_lock($1)", [id]),
      unlock: (id: number) => ask("select pg_advisory_unlock($1)", [id]),
      connections: Effect.map(
        ask("select count(*)::int from pg_stat_activity where application_name = '@effect/sql-pg'"),
        ([count]) => count
      )
    }
  })

type Watch = Effect.Effect.Success<ReturnType<typeof watch>>

/** A query that waits until the lock is free. */
const waiting = (sql: PgClient.PgClient, lock: number) => sql`select 42 as answer from ${sql.literal(waitFor(lock))}`

const waitFor = (lock: number) => `pg_advisory_xact_lock_shared(${lock})`

/** Nothing runs, and all clients of the pool can work at the same time. */
const isWhole = (database: Database, { connections, lock, running, unlock }: Watch) =>
  Effect.gen(function*() {
    yield* reaches(0, running("pg_sleep"))
    yield* lock(1)
    const answers = yield* Effect.fork(
      Effect.forEach(Arr.range(1, maxConnections), () => read(database, (sql) => waiting(sql, 1)), {
        concurrency: "unbounded"
      })
    )
    yield* reaches(maxConnections, running(waitFor(1)))
    yield* unlock(1)
    deepStrictEqual(yield* Fiber.join(answers), Arr.replicate([{ answer: 42 }], maxConnections))
    assertTrue((yield* connections) <= maxConnections + 2)
  })

const reads = 1000

interface Target {
  readonly database: Database
  readonly index: number
}

describeNeeding(
  "hedged reads of two PostgreSQL servers by @effect/sql-pg",
  Effect.all([postgres, postgres]),
  isMissing,
  (made) => {
    const start = Effect.gen(function*() {
      const servers = yield* made
      const databases = yield* Effect.forEach(servers, (server) => databaseOf(configOf(server)))
      const watches = yield* Effect.forEach(servers, watch)
      const replicas = yield* Replicas.make(
        databases.map((database, index) => ({ id: `${index}`, target: { database, index } }))
      )
      const areWhole = Effect.forEach(databases, (database, index) => isWhole(database, watches[index]!))
      return { first: servers[0], replicas, areWhole }
    })

    /** 1,000 reads, 20 at a time. */
    const readAll = (
      replicas: Replicas.Replicas<Target>,
      { before = () => Effect.void, isPreferred, seconds }: {
        readonly before?: (id: number) => Effect.Effect<void>
        /** Whether the first server is asked first, and not the one that promises the quickest answer. */
        readonly isPreferred: (id: number) => boolean
        readonly seconds: (id: number, index: number) => number
      }
    ) =>
      Effect.forEach(
        Arr.range(0, reads - 1),
        (id) =>
          Effect.zipRight(
            before(id),
            Replicas.hedge(
              replicas,
              ({ database, index }) =>
                read(database, (sql) => sql`select ${id}::int as id from pg_sleep(${seconds(id, index)})`),
              policy,
              { prefer: isPreferred(id) ? ["0"] : [] }
            )
          ),
        { concurrency: 20 }
      ).pipe(
        // Whoever interrupts a read waits for the server that hangs.
        Effect.disconnect,
        Effect.timeout("40 seconds"),
        Effect.map((answers) => deepStrictEqual(answers, Arr.makeBy(reads, (id) => [{ id }])))
      )

    live(
      "one takes very long for some: all are answered, lost queries are gone, and the pools are whole",
      Effect.gen(function*() {
        const { areWhole, replicas } = yield* start
        let lost = 0
        const isSlow = (id: number) => id % 5 === 0
        yield* readAll(replicas, {
          isPreferred: isSlow,
          seconds: (id, index) => {
            if (index === 0 && isSlow(id)) {
              lost++
              return 100
            }
            return (id % 4) / 1000
          }
        })
        assertTrue(lost > maxConnections)
        yield* areWhole
      })
    )

    live(
      "one hangs half way: all are answered, lost queries are gone, and the pools are whole",
      Effect.gen(function*() {
        const { areWhole, first, replicas } = yield* start
        yield* readAll(replicas, {
          before: (id) => id === reads / 2 ? hang(first) : Effect.void,
          isPreferred: () => true,
          // Those that it gets then would take longer than all reads may.
          seconds: (id, index) => index === 0 && id >= reads / 2 ? 100 : (id % 4) / 1000
        }).pipe(
          // No more than its pool has clients are left with the one that hangs.
          Effect.zipRight(reaches([maxConnections, 0], inFlight(replicas))),
          Effect.ensuring(goOn(first))
        )
        yield* areWhole
      })
    )

    live(
      "a read that is interrupted before the server has its query ends when that query is canceled",
      Effect.gen(function*() {
        const [server] = yield* made
        const database = yield* databaseOf(configOf(server))
        const watching = yield* watch(server)
        const { lock, running, unlock } = watching
        yield* Effect.forEach([1, 2], lock)
        const other = yield* Effect.fork(read(database, (sql) => waiting(sql, 1)))
        yield* reaches(1, running(waitFor(1)))
        // The pool has no other connection yet, and gets none: what runs goes on, and nothing new starts.
        const interrupting = yield* Effect.gen(function*() {
          yield* Effect.sync(() => process.kill(server.pid, "SIGSTOP"))
          const late = yield* Effect.fork(read(database, (sql) => waiting(sql, 2)))
          yield* Effect.yieldNow()
          const interrupting = yield* Effect.fork(Fiber.interrupt(late))
          // Longer than the first cancellation takes.
          yield* Effect.sleep("300 millis")
          strictEqual(interrupting.unsafePoll(), null)
          return interrupting
        }).pipe(Effect.ensuring(Effect.sync(() => process.kill(server.pid, "SIGCONT"))))
        yield* Fiber.join(interrupting)
        strictEqual(yield* running(waitFor(2)), 0)
        yield* unlock(1)
        deepStrictEqual(yield* Fiber.join(other), [{ answer: 42 }])
        yield* unlock(2)
        yield* isWhole(database, watching)
      })
    )

    live(
      "a call that awaits its losers waits for the server that hangs, and one that does not is answered",
      Effect.gen(function*() {
        const { areWhole, first, replicas } = yield* start
        const ask = (losers: "await" | "background") =>
          Replicas.hedge(
            replicas,
            ({ database }) => read(database, (sql) => sql`select 42 as answer`),
            { ...policy, losers },
            { prefer: ["0"] }
          )
        // Both replicas are known, so that the preferred one is taken.
        yield* areWhole
        yield* Effect.repeatN(ask("background"), 1)
        const awaiting = yield* Effect.gen(function*() {
          yield* hang(first)
          const awaiting = yield* Effect.fork(ask("await"))
          deepStrictEqual(yield* ask("background"), [{ answer: 42 }])
          // The other server has answered both.
          yield* reaches([2, 0], inFlight(replicas))
          strictEqual(awaiting.unsafePoll(), null)
          return awaiting
        }).pipe(Effect.ensuring(goOn(first)))
        deepStrictEqual(yield* Fiber.join(awaiting), [{ answer: 42 }])
        yield* areWhole
      })
    )
  }
)

// Why the recipe does more than to interrupt a query.

describeNeeding("@effect/sql-pg alone", postgres, isMissing, (made) => {
  const start = Effect.gen(function*() {
    const server = yield* made
    const pool = new pg.Pool({ host: server.address, port: server.plain, user: "postgres", max: 2 })
    const sql = yield* PgClient.fromPool({
      acquire: Effect.acquireRelease(Effect.succeed(pool), () => Effect.promise(() => pool.end()))
    })
    const watching = yield* watch(server)
    yield* Effect.forEach([1, 2, 3], watching.lock)
    const first = yield* Effect.fork(waiting(sql, 1))
    const second = yield* Effect.fork(waiting(sql, 2))
    yield* reaches(2, watching.running("shared"))
    return { ...watching, sql, first, second, queue: Effect.sync(() => pool.waitingCount) }
  })

  live(
    "cancels over the pool of the query, so that a pool that is full of lost queries waits for them",
    Effect.gen(function*() {
      const { first, queue, running, second, unlock } = yield* start
      const interrupting = yield* Effect.fork(Fiber.interruptAll([first, second]))
      yield* reaches(2, queue)
      strictEqual(yield* running("shared"), 2)
      yield* unlock(1)
      yield* unlock(2)
      yield* Fiber.join(interrupting)
    })
  )

  live(
    "cancels a process, which may have the query of another by then",
    Effect.gen(function*() {
      const { first, queue, running, second, sql, unlock } = yield* start
      const other = yield* Effect.fork(waiting(sql, 3))
      yield* reaches(1, queue)
      const interrupting = yield* Effect.fork(Fiber.interrupt(first))
      yield* reaches(2, queue)
      // The other query gets the client of the first one, and the cancellation gets that of the second one.
      yield* unlock(1)
      yield* reaches(1, running(waitFor(3)))
      yield* unlock(2)
      const error = yield* Effect.flip(Fiber.join(other))
      assertTrue(`${error.cause}`.includes("canceling statement due to user request"))
      yield* Fiber.join(second)
      yield* Fiber.join(interrupting)
    })
  )
})
