import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Option from "effect/Option"
import type * as Hedge from "../../Hedge.js"
import { runtimeOf } from "../race/fibers.js"
import { Call, type Request } from "./call.js"
import * as policies from "./policy.js"
import { CallTelemetry } from "./telemetry.js"

export { make as makeBudget, setRatio, spend, TypeId as BudgetTypeId } from "./budget.js"
export { make, TypeId as PolicyTypeId } from "./policy.js"
export { percentile } from "./settings.js"
export { metrics } from "./telemetry.js"

/** @internal */
export const call = <A, E, R, B>(
  input: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  request: Request<A, E, R, B>
): Effect.Effect<B, E, R> =>
  Effect.clockWith((clock) => {
    const policy = policies.from(input)
    const { budget, settings: { enabled, name } } = policy
    const run = (isEnabled: boolean) => {
      const now = clock.unsafeCurrentTimeMillis()
      budget.called(now)
      const plan = isEnabled ? policy.plan(request.key, now) : Either.left("disabled" as const)
      return name === undefined
        ? new Call(policy, request, clock, undefined).run(plan)
        : Effect.withFiberRuntime<B, E, R>((fiber, { runtimeFlags }) => {
          const telemetry = new CallTelemetry(name, fiber, runtimeOf(fiber, runtimeFlags))
          return new Call(policy, request, clock, telemetry).run(plan)
        })
    }
    return enabled === undefined ? run(true) : Effect.flatMap(enabled, run)
  })

/** @internal */
export const hedgeWith = <A, E, R>(
  candidate: (index: number) => Option.Option<Effect.Effect<A, E, R>>,
  policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  { key = "" }: Hedge.CallOptions = {}
): Effect.Effect<A, E, R> =>
  call<A, E, R, A>(policy, {
    key,
    copy: (index, judge) => Option.map(candidate(index), judge),
    settle: Effect.succeed
  })

/** @internal */
export const hedge = <A, E, R>(
  self: Effect.Effect<A, E, R>,
  policy: Hedge.Policy<A, E> | Hedge.Options<A, E>,
  options?: Hedge.CallOptions
): Effect.Effect<A, E, R> => hedgeWith(() => Option.some(self), policy, options)
