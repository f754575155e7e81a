import { spawn } from "node:child_process"
import { once } from "node:events"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import { readCommand } from "../../scripts/command.js"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"

readCommand(
  `npm run bench:throughput: what our connections carry, divided by what Node's own carry

Both run in one process, in turns, to a server in another process on this machine.

  --help, -h  this text

Ends with status 1 if a ratio is below what it has to be.`,
  {}
)

const rounds = 15
const requests = 3000
const atOnce = 8
const megabytes = 128

const pem = fileURLToPath(new URL("../../../test/fixtures/tls/happy.test.pem", import.meta.url))
const script = fileURLToPath(new URL("server.js", import.meta.url))
const server = spawn(process.execPath, [script, pem, String(megabytes << 20)], { stdio: ["pipe", "pipe", "inherit"] })
const [line] = await once(createInterface({ input: server.stdout }), "line")
const [httpPort, httpsPort, bulkPort] = JSON.parse(line) as [number, number, number]
const host = "localhost"

const get = (request: typeof http.get, options: https.RequestOptions) =>
  new Promise<void>((resume, fail) => {
    request({ host, ...options }, (response) => response.resume().on("end", resume)).on("error", fail)
  })

/** Requests a second. */
const serve = async (agent: http.Agent, request: typeof http.get, port: number): Promise<number> => {
  let left = requests
  const begin = performance.now()
  await Promise.all(Array.from({ length: atOnce }, async () => {
    while (left-- > 0) {
      await get(request, { agent, port, rejectUnauthorized: false })
    }
  }))
  return requests / (performance.now() - begin)
}

/** Bytes a second. */
const download = async (connect: typeof net.connect): Promise<number> => {
  const socket = connect({ host, port: bulkPort })
  await once(socket, "connect")
  const begin = performance.now()
  let bytes = 0
  socket.on("data", ({ length }) => bytes += length)
  await once(socket, "end")
  const took = performance.now() - begin
  socket.destroy()
  return bytes / took
}

interface Case {
  readonly name: string
  readonly least: number
  readonly node: () => Promise<number>
  readonly ours: () => Promise<number>
}

const options = { keepAlive: true, maxSockets: atOnce }
const agents = {
  node: new http.Agent(options),
  ours: new NodeHappyEyeballs.HttpAgent(options),
  nodeTls: new https.Agent(options),
  oursTls: new NodeHappyEyeballs.HttpsAgent(options)
}

const cases: ReadonlyArray<Case> = [
  {
    name: "http, kept alive",
    least: 0.9,
    node: () => serve(agents.node, http.get, httpPort),
    ours: () => serve(agents.ours, http.get, httpPort)
  },
  {
    name: "https, kept alive",
    least: 0.9,
    node: () => serve(agents.nodeTls, https.get, httpsPort),
    ours: () => serve(agents.oursTls, https.get, httpsPort)
  },
  {
    name: `a download of ${megabytes} MiB`,
    least: 0.95,
    node: () => download(net.connect),
    ours: () => download(NodeHappyEyeballs.createConnection as typeof net.connect)
  }
]

const median = (values: ReadonlyArray<number>) => [...values].sort((a, b) => a - b)[values.length >> 1] ?? NaN

for (const { least, name, node, ours } of cases) {
  await node()
  await ours()
  const ratios: Array<number> = []
  for (let round = 0; round < rounds; round++) {
    // Each goes first every other time.
    const first = round % 2 === 0 ? await node() : await ours()
    const second = round % 2 === 0 ? await ours() : await node()
    ratios.push(round % 2 === 0 ? second / first : first / second)
  }
  const ratio = median(ratios)
  const spread = [Math.min(...ratios), Math.max(...ratios)].map((value) => value.toFixed(2)).join(" to ")
  console.log(`${name}: ${ratio.toFixed(2)} of Node's own (${spread}; at least ${least})`)
  if (ratio < least) {
    process.exitCode = 1
  }
}

Object.values(agents).forEach((agent) => agent.destroy())
server.stdin.end()
