import { once } from "node:events"
import https from "node:https"
import { syncBuiltinESMExports } from "node:module"
import net from "node:net"
import tls from "node:tls"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { ca, pem } from "./sockets.js"

// Puts our sockets in the places of Node's own, also for modules that have imported them, and uses all that is left.

const listen = async (server: net.Server) => {
  await once(server.listen(0, "127.0.0.1"), "listening")
  return (server.address() as net.AddressInfo).port
}

const certificate = { cert: pem("happy"), key: pem("happy") }
const port = await listen(net.createServer((socket) => socket.end("hello")))
const tlsPort = await listen(tls.createServer(certificate, (socket) => socket.end("hello")))
const httpsPort = await listen(https.createServer(certificate, (_, response) => response.end("hello")))

net.connect = net.createConnection = NodeHappyEyeballs.createConnection as typeof net.connect
tls.connect = NodeHappyEyeballs.createTlsConnection as typeof tls.connect
syncBuiltinESMExports()

const read = async (stream: NodeJS.ReadableStream) => {
  let text = ""
  for await (const chunk of stream) {
    text += chunk
  }
  return text
}

const agent = new NodeHappyEyeballs.HttpsAgent({ ca })
const secure = { ca, servername: "happy.test" }
const [response] = await once(https.get({ host: "localhost", port: httpsPort, agent, ...secure }), "response")
console.log(
  await read(net.connect({ host: "localhost", port })),
  await read(net.connect(port, "127.0.0.1")),
  await read(tls.connect({ host: "localhost", port: tlsPort, ...secure })),
  await read(response)
)
process.exit()
