import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import type * as StaggeredRace from "../../../src/StaggeredRace.js"
import type { Race } from "./races.js"

// What was seen of a race, and what must be true of it whatever the race and the schedule.

export interface Resource {
  readonly name: string
  acquired: number
  released: number
  /** Whether it belongs to the attempt's scope, and not to a child of the attempt. */
  readonly scoped: boolean
}

export interface Attempt {
  readonly path: string
  entered: number
  exited: number
  /** The value of the reference at the candidate's end. */
  ref: string
  readonly resources: Array<Resource>
  readonly races: Array<Seen>
}

type Event = StaggeredRace.RaceEvent<string, string>

export interface Seen {
  readonly path: string
  readonly race: Race
  /** Whether the race stands in a scope, and so its winner holds what it has acquired. */
  readonly scoped: boolean
  readonly attempts: Array<Attempt>
  readonly events: Array<Event>
  readonly stream: Resource
  /** Whether the stream has come to its own end. */
  streamEnded: boolean
  /** How many candidates the source has given. */
  given: number
  iteratorsOpen: number
  winner: number | undefined
  outcome: StaggeredRace.Outcome<string, string, string> | undefined
  exit: Exit.Exit<unknown, unknown> | undefined
  /** The values of the reference before and after the race. */
  refs: { readonly before: string; readonly after: string } | undefined
  /** The exit with which the stream was released, if that was before its own end. */
  streamExit: Exit.Exit<unknown, unknown> | undefined
  /** What was open of each attempt when the race returned; of the stream, at -1. */
  readonly leftOpen: Array<readonly [index: number, name: string]>
  /**
   * What the race was still to wait for after a win when it was interrupted, if anything: its losers, and then the
   * stream.
   */
  interruptedInCleanUp: "losers" | "stream" | undefined
}

export const nothingSeen = (path: string, race: Race, scoped: boolean): Seen => ({
  path,
  race,
  scoped,
  attempts: [],
  events: [],
  stream: { name: `${path} stream`, acquired: 0, released: 0, scoped: false },
  streamEnded: false,
  given: 0,
  iteratorsOpen: 0,
  winner: undefined,
  outcome: undefined,
  exit: undefined,
  refs: undefined,
  streamExit: undefined,
  leftOpen: [],
  interruptedInCleanUp: undefined
})

export const isOpen = ({ acquired, released }: Resource): boolean => acquired > released

export const names = (resources: ReadonlyArray<Resource>): string => resources.map(({ name }) => name).join()

/** What the winner of a race holds until its scope closes. */
export const heldBy = ({ attempts, race, scoped }: Seen, index: number): ReadonlyArray<Resource> =>
  attempts[index]!.resources.filter(({ name }) =>
    scoped && race.candidates[index]!.steps[Number(name.slice(name.lastIndexOf(":") + 1))]?._ === "hold"
  )

/** All that is open of an attempt, races within it included. */
export const openIn = (attempt: Attempt): ReadonlyArray<string> => [
  ...attempt.resources.filter(isOpen).map(({ name }) => name),
  ...attempt.races.flatMap(({ attempts }) => attempts.flatMap(openIn))
]

export const wonIn = ({ events }: Seen): number | undefined => events.find((event) => event._tag === "Won")?.index

const results = { Failed: "failed", Won: "won", Lost: "lost", SucceededLate: "late" } as const

/** Finds what is wrong with a race that has ended, everything that it has left to the background included. */
export const faultsOf = (seen: Seen): ReadonlyArray<string> => {
  const { attempts, events, exit, outcome, path, race } = seen
  const faults: Array<string> = []
  const check = (holds: boolean, fault: string) => {
    if (!holds) {
      const told = events.map((event) => `${event._tag}${"index" in event ? event.index : ""}@${event.at}`)
      faults.push(`${path}: ${fault}: ${told}`)
    }
  }

  for (const attempt of attempts) {
    check(attempt.entered <= 1, `${attempt.path} ran ${attempt.entered} times`)
    check(attempt.entered === attempt.exited, `${attempt.path} has not ended`)
  }
  // A race that was interrupted before it began has nothing to tell.
  if (exit === undefined || (events.length === 0 && Exit.isInterrupted(exit))) {
    return faults
  }

  // The events.
  const starts: Array<Event & { readonly _tag: "Started" }> = []
  const ends = new Map<number, keyof typeof results>()
  let decided: (Event & { readonly _tag: "Decided" }) | undefined
  let won: number | undefined
  let at = 0
  for (const event of events) {
    check(event.at >= at, "time goes back")
    at = event.at
    switch (event._tag) {
      case "Started": {
        const before = starts[starts.length - 1]
        check(event.index === starts.length, "starts out of order")
        check(decided === undefined && won === undefined, "starts after the decision")
        check((event.startedBy === "first") === (before === undefined), "the first")
        check(starts.length - ends.size < race.concurrency, "too many at once")
        check(event.dueAt <= event.at, "starts before it is due")
        if (before !== undefined) {
          check(event.at >= before.at + race.minDelay, "starts too soon")
          check(
            event.startedBy === "failure"
              ? ends.get(before.index) === "Failed"
              : typeof race.delay !== "number" || event.at >= before.at + race.delay,
            `${event.index} is not due`
          )
        }
        starts.push(event)
        break
      }
      case "Decided":
        check(decided === undefined, "decided twice")
        check((won !== undefined) === (event.by === "success"), `decided by ${event.by}`)
        decided = event
        break
      case "SourceFailed":
        break
      default: {
        const isEarly = event._tag === "Failed" || event._tag === "Won"
        check(event.index < starts.length && !ends.has(event.index), "ends twice, or before it starts")
        check(isEarly === (decided === undefined), "ends on the wrong side of the decision")
        check(won === undefined || !isEarly, "goes on after the win")
        won = event._tag === "Won" ? event.index : won
        ends.set(event.index, event._tag)
      }
    }
  }
  check(ends.size === starts.length, "some never end")
  check(attempts.filter(({ entered }) => entered > 0).length <= starts.length, "no event tells of some")
  if (decided === undefined) {
    check(false, "never decided")
    return faults
  }
  if (decided.by === "failures") {
    const all = race.source._ === "stream" ? seen.given : race.candidates.length
    check(Array.from(ends.values()).every((end) => end === "Failed"), "not all have failed")
    check(starts.length === all, `${starts.length} of ${all} started`)
  }

  // How it returned.
  const isInterrupted = seen.interruptedInCleanUp !== undefined || decided.by === "interruption"
  const open = seen.leftOpen.map(([, name]) => name)
  const held = won === undefined ? [] : heldBy(seen, won).filter(({ acquired }) => acquired > 0)
  const kept = held.filter(({ name }) => open.includes(name))
  check(kept.length === 0 || kept.length === held.length, `it returns with ${names(kept)} of ${names(held)} open`)
  const { after, before } = seen.refs ?? { after: "", before: "" }
  const changed = won === undefined ? before : attempts[won]!.ref
  // An interruption may come right behind the hand-over: to the caller that is the same as one within it. What it finds
  // is either handed over as a whole or given up as a whole.
  const isHandedOver = Exit.isSuccess(exit) ||
    (won !== undefined && !isInterrupted && (held.length > 0 ? kept.length > 0 : after === changed))
  const mayBeOpen = isHandedOver ? [won] : []
  const leftOpen = seen.leftOpen.filter(([index]) =>
    !mayBeOpen.includes(index) && (race.losers === "await" || isInterrupted || (won !== undefined && !isHandedOver))
  )
  check(!isInterrupted || Exit.isInterrupted(exit), "the interruption is swallowed")
  check(seen.winner === undefined || seen.winner === won, `the winner is ${seen.winner}`)
  check(leftOpen.length === 0, `it returns with ${leftOpen.map(([, name]) => name)} open`)
  check(
    seen.refs === undefined || after === (isHandedOver ? changed : before),
    `the reference was ${before} and is ${after}, and the winner's is ${changed}`
  )
  if (seen.streamExit !== undefined) {
    const mustBeInterrupted = decided.by === "interruption" || seen.interruptedInCleanUp === "losers"
    const { streamExit } = seen
    check(!mustBeInterrupted || Exit.isInterrupted(streamExit), `its stream is released with a ${streamExit._tag}`)
    check(Exit.isFailure(exit) || Exit.isSuccess(streamExit), `its stream is released with a ${streamExit._tag}`)
  }

  // What it returned.
  if (Exit.isFailure(exit) && outcome === undefined && !Cause.isInterrupted(exit.cause) && decided.by !== "defect") {
    const told = [...Cause.failures(exit.cause), ...Cause.defects(exit.cause)].map(String)
    for (const [index, end] of ends) {
      const { end: own, steps } = race.candidates[index]!
      const isPlain = (own === "fail" || own === "die") && steps.every(({ _ }) => _ !== "race")
      check(
        end !== "Failed" || !isPlain || told.includes(`${path}/${index}`),
        `the failure of ${index} is not among ${told}`
      )
    }
  }
  if (outcome !== undefined) {
    const reported = outcome.attempts.map(({ dueAt, index, result, startedAt, startedBy }) =>
      `${index} ${startedBy} ${dueAt} ${startedAt} ${result}`
    )
    const told = starts.map(({ at, dueAt, index, startedBy }, place) => {
      // What ends in the background has not ended in the report.
      const isOpen = race.losers === "background" && outcome.attempts[place]?.result === "lost"
      return `${index} ${startedBy} ${dueAt} ${at} ${isOpen ? "lost" : results[ends.get(index)!]}`
    })
    check(reported.join() === told.join(), `the report tells of ${reported}, the events of ${told}`)
    check(
      outcome.decidedAt === decided.at && outcome.decidedBy === decided.by,
      `decided by ${outcome.decidedBy} at ${outcome.decidedAt}`
    )
    check(
      outcome.attempts.every(({ exit, result }) => Exit.isSuccess(exit) === (result === "won" || result === "late")),
      "a result that is not the exit's"
    )
  }
  return faults
}
