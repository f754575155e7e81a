import * as http from "node:http"
import * as net from "node:net"
import { pem, tlsServer } from "../sockets.js"
import { ports } from "./peers.js"

// Answers on all addresses of its network, until its standard input ends.
const servers = [
  [net.createServer((socket) => socket.on("error", () => {}).pipe(socket)), ports.plain],
  [tlsServer("happy", { key: pem("happy") }), ports.tls],
  [http.createServer((_, response) => response.end("hello")), ports.http]
] as const

for (const [server, port] of servers) {
  server.on("tlsClientError", () => {})
  await new Promise<void>((resume) => server.listen({ host: "::", port, backlog: 511 }, resume))
}
process.stdout.write("{\"ready\":true}\n")
process.stdin.on("end", () => process.exit()).resume()
