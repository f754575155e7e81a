import { once } from "node:events"
import * as net from "node:net"
import * as tls from "node:tls"
import * as NodeHappyEyeballs from "../../../src/NodeHappyEyeballs.js"
import { ca } from "../sockets.js"

// Each client as a program uses it that has nothing else to do. It loads no other.

/** What a client is asked for. */
interface Request {
  readonly happyEyeballs: NodeHappyEyeballs.PlainOptions
  readonly port: number
  readonly secure: boolean
  /** Leaves the client while it connects. */
  readonly signal?: AbortSignal
}

/** Connects, and tells what is answered. */
export type Use = (request: Request) => Promise<string>

const host = "happy.test"

const from = <A>(clients: Record<string, A>, name: string): A => {
  const client = clients[name]
  if (client === undefined) {
    throw new Error(`There is no client \`${name}\`.`)
  }
  return client
}

const first = async (socket: net.Socket) => {
  const [data] = await once(socket, "data")
  return `${data}`
}

const open = ({ happyEyeballs, port, secure }: Request) =>
  secure
    ? NodeHappyEyeballs.createTlsConnection({ host, port, ca, happyEyeballs })
    : NodeHappyEyeballs.createConnection({ host, port, happyEyeballs })

const unrefIfLeft = (socket: net.Socket, { signal }: Request) => first(signal === undefined ? socket : socket.unref())

const sockets: Record<string, Use> = {
  createConnection: (request) => {
    const socket = open(request)
    request.signal?.addEventListener("abort", () => socket.destroy())
    return first(socket)
  },
  connectPromise: async ({ happyEyeballs, port, secure, signal }) => {
    const options = { host, port, signal, ...happyEyeballs }
    return first(
      await (secure
        ? NodeHappyEyeballs.connectTlsPromise({ ca, ...options })
        : NodeHappyEyeballs.connectPromise(options))
    )
  },
  "createConnection, unref": (request) => unrefIfLeft(open(request), request),
  "createConnection, not left": (request) => first(open(request)),
  "Node's own, unref": (request) => {
    const { port, secure, signal } = request
    const address = signal === undefined ? "127.0.0.3" : "127.0.0.4"
    const socket = secure
      ? tls.connect({ host: address, port, servername: host, ca })
      : net.connect(port, address)
    return unrefIfLeft(socket, request)
  }
}

/** What goes on connecting, whatever its user does, has a time limit, in milliseconds. */
const limitOf = (name: string) =>
  name.startsWith("undici") || name === "Node's fetch" || name.endsWith("polling") ? { limit: 500 } : {}

const kinds = {
  sockets: async (name: string): Promise<Use> => from(sockets, name),
  // Nobody closes what is kept alive. What is left while it connects is aborted, and closed where the agents are not ours.
  http: async (name: string): Promise<Use> => {
    const { isOfAgents, make } = from((await import("./http.js")).rows, name)
    return ({ happyEyeballs, port, secure, signal }) => {
      const client = make({ happyEyeballs, tls: { ca }, ...(signal && limitOf(name)) })
      if (isOfAgents !== true) {
        signal?.addEventListener("abort", () => void client.close())
      }
      return client.get(`${secure ? "https" : "http"}://${host}:${port}/`, signal)
    }
  },
  webSockets: async (name: string): Promise<Use> => {
    const echo = from((await import("./webSockets.js")).echoes, name)
    return ({ happyEyeballs, port, secure, signal }) =>
      echo({
        happyEyeballs: { ...happyEyeballs, ...(signal && { timeout: limitOf(name).limit }) },
        url: `${secure ? "wss" : "ws"}://${host}:${port}`,
        ...(signal && { signal })
      })
  },
  drivers: async (name: string): Promise<Use> => from((await import("./drivers.js")).asks, name)
}

export type Kind = keyof typeof kinds

export const useOf = (kind: Kind, name: string): Promise<Use> => kinds[kind](name)
