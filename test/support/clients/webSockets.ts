import { io } from "socket.io-client"
import { WebSocket } from "ws"
import * as NodeHappyEyeballs from "../../../src/NodeHappyEyeballs.js"
import { ca } from "../sockets.js"

// The clients of WebSockets that programs use, each with our connections, as its users write it.

/** What a client is made with. */
export interface Settings {
  readonly happyEyeballs: NodeHappyEyeballs.PlainOptions
  /** Begins with `ws` or with `wss`. */
  readonly url: string
  /** How long it may take to connect, in milliseconds. */
  readonly limit?: number
  /** Leaves it while it connects. */
  readonly signal?: AbortSignal
}

/** Connects, says hello, waits for the echo, and closes. */
export type Echo = (settings: Settings) => Promise<string>

const agentOf = ({ happyEyeballs, url }: Settings) =>
  url.startsWith("wss:")
    ? new NodeHappyEyeballs.HttpsAgent({ ca, happyEyeballs })
    : new NodeHappyEyeballs.HttpAgent({ happyEyeballs })

const echo = (socket: WebSocket, signal: AbortSignal | undefined) =>
  new Promise<string>((resolve, reject) => {
    signal?.addEventListener("abort", () => socket.terminate())
    socket.once("open", () => socket.send("hello")).once("error", reject).once("message", (data) => {
      socket.close()
      resolve(`${data}`)
    })
  })

export const ofWs: Echo = (settings) => {
  const { limit, signal, url } = settings
  return echo(
    new WebSocket(url, { agent: agentOf(settings), ...(limit !== undefined && { handshakeTimeout: limit }) }),
    signal
  )
}

/** Without an agent. */
export const ofWsConnection: Echo = ({ happyEyeballs, limit, signal, url }) => {
  const createConnection = (options: object) =>
    url.startsWith("wss:")
      ? NodeHappyEyeballs.createTlsConnection({ ...options, ca, happyEyeballs })
      : NodeHappyEyeballs.createConnection({ ...options as NodeHappyEyeballs.CreateConnectionOptions, happyEyeballs })
  return echo(new WebSocket(url, { createConnection, ...(limit !== undefined && { handshakeTimeout: limit }) }), signal)
}

const ofSocketIo = (transports: Array<string>): Echo => async (settings) => {
  const { limit, signal, url } = settings
  const client = io(url.replace(/^ws/, "http"), {
    // It is Node's, whatever the declarations say.
    agent: agentOf(settings) as unknown as boolean,
    forceNew: true,
    reconnection: false,
    transports,
    ...(limit !== undefined && { timeout: limit })
  })
  signal?.addEventListener("abort", () => client.disconnect())
  try {
    return await new Promise((resolve, reject) => {
      client.once("connect_error", reject).once("connect", () => client.emit("echo", "hello", resolve))
    })
  } finally {
    client.disconnect()
  }
}

export const ofSocketIoWebSocket = ofSocketIo(["websocket"])

export const ofSocketIoPolling = ofSocketIo(["polling"])

/** All of them. */
export const echoes: Record<string, Echo> = {
  ws: ofWs,
  "ws, without an agent": ofWsConnection,
  "socket.io-client": ofSocketIoWebSocket,
  "socket.io-client, polling": ofSocketIoPolling
}
