import * as Headers from "@effect/platform/Headers"
import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import type * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import { constFalse, identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import * as Scope from "effect/Scope"
import type * as Hedge from "../../Hedge.js"
import type * as HedgedHttpClient from "../../HedgedHttpClient.js"
import { call } from "../hedge/call.js"
import { from, isPolicy, make, type Policy } from "../hedge/policy.js"
import { Checks } from "../options.js"

const check = new Checks("HedgedHttpClient")

type Request = HttpClientRequest.HttpClientRequest
type Response = HttpClientResponse.HttpClientResponse
type Input<E> = Hedge.Policy<Response, E> | Hedge.Options<Response, E>

/** Safe methods: sending these twice has the same effect as sending them once (RFC 9110, section 9.2.1). */
const safeMethods = ["GET", "HEAD", "OPTIONS", "TRACE"]

/** The statuses that `HttpClient.retryTransient` retries. */
const transientStatuses = [408, 429, 500, 502, 503, 504]

const isGood = ({ status }: Response) => !transientStatuses.includes(status)

/** Whether a hedge may succeed after this error: one that `retryTransient` retries, or a body that breaks off. */
const isTransient = (error: unknown): boolean =>
  Predicate.hasProperty(error, Cause.TimeoutExceptionTypeId) ||
  (HttpClientError.isHttpClientError(error) &&
    (error._tag === "RequestError"
      ? error.reason === "Transport"
      : error.reason === "Decode"
      ? !(error.cause instanceof SyntaxError)
      : !isGood(error.response)))

const isFatal = (cause: Cause.Cause<unknown>) =>
  !Cause.isInterruptedOnly(cause) && !Option.exists(Cause.failureOption(cause), isTransient)

/** The response of an attempt, also if a client inside has turned its status into an error. */
const responseOf = (exit: Exit.Exit<Response, unknown>): Option.Option<Response> =>
  Exit.match(exit, {
    onFailure: (cause) =>
      Option.flatMap(
        Cause.failureOption(cause),
        (error) =>
          HttpClientError.isHttpClientError(error) && error._tag === "ResponseError"
            ? Option.some(error.response)
            : Option.none()
      ),
    onSuccess: Option.some
  })

/** Milliseconds from `now`. RFC 9110, section 10.2.3: a whole number of seconds, or a date. */
const parseRetryAfter = (text: string, now: number): number =>
  /^\d+$/.test(text) ? Number(text) * 1000 : /^[a-z]/i.test(text) ? Date.parse(text) - now : NaN

/** @internal */
export const retryAfter = (max: Duration.DurationInput): (exit: Exit.Exit<Response, unknown>) => Hedge.Pushback => {
  const most = check.millis("max", max)
  return (exit) =>
    Option.match(responseOf(exit), {
      onNone: () => false,
      onSome: ({ headers, status }) => {
        const asked = headers["retry-after"]
        if (asked === undefined || status !== 429 && status !== 503) {
          return false
        }
        const millis = parseRetryAfter(asked, Date.now())
        return millis <= most ? Math.max(millis, 0) : true
      }
    })
}

const isRepeatable = (body: HttpBody.HttpBody) =>
  body._tag === "Empty" || body._tag === "Uint8Array" || body._tag === "FormData" ||
  (body._tag === "Raw" && typeof body.body === "string")

const originOf = ({ url }: Request): string => URL.canParse(url) ? new URL(url).origin : ""

/**
 * Closes an unread response's connection. `HttpClient` has no close, but interrupting a reader does it: so this starts
 * a reader and interrupts it. The reader must have begun to read by then, so it must not yield before that.
 */
const discard = ({ text }: Response): Effect.Effect<void> =>
  Effect.forkDaemon(Effect.interruptible(Effect.exit(text))).pipe(
    Effect.zipLeft(Effect.yieldNow()),
    Effect.flatMap(Fiber.interrupt),
    Effect.withMaxOpsBeforeYield(2048),
    Effect.asVoid
  )

/** Whether a response outlives the scope of its request. */
type IsKept = (response: Response, exit: Exit.Exit<unknown, unknown>) => boolean

const isResult: IsKept = (response, exit) => Exit.isSuccess(exit) && exit.value === response

/**
 * Closes a response with the scope, unless the response is kept. `HttpClient.withScope` is not enough. It does not
 * abort a request that is interrupted before the scope closes, such as a try that an inner client gives up. Nor does it
 * close the response after a redirect.
 */
const closing = <E, R>(
  send: Effect.Effect<Response, E, R>,
  isKept: IsKept = constFalse
): Effect.Effect<Response, E, R | Scope.Scope> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.tap(
      restore(send),
      (response) => Effect.addFinalizer((exit) => isKept(response, exit) ? Effect.void : discard(response))
    )
  )

/** Runs a call in a scope of its own. Closing it waits for losers, so a call with background losers closes it there. */
const inOwnScope = <A, E, R>(
  { settings: { losers } }: Pick<Policy<never, never>, "settings">,
  self: Effect.Effect<A, E, R>
): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  losers !== "background"
    ? Effect.scoped(self)
    : Effect.uninterruptibleMask((restore) =>
      Effect.flatMap(Scope.make(), (scope) =>
        Effect.onExit(restore(Scope.extend(self, scope)), (exit) =>
          Effect.forkDaemon(Scope.close(scope, exit))))
    )

/** Reads the body of a response, and returns a response that keeps it in memory. */
const buffered = (response: Response): Effect.Effect<Response, HttpClientError.ResponseError> =>
  Effect.map(response.arrayBuffer, (bytes) => {
    const { cookies, headers, remoteAddress, request, status } = response
    const type = headers["content-type"]
    const init = type === undefined ? {} : { headers: { "content-type": type } }
    const body = HttpClientResponse.fromWeb(request, new globalThis.Response(bytes, init))
    return Object.defineProperties(body, {
      cookies: { value: cookies },
      headers: { value: headers },
      remoteAddress: { value: remoteAddress },
      // The constructor of a web response accepts only some statuses.
      status: { value: status }
    })
  })

/** Callers that hedge are in a hurry, so by default a call waits no longer than this. */
const defaultPushback = retryAfter("1 second")

/** How a hedged client sends the attempts of its requests. */
interface Attempts<E, R> {
  readonly policy: Policy<Response, E>
  readonly accept: Predicate.Predicate<Response>
  readonly mayHedge: (request: Request) => boolean
  /** Sends the attempt with this index, as a request object of its own. */
  readonly send: (request: Request, index: number) => Effect.Effect<Response, E, R>
  readonly options: (request: Request) => Hedge.CallOptions
}

const decode = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  input: Input<E>,
  { attemptHeader = "x-hedge-attempt", hedges = client, delay, key = originOf, methods = safeMethods }:
    HedgedHttpClient.Options<E, R>
): Attempts<E, R> => {
  const isFine = attemptHeader === false || /^[\w!#$%&'*+.^`|~-]+$/.test(attemptHeader)
  check.that(isFine, "attemptHeader", attemptHeader, "the name of a header, or false")
  check.functions({ delay, key })
  const policy = from(input)
  const repeatable = new Set(methods.map((method) => method.toUpperCase()))
  return {
    policy,
    accept: policy.settings.accept ?? isGood,
    mayHedge: ({ body, headers, method }) =>
      isRepeatable(body) && (repeatable.has(method) || headers["idempotency-key"] !== undefined),
    send: (request, index) => {
      const headers = attemptHeader === false ? request.headers : index > 0
        ? Headers.set(request.headers, attemptHeader, `${index}`)
        // A proxy may pass on the header of a hedge that it has received.
        : Headers.remove(request.headers, attemptHeader)
      // Some clients, such as that of `HttpClient.withScope`, tell requests apart by their object.
      const attempt: Request = Object.create(request, { headers: { value: headers, enumerable: true } })
      return (index === 0 ? client : hedges).execute(attempt)
    },
    options: (request) => ({ key: key(request), delay: delay?.(request) })
  }
}

/** The response of the winner, and what was read from it if the response was good. */
interface Won<B> {
  readonly response: Response
  readonly read: Option.Option<B>
}

/** Races attempts. An attempt has answered when its response has been read. Losers close with their scopes. */
const racing = <E, R, B, E2, R2>(
  { accept, options, policy, send }: Attempts<E | E2, R>,
  request: Request,
  read: (response: Response) => Effect.Effect<B, E2, R2>,
  isKept?: IsKept
): Effect.Effect<Won<B>, E | E2, R | R2 | Scope.Scope> => {
  const { fatal = isFatal, pushback = defaultPushback } = policy.settings
  return call<Response, E | E2, R | R2 | Scope.Scope, Won<B>>(policy, {
    ...options(request),
    attempts: (heard) => ({
      next: (index) =>
        Effect.flatMap(heard(closing(send(request, index), isKept)), (response) =>
          accept(response)
            ? Effect.map(read(response), (read) => ({ response, read: Option.some(read) }))
            : Effect.succeed({ response, read: Option.none() }))
    }),
    accept: ({ read }) => Option.isSome(read),
    fatal,
    pushback
  })
}

/** Reading a body adds this error, because the body may break off. */
type Broken<E> = E | HttpClientError.ResponseError

/** A client that races the requests that may be sent twice, and sends the others as they are. */
const clientOf = <E, R, R2>(
  attempts: Attempts<Broken<E>, R>,
  { answered = "headers" }: HedgedHttpClient.Options<E, R>,
  raced: (response: Effect.Effect<Response, Broken<E>, R | Scope.Scope>) => Effect.Effect<Response, Broken<E>, R2>,
  alone: (response: Effect.Effect<Response, Broken<E>, R>) => Effect.Effect<Response, Broken<E>, R2>,
  isKept?: IsKept
): HttpClient.HttpClient.With<Broken<E>, R2> => {
  const read: (response: Response) => Effect.Effect<Response, HttpClientError.ResponseError> =
    check.oneOf("answered", answered, ["headers", "body"]) === "body" ? buffered : Effect.succeed
  const { mayHedge, send } = attempts
  const execute = (request: Request) =>
    mayHedge(request)
      ? raced(
        Effect.map(
          racing(attempts, request, read, isKept),
          ({ read, response }) => Option.getOrElse(read, () => response)
        )
      )
      : alone(send(request, 0))
  return HttpClient.makeWith(
    (request: Effect.Effect<Request>) => Effect.flatMap(request, execute),
    Effect.succeed
  )
}

/** @internal */
export const hedge = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  policy: Input<Broken<E>>,
  options: HedgedHttpClient.Options<E, R> = {}
): HttpClient.HttpClient.With<Broken<E>, R> => {
  const attempts = decode<Broken<E>, R>(client, policy, options)
  return clientOf<E, R, R>(
    attempts,
    options,
    // TypeScript cannot see that `R` is not the scope of the race, hence the cast. If an interruption comes while that
    // scope closes, nobody gets the response, so it is closed, too.
    (raced) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.tap(
          inOwnScope(attempts.policy, restore(raced)),
          (response) => Effect.onInterrupt(restore(Effect.void), () => discard(response))
        )
      ) as Effect.Effect<Response, Broken<E>, R>,
    identity,
    isResult
  )
}

/** @internal */
export const hedgeScoped = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  policy: Input<Broken<E>>,
  options: HedgedHttpClient.Options<E, R> = {}
): HttpClient.HttpClient.With<Broken<E>, R | Scope.Scope> =>
  clientOf<E, R, R | Scope.Scope>(decode<Broken<E>, R>(client, policy, options), options, identity, closing)

/** @internal */
export const hedgeRead = <E, R, B, E2, R2>(
  client: HttpClient.HttpClient.With<E, R>,
  policy: Input<E | E2>,
  read: (response: Response) => Effect.Effect<B, E2, R2>,
  options: HedgedHttpClient.Options<E, R> = {}
): (request: Request) => Effect.Effect<B, E | E2, Exclude<R | R2, Scope.Scope>> => {
  const attempts = decode<E | E2, R>(client, policy, options)
  return (request) =>
    Effect.suspend(() =>
      inOwnScope(
        attempts.policy,
        attempts.mayHedge(request)
          ? Effect.flatMap(
            racing<E, R, B, E2, R2>(attempts, request, read),
            (won) => Option.match(won.read, { onNone: () => read(won.response), onSome: Effect.succeed })
          )
          : Effect.flatMap(closing(attempts.send(request, 0)), read)
      )
    )
}

/** @internal */
export const layer = (
  policy:
    | Hedge.Policy<Response, HttpClientError.HttpClientError>
    | Hedge.MakeOptions<Response, HttpClientError.HttpClientError>,
  options?: HedgedHttpClient.Options<HttpClientError.HttpClientError, never>
): Layer.Layer<HttpClient.HttpClient, never, HttpClient.HttpClient> =>
  Layer.effect(
    HttpClient.HttpClient,
    Effect.flatMap(HttpClient.HttpClient, (client) =>
      Effect.map(
        isPolicy(policy) ? Effect.succeed(policy) : make(policy),
        (policy): HttpClient.HttpClient => hedge<HttpClientError.HttpClientError, never>(client, policy, options)
      ))
  )
