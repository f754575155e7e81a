import dns from "node:dns"
import { once } from "node:events"
import * as net from "node:net"
import * as NodeHappyEyeballs from "../../../src/NodeHappyEyeballs.js"

// Connects to a host by its name, as it is told on the command line, and prints the address that it is connected to.

/** What to connect with: ours, ours with a resolver that asks DNS servers itself, or Node's own. */
export type Way = "createConnection" | "makeDnsResolver" | "net.connect"

export interface Job {
  readonly way: Way
  readonly host: string
  readonly port: number
  readonly resultOrder?: "ipv4first" | "verbatim"
}

const { host, port, resultOrder, way }: Job = JSON.parse(process.argv[2] ?? "")
if (resultOrder !== undefined) {
  dns.setDefaultResultOrder(resultOrder)
}

const connect = {
  createConnection: () => NodeHappyEyeballs.createConnection({ host, port }),
  makeDnsResolver: () =>
    NodeHappyEyeballs.createConnection({
      host,
      port,
      happyEyeballs: { resolver: NodeHappyEyeballs.makeDnsResolver() }
    }),
  "net.connect": () => net.connect({ host, port })
}

const socket = connect[way]()
await once(socket, "connect")
console.log(socket.remoteAddress)
socket.destroy()
// A look-up cannot be stopped.
process.exit()
