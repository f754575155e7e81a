import type * as Replicas from "../../Replicas.js"
import { Health, type Mean, setMean, type Settings } from "./health.js"

/** A replica of the set, with what is known of it. Calls keep it when it leaves the set. */
export interface Member<T> {
  replica: Replicas.Replica<T>
  readonly health: Health
}

/** Up to so many, all are looked at. Of more, members are drawn until enough are well, because most are. */
const few = 16
const drawsPerChoice = 8

/**
 * Which replica an attempt goes to. Plain data, as `Health`: times and random numbers are arguments.
 *
 * @internal
 */
export class Choice<T> {
  private byId: ReadonlyMap<string, Member<T>> = new Map()
  /** The same, to draw from. */
  private members: ReadonlyArray<Member<T>> = []
  /** Those of the own zone. */
  private near: ReadonlyArray<Member<T>> = []
  private readonly all: Mean = setMean()

  /** `draw` gives a whole number from 0 up to, and without, its argument. */
  constructor(private readonly settings: Settings, private readonly draw: (below: number) => number) {}

  [Symbol.iterator](): Iterator<Member<T>> {
    return this.members[Symbol.iterator]()
  }

  /** Replaces the set. What is known of an id is kept. */
  update(replicas: Iterable<Replicas.Replica<T>>): void {
    const next = new Map<string, Member<T>>()
    for (const replica of replicas) {
      const member = next.get(replica.id) ?? this.byId.get(replica.id) ??
        { replica, health: new Health(this.settings, this.all) }
      member.replica = replica
      next.set(replica.id, member)
    }
    this.byId = next
    this.members = Array.from(next.values())
    const { zone } = this.settings
    this.near = zone === undefined ? [] : this.members.filter(({ replica }) => replica.zone === zone)
  }

  /**
   * None of `tried`. First those that are well: of `prefer`, then of the own zone, then of the others. Then those that
   * are out.
   */
  pick(tried: ReadonlyArray<Member<T>>, prefer: ReadonlyArray<string>, now: number): Member<T> | undefined {
    const isWell = (member: Member<T>) => !tried.includes(member) && !member.health.isOut(now)
    return this.preferred(prefer, isWell) ??
      this.cheapest(this.near, isWell, now) ??
      this.cheapest(this.members, isWell, now) ??
      this.cheapest(this.members, (member) => !tried.includes(member), now)
  }

  /** Sends no calls to a replica for a while, unless too many are out. Returns whether it is out now. */
  eject({ health }: Member<T>, now: number): boolean {
    const out = this.members.filter(({ health }) => health.outUntil > now).length
    const mayBe = (out + 1) / this.members.length <= this.settings.maxEjected
    if (mayBe) {
      health.eject(now)
    }
    return mayBe
  }

  private preferred(ids: ReadonlyArray<string>, isWell: (member: Member<T>) => boolean): Member<T> | undefined {
    for (const id of ids) {
      const member = this.byId.get(id)
      if (member !== undefined && isWell(member)) {
        return member
      }
    }
    return undefined
  }

  /** The cheapest of a few that are drawn. The cheapest of all would get the calls of all clients at once. */
  private cheapest(
    members: ReadonlyArray<Member<T>>,
    mayBe: (member: Member<T>) => boolean,
    now: number
  ): Member<T> | undefined {
    let best: Member<T> | undefined
    let least = Infinity
    for (const member of this.drawn(members, mayBe)) {
      const cost = member.health.cost(now)
      if (best === undefined || cost < least) {
        best = member
        least = cost
      }
    }
    return best
  }

  private drawn(members: ReadonlyArray<Member<T>>, mayBe: (member: Member<T>) => boolean): ReadonlyArray<Member<T>> {
    const { choices } = this.settings
    const drawn: Array<Member<T>> = []
    if (members.length > few && choices < members.length) {
      for (let draws = 0; draws < choices * drawsPerChoice && drawn.length < choices; draws++) {
        const member = members[this.draw(members.length)]!
        if (mayBe(member) && !drawn.includes(member)) {
          drawn.push(member)
        }
      }
      if (drawn.length > 0) {
        return drawn
      }
    }
    const left = members.filter(mayBe)
    while (drawn.length < choices && left.length > 0) {
      const index = this.draw(left.length)
      drawn.push(left[index]!)
      left[index] = left[left.length - 1]!
      left.pop()
    }
    return drawn
  }
}
