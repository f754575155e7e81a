import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FastCheck from "effect/FastCheck"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { runEvents } from "../support/eventClock.js"
import type { Options } from "../support/play.js"
import type { Row } from "../support/scenario.js"
import {
  candidate,
  candidates,
  fail,
  forever,
  hang,
  messages,
  nothing,
  observe,
  ok,
  transcript
} from "../support/scenario.js"

describe.concurrent("4. Candidates are pulled one at a time, when they start, never before", () => {
  const source = (log: Array<string>, rows: ReadonlyArray<Row>) =>
    function*() {
      const seen = transcript()
      try {
        for (const [index, row] of rows.entries()) {
          log.push(`pull ${index}`)
          yield candidate(row, index, seen)
        }
        log.push("end")
      } finally {
        log.push("close")
      }
    }
  const pulled = (rows: ReadonlyArray<Row>, options: Options, interruptAt?: number) =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const { left } = yield* observe(
        StaggeredRace.outcome({ [Symbol.iterator]: source(log, rows) }, options),
        { interruptAt: interruptAt ?? null }
      )
      deepStrictEqual(left, nothing)
      return log
    })

  it.live("and the iterator is closed once when the race ends early", () =>
    Effect.gen(function*() {
      const rows = [fail(10), ok(300), hang(), hang()]
      deepStrictEqual(yield* pulled(rows, { delay: 250 }), ["pull 0", "pull 1", "pull 2", "close"])
      deepStrictEqual(yield* pulled(rows, { delay: 250 }, 100), ["pull 0", "pull 1", "close"])
      deepStrictEqual(yield* pulled(rows, { delay: 250, fatal: () => true }), ["pull 0", "close"])
      deepStrictEqual(yield* pulled([fail(1), fail(1)], { delay: 250 }), ["pull 0", "pull 1", "end", "close"])
    }))

  it.live("an iterator is closed once; not at all when it has ended by itself, or has thrown", () =>
    Effect.gen(function*() {
      const done = () => ({ done: true as const, value: undefined })
      const returns = (effects: ReadonlyArray<Effect.Effect<number, string>>, last: () => IteratorResult<never>) =>
        Effect.gen(function*() {
          let returned = 0
          let next = 0
          const iterator: Iterator<Effect.Effect<number, string>> = {
            next: () => next < effects.length ? { done: false, value: effects[next++]! } : last(),
            return: () => {
              returned++
              return done()
            }
          }
          yield* observe(StaggeredRace.outcome({ [Symbol.iterator]: () => iterator }, { delay: 10 }))
          return returned
        })
      const broken = () => {
        throw "broken"
      }
      const win = Effect.delay(Effect.succeed(1), 50)
      strictEqual(yield* returns([win, Effect.never, Effect.never, Effect.never, Effect.never, Effect.never], done), 1)
      strictEqual(yield* returns([win], done), 0)
      strictEqual(yield* returns([Effect.fail("a"), Effect.fail("b")], done), 0)
      strictEqual(yield* returns([win], broken), 0)
    }))

  it.live("an iterator that cannot be closed takes nothing from a win", () =>
    Effect.gen(function*() {
      const candidates = {
        [Symbol.iterator]: () => ({
          next: () => ({ done: false as const, value: Effect.succeed(1) }),
          return: () => {
            throw "stuck"
          }
        })
      }
      strictEqual(yield* StaggeredRace.race(candidates, { delay: 1 }), 1)
      const outcome = yield* StaggeredRace.outcome(candidates, { delay: 1 })
      deepStrictEqual(outcome.sourceFailure, Option.some(Cause.die("stuck")))
    }))

  it.live("endless sources are fine", () =>
    Effect.gen(function*() {
      function* endless() {
        for (let index = 0;; index++) {
          yield index === 5000 ? Effect.succeed(index) : Effect.fail(index)
        }
      }
      strictEqual(yield* StaggeredRace.race(endless(), { delay: 250 }), 5000)
    }))

  it.live("an endless source of failures can be interrupted", () =>
    Effect.gen(function*() {
      function* failures() {
        for (let index = 0;; index++) {
          yield Effect.fail(index)
        }
      }
      const exit = yield* Effect.exit(Effect.timeout(StaggeredRace.race(failures(), { delay: 250 }), 20))
      deepStrictEqual(messages(exit).map(String), ["TimeoutException: Operation timed out after '20ms'"])
    }))

  it.live("while an endless source fails, the timers of the process are heard", () =>
    Effect.gen(function*() {
      let pulls = 0
      let heardAt = Infinity
      function* failures() {
        while (++pulls < 50_000) {
          yield Effect.fail("no")
        }
        yield Effect.succeed("end")
      }
      setTimeout(() => heardAt = pulls, 0)
      yield* StaggeredRace.race(failures(), { delay: 250 })
      assertTrue(heardAt < 20_000, `heard at ${heardAt}`)
    }))

  it.live("the failure of the newest while the next is already being pulled: the delay has started it", () =>
    Effect.gen(function*() {
      const stream = Stream.fromIterable(candidates([fail(300), ok(10)])).pipe(
        Stream.rechunk(1),
        Stream.tap(() => Effect.sleep(200))
      )
      const outcome = yield* (yield* observe(StaggeredRace.outcomeStream(stream, { delay: 250 }))).exit
      deepStrictEqual(
        outcome.attempts.map(({ startedAt, startedBy }) => [startedAt, startedBy]),
        [[200, "first"], [650, "delay"]]
      )
    }))

  it.live("a size that is none, or that grows, loses no candidate", () =>
    Effect.gen(function*() {
      const lying = { length: 0, size: 1, [Symbol.iterator]: () => [Effect.fail("a"), Effect.succeed("b")].values() }
      strictEqual(yield* StaggeredRace.race(lying, { delay: 250 }), "b")
      const growing: Array<Effect.Effect<string, string>> = []
      growing.push(Effect.suspend(() => {
        growing.push(Effect.succeed("late"))
        return Effect.fail("no")
      }))
      strictEqual(yield* StaggeredRace.race(growing, { delay: 250 }), "late")
    }))

  describe("only a pull tells that the source is at its end", () => {
    const winning = (name: string) => Effect.succeed(name)

    it("a Set whose members delete themselves as they fail still gives all that are left", () => {
      for (const delay of [0, 250, forever]) {
        const set = new Set<Effect.Effect<string, string>>()
        const failing = (name: string) => {
          const self: Effect.Effect<never, string> = Effect.suspend(() => {
            set.delete(self)
            return Effect.fail(name)
          })
          return self
        }
        const fill = (...members: ReadonlyArray<Effect.Effect<string, string>>) => {
          set.clear()
          members.forEach((member) => set.add(member))
          return set
        }
        const [a, b, c, d] = [failing("a"), failing("b"), failing("c"), failing("d")] as const
        const none = runEvents(StaggeredRace.race(fill(a, b, c, d), { delay }))
        deepStrictEqual(messages(none.exit), ["a", "b", "c", "d"])
        const third = runEvents(StaggeredRace.race(fill(a, b, winning("c"), d), { delay }))
        deepStrictEqual(third.exit, Exit.succeed("c"))
      }
    })

    it("a member that queues itself again before the last one starts: the delay of the last starts it", () => {
      let tries = 0
      const set = new Set<Effect.Effect<string, string>>()
      const again: Effect.Effect<string, string> = Effect.suspend(() => {
        set.delete(again)
        set.add(again)
        return ++tries < 2 ? Effect.delay(Effect.fail("not yet"), 10) : Effect.succeed("the second time")
      })
      set.add(again).add(Effect.never)
      const { endedAt, exit, left } = runEvents(StaggeredRace.race(set, { delay: 250 }), { interruptAt: 5000 })
      deepStrictEqual([exit, endedAt, left], [Exit.succeed("the second time"), 260, nothing])
    })

    it("an array to which the newest adds as it fails: the delay of the next starts what was added", () => {
      const list: Array<Effect.Effect<string, string>> = []
      list.push(
        Effect.suspend(() => {
          list.push(winning("added"))
          return Effect.delay(Effect.fail("no"), 10)
        }),
        Effect.never
      )
      const { endedAt, exit } = runEvents(StaggeredRace.race(list, { delay: 250 }), { interruptAt: 5000 })
      deepStrictEqual([exit, endedAt], [Exit.succeed("added"), 260])
    })

    it("an array, or a Set, that iterates in its own way may give more than its size", () => {
      const twice = <A extends Iterable<Effect.Effect<string>>>(self: A) =>
        Object.assign(self, {
          *[Symbol.iterator]() {
            yield* [Effect.never, winning("not counted")]
          }
        })
      for (const candidates of [twice([Effect.never]), twice(new Set([Effect.never]))]) {
        const { endedAt, exit } = runEvents(StaggeredRace.race(candidates, { delay: 250 }), { interruptAt: 5000 })
        deepStrictEqual([exit, endedAt], [Exit.succeed("not counted"), 250])
      }
    })

    it("a size that is too large: the race ends with its last attempt, and not later", () => {
      class Boasting<A> extends Set<A> {
        override get size() {
          return super.size + 2
        }
      }
      for (const delay of [0, 250, forever]) {
        const two = new Boasting([Effect.delay(Effect.fail("a"), 10), Effect.fail("b")])
        const { endedAt, exit, left } = runEvents(StaggeredRace.race(two, { delay }))
        deepStrictEqual([endedAt, messages(exit), left], [10, ["a", "b"], nothing])
      }
    })

    // Each time a member is tried, it may add, remove or re-queue members, also itself.
    const op = FastCheck.tuple(FastCheck.constantFrom("remove", "add", "again"), FastCheck.nat({ max: 5 }))
    const members = FastCheck.array(
      FastCheck.record({
        ops: FastCheck.array(FastCheck.array(op, { maxLength: 3 }), { maxLength: 3 }),
        winsAt: FastCheck.constantFrom(0, 0, 0, 1, 2)
      }),
      { minLength: 1, maxLength: 6 }
    )
    type Members = typeof members extends FastCheck.Arbitrary<infer A> ? A : never

    interface Collection<A> {
      readonly members: Iterable<A>
      readonly remove: (member: A) => void
      readonly append: (member: A) => void
    }
    const kinds: Readonly<Record<string, <A>(initial: ReadonlyArray<A>) => Collection<A>>> = {
      "a Set": (initial) => {
        const members = new Set(initial)
        return { members, remove: (member) => members.delete(member), append: (member) => members.add(member) }
      },
      "an array": (initial) => {
        const members = [...initial]
        return {
          members,
          remove: (member) => members.includes(member) && members.splice(members.indexOf(member), 1),
          append: (member) => members.push(member)
        }
      }
    }

    /** The order in which `run` tries the members. */
    const tried = (
      kind: keyof typeof kinds,
      given: Members,
      suspends: boolean,
      run: (list: Iterable<Effect.Effect<number, string>>) => unknown
    ) => {
      const order: Array<number> = []
      const visits = given.map(() => 0)
      const list = given.map(({ ops, winsAt }, index): Effect.Effect<number, string> => {
        const attempt = Effect.suspend(() => {
          order.push(index)
          const visit = visits[index]!++
          for (const [what, other] of ops[visit] ?? []) {
            const member = list[other % list.length]!
            if (what !== "add") {
              collection.remove(member)
            }
            if (what !== "remove") {
              collection.append(member)
            }
          }
          return order.length >= 40 || visit + 1 === winsAt ? Effect.succeed(index) : Effect.fail("no")
        })
        return suspends ? Effect.zipRight(Effect.yieldNow(), attempt) : attempt
      })
      const collection = kinds[kind]!(list)
      run(collection.members)
      return order
    }
    const byForOf = (list: Iterable<Effect.Effect<number, string>>) => {
      for (const member of list) {
        if (Exit.isSuccess(runEvents(member).exit)) {
          break
        }
      }
    }
    const byRace = (delay: number) => (list: Iterable<Effect.Effect<number, string>>) =>
      runEvents(StaggeredRace.outcome(list, { delay }))
    const byIterator = (delay: number) => (list: Iterable<Effect.Effect<number, string>>) =>
      byRace(delay)({ [Symbol.iterator]: () => list[Symbol.iterator]() })

    it.each(Object.keys(kinds))("%s that changes while it is raced gives what `for..of` gives", (kind) => {
      FastCheck.assert(FastCheck.property(members, FastCheck.boolean(), (given, suspends) => {
        const expected = tried(kind, given, suspends, byForOf)
        for (const delay of [250, Infinity]) {
          deepStrictEqual(tried(kind, given, suspends, byRace(delay)), expected)
          deepStrictEqual(tried(kind, given, suspends, byIterator(delay)), expected)
        }
      }))
    })
  })

  describe("the iterator protocol is that of `for..of`", () => {
    const no = Effect.fail("no")
    const yes = Effect.succeed("yes")
    const broken = () => {
      throw "broken"
    }

    /** Logs each property read and each call, on an object and on what its methods return. */
    const traced = (log: Array<string>, target: unknown): any =>
      (typeof target === "object" || typeof target === "function") && target !== null
        ? new Proxy(target, {
          get: (_, key) => {
            log.push(`get ${String(key)}`)
            const property: unknown = Reflect.get(target, key, target)
            return typeof property === "function"
              ? (...args: ReadonlyArray<unknown>) => {
                log.push(`${String(key)}(${args.length})`)
                return traced(log, property.apply(target, args))
              }
              : property
          }
        })
        : target

    const kindOf = (thrown: unknown) => thrown instanceof Error ? thrown.name : thrown

    const asForOf = (make: () => unknown) => {
      const log: Array<string> = []
      try {
        for (const candidate of { [Symbol.iterator]: () => traced(log, make()) }) {
          if (candidate === yes) {
            break
          }
        }
      } catch (thrown) {
        log.push(`threw ${kindOf(thrown)}`)
      }
      return log
    }
    const asRace = (make: () => unknown) => {
      const log: Array<string> = []
      const source = { [Symbol.iterator]: () => traced(log, make()) } as Iterable<typeof no>
      const { sourceFailure } = Effect.runSync(StaggeredRace.outcome(source, { delay: 250 }))
      log.push(
        ...Array.from(
          Option.toArray(sourceFailure).flatMap((cause) => [...Cause.defects(cause)]),
          (thrown) => `threw ${kindOf(thrown)}`
        )
      )
      return log
    }

    const giving = (...results: ReadonlyArray<unknown>) => (more: object = {}) => () => {
      let next = 0
      return { next: () => next < results.length ? results[next++] : broken(), ...more }
    }
    const candidate = { done: false, value: no }
    const last = { done: false, value: yes }
    const end = { done: true, value: no }
    const callable = Object.assign(() => {}, { done: true })

    const rows: ReadonlyArray<readonly [name: string, make: () => unknown]> = [
      ...[true, 1, "yes", {}, Symbol.iterator, 1n].map((done) =>
        [`done: ${String(done)} ends`, giving(candidate, { done, value: no })()] as const
      ),
      ...[false, 0, "", undefined, null, NaN, 0n].map((done) =>
        [`done: ${String(done)} does not`, giving({ done, value: no }, end)()] as const
      ),
      ["a result without `done` does not", giving({ value: no }, end)()],
      ["a result that is a function is an object", giving(candidate, callable)()],
      ...[5, "done", undefined, null, true, Symbol.iterator].map((result) =>
        [`a result that is no object throws: ${String(result)}`, giving(candidate, result)()] as const
      ),
      ["`next` throws", giving(candidate)()],
      ["`next` is no function", () => ({ next: 5 })],
      ["`next` is missing", () => ({})],
      ["`done` throws", giving(candidate, Object.defineProperty({}, "done", { get: broken }))()],
      ["`value` throws", giving(candidate, Object.defineProperty({}, "value", { get: broken }))()],
      ["an iterator that is none", () => 5],
      ["an iterator that is nothing", () => undefined],
      ["`return` is called once when it ends early", giving(candidate, last, candidate)({ return: () => ({}) })],
      ["and not when it has ended", giving(candidate, end)({ return: () => ({}) })],
      ["nor when it has thrown", giving(candidate)({ return: () => ({}) })],
      ["nor when it gave no object", giving(candidate, 5)({ return: () => ({}) })],
      ["`return` is undefined", giving(last)({ return: undefined })],
      ["`return` is null", giving(last)({ return: null })],
      ["`return` is no function", giving(last)({ return: 5 })],
      ["`return` gives no object", giving(last)({ return: () => 5 })],
      ["`return` throws", giving(last)({ return: broken })]
    ]

    const butLookUps = (log: ReadonlyArray<string>) => log.filter((line) => line !== "get next")

    it.each(rows)("%s", (_, make) => deepStrictEqual(butLookUps(asRace(make)), butLookUps(asForOf(make))))

    it("`next` is looked up once", () => {
      const make = giving(candidate, candidate, last)()
      deepStrictEqual(asRace(make), asForOf(make))
    })
  })
})
