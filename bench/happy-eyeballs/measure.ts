import * as Effect from "effect/Effect"
import type { Network, Packet } from "../../test/support/wire/network.js"
import { start, tsx } from "../../test/support/wire/programs.js"
import { BenchFailed } from "../support/command.js"
import { run } from "../support/processes.js"
import { type Case, expected } from "./cases.js"
import type { Contender } from "./contenders.js"
import * as Hosts from "./hosts.js"
import type { Reply } from "./protocol.js"
import { makeTrials, type Trial } from "./trials.js"

/** The milliseconds from the first SYN until connected, or why the contender did not connect. */
export type Outcome = number | Exclude<Reply, { readonly connected: true }>

export interface Measurement {
  readonly case: Case
  readonly contender: Contender
  readonly outcome: Outcome
}

const server = new URL("../../test/support/wire/server.ts", import.meta.url)

const checkOrder = ({ client }: Network, { addresses, name }: Trial) =>
  Effect.flatMap(run([...client, "getent", "ahosts", name], 5_000), ({ stdout }) => {
    const resolved = [...new Set(stdout.split("\n").flatMap((line) => line.split(/\s+/)[0] || []))]
    return resolved.join(" ") === addresses.join(" ")
      ? Effect.void
      : new BenchFailed({
        message: `${name} should resolve to ${addresses.join(", ")}, but resolves to: ${
          resolved.join(", ") || "nothing"
        }`
      })
  })

/** The wire knows when the handshake ended. Only the contender knows whether it got a connection. */
const outcomeOf = (reply: Reply, { faults }: Trial, packets: ReadonlyArray<Packet>): Outcome => {
  if (!reply.connected) {
    return reply
  }
  const own = packets.filter(({ address, from }) => from === "client" && address in faults)
  const first = own.find(({ flags }) => flags === "SYN")
  const last = own.find(({ flags }) => flags === "ACK")
  return first === undefined || last === undefined ? { connected: false, code: "not on the wire" } : last.at - first.at
}

const rotated = <A>(list: ReadonlyArray<A>, by: number) => [
  ...list.slice(by % list.length),
  ...list.slice(0, by % list.length)
]

export const measure = (
  network: Network,
  cases: ReadonlyArray<Case>,
  contenders: ReadonlyArray<Contender>,
  rounds: number
) =>
  Effect.gen(function*() {
    const makeTrial = makeTrials()
    const plan = Array.from({ length: rounds }, (_, round) =>
      cases.map((self) => ({
        case: self,
        turns: rotated(contenders, round).map((contender) => ({ contender, trial: makeTrial(self) }))
      })))
    const trials = plan.flat().flatMap(({ turns }) => turns.map(({ trial }) => trial))

    yield* Hosts.make(network.client.at(-1) ?? "", trials)
    yield* Effect.forEach(trials.slice(0, cases.length * contenders.length), (trial) => checkOrder(network, trial))
    yield* start([...network.server, ...tsx(server)])
    const started = new Map(
      yield* Effect.forEach(contenders, (contender) =>
        Effect.map(contender.start(network.client), (connect) => [contender, connect] as const))
    )

    return yield* Effect.forEach(plan, (round, index) =>
      Effect.zipRight(
        Effect.sync(() =>
          console.error(`round ${index + 1} of ${rounds}`)
        ),
        Effect.forEach(round, ({ case: self, turns }) =>
          Effect.gen(function*() {
            yield* network.faults(Object.assign({}, ...turns.map(({ trial }) => trial.faults)))
            const replies = yield* Effect.forEach(
              turns,
              ({ contender, trial }) => started.get(contender)!(trial.name),
              // If nobody can connect, all contenders wait for the limit together.
              { concurrency: expected(self) === undefined ? "unbounded" : 1 }
            )
            const packets = yield* network.packets
            return turns.map(({ contender, trial }, index): Measurement => ({
              case: self,
              contender,
              outcome: outcomeOf(replies[index]!, trial, packets)
            }))
          }))
      )).pipe(Effect.map((all) => all.flat(2)))
  })
