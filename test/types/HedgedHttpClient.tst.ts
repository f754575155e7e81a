import type * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Effect from "effect/Effect"
import { pipe } from "effect/Function"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import { describe, expect, test } from "tstyche"
import * as Hedge from "../../src/Hedge.js"
import * as HedgedHttpClient from "../../src/HedgedHttpClient.js"

declare const client: HttpClient.HttpClient
declare const custom: HttpClient.HttpClient.With<"refused", "config">
declare const policy: Hedge.Policy
declare const read: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<number, "unreadable", "reader">

describe("hedge", () => {
  test("gives a plain client", () => {
    type Hedged = HttpClient.HttpClient
    expect(HedgedHttpClient.hedge(client, policy)).type.toBe<Hedged>()
    expect(client.pipe(HedgedHttpClient.hedge(policy))).type.toBe<Hedged>()
    expect(client.pipe(HedgedHttpClient.hedge({ delay: "50 millis" }))).type.toBe<Hedged>()
  })

  test("keeps what a client needs, and how it fails", () => {
    type Hedged = HttpClient.HttpClient.With<"refused", "config">
    expect(HedgedHttpClient.hedge(custom, policy, { methods: ["GET", "PUT"] })).type.toBe<Hedged>()
    expect(pipe(custom, HedgedHttpClient.hedge(policy, { methods: ["GET", "PUT"] }))).type.toBe<Hedged>()
  })

  test("what copies need and how they fail is added", () => {
    expect(pipe(client, HedgedHttpClient.hedge(policy, { hedges: custom }))).type.toBe<
      HttpClient.HttpClient.With<HttpClientError.HttpClientError | "refused", "config">
    >()
  })

  test("a body that is read may break off", () => {
    type Hedged = HttpClient.HttpClient.With<"refused" | HttpClientError.ResponseError, "config">
    expect(HedgedHttpClient.hedge(custom, policy, { answered: "body" })).type.toBe<Hedged>()
    expect(pipe(custom, HedgedHttpClient.hedge(policy, { answered: "body" }))).type.toBe<Hedged>()
    expect(HedgedHttpClient.hedge(client, policy, { answered: "body" })).type.toBe<HttpClient.HttpClient>()
  })

  test("fits where clients are transformed", () => {
    expect(HedgedHttpClient.hedge(policy)).type.toBeAssignableTo<
      (client: HttpClient.HttpClient) => HttpClient.HttpClient
    >()
    expect(HedgedHttpClient.hedge(policy)).type.toBeAssignableTo<
      <E, R>(client: HttpClient.HttpClient.With<E, R>) => HttpClient.HttpClient.With<E, R>
    >()
    expect(HedgedHttpClient.layer(policy)).type.toBe<
      Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient>
    >()
    expect(HedgedHttpClient.layer({ delay: Hedge.percentile(0.95), budget: { ratio: 0.1 } })).type.toBe<
      Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient>
    >()
  })
})

describe("hedgeScoped", () => {
  test("gives the client, within a scope", () => {
    type Hedged = HttpClient.HttpClient.With<HttpClientError.HttpClientError, Scope.Scope>
    expect(HedgedHttpClient.hedgeScoped(client, policy)).type.toBe<Hedged>()
    expect(client.pipe(HedgedHttpClient.hedgeScoped(policy))).type.toBe<Hedged>()
  })
})

describe("hedgeRead", () => {
  type Read = (
    request: HttpClientRequest.HttpClientRequest
  ) => Effect.Effect<number, "refused" | "unreadable", "config" | "reader">

  test("needs no scope", () => {
    expect(HedgedHttpClient.hedgeRead(custom, policy, read)).type.toBe<Read>()
    expect(pipe(custom, HedgedHttpClient.hedgeRead(policy, read))).type.toBe<Read>()
  })
})
