import { assertTrue, strictEqual } from "@effect/vitest/utils"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import type * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { type Ask, ofIoredis, ofMqtt, ofMysql2, ofNodemailer, ofPg, type Settings } from "../support/clients/drivers.js"
import { closedPort, limit, live, mute, resolver, say, silent } from "../support/clients/hosts.js"
import { mosquitto, mysql, postgres, redis, ServerUnavailable, smtp } from "../support/clients/servers.js"
import { describeNeeding } from "../support/needing.js"

interface Row {
  readonly ask: Ask
  readonly server: typeof redis
  /** Whether there is a handshake of TLS, and whether it is a part of the race. */
  readonly secure?: "raced" | "asked for"
  /** What it says when all addresses refuse. */
  readonly refused: string
  /** What it says when its limit has passed. */
  readonly late: string
}

const refused = "AggregateError ECONNREFUSED: could not connect to happy.test port PORT; addresses tried: 2"

const rows: Record<string, Row> = {
  pg: { ask: ofPg, server: postgres, secure: "asked for", refused, late: "Error: timeout expired" },
  mysql2: { ask: ofMysql2, server: mysql, refused, late: "Error ETIMEDOUT: connect ETIMEDOUT" },
  ioredis: { ask: ofIoredis, server: redis, secure: "raced", refused, late: "Error ETIMEDOUT: connect ETIMEDOUT" },
  mqtt: { ask: ofMqtt, server: mosquitto, secure: "raced", refused, late: "Error: connack timeout" },
  nodemailer: {
    ask: ofNodemailer,
    server: smtp,
    secure: "raced",
    refused,
    late: "Error ETIMEDOUT: could not connect to happy.test port PORT in time"
  }
}

/** What is answered, or an error, as it is told. */
const asked = (ask: Ask, settings: Omit<Settings, "happyEyeballs"> & NodeHappyEyeballs.PlainOptions) =>
  Effect.promise(() => {
    const { limit, port, secure, ...happyEyeballs } = { resolver, ...settings }
    return ask({
      happyEyeballs,
      port,
      ...(limit !== undefined && { limit }),
      ...(secure !== undefined && { secure })
    }).then((text) => text, say)
  })

for (const [name, { ask, late, refused, secure, server }] of Object.entries(rows)) {
  describeNeeding(
    name,
    server,
    (error) => error instanceof ServerUnavailable && error.isMissing,
    (made: Effect.Effect<Effect.Effect.Success<typeof server>, Error, Scope.Scope>) => {
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
