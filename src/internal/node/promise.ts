import * as Cause from "effect/Cause"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Scope from "effect/Scope"
import type * as net from "node:net"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import type * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import { connect, connectTls, toError } from "./socket.js"
import { makeResolver } from "./system.js"

/** A race for a socket. */
type Connecting<S> = Effect.Effect<
  S,
  HappyEyeballs.ConnectionFailed<NodeHappyEyeballs.SocketFailed>,
  Scope.Scope | HappyEyeballs.Resolver
>

const errorsOf = (causes: Iterable<Cause.Cause<{ readonly cause: unknown }>>) =>
  Array.from(causes, (cause) => [
    ...Chunk.map(Cause.failures(cause), ({ cause }) => cause),
    ...Cause.defects(cause)
  ]).flat().map(toError)

/**
 * Makes the error that Node programs expect:
 *
 * - a single error, or a `fatal` one: Node's own
 * - several errors: all of them, with the code of the first
 * - no address to connect to: the error of the resolver, or ENOTFOUND
 */
const toNodeError = (
  failed: HappyEyeballs.ConnectionFailed<NodeHappyEyeballs.SocketFailed>
): NodeJS.ErrnoException => {
  const { connections, decidedBy, failure, host, port } = failed
  if (decidedBy === "timeout") {
    return Object.assign(new Error(failed.message, { cause: failed }), { code: failed.code, host, port })
  }
  if (decidedBy === "fatal" && Option.isSome(failure)) {
    return toError(failure.value.cause)
  }
  const errors = errorsOf(connections.flatMap(({ cause }) => Option.toArray(cause)))
  const first = errors[0] ?? errorsOf(failed.resolution)[0]
  if (first === undefined) {
    return Object.assign(new Error(failed.message, { cause: failed }), { code: "ENOTFOUND", hostname: host })
  }
  return errors.length < 2
    ? first
    : Object.assign(
      new AggregateError(errors, failed.message, { cause: failed }),
      first.code === undefined ? {} : { code: first.code }
    )
}

/** The caller owns the socket. If the effect does not succeed, the socket is destroyed. */
const unscoped = <A, E, R>(self: Effect.Effect<A, E, R | Scope.Scope>): Effect.Effect<A, E, Exclude<R, Scope.Scope>> =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(Scope.make(), (scope) =>
      Effect.onExit(
        restore(Scope.extend(self, scope)),
        (exit) => Exit.isSuccess(exit) ? Effect.void : Scope.close(scope, exit)
      ))
  )

const prepare = <S>(
  connecting: Connecting<S>,
  resolver: HappyEyeballs.Resolver["Type"] = makeResolver()
): Effect.Effect<S, NodeJS.ErrnoException> =>
  unscoped(connecting).pipe(
    Effect.provideService(HappyEyeballs.Resolver, resolver),
    Effect.mapError(toNodeError)
  )

type Result<S> = [error: null, socket: S] | [error: Error, socket: null]

const toResult = <S>(exit: Exit.Exit<S, NodeJS.ErrnoException>): Result<S> =>
  Exit.isSuccess(exit) ? [null, exit.value] : [toError(Cause.squash(exit.cause)), null]

/**
 * Calls back with a socket or an error. Returns a function that interrupts it. After that, it calls nobody.
 *
 * @internal
 */
export const run = <S extends net.Socket>(
  connecting: Connecting<S>,
  resolver: HappyEyeballs.Resolver["Type"] | undefined,
  callback: (...result: Result<S>) => void
): () => void => {
  let interrupted = false
  const interrupt = Effect.runCallback(prepare(connecting, resolver), {
    onExit: (exit) => {
      if (!interrupted) {
        callback(...toResult(exit))
      } else if (Exit.isSuccess(exit)) {
        exit.value.destroy()
      }
    }
  })
  return () => {
    interrupted = true
    interrupt()
  }
}

const promise = async <S extends net.Socket>(
  connecting: Connecting<S>,
  { resolver, signal }: NodeHappyEyeballs.PromiseOptions
): Promise<S> => {
  signal?.throwIfAborted()
  const exit = await Effect.runPromiseExit(prepare(connecting, resolver), signal === undefined ? {} : { signal })
  const [error, socket] = toResult(exit)
  if (signal?.aborted === true) {
    socket?.destroy()
    throw signal.reason
  }
  if (error !== null) {
    throw error
  }
  return socket
}

/** @internal */
export const connectPromise = (
  { host, port, resolver, signal, ...options }:
    & HappyEyeballs.Target
    & NodeHappyEyeballs.ConnectOptions
    & NodeHappyEyeballs.PromiseOptions
) => promise(connect({ host, port }, options), { resolver, signal })

/** @internal */
export const connectTlsPromise = (
  { host, port, resolver, signal, ...options }:
    & HappyEyeballs.Target
    & NodeHappyEyeballs.ConnectTlsOptions
    & NodeHappyEyeballs.PromiseOptions
) => promise(connectTls({ host, port }, options), { resolver, signal })
