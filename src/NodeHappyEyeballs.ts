/**
 * Connections that do not wait for a dead address: Happy Eyeballs (RFC 8305) for Node's sockets, for TLS, for
 * `node:http`, and for undici, which is what `fetch` connects with.
 *
 * Node's own way, `autoSelectFamily`, tries a host's addresses in turn too, but its 250 milliseconds are a timeout: as
 * the next address is tried, the one before is given up. So a host whose every address answers after 300 milliseconds
 * is out of reach, and so is one where a single packet gets lost on a slow line (nodejs/node#48145, #54359). Here it is
 * a delay: what has been started goes on until one of them answers.
 *
 * | to connect | take |
 * |---|---|
 * | a socket, in an Effect program | {@link connect}, {@link connectTls} |
 * | a socket, anywhere else | {@link connectPromise}, {@link connectTlsPromise} |
 * | with `node:http` and `node:https` | {@link HttpAgent}, {@link HttpsAgent} |
 * | with undici, and `fetch` | {@link connector} |
 * | with a protocol of your own inside the race | `HappyEyeballs.connect` with {@link open} or {@link openTls} |
 *
 * For `@effect/platform`, see `NodeHappyEyeballsPlatform`.
 *
 * @since 0.2.0
 */
import * as Data from "effect/Data"
import type * as Duration from "effect/Duration"
import type * as Effect from "effect/Effect"
import * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import type * as dns from "node:dns"
import type * as http from "node:http"
import type * as https from "node:https"
import type * as net from "node:net"
import type * as tls from "node:tls"
import * as HappyEyeballs from "./HappyEyeballs.js"
import * as internalAgent from "./internal/nodeAgent.js"
import * as internalConnector from "./internal/nodeConnector.js"
import * as internalPlain from "./internal/nodePlain.js"
import * as internal from "./internal/nodeSocket.js"

export class SocketFailed extends Data.TaggedError("SocketFailed")<{
  readonly cause: NodeJS.ErrnoException
}> {
  get code(): string | undefined {
    return this.cause.code
  }
  override get message() {
    return this.cause.message
  }
}

export interface ResolverOptions {
  readonly lookup?: net.LookupFunction | undefined
  readonly hints?: number | undefined
}

export const makeResolver: (options?: ResolverOptions) => HappyEyeballs.Resolver["Type"] = internal.makeResolver

export const layer: Layer.Layer<HappyEyeballs.Resolver> = Layer.sync(HappyEyeballs.Resolver, makeResolver)

export interface SocketOptions extends
  Omit<
    net.TcpNetConnectOpts,
    | "autoSelectFamily"
    | "autoSelectFamilyAttemptTimeout"
    | "family"
    | "hints"
    | "host"
    | "lookup"
    | "port"
    | "signal"
  >
{}

export interface TlsOptions extends
  SocketOptions,
  Omit<
    tls.ConnectionOptions,
    keyof net.TcpNetConnectOpts | "path" | "socket"
  >
{
  readonly handshakeDelay?: Duration.DurationInput | undefined
}

export const open: (
  options?: SocketOptions
) => (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<net.Socket, SocketFailed, Scope.Scope> = internal.open

export const openTls: (
  options?: TlsOptions
) => (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<tls.TLSSocket, SocketFailed, Scope.Scope> = internal.openTls

export interface ConnectOptions extends HappyEyeballs.ConnectOptions, SocketOptions {}

export interface ConnectTlsOptions extends HappyEyeballs.ConnectOptions, TlsOptions {}

export const connect: (
  target: HappyEyeballs.Target,
  options?: ConnectOptions
) => Effect.Effect<
  net.Socket,
  HappyEyeballs.ConnectionFailed<SocketFailed>,
  Scope.Scope | HappyEyeballs.Resolver
> = internal.connect

export const connectTls: (
  target: HappyEyeballs.Target,
  options?: ConnectTlsOptions
) => Effect.Effect<
  tls.TLSSocket,
  HappyEyeballs.ConnectionFailed<SocketFailed>,
  Scope.Scope | HappyEyeballs.Resolver
> = internal.connectTls

export interface PlainOptions extends HappyEyeballs.ConnectOptions {
  readonly resolver?: HappyEyeballs.Resolver["Type"] | undefined
}

export interface PromiseOptions {
  readonly resolver?: HappyEyeballs.Resolver["Type"] | undefined
  readonly signal?: AbortSignal | undefined
}

export const connectPromise: (
  options: HappyEyeballs.Target & ConnectOptions & PromiseOptions
) => Promise<net.Socket> = internalPlain.connectPromise

export const connectTlsPromise: (
  options: HappyEyeballs.Target & ConnectTlsOptions & PromiseOptions
) => Promise<tls.TLSSocket> = internalPlain.connectTlsPromise

export interface HttpAgentOptions extends http.AgentOptions {
  readonly happyEyeballs?: PlainOptions | undefined
}

export interface HttpsAgentOptions extends https.AgentOptions {
  readonly happyEyeballs?: PlainOptions | undefined
}

export const HttpAgent: new(options?: HttpAgentOptions) => http.Agent = internalAgent.HttpAgent

export const HttpsAgent: new(options?: HttpsAgentOptions) => https.Agent = internalAgent.HttpsAgent

export interface ConnectorOptions {
  readonly hostname: string
  readonly host?: string
  readonly protocol: string
  readonly port: string
  readonly servername?: string
  readonly localAddress?: string | null
  readonly socketPath?: string | null
  readonly httpSocket?: net.Socket
}

export interface Connector {
  (
    options: ConnectorOptions,
    callback: (...result: [error: null, socket: net.Socket | tls.TLSSocket] | [error: Error, socket: null]) => void
  ): void
}

export const connector: (connector: Connector, options?: PlainOptions) => Connector = internalConnector.racing
