import type * as Cause from "effect/Cause"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { pipe } from "effect/Function"
import * as Schedule from "effect/Schedule"
import { describe, expect, test } from "tstyche"
import * as Hedge from "../../src/Hedge.js"

declare const request: Effect.Effect<{ readonly status: number }, "refused", "network">
declare const policy: Hedge.Policy
declare const picky: Hedge.Policy<{ readonly status: number }>

describe("hedge", () => {
  test("changes no type, data first and data last", () => {
    expect(Hedge.hedge(request, policy)).type.toBe<typeof request>()
    expect(Hedge.hedge(request, picky, { key: "a" })).type.toBe<typeof request>()
    expect(pipe(request, Hedge.hedge(policy))).type.toBe<typeof request>()
    expect(pipe(request, Hedge.hedge(picky, { key: "a" }))).type.toBe<typeof request>()
    expect(pipe(request, Hedge.hedge({ delay: "50 millis", maxHedges: 2 }))).type.toBe<typeof request>()
  })

  test("accept and fatal know what the request gives", () => {
    expect(Hedge.hedge(request, { delay: 1, accept: ({ status }) => status < 500 })).type.toBe<typeof request>()
  })

  test("fatal and pushback know how the request ends", () => {
    expect(Hedge.hedge(request, {
      delay: 1,
      fatal: (cause) => {
        expect(cause).type.toBe<Cause.Cause<"refused">>()
        return false
      },
      pushback: (exit) => {
        expect(exit).type.toBe<Exit.Exit<{ readonly status: number }, "refused">>()
        return false
      }
    })).type.toBe<typeof request>()
  })

  test("a delay is a duration, a schedule that needs nothing, or a percentile", () => {
    expect(Hedge.hedge(request, { delay: Schedule.spaced("50 millis") })).type.toBe<typeof request>()
    expect<Hedge.Options["delay"]>().type.toBeAssignableFrom<Hedge.Percentile>()
    expect<Hedge.Options["delay"]>().type.toBeAssignableFrom<Schedule.Schedule<string, number>>()
    expect<Hedge.Options["delay"]>().type.not.toBeAssignableFrom<Schedule.Schedule<string, string>>()
    expect<Hedge.Options["delay"]>().type.not.toBeAssignableFrom<Schedule.Schedule<string, number, "clock">>()
    expect<Hedge.Options["delay"]>().type.not.toBeAssignableFrom<boolean>()
  })

  test("a policy that asks for more than the request gives is refused", () => {
    expect(Hedge.hedge<number, never, never>).type.not.toBeCallableWith({} as Effect.Effect<number>, picky)
  })
})

describe("hedgeAll", () => {
  const candidates = [request, request]

  test("gives what its candidates give, data first and data last", () => {
    expect(Hedge.hedgeAll(candidates, policy)).type.toBe<typeof request>()
    expect(pipe(candidates, Hedge.hedgeAll(picky, { key: "a" }))).type.toBe<typeof request>()
  })
})

describe("make", () => {
  test("a policy knows of what calls it is asked for", () => {
    expect(Hedge.make({ delay: 1 })).type.toBe<Effect.Effect<Hedge.Policy>>()
    expect(Hedge.make({ delay: 1, accept: (answer: string) => answer !== "" })).type.toBe<
      Effect.Effect<Hedge.Policy<string>>
    >()
  })

  test("one for any call is one for each of them, and not the other way round", () => {
    expect<Hedge.Policy<string, "refused">>().type.toBeAssignableFrom<Hedge.Policy>()
    expect<Hedge.Policy>().type.not.toBeAssignableFrom<Hedge.Policy<string>>()
    expect<Hedge.Policy>().type.not.toBeAssignableFrom<Hedge.Policy<unknown, "refused">>()
  })

  test("budgets are of their own, shared, or without end", () => {
    expect<Hedge.MakeOptions["budget"]>().type.toBeAssignableFrom<
      Hedge.Budget | Hedge.BudgetOptions | "unlimited" | undefined
    >()
    expect<Hedge.Options>().type.not.toHaveProperty("budget")
  })
})

describe("spend", () => {
  test("says whether it was paid for", () => {
    expect(Hedge.tryAcquire({} as Hedge.Budget)).type.toBe<Effect.Effect<boolean>>()
  })
})

describe("setRatio", () => {
  test("data first and data last", () => {
    expect(Hedge.setRatio({} as Hedge.Budget, 0.1)).type.toBe<Effect.Effect<void>>()
    expect(pipe({} as Hedge.Budget, Hedge.setRatio(0.1))).type.toBe<Effect.Effect<void>>()
  })
})

describe("stats", () => {
  test("of any policy", () => {
    expect(Hedge.stats(policy)).type.toBe<Effect.Effect<Hedge.Stats>>()
    expect(Hedge.stats(picky)).type.toBe<Effect.Effect<Hedge.Stats>>()
    expect(Hedge.stats).type.not.toBeCallableWith({ delay: 50 })
  })
})
