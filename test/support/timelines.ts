import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { readFileSync } from "node:fs"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { type OnClock, onEventClock } from "./clocks.js"
import { type Row, scopedCandidate, shape, transcript } from "./scenario.js"

/** A race recorded from CPython's `asyncio.staggered` on a virtual clock. Times are milliseconds. */
export interface Timeline {
  readonly delay: number | null
  readonly candidates: ReadonlyArray<Row>
  readonly interruptAt: number | null
  readonly expect: {
    readonly winner: number | null
    readonly failures: ReadonlyArray<"failed" | "interrupted" | null> | null
    readonly interrupted: boolean
    readonly endedAt: number
    readonly started: ReadonlyArray<readonly [number, number]>
    readonly ended: ReadonlyArray<readonly [number, string, number]>
  }
}

export const timelines: ReadonlyArray<Timeline> = JSON.parse(
  readFileSync(new URL("../fixtures/asyncio-staggered.json", import.meta.url), "utf8")
)

const line = (event: StaggeredRace.RaceEvent<unknown, unknown>): string => {
  const index = "index" in event ? ` ${event.index}` : ""
  const more = event._tag === "Started"
    ? ` by ${event.startedBy}, due at ${event.dueAt}`
    : event._tag === "Decided"
    ? ` by ${event.by}${Option.match(event.pending, { onNone: () => "", onSome: ({ dueAt }) => `, before ${dueAt}` })}`
    : "cause" in event
    ? `: ${shape(event.cause)}`
    : ""
  return `${event.at} ${event._tag}${index}${more}`
}

const failure = ({ result }: StaggeredRace.Attempt<unknown, unknown>) =>
  result === "won" ? null : result === "failed" ? "failed" : "interrupted"

/** All that is seen of a timeline on a clock: what asyncio has recorded too, and what it has not. */
export const replay = async ({ candidates, delay, interruptAt }: Timeline, onClock: OnClock, minDelay = 0) => {
  const seen = transcript()
  const events: Array<string> = []
  const race = StaggeredRace.outcome(candidates.map((row, index) => scopedCandidate(row, index, seen)), {
    delay: delay ?? Duration.infinity,
    minDelay,
    onEvent: (event) => Effect.sync(() => events.push(line(event)))
  })
  const { endedAt, exit, left } = await onClock(Effect.scoped(race), interruptAt)
  const outcome = Exit.isSuccess(exit) ? exit.value : undefined
  const { attempts, winner, ...rest } = outcome ?? {}
  return {
    recorded: {
      winner: Option.getOrNull(Option.map(winner ?? Option.none(), ({ index }) => index)),
      failures: attempts?.map(failure) ?? null,
      interrupted: Exit.isInterrupted(exit),
      endedAt,
      started: seen.started,
      ended: seen.ended.sort(([left], [right]) => left - right)
    },
    left,
    // In which order things of one instant happen is up to the clock.
    events: events.sort(),
    resources: seen.resources.sort(),
    attempts: attempts?.map(({ exit, ...attempt }) => ({
      ...attempt,
      exit: Exit.isSuccess(exit) || shape(exit.cause)
    })),
    outcome: rest
  }
}

const references = new Map<string, ReturnType<typeof replay>>()

/** What is seen of a timeline on every clock. */
export const reference = (index: number, minDelay = 0) => {
  const key = `${index} ${minDelay}`
  const known = references.get(key) ?? replay(timelines[index]!, onEventClock(), minDelay)
  references.set(key, known)
  return known
}
