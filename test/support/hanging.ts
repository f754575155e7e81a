import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { knows } from "./sockets.js"

// Connects to what takes connections and does not answer, with a socket that may or may not hold the process.

const { isHeld, port } = JSON.parse(process.argv[2] ?? "")

const resolver = knows("127.0.0.3")
const socket = NodeHappyEyeballs.createTlsConnection({ host: "happy.test", port, happyEyeballs: { resolver } })

if (!isHeld) {
  socket.unref()
}
