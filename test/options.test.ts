import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import { describe, it } from "@effect/vitest"
import { assertTrue, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as HappyEyeballs from "../src/HappyEyeballs.js"
import * as Hedge from "../src/Hedge.js"
import * as HedgedHttpClient from "../src/HedgedHttpClient.js"
import * as NodeHappyEyeballs from "../src/NodeHappyEyeballs.js"
import * as StaggeredRace from "../src/StaggeredRace.js"

// What callers without types may pass.
const given = (value: unknown) => value as never

const one = [Effect.succeed(1)]
const connect = (target: unknown, options?: unknown) =>
  HappyEyeballs.connect(given(target), () => Effect.void, given(options)).pipe(
    Effect.provideService(HappyEyeballs.Resolver, { query: () => Effect.succeed([]) })
  )
const client = Effect.provide(HttpClient.HttpClient, FetchHttpClient.layer)

const required = "option \"delay\" is required: a duration of zero or more, or a schedule"

const rows: ReadonlyArray<readonly [message: string, make: () => Effect.Effect<unknown, unknown>]> = [
  [
    "StaggeredRace: options must be an object with a delay, got undefined",
    () => StaggeredRace.race(one, given(undefined))
  ],
  ["StaggeredRace: options must be an object with a delay, got null", () => StaggeredRace.outcome(one, given(null))],
  ["StaggeredRace: options must be an object with a delay, got 250", () => StaggeredRace.race(one, given(250))],
  [
    "StaggeredRace: options must be an object with a delay, got \"250 millis\"",
    () => StaggeredRace.race(one, given("250 millis"))
  ],
  [`StaggeredRace: ${required}`, () => StaggeredRace.race(one, given({ concurrency: 2 }))],
  [`StaggeredRace: ${required}`, () => StaggeredRace.race(one, given({ delay: undefined }))],
  [
    "StaggeredRace: option \"delay\" must be a duration of zero or more, got object",
    () => StaggeredRace.race(one, { delay: given(Object.create(null)) })
  ],
  [
    "StaggeredRace: option \"name\" must be a string that is not empty, got Symbol(name)",
    () => StaggeredRace.race(one, { delay: 1, name: given(Symbol("name")) })
  ],
  ["Hedge: options must be an object with a delay, got undefined", () => Hedge.hedge(Effect.void, given(undefined))],
  ["Hedge: options must be an object with a delay, got undefined", () => Hedge.make(given(undefined))],
  [`Hedge: ${required}`, () => Hedge.hedge(Effect.void, given({ name: "reads" }))],
  [`Hedge: ${required}`, () => Hedge.make(given({}))],
  [
    "Hedge: option \"enabled\" must be an effect, got false",
    () => Hedge.hedge(Effect.void, { delay: 1, enabled: given(false) })
  ],
  [
    "Hedge: option \"budget\" must be a budget, options for one, or \"unlimited\", got \"none\"",
    () => Hedge.make({ delay: 1, budget: given("none") })
  ],
  [
    "HappyEyeballs: the target must be an object with a host and a port, got \"example.com\"",
    () => connect("example.com")
  ],
  [
    "HappyEyeballs: option \"port\" must be a whole number from 1 to 65535, got undefined",
    () => connect({ host: "example.com" })
  ],
  [
    "HappyEyeballs: option \"family\" must be 4 or 6, got \"ipv4\"",
    () => connect({ host: "example.com", port: 443 }, { family: "ipv4" })
  ],
  [
    "NodeHappyEyeballs: option \"handshakeDelay\" must be a duration of zero or more, got \"soon\"",
    () => Effect.sync(() => NodeHappyEyeballs.openTls({ handshakeDelay: given("soon") }))
  ],
  [
    "HedgedHttpClient: option \"key\" must be a function, got \"origin\"",
    () => Effect.map(client, HedgedHttpClient.hedge({ delay: 1 }, { key: given("origin") }))
  ]
]

describe("options that make no sense, in every module", () => {
  it.live.each(rows)("%s", ([message, make]) =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(Effect.suspend(make))
      const defect = Exit.isFailure(exit) ? Option.getOrUndefined(Cause.dieOption(exit.cause)) : undefined
      assertTrue(Cause.isIllegalArgumentException(defect), String(defect))
      strictEqual(defect.message, message)
    }))
})
