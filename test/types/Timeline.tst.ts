import type * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import type * as Scope from "effect/Scope"
import { describe, expect, test } from "tstyche"
import type * as StaggeredRace from "../../src/StaggeredRace.js"
import * as Timeline from "../../src/Timeline.js"

declare const outcome: StaggeredRace.Outcome<number, "refused", "broke off">
declare const running: Timeline.Running
declare const events: ReadonlyArray<StaggeredRace.RaceEvent<number, "refused">>
declare const live: Timeline.Live

describe("render and toSvg", () => {
  test("draw an outcome and a race that is under way, data first and data last", () => {
    expect(Timeline.render(outcome)).type.toBe<string>()
    expect(Timeline.render(running, { unit: "seconds", width: 60 })).type.toBe<string>()
    expect(pipe(outcome, Timeline.render())).type.toBe<string>()
    expect(pipe(running, Timeline.render({ color: true }))).type.toBe<string>()
    expect(Timeline.toSvg(outcome, { theme: "dark" })).type.toBe<string>()
    expect(pipe(running, Timeline.toSvg({ id: "race" }))).type.toBe<string>()
  })

  test("refuse what belongs to the other one", () => {
    expect(Timeline.render).type.not.toBeCallableWith(outcome, { theme: "dark" })
    expect(Timeline.toSvg).type.not.toBeCallableWith(outcome, { color: true })
  })
})

describe("soFar", () => {
  test("takes the events of any race", () => {
    expect(Timeline.soFar(events, 0)).type.toBe<Timeline.Running>()
  })
})

describe("live", () => {
  test("needs a scope, and a stream of Node's is an output", () => {
    expect(Timeline.live({ output: process.stdout })).type.toBe<Effect.Effect<Timeline.Live, never, Scope.Scope>>()
  })

  test("gives a handler for any race", () => {
    const options: StaggeredRace.Options<number, "refused"> = { delay: 1, onEvent: live.follow({ name: "fetch" }) }
    expect(options).type.toBeAssignableTo<StaggeredRace.Options<number, "refused">>()
  })
})
