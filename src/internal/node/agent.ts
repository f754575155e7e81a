import { constVoid } from "effect/Function"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import type { Duplex } from "node:stream"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import type * as NodeHappyEyeballs from "../../NodeHappyEyeballs.js"
import { run } from "./promise.js"
import { connected, familyOf, identityOf, secured, withoutDot } from "./socket.js"
import { makeResolver } from "./system.js"

type Callback = (error: Error | null, socket: Duplex) => void

type Lists<A> = Record<string, Array<A> | undefined>

/** What Node's agents are made of. TypeScript's declarations leave out what is meant for subclasses. */
interface Internals {
  readonly sockets: Lists<net.Socket>
  readonly requests: Lists<http.ClientRequest>
  totalSocketCount: number
  addRequest(request: http.ClientRequest, ...rest: ReadonlyArray<unknown>): void
  createConnection(options: object, callback?: Callback, ...rest: ReadonlyArray<unknown>): net.Socket
  createSocket(request: http.ClientRequest, options: object, callback: Callback): void
  removeSocket(socket: net.Socket, options: object): void
}

/** The options of the agent and of the request, as an agent passes them on. */
interface ConnectionOptions extends https.RequestOptions {
  readonly _agentKey?: string
  readonly proxyEnv?: unknown
  readonly happyEyeballs?: NodeHappyEyeballs.PlainOptions | undefined
}

/** Whether it was there. */
const remove = <A>(lists: Lists<A>, key: string, value: A): boolean => {
  const list = lists[key] ?? []
  const index = list.indexOf(value)
  if (index >= 0) {
    list.splice(index, 1)
    if (list.length === 0) {
      delete lists[key]
    }
  }
  return index >= 0
}

const hangUp = () => Object.assign(new Error("socket hang up"), { code: "ECONNRESET" })

/** An agent whose connections are raced, each address by Node's own `createConnection`. */
class Racing {
  private readonly agent: Internals
  private readonly node: Internals
  /** The sockets that stand in for those of requests. */
  private readonly standIns = new WeakMap<http.ClientRequest, net.Socket>()
  /** The request for which Node asks for a connection at this moment. */
  private current: http.ClientRequest | undefined

  constructor(agent: object, base: object, private readonly open: typeof secured<net.Socket>) {
    this.agent = agent as Internals
    this.node = base as Internals
  }

  /** A request that has no socket yet tells nobody that it is destroyed. */
  addRequest(request: http.ClientRequest, rest: ReadonlyArray<unknown>): void {
    const { destroy } = request
    request.destroy = (reason) => {
      destroy.call(request, reason)
      this.standIns.get(request)?.destroy()
      return request
    }
    this.node.addRequest.call(this.agent, request, ...rest)
  }

  /** `createConnection` is the documented place for connections of another kind, but is not told for which request. */
  createSocket(request: http.ClientRequest, options: object, callback: Callback): void {
    this.current = request
    try {
      this.node.createSocket.call(this.agent, request, options, callback)
    } finally {
      this.current = undefined
    }
  }

  createConnection(
    options: ConnectionOptions,
    callback: Callback | undefined,
    rest: ReadonlyArray<unknown>
  ): net.Socket | undefined {
    const { current } = this
    // Not through proxies that Node itself goes through (from 24 on), and not to a path of the file system.
    if (current === undefined || callback === undefined || options.socketPath || options.proxyEnv) {
      return this.node.createConnection.call(this.agent, options, callback, ...rest)
    }
    this.race(current, options, callback)
    return undefined
  }

  /**
   * As long as the race runs, a socket that never connects stands in for the one that is to come: `maxSockets` counts
   * it, it is destroyed with its agent or its request, and it times out as one that is being connected does.
   */
  private race(request: http.ClientRequest, options: ConnectionOptions, callback: Callback): void {
    const { agent } = this
    const { _agentKey: key = "" } = options
    // The request's own comes before the agent's, which is what is in the options.
    const { timeout = options.timeout } = request as { readonly timeout?: number }
    const standIn = new net.Socket()
    const sockets = agent.sockets[key] ??= []
    sockets.push(standIn)
    agent.totalSocketCount++
    this.standIns.set(request, standIn)
    // One that has waited for its turn has it now; no other socket that becomes free is to be given to it.
    const hasWaited = remove(agent.requests, key, request)

    const settle = () => {
      remove(agent.sockets, key, standIn)
      agent.totalSocketCount--
      this.standIns.delete(request)
      standIn.off("close", stop).destroy()
    }
    const fail = (error: Error) => {
      settle()
      if (request.destroyed) {
        // It knows why.
        ;(request as { onSocket(socket?: net.Socket): void }).onSocket()
      } else {
        ;(callback as (error: Error) => void)(error)
      }
      agent.removeSocket(standIn, options)
    }
    let interrupt = constVoid
    const stop = () => {
      interrupt()
      fail(hangUp())
    }
    standIn.once("close", stop)
    if (request.destroyed) {
      return void standIn.destroy()
    }
    if (timeout) {
      standIn.setTimeout(timeout, () => request.emit("timeout"))
    }

    const { happyEyeballs = {}, hints, lookup } = options
    interrupt = run(
      this.connecting(options),
      happyEyeballs.resolver ?? makeResolver({ hints, lookup }),
      (error, socket) => {
        if (error !== null) {
          return fail(error)
        }
        // Between its win and now there may have been time, for a history that remembers it.
        if (socket.destroyed) {
          return fail(socket.errored ?? hangUp())
        }
        settle()
        if (hasWaited) {
          // Node gives a new socket to the first that waits.
          agent.requests[key] = [request, ...agent.requests[key] ?? []]
        }
        callback(null, socket)
      }
    )
  }

  private connecting(options: ConnectionOptions) {
    const { happyEyeballs = {}, host = "localhost", localAddress } = options
    const family = options.family === 4 || options.family === 6 ? options.family : happyEyeballs.family
    const named = options.servername === undefined
      ? options
      : { ...options, servername: withoutDot(options.servername) }
    const own = { ...named, ...identityOf(host ?? "", named), autoSelectFamily: false, lookup: undefined }
    return HappyEyeballs.connect(
      { host: host ?? "", port: Number(options.port) },
      ({ address }) =>
        this.open(
          () => this.node.createConnection.call(this.agent, { ...own, host: address }),
          happyEyeballs.connectionAttemptDelay
        ),
      { ...happyEyeballs, family: familyOf({ family, localAddress }) }
    )
  }
}

/** @internal */
export class HttpAgent extends http.Agent {
  private readonly racing = new Racing(this, http.Agent.prototype, connected)

  addRequest(request: http.ClientRequest, ...rest: ReadonlyArray<unknown>) {
    this.racing.addRequest(request, rest)
  }
  createSocket(request: http.ClientRequest, options: object, callback: Callback) {
    this.racing.createSocket(request, options, callback)
  }
  override createConnection(options: object, callback?: Callback, ...rest: ReadonlyArray<unknown>) {
    return this.racing.createConnection(options, callback, rest)
  }
}

/** @internal */
export class HttpsAgent extends https.Agent {
  private readonly racing = new Racing(this, https.Agent.prototype, secured)

  addRequest(request: http.ClientRequest, ...rest: ReadonlyArray<unknown>) {
    this.racing.addRequest(request, rest)
  }
  createSocket(request: http.ClientRequest, options: object, callback: Callback) {
    this.racing.createSocket(request, options, callback)
  }
  override createConnection(options: object, callback?: Callback, ...rest: ReadonlyArray<unknown>) {
    return this.racing.createConnection(options, callback, rest)
  }
}
