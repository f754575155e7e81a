import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import * as Timeline from "../../src/Timeline.js"
import { matches } from "../support/golden.js"
import { fail, hang, succeed } from "../support/pictures.js"
import { makePipe, makeTerminal } from "../support/terminal.js"

const candidates = [fail("connection refused", 150), hang(100), succeed(300)]

const labels = ["ams", "fra", "lon"]

const race = (live: Timeline.Live, follow: Timeline.FollowOptions = {}, all = candidates) =>
  StaggeredRace.race(all, { delay: "250 millis", onEvent: live.follow(follow) })

/** A view whose sleeps are counted. `TestClock` would also count those that were interrupted. */
const view = (options: Timeline.LiveOptions) =>
  Effect.gen(function*() {
    const clock = yield* Effect.clock
    let sleeping = 0
    const counted: Clock.Clock = {
      [Clock.ClockTypeId]: Clock.ClockTypeId,
      unsafeCurrentTimeMillis: () => clock.unsafeCurrentTimeMillis(),
      unsafeCurrentTimeNanos: () => clock.unsafeCurrentTimeNanos(),
      currentTimeMillis: clock.currentTimeMillis,
      currentTimeNanos: clock.currentTimeNanos,
      sleep: (duration) =>
        Effect.acquireUseRelease(
          Effect.sync(() => sleeping++),
          () => clock.sleep(duration),
          () => Effect.sync(() => sleeping--)
        )
    }
    const live = yield* Effect.withClock(Timeline.live({ color: false, ...options }), counted)
    return { ...live, noSleeps: Effect.sync(() => strictEqual(sleeping, 0)), sleeping: () => sleeping }
  })

/** Records what the screen of a terminal shows, time after time. */
const makeFilm = (columns: number, rows: number) => {
  const terminal = makeTerminal(columns, rows)
  const film: Array<string> = []
  const shoot = (title: string) =>
    Effect.map(terminal.lines, ({ all, cursor, scrolledOut }) => {
      const cursorAt = `cursor ${terminal.isCursorHidden() ? "hidden" : "shown"} at line ${cursor + 1}`
      film.push(
        `=== ${title}: ${cursorAt}${scrolledOut > 0 ? `, ${scrolledOut} scrolled out` : ""}`,
        ...all.slice(scrolledOut)
      )
    })
  const at = (millis: number) => Effect.zipRight(TestClock.setTime(millis), shoot(`${millis} ms`))
  return { ...terminal, at, shoot, ends: (name: string) => matches(name, `${film.join("\n")}\n`) }
}

describe("Timeline.live", () => {
  it.scoped("draws a race anew while it runs, and leaves its last picture above", () =>
    Effect.gen(function*() {
      const film = makeFilm(72, 14)
      film.output.write("$ fetch\n")
      const live = yield* view({ output: film.output })
      const fiber = yield* Effect.fork(race(live, { name: "fetch", labels }))
      strictEqual(live.sleeping(), 0)
      yield* film.at(50)
      strictEqual(live.sleeping(), 1)
      for (const at of [99, 100, 199, 300, 699, 700, 799, 800, 900]) {
        yield* film.at(at)
      }
      strictEqual(yield* Fiber.join(fiber), "ok")
      yield* live.noSleeps
      const writes = film.written.length
      yield* TestClock.adjust("1 minute")
      strictEqual(film.written.length, writes)
      // One for each tenth of a second, one for the decision, one for the end, and the one before the race.
      strictEqual(writes, 7 + 2 + 1)
      film.ends("live-one.txt")
    }))

  it.scoped("keeps those that are over, and draws those that run below, as much of them as there is room for", () =>
    Effect.gen(function*() {
      const film = makeFilm(60, 16)
      const live = yield* view({ output: film.output })
      const fibers = yield* Effect.forEach(
        Array.from({ length: 20 }),
        (_, i) => Effect.fork(Effect.delay(race(live, {}, [hang(0), succeed(10 * i)]), i * 50))
      )
      for (const at of [100, 300, 800, 1000, 1100, 1300, 1500]) {
        yield* film.at(at)
      }
      yield* Fiber.joinAll(fibers)
      yield* live.noSleeps
      film.ends("live-many.txt")
    }))

  it.scoped("says it in a line where the terminal is narrow, or short", () =>
    Effect.gen(function*() {
      for (const [columns, rows] of [[30, 10], [80, 4], [12, 2], [1, 1]] as const) {
        const film = makeFilm(columns, rows)
        const now = (yield* Effect.clock).unsafeCurrentTimeMillis()
        const live = yield* view({ output: film.output })
        const fiber = yield* Effect.fork(race(live, { name: "fetch", labels }))
        yield* film.at(now + 200)
        yield* TestClock.adjust("1 second")
        yield* film.shoot("over")
        yield* Fiber.join(fiber)
        yield* live.noSleeps
        if (columns > 1) {
          film.ends(`live-${columns}x${rows}.txt`)
        }
      }
    }))

  it.scoped("takes back what it drew also after the terminal was made narrower, and wider", () =>
    Effect.gen(function*() {
      const film = makeFilm(80, 24)
      film.output.write("what was there before, in a line of its own that is about as wide as the screen\n")
      const live = yield* view({ output: film.output })
      const fiber = yield* Effect.fork(race(live, { name: "fetch", labels }))
      yield* film.at(500)
      yield* film.resize(46, 24)
      yield* film.at(600)
      yield* film.resize(100, 24)
      yield* film.at(660)
      yield* film.at(1000)
      yield* Fiber.join(fiber)
      film.ends("live-resize.txt")
    }))

  it.effect("leaves the last state and the cursor as it was when its scope closes, and hears nothing after that", () =>
    Effect.gen(function*() {
      const film = makeFilm(72, 14)
      const scope = yield* Scope.make()
      const live = yield* Scope.extend(view({ output: film.output }), scope)
      const fiber = yield* Effect.fork(race(live, { name: "fetch", labels }))
      yield* film.at(330)
      yield* Scope.close(scope, Exit.void)
      yield* film.shoot("closed at 330 ms")
      yield* film.at(1000)
      strictEqual(yield* Fiber.join(fiber), "ok")
      yield* live.noSleeps
      film.ends("live-closed.txt")
    }))

  it.scoped("shows how an interrupted race cleans up, until it has", () =>
    Effect.gen(function*() {
      const film = makeFilm(72, 14)
      const live = yield* view({ output: film.output })
      const fiber = yield* Effect.fork(race(live, { labels }, [hang(200), hang(50), hang(0)]))
      yield* TestClock.setTime(300)
      yield* Fiber.interruptFork(fiber)
      yield* film.at(301)
      yield* film.at(400)
      yield* film.at(500)
      strictEqual((yield* Fiber.await(fiber))._tag, "Failure")
      film.ends("live-interrupted.txt")
      yield* live.noSleeps
    }))

  it.scoped("draws the same race again when it is run again", () =>
    Effect.gen(function*() {
      const film = makeFilm(60, 30)
      const live = yield* view({ output: film.output })
      const fiber = yield* Effect.fork(Effect.repeatN(race(live, {}, [succeed(150)]), 1))
      yield* film.at(120)
      yield* film.at(260)
      yield* film.at(400)
      yield* Fiber.join(fiber)
      film.ends("live-again.txt")
    }))

  it.scoped("tells runs apart of which the next begins while losers of the last still clean up", () =>
    Effect.gen(function*() {
      const pipe = makePipe()
      const live = yield* view({ output: pipe.output })
      const run = StaggeredRace.race([hang(50), succeed(10)], {
        delay: 20,
        losers: "background",
        onEvent: live.follow({ name: "r" })
      })
      const fiber = yield* Effect.fork(Effect.repeatN(run, 1))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      deepStrictEqual(pipe.written.join("").trimEnd().split("\n"), [
        "r: 0 ms, #0 started",
        "r: 20 ms, #1 started",
        "r: 30 ms, #1 won",
        "r: 0 ms, #0 started",
        "r: 20 ms, #1 started",
        "r: 30 ms, #1 won",
        "r: 80 ms, #0 lost",
        "r: winner #1 after 30 ms, 2 attempts, all ended after 80 ms",
        "r: 80 ms, #0 lost",
        "r: winner #1 after 30 ms, 2 attempts, all ended after 80 ms"
      ])
      const film = makeFilm(60, 30)
      const screen = yield* view({ output: film.output })
      const onScreen = yield* Effect.fork(Effect.repeatN(
        StaggeredRace.race([hang(50), succeed(10)], { delay: 20, losers: "background", onEvent: screen.follow() }),
        1
      ))
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(onScreen)
      yield* screen.noSleeps
    }))

  it.scoped("tells runs apart that start nobody", () =>
    Effect.gen(function*() {
      const pipe = makePipe()
      const live = yield* view({ output: pipe.output })
      const run = StaggeredRace.raceStream(Stream.fail("dns down") as Stream.Stream<Effect.Effect<never>, string>, {
        delay: 20,
        onEvent: live.follow({ name: "r" })
      })
      yield* Effect.exit(Effect.retry(run, { times: 2 }))
      strictEqual(pipe.written.join("").split("r: no winner: no attempts").length, 4)
    }))

  it.effect("its scope closes also where it was acquired in a region that cannot be interrupted", () =>
    Effect.gen(function*() {
      const film = makeFilm(60, 30)
      const acquired = Effect.acquireRelease(Timeline.live({ output: film.output }), () => Effect.void)
      const fiber = yield* Effect.fork(Effect.scoped(acquired))
      yield* TestClock.adjust("1 second")
      assertTrue(Option.exists(yield* fiber.poll, Exit.isSuccess))
    }))

  it.scoped("adds a line for each event where the output is no terminal", () =>
    Effect.gen(function*() {
      const pipe = makePipe()
      const live = yield* view({ output: pipe.output, unit: "millis" })
      const run = <A, E>(race: Effect.Effect<A, E>) =>
        Effect.gen(function*() {
          const fiber = yield* Effect.fork(race)
          yield* TestClock.adjust("20 seconds")
          yield* Fiber.await(fiber)
        })
      yield* run(race(live, { name: "fetch", labels }))
      yield* run(race(live, {}, [fail("no\n\x1b[2Jway", 10), fail(new Error("refused"), 12_000)]))
      yield* run(
        StaggeredRace.raceStream(
          Stream.concat(Stream.make(hang(0)), Stream.fail("the list broke off")),
          { delay: 10, onEvent: live.follow() }
        ).pipe(Effect.timeout(100))
      )
      yield* live.noSleeps
      matches("live-pipe.txt", pipe.written.join(""))
    }))

  it.scoped("gives the terminal no commands but its own", () =>
    Effect.gen(function*() {
      const terminal = makeTerminal(80, 24)
      const live = yield* view({ output: terminal.output, color: true })
      const hostile = "\x1b]0;owned\x07\x9b2J\r\n"
      const fiber = yield* Effect.fork(
        race(live, { name: hostile, labels: [hostile] }, [fail(hostile, 150), succeed(300)])
      )
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      const written = terminal.written.join("")
      assertTrue(written.includes("owned"))
      strictEqual(
        written.replace(/\x1b\[(\?25[hl]|\d+A|J|[\d;]*m)/g, "").replace(/\r(?=)/g, "").match(/[^\P{Cc}\n]/gu),
        null
      )
    }))

  it.scoped("leaves a race alone whose view cannot be written, and writes no more", () =>
    Effect.gen(function*() {
      for (const isTTY of [true, false]) {
        let writes = 0
        const output = {
          isTTY,
          write: () => {
            writes++
            throw new Error("EPIPE")
          }
        }
        const live = yield* view({ output })
        const fiber = yield* Effect.fork(race(live))
        yield* TestClock.adjust("1 second")
        strictEqual(yield* Fiber.join(fiber), "ok")
        strictEqual(writes, 1)
        yield* live.noSleeps
      }
    }))

  it.scoped("leaves out frames that the output has no room for, but no ending", () =>
    Effect.gen(function*() {
      const written: Array<string> = []
      const live = yield* Timeline.live({
        output: { isTTY: true, writableNeedDrain: true, write: (text) => written.push(text) }
      })
      const fiber = yield* Effect.fork(race(live))
      yield* TestClock.adjust("699 millis")
      strictEqual(written.length, 0)
      yield* TestClock.adjust("1 second")
      yield* Fiber.join(fiber)
      strictEqual(written.length, 2)
    }))

  it.scoped("dies of options that make no sense, by name and value", () =>
    Effect.gen(function*() {
      const { output } = makePipe()
      const messageOf = (options: Omit<Timeline.LiveOptions, "output">) =>
        Effect.map(Effect.exit(Timeline.live({ output, ...options })), (exit) =>
          Exit.isFailure(exit) ? String(Cause.squash(exit.cause)) : "")
      deepStrictEqual(
        yield* Effect.all([
          messageOf({ every: 0 }),
          messageOf({ every: "0.5 millis" }),
          messageOf({
            maxRows: 0
          }),
          messageOf({ unit: "hours" as never })
        ]),
        [
          "IllegalArgumentException: Timeline: option \"every\" must be a duration of at least a millisecond, and finite, got 0",
          "IllegalArgumentException: Timeline: option \"every\" must be a duration of at least a millisecond, and finite, got \"0.5 millis\"",
          "IllegalArgumentException: Timeline: option \"maxRows\" must be a whole number of at least 1, got 0",
          "IllegalArgumentException: Timeline: option \"unit\" must be \"auto\" or \"millis\" or \"seconds\", got \"hours\""
        ]
      )
    }))
})
