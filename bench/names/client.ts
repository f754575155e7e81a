import dns from "node:dns"
import { once } from "node:events"
import * as http from "node:http"
import * as net from "node:net"
import { Agent, buildConnector, setGlobalDispatcher } from "undici"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { codeOf } from "../support/errors.js"
import type { Job, Outcome, Way } from "./job.js"

// Runs the job on its command line: connects or sends requests, and writes each outcome as a line of JSON.

const { atOnce, hosts, port, resultOrder, timeout, warmUps, way }: Job = JSON.parse(process.argv[2] ?? "")
dns.setDefaultResultOrder(resultOrder)

type Connect = (host: string) => Promise<unknown>

const connecting = (open: (options: net.TcpNetConnectOpts) => net.Socket): Connect => async (host) => {
  const socket = open({ host, port })
  try {
    await once(socket, "connect", { signal: AbortSignal.timeout(timeout) })
  } finally {
    socket.destroy()
  }
}

const fetching: Connect = async (host) => {
  const response = await fetch(`http://${host}:${port}/`, { signal: AbortSignal.timeout(timeout) })
  await response.text()
}

const requesting = (agent: http.Agent): Connect => (host) =>
  new Promise<void>((resolve, reject) => {
    const request = http.get({ host, port, agent, timeout }, (response) => {
      response.on("error", reject).on("end", resolve).resume()
    })
    request.on("error", reject).on("timeout", () => request.destroy(Object.assign(new Error(), { code: "timeout" })))
  })

const axiosWith = async (settings: { readonly httpAgent?: http.Agent }): Promise<Connect> => {
  const { default: axios } = await import("axios")
  const client = axios.create({ ...settings, timeout, proxy: false })
  return (host) => client.get(`http://${host}:${port}/`)
}

/** For each way, creates what its connections share, and returns how to connect. */
const ways: Record<Way, () => Connect | Promise<Connect>> = {
  ours: () => connecting(NodeHappyEyeballs.createConnection),
  "ours, DNS": () => {
    const resolver = NodeHappyEyeballs.makeDnsResolver()
    return connecting((options) => NodeHappyEyeballs.createConnection({ ...options, happyEyeballs: { resolver } }))
  },
  "ours, history": () => {
    const history = NodeHappyEyeballs.makeHistory()
    return connecting((options) => NodeHappyEyeballs.createConnection({ ...options, happyEyeballs: { history } }))
  },
  "net.connect": () => connecting(net.connect),
  "ours, fetch": () => {
    setGlobalDispatcher(new Agent({ connect: NodeHappyEyeballs.connector(buildConnector({})) }))
    return fetching
  },
  fetch: () => fetching,
  "ours, http": () => requesting(new NodeHappyEyeballs.HttpAgent()),
  http: () => requesting(new http.Agent()),
  "ours, axios": () => axiosWith({ httpAgent: new NodeHappyEyeballs.HttpAgent() }),
  axios: () => axiosWith({})
}

const connect = await ways[way]()

const attempt = async (host: string) => {
  const begin = performance.now()
  const failed = await connect(host).then(() => undefined, codeOf)
  const took = performance.now() - begin
  const outcome: Outcome = failed === undefined ? { took } : { took, failed }
  console.log(JSON.stringify(outcome))
}

for (const host of warmUps) {
  await connect(host).catch(() => {})
}
if (atOnce) {
  await Promise.all(hosts.map(attempt))
} else {
  for (const host of hosts) {
    await attempt(host)
  }
}
// A hanging look-up would keep the process alive, and nothing can stop it.
process.exit()
