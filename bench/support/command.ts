import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"

/** Why a bench could not run, or what it did not find as it must be. */
export class BenchFailed extends Data.TaggedError("BenchFailed")<{ readonly message: string }> {}

/** The cases that `--only` leaves. A table is saved as a whole or not at all. */
export const chosen = <C extends { readonly name: string }>(
  cases: ReadonlyArray<C>,
  { only, save }: { readonly only?: string | undefined; readonly save?: boolean | undefined }
): Effect.Effect<ReadonlyArray<C>, BenchFailed> => {
  const some = cases.filter(({ name }) => name.includes(only ?? ""))
  return some.length === 0
    ? new BenchFailed({
      message: `--only has to be in the name of a case, and "${only}" is in none of:\n${
        cases.map(({ name }) => `  ${name}`).join("\n")
      }`
    })
    : save === true && only !== undefined
    ? new BenchFailed({ message: `--save writes all cases, so it does not go with --only "${only}"` })
    : Effect.succeed(some)
}

/** Runs a bench as the program. A failure is told by its message alone, and ends the process with status 1. */
export const runBench = <E extends { readonly message: string }>(bench: Effect.Effect<void, E, Scope.Scope>) => {
  // From a terminal, tsx passes on the signal that has come here already. The second one must not cut short the clean-up
  // that the first has begun.
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
