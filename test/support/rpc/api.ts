import * as Rpc from "@effect/rpc/Rpc"
import * as RpcGroup from "@effect/rpc/RpcGroup"
import * as Schema from "effect/Schema"

// What the servers of these tests offer, and what they and the tests say to each other by IPC.

/** A server has too much to do, and says when to come back. */
export class Overloaded extends Schema.TaggedError<Overloaded>()("Overloaded", {
  retryAfter: Schema.DurationFromMillis
}) {}

const payload = {
  call: Schema.Number,
  /** The servers that answer only when they are told to. The others answer by themselves. */
  held: Schema.optionalWith(Schema.Array(Schema.String), { default: () => [] }),
  /** How many milliseconds a server needs that answers by itself. */
  millis: Schema.optionalWith(Schema.Number, { default: () => 0 })
}

/** `a:1`: server `a` answers call 1. */
class Get extends Rpc.make("Get", { payload, success: Schema.String, error: Overloaded }) {}

/** `a:1:0`, `a:1:1`, `a:1:2`. A server that is held sends one for each word. */
class Watch extends Rpc.make("Watch", { payload, success: Schema.String, error: Overloaded, stream: true }) {}

export class Api extends RpcGroup.make(Get, Watch) {}

/**
 * No client has this address, as it connects to `127.0.0.1` at the other end. So while a server is down, no connection
 * takes its port, and none connects to itself.
 */
export const host = "127.0.0.5"

export interface Ports {
  readonly tcp: number
  /** Also for WebSockets. */
  readonly http: number
}

/** What a process is told as it starts. */
export interface Task {
  readonly name: string
  /** Those that it listens on. For 0, the system chooses one. */
  readonly ports: Ports
  readonly disableFatalDefects: boolean
}

/** What a call that is held does next: it answers, or fails with a defect or with `Overloaded`. */
export type Word = "answer" | "die" | { readonly retryAfter: number }

export type ToServer = { readonly call: number; readonly word: Word } | { readonly mark: number }

export type FromServer =
  | { readonly ports: Ports }
  /** What happened to a call, such as `started 1`. */
  | { readonly line: string }
  /** The answer to a mark: all lines of before have been sent. */
  | { readonly mark: number }
