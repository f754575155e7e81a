import { describe, it } from "@effect/vitest"
import { deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents } from "../support/eventClock.js"
import type { Options } from "../support/play.js"
import { play } from "../support/play.js"
import type { Row } from "../support/scenario.js"
import {
  candidates,
  die,
  fail,
  failed,
  forever,
  hang,
  leaves,
  messages,
  observe,
  ok,
  shape
} from "../support/scenario.js"

const tag = (error: unknown) => (error as { readonly _tag: string })._tag
const tagOf = (exit: Exit.Exit<unknown, unknown>) => Exit.isSuccess(exit) ? tag(exit.value) : undefined

describe.concurrent("what a race fails with", () => {
  describe("9. All failed: the race fails with the failures combined in candidate order", () => {
    const race = (rows: ReadonlyArray<Row>, options: Options) =>
      Effect.map(
        observe(StaggeredRace.race(candidates(rows), options)),
        ({ endedAt, exit }) => `${failed(exit)} @${endedAt}`
      )

    it.live("sequential where an attempt began after all earlier ones had ended", () =>
      Effect.gen(function*() {
        strictEqual(yield* race([fail(10)], { delay: 250 }), "0 @10")
        strictEqual(yield* race([fail(10), fail(10)], { delay: 250 }), "(0;1) @20")
        strictEqual(yield* race([fail(0), fail(0), fail(0)], { delay: 0 }), "((0;1);2) @0")
      }))

    it.live("parallel where they overlapped", () =>
      Effect.gen(function*() {
        strictEqual(yield* race([fail(300), fail(10)], { delay: 250 }), "(0|1) @300")
        strictEqual(yield* race([fail(300), fail(10), fail(10), fail(300)], { delay: 250 }), "((0|1)|(2|3)) @570")
        strictEqual(yield* race([fail(5), fail(300), fail(10), fail(100)], { delay: 250 }), "(0;((1|2)|3)) @365")
      }))

    it.live("no empty leaves", () =>
      Effect.gen(function*() {
        const interrupted = Effect.flatMap(Effect.fork(Effect.never), (fiber) =>
          Effect.zipRight(Fiber.interrupt(fiber), Fiber.join(fiber)))
        const list = [Effect.fail("a"), Effect.failCause(Cause.empty), interrupted, Effect.fail("b")]
        strictEqual(failed(yield* Effect.exit(StaggeredRace.race(list, { delay: forever }))), "((a;^);b)")
        strictEqual(
          failed(yield* Effect.exit(StaggeredRace.race([Effect.failCause(Cause.empty)], { delay: 1 }))),
          "empty"
        )
      }))

    it.live("no Empty leaves, also of candidates that fail with some", () =>
      Effect.gen(function*() {
        const { exit } = yield* observe(StaggeredRace.race([
          Effect.failCause(Cause.parallel(Cause.empty, Cause.fail("a"))),
          Effect.failCause(Cause.sequential(Cause.fail("b"), Cause.empty))
        ], { delay: 10 }))
        strictEqual(failed(exit), "(a;b)")
      }))

    it.live("the same error twice is two failures", () =>
      Effect.gen(function*() {
        const twice = Effect.failCause(Cause.sequential(Cause.fail("a"), Cause.fail("a")))
        strictEqual(failed(yield* Effect.exit(StaggeredRace.race([twice, twice], { delay: 1 }))), "((a;a);(a;a))")
      }))
  })

  describe("10. Defects and an attempt's own interruption count as failures and stay in the cause", () => {
    it.live("as they came", () =>
      Effect.gen(function*() {
        const rows: ReadonlyArray<Row> = [die(10), { result: "interrupt", latency: 10 }, fail(10)]
        const list = candidates(rows)
        const { endedAt, exit } = yield* observe(StaggeredRace.race(list, { delay: 250 }))
        strictEqual(`${failed(exit)} @${endedAt}`, "((!0;^);2) @30")
        deepStrictEqual((yield* play([...rows, ok(1)], { delay: 250 })).results, ["failed", "failed", "failed", "won"])
      }))

    it.live("`fatal` can end the race on them", () =>
      Effect.gen(function*() {
        const options: Options = { delay: 100, fatal: Cause.isDie }
        const seen = yield* play([hang({ cleanup: 30 }), fail(10), die(50), ok(1)], options)
        deepStrictEqual(seen.results, ["lost", "failed", "failed"])
        strictEqual(seen.outcome?.decidedBy, "fatal")
        strictEqual(seen.at, 190)
        const list = candidates([hang(), fail(10), die(50), ok(1)])
        const { exit } = yield* observe(StaggeredRace.race(list, options))
        deepStrictEqual(leaves(exit), ["!2", "1"])
      }))

    it.live("a `fatal` that throws is fatal, and is in the cause", () =>
      Effect.gen(function*() {
        const fatal = () => {
          throw "oops"
        }
        strictEqual(
          failed(yield* Effect.exit(StaggeredRace.race([Effect.fail("a"), Effect.succeed(1)], { delay: 1, fatal }))),
          "(a;!oops)"
        )
      }))

    it.live("`fatal` is not asked about losers", () =>
      Effect.gen(function*() {
        const asked: Array<string> = []
        yield* observe(StaggeredRace.race(candidates([hang(), fail(10), ok(10)]), {
          delay: 20,
          fatal: (cause) => asked.push(shape(cause)) < 0
        }))
        deepStrictEqual(asked, ["1"])
      }))

    describe("where `fatal` ended the race its failure comes first, then the others in candidate order", () => {
      class Refused extends Data.TaggedError("Refused")<{ readonly by: number }> {}
      class WrongPassword extends Data.TaggedError("WrongPassword")<{ readonly by: number }> {}

      const refused = (by: number, after = 10) => Effect.delay(new Refused({ by }), after)
      const wrong = (by: number, after = 10) => Effect.delay(new WrongPassword({ by }), after)
      const fatal = (cause: Cause.Cause<Refused | WrongPassword>) =>
        Array.from(Cause.failures(cause)).some(({ _tag }) => _tag === "WrongPassword")
      const racing = (list: ReadonlyArray<Effect.Effect<string, Refused | WrongPassword>>) =>
        StaggeredRace.race(list, { delay: 100, fatal })
      const list = [refused(0, 170), refused(1), refused(2), wrong(3), Effect.succeed("never tried")]

      it("in the cause, once", () => {
        const { exit } = runEvents(Effect.mapError(racing(list), ({ by }) => by))
        strictEqual(messages(exit).length, 1)
        const failures = messages(runEvents(racing(list)).exit) as ReadonlyArray<Refused | WrongPassword>
        deepStrictEqual(failures.map(({ _tag, by }) => `${_tag} ${by}`), [
          "WrongPassword 3",
          "Refused 1",
          "Refused 2"
        ])
      })

      it("for `flip`", () => strictEqual(Effect.flip(racing(list)).pipe(runEvents).exit.pipe(tagOf), "WrongPassword"))

      it("for `catchTag`: what is not fatal is not what is caught", () => {
        const caught = Effect.catchTag(racing(list), "Refused", () => Effect.succeed("tried again"))
        deepStrictEqual(messages(runEvents(caught).exit).map(tag), ["WrongPassword", "Refused", "Refused"])
        const known = Effect.catchTag(
          racing(list),
          "WrongPassword",
          ({ by }) => Effect.succeed(`asked again after ${by}`)
        )
        deepStrictEqual(runEvents(known).exit, Exit.succeed("asked again after 3"))
      })

      it("for `retry`, which then does not", () => {
        let races = 0
        const counted = Effect.zipRight(Effect.sync(() => races++), racing(list))
        runEvents(Effect.retry(counted, { while: ({ _tag }) => _tag === "Refused", times: 5 }))
        strictEqual(races, 1)
      })

      it("also where it was a defect, and where it alone has failed", () => {
        const dying = StaggeredRace.race(candidates([fail(10), fail(170), die(10), ok(1)]), {
          delay: 100,
          fatal: Cause.isDie
        })
        deepStrictEqual(leaves(runEvents(dying).exit), ["!2", "0"])
        deepStrictEqual(
          leaves(runEvents(StaggeredRace.race(candidates([die(10)]), { delay: 1, fatal: Cause.isDie })).exit),
          [
            "!0"
          ]
        )
      })

      it("and beside a source that has failed before it", () => {
        const stream = Stream.concat(Stream.fromIterable([refused(0), wrong(1, 500)]), Stream.fail("broke off"))
        const race = StaggeredRace.raceStream(stream, { delay: 100, fatal: () => false })
        const { exit } = runEvents(race)
        deepStrictEqual(messages(exit).map((error) => typeof error === "string" ? error : tag(error)), [
          "Refused",
          "WrongPassword",
          "broke off"
        ])
        const ended = runEvents(StaggeredRace.raceStream(stream, { delay: 100, fatal }))
        deepStrictEqual(messages(ended.exit).map((error) => typeof error === "string" ? error : tag(error)), [
          "WrongPassword",
          "Refused",
          "broke off"
        ])
      })
    })
  })
})
