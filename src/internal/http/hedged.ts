import type * as HttpBody from "@effect/platform/HttpBody"
import * as HttpClient from "@effect/platform/HttpClient"
import * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import type * as HttpClientResponse from "@effect/platform/HttpClientResponse"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Predicate from "effect/Predicate"
import type * as Scope from "effect/Scope"
import type * as Hedge from "../../Hedge.js"
import type * as HedgedHttpClient from "../../HedgedHttpClient.js"
import { call } from "../hedge/call.js"
import { Checks } from "../options.js"

const check = new Checks("HedgedHttpClient")

type Request = HttpClientRequest.HttpClientRequest
type Response = HttpClientResponse.HttpClientResponse
type Policy<E> = Hedge.Policy<Response, E> | Hedge.Options<Response, E>

/** Sending these twice has the same effect as sending them once (RFC 9110, section 9.2.1). */
const safeMethods = ["GET", "HEAD", "OPTIONS", "TRACE"]

/** The statuses that `HttpClient.retryTransient` retries. */
const transientStatuses = [408, 429, 500, 502, 503, 504]

const isGood = ({ status }: Response) => !transientStatuses.includes(status)

/** Whether a hedge may succeed after this error: what `retryTransient` retries, and a body that breaks off. */
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

/** The server says when to come back, so a hedge before that is of no use (RFC 9110, section 10.2.3). */
const isPushback = (exit: Exit.Exit<Response, unknown>): boolean => {
  const response = Exit.match(exit, {
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
  return Option.exists(
    response,
    ({ headers, status }) => (status === 429 || status === 503) && headers["retry-after"] !== undefined
  )
}

const isRepeatable = (body: HttpBody.HttpBody) =>
  body._tag === "Empty" || body._tag === "Uint8Array" || body._tag === "FormData" ||
  (body._tag === "Raw" && typeof body.body === "string")

const originOf = ({ url }: Request): string => URL.canParse(url) ? new URL(url).origin : ""

/**
 * Closes an unread response's connection. `HttpClient` has no close, but interrupting a reader does it: so this starts
 * one and interrupts it. The reader must have begun to read by then, hence the limit of operations before it yields.
 */
const discard = ({ text }: Response): Effect.Effect<void> =>
  Effect.forkDaemon(Effect.interruptible(Effect.exit(text))).pipe(
    Effect.zipLeft(Effect.yieldNow()),
    Effect.flatMap(Fiber.interrupt),
    Effect.withMaxOpsBeforeYield(2048),
    Effect.asVoid
  )

/**
 * Closes a request's connection with the scope. `HttpClient.withScope` does not suffice: it neither aborts a request
 * that is interrupted earlier, such as a try that an inner client gives up, nor closes the response after a redirect.
 */
const scoped = <E, R>(client: HttpClient.HttpClient.With<E, R>): HttpClient.HttpClient.With<E, R | Scope.Scope> =>
  HttpClient.transformResponse(
    client,
    (send) =>
      Effect.uninterruptibleMask((restore) =>
        Effect.tap(restore(send), (response) => Effect.addFinalizer(() => discard(response)))
      )
  )

interface Settings<E, R> {
  readonly mayCopy: (request: Request) => boolean
  readonly key: (request: Request) => string
  /** Sends the copy of that index as a request object of its own, and closes its connection with the scope. */
  readonly send: (request: Request, index: number) => Effect.Effect<Response, E, R | Scope.Scope>
}

const decode = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  { attemptHeader = "x-hedge-attempt", copies = client, key = originOf, methods = safeMethods }:
    HedgedHttpClient.Options<E, R>
): Settings<E, R> => {
  const isFine = attemptHeader === false || /^[\w!#$%&'*+.^`|~-]+$/.test(attemptHeader)
  check.that(isFine, "attemptHeader", attemptHeader, "the name of a header, or false")
  check.functions({ key })
  const [first, others] = [scoped(client), scoped(copies)]
  const repeatable = new Set(methods.map((method) => method.toUpperCase()))
  return {
    mayCopy: ({ body, headers, method }) =>
      isRepeatable(body) && (repeatable.has(method) || headers["idempotency-key"] !== undefined),
    key,
    send: (request, index) =>
      // Some clients, such as that of `HttpClient.withScope`, tell requests apart by their object.
      (index === 0 ? first : others).execute(
        HttpClientRequest.setHeaders(
          request,
          index === 0 || attemptHeader === false ? {} : { [attemptHeader]: `${index}` }
        )
      )
  }
}

const rules = { accept: isGood, fatal: isFatal, pushback: isPushback }

/** @internal */
export const hedge = <E, R>(
  client: HttpClient.HttpClient.With<E, R>,
  policy: Policy<E>,
  options: HedgedHttpClient.Options<E, R> = {}
): HttpClient.HttpClient.With<E, R | Scope.Scope> => {
  const { key, mayCopy, send } = decode(client, options)
  const execute = (request: Request): Effect.Effect<Response, E, R | Scope.Scope> =>
    mayCopy(request)
      ? call<Response, E, R | Scope.Scope, Response>(policy, {
        ...rules,
        key: key(request),
        copy: (index, judge) => Option.some(judge(send(request, index))),
        settle: Effect.succeed
      })
      : send(request, 0)
  return HttpClient.makeWith(
    (request: Effect.Effect<Request>) => Effect.flatMap(request, execute),
    Effect.succeed
  )
}

/** @internal */
export const reading = <E, R, B, E2, R2>(
  client: HttpClient.HttpClient.With<E, R>,
  policy: Policy<E | E2>,
  read: (response: Response) => Effect.Effect<B, E2, R2>,
  options: HedgedHttpClient.Options<E, R> = {}
): (request: Request) => Effect.Effect<B, E | E2, Exclude<R | R2, Scope.Scope>> => {
  const { key, mayCopy, send } = decode(client, options)
  return (request) =>
    Effect.suspend(() =>
      mayCopy(request)
        ? call<Response, E | E2, Exclude<R | R2, Scope.Scope>, B>(policy, {
          ...rules,
          key: key(request),
          copy: (index, judge) => Option.some(Effect.scoped(Effect.flatMap(judge(send(request, index)), read))),
          // The rejected answers are closed, so there is nothing left to read.
          settle: (_, failures) => Effect.failCause(failures)
        })
        : Effect.scoped(Effect.flatMap(send(request, 0), read))
    )
}
