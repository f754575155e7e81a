import { describe } from "@effect/vitest"
import { assertTrue, strictEqual } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as http from "node:http"
import * as https from "node:https"
import { Server } from "socket.io"
import { WebSocketServer } from "ws"
import { closedPort, key, limit, live, mute, muteAll, resolver, say, silent } from "../support/clients/hosts.js"
import {
  type Echo,
  ofSocketIoPolling,
  ofSocketIoWebSocket,
  ofWs,
  ofWsConnection,
  type Settings
} from "../support/clients/webSockets.js"
import { listening } from "../support/sockets.js"

interface Row {
  readonly echo: Echo
  readonly server: (server: http.Server | https.Server) => unknown
  /** Node's own error for a connection, as the client tells it. */
  readonly told: (error: string) => string
  /** What it says when its limit has passed. */
  readonly late: string
}

const webSockets = (server: http.Server) =>
  new WebSocketServer({ server }).on("connection", (socket) => socket.on("message", (data) => socket.send(`${data}`)))

const socketIo = (server: http.Server) => {
  const io = new Server(server, { serveClient: false })
  io.on("connection", (socket) => socket.on("echo", (text, answer) => answer(text)))
  server.once("close", () => void io.close())
}

const ofWebSocket = {
  server: webSockets,
  told: (error: string) => error,
  late: "Error: Opening handshake has timed out"
}

const ofIo = { server: socketIo, late: "Error: timeout" }

const rows: Record<string, Row> = {
  ws: { ...ofWebSocket, echo: ofWs },
  "ws, without an agent": { ...ofWebSocket, echo: ofWsConnection },
  "socket.io-client": { ...ofIo, echo: ofSocketIoWebSocket, told: () => "Error: websocket error" },
  "socket.io-client, polling": { ...ofIo, echo: ofSocketIoPolling, told: () => "Error: xhr poll error" }
}

const echoed = (echo: Echo, settings: Pick<Settings, "url"> & Partial<Settings>) =>
  Effect.promise(() => echo({ happyEyeballs: { resolver }, ...settings }).then((text) => text, say))

describe("clients of WebSockets", () => {
  for (const [name, { echo, late, server, told }] of Object.entries(rows)) {
    const serve = (web: http.Server | https.Server) => {
      server(web)
      return listening(web, "127.0.0.3")
    }
    describe(name, () => {
      live("the first address refuses: it is connected to the second", () =>
        Effect.gen(function*() {
          const port = yield* serve(http.createServer())
          strictEqual(yield* echoed(echo, { url: `ws://happy.test:${port}` }), "hello")
        }))

      live("the first address does not answer to TLS: it is connected to the second", () =>
        Effect.gen(function*() {
          const port = yield* serve(https.createServer(key("happy")))
          yield* mute("127.0.0.2", port)
          strictEqual(yield* echoed(echo, { url: `wss://happy.test:${port}` }), "hello")
        }))

      live(
        "all addresses refuse, or the certificate is another host's: that is its error",
        () =>
          Effect.gen(function*() {
            strictEqual(
              yield* echoed(echo, { url: `ws://happy.test:${yield* closedPort}` }),
              told("AggregateError ECONNREFUSED: could not connect to happy.test port PORT; addresses tried: 2")
            )
            const port = yield* serve(https.createServer(key("other")))
            strictEqual(
              yield* echoed(echo, { url: `wss://happy.test:${port}` }),
              told(
                "Error ERR_TLS_CERT_ALTNAME_INVALID: Hostname/IP does not match certificate's altnames: " +
                  "Host: happy.test. is not in the cert's altnames: DNS:other.test"
              )
            )
          })
      )

      // Polling leaves its request to itself, as it does with Node's own agent.
      const isStopped = echo !== ofSocketIoPolling
      live(
        `it takes no longer than the limit${isStopped ? ", and nothing is left" : ""}`,
        () =>
          Effect.gen(function*() {
            const { gone, port } = yield* muteAll
            for (
              const settings of [{ url: "ws://happy.test:1", happyEyeballs: { resolver: silent } }, {
                url: `wss://happy.test:${port}`
              }]
            ) {
              const [took, error] = yield* Effect.timed(echoed(echo, { ...settings, limit }))
              strictEqual(error, late)
              assertTrue(Duration.toMillis(took) < 2_000)
            }
            if (isStopped) {
              yield* gone
            }
          })
      )
    })
  }
})
