import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual, throws } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Fiber from "effect/Fiber"
import * as FiberId from "effect/FiberId"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import { ticks } from "../../src/internal/timeline/layout.js"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import * as Timeline from "../../src/Timeline.js"
import { runEvents, Simulation, type Variant } from "../support/eventClock.js"
import { matches } from "../support/golden.js"
import { type Attempt, attempt, type Outcome, outcome, outcomes, text, won, wonBy } from "../support/outcomes.js"
import { fail, hang, run, scenes, succeed } from "../support/pictures.js"
import { candidate as scenarioCandidate, type Row, transcript } from "../support/scenario.js"

const failedWith = (error: unknown) => attempt({ result: "failed", exit: Exit.fail(error) })

/** What the picture says about how one attempt ended. */
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

    it("and draws no clean-up of a winner, whose children may end later", () => {
      const winner = Effect.zipRight(
        Effect.fork(Effect.uninterruptible(Effect.sleep(100))),
        Effect.delay(Effect.succeed("ok"), 50)
      )
      const { attempts, decidedAt, endedAt, ...more } = Effect.runSync(
        runEvents(StaggeredRace.outcome([winner], { delay: 10 })).exit
      )
      deepStrictEqual([attempts[0]?.endedAt, decidedAt, endedAt], [100, 50, 100])
      const race = { attempts, decidedAt, endedAt, ...more }
      shows(
        Timeline.render(race, { width: 50 }),
        "winner #0 after 50 ms, 1 attempt",
        "all ended after 100 ms",
        "   0 ms   20      40      60      80      100",
        "   └───────┴───────┴───┬───┴───────┴───────┘",
        "#0 ┣████████████████████                       won",
        "┣ first  ┊ decided"
      )
      assertTrue(!/winding|clean/.test(Timeline.toSvg(race).replace(/<style>.*<\/style>/, "")))
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

    describe("what held back a start that was due, and for how long", () => {
      const current = Effect.map(StaggeredRace.CurrentAttempt, Option.getOrThrow)
      const slow = Stream.concat(
        Stream.make(Effect.never),
        Stream.fromEffect(Effect.delay(Effect.succeed(succeed(5)), 50))
      )
      const races: Readonly<Record<string, readonly [Effect.Effect<Outcome>, on: string, late: string]>> = {
        "no place": [
          StaggeredRace.outcome([fail("no", 50), succeed(5)], { delay: 20, concurrency: 1 }),
          "no place for 30 ms",
          "no place for 32 ms"
        ],
        "no candidate": [
          StaggeredRace.outcomeStream(slow, { delay: 20 }),
          "no candidate for 50 ms",
          "no candidate for 56 ms"
        ],
        "minDelay": [
          StaggeredRace.outcome([fail("no", 1), succeed(5)], { delay: 20, minDelay: 10 }),
          "minDelay for 9 ms",
          "minDelay for 11 ms"
        ],
        "progress": [
          StaggeredRace.outcome(
            [Effect.zipRight(Effect.flatMap(current, ({ progress }) => progress(30)), Effect.never), succeed(5)],
            { delay: 20 }
          ),
          "progress for 10 ms",
          "progress for 14 ms"
        ],
        "holdBack": [
          StaggeredRace.outcome(
            [Effect.zipRight(Effect.flatMap(current, ({ holdBack }) => holdBack(30)), fail("no", 5)), succeed(5)],
            { delay: 20 }
          ),
          "progress for 25 ms",
          "progress for 27 ms"
        ]
      }
      for (const [name, [race, onTime, late]] of Object.entries(races)) {
        it(name, () => {
          const last = (variant: Variant) =>
            Timeline.render(Effect.runSync(runEvents(race, variant).exit)).split("\n").at(-2)
          assertTrue(last({})?.endsWith(`won, ${onTime}`), last({}))
          assertTrue(last({ late: 2 })?.endsWith(`won, ${late}`), last({ late: 2 }))
        })
      }

      it("nothing: a timer that was late holds nothing back", () => {
        const race = StaggeredRace.outcome([hang(0), fail("no", 30), hang(0), succeed(200)], {
          delay: 100,
          concurrency: 4,
          minDelay: 10
        })
        const late = Effect.runSync(runEvents(race, { late: 2 }).exit)
        deepStrictEqual(late.attempts.map(({ dueAt, startedAt }) => [dueAt, startedAt]), [
          [0, 0],
          [100, 104],
          [136, 136],
          [236, 240]
        ])
        const picture = Timeline.render(late)
        assertTrue(!/·| for /.test(picture), picture)
        assertTrue(!/for \d|class="wait"/.test(Timeline.toSvg(late)), "in SVG")
      })

      it("nothing, where the timer was to fire when the race was decided", () => {
        const winner = Effect.async<string>((resume) => {
          clock.after(101, () => resume(Effect.succeed("ok")))
        })
        const clock = new Simulation({ late: 2 })
        const fiber = clock.fork(StaggeredRace.outcome([winner, succeed(1)], { delay: 100 }))
        clock.advanceTo(Infinity)
        const { decidedAt, pending } = Effect.runSync(Fiber.join(fiber))
        deepStrictEqual([decidedAt, pending], [101, Option.none()])
      })
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

  for (const scene of scenes) {
    it.effect(`draws ${scene.name} as it is in the file`, () =>
      Effect.map(
        scene.race,
        (drawable) => matches(`${scene.name}.txt`, `${Timeline.render(drawable, scene)}\n`)
      ))
  }

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
    rejects(
      { unit: "hours" as never },
      "Timeline: option \"unit\" must be \"auto\" or \"millis\" or \"seconds\", got \"hours\""
    )
    for (const maxRows of [0, 1.5, NaN]) {
      rejects({ maxRows }, `Timeline: option "maxRows" must be a whole number of at least 1, got ${maxRows}`)
    }
  })

  it("fits any outcome into any width, and gives every attempt that is kept its row", () => {
    const widths = new Map([..."日語👍"].map((char) => [char, 2]))
    const columns = (line: string) => [...line].reduce((sum, char) => sum + (widths.get(char) ?? 1), 0)
    const options = FastCheck.record({
      width: FastCheck.integer({ min: 40, max: 200 }),
      labels: FastCheck.array(text, { minLength: 61, maxLength: 61 }).map((all) =>
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
        // A row more than there are attempts shows the start that was pending.
        const pending = Option.isSome(self.pending) && drawn.at(-1) === self.attempts.length ? drawn.pop() : undefined
        assertTrue(pending === undefined || lines.join(" ").includes("not"))
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

describe("Timeline.soFar", () => {
  const candidate = FastCheck.record({
    result: FastCheck.constantFrom("ok" as const, "fail" as const, "hang" as const, "die" as const),
    latency: FastCheck.nat({ max: 40 }),
    cleanup: FastCheck.nat({ max: 20 })
  })
  const races = FastCheck.record({
    rows: FastCheck.array(candidate, { maxLength: 6 }),
    delay: FastCheck.nat({ max: 20 }),
    minDelay: FastCheck.nat({ max: 8 }),
    concurrency: FastCheck.integer({ min: 1, max: 4 }),
    fatal: FastCheck.boolean(),
    isStream: FastCheck.boolean(),
    sourceFails: FastCheck.boolean()
  })

  it("draws a race whose events have all been told as its outcome does", () => {
    let drawnAlike = 0
    FastCheck.assert(
      FastCheck.property(races, ({ fatal, isStream, rows, sourceFails, ...more }) => {
        const events: Array<StaggeredRace.RaceEvent<unknown, unknown>> = []
        const options: StaggeredRace.Options<unknown, unknown> = {
          ...more,
          fatal: fatal ? Cause.isDie : undefined,
          onEvent: (event) => Effect.sync(() => events.push(event))
        }
        const last: Row = { result: "fail", latency: 1 }
        const all = [...rows, last].map((row, index) => scenarioCandidate(row, index, transcript()))
        const stream = Stream.concat(
          Stream.mapEffect(Stream.fromIterable(all), (each) => Effect.delay(Effect.succeed(each), 3)),
          sourceFails ? Stream.fail("broke off") : Stream.empty
        )
        const program: Effect.Effect<Outcome> = isStream
          ? StaggeredRace.outcomeStream(stream, options)
          : StaggeredRace.outcome(all, options)
        const simulation = new Simulation()
        const fiber = simulation.fork(program)
        simulation.advanceTo(1000)
        const exit = fiber.unsafePoll()
        if (exit === null) {
          // Attempts that hang take all places, so this race has no end of its own.
          simulation.interrupt(fiber)
          simulation.advanceTo(Infinity)
          return
        }
        assertTrue(Exit.isSuccess(exit))
        // No event says that the race waited for a stream's first candidate.
        const seen = { ...Timeline.soFar(events, 1000), startedAt: 0 }
        strictEqual(Timeline.render(seen, { width: 100 }), Timeline.render(exit.value, { width: 100 }))
        strictEqual(Timeline.toSvg(seen), Timeline.toSvg(exit.value))
        drawnAlike++
      }),
      { numRuns: 200 }
    )
    assertTrue(drawnAlike > 50, `${drawnAlike}`)
  })

  it("draws what an attempt does at each instant: wait, run, fail, lose, clean up", () => {
    const cause = Cause.interrupt(FiberId.none)
    const events: ReadonlyArray<StaggeredRace.RaceEvent<string, string>> = [
      { _tag: "Started", at: 1000, index: 0, dueAt: 1000, heldBackBy: Option.none(), startedBy: "first" },
      { _tag: "Started", at: 1050, index: 1, dueAt: 1020, heldBackBy: Option.some("concurrency"), startedBy: "delay" },
      { _tag: "Failed", at: 1060, index: 1, cause: Cause.fail("no") },
      { _tag: "Started", at: 1060, index: 2, dueAt: 1060, heldBackBy: Option.none(), startedBy: "failure" },
      { _tag: "Started", at: 1070, index: 3, dueAt: 1070, heldBackBy: Option.none(), startedBy: "delay" },
      { _tag: "Won", at: 1080, index: 3, value: "ok" },
      { _tag: "Decided", at: 1080, by: "success", pending: Option.none() },
      { _tag: "Lost", at: 1090, index: 2, cause },
      { _tag: "SourceFailed", at: 1095, cause: Cause.die("close") },
      { _tag: "SucceededLate", at: 1100, index: 0 }
    ]
    const at = (now: number) =>
      Timeline.render(Timeline.soFar(events.filter(({ at }) => at <= now), now), { width: 64 })
    matches("so-far.txt", `${[1000, 1050, 1065, 1080, 1095, 1200].map(at).join("\n\n")}\n`)
  })

  it("draws no events as a race that has just begun", () =>
    shows(Timeline.render(Timeline.soFar([], 1000)), "undecided after 0 ms, 0 attempts"))
})

describe("the unit of times", () => {
  it("is what is asked for, in the headline, the notes and on the axis", () => {
    const race = outcome([attempt({ endedAt: 12_500 }), attempt({ index: 1, startedBy: "delay", ...won })], {
      ...wonBy(1),
      endedAt: 12_500
    })
    matches(
      "units.txt",
      (["auto", "millis", "seconds"] as const).map((unit) => `${Timeline.render(race, { unit, width: 60 })}\n\n`).join(
        ""
      )
    )
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
