import * as HttpClient from "@effect/platform/HttpClient"
import axios from "axios"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as ManagedRuntime from "effect/ManagedRuntime"
import { got } from "got"
import fetchOfNode from "node-fetch"
import type * as https from "node:https"
import type * as tls from "node:tls"
import superagent from "superagent"
import * as undici7 from "undici"
import * as undici6 from "undici6"
import * as NodeHappyEyeballs from "../../../src/NodeHappyEyeballs.js"

// The clients of HTTP that programs use, each with our connections, as its users write it.

/** What a client is made with. */
export interface Settings {
  readonly happyEyeballs: NodeHappyEyeballs.PlainOptions
  readonly tls?: Pick<tls.ConnectionOptions, "ca" | "checkServerIdentity">
  /** How long it may take to connect, in milliseconds, by the means of the client itself where it has any. */
  readonly limit?: number
  /** Judges a connection when it is secured. */
  readonly judge?: (socket: tls.TLSSocket) => void
}

/** A client at work. */
export interface Client {
  /** The text of a page. */
  readonly get: (url: string, signal?: AbortSignal) => Promise<string>
  readonly close: () => unknown
}

export type Make = (settings: Settings) => Client

const agentsOf = ({ happyEyeballs, judge, tls }: Settings) => {
  class JudgingAgent extends NodeHappyEyeballs.HttpsAgent {
    override createConnection(...args: Parameters<https.Agent["createConnection"]>) {
      const socket = super.createConnection(...args)
      if (judge !== undefined) {
        socket?.once("secureConnect", () => judge(socket as tls.TLSSocket))
      }
      return socket
    }
  }
  return {
    http: new NodeHappyEyeballs.HttpAgent({ keepAlive: true, happyEyeballs }),
    https: new JudgingAgent({ keepAlive: true, happyEyeballs, ...tls })
  }
}

type Agents = ReturnType<typeof agentsOf>

const destroying = (agents: Agents) => () => {
  agents.http.destroy()
  agents.https.destroy()
}

const withAgents = (get: (settings: Settings, agents: Agents) => Client["get"]): Make => (settings) => {
  const agents = agentsOf(settings)
  return { get: get(settings, agents), close: destroying(agents) }
}

const withSignal = (signal: AbortSignal | undefined) => signal === undefined ? {} : { signal }

const ofAxios = withAgents(({ limit = 0 }, agents) => {
  const client = axios.create({ httpAgent: agents.http, httpsAgent: agents.https, timeout: limit })
  return async (url, signal) => (await client.get<string>(url, withSignal(signal))).data
})

/** Axios goes around follow-redirects, which has a timer of its own, where there are no redirects. */
const ofAxiosAlone = withAgents(({ limit = 0 }, agents) => {
  const client = axios.create({
    httpAgent: agents.http,
    httpsAgent: agents.https,
    maxRedirects: 0,
    timeout: limit
  })
  return async (url, signal) => (await client.get<string>(url, withSignal(signal))).data
})

const ofGot = withAgents(({ limit }, agents) => {
  const client = got.extend({
    agent: agents,
    retry: { limit: 0 },
    ...(limit !== undefined && { timeout: { lookup: limit, connect: limit } })
  })
  return (url, signal) => client(url, withSignal(signal)).text()
})

const ofNodeFetch = withAgents(({ limit }, agents) => async (url, signal) => {
  const response = await fetchOfNode(url, {
    agent: ({ protocol }) => protocol === "https:" ? agents.https : agents.http,
    ...withSignal(signal ?? (limit === undefined ? undefined : AbortSignal.timeout(limit)))
  })
  return response.text()
})

const ofSuperagent = withAgents(({ limit }, agents) => async (url, signal) => {
  const request = superagent.get(url).agent(url.startsWith("https:") ? agents.https : agents.http)
  if (limit !== undefined) {
    request.timeout({ deadline: limit })
  }
  const abort = () => void request.abort()
  signal?.addEventListener("abort", abort)
  try {
    return (await request).text
  } finally {
    signal?.removeEventListener("abort", abort)
  }
})

interface Dispatcher {
  destroy(): Promise<void>
}

interface Readable {
  text(): Promise<string>
}

/** What is used of undici, of any version. */
interface Undici<D extends Dispatcher> {
  readonly Agent: new(options: { readonly connect: NodeHappyEyeballs.Connector; readonly allowH2?: boolean }) => D
  buildConnector(options: object): NodeHappyEyeballs.Connector
  fetch(url: string, options: { dispatcher: D; signal: AbortSignal | null }): Promise<Readable>
  request(
    url: string,
    options: { dispatcher: D; signal: AbortSignal | null }
  ): Promise<{ readonly body: Readable; readonly context: object }>
}

const agentOf = <D extends Dispatcher>(
  { Agent, buildConnector }: Undici<D>,
  { happyEyeballs, limit, tls }: Settings,
  allowH2: boolean
): D =>
  new Agent({
    allowH2,
    connect: NodeHappyEyeballs.connector(buildConnector({ allowH2, ...tls }), {
      ...(limit !== undefined && { timeout: limit }),
      ...happyEyeballs
    })
  })

/** Undici's `request`. */
export const requesting = <D extends Dispatcher>(undici: Undici<D>, allowH2 = false): Make => (settings) => {
  const dispatcher = agentOf(undici, settings, allowH2)
  return {
    get: async (url, signal = new AbortController().signal) => {
      const { body } = await undici.request(url, { dispatcher, signal })
      return body.text()
    },
    close: () => dispatcher.destroy()
  }
}

/** Undici's `fetch`. */
export const fetching = <D extends Dispatcher>(undici: Undici<D>, allowH2 = false): Make => (settings) => {
  const dispatcher = agentOf(undici, settings, allowH2)
  return {
    get: async (url, signal = new AbortController().signal) => (await undici.fetch(url, { dispatcher, signal })).text(),
    close: () => dispatcher.destroy()
  }
}

/** Node's own `fetch`, whose undici is not the one that the agent is of. */
const ofFetch: Make = (settings) => {
  const dispatcher = agentOf(undici7, settings, false)
  return {
    get: async (url, signal = new AbortController().signal) => {
      const init: RequestInit & { readonly dispatcher: Dispatcher } = { dispatcher, signal }
      return (await fetch(url, init)).text()
    },
    close: () => dispatcher.destroy()
  }
}

/** They take longest to load, and only those load them who use them. */
const loadPlatform = async () => ({
  NodeHttpClient: await import("@effect/platform-node/NodeHttpClient"),
  HappyEyeballsHttpClient: await import("../../../src/HappyEyeballsHttpClient.js")
})

type Platform = Awaited<ReturnType<typeof loadPlatform>>

const ofEffect = (
  makeLayer: (platform: Platform, settings: Settings) => Layer.Layer<HttpClient.HttpClient>
): Make =>
(settings) => {
  const runtime = ManagedRuntime.make(
    Layer.unwrapEffect(Effect.map(Effect.promise(loadPlatform), (platform) => makeLayer(platform, settings)))
  )
  return {
    get: async (url, signal) => {
      const page = Effect.flatMap(
        HttpClient.HttpClient,
        (client) => Effect.flatMap(HttpClient.followRedirects(client).get(url), ({ text }) => text)
      )
      const exit = await runtime.runPromiseExit(page, withSignal(signal))
      if (Exit.isFailure(exit)) {
        throw Cause.squash(exit.cause)
      }
      return exit.value
    },
    close: () => runtime.dispose()
  }
}

const limited = ({ happyEyeballs, limit }: Settings) => ({
  ...(limit !== undefined && { timeout: limit }),
  ...happyEyeballs
})

const ofNodeHttpClient = ofEffect(({ HappyEyeballsHttpClient, NodeHttpClient }, settings) =>
  Layer.provide(
    NodeHttpClient.layerWithoutAgent,
    HappyEyeballsHttpClient.layerAgent({ ...settings.tls, keepAlive: true, happyEyeballs: limited(settings) })
  )
)

const ofNodeHttpClientUndici = ofEffect(({ HappyEyeballsHttpClient, NodeHttpClient }, settings) =>
  Layer.provide(
    NodeHttpClient.layerUndiciWithoutDispatcher,
    HappyEyeballsHttpClient.layerDispatcher({ connect: settings.tls ?? {}, happyEyeballs: limited(settings) })
  )
)

const [major = 0, minor = 0] = process.versions.node.split(".").map(Number)

/** Undici 8 needs Node 22.19. */
export const undici8 = major > 22 || major === 22 && minor >= 19 ? await import("undici8") : undefined

export { undici6, undici7 }

/** A client, and what its users see of errors: names and codes, of the error and of its causes. */
export interface Row {
  readonly make: Make
  /** Node's own error for a connection, as the client tells it. */
  readonly told: (error: string) => string
  /** What it says when a name, or a handshake, has taken longer than its limit. */
  readonly late: { readonly name: string; readonly handshake: string }
  /** What it says when it is aborted. */
  readonly aborted: string
  /** What it says to a redirect from HTTP to HTTPS. Nothing if it follows that; null if it follows none. */
  readonly redirected?: string | null
  /** The agents are ours, so that a subclass can judge connections. */
  readonly isOfAgents?: true
}

/** Where an error is the cause of its own copy. */
const twice = (error: string) => `${error} < ${error}`

const ofAgents = { isOfAgents: true } as const

const slow = "could not connect to happy.test port PORT in time"

const undiciLate = (wrap: (error: string) => string) => ({
  name: wrap(`ConnectTimeoutError UND_ERR_CONNECT_TIMEOUT: ${slow}`),
  handshake: wrap(`ConnectTimeoutError UND_ERR_CONNECT_TIMEOUT: ${slow}; addresses tried: 1`)
})

const request = (make: Make): Row => ({
  make,
  told: (error) => error,
  late: undiciLate((error) => error),
  // Undici 6 and 7 look at the signal when they have connected, also with their own connector. The limit comes first.
  aborted: undiciLate((error) => error).handshake,
  redirected: null
})

const failed = (error: string) => `TypeError: fetch failed < ${error}`

const fetched = (make: Make): Row => ({
  make,
  told: failed,
  late: undiciLate(failed),
  aborted: "AbortError 20: This operation was aborted"
})

const transport = (error: string) => `RequestError: Transport error (GET URL) < ${error}`

/** All of them. */
export const rows: Record<string, Row> = {
  axios: {
    ...ofAgents,
    make: ofAxios,
    told: twice,
    late: {
      name: "AxiosError ECONNABORTED: timeout of 200ms exceeded",
      handshake: "AxiosError ECONNABORTED: timeout of 200ms exceeded"
    },
    aborted: "CanceledError ERR_CANCELED: canceled"
  },
  "axios without redirects": {
    ...ofAgents,
    make: ofAxiosAlone,
    told: twice,
    late: {
      name: "AxiosError ECONNABORTED: timeout of 200ms exceeded",
      handshake: "AxiosError ECONNABORTED: timeout of 200ms exceeded"
    },
    aborted: "CanceledError ERR_CANCELED: canceled",
    redirected: null
  },
  got: {
    ...ofAgents,
    make: ofGot,
    told: (error) => `RequestError ${error.slice(error.indexOf(" ") + 1)} < ${error}`,
    late: {
      name: twice("TimeoutError ETIMEDOUT: Timeout awaiting 'lookup' for 200ms"),
      handshake: twice("TimeoutError ETIMEDOUT: Timeout awaiting 'connect' for 200ms")
    },
    aborted: "AbortError ERR_ABORTED: This operation was aborted. < [object Object]"
  },
  "node-fetch": {
    ...ofAgents,
    make: ofNodeFetch,
    told: (error) => error.replace(/^\w+ (\w+): /, "FetchError $1: request to URL failed, reason: "),
    late: { name: "AbortError: The operation was aborted.", handshake: "AbortError: The operation was aborted." },
    aborted: "AbortError: The operation was aborted."
  },
  superagent: {
    ...ofAgents,
    make: ofSuperagent,
    told: (error) => error,
    late: {
      name: "Error ECONNABORTED: Timeout of 200ms exceeded",
      handshake: "Error ECONNABORTED: Timeout of 200ms exceeded"
    },
    aborted: "Error ABORTED: Aborted",
    // It has one agent for all of a request.
    redirected: `TypeError ERR_INVALID_PROTOCOL: Protocol "https:" not supported. Expected "http:"`
  },
  "undici 6, request": request(requesting(undici6)),
  "undici 6, fetch": fetched(fetching(undici6)),
  "undici 7, request": request(requesting(undici7)),
  "undici 7, fetch": fetched(fetching(undici7)),
  ...(undici8 && {
    // It looks at the signal while it connects.
    "undici 8, request": { ...request(requesting(undici8)), aborted: "AbortError 20: This operation was aborted" },
    "undici 8, fetch": fetched(fetching(undici8))
  }),
  "Node's fetch": fetched(ofFetch),
  "NodeHttpClient, node:http": {
    make: ofNodeHttpClient,
    told: transport,
    late: {
      name: transport(`Error ETIMEDOUT: ${slow}`),
      handshake: transport(`Error ETIMEDOUT: ${slow}; addresses tried: 1`)
    },
    aborted: "InterruptedException: Interrupted by fibers: #FIBER"
  },
  "NodeHttpClient, undici": {
    make: ofNodeHttpClientUndici,
    told: transport,
    late: undiciLate(transport),
    aborted: "InterruptedException: Interrupted by fibers: #FIBER"
  }
}
