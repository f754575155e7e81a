import { afterAll, beforeAll, beforeEach, describe } from "@effect/vitest"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import * as Network from "./network.js"

/**
 * Tests on a network of their own, of which something is made for all of them. Where there can be none they are
 * skipped, or, where `CI` is set, fail.
 */
export const describeNetwork = <A, E extends Error>(
  name: string,
  use: (network: Network.Network) => Effect.Effect<A, E, Scope.Scope>,
  tests: (made: Effect.Effect<A, E | Network.NetworkUnavailable>) => void
) =>
  describe.sequential(name, () => {
    const scope = Effect.runSync(Scope.make())
    let made: Either.Either<A, E | Network.NetworkUnavailable>
    beforeAll(async () => {
      made = await Effect.runPromise(Network.make.pipe(Effect.flatMap(use), Scope.extend(scope), Effect.either))
      if (Either.isLeft(made)) {
        if (process.env["CI"] || !(made.left instanceof Network.NetworkUnavailable)) {
          throw made.left
        }
        console.warn(`\n!!! SKIPPED: ${name}. ${made.left.message}\n`)
      }
    }, 60_000)
    beforeEach(({ skip }) => skip(Either.isLeft(made)))
    afterAll(() => Effect.runPromise(Scope.close(scope, Exit.void)))
    tests(Effect.suspend(() => made))
  })
