import { constVoid } from "effect/Function"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import type { Duplex } from "node:stream"
import * as HappyEyeballs from "../HappyEyeballs.js"
import type * as NodeHappyEyeballs from "../NodeHappyEyeballs.js"
import { run } from "./nodePlain.js"
import { familyOf, makeResolver, plain, secure } from "./nodeSocket.js"

type Callback = (error: Error | null, socket: Duplex) => void

type Listed<A> = Record<string, Array<A> | undefined>

/** What Node's agents are made of. TypeScript's declarations leave out what is meant for subclasses. */
interface Agent {
  readonly sockets: Listed<net.Socket>
  readonly requests: Listed<http.ClientRequest>
  totalSocketCount: number
  createConnection(options: object, callback?: Callback): net.Socket
  createSocket(request: http.ClientRequest, options: object, callback: Callback): void
  removeSocket(socket: net.Socket, options: object): void
}

const requestKey: unique symbol = Symbol.for("effect-staggered-race/NodeHappyEyeballs/request")

/** The options of the agent and of the request, as an agent passes them on. */
interface ConnectionOptions extends https.RequestOptions {
  readonly _agentKey: string
  readonly happyEyeballs?: NodeHappyEyeballs.PlainOptions | undefined
  readonly [requestKey]: http.ClientRequest
}

const remove = <A>(lists: Listed<A>, key: string, value: A): void => {
  const rest = lists[key]?.filter((other) => other !== value) ?? []
  if (rest.length > 0) {
    lists[key] = rest
  } else {
    delete lists[key]
  }
}

/**
 * Connects to whichever address answers first, each by Node's own `createConnection`.
 *
 * As long as the race runs, a socket that never connects stands in for the one that is to come: `maxSockets` counts
 * it, it is destroyed with its agent or its request, and it times out as one that is being connected does.
 */
const race = (agent: Agent, node: Agent, open: typeof plain, options: ConnectionOptions, callback: Callback): void => {
  const { _agentKey: key, [requestKey]: request, family, happyEyeballs = {} } = options
  const standIn = new net.Socket()
  const sockets = agent.sockets[key] ??= []
  sockets.push(standIn)
  agent.totalSocketCount++

  const settle = () => {
    remove(agent.sockets, key, standIn)
    agent.totalSocketCount--
    standIn.off("close", stop).destroy()
  }
  const fail = (error: Error) => {
    settle()
    // It may be one that waits for any connection; then it is this one's failure that it gets.
    remove(agent.requests, key, request)
    ;(callback as (error: Error) => void)(error)
    agent.removeSocket(standIn, options)
  }
  const stop = () => {
    interrupt()
    fail(standIn.errored ?? Object.assign(new Error("socket hang up"), { code: "ECONNRESET" }))
  }

  const connecting = HappyEyeballs.connect(
    { host: options.host ?? "localhost", port: Number(options.port) },
    ({ address }) =>
      open(() =>
        node.createConnection.call(agent, { ...options, autoSelectFamily: false, host: address, lookup: undefined })
      ),
    {
      ...happyEyeballs,
      family: familyOf({
        family: family === 4 || family === 6 ? family : happyEyeballs.family,
        localAddress: options.localAddress
      })
    }
  )
  const resolver = happyEyeballs.resolver ?? makeResolver({ hints: options.hints, lookup: options.lookup })
  const interrupt = run(connecting, resolver, (error, socket) => {
    if (error !== null) {
      return fail(error)
    }
    settle()
    callback(null, socket)
  })

  standIn.once("close", stop).on("error", constVoid)
  if (options.timeout) {
    standIn.setTimeout(options.timeout, () => request.emit("timeout"))
  }
  // A request without a socket says nothing when it is destroyed.
  const { destroy } = request
  request.destroy = (error) => {
    destroy.call(request, error)
    standIn.destroy(error)
    return request
  }
}

const methods = (self: object, base: { readonly prototype: object }, open: typeof plain) => {
  const agent = self as Agent
  const node = base.prototype as Agent
  return {
    // The documented place for connections of another kind; but it is not told for which request they are.
    createConnection: (options: object, callback?: Callback): net.Socket | undefined =>
      isForRequest(options) && !options.socketPath && callback !== undefined
        ? void race(agent, node, open, options, callback)
        : node.createConnection.call(agent, options, callback),
    createSocket: (request: http.ClientRequest, options: object, callback: Callback): void =>
      node.createSocket.call(agent, request, { ...options, [requestKey]: request }, callback)
  }
}

const isForRequest = (options: object): options is ConnectionOptions => requestKey in options

/** @internal */
export class HttpAgent extends http.Agent {
  private readonly racing = methods(this, http.Agent, plain)

  constructor(options?: NodeHappyEyeballs.HttpAgentOptions) {
    super(options)
  }
  override createConnection(options: object, callback?: Callback) {
    return this.racing.createConnection(options, callback)
  }
  createSocket(request: http.ClientRequest, options: object, callback: Callback) {
    return this.racing.createSocket(request, options, callback)
  }
}

/** @internal */
export class HttpsAgent extends https.Agent {
  private readonly racing = methods(this, https.Agent, secure)

  constructor(options?: NodeHappyEyeballs.HttpsAgentOptions) {
    super(options)
  }
  override createConnection(options: object, callback?: Callback) {
    return this.racing.createConnection(options, callback)
  }
  createSocket(request: http.ClientRequest, options: object, callback: Callback) {
    return this.racing.createSocket(request, options, callback)
  }
}
