import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual, throws } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as TestClock from "effect/TestClock"
import { ticks } from "../src/internal/timelineLayout.js"
import * as StaggeredRace from "../src/StaggeredRace.js"
import * as Timeline from "../src/Timeline.js"

type Outcome = StaggeredRace.Outcome<unknown, unknown, unknown>

type Attempt = StaggeredRace.Attempt<unknown, unknown>

const succeed = (latency: Duration.DurationInput) => Effect.delay(Effect.succeed("ok"), latency)

const fail = (error: unknown, latency: Duration.DurationInput) => Effect.delay(Effect.fail(error), latency)

const hang = (cleanUp: Duration.DurationInput) => Effect.onInterrupt(Effect.never, () => Effect.sleep(cleanUp))

/** The outcome of a real race, in virtual time. */
const run = <A, E, E2>(race: Effect.Effect<StaggeredRace.Outcome<A, E, E2>>) =>
  Effect.gen(function*() {
    const fiber = yield* Effect.fork(race)
    yield* TestClock.adjust("10 minutes")
    return yield* Fiber.join(fiber)
  })

/** The first attempt, which lost after 100 ms, with whatever else is said of it. */
const attempt = (more: Partial<Attempt> = {}): Attempt => ({
  index: 0,
  dueAt: more.startedAt ?? 0,
  startedAt: 0,
  endedAt: 100,
  startedBy: "first",
  exit: Exit.interrupt(FiberId.none),
  result: "lost",
  ...more
})

/** A race that nobody had won after 100 ms, with whatever else is said of it. */
const outcome = (attempts: ReadonlyArray<Attempt>, more: Partial<Outcome> = {}): Outcome => ({
  winner: Option.none(),
  attempts,
  sourceFailure: Option.none(),
  startedAt: 0,
  decidedAt: 100,
  endedAt: 100,
  decidedBy: "failures",
  denied: Option.none(),
  ...more
})

const won: Partial<Attempt> = { result: "won", exit: Exit.succeed("ok") }

const wonBy = (index: number, more: Partial<Outcome> = {}): Partial<Outcome> => ({
  winner: Option.some({ index, value: "ok" }),
  decidedBy: "success",
  ...more
})

const failedWith = (error: unknown) => attempt({ result: "failed", exit: Exit.fail(error) })

/** What the picture says of how one attempt ended. */
const noteOf = (self: Attempt, more: Partial<Outcome> = {}): string =>
  Timeline.render(outcome([self], more), { width: 300 }).split("\n")[3]?.replace(/^#0 \S+ */, "") ?? ""

const shows = (picture: string, ...lines: ReadonlyArray<string>) => deepStrictEqual(picture.split("\n"), lines)

const withoutColor = (text: string) => text.replace(/\x1b\[[\d;]*m/g, "")

describe("Timeline.render", () => {
  describe("draws a race", () => {
    it.effect("that the third wins after a failure and a delay", () =>
      Effect.gen(function*() {
        const race = yield* run(StaggeredRace.outcome(
          [fail("connection refused", 150), hang(100), succeed(300)],
          { delay: "250 millis" }
        ))
        shows(
          Timeline.render(race, { labels: ["ams", "fra", "lon"] }),
          "winner lon after 700 ms, 3 attempts, all ended after 800 ms",
          "    0 ms       200        400         600        800",
          "    └───────────┴──────────┴───────────┴────┬─────┘",
          "ams ┣━━━━━━━━╳                              ┊         failed: connection refused",
          "fra          !━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫╌╌╌╌╌╌   lost, clean-up 100 ms",
          "lon                        +█████████████████         won",
          "┣ first  + after the delay  ! after a failure  ┊ decided  ╌ winding down"
        )
      }))

    it.effect("in any width from 40 columns", () =>
      Effect.gen(function*() {
        const race = yield* run(StaggeredRace.outcome(
          [fail(new Error("connect ECONNREFUSED"), 300), hang(150), hang(0), succeed(100)],
          { delay: "250 millis" }
        ))
        shows(
          Timeline.render(race, { width: 40 }),
          "winner #3 after 850 ms, 4 attempts",
          "all ended after 1000 ms",
          "   0 ms     500     1000",
          "   └─────────┴─────┬──┘",
          "#0 ┣━━━━━╳         ┊      failed: conne…",
          "#1      +━━━━━━━━━━┫╌╌╌   lost, clean-u…",
          "#2           +━━━━━┫      lost",
          "#3               +██      won",
          "┣ first  + after the delay  ┊ decided",
          "╌ winding down"
        )
        shows(
          Timeline.render(race, { width: 60 }),
          "winner #3 after 850 ms, 4 attempts, all ended after 1000 ms",
          "   0 ms           500            1000",
          "   └───────────────┴──────────┬────┘",
          "#0 ┣━━━━━━━━━╳                ┊        failed: connect ECON…",
          "#1         +━━━━━━━━━━━━━━━━━━┫╌╌╌╌╌   lost, clean-up 150 ms",
          "#2                 +━━━━━━━━━━┫        lost",
          "#3                         +███        won",
          "┣ first  + after the delay  ┊ decided  ╌ winding down"
        )
        shows(
          Timeline.render(race, { width: 120, labels: ["2606:4700::6810:84e5", "192.0.2.1"] }),
          "winner #3 after 850 ms, 4 attempts, all ended after 1000 ms",
          "                     0 ms        200           400          600           800         1000",
          "                     └────────────┴─────────────┴────────────┴─────────────┴──┬─────────┘",
          "2606:4700::6810:84e5 ┣━━━━━━━━━━━━━━━━━━━╳                                    ┊             failed: connect ECONNREFUSED",
          "192.0.2.1                             +━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫╌╌╌╌╌╌╌╌╌╌   lost, clean-up 150 ms",
          "#2                                                     +━━━━━━━━━━━━━━━━━━━━━━┫             lost",
          "#3                                                                     +███████             won",
          "┣ first  + after the delay  ┊ decided  ╌ winding down"
        )
      }))

    it.effect("in colour, which changes nothing else", () =>
      Effect.gen(function*() {
        const race = yield* run(StaggeredRace.outcome(
          [fail("no", 10), hang(10), succeed(20)],
          { delay: 20 }
        ))
        const colored = Timeline.render(race, { width: 40, color: true })
        shows(
          colored,
          "winner #2 after 50 ms, 3 attempts",
          "all ended after 60 ms",
          "   0 ms 20     40    60",
          "   └─────┴──────┴──┬──┘",
          "\x1b[31m#0\x1b[0m \x1b[31m┣━━╳\x1b[0m            ┊      \x1b[31mfailed: no\x1b[0m",
          "\x1b[2m#1\x1b[0m    \x1b[2m!━━━━━━━━━━━━┫╌╌╌\x1b[0m   \x1b[2mlost, clean-u…\x1b[0m",
          "\x1b[1;32m#2\x1b[0m           \x1b[1;32m+██████\x1b[0m      \x1b[1;32mwon\x1b[0m",
          "\x1b[2m┣ first  + after the delay\x1b[0m",
          "\x1b[2m! after a failure  ┊ decided\x1b[0m",
          "\x1b[2m╌ winding down\x1b[0m"
        )
        strictEqual(withoutColor(colored), Timeline.render(race, { width: 40 }))
      }))

    it.effect("in which all fail", () =>
      Effect.gen(function*() {
        const race = yield* run(StaggeredRace.outcome(
          [fail({ _tag: "Refused" }, 120), fail("timed out", 90), Effect.delay(Effect.die(new Error("boom")), 40)],
          { delay: "1 second" }
        ))
        shows(
          Timeline.render(race),
          "no winner: 3 of 3 attempts failed after 250 ms",
          "   0 ms      50         100         150        200        250",
          "   └──────────┴──────────┴───────────┴──────────┴──────────┤",
          "#0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━╳                            ┊   failed: Refused",
          "#1                            !━━━━━━━━━━━━━━━━━━━╳        ┊   failed: timed out",
          "#2                                                !━━━━━━━━╳   died: boom",
          "┣ first  ! after a failure  ┊ decided"
        )
      }))

    it.effect("that a fatal failure ends", () =>
      Effect.gen(function*() {
        const race = yield* run(StaggeredRace.outcome(
          [hang(50), fail("401 unauthorized", 90), succeed(100)],
          { delay: 60, fatal: Cause.isFailure }
        ))
        shows(
          Timeline.render(race),
          "no winner: #1 was fatal after 150 ms, 1 of 3 attempts failed",
          "all ended after 200 ms",
          "   0 ms        50          100          150         200",
          "   └────────────┴───────────┴────────────┼───────────┘",
          "#0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫╌╌╌╌╌╌╌╌╌╌╌╌   lost, clean-up 50 ms",
          "#1                +━━━━━━━━━━━━━━━━━━━━━━╳               fatal: 401 unauthorized",
          "#2                               +━━━━━━━┫               lost",
          "┣ first  + after the delay  ┊ decided  ╌ winding down"
        )
      }))

    it.effect("that takes longer than 10 s, in seconds", () =>
      Effect.gen(function*() {
        const race = yield* run(StaggeredRace.outcome(
          [succeed("40 seconds"), succeed("30 seconds"), succeed("25 seconds")],
          { delay: "15 seconds" }
        ))
        shows(
          Timeline.render(race, { width: 60 }),
          "winner #0 after 40 s, 3 attempts",
          "   0 s        10           20          30          40",
          "   └───────────┴────────────┴───────────┴───────────┤",
          "#0 ┣█████████████████████████████████████████████████   won",
          "#1                   +━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫   lost",
          "#2                                      +━━━━━━━━━━━┫   lost",
          "┣ first  + after the delay  ┊ decided"
        )
      }))

    it.effect("that takes no time at all", () =>
      Effect.gen(function*() {
        const race = yield* run(StaggeredRace.outcome(
          [Effect.fail("a"), Effect.fail("b"), Effect.succeed("c")],
          { delay: "1 second" }
        ))
        shows(
          Timeline.render(race, { width: 50 }),
          "winner #2 after 0 ms, 3 attempts",
          "   0 ms",
          "   └┬─────────────────────────────────",
          "#0 ┣╳                                    failed: a",
          "#1 !╳                                    failed: b",
          "#2 !█                                    won",
          "┣ first  ! after a failure  ┊ decided"
        )
      }))

    it.effect("whose source fails", () =>
      Effect.gen(function*() {
        const candidates = Stream.concat(Stream.make(fail("unreachable", 30)), Stream.fail("no such host"))
        const race = yield* run(StaggeredRace.outcomeStream(candidates, { delay: 10 }))
        shows(
          Timeline.render(race),
          "no winner: 1 of 1 attempt failed after 30 ms, the source failed: no such host",
          "   0 ms     5       10       15       20       25       30",
          "   └────────┴────────┴────────┴────────┴────────┴────────┤",
          "#0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╳   failed: unreachable",
          "┣ first  ┊ decided"
        )
      }))

    it.effect("of no attempts, in one line", () =>
      Effect.gen(function*() {
        const empty = yield* run(StaggeredRace.outcome<Effect.Effect<string>>([], { delay: 10 }))
        shows(Timeline.render(empty), "no winner: no attempts")
        const noCandidates: Stream.Stream<Effect.Effect<string>, string> = Stream.fail("no such host")
        const failed = yield* run(StaggeredRace.outcomeStream(noCandidates, { delay: 10 }))
        shows(Timeline.render(failed), "no winner: no attempts, the source failed: no such host")
      }))

    it.effect("of more attempts than rows, by the first, the last and the winner", () =>
      Effect.gen(function*() {
        const candidates = Array.from({ length: 100 }, (_, i) => i === 70 ? succeed(90) : i % 3 ? fail(i, 7) : hang(20))
        const race = yield* run(StaggeredRace.outcome(candidates, { delay: 10 }))
        shows(
          Timeline.render(race, { maxRows: 7 }),
          "winner #70 after 652 ms, 82 attempts, all ended after 672 ms",
          "    0 ms          200             400            600",
          "    └──────────────┴───────────────┴──────────────┴────┬─",
          "#0  ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫╌   lost, clean-up 20 ms",
          "#1   +╳                                                ┊    failed: 1",
          "#2   !╳                                                ┊    failed: 2",
          "#3    !━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫╌   lost, clean-up 20 ms",
          "… 66 more attempts (44 failed, 22 lost)                ┊",
          "#70                                            +████████    won",
          "… 9 more attempts (6 failed, 3 lost)                   ┊",
          "#80                                                   !╳    failed: 80",
          "#81                                                   !┫╌   lost, clean-up 20 ms",
          "┣ first  + after the delay  ! after a failure  ┊ decided  ╌ winding down"
        )
      }))

    it("with a late success", () =>
      shows(
        Timeline.render(
          outcome([
            attempt({ endedAt: 160, result: "late", exit: Exit.succeed("too late") }),
            attempt({ index: 1, startedAt: 20, startedBy: "delay", ...won }),
            attempt({ index: 2, startedAt: 40, startedBy: "delay", result: "late", exit: Exit.succeed("too late") })
          ], wonBy(1, { endedAt: 160 })),
          { width: 60 }
        ),
        "winner #1 after 100 ms, 3 attempts, all ended after 160 ms",
        "   0 ms       50          100          150",
        "   └───────────┴───────────┼────────────┴──",
        "#0 ┣━━━━━━━━━━━━━━━━━━━━━━━┫╌╌╌╌╌╌╌╌╌╌╌╌╌╌o   succeeded late",
        "#1      +███████████████████                  won",
        "#2           +━━━━━━━━━━━━━o                  succeeded late",
        "┣ first  + after the delay  ┊ decided  ╌ winding down"
      ))

    it("that was timed in fractions of a millisecond since 1970", () =>
      shows(
        Timeline.render(
          outcome([
            attempt({ startedAt: 1764000000000.125, endedAt: 1764000000000.625 }),
            attempt({
              index: 1,
              startedAt: 1764000000000.375,
              endedAt: 1764000000000.625,
              startedBy: "delay",
              ...won
            })
          ], wonBy(1, { startedAt: 1764000000000.125, decidedAt: 1764000000000.625, endedAt: 1764000000000.625 })),
          { width: 60 }
        ),
        "winner #1 after 0.5 ms, 2 attempts",
        "   0 ms     0.1       0.2      0.3       0.4       0.5",
        "   └─────────┴─────────┴────────┴─────────┴─────────┤",
        "#0 ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━┫   lost",
        "#1                          +████████████████████████   won",
        "┣ first  + after the delay  ┊ decided"
      ))
  })

  describe("elides", () => {
    const many = (count: number, winner: number) =>
      outcome(
        Array.from({ length: count }, (_, index) => attempt({ index, ...(index === winner ? won : {}) })),
        winner < 0 ? {} : wonBy(winner)
      )
    const names = (self: Outcome, maxRows?: number) =>
      Timeline.render(self, { maxRows }).split("\n").slice(3, -1).map((line) => line.replace(/ +[┣┊].*$/, ""))

    it("nothing up to 40 attempts", () => {
      strictEqual(names(many(40, 20)).length, 40)
      assertTrue(names(many(40, 20)).every((name) => name.startsWith("#")))
    })

    it("960 of 1,000", () => {
      const shown = names(many(1000, -1))
      strictEqual(shown.length, 41)
      deepStrictEqual(shown.slice(19, 22), ["#19", "… 960 more attempts (960 lost)", "#980"])
    })

    it("never the winner", () => {
      deepStrictEqual(names(many(1000, 0), 1), ["#0", "… 999 more attempts (999 lost)"])
      deepStrictEqual(names(many(9, 5), 1), ["… 5 more attempts (5 lost)", "#5", "… 3 more attempts (3 lost)"])
      deepStrictEqual(names(many(9, 5), 2), ["#0", "… 4 more attempts (4 lost)", "#5", "… 3 more attempts (3 lost)"])
      deepStrictEqual(names(many(9, 7), 4), ["#0", "#1", "… 5 more attempts (5 lost)", "#7", "#8"])
      deepStrictEqual(names(many(9, 6), 4), [
        "#0",
        "#1",
        "… 4 more attempts (4 lost)",
        "#6",
        "… 1 more attempt (1 lost)",
        "#8"
      ])
    })

    it("never the attempt whose failure was fatal", () => {
      const attempts = [...many(9, -1).attempts]
      attempts[4] = attempt({ ...failedWith("401"), index: 4 })
      deepStrictEqual(
        names(outcome(attempts, { decidedBy: "fatal" }), 2),
        ["#0", "… 3 more attempts (3 lost)", "#4", "… 4 more attempts (4 lost)"]
      )
    })
  })

  describe("says", () => {
    it("what an attempt failed with, by the first of its message, tag, code and name", () => {
      strictEqual(noteOf(failedWith("refused")), "failed: refused")
      strictEqual(noteOf(failedWith(new TypeError("not a\n  function"))), "failed: not a function")
      strictEqual(noteOf(failedWith({ _tag: "Refused", message: "" })), "failed: Refused")
      strictEqual(
        noteOf(failedWith(Object.assign(new AggregateError([]), { code: "ECONNREFUSED" }))),
        "failed: ECONNREFUSED"
      )
      strictEqual(noteOf(failedWith(new RangeError())), "failed: RangeError")
      strictEqual(noteOf(failedWith({ status: 503 })), "failed: {\"status\":503}")
      strictEqual(noteOf(failedWith(undefined)), "failed: undefined")
      strictEqual(noteOf(failedWith("")), "failed: (empty)")
      strictEqual(
        noteOf(failedWith({
          get message() {
            throw new Error("no")
          }
        })),
        "failed: (unknown)"
      )
    })

    it("the first error of a cause, else its defect, else that it was interrupted", () => {
      const of = (cause: Cause.Cause<string>) => noteOf(attempt({ result: "failed", exit: Exit.failCause(cause) }))
      strictEqual(
        of(Cause.parallel(Cause.die("boom"), Cause.sequential(Cause.fail("a"), Cause.fail("b")))),
        "failed: a"
      )
      strictEqual(of(Cause.sequential(Cause.interrupt(FiberId.none), Cause.die(new Error("boom")))), "died: boom")
      strictEqual(of(Cause.interrupt(FiberId.none)), "failed: interrupted")
    })

    it("what went wrong with a loser, if anything did", () => {
      strictEqual(noteOf(attempt()), "lost")
      strictEqual(noteOf(attempt({ endedAt: 112.5 })), "lost, clean-up 12.5 ms")
      strictEqual(noteOf(attempt({ exit: Exit.die("release") })), "lost, died: release")
    })

    it("which failure was fatal, where only one can have been", () => {
      const race = (endedAt: number) =>
        Timeline.render(
          outcome([
            attempt({ ...failedWith("refused"), endedAt }),
            attempt({ ...failedWith("401"), index: 1 })
          ], { decidedBy: "fatal" }),
          { labels: ["ams", "fra"] }
        ).split("\n")
      strictEqual(race(99)[0], "no winner: fra was fatal after 100 ms, 2 of 2 attempts failed")
      assertTrue(race(99)[4]?.endsWith("  fatal: 401"))
      strictEqual(race(100)[0], "no winner: a failure was fatal after 100 ms, 2 of 2 attempts failed")
      assertTrue(race(100)[4]?.endsWith("  failed: 401"))
    })

    it("nothing that would command a terminal or break a line", () => {
      const picture = Timeline.render(outcome([failedWith("\x1b[2Jgone\r\n\u202ethere\x07")]), {
        labels: ["a\nb\x1b[31m\x9b\u200b"]
      })
      shows(
        picture,
        "no winner: 1 of 1 attempt failed after 100 ms",
        "          0 ms    20      40       60      80       100",
        "          └────────┴───────┴────────┴───────┴────────┤",
        "a b?[31m? ┣━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━━╳   failed: ?[2Jgone there?",
        "┣ first  ┊ decided"
      )
    })

    it("long names cut, counted in columns", () =>
      shows(
        Timeline.render(
          outcome([
            attempt(),
            attempt({ index: 1 }),
            attempt({ index: 2 }),
            attempt({ index: 3 }),
            attempt({ index: 4, ...won })
          ], wonBy(4)),
          { width: 40, labels: ["日本語のとても長い名前", "e\u0301cole", "an.example.org:443", "", "👍 good"] }
        ),
        "winner 👍 good after 100 ms, 5 attempts",
        "             0 ms     50       100",
        "             └─────────┴────────┤",
        "日本語のと…  ┣━━━━━━━━━━━━━━━━━━┫   lost",
        "école        ┣━━━━━━━━━━━━━━━━━━┫   lost",
        "an.example.… ┣━━━━━━━━━━━━━━━━━━┫   lost",
        "#3           ┣━━━━━━━━━━━━━━━━━━┫   lost",
        "👍 good      ┣███████████████████   won",
        "┣ first  ┊ decided"
      ))
  })

  it("is data-first and data-last", () => {
    const race = outcome([attempt()])
    strictEqual(pipe(race, Timeline.render({ width: 50 })), Timeline.render(race, { width: 50 }))
    strictEqual(pipe(race, Timeline.render()), Timeline.render(race))
    strictEqual(
      pipe(race, Timeline.render),
      Timeline.render(race, { width: undefined, labels: undefined, color: undefined })
    )
  })

  it("throws what names the option and the value that make no sense", () => {
    const rejects = (options: Timeline.Options, message: string) =>
      throws(() => Timeline.render(outcome([]), options), new Cause.IllegalArgumentException(message))
    for (const width of [39, 80.5, NaN, Infinity, -1]) {
      rejects({ width }, `Timeline: option "width" must be a whole number of at least 40, got ${width}`)
    }
    for (const maxRows of [0, 1.5, NaN]) {
      rejects({ maxRows }, `Timeline: option "maxRows" must be a whole number of at least 1, got ${maxRows}`)
    }
  })

  it("fits any outcome into any width, and gives every attempt that is kept its row", () => {
    const widths = new Map([..."日語👍"].map((char) => [char, 2]))
    const columns = (line: string) => [...line].reduce((sum, char) => sum + (widths.get(char) ?? 1), 0)
    const text = FastCheck.string({ unit: FastCheck.constantFrom(..."ab \n\x1b┊╌+!日語👍"), maxLength: 60 })
    const at = FastCheck.oneof(
      FastCheck.integer({ min: 0, max: 1000 }),
      FastCheck.double({ min: 0, max: 1000, noNaN: true }),
      FastCheck.double()
    )
    const cause = FastCheck.oneof(
      text.map(Cause.fail),
      FastCheck.anything().map(Cause.fail),
      text.map(Cause.die),
      FastCheck.constant(Cause.interrupt(FiberId.none)),
      FastCheck.constant(Cause.empty)
    )
    const attempts = FastCheck.array(
      FastCheck.record({
        dueAt: at,
        startedAt: at,
        endedAt: at,
        startedBy: FastCheck.constantFrom("first" as const, "delay" as const, "failure" as const),
        result: FastCheck.constantFrom("failed" as const, "lost" as const, "late" as const),
        exit: cause.map(Exit.failCause)
      }),
      { maxLength: 60 }
    ).map((all) => all.map((some, index): Attempt => ({ ...some, index })))
    const outcomes = FastCheck.record({
      attempts,
      winner: FastCheck.nat({ max: 59 }),
      sourceFailure: FastCheck.option(cause).map(Option.fromNullable),
      startedAt: at,
      decidedAt: at,
      endedAt: at,
      decidedBy: FastCheck.constantFrom(
        "success" as const,
        "failures" as const,
        "fatal" as const,
        "interruption" as const,
        "defect" as const
      )
    }).map(({ attempts, winner, ...more }): Outcome =>
      more.decidedBy === "success" && winner < attempts.length
        ? outcome(attempts.map((some) => some.index === winner ? { ...some, ...won } : some), wonBy(winner, more))
        : outcome(attempts, more)
    )
    const options = FastCheck.record({
      width: FastCheck.integer({ min: 40, max: 200 }),
      labels: FastCheck.array(text, { minLength: 60, maxLength: 60 }).map((all) =>
        all.map((name, i) => `${i}:${name}`)
      ),
      color: FastCheck.boolean(),
      maxRows: FastCheck.integer({ min: 1, max: 70 })
    })
    FastCheck.assert(
      FastCheck.property(outcomes, options, (self, options) => {
        const lines = withoutColor(Timeline.render(self, options)).split("\n")
        for (const line of lines) {
          assertTrue(columns(line) <= options.width, `${columns(line)} columns: ${line}`)
        }
        const drawn = lines.flatMap((line) => /^(\d+):/.exec(line)?.slice(1).map(Number) ?? [])
        strictEqual(drawn.length, Math.min(options.maxRows, self.attempts.length))
        deepStrictEqual(drawn, [...new Set(drawn)].sort((a, b) => a - b))
        assertTrue(Option.isNone(self.winner) || drawn.includes(self.winner.value.index))
        const elided = lines.map((line) => Number(/^… (\d+) more/.exec(line)?.[1] ?? 0)).reduce((a, b) => a + b, 0)
        strictEqual(drawn.length + elided, self.attempts.length)
      }),
      { numRuns: 500 }
    )
  })

  it("draws 200,000 attempts as well", () => {
    const attempts = Array.from({ length: 200_000 }, (_, index) => attempt({ ...failedWith("no"), index }))
    strictEqual(Timeline.render(outcome(attempts)).split("\n").length, 45)
  })
})

describe("ticks", () => {
  it("are 1, 2 or 5 times a power of ten apart, and no more than asked for", () => {
    deepStrictEqual(ticks(800, 5), [0, 200, 400, 600, 800])
    deepStrictEqual(ticks(799, 8), [0, 100, 200, 300, 400, 500, 600, 700])
    deepStrictEqual(ticks(0.7, 4), [0, 0.2, 0.4, 0.6])
    deepStrictEqual(ticks(120_000, 3), [0, 50_000, 100_000])
    deepStrictEqual(ticks(0, 5), [0])
    FastCheck.assert(
      FastCheck.property(
        FastCheck.double({ min: 1e-6, max: 1e15, noNaN: true }),
        FastCheck.integer({ min: 3, max: 50 }),
        (span, most) => {
          const all = ticks(span, most)
          assertTrue(all.length >= 2 && all.length <= most + 1)
          assertTrue(/^[125]0*$/.test(String(Number(all[1]?.toExponential().split("e")[0]))))
        }
      )
    )
  })
})
