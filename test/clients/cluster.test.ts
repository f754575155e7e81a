import { it } from "@effect/vitest"
import { strictEqual } from "@effect/vitest/utils"
import * as Arr from "effect/Array"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import * as Scope from "effect/Scope"
import * as net from "node:net"
import pg from "pg"
import * as Replicas from "../../src/Replicas.js"
import { client, type Event, type Group, groups, Reader, type Task } from "../support/clients/cluster.js"
import { reaches } from "../support/clients/reaches.js"
import { isMissing, postgres, type Program } from "../support/clients/servers.js"
import { describeNeeding } from "../support/needing.js"
import { inFlight } from "../support/replicas.js"
import { leavingNoSocket, listening } from "../support/sockets.js"
import { start, tsx } from "../support/wire/programs.js"

// Hedged calls of replicas in a cluster: three runners, each a process of its own. The recipe is in `cluster.ts`.

const host = "127.0.0.3"

const program = new URL("../support/clients/clusterRunner.ts", import.meta.url)

let databases = 0

/** Each cluster has a database of its own. */
const databaseIn = ({ address, plain }: Program) =>
  Effect.promise(async () => {
    const server = { host: address, port: plain, user: "postgres" }
    const database = `cluster_${databases++}`
    const connection = new pg.Client(server)
    await connection.connect()
    await connection.query(`create database ${database}`)
    await connection.end()
    return { host: address, port: plain, username: "postgres", database }
  })

/** Starts a runner, and keeps what happens in it. It is killed when the scope closes. */
const runnerOf = (task: Task) =>
  Effect.map(start([...tsx(program), JSON.stringify(task)], "1 minute"), ({ lines }) => {
    const events: Array<Event> = []
    lines.on("line", (line) => events.push(JSON.parse(line)))
    return { events }
  })

/** What has happened in runners, for the calls with a key. */
const about = (key: string, ...runners: ReadonlyArray<{ readonly events: ReadonlyArray<Event> }>) =>
  Effect.sync(() =>
    runners.map(({ events }) =>
      events.filter((event) => event.key === key).map(({ entity, what }) => `${what} ${entity}`)
    )
  )

const answered = (entity: string) => [`started ${entity}`, `released ${entity}`]

const lost = (entity: string) => [`started ${entity}`, `interrupted ${entity}`, `released ${entity}`]

/** Three runners, a client, and a set of the groups. */
const clusterOn = (server: Program) =>
  Effect.gen(function*() {
    const database = yield* databaseIn(server)
    // Its tables are made by one of all that use it, before the others start.
    yield* Effect.scoped(Layer.build(client(database)))
    const runnerIn = (group: Group) =>
      Effect.gen(function*() {
        const port = yield* Effect.scoped(listening(net.createServer(), host))
        const scope = yield* Effect.acquireRelease(Scope.make(), (scope) => Scope.close(scope, Exit.void))
        const start = runnerOf({ group, address: { host, port }, database })
        const { events } = yield* Scope.extend(start, scope)
        return { events, kill: Scope.close(scope, Exit.void), start }
      })
    const runners = yield* Effect.all({ a: runnerIn("a"), b: runnerIn("b"), c: runnerIn("c") }, {
      concurrency: "unbounded"
    })
    const reader = yield* Effect.provide(Reader.client, yield* Layer.build(client(database)))
    // What the set knows is how quick the runners are, so it is that of all things.
    const replicas = yield* Replicas.make(groups.map((group) => ({ id: group, target: group })))
    return { runners, reader, replicas }
  })

const live = (name: string, test: Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(
    name,
    () => leavingNoSocket(Effect.provide(Effect.scoped(test), Logger.remove(Logger.defaultLogger))),
    120_000
  )

describeNeeding("replicas in a cluster of three runners", postgres, isMissing, (made) => {
  live(
    "each is on a machine of its own, a later one answers, and the handlers of losers are interrupted",
    Effect.gen(function*() {
      const { reader, replicas, runners } = yield* clusterOn(yield* made)
      const { a, b, c } = runners
      const haveStarted = (key: string, at: ReadonlyArray<Group>) =>
        reaches(at.map((group) => [`started thing/${group}`]), about(key, ...at.map((group) => runners[group])))
      const ask = (key: string, hangsAt: ReadonlyArray<Group>) =>
        Replicas.hedge(
          replicas,
          // Whoever answers is asked when the others have started, so that there are handlers to interrupt.
          (group) =>
            Effect.zipRight(
              hangsAt.includes(group) ? Effect.void : haveStarted(key, hangsAt),
              reader(`thing/${group}`).read({ key, hangsAt })
            ),
          { delay: "50 millis", maxHedges: hangsAt.length },
          { prefer: groups }
        )

      // These wait until the cluster has given the entities to runners.
      for (const group of groups) {
        strictEqual(yield* reader(`thing/${group}`).read({ key: "zero", hangsAt: [] }), `zero of thing/${group}`)
      }
      yield* reaches([answered("thing/a"), answered("thing/b"), answered("thing/c")], about("zero", a, b, c))

      strictEqual(yield* ask("one", ["a"]), "one of thing/b")
      yield* reaches([lost("thing/a"), answered("thing/b"), []], about("one", a, b, c))
      yield* reaches([0, 0, 0], inFlight(replicas))

      strictEqual(yield* ask("two", ["a", "b"]), "two of thing/c")
      yield* reaches([lost("thing/a"), lost("thing/b"), answered("thing/c")], about("two", a, b, c))
      yield* reaches([0, 0, 0], inFlight(replicas))
    })
  )

  live(
    "a call to a runner that is killed does not fail: it waits for the next runner, and a hedge answers before",
    Effect.gen(function*() {
      const { reader, replicas, runners: { a } } = yield* clusterOn(yield* made)
      const waiting = yield* Effect.fork(reader("thing/a").read({ key: "waiting", hangsAt: ["a"] }))
      yield* reaches([["started thing/a"]], about("waiting", a))
      yield* a.kill

      const ask = Replicas.hedge(
        replicas,
        (group) => reader(`thing/${group}`).read({ key: "hedged", hangsAt: [] }),
        { delay: "50 millis" },
        { prefer: groups }
      )
      strictEqual(yield* ask, "hedged of thing/b")
      yield* reaches([0, 0, 0], inFlight(replicas))
      strictEqual(waiting.unsafePoll(), null)

      const next = yield* a.start
      yield* reaches([["started thing/a"]], about("waiting", next))
      yield* Fiber.interrupt(waiting)
      yield* reaches(
        [lost("thing/a"), []],
        Effect.all([about("waiting", next), about("hedged", next)]).pipe(Effect.map(Arr.flatten))
      )
    })
  )
})
