import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { type Ask, ofIoredis, ofMqtt, ofMysql2, ofNodemailer, ofPg, type Settings } from "../support/clients/drivers.js"
import { closedPort, deadPort, limit, live, mute, muteAll, resolver, say, silent } from "../support/clients/hosts.js"
import { isMissing, mosquitto, mysql, postgres, redis, type Server, smtp } from "../support/clients/servers.js"
import { describeNeeding } from "../support/needing.js"
import { knows, listening, openSockets, tlsServer } from "../support/sockets.js"

interface Row {
  readonly ask: Ask
  readonly server: Server
  /** Whether there is a handshake of TLS, and whether it is a part of the race. */
  readonly secure?: "raced" | "asked for"
  /** What it says when all addresses refuse. */
  readonly refused: string
  /** What it says when its limit has passed. */
  readonly late: string
  /** What it says when it is left while it connects. */
  readonly left: string
}

const refused = "AggregateError ECONNREFUSED: could not connect to happy.test port PORT; addresses tried: 2"

const untrusted = "Error ERR_TLS_CERT_ALTNAME_INVALID: Hostname/IP does not match certificate's altnames: " +
  "Host: happy.test. is not in the cert's altnames: DNS:other.test"

const abortedSocket = "AbortError ABORT_ERR: The operation was aborted < AbortError 20: This operation was aborted"

const rows: Record<string, Row> = {
  pg: {
    ask: ofPg,
    server: postgres,
    secure: "asked for",
    refused,
    late: "Error: timeout expired",
    left: abortedSocket
  },
  mysql2: { ask: ofMysql2, server: mysql, refused, late: "Error ETIMEDOUT: connect ETIMEDOUT", left: abortedSocket },
  ioredis: {
    ask: ofIoredis,
    server: redis,
    secure: "raced",
    refused,
    late: "Error ETIMEDOUT: connect ETIMEDOUT",
    left: "Error: Connection is closed."
  },
  mqtt: {
    ask: ofMqtt,
    server: mosquitto,
    secure: "raced",
    refused,
    late: "Error: connack timeout",
    left: "Error: closed"
  },
  nodemailer: {
    ask: ofNodemailer,
    server: smtp,
    secure: "raced",
    refused,
    late: "Error ETIMEDOUT: could not connect to happy.test port PORT in time",
    left: "AbortError 20: This operation was aborted"
  }
}

/** What is answered, or an error, as it is told. */
const asked = (ask: Ask, settings: Omit<Settings, "happyEyeballs"> & NodeHappyEyeballs.PlainOptions) =>
  Effect.promise(() => {
    const { limit, port, secure, signal, ...happyEyeballs } = { resolver, ...settings }
    return ask({
      happyEyeballs,
      port,
      ...(limit !== undefined && { limit }),
      ...(secure !== undefined && { secure }),
      ...(signal !== undefined && { signal })
    }).then((text) => text, say)
  })

for (const [name, { ask, late, left, refused, secure, server }] of Object.entries(rows)) {
  describeNeeding(
    name,
    server,
    isMissing,
    (made: Effect.Effect<Effect.Effect.Success<Server>, Error, Scope.Scope>) => {
      live("the first address refuses: the answer comes from the second", () =>
        Effect.gen(function*() {
          const { plain } = yield* made
          strictEqual(yield* asked(ask, { port: plain }), "42")
        }))

      if (secure !== undefined) {
        live("the same with TLS", () =>
          Effect.gen(function*() {
            const port = (yield* made).secure
            if (secure === "raced") {
              yield* mute("127.0.0.2", port)
            }
            strictEqual(yield* asked(ask, { port, secure: true }), "42")
          }))
      }

      // Where the protocol asks for TLS, the driver begins it when the race is over, and tells of the certificate itself.
      if (secure === "raced") {
        live("another host's certificate is its error, and no other address is tried", () =>
          Effect.gen(function*() {
            const port = yield* listening(tlsServer("other"), "127.0.0.3")
            let connections = 0
            yield* listening(tlsServer("happy").on("connection", () => connections++), "127.0.0.4", port)
            const error = yield* asked(ask, { port, secure: true, resolver: knows("127.0.0.3", "127.0.0.4") })
            deepStrictEqual([error, connections], [untrusted, 0])
          }))

        live("left during the handshake, nothing is left", () =>
          Effect.gen(function*() {
            const { connected, gone, port } = yield* muteAll
            const controller = new AbortController()
            void connected.then(() => controller.abort())
            strictEqual(yield* asked(ask, { port, secure: true, signal: controller.signal }), left)
            yield* gone
          }))
      }

      live("left while it connects to what is dead, nothing is left", () =>
        Effect.gen(function*() {
          const port = yield* deadPort("127.0.0.4")
          const before = openSockets()
          const controller = new AbortController()
          const isConnecting = Effect.repeat(Effect.delay(Effect.sync(openSockets), "1 millis"), {
            until: (open) => open > before
          })
          const [error] = yield* Effect.all([
            asked(ask, { port, resolver: knows("127.0.0.4"), signal: controller.signal }),
            Effect.map(isConnecting, () => controller.abort())
          ], { concurrency: 2 })
          strictEqual(error, left)
        }))

      live("all addresses refuse: an error with the code", () =>
        Effect.gen(function*() {
          strictEqual(yield* asked(ask, { port: yield* closedPort }), refused)
        }))

      live("a name that is not answered for takes no longer than the limit", () =>
        Effect.gen(function*() {
          const [took, error] = yield* Effect.timed(asked(ask, { port: 1, limit, resolver: silent }))
          strictEqual(error, late)
          assertTrue(Duration.toMillis(took) < 2_000)
        }))
    }
  )
}
