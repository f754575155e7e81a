import type * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import type * as Scope from "effect/Scope"
import type * as Stream from "effect/Stream"
import { describe, expect, test } from "tstyche"
import type * as Hedge from "../../src/Hedge.js"
import * as Replicas from "../../src/Replicas.js"
import type * as StaggeredRace from "../../src/StaggeredRace.js"

interface Client {
  readonly get: (path: string) => Effect.Effect<number, "refused", "network">
}

declare const replicas: Replicas.Replicas<Client>
declare const policy: Hedge.Policy
declare const picky: Hedge.Policy<number>
declare const log: Effect.Effect<void, "full", "logger">

type Call = Effect.Effect<number, "refused" | Replicas.NoReplica, "network">

describe("hedge", () => {
  test("gives what the request gives, and may have no replica, data first and data last", () => {
    expect(Replicas.hedge(replicas, (client) => client.get("/"), policy)).type.toBe<Call>()
    expect(Replicas.hedge(replicas, (client, index) => client.get(`/${index}`), picky, { key: "a" })).type.toBe<Call>()
    expect(pipe(replicas, Replicas.hedge((client: Client) => client.get("/"), policy))).type.toBe<Call>()
    expect(pipe(replicas, Replicas.hedge((client: Client) => client.get("/"), picky, { key: "a" }))).type.toBe<Call>()
    expect(pipe(replicas, Replicas.hedge((client: Client) => client.get("/"), { delay: 1 }))).type.toBe<Call>()
  })

  test("accept, fatal, pushback and isIll know how the request ends", () => {
    expect(
      Replicas.hedge(replicas, (client) => client.get("/"), {
        delay: 1,
        accept: (answer) => {
          expect(answer).type.toBe<number>()
          return true
        },
        fatal: (cause) => {
          expect(cause).type.toBe<Cause.Cause<"refused">>()
          return false
        }
      }, {
        isIll: (cause) => {
          expect(cause).type.toBe<Cause.Cause<"refused">>()
          return true
        }
      })
    ).type.toBe<Call>()
  })

  test("onEvent knows the request and the targets, and may need something", () => {
    expect(
      Replicas.hedge(replicas, (client) => client.get("/"), policy, {
        onEvent: (event, replicas) => {
          expect(event).type.toBe<StaggeredRace.RaceEvent<number, "refused">>()
          expect(replicas).type.toBe<ReadonlyArray<Replicas.Replica<Client>>>()
          return log
        }
      })
    ).type.toBe<Effect.Effect<number, "refused" | Replicas.NoReplica, "network" | "logger">>()
  })

  test("options that are spread keep the types", () => {
    const more: Partial<Hedge.Options<number, "refused">> = {}
    expect(Replicas.hedge(replicas, (client) => client.get("/"), { delay: 1, ...more })).type.toBe<Call>()
  })

  test("a request may be generic", () => {
    expect(Replicas.hedge({} as Replicas.Replicas<string>, Effect.succeed, policy)).type.toBe<
      Effect.Effect<string, Replicas.NoReplica>
    >()
  })

  test("NoReplica can be caught", () => {
    const call = Replicas.hedge(replicas, () => Effect.succeed(1), policy)
    expect(call).type.toBe<Effect.Effect<number, Replicas.NoReplica>>()
    expect(Effect.catchTag(call, "NoReplica", () => Effect.succeed("none"))).type.toBe<Effect.Effect<number | string>>()
  })

  test("a policy that asks for more than the request gives is refused", () => {
    expect(Replicas.hedge).type.not.toBeCallableWith(
      replicas,
      () => Effect.succeed(""),
      picky
    )
  })
})

describe("make", () => {
  test("knows the targets", () => {
    expect(Replicas.make([{ id: "a", target: 1 }, { id: "b", target: 2, zone: "east" }])).type.toBe<
      Effect.Effect<Replicas.Replicas<number>>
    >()
    expect(Replicas.make(new Set([{ id: "a", target: "b" }]), { choices: Infinity })).type.toBe<
      Effect.Effect<Replicas.Replicas<string>>
    >()
    expect(Replicas.make).type.not.toBeCallableWith([{ id: 1, target: 1 }])
  })
})

describe("fromStream", () => {
  test("fails and needs what the stream does, and a scope", () => {
    const sets = {} as Stream.Stream<ReadonlyArray<Replicas.Replica<Client>>, "gone", "registry">
    expect(Replicas.fromStream(sets)).type.toBe<
      Effect.Effect<Replicas.Replicas<Client>, "gone", "registry" | Scope.Scope>
    >()
  })
})

describe("update", () => {
  test("data first and data last", () => {
    expect(Replicas.update(replicas, [])).type.toBe<Effect.Effect<void>>()
    expect(pipe(replicas, Replicas.update<Client>([]))).type.toBe<Effect.Effect<void>>()
  })

  test("a set of some targets takes no others", () => {
    expect<Replicas.Replicas<string>>().type.not.toBeAssignableFrom<Replicas.Replicas<"a">>()
    expect<Replicas.Replicas<"a">>().type.not.toBeAssignableFrom<Replicas.Replicas<string>>()
  })
})

describe("states", () => {
  test("of any set", () => {
    expect(Replicas.states(replicas)).type.toBe<Effect.Effect<ReadonlyArray<Replicas.State>>>()
  })
})
