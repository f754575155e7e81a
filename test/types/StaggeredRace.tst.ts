import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import type * as Option from "effect/Option"
import type * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { describe, expect, it } from "tstyche"
import * as StaggeredRace from "../../src/StaggeredRace.js"

declare const number: Effect.Effect<number, "number failed", "NumberService">
declare const text: Effect.Effect<string, "text failed", "TextService">
declare const scoped: Effect.Effect<number, never, Scope.Scope>
declare const schedule: Schedule.Schedule<unknown, number, "Pace">
declare const stream: Stream.Stream<typeof number | typeof text, "stream failed", "StreamService">
declare const candidates: ReadonlyArray<typeof number>

type Both = "number failed" | "text failed"
type Services = "NumberService" | "TextService"

describe("race", () => {
  it("joins the types of its candidates", () => {
    expect(StaggeredRace.race([number, text], { delay: "250 millis" })).type.toBe<
      Effect.Effect<number | string, Both, Services>
    >()
    expect(pipe([number, text], StaggeredRace.race({ delay: 250 }))).type.toBe<
      Effect.Effect<number | string, Both, Services>
    >()
    expect(StaggeredRace.race(candidates, { delay: 1 })).type.toBe<typeof number>()
    expect(StaggeredRace.race(new Set([number, text]), { delay: 1 })).type.toBe<
      Effect.Effect<number | string, Both, Services>
    >()
    expect(StaggeredRace.race([number, text] as const, { delay: 1 })).type.toBe<
      Effect.Effect<number | string, Both, Services>
    >()
  })

  it("keeps the scope of scoped candidates in its requirements", () => {
    expect(StaggeredRace.race([scoped, scoped], { delay: 1 })).type.toBe<Effect.Effect<number, never, Scope.Scope>>()
  })

  it("shows what a schedule requires", () => {
    expect(StaggeredRace.race([number], { delay: schedule })).type.toBe<
      Effect.Effect<number, "number failed", "NumberService" | "Pace">
    >()
    expect(pipe([number], StaggeredRace.race({ delay: schedule }))).type.toBe<
      Effect.Effect<number, "number failed", "NumberService" | "Pace">
    >()
  })

  it("knows the errors in `fatal`, and the events in `onEvent`", () => {
    const raced = StaggeredRace.race([number, text], {
      delay: 1,
      minDelay: "10 millis",
      concurrency: 2,
      losers: "background",
      fatal: (cause) => {
        expect(cause).type.toBe<Cause.Cause<Both>>()
        return true
      },
      onEvent: (event) => {
        expect(event).type.toBe<StaggeredRace.RaceEvent<number | string, Both>>()
        return {} as Effect.Effect<void, "unheard", "Log">
      }
    })
    expect(raced).type.toBe<Effect.Effect<number | string, Both, Services | "Log">>()
  })

  it("takes a predicate on wider errors in `pipe`", () => {
    const isFatal = (cause: Cause.Cause<unknown>) => cause._tag === "Die"
    expect(pipe([number, text], StaggeredRace.race({ delay: 1, fatal: isFatal }))).type.toBe<
      Effect.Effect<number | string, Both, Services>
    >()
    const isBoth = (cause: Cause.Cause<Both>) => cause._tag === "Die"
    expect(pipe([number, text], StaggeredRace.race({ delay: 1, fatal: isBoth }))).type.toBe<
      Effect.Effect<number | string, Both, Services>
    >()
  })

  it("refuses what is no option, no candidate, and no delay", () => {
    expect(StaggeredRace.race).type.not.toBeCallableWith([number], {})
    expect(StaggeredRace.race).type.not.toBeCallableWith([number], { delay: "soon" })
    expect(StaggeredRace.race).type.not.toBeCallableWith([number], { delay: 1, timeout: 1 })
    expect(StaggeredRace.race).type.not.toBeCallableWith([number], { delay: 1, losers: "drop" })
    expect(StaggeredRace.race).type.not.toBeCallableWith([1, 2], { delay: 1 })
  })
})

describe("outcome", () => {
  it("never fails, and tells winner, attempts and the source's failure apart", () => {
    const outcome = StaggeredRace.outcome([number, text], { delay: 1 })
    expect(outcome).type.toBe<
      Effect.Effect<StaggeredRace.Outcome<number | string, Both>, never, Services>
    >()
    expect(pipe([number, text], StaggeredRace.outcome({ delay: schedule }))).type.toBe<
      Effect.Effect<StaggeredRace.Outcome<number | string, Both>, never, Services | "Pace">
    >()
    expect<StaggeredRace.Outcome<number, Both>["winner"]>().type.toBe<
      Option.Option<StaggeredRace.Winner<number>>
    >()
  })

  it("tells the start that waited at the decision, as the `Decided` event does", () => {
    expect<StaggeredRace.Outcome<number, Both>["pending"]>().type.toBe<Option.Option<StaggeredRace.Pending>>()
    expect<Extract<StaggeredRace.RaceEvent<number, Both>, { _tag: "Decided" }>["pending"]>().type.toBe<
      Option.Option<StaggeredRace.Pending>
    >()
    expect<StaggeredRace.Pending>().type.toBe<
      { readonly dueAt: number; readonly heldBackBy: StaggeredRace.HeldBackBy }
    >()
  })
})

describe("toEffect", () => {
  it("has the type of the race, with and without the error of a stream", () => {
    expect(pipe([number, text], StaggeredRace.outcome({ delay: 1 }), Effect.flatMap(StaggeredRace.toEffect))).type.toBe<
      Effect.Effect<number | string, Both, Services>
    >()
    expect(pipe(stream, StaggeredRace.outcomeStream({ delay: 1 }), Effect.flatMap(StaggeredRace.toEffect))).type.toBe<
      Effect.Effect<number | string, Both | "stream failed", Services | "StreamService">
    >()
    expect(StaggeredRace.toEffect({} as StaggeredRace.Outcome<number, "failed">)).type.toBe<
      Effect.Effect<number, "failed">
    >()
    expect(StaggeredRace.toEffect<number, "failed">).type.toBe<
      (outcome: StaggeredRace.Outcome<number, "failed">) => Effect.Effect<number, "failed">
    >()
  })

  it("takes nothing but an outcome", () => {
    expect(StaggeredRace.toEffect).type.not.toBeCallableWith({} as StaggeredRace.Attempt<number, "failed">)
    expect(StaggeredRace.toEffect).type.not.toBeCallableWith(number)
  })
})

describe("raceStream and outcomeStream", () => {
  it("show what the stream fails with and requires", () => {
    expect(StaggeredRace.raceStream(stream, { delay: 1 })).type.toBe<
      Effect.Effect<number | string, Both | "stream failed", Services | "StreamService">
    >()
    expect(pipe(stream, StaggeredRace.raceStream({ delay: schedule }))).type.toBe<
      Effect.Effect<number | string, Both | "stream failed", Services | "StreamService" | "Pace">
    >()
    expect(StaggeredRace.outcomeStream(stream, { delay: 1 })).type.toBe<
      Effect.Effect<
        StaggeredRace.Outcome<number | string, Both, "stream failed">,
        never,
        Services | "StreamService"
      >
    >()
    expect(pipe(stream, StaggeredRace.outcomeStream({ delay: 1 }))).type.toBe<
      Effect.Effect<
        StaggeredRace.Outcome<number | string, Both, "stream failed">,
        never,
        Services | "StreamService"
      >
    >()
  })
})

describe("CurrentAttempt", () => {
  it("is none or an attempt, and requires nothing", () => {
    expect(StaggeredRace.CurrentAttempt).type.toBeAssignableTo<
      Effect.Effect<Option.Option<StaggeredRace.CurrentAttempt>>
    >()
  })
})

describe("a fully specified call", () => {
  it("shows a readable type", () => {
    const raced = StaggeredRace.race([number, text], { delay: schedule })
    // @ts-expect-error Type 'Effect<string | number, "number failed" | "text failed", "NumberService" | "TextService" | "Pace">'
    const shown: never = raced
    void shown
    const told = StaggeredRace.outcomeStream(stream, { delay: 1 })
    // @ts-expect-error Type 'Effect<Outcome<string | number, "number failed" | "text failed", "stream failed">, never, "NumberService" | "TextService" | "StreamService">'
    const shownToo: never = told
    void shownToo
  })
})
