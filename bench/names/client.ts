import dns from "node:dns"
import { once } from "node:events"
import * as net from "node:net"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import type { Job } from "./job.js"

// Connects as it is told on the command line, and prints how many milliseconds each connection took.

const { atOnce, hosts, port, resultOrder, warmUp, way }: Job = JSON.parse(process.argv[2] ?? "")
dns.setDefaultResultOrder(resultOrder)

const ways = {
  ours: (host: string) => NodeHappyEyeballs.createConnection({ host, port }),
  "ours, DNS": (host: string) => NodeHappyEyeballs.createConnection({ host, port, happyEyeballs: { resolver } }),
  "ours, history": (host: string) => NodeHappyEyeballs.createConnection({ host, port, happyEyeballs: { history } }),
  "net.connect": (host: string) => net.connect({ host, port })
}
const resolver = NodeHappyEyeballs.makeDnsResolver()
const history = NodeHappyEyeballs.makeHistory()

const connect = async (host: string) => {
  const begin = performance.now()
  const socket = ways[way](host)
  await once(socket, "connect")
  const took = performance.now() - begin
  socket.destroy()
  return took
}

const took: Array<number> = []
if (atOnce) {
  // What a process compiles as it connects first is not of interest here either.
  for (let index = 0; index < 150; index++) {
    await connect(warmUp)
  }
  took.push(...await Promise.all(hosts.map(connect)))
} else {
  for (const host of hosts) {
    took.push(await connect(host))
  }
}
console.log(JSON.stringify(took))
// A look-up cannot be stopped.
process.exit()
