import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type { Address, Connection, Family, History, HistoryOptions, Target } from "../../HappyEyeballs.js"
import { Checks } from "../options.js"
import { fromText, keyOf } from "./address.js"

const check = new Checks("HappyEyeballs")

/** Names with many addresses give a few at a time, in turn. This is more than an answer holds, and not without end. */
const addressesPerTarget = 32

/** What a new time counts in the smoothed one: RFC 6298, section 2. */
const weight = 1 / 8

/** Puts a value at the end. Forgets what was put there longest ago, if there is more than there may be. */
const put = <A>(map: Map<string, A>, key: string, value: A, most: number): void => {
  map.delete(key)
  map.set(key, value)
  if (map.size > most) {
    const [oldest = key] = map.keys()
    map.delete(oldest)
  }
}

interface Facts {
  readonly family: Family
  /** How long connecting takes, smoothed, in milliseconds. None if the address has never answered. */
  readonly time: number | undefined
  /** It has failed, or has been overtaken, and has not answered since. */
  readonly isAvoided: boolean
}

/** What is known of the addresses of one target. */
class Known {
  private readonly facts = new Map<string, Facts>()
  /** Which address won most recently, if one has. */
  private winner = ""

  constructor(readonly since: number) {}

  record(connections: ReadonlyArray<Connection<unknown>>): void {
    const winner = connections.findIndex(({ result }) => result === "won")
    connections.forEach(({ result, ...connection }, index) => {
      const isAnswer = result === "won" || result === "late"
      // A race starts the next attempt when the newest one has failed, or has had its Connection Attempt Delay. So one
      // that still ran when the winner started has had that time, and the winner was faster although it started later.
      const isOvertaken = result === "lost" && index < winner
      if (isAnswer || isOvertaken || result === "failed") {
        this.learn(connection, isAnswer)
      }
    })
    this.winner = Option.match(Arr.get(connections, winner), { onNone: () => this.winner, onSome: keyOf })
  }

  private learn({ endedAt, startedAt, ...address }: Omit<Connection<unknown>, "result">, isAnswer: boolean): void {
    const key = keyOf(address)
    const before = this.facts.get(key)?.time
    const taken = endedAt - startedAt
    const time = isAnswer ? before === undefined ? taken : before + (taken - before) * weight : before
    put(this.facts, key, { family: address.family, isAvoided: !isAnswer, time }, addressesPerTarget)
  }

  order(addresses: ReadonlyArray<Address>): ReadonlyArray<Address> {
    const untried = Number.MAX_VALUE
    return Arr.sortWith(addresses, (address) => {
      const key = keyOf(address)
      const { isAvoided = false, time = untried } = this.facts.get(key) ?? {}
      return isAvoided ? Infinity : key === this.winner ? -Infinity : time
    }, Order.number)
  }

  leads(): Option.Option<Family> {
    const winner = this.facts.get(this.winner)
    const isOtherAvoided = Arr.some(
      [...this.facts.values()],
      ({ family, isAvoided }) => isAvoided && family !== winner?.family
    )
    return winner === undefined || winner.isAvoided || !isOtherAvoided ? Option.none() : Option.some(winner.family)
  }
}

/** @internal */
export const makeHistory = (options: HistoryOptions = {}): History => {
  const { capacity = 256, network = Effect.succeed(""), timeToLive = "10 minutes" } = check.object(
    "options",
    options,
    "a capacity, a timeToLive or a network"
  )
  const targets = check.whole("capacity", capacity, 1)
  const lifetime = check.period("timeToLive", timeToLive)
  check.that(Effect.isEffect(network), "network", network, "an effect")

  const known = new Map<string, Known>()
  let attached: string | undefined
  let attachedAt = -Infinity

  const keyOfTarget = ({ host, port }: Target) => `${host.toLowerCase()} ${port}`

  const find = (target: Target, now: number): Known | undefined => {
    const key = keyOfTarget(target)
    const found = known.get(key)
    // A clock that was set back counts as time that has passed: nothing may be remembered for longer than it lives.
    if (found === undefined || now < found.since || now >= found.since + lifetime) {
      return undefined
    }
    put(known, key, found, targets)
    return found
  }

  /** Every use begins here, so that nothing that is known of one network is used in another. */
  const use = <A>(f: (now: number) => A): Effect.Effect<A> =>
    Effect.zipWith(network, Clock.currentTimeMillis, (network, now) => {
      if (network !== attached) {
        known.clear()
        attachedAt = attached === undefined ? -Infinity : now
        attached = network
      }
      // Whatever the clock does meanwhile.
      attachedAt = Math.min(attachedAt, now)
      return f(now)
    })

  return {
    leads: (target) => use((now) => Option.flatMap(Option.fromNullable(find(target, now)), (known) => known.leads())),
    order: (addresses, host, port) => use((now) => find({ host, port }, now)?.order(addresses) ?? addresses),
    record: (connections, target) =>
      use((now) => {
        // What began before the network changed, or was cut off by that, says nothing of this one.
        const recent = connections.filter(({ startedAt }) => startedAt >= attachedAt)
        // Where the host is an address, there is nothing to put in order.
        if (recent.length > 0 && Option.isNone(fromText(target.host))) {
          const found = find(target, now) ?? new Known(now)
          found.record(recent)
          put(known, keyOfTarget(target), found, targets)
        }
      })
  }
}
