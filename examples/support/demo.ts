import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { runningProcesses } from "./serverProcess.js"
import { openSockets } from "./sockets.js"

export class DemoError extends Data.TaggedError("DemoError")<{ readonly message: string }> {}

/** Runs an effect in a scope of its own. When the scope has closed, counts the processes and sockets that are left. */
export const leavingNothingOpen = <A, E, R>(
  effect: Effect.Effect<A, E, R>
): Effect.Effect<A, E | DemoError, Exclude<R, Scope.Scope>> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(restore(Effect.scoped(effect)))
      // This process hears some turns later that the server has closed a connection.
      yield* Effect.repeat(openSockets(), {
        schedule: Schedule.spaced("20 millis"),
        times: 100,
        until: ({ total }) => total === 0
      })
      const processes = yield* runningProcesses
      const { total } = yield* openSockets()
      yield* Console.log(`processes of servers that still run: ${processes}`)
      yield* Console.log(
        `${Exit.isInterrupted(exit) ? "interrupted; " : ""}sockets of this process at the end, of any kind: ${total}`
      )
      return processes + total === 0
        ? yield* exit
        : yield* new DemoError({ message: "no process of a server should run, and no socket be open, at the end" })
    })
  )

const describe = (cause: Cause.Cause<{ readonly message: string }>) =>
  Option.match(Cause.failureOption(cause), { onNone: () => Cause.pretty(cause), onSome: ({ message }) => message })

/** Runs a demo as this process. The exit code is 0 if it succeeds, 130 if it was interrupted, and 1 otherwise. */
export const runDemo = (demo: Effect.Effect<void, { readonly message: string }>): void =>
  demo.pipe(
    Effect.tapErrorCause((cause) => Cause.isInterruptedOnly(cause) ? Effect.void : Console.error(describe(cause))),
    NodeRuntime.runMain({
      disableErrorReporting: true,
      teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? 0 : Exit.isInterrupted(exit) ? 130 : 1)
    })
  )
