import type * as Clock from "effect/Clock"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type * as Scope from "effect/Scope"
import type { RaceEvent } from "../../StaggeredRace.js"
import type { FollowOptions, Live, LiveOptions } from "../../Timeline.js"
import { layout } from "./layout.js"
import { Record } from "./running.js"
import { render } from "./text.js"
import { check, clean, columnsOf, count, describe, fit, sizeOf, timeIn, units } from "./words.js"

type Event = RaceEvent<unknown, unknown>

/** A race in the view. */
interface Followed {
  readonly name: string
  readonly labels: ReadonlyArray<string>
  readonly record: Record
}

interface Settings extends LiveOptions {
  readonly color: boolean
  readonly maxRows: number
  readonly unit: NonNullable<LiveOptions["unit"]>
  readonly every: number
}

interface View {
  /** Called after the record has taken `event`. */
  readonly on: (race: Followed, event: Event) => void
  readonly frame: () => void
  readonly close: () => void
}

const labelOf = ({ labels }: Followed, index: number) => clean(labels[index] ?? "") || `#${index}`

/** The state of a race in one line. */
const lineOf = ({ labels, name, record }: Followed, now: number, unit: Settings["unit"]): string =>
  `${name}: ${layout(record.at(now), { labels: labels.map(clean), maxRows: 1, unit }).headline.join(", ")}`

/** The view for an output that can only append: one line per event. */
const makeLog = ({ output, unit }: Settings): View => {
  const time = timeIn(unit)
  const tell = (race: Followed, event: Event): string | undefined => {
    switch (event._tag) {
      case "Started":
        return `${labelOf(race, event.index)} started`
      case "Failed":
        return `${labelOf(race, event.index)} ${describe(event.cause)}`
      case "Won":
        return `${labelOf(race, event.index)} won`
      case "Lost":
        return `${labelOf(race, event.index)} lost`
      case "SucceededLate":
        return `${labelOf(race, event.index)} succeeded late`
      case "SourceFailed":
        return `the source ${describe(event.cause)}`
      case "Decided":
        return event.by === "success" ? undefined : `decided by ${event.by}`
    }
  }
  return {
    on: (race, event) => {
      const text = tell(race, event)
      const lines = [
        ...text === undefined ? [] : [`${race.name}: ${time(Math.max(0, event.at - race.record.startedAt))}, ${text}`],
        ...race.record.isOver ? [lineOf(race, event.at, unit)] : []
      ]
      if (lines.length > 0) {
        output.write(`${lines.join("\n")}\n`)
      }
    },
    frame: constVoid,
    close: constVoid
  }
}

const hideCursor = "\x1b[?25l"
const showCursor = "\x1b[?25h"

/** The view for a terminal: it redraws running races in place, and leaves finished ones above. */
const makeScreen = (settings: Settings, clock: Clock.Clock, live: ReadonlySet<Followed>): View => {
  const { color, maxRows, output, unit } = settings
  const widthOf = () => Math.max(1, output.columns || 80)
  let drawn: ReadonlyArray<string> = []

  const pictureOf = (race: Followed, now: number, rows: number): ReadonlyArray<string> => {
    const width = widthOf()
    if (rows === 0 || width < 40) {
      return [fit(lineOf(race, now, unit), width, columnsOf)]
    }
    const picture = render(race.record.at(now), { labels: race.labels, maxRows: rows, width, color, unit })
    return [fit(race.name, width, columnsOf), ...picture.split("\n")]
  }
  // Shows of each race the most that fits: its picture, a shorter one, or one line.
  const regionOf = (now: number): ReadonlyArray<string> => {
    const room = Math.max(0, (output.rows || 24) - 1)
    const races = [...live]
    for (const rows of races.length <= room ? [maxRows, Math.min(maxRows, 3), 0] : []) {
      const lines = races.flatMap((race) => pictureOf(race, now, rows))
      if (lines.length <= room) {
        return lines
      }
    }
    const shown = races.slice(0, Math.max(0, room - 1)).flatMap((race) => pictureOf(race, now, 0))
    const rest = `… ${count(races.length - shown.length, "more race")}`
    return [...shown, fit(rest, widthOf(), columnsOf)].slice(0, room)
  }
  // When a terminal becomes narrower, it wraps the lines that no longer fit.
  const heightOf = (line: string) => Math.max(1, Math.ceil(sizeOf(withoutColor(line), columnsOf) / widthOf()))

  const draw = (finished: ReadonlyArray<string>, isLast: boolean): void => {
    const region = regionOf(clock.unsafeCurrentTimeMillis())
    const isSame = region.length === drawn.length && region.every((line, i) => line === drawn[i])
    const isDone = isLast || region.length === 0
    if (finished.length === 0 && isSame && !(isDone && drawn.length > 0)) {
      return
    }
    const height = drawn.reduce((sum, line) => sum + heightOf(line), 0)
    const back = height === 0 ? hideCursor : `\x1b[${height}A\r\x1b[J`
    const cursor = isDone ? showCursor : ""
    drawn = region
    output.write(back + [...finished, ...region].map((line) => `${line}\n`).join("") + cursor)
  }
  return {
    on: (race, event) => {
      if (race.record.isOver) {
        draw(pictureOf(race, event.at, maxRows), false)
      } else if (event._tag === "Decided") {
        draw([], false)
      }
    },
    // A slow terminal must take the last frame before it gets a new one.
    frame: () => output.writableNeedDrain === true ? undefined : draw([], false),
    close: () => drawn.length === 0 ? undefined : draw([], true)
  }
}

const withoutColor = (text: string) => text.replace(/\x1b\[[\d;]*m/g, "")

const decode = (options: LiveOptions): Settings => {
  const { color = options.output.isTTY === true, every = 100, maxRows = 12, unit = "auto" } = options
  check.whole("maxRows", maxRows, 1)
  check.oneOf("unit", unit, units)
  return { ...options, color, maxRows, unit, every: check.period("every", every) }
}

/** @internal */
export const live = (options: LiveOptions): Effect.Effect<Live, never, Scope.Scope> =>
  Effect.gen(function*() {
    const settings = yield* Effect.sync(() => decode(options))
    const clock = yield* Effect.clock
    const busy = yield* Effect.makeLatch(false)
    const idle = yield* Effect.makeLatch(true)
    const races = new Set<Followed>()
    const isScreen = settings.output.isTTY === true
    const view = isScreen ? makeScreen(settings, clock, races) : makeLog(settings)
    let followed = 0
    let isOpen = true

    // An output that failed is in an unknown state, so the view never writes to it again. The races continue.
    const show = (what: () => void): Effect.Effect<void> =>
      Effect.suspend(() => {
        if (!isOpen) {
          return Effect.void
        }
        try {
          what()
          return Effect.void
        } catch (error) {
          isOpen = false
          races.clear()
          watch()
          return Effect.logDebug("Timeline: the output of the live view failed", error)
        }
      })
    const watch = () => {
      if (races.size > 0) {
        idle.unsafeClose()
        busy.unsafeOpen()
      } else {
        busy.unsafeClose()
        idle.unsafeOpen()
      }
    }

    yield* Effect.addFinalizer(() => Effect.zipRight(show(view.close), Effect.sync(() => isOpen = false)))
    if (isScreen) {
      const wait = Effect.raceFirst(clock.sleep(Duration.millis(settings.every)), idle.await)
      const frames = Effect.forever(Effect.zipRight(Effect.zipRight(busy.await, wait), show(view.frame)))
      // The scope waits for this fiber when it closes, so the fiber must be interruptible wherever `live` runs.
      yield* Effect.forkScoped(Effect.interruptible(frames))
    }

    const follow = ({ labels = [], name }: FollowOptions = {}) => {
      const title = clean(name ?? "") || `race ${++followed}`
      // The runs of this race: earlier runs whose losers still clean up, then the newest run.
      let runs: ReadonlyArray<Followed> = []
      const runOf = (event: Event): Followed => {
        const ended = event._tag === "Lost" || event._tag === "SucceededLate"
          ? runs.find(({ record }) => record.isDecided && record.isRunning(event.index))
          : undefined
        const newest = runs.at(-1)
        const isNew = newest === undefined ||
          newest.record.isDecided && (event._tag === "Started" || event._tag === "Decided")
        const known = ended ?? (isNew ? undefined : newest)
        if (known !== undefined) {
          return known
        }
        const made = { name: title, labels, record: new Record() }
        runs = [...runs.filter(({ record }) => !record.isOver), made]
        races.add(made)
        return made
      }
      return (event: Event) =>
        show(() => {
          const run = runOf(event)
          const wasOver = run.record.isOver
          run.record.add(event)
          if (run.record.isOver) {
            races.delete(run)
          }
          watch()
          if (!wasOver) {
            view.on(run, event)
          }
        })
    }
    return { follow }
  })
