import { afterAll, beforeAll, beforeEach, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"

/**
 * Tests that need what not every machine has, and of which one is made for all of them. Where it is missing they are
 * skipped, or, where `CI` is set, fail.
 */
export const describeNeeding = <A, E extends Error>(
  name: string,
  make: Effect.Effect<A, E, Scope.Scope>,
  isMissing: (error: E) => boolean,
  tests: (made: Effect.Effect<A, E>) => void
) =>
  describe.sequential(name, () => {
    const scope = Effect.runSync(Scope.make())
    let made: Either.Either<A, E>
    beforeAll(async () => {
      made = await Effect.runPromise(make.pipe(Scope.extend(scope), Effect.either))
      if (Either.isLeft(made)) {
        if (process.env["CI"] || !isMissing(made.left)) {
          throw made.left
        }
        console.warn(`\n!!! SKIPPED: ${name}. ${made.left.message}\n`)
      }
    }, 60_000)
    beforeEach(({ skip }) => skip(Either.isLeft(made)))
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)), 60_000)
    tests(Effect.suspend(() => made))
  })
