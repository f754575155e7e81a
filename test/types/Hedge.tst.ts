import type * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import * as Option from "effect/Option"
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

  test("a policy that asks for more than the request gives is refused", () => {
    expect(Hedge.hedge<number, never, never>).type.not.toBeCallableWith({} as Effect.Effect<number>, picky)
  })
})

describe("hedgeWith", () => {
  const copy = (index: number) => index < 3 ? Option.some(request) : Option.none()

  test("gives what its copies give, data first and data last", () => {
    expect(Hedge.hedgeWith(copy, policy)).type.toBe<typeof request>()
    expect(pipe(copy, Hedge.hedgeWith(picky, { key: "a" }))).type.toBe<typeof request>()
  })
})

describe("setRatio", () => {
  test("data first and data last", () => {
    expect(Hedge.setRatio({} as Hedge.Budget, 0.1)).type.toBe<Effect.Effect<void>>()
    expect(pipe({} as Hedge.Budget, Hedge.setRatio(0.1))).type.toBe<Effect.Effect<void>>()
  })
})
