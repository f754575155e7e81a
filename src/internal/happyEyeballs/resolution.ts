import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type { Address, Family, QueryFailed } from "../../HappyEyeballs.js"
import type * as Source from "../race/source.js"
import { Sequence, standIns } from "./address.js"

/** @internal */
export interface ResolutionSettings {
  /** The family to try first, if it is known without the addresses. The queries wait for it. */
  readonly prefer: Effect.Effect<Family | undefined> | undefined
  /** Returns the family to try first, given the first address of each. Used if `prefer` gives none. Default: IPv6. */
  readonly leads: ((addresses: ReadonlyArray<Address>) => Effect.Effect<Family>) | undefined
  readonly firstFamilyCount: number
  /** Milliseconds. */
  readonly resolutionDelay: number
}

/** @internal */
export interface Answer {
  /** In the order to try them. */
  readonly addresses: ReadonlyArray<Address>
  /** Names the entries of the answer that are not addresses. */
  readonly failure: QueryFailed | undefined
}

const ipv6: Family = 6

type Pull<C> = Source.Pull<C, never, never>

type Query = (family: Family) => Effect.Effect<Answer, QueryFailed>

/**
 * One resolution of a name: the queries, their answers, and the addresses given out.
 *
 * @internal
 */
export class Resolution {
  readonly failures: Array<Cause.Cause<QueryFailed>> = []
  private readonly sequence: Sequence<Address>
  private readonly pending = new Set<Family>()
  private preferred: Family | undefined
  private firstAnswerAt = Infinity
  private answers = 0
  private wake: (() => void) | undefined

  constructor(
    private readonly query: Query,
    /** RFC 8305, section 3: the AAAA query first, the A query right after it, and neither waits for the other. */
    private readonly families: ReadonlyArray<Family>,
    private readonly settings: ResolutionSettings
  ) {
    this.sequence = new Sequence(ipv6, settings.firstFamilyCount)
  }

  /** The addresses in the order pulled. */
  get given(): ReadonlyArray<Address> {
    return this.sequence.taken
  }

  /** The families whose query is still unanswered. */
  get unanswered(): ReadonlyArray<Family> {
    return Array.from(this.pending)
  }

  /**
   * Each pull gives one address, as late as possible. So an answer that comes meanwhile takes its place among the rest.
   */
  readonly open: Effect.Effect<Pull<Address>, never, Scope.Scope> = Effect.suspend(() => {
    const { prefer } = this.settings
    return prefer === undefined ? this.askAll() : Effect.flatMap(prefer, (family) => {
      this.preferred = family
      return this.askAll()
    })
  })

  private askAll(): Effect.Effect<Pull<Address>, never, Scope.Scope> {
    this.families.forEach((family) => this.pending.add(family))
    return Effect.as(
      Effect.forEach(this.families, (family) => Effect.forkScoped(this.ask(family)), { discard: true }),
      Effect.suspend(() => this.pull())
    )
  }

  private ask(family: Family): Effect.Effect<void> {
    return Effect.flatMap(
      Effect.exit(Effect.suspend(() => this.query(family))),
      (exit) => Effect.map(Clock.currentTimeMillis, (now) => this.onAnswer(family, exit, now))
    )
  }

  private onAnswer(family: Family, exit: Exit.Exit<Answer, QueryFailed>, now: number): void {
    this.pending.delete(family)
    if (Exit.isFailure(exit)) {
      this.failures.push(exit.cause)
    } else {
      if (exit.value.failure !== undefined) {
        this.failures.push(Cause.fail(exit.value.failure))
      }
      for (const address of exit.value.addresses) {
        if (this.sequence.add(address)) {
          this.firstAnswerAt = Math.min(this.firstAnswerAt, now)
        }
      }
    }
    this.answers++
    this.wake?.()
  }

  private pull(): Pull<Address> {
    const { answers } = this
    return Effect.flatMap(Effect.zipRight(this.decideFirst(), Clock.currentTimeMillis), (now) => {
      // An answer that came during the decision may change it.
      if (answers !== this.answers) {
        return this.pull()
      }
      const address = this.sequence.peek()
      if (address === undefined && this.pending.size === 0) {
        return Effect.fail(Option.none())
      }
      const held = address === undefined ? Infinity : this.held(address.family, now)
      if (address !== undefined && held <= 0) {
        this.sequence.take(address)
        return Effect.succeed(Chunk.of(address))
      }
      const next = this.answerAfter(answers)
      return Effect.zipRight(
        held === Infinity ? next : Effect.timeoutOption(next, held),
        Effect.suspend(() => this.pull())
      )
    })
  }

  /** Waits until there are more than `answers` answers. Does the work of a latch, at a lower cost. */
  private answerAfter(answers: number): Effect.Effect<void> {
    return Effect.async((resume) => {
      if (this.answers > answers) {
        resume(Effect.void)
      } else {
        this.wake = () => resume(Effect.void)
      }
    })
  }

  /**
   * Decides which family leads: that of the address that would be first if all were sorted (RFC 8305, section 4). It
   * decides again after each answer, until an address is tried. Each family keeps the resolver's order, so it is enough
   * to compare the first address of each.
   */
  private decideFirst(): Effect.Effect<void> {
    const { preferred, sequence, settings: { leads } } = this
    if (preferred !== undefined || leads === undefined) {
      sequence.first = preferred ?? ipv6
      return Effect.void
    }
    const heads = this.families.flatMap((family) =>
      sequence.head(family) ?? (this.pending.has(family) ? standIns[family] : [])
    )
    return sequence.taken.length > 0 || sequence.peek() === undefined || heads.length < 2
      ? Effect.void
      : Effect.map(Effect.exit(Effect.suspend(() => leads(heads))), (exit) => {
        sequence.first = Exit.getOrElse(exit, () => ipv6)
      })
  }

  /**
   * Returns how long an address must still wait, in milliseconds. RFC 8305, section 3: the family that leads goes at
   * once. The other one waits for its answer, but at most the Resolution Delay after the first answer.
   */
  private held(family: Family, now: number): number {
    const { resolutionDelay } = this.settings
    const { first } = this.sequence
    return family === first || !this.pending.has(first)
      ? 0
      // The clock may be set back meanwhile.
      : Math.min(this.firstAnswerAt + resolutionDelay - now, resolutionDelay)
  }
}
