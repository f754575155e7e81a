/**
 * The program that `npm run test:typescript` compiles with each version of TypeScript. It checks that the types are the
 * right ones, because an older compiler may turn what it does not understand into `any`.
 */
import type { Either, Scope } from "effect"
import { Effect, Stream } from "effect"
import { HappyEyeballs, Hedge, StaggeredRace, Timeline } from "effect-staggered-race"
import * as HedgedHttpClient from "effect-staggered-race/HedgedHttpClient"
import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
import type * as net from "node:net"
import type * as tls from "node:tls"

/** `true` only for equal types. `any` equals only itself. */
type Equal<A, B> = (<T>() => T extends A ? 1 : 2) extends (<T>() => T extends B ? 1 : 2) ? true : false
const same = <A, B>(_: Equal<A, B>): void => {}

const candidates = [Effect.succeed(1), Effect.fail("refused" as const), Effect.as(Effect.scope, "opened" as const)]

export const raced = StaggeredRace.race(candidates, { delay: "250 millis", concurrency: 2, losers: "background" })
same<typeof raced, Effect.Effect<number | "opened", "refused", Scope.Scope>>(true)

export const piped = Effect.either(StaggeredRace.race({ delay: 10 })(candidates))
same<Effect.Effect.Success<typeof piped>, Either.Either<number | "opened", "refused">>(true)

export const streamed = StaggeredRace.raceStream(Stream.make(Effect.succeed(true)), { delay: "1 second" })
same<Effect.Effect.Success<typeof streamed>, boolean>(true)

export const outcome = StaggeredRace.outcome(candidates, { delay: "250 millis" })
same<Effect.Effect.Error<typeof outcome>, never>(true)

const policy = Hedge.make({ delay: Hedge.percentile(0.95), budget: { ratio: 0.05 } })
export const hedged = Effect.flatMap(policy, (policy) => Hedge.hedge(Effect.succeed(new Date()), policy))
same<Effect.Effect.Success<typeof hedged>, Date>(true)

export const connected = HappyEyeballs.connect({ host: "localhost", port: 80 }, NodeHappyEyeballs.open())
same<Effect.Effect.Success<typeof connected>, net.Socket>(true)
same<Effect.Effect.Context<typeof connected>, HappyEyeballs.Resolver | Scope.Scope>(true)

export const secure = NodeHappyEyeballs.connectTlsPromise({ host: "localhost", port: 443, timeout: "1 second" })
same<Awaited<typeof secure>, tls.TLSSocket>(true)

export const text: Effect.Effect<string> = Effect.map(outcome, Timeline.render({ labels: ["a", "b"] })).pipe(
  Effect.scoped
)
export const client = HedgedHttpClient.layer({ delay: "50 millis" })
