import * as net from "node:net"
import * as readline from "node:readline"
import { Agent, buildConnector, setGlobalDispatcher } from "undici"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { ports } from "../../test/support/wire/peers.js"
import { codeOf } from "../support/errors.js"
import { limit, type Reply, type Way } from "./protocol.js"

// Reads hosts from its input, connects to each in the way that its argument names, and writes the replies.

const get = async (host: string, signal: AbortSignal) => {
  const response = await fetch(`http://${host}:${ports.http}/`, { signal })
  await response.text()
}

const ways: Record<Way, (host: string, signal: AbortSignal) => Promise<void>> = {
  connectPromise: async (host, signal) => {
    const socket = await NodeHappyEyeballs.connectPromise({ host, port: ports.plain, signal })
    socket.destroy()
  },
  connector: get,
  "net.connect": (host, signal) =>
    new Promise((resolve, reject) => {
      const socket = net.connect({ host, port: ports.plain, signal })
      socket.on("error", reject).on("connect", () => {
        socket.destroy()
        resolve()
      })
    }),
  fetch: get
}

const way = process.argv[2] as Way
if (way === "connector") {
  setGlobalDispatcher(new Agent({ connect: NodeHappyEyeballs.connector(buildConnector({})) }))
}

const connect = async (host: string): Promise<Reply> => {
  const signal = AbortSignal.timeout(limit)
  try {
    await ways[way](host, signal)
    return { connected: true }
  } catch (error) {
    return signal.aborted ? { connected: false } : { connected: false, code: codeOf(error) }
  }
}

readline.createInterface({ input: process.stdin })
  .on("line", async (host) => process.stdout.write(`${JSON.stringify(await connect(host))}\n`))
  .on("close", () => process.exit())
process.stdout.write("ready\n")
