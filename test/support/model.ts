import type { HeldBackBy } from "../../src/StaggeredRace.js"
import type { Row } from "./scenario.js"

/** A race as plain data. Times in milliseconds. */
export interface Race {
  readonly rows: ReadonlyArray<Row>
  /** The delay after each start, in order. After the end of the list, the delay is infinite. */
  readonly delays: ReadonlyArray<number>
  readonly minDelay: number
  readonly concurrency: number
  /** Whether a defect ends the race. */
  readonly fatal: boolean
  readonly interruptAt: number | null
  /** Whether the source knows its size. If not, the race finds its end when the next start is due. */
  readonly sized: boolean
  /** Whether a candidate leaves the source when it fails, so that the size says nothing until the next one is pulled. */
  readonly shrinks?: boolean
}

export interface Prediction {
  readonly winner: number | null
  readonly interrupted: boolean
  readonly endedAt: number
  readonly started: ReadonlyArray<
    readonly [
      index: number,
      by: "first" | "delay" | "failure",
      at: number,
      dueAt: number,
      heldBackBy: HeldBackBy | null
    ]
  >
  /** The start that was due and waiting at the decision, if the race knows that there was one. */
  readonly pending: { readonly dueAt: number; readonly heldBackBy: HeldBackBy } | null
  readonly ended: ReadonlyArray<readonly [index: number, how: "succeeded" | "failed" | "interrupted", at: number]>
}

/** The rules of a staggered race without fibers: a loop from event to event, over whole lists. */
export const predict = (race: Race): Prediction => {
  const { concurrency, delays, fatal, minDelay, rows, shrinks = false, sized } = race
  const interruptAt = race.interruptAt ?? Infinity
  const started: Array<Prediction["started"][number]> = []
  const ended: Array<Prediction["ended"][number]> = []
  const running = new Map<number, number>()
  let now = 0
  let due = 0
  /** When the next start would happen if nothing held it back. */
  let wanted = 0
  /** When an attempt last ended that had taken the last place. */
  let roomAt = 0
  let exhausted = sized && rows.length === 0
  let by: Prediction["started"][number][1] = "first"

  const endOf = ({ cleanup = 0, latency, result }: Row) =>
    latency === null || result === "hang" ? Infinity : now + latency + (result === "interrupt" ? cleanup : 0)

  const heldBackBy = (): HeldBackBy | null =>
    wanted >= now ? null : (running.size < concurrency ? roomAt : now) >= due ? "concurrency" : "minDelay"

  const end = (winner: number | null): Prediction => {
    const newest = started.length - 1
    const hasLeft = shrinks && ended.some(([index, how]) => index === newest && how !== "succeeded")
    const isKnown = sized && !hasLeft
    const by = heldBackBy()
    const pending = isKnown && !exhausted && by !== null ? { dueAt: wanted, heldBackBy: by } : null
    for (const [index, natural] of running) {
      const { cleanup = 0, result, stubborn } = rows[index]!
      const worksUntil = result === "interrupt" ? natural - cleanup : natural
      ended.push([index, "interrupted", (stubborn ? worksUntil : Math.min(now, worksUntil)) + cleanup])
    }
    ended.sort(([left], [right]) => left - right)
    const endedAt = Math.max(now, ...ended.map(([, , at]) => at))
    // An interruption while losers clean up cancels the win as well.
    return interruptAt <= endedAt
      ? { winner: null, interrupted: true, endedAt, started, ended, pending: null }
      : { winner, interrupted: false, endedAt, started, ended, pending }
  }

  for (;;) {
    if (running.size === 0 && exhausted) {
      return end(null)
    }
    const mayStart = !exhausted && running.size < concurrency
    const [next, endsAt] = [...running].reduce((first, other) => other[1] < first[1] ? other : first, [-1, Infinity])
    const startsAt = mayStart ? Math.max(now, due) : Infinity
    now = Math.min(endsAt, startsAt, interruptAt)
    if (now === Infinity) {
      throw new Error("a race that hangs has to be interrupted")
    }
    if (now === endsAt) {
      const { result } = rows[next]!
      roomAt = running.size < concurrency ? roomAt : now
      running.delete(next)
      ended.push([next, result === "ok" ? "succeeded" : result === "interrupt" ? "interrupted" : "failed", now])
      if (result === "ok" || (fatal && result === "die")) {
        return end(result === "ok" ? next : null)
      }
      const [newest, , startedAt] = started[started.length - 1]!
      if (next === newest) {
        due = startedAt + minDelay
        wanted = Math.min(wanted, now)
        by = "failure"
        exhausted &&= !shrinks
      }
    } else if (now === interruptAt) {
      return end(null)
    } else if (started.length === rows.length) {
      exhausted = true
    } else {
      const index = started.length
      started.push([index, by, now, Math.min(now, wanted), heldBackBy()])
      running.set(index, endOf(rows[index]!))
      due = now + Math.max(delays[index] ?? Infinity, minDelay)
      wanted = now + (delays[index] ?? Infinity)
      by = "delay"
      exhausted = sized && started.length === rows.length
    }
  }
}
