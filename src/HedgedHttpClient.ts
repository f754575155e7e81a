/**
 * Hedged requests for the `HttpClient` of `@effect/platform`: when a response is late, send the request again, and take
 * the first good response.
 *
 * It is `Hedge` with the rules of HTTP: which requests may be sent twice, and which responses are good. The client
 * closes the connection of each attempt that loses.
 *
 * | use | for | a response lives |
 * |---|---|---|
 * | {@link layer} | all requests of a program | as without hedging |
 * | {@link hedge} | one client | as without hedging |
 * | {@link hedgeScoped} | responses that may stay unread | as long as the scope around the request |
 * | {@link hedgeRead} | responses that you read at once | until it has been read |
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
 * Options of a hedged client: which requests may be sent twice, and how hedges are sent.
 *
 * @since 0.1.0
 * @category models
 */
export interface Options<out E = never, out R = never> {
  /**
   * The methods whose requests may be sent twice. Requests of other methods may, too, if they have the header
   * `Idempotency-Key`. Default: the safe methods GET, HEAD, OPTIONS and TRACE (RFC 9110, section 9.2.1).
   */
  readonly methods?: ReadonlyArray<string> | undefined
  /**
   * The key of a request: requests with the same key have a learned delay of their own, see `Hedge.CallOptions`.
   * Default: the origin of the URL.
   */
  readonly key?: ((request: HttpClientRequest.HttpClientRequest) => string) | undefined
  /**
   * The header that numbers hedges: 1 for the first. `false` for none. Default `"x-hedge-attempt"`.
   *
   * - The client removes it from the request itself, because a proxy may pass on the header of a hedge.
   * - In a browser, use `false`: the header causes a preflight request.
   */
  readonly attemptHeader?: string | false | undefined
  /**
   * The client that sends hedges. Default: the client itself.
   *
   * For example, a client with connections of its own, because the shared one may hang, or a client for another server.
   */
  readonly hedges?: HttpClient.HttpClient.With<E, R> | undefined
  /**
   * When an attempt has answered: with the headers of the response, or when its body has been read. Default
   * `"headers"`.
   *
   * With `"body"`, a body that stalls or breaks off gets a hedge. The client keeps the body in memory. You can still
   * read it in every way, also as a stream.
   */
  readonly answered?: "headers" | "body" | undefined
  /**
   * The delay of a request, for example by its size. `undefined` for the delay of the policy. Milliseconds of the
   * `Clock`. Default: the delay of the policy.
   */
  readonly delay?: ((request: HttpClientRequest.HttpClientRequest) => Duration.DurationInput | undefined) | undefined
}

/**
 * A policy for HTTP responses, or plain options: these have no budget.
 *
 * @since 0.1.0
 * @category models
 */
export type PolicyOf<E> =
  | Hedge.Policy<HttpClientResponse.HttpClientResponse, E>
  | Hedge.Options<HttpClientResponse.HttpClientResponse, E>

/**
 * Options with which the client reads no body. It then fails only with the errors of the client that it hedges.
 *
 * @since 0.1.0
 * @category models
 */
export interface AnsweredByHeaders {
  /** As in {@link Options}. */
  readonly answered?: "headers" | undefined
}

const isDataFirst = (args: IArguments) => Predicate.hasProperty(args[0], HttpClient.TypeId)

/**
 * Hedges the requests of a client.
 *
 * **When to use**
 *
 * Use it for requests that are safe to send twice, and whose slowest responses are much slower than most: for example,
 * to a service with several servers. For a whole program, use {@link layer}.
 *
 * **Details**
 *
 * | response or error | what the client does |
 * |---|---|
 * | status 408, 429, 500, 502, 503 or 504 | sends the next hedge at once: the response is not good |
 * | any other status | returns the response |
 * | 429 or 503 with `Retry-After` | sends the next hedge at that time if it is within a second, otherwise none |
 * | a transient error, such as a timeout or a connection that breaks | sends the next hedge at once |
 * | any other error, such as an invalid URL | fails |
 *
 * - These are the statuses and errors that `HttpClient.retryTransient` retries. The `accept`, `fatal` and `pushback` of
 *   a policy replace these rules; for example, `pushback: retryAfter("5 seconds")`.
 * - If no hedge may be sent, the client returns the response, good or not. If a hedge was sent and failed, the client
 *   fails with that failure, because it has closed the response before.
 * - A response wins with its headers, or with `answered: "body"` when its body has been read. After that, the race does
 *   not touch it.
 * - The client closes the connection of an attempt when it loses, or when its response is not good.
 * - It never sends a body twice that can be read only once: a stream, or a `Raw` body that is not a string.
 *
 * **Gotchas**
 *
 * - To retry each attempt, put `retry` inside, around the client that you hedge. To hedge each try, put it outside.
 *   With `Hedge.tryAcquire`, the budget pays for retries, too.
 * - `retryTransient` leaves the responses open that it retries. Outside, they stay open until the scope closes. Inside,
 *   they stay open until they are garbage.
 * - What you add with `HttpClient.mapRequest` to the hedged client is done once, not once per attempt.
 * - The client cannot see what a client inside adds to requests. It decides without that whether a request may be sent
 *   twice, and which key it has. So put `prependUrl`, an `Idempotency-Key` and bodies outside, or set `key`.
 * - A response that nobody reads keeps its connection until it is garbage, as without hedging. {@link hedgeScoped}
 *   closes it.
 * - A client that needs a scope itself, such as that of `HttpClient.withScope`, gets the scope of the race. When the
 *   race ends, that scope closes, and the response with it. Use {@link hedgeScoped} for such clients.
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
 * Hedges the requests of a client, and closes each response with the scope around its request.
 *
 * **When to use**
 *
 * Use it when you may leave responses unread, or read only a part of them. Use it also for a client that needs a scope
 * itself, such as that of `HttpClient.withScope`.
 *
 * **Details**
 *
 * It works as {@link hedge} does, except for the life of responses.
 *
 * @example
 * ```ts
 * import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
 * import * as HttpClient from "@effect/platform/HttpClient"
 * import * as HedgedHttpClient from "effect-staggered-race/HedgedHttpClient"
 * import * as Effect from "effect/Effect"
 * import { createServer } from "node:http"
 *
 * // The body never ends, and nobody reads it.
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
 * Hedges the `HttpClient` in the environment.
 *
 * **When to use**
 *
 * Use it to hedge all requests of a program, or of a part of it, without a change to their code.
 *
 * **Details**
 *
 * It takes a policy, or options. From options, the layer makes a policy with a budget. Otherwise, it works as
 * {@link hedge} does.
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
 * A rule for the option `pushback`: wait as long as `Retry-After` says, but at most `max`.
 *
 * **When to use**
 *
 * Use it when a late response is better than a refused one. The default rule waits at most one second.
 *
 * **Details**
 *
 * - After a 429 or 503 with `Retry-After`, the call sends the next hedge at that time (RFC 9110, section 10.2.3). If
 *   that is later than `max` from now, it sends no more hedges.
 * - A date is compared with the wall clock (`Date.now`), not with the `Clock`.
 * - A value that is neither a whole number of seconds nor a date means no more hedges.
 *
 * @example
 * ```ts
 * import { Hedge } from "effect-staggered-race"
 * import * as HedgedHttpClient from "effect-staggered-race/HedgedHttpClient"
 *
 * export const policy = Hedge.make({ delay: "50 millis", pushback: HedgedHttpClient.retryAfter("5 seconds") })
 * ```
 *
 * @throws `IllegalArgumentException` if `max` is not a duration of zero or more.
 *
 * @since 0.1.0
 * @category rules
 */
export const retryAfter: (
  max: Duration.DurationInput
) => (exit: Exit.Exit<HttpClientResponse.HttpClientResponse, unknown>) => Hedge.Pushback = internal.retryAfter

/**
 * Hedges requests together with the reading of their responses: gives a function from a request to what was read.
 *
 * **When to use**
 *
 * Use it when you read the response at once. It needs no scope, and a body that stalls gets a hedge, too.
 *
 * **Details**
 *
 * It works as {@link hedge} does, with these differences:
 *
 * - An attempt has answered when `read` has succeeded.
 * - If a body breaks off, the next hedge is sent at once.
 * - If a body makes no sense, such as invalid JSON, the call fails.
 *
 * **Gotchas**
 *
 * - Use another policy than for {@link hedge}: this one learns how long requests take until they have been read.
 * - `read` must not return what needs the connection, such as a stream. The client has closed it by then.
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
