import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"

/** Why a bench could not run, or which goal it missed. */
export class BenchFailed extends Data.TaggedError("BenchFailed")<{ readonly message: string }> {}

/** The cases that `--only` selects. `--save` needs all cases, because it writes the whole table. */
export const chosen = <C extends { readonly name: string }>(
  cases: ReadonlyArray<C>,
  { only, save }: { readonly only?: string | undefined; readonly save?: boolean | undefined }
): Effect.Effect<ReadonlyArray<C>, BenchFailed> => {
  const some = cases.filter(({ name }) => name.includes(only ?? ""))
  return some.length === 0
    ? new BenchFailed({
      message: `--only must be part of the name of a case, but "${only}" is in none of:\n${
        cases.map(({ name }) => `  ${name}`).join("\n")
      }`
    })
    : save === true && only !== undefined
    ? new BenchFailed({ message: `--save writes all cases, so it does not go with --only "${only}"` })
    : Effect.succeed(some)
}

/** Runs a bench as the main program. A failure prints its message and ends the process with status 1. */
export const runBench = <E extends { readonly message: string }>(bench: Effect.Effect<void, E, Scope.Scope>) => {
  // Ctrl+C reaches this process twice: from the terminal and from tsx. The second signal must not cut short the
  // clean-up that the first one began.
  process.on("SIGINT", () => {})

  NodeRuntime.runMain(
    Effect.scoped(bench).pipe(Effect.tapErrorCause((cause) =>
      Effect.sync(() => {
        if (!Cause.isInterruptedOnly(cause)) {
          console.error(Option.match(Cause.failureOption(cause), {
            onNone: () => Cause.pretty(cause),
            onSome: ({ message }) => message
          }))
        }
      })
    )),
    { disableErrorReporting: true }
  )
}
