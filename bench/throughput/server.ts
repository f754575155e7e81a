import { once } from "node:events"
import * as fs from "node:fs"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"

// Listens on loopback until its standard input ends, and tells its ports as JSON: to answer requests, with TLS, and to send
// a lot to whoever connects.

const pem = fs.readFileSync(process.argv[2] ?? "")
const size = Number(process.argv[3])
const chunk = Buffer.alloc(65_536, 1)

const answer: http.RequestListener = (_, response) => response.end("hello world")

const send = (socket: net.Socket) => {
  let left = size
  const more = () => {
    while (left > 0) {
      left -= chunk.length
      if (!socket.write(chunk)) {
        return socket.once("drain", more)
      }
    }
    return socket.end()
  }
  socket.on("error", () => {})
  more()
}

const servers = [http.createServer(answer), https.createServer({ cert: pem, key: pem }, answer), net.createServer(send)]
const ports = await Promise.all(servers.map(async (server) => {
  server.listen(0, "127.0.0.1")
  await once(server, "listening")
  return (server.address() as net.AddressInfo).port
}))
console.log(JSON.stringify(ports))
process.stdin.resume().on("end", () => process.exit())
