import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { pipe } from "effect/Function"
import * as Logger from "effect/Logger"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as Replicas from "../../src/Replicas.js"
import { inTime, virtually } from "../support/hedging.js"
import { seeded } from "../support/random.js"
import { every, replicasOf, serversOf, setOf, stateOf } from "../support/replicas.js"
import { nothing } from "../support/scenario.js"

const never = { delay: 1000, maxHedges: 0 } as const
const idsOf = <T>(set: Replicas.Replicas<T>) =>
  Effect.map(Replicas.states(set), (all) => all.map(({ id }) => id).join())

describe("a set", () => {
  it.live("of two replicas with the same id has the last one", () =>
    inTime(Effect.gen(function*() {
      const set = yield* Replicas.make([{ id: "a", target: 1 }, { id: "b", target: 2 }, { id: "a", target: 3 }])
      strictEqual(yield* idsOf(set), "a,b")
      strictEqual(yield* Replicas.hedge(set, Effect.succeed, never, { prefer: ["a"] }), 3)
    })))

  it.live("tells nothing of a replica that has had no request", () =>
    inTime(Effect.gen(function*() {
      const set = yield* setOf(["a/east", "b"])
      deepStrictEqual(yield* Replicas.states(set), [
        { id: "a", zone: "east", picks: 0, inFlight: 0, latency: Option.none(), failures: 0, isOut: false },
        { id: "b", zone: undefined, picks: 0, inFlight: 0, latency: Option.none(), failures: 0, isOut: false }
      ])
    })))

  it.live("makes the same choices with the same random numbers, and others with others", () =>
    inTime(Effect.gen(function*() {
      const choices = (seed: number) =>
        Effect.gen(function*() {
          const { log, request } = serversOf({ a: [5, "ok"], b: [5, "ok"], c: [5, "ok"], d: [5, "ok"] })
          const set = yield* setOf(["a", "b", "c", "d"], { choices: 1 }, seed)
          yield* Effect.repeatN(Replicas.hedge(set, request, never), 20)
          return log().replaceAll(/@\d+/g, "")
        })
      strictEqual(yield* choices(1), yield* choices(1))
      assertTrue((yield* choices(1)) !== (yield* choices(2)))
    })))

  describe("update", () => {
    it.live("keeps what is known of an id, and takes its new target and zone", () =>
      inTime(Effect.gen(function*() {
        const { request } = serversOf({ a: [5, "ok"], b: [7, "fail"] })
        const set = yield* setOf(["a", "b"])
        yield* Replicas.hedge(set, request, never, { prefer: ["b", "a"] })
        const before = yield* Replicas.states(set)
        yield* Replicas.update(set, [{ id: "b", target: "a", zone: "west" }, { id: "c", target: "c" }])
        const after = yield* Replicas.states(set)
        deepStrictEqual(after.map(({ id }) => id), ["b", "c"])
        deepStrictEqual(after[0], { ...before[1]!, zone: "west" })
        strictEqual(after[0]!.failures, 1)
        strictEqual(yield* Replicas.hedge(set, request, never, { prefer: ["b"] }), "ok a")
      })))

    it.live("knows nothing of an id that was gone", () =>
      inTime(Effect.gen(function*() {
        const { request } = serversOf({ a: [5, "ok"] })
        const set = yield* setOf(["a"])
        yield* Replicas.hedge(set, request, never)
        yield* pipe(set, Replicas.update<string>([]))
        yield* Replicas.update(set, replicasOf(["a"]))
        strictEqual((yield* stateOf(set, "a")).picks, 0)
      })))

    it.live("loses no call that is under way, and its hedge goes to the new set", () =>
      inTime(Effect.gen(function*() {
        const { log, request } = serversOf({ a: [90, "ok"], b: [10, "ok"], c: [60, "ok"] })
        const set = yield* setOf(["a"])
        const first = yield* Effect.fork(Replicas.hedge(set, request, { delay: 50 }))
        const second = yield* Effect.fork(Replicas.hedge(set, request, never))
        yield* Effect.sleep(10)
        yield* Replicas.update(set, replicasOf(["b"]))
        strictEqual(yield* Fiber.join(first), "ok b")
        strictEqual(yield* Fiber.join(second), "ok a")
        strictEqual(log(), "a0@0 a0@0 b1@50")
      })))

    it.live("loses no call, however often the set changes, and sends none to those that are gone", () =>
      inTime(Effect.gen(function*() {
        const ids = ["a", "b", "c", "d", "e", "f"]
        const random = seeded(3)
        const { asked, request } = serversOf(Object.fromEntries(ids.map((id, index) => [id, [5 + 20 * index, "ok"]])))
        const set = yield* setOf(ids)
        let current: ReadonlyArray<string> = ids
        const change = Effect.suspend(() => {
          const next = ids.filter(() => random() < 0.5)
          current = next.length === 0 ? ["a"] : next
          return Replicas.update(set, replicasOf(current))
        })
        const sentTo = (id: string, index: number) => {
          assertTrue(current.includes(id), `${id} is gone`)
          return request(id, index)
        }
        const changes = yield* Effect.fork(every(7, 200, () => change))
        const answers = yield* every(1, 1400, () => Replicas.hedge(set, sentTo, { delay: 30 }))
        yield* Fiber.join(changes)
        strictEqual(answers.length, 1400)
        assertTrue(answers.every((answer) => answer.startsWith("ok")))
        assertTrue(asked.some(({ index }) => index === 1))
        yield* Replicas.update(set, replicasOf(ids))
        deepStrictEqual((yield* Replicas.states(set)).map(({ inFlight }) => inFlight), ids.map(() => 0))
      })))
  })

  describe("fromStream", () => {
    /** A stream of sets, each at its time, and then an end. */
    const changing = <E = never>(
      sets: ReadonlyArray<readonly [at: number, ids: ReadonlyArray<string>]>,
      end: Stream.Stream<never, E> = Stream.never
    ): Stream.Stream<ReadonlyArray<Replicas.Replica<string>>, E> =>
      Stream.concat(
        Stream.mapEffect(
          Stream.fromIterable(sets),
          ([at, ids]) =>
            Effect.flatMap(
              Effect.clock,
              (clock) => Effect.delay(Effect.succeed(replicasOf(ids)), at - clock.unsafeCurrentTimeMillis())
            )
        ),
        end
      )

    /** What is logged, by level and message. */
    const logging = <A, E, R>(effect: Effect.Effect<A, E, R>) => {
      const logged: Array<string> = []
      const logger = Logger.make(({ logLevel, message }) => void logged.push(`${logLevel.label} ${String(message)}`))
      return Effect.map(
        Effect.provide(effect, Logger.replace(Logger.defaultLogger, logger)),
        (result) => ({ logged, result })
      )
    }

    const warning = "WARN Replicas: the stream of sets has failed, and the last set stays"

    /** The set at some times, and what was logged. */
    const seen = <E>(sets: Stream.Stream<Iterable<Replicas.Replica<string>>, E>, times: ReadonlyArray<number>) =>
      Effect.gen(function*() {
        const set = yield* Replicas.fromStream(sets)
        const clock = yield* Effect.clock
        const states: Array<string> = []
        for (const at of [clock.unsafeCurrentTimeMillis(), ...times]) {
          yield* Effect.sleep(at - clock.unsafeCurrentTimeMillis())
          states.push(`${yield* idsOf(set)}@${at}`)
        }
        return states.join(" ")
      }).pipe(Effect.scoped, logging, inTime)

    it.live("returns with the first set, and follows the stream", () =>
      Effect.gen(function*() {
        const { logged, result } = yield* seen(
          changing([[10, ["a", "b"]], [20, ["b"]], [30, ["b", "c"]]]),
          [15, 25, 35]
        )
        strictEqual(result, "a,b@10 a,b@15 b@25 b,c@35")
        deepStrictEqual(logged, [])
      }))

    it.live("keeps what is known of those that stay", () =>
      inTime(Effect.scoped(Effect.gen(function*() {
        const { request } = serversOf({ a: [2, "ok"], b: [2, "ok"] })
        const set = yield* Replicas.fromStream(changing([[0, ["a"]], [10, ["b", "a"]]]))
        yield* Replicas.hedge(set, request, never)
        yield* Effect.sleep(15)
        const { latency, picks } = yield* stateOf(set, "a")
        deepStrictEqual([latency, picks], [Option.some(2), 1])
      }))))

    it.live("keeps the last set when the stream ends", () =>
      Effect.map(seen(changing([[0, ["a"]], [10, ["b"]]], Stream.empty), [50]), (seen) => {
        deepStrictEqual(seen, { logged: [], result: "a@0 b@50" })
      }))

    it.live("keeps the last set when the stream fails, and logs a warning", () =>
      Effect.map(seen(changing([[0, ["a"]], [10, ["b"]]], Stream.fail("gone")), [50]), (seen) => {
        deepStrictEqual(seen, { logged: [warning], result: "a@0 b@50" })
      }))

    it.live("and when it dies", () =>
      Effect.map(seen(changing([[0, ["a"]]], Stream.die("gone")), [50]), (seen) => {
        deepStrictEqual(seen, { logged: [warning], result: "a@0 a@50" })
      }))

    it.live("fails if the stream fails first", () =>
      Effect.gen(function*() {
        const { logged, result } = yield* Replicas.fromStream(changing([], Stream.fail("refused"))).pipe(
          Effect.scoped,
          Effect.flip,
          logging,
          inTime
        )
        strictEqual(result, "refused")
        deepStrictEqual(logged, [])
      }))

    it.live("dies if the stream dies first", () =>
      Effect.gen(function*() {
        const exit = yield* Replicas.fromStream(changing([], Stream.die("broken"))).pipe(
          Effect.scoped,
          Effect.exit,
          inTime
        )
        deepStrictEqual(Exit.isFailure(exit) && Cause.dieOption(exit.cause), Option.some("broken"))
      }))

    it.live("is empty if the stream ends before there is a set", () =>
      Effect.map(seen(changing([], Stream.empty), [5]), (seen) => {
        deepStrictEqual(seen, { logged: [], result: "@0 @5" })
      }))

    it.live("stops when the scope closes, without a word", () =>
      Effect.gen(function*() {
        let closedAt = NaN
        const { logged, result } = yield* Effect.gen(function*() {
          const scope = yield* Scope.make()
          const clock = yield* Effect.clock
          const sets = Stream.ensuring(
            changing([[0, ["a"]], [10, ["b"]], [20, ["c"]]]),
            Effect.sync(() => closedAt = clock.unsafeCurrentTimeMillis())
          )
          const set = yield* Scope.extend(Replicas.fromStream(sets), scope)
          yield* Effect.sleep(15)
          yield* Scope.close(scope, Exit.void)
          yield* Effect.sleep(15)
          strictEqual(yield* Replicas.hedge(set, Effect.succeed, never), "b")
          return yield* idsOf(set)
        }).pipe(logging, inTime)
        deepStrictEqual([result, closedAt, logged], ["b", 15, []])
      }))

    it.live("leaves nothing behind if it is interrupted before there is a set", () =>
      Effect.gen(function*() {
        const { exit, left } = yield* virtually(Effect.scoped(Replicas.fromStream(Stream.never)), { interruptAt: 10 })
        assertTrue(Exit.isInterrupted(exit))
        deepStrictEqual(left, nothing)
      }))

    it.live("loses no call while the stream changes, fails, and is gone", () =>
      inTime(Effect.scoped(Effect.gen(function*() {
        const { request } = serversOf({ a: [15, "ok"], b: [15, "ok"], c: [15, "ok"] })
        const set = yield* Replicas.fromStream(
          changing([[0, ["a", "b"]], [20, ["b", "c"]], [40, ["c"]], [60, ["a"]]], Stream.fail("gone"))
        )
        const answers = yield* every(1, 100, () => Replicas.hedge(set, request, { delay: 50 }))
        strictEqual(answers.length, 100)
        strictEqual(answers[99], "ok a")
      }))).pipe(logging, Effect.map(({ logged }) => deepStrictEqual(logged, [warning]))))
  })

  const complains = (effect: Effect.Effect<unknown, unknown>, message: string) =>
    Effect.map(Effect.exit(effect), (exit) => {
      const defect = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.dieOption(exit.cause)) : undefined
      assertTrue(Cause.isIllegalArgumentException(defect), String(defect))
      strictEqual(defect.message, message)
    })

  // What callers without types may pass.
  const given = (value: unknown) => value as never
  const whole = "a whole number of at least 1"
  const period = "a duration of at least a millisecond, and finite"

  it.live.each<readonly [options: Replicas.Options, message: string]>([
    [{ choices: 0 }, `option "choices" must be ${whole}, got 0`],
    [{ choices: 1.5 }, `option "choices" must be ${whole}, got 1.5`],
    [{ choices: NaN }, `option "choices" must be ${whole}, got NaN`],
    [{ ejectAfter: 0 }, `option "ejectAfter" must be ${whole}, got 0`],
    [{ ejectFor: -1 }, "option \"ejectFor\" must be a duration of zero or more, got -1"],
    [{ maxEjectFor: given("soon") }, "option \"maxEjectFor\" must be a duration of zero or more, got \"soon\""],
    [{ halfLife: 0 }, `option "halfLife" must be ${period}, got 0`],
    [{ halfLife: Infinity }, `option "halfLife" must be ${period}, got Infinity`],
    [{ maxEjected: 1.1 }, "option \"maxEjected\" must be a number from 0 to 1, got 1.1"],
    [{ maxEjected: NaN }, "option \"maxEjected\" must be a number from 0 to 1, got NaN"],
    [{ zone: given(7) }, "option \"zone\" must be a string, got 7"],
    [{ name: "" }, "option \"name\" must be a string that is not empty, got \"\""]
  ])("says which option makes no sense: %o", ([options, message]) =>
    Effect.gen(function*() {
      for (
        const making of [
          Replicas.make([], options),
          Effect.scoped(Replicas.fromStream(Stream.empty, options))
        ]
      ) {
        yield* complains(making, `Replicas: ${message}`)
      }
    }))

  it.live.each<readonly [name: string, call: Replicas.CallOptions, message: string]>([
    ["isIll", { isIll: given(true) }, "Replicas: option \"isIll\" must be a function, got true"],
    ["onEvent", { onEvent: given("log") }, "Replicas: option \"onEvent\" must be a function, got \"log\""],
    ["prefer", { prefer: given("a") }, "Replicas: option \"prefer\" must be a list of ids, got \"a\""],
    ["an id of prefer", { prefer: given(["a", 7]) }, "Replicas: option \"prefer\" must be a list of ids, got [a,7]"],
    ["delay", { delay: -1 }, "Hedge: option \"delay\" must be a duration of zero or more, got -1"]
  ])("a call says so too: %s", ([, call, message]) =>
    Effect.gen(function*() {
      const set = yield* setOf(["a"])
      yield* complains(Replicas.hedge(set, Effect.succeed, never, call), message)
      deepStrictEqual((yield* Replicas.states(set)).map(({ inFlight, picks }) => [inFlight, picks]), [[0, 0]])
    }))

  it.live.each<readonly [replica: unknown, message: string]>([
    ["10.0.0.1", "a replica must be an object with an id and a target, got \"10.0.0.1\""],
    [{ target: "10.0.0.1" }, "option \"id\" must be a string, got undefined"],
    [{ id: "a", target: "10.0.0.1", zone: 7 }, "option \"zone\" must be a string, got 7"]
  ])("says which replica makes no sense: %o", ([replica, message]) =>
    Effect.gen(function*() {
      const set = yield* setOf(["a"])
      for (const making of [Replicas.make([given(replica)]), Replicas.update(set, [given(replica)])]) {
        yield* complains(making, `Replicas: ${message}`)
      }
      deepStrictEqual((yield* Replicas.states(set)).map(({ id }) => id), ["a"])
    }))
})
