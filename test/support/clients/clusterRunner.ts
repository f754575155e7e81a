import * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import * as Logger from "effect/Logger"
import { type Event, runner, type Task } from "./cluster.js"

// A runner with the replicas of one group. It writes a line when it listens, and for all that happens in its handlers.

const { address, database, group }: Task = JSON.parse(process.argv[2] ?? "")

const write = (line: Event | { readonly ready: true }) => Effect.sync(() => console.log(JSON.stringify(line)))

const machine = runner(group, address, database, ({ hangsAt, key }, entity) => {
  const tell = (what: Event["what"]) => write({ what, entity, key })
  return Effect.zipRight(
    tell("started"),
    hangsAt.includes(group) ? Effect.never : Effect.succeed(`${key} of ${entity}`)
  ).pipe(
    Effect.onInterrupt(() => tell("interrupted")),
    Effect.ensuring(tell("released"))
  )
})

Effect.runFork(
  Effect.scoped(Effect.zipRight(Layer.build(machine), Effect.zipRight(write({ ready: true }), Effect.never))).pipe(
    Effect.provide(Logger.remove(Logger.defaultLogger))
  )
)

// It ends with whoever has started it.
process.stdin.on("end", () => process.exit()).resume()
