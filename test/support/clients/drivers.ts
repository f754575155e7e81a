import { AbstractConnector, Redis } from "ioredis"
import { MqttClient } from "mqtt"
import * as mysql from "mysql2/promise"
import { createTransport } from "nodemailer"
import pg from "pg"
import * as NodeHappyEyeballs from "../../../src/NodeHappyEyeballs.js"
import { ca } from "../sockets.js"

// The drivers that programs use, each with our connections, as its users write it.

/** What a driver is made with. */
export interface Settings {
  readonly happyEyeballs: NodeHappyEyeballs.PlainOptions
  readonly port: number
  readonly secure?: boolean
  /** How long it may take to connect, in milliseconds. */
  readonly limit?: number
  /** Leaves it while it connects, by the means of the driver where it has any that stop it, else by those of the socket. */
  readonly signal?: AbortSignal
}

/** Connects, asks for the answer, which is 42, and closes. */
export type Ask = (settings: Settings) => Promise<string>

const host = "happy.test"

const withSignal = (signal: AbortSignal | undefined) => signal === undefined ? {} : { signal }

export const ofPg: Ask = async ({ happyEyeballs, limit, port, secure, signal }) => {
  const client = new pg.Client({
    host,
    port,
    user: "postgres",
    ssl: secure === true && { ca: ca.join("\n") },
    connectionTimeoutMillis: limit,
    stream: () =>
      Object.assign(
        NodeHappyEyeballs.createConnection({ host, port, happyEyeballs, ...withSignal(signal) }),
        { connect: () => {} }
      )
  })
  client.on("error", () => {})
  try {
    await client.connect()
    const { rows } = await client.query<{ readonly answer: number }>("select 42 as answer")
    return `${rows[0]?.answer}`
  } finally {
    await client.end()
  }
}

export const ofMysql2: Ask = async ({ happyEyeballs, limit, port, signal }) => {
  const pool = mysql.createPool({
    host,
    port,
    ...(limit !== undefined && { connectTimeout: limit }),
    stream: () =>
      NodeHappyEyeballs.createConnection({
        host,
        port,
        noDelay: true,
        keepAlive: true,
        happyEyeballs,
        ...withSignal(signal)
      })
  })
  try {
    const [rows] = await pool.query<Array<mysql.RowDataPacket>>("select 42 as answer")
    return `${rows[0]?.["answer"]}`
  } finally {
    await pool.end()
  }
}

export const ofIoredis: Ask = async ({ happyEyeballs, limit, port, secure, signal }) => {
  class Connector extends AbstractConnector {
    constructor() {
      super(2_000)
    }
    async connect() {
      return this.stream = secure === true
        ? NodeHappyEyeballs.createTlsConnection({ host, port, ca, happyEyeballs })
        : NodeHappyEyeballs.createConnection({ host, port, happyEyeballs })
    }
  }
  const client = new Redis({
    Connector,
    host,
    port,
    lazyConnect: true,
    retryStrategy: () => null,
    ...(secure === true && { tls: {} }),
    ...(limit !== undefined && { connectTimeout: limit })
  })
  signal?.addEventListener("abort", () => client.disconnect())
  // It rejects with "Connection is closed", and tells of the reason here.
  const failed = new Promise<never>((_, reject) => client.once("error", reject))
  failed.catch(() => {})
  try {
    return await Promise.race([failed, client.echo("42")])
  } finally {
    // A second time begins the wait for the socket to close once more.
    if (signal?.aborted !== true) {
      client.disconnect()
    }
  }
}

export const ofMqtt: Ask = async ({ happyEyeballs, limit, port, secure, signal }) => {
  const client = new MqttClient(
    () =>
      secure === true
        ? NodeHappyEyeballs.createTlsConnection({ host, port, ca, happyEyeballs })
        : NodeHappyEyeballs.createConnection({ host, port, happyEyeballs }),
    { reconnectPeriod: 0, ...(limit !== undefined && { connectTimeout: limit }) }
  )
  signal?.addEventListener("abort", () => client.end(true))
  try {
    return await new Promise((resolve, reject) => {
      client.once("error", reject).once("close", () => reject(new Error("closed"))).once(
        "message",
        (_topic, message) => resolve(message.toString())
      )
      client.once("connect", () => client.subscribe("answer", () => void client.publish("answer", "42")))
    })
  } finally {
    await client.endAsync(true)
  }
}

export const ofNodemailer: Ask = async ({ happyEyeballs, limit, port, secure = false, signal }) => {
  const options = { ca, timeout: limit, signal, ...happyEyeballs }
  const transport = createTransport({
    host,
    port,
    secure,
    tls: { ca },
    getSocket: (_, callback) =>
      secure
        ? void NodeHappyEyeballs.connectTlsPromise({ host, port, ...options }).then(
          (connection) => callback(null, { connection, secured: true }),
          callback
        )
        : void NodeHappyEyeballs.connectPromise({ host, port, ...options }).then(
          (connection) => callback(null, { connection }),
          callback
        )
  })
  try {
    const { response } = await transport.sendMail({ from: "a@happy.test", to: "b@happy.test", text: "6 * 7" })
    return response.replace("250 ", "")
  } finally {
    transport.close()
  }
}

/** All of them. */
export const asks: Record<string, Ask> = {
  pg: ofPg,
  mysql2: ofMysql2,
  ioredis: ofIoredis,
  mqtt: ofMqtt,
  nodemailer: ofNodemailer
}
