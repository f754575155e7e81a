import * as Arr from "effect/Array"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as Order from "effect/Order"
import type { Address, Connection, Family, History, HistoryOptions, Target } from "../../HappyEyeballs.js"
import { Checks } from "../options.js"
import { fromText, keyOf } from "./address.js"

const check = new Checks("HappyEyeballs")

/**
 * A name with many addresses answers with a few at a time, in rotation. This is more than one answer holds, and still a
 * limit.
 */
const addressesPerTarget = 32

/** The weight of a new time in the smoothed one: RFC 6298, section 2. */
const weight = 1 / 8

/** Puts an entry at the end. If there are more than `most`, it drops the one put longest ago. */
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
  /** Milliseconds to connect, smoothed. None if the address has never answered. */
  readonly time: number | undefined
  /** The address failed or was overtaken, and has not answered since. */
  readonly isAvoided: boolean
}

/** What the history knows about the addresses of one target. */
class Known {
  private readonly facts = new Map<string, Facts>()
  /** The address that won most recently, or an empty text. */
  private winner = ""

  constructor(readonly since: number) {}

  record(connections: ReadonlyArray<Connection<unknown>>): void {
    const winner = connections.findIndex(({ result }) => result === "won")
    connections.forEach(({ result, ...connection }, index) => {
      const isAnswer = result === "won" || result === "late"
      // The next attempt starts when the newest has failed or has had its Connection Attempt Delay. So an attempt that
      // still ran when the winner started has had that delay. The winner was faster, although it started later.
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
    // If the clock was set back, the entry counts as expired. Otherwise it could outlive its time.
    if (found === undefined || now < found.since || now >= found.since + lifetime) {
      return undefined
    }
    put(known, key, found, targets)
    return found
  }

  /** Every use goes through here, so facts about one network are never used in another. */
  const use = <A>(f: (now: number) => A): Effect.Effect<A> =>
    Effect.zipWith(network, Clock.currentTimeMillis, (network, now) => {
      if (network !== attached) {
        known.clear()
        attachedAt = attached === undefined ? -Infinity : now
        attached = network
      }
      // The clock may be set back meanwhile.
      attachedAt = Math.min(attachedAt, now)
      return f(now)
    })

  return {
    leads: (target) => use((now) => Option.flatMap(Option.fromNullable(find(target, now)), (known) => known.leads())),
    order: (addresses, host, port) => use((now) => find({ host, port }, now)?.order(addresses) ?? addresses),
    record: (connections, target) =>
      use((now) => {
        // A connection that began before the network changed, even if the change cut it off, says nothing about this
        // network.
        const recent = connections.filter(({ startedAt }) => startedAt >= attachedAt)
        // A host that is an address leaves nothing to sort.
        if (recent.length > 0 && Option.isNone(fromText(target.host))) {
          const found = find(target, now) ?? new Known(now)
          found.record(recent)
          put(known, keyOfTarget(target), found, targets)
        }
      })
  }
}
