import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { describeNeeding } from "../needing.js"
import * as Network from "./network.js"

/** Tests on a network of their own, of which something is made for all of them. */
export const describeNetwork = <A, E extends Error>(
  name: string,
  use: (network: Network.Network) => Effect.Effect<A, E, Scope.Scope>,
  tests: (made: Effect.Effect<A, E | Network.NetworkUnavailable>) => void
) =>
  describeNeeding(
    name,
    Effect.flatMap(Network.make, use),
    (error) => error instanceof Network.NetworkUnavailable,
    tests
  )
