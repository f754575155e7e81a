/**
 * Hedged requests for the `HttpClient` of `@effect/platform`: one more copy of a request is sent when the first is late,
 * the first good response is taken, and the connection of the other is closed. It is {@link Hedge}, with the rules of
 * HTTP for what may be sent twice, and which response is good.
 *
 * | | gives | the response lives |
 * |---|---|---|
 * | {@link layer}, {@link hedge} | an `HttpClient` | as without hedging |
 * | {@link hedgeScoped} | an `HttpClient` | as long as the scope around the request |
 * | {@link hedgeRead} | a function from request to what was read | until it has been read |
 *
 * @module
 * @since 0.1.0
 */
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import { dual } from "effect/Function"
import type * as Layer from "effect/Layer"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type * as Types from "effect/Types"
import type * as Hedge from "./Hedge.js"
import * as internal from "./internal/http/hedged.js"

/**
 * Which requests may be sent twice, and how copies are sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<out E = never, out R = never> {
  /**
   * The methods whose requests may be sent twice. Those of others may if they have an `Idempotency-Key`. Default: the
   * safe ones, GET, HEAD, OPTIONS and TRACE (RFC 9110, section 9.2.1).
   */
  readonly methods?: ReadonlyArray<string> | undefined
  /** Requests of one key have a delay of their own; see `Hedge.CallOptions`. Default: the origin of the URL. */
  readonly key?: ((request: HttpClientRequest.HttpClientRequest) => string) | undefined
  /**
   * The header in which a hedge says which it is: 1 for the first. From the request itself it is taken off, in case that
   * a proxy passes it on. `false` for no header: in a browser, one asks for a preflight request. Default
   * `x-hedge-attempt`.
   */
  readonly attemptHeader?: string | false | undefined
  /**
   * What sends the copies, such as a client with connections of its own, where the one that the first hangs on is not, or
   * one for another server. Default: the client itself.
   */
  readonly hedges?: HttpClient.HttpClient.With<E, R> | undefined
  /**
   * When a request has been answered: with the headers of the response, or when all of its body has been read, so that a
   * body that stalls, or breaks off, is answered by a hedge. A body that has been read is kept in memory. It can
   * still be read in every way, also as a stream. Default `"headers"`.
   */
  readonly answered?: "headers" | "body" | undefined
  /** The delay of a request, in the place of the policy's: because of its size, say. `undefined` for the policy's. */
  readonly delay?: ((request: HttpClientRequest.HttpClientRequest) => Duration.DurationInput | undefined) | undefined
}

/**
 * A policy for responses, or the options of one that has no budget.
 *
 * @since 0.1.0
 * @category models
 */
export type PolicyOf<E> =
  | Hedge.Policy<HttpClientResponse.HttpClientResponse, E>
  | Hedge.Options<HttpClientResponse.HttpClientResponse, E>

/**
 * What is to be said of options by which no body is read. Then no error is added to those of the client.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnsweredByHeaders {
  /** As in {@link Options}. */
  readonly answered?: "headers" | undefined
}

/** Data first, where the first argument is a client. */
const isDataFirst = (args: IArguments) => Predicate.hasProperty(args[0], HttpClient.TypeId)

/**
 * Hedges the requests of a client.
 *
 * **When to use**
 *
 * For requests that may safely be sent twice, whose slowest responses are much slower than most: a client for a service
 * with several servers, say. {@link layer} does it for a whole program.
 *
 * **Details**
 *
 * - A response wins with its headers, or with `answered: "body"` when its body has been read. From then on nothing of the
 *   race touches it.
 * - The connection of a copy that loses, or whose response is not good, is closed at that moment.
 * - Not good are the statuses that `HttpClient.retryTransient` retries: 408, 429, 500, 502, 503 and 504. The next copy
 *   is sent at once; where there is none, the response is what the request succeeds with. If the next copy fails, the
 *   request fails as that has, since the response before it is closed. A policy's own `accept` takes the place of this
 *   rule, and its `fatal` that of the next.
 * - Errors that are not transient, such as those of an invalid URL, end the call.
 * - After a 429 or 503 with `Retry-After`, the next copy is sent at that time, if it is within a second, and none
 *   otherwise. A policy's `pushback` takes the place of this rule, such as `retryAfter("5 seconds")`.
 * - Bodies that can be sent once only, a stream or a `Raw` one, are never sent twice.
 *
 * **Gotchas**
 *
 * - Put `retry` inside, around the client that is hedged, to retry each copy; outside, to hedge each try.
 *   {@link Hedge.tryAcquire} has retries paid for by the budget of the copies. `retryTransient` leaves the responses open
 *   that it retries: outside, until the scope is closed; inside, until nobody knows them any more.
 * - What is added by `HttpClient.mapRequest` later is done once, and not for each copy.
 * - What a client inside adds to requests is not known when it is decided whether a request may be sent twice, and which
 *   others it learns from. So put `prependUrl`, an `Idempotency-Key` and bodies outside, or give a `key`.
 * - A response that nobody reads keeps its connection until it is collected as garbage, as without hedging. Where that
 *   happens, {@link hedgeScoped} closes it.
 * - A client that needs a scope itself, such as that of `HttpClient.withScope`, gets the scope of the race. That is closed
 *   when the race ends, and with it the response. {@link hedgeScoped} is for such clients.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import { Hedge } from "effect-staggered-race"
 * import * as HedgedHttpClient from "effect-staggered-race/HedgedHttpClient"
 * import * as Effect from "effect/Effect"
 * import { createServer } from "node:http"
 *
 * let requests = 0
 * const server = createServer((_, response) => ++requests === 1 ? undefined : response.end(`answer to ${requests}`))
 * await new Promise<void>((resume) => server.listen(8017, resume))
 *
 * const program = Effect.gen(function*() {
 *   const client = (yield* HttpClient.HttpClient).pipe(HedgedHttpClient.hedge({ delay: "50 millis" }))
 *   const response = yield* client.get("http://localhost:8017")
 *   return yield* response.text
 * })
 *
 * console.log(await Effect.runPromise(Effect.provide(program, FetchHttpClient.layer))) // answer to 2
 * server.close()
 * ```
 *
 * @throws `IllegalArgumentException` if an option makes no sense.
 *
 * @since 0.1.0
 * @category clients
 */
export const hedge: {
  <E, E1 = never, R1 = never>(
    policy: PolicyOf<E>,
    options?: Options<E1, R1> & AnsweredByHeaders
  ): <E2 extends E, R>(client: HttpClient.HttpClient.With<E2, R>) => HttpClient.HttpClient.With<E1 | E2, R | R1>
  <E, E1 = never, R1 = never>(
    policy: PolicyOf<E>,
    options: Options<E1, R1> | undefined
  ): <E2 extends E, R>(
    client: HttpClient.HttpClient.With<E2, R>
  ) => HttpClient.HttpClient.With<E1 | E2 | HttpClientError.ResponseError, R | R1>
  <E, R>(
    client: HttpClient.HttpClient.With<E, R>,
    policy: PolicyOf<Types.NoInfer<E>>,
    options?: Options<E, R> & AnsweredByHeaders
  ): HttpClient.HttpClient.With<E, R>
  <E, R>(
    client: HttpClient.HttpClient.With<E, R>,
    policy: PolicyOf<Types.NoInfer<E> | HttpClientError.ResponseError>,
    options: Options<E, R> | undefined
  ): HttpClient.HttpClient.With<E | HttpClientError.ResponseError, R>
} = dual(isDataFirst, internal.hedge)

/**
 * As {@link hedge}, where a response lives as long as the scope around its request: its connection is closed with it.
 *
 * **When to use**
 *
 * Where responses may be left unread, or read in part, and where the client that is hedged needs a scope itself, as that of
 * `HttpClient.withScope` does.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as HedgedHttpClient from "effect-staggered-race/HedgedHttpClient"
 * import * as Effect from "effect/Effect"
 * import { createServer } from "node:http"
 *
 * // A body that never ends, and of which nobody reads anything.
 * const server = createServer((_, response) => response.write("a")).listen(8020)
 *
 * const program = Effect.gen(function*() {
 *   const client = (yield* HttpClient.HttpClient).pipe(HedgedHttpClient.hedgeScoped({ delay: "50 millis" }))
 *   const { status } = yield* client.get("http://localhost:8020")
 *   return status
 * })
 *
 * console.log(await Effect.runPromise(program.pipe(Effect.scoped, Effect.provide(FetchHttpClient.layer)))) // 200
 * server.close()
 * ```
 *
 * @throws `IllegalArgumentException` if an option makes no sense.
 *
 * @since 0.1.0
 * @category clients
 */
export const hedgeScoped: {
  <E, E1 = never, R1 = never>(
    policy: PolicyOf<E>,
    options?: Options<E1, R1> & AnsweredByHeaders
  ): <E2 extends E, R>(
    client: HttpClient.HttpClient.With<E2, R>
  ) => HttpClient.HttpClient.With<E1 | E2, R | R1 | Scope.Scope>
  <E, E1 = never, R1 = never>(
    policy: PolicyOf<E>,
    options: Options<E1, R1> | undefined
  ): <E2 extends E, R>(
    client: HttpClient.HttpClient.With<E2, R>
  ) => HttpClient.HttpClient.With<E1 | E2 | HttpClientError.ResponseError, R | R1 | Scope.Scope>
  <E, R>(
    client: HttpClient.HttpClient.With<E, R>,
    policy: PolicyOf<Types.NoInfer<E>>,
    options?: Options<E, R> & AnsweredByHeaders
  ): HttpClient.HttpClient.With<E, R | Scope.Scope>
  <E, R>(
    client: HttpClient.HttpClient.With<E, R>,
    policy: PolicyOf<Types.NoInfer<E> | HttpClientError.ResponseError>,
    options: Options<E, R> | undefined
  ): HttpClient.HttpClient.With<E | HttpClientError.ResponseError, R | Scope.Scope>
} = dual(isDataFirst, internal.hedgeScoped)

/**
 * The `HttpClient` in the environment, hedged.
 *
 * **When to use**
 *
 * To hedge all requests of a program, or of a part of it, that knows nothing of it.
 *
 * **Details**
 *
 * It takes a policy, or the options of one, which is then made with the layer. See {@link hedge}.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import { Hedge } from "effect-staggered-race"
 * import * as HedgedHttpClient from "effect-staggered-race/HedgedHttpClient"
 * import * as Layer from "effect/Layer"
 *
 * export const HttpClientLive = HedgedHttpClient.layer({
 *   delay: Hedge.percentile(0.95, { max: "2 seconds" }),
 *   budget: { ratio: 0.05 }
 * }).pipe(Layer.provide(FetchHttpClient.layer))
 * ```
 *
 * @throws `IllegalArgumentException`, as a defect, if an option makes no sense.
 *
 * @since 0.1.0
 * @category layers
 */
export const layer: (
  policy:
    | Hedge.Policy<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>
    | Hedge.MakeOptions<HttpClientResponse.HttpClientResponse, HttpClientError.HttpClientError>,
  options?: Options<HttpClientError.HttpClientError, never>
) => Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient> = internal.layer

/**
 * A rule for `pushback`: after a 429 or 503 with `Retry-After`, the next copy is sent at that time, and none any more if
 * that is later than `max` from now (RFC 9110, section 10.2.3).
 *
 * **When to use**
 *
 * Where requests are rather late than refused: without it, a server is waited for no longer than a second.
 *
 * **Details**
 *
 * A date is compared with the clock on the wall. What is neither a number of seconds nor a date means no copy.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as HedgedHttpClient from "effect-staggered-race/HedgedHttpClient"
 *
 * export const policy = Hedge.make({ delay: "50 millis", pushback: HedgedHttpClient.retryAfter("5 seconds") })
 * ```
 *
 * @throws `IllegalArgumentException` if `max` is no duration.
 *
 * @since 0.1.0
 * @category rules
 */
export const retryAfter: (
  max: Duration.DurationInput
) => (exit: Exit.Exit<HttpClientResponse.HttpClientResponse, unknown>) => Hedge.Pushback = internal.retryAfter

/**
 * Hedges requests together with the reading of their responses.
 *
 * **When to use**
 *
 * Where the response is read at once: no scope is needed, and a response whose body stalls gets a copy as well.
 *
 * **Details**
 *
 * As {@link hedge}, but a copy has answered when `read` has succeeded. A body that breaks off brings the next copy
 * forward; one that makes no sense, such as JSON that cannot be parsed, ends the call.
 *
 * **Gotchas**
 *
 * - What is learnt is how long requests take to be read, so take another policy than for {@link hedge}.
 * - `read` should not return what needs the connection, such as a stream.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
 * import * as HedgedHttpClient from "effect-staggered-race/HedgedHttpClient"
 * import * as Effect from "effect/Effect"
 * import { createServer } from "node:http"
 *
 * let requests = 0
 * const server = createServer((_, response) => {
 *   // The body of the first response stalls.
 *   response.write("{ \"answer\": ")
 *   return ++requests === 1 ? undefined : response.end("42 }")
 * })
 * await new Promise<void>((resume) => server.listen(8018, resume))
 *
 * const program = Effect.gen(function*() {
 *   const client = yield* HttpClient.HttpClient
 *   const ask = client.pipe(HedgedHttpClient.hedgeRead({ delay: "50 millis" }, (response) => response.json))
 *   return yield* ask(HttpClientRequest.get("http://localhost:8018"))
 * })
 *
 * console.log(await Effect.runPromise(Effect.provide(program, FetchHttpClient.layer))) // { answer: 42 }
 * server.close()
 * ```
 *
 * @throws `IllegalArgumentException` if an option makes no sense.
 *
 * @since 0.1.0
 * @category clients
 */
export const hedgeRead: {
  <E, B, E2, R2, E1 = never, R1 = never>(
    policy: PolicyOf<E>,
    read: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<B, E2, R2>,
    options?: Options<E1, R1>
  ): <E3, R>(
    client: HttpClient.HttpClient.With<E3, R>
  ) => (
    request: HttpClientRequest.HttpClientRequest
  ) => Effect.Effect<B, E1 | E2 | E3, Exclude<R | R1 | R2, Scope.Scope>>
  <E, R, B, E2, R2>(
    client: HttpClient.HttpClient.With<E, R>,
    policy: PolicyOf<Types.NoInfer<E | E2>>,
    read: (response: HttpClientResponse.HttpClientResponse) => Effect.Effect<B, E2, R2>,
    options?: Options<E, R>
  ): (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<B, E | E2, Exclude<R | R2, Scope.Scope>>
} = dual(isDataFirst, internal.hedgeRead)
