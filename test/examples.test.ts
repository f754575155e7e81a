import { describe, it } from "@effect/vitest"
import { assertTrue, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import * as net from "node:net"
import { fileURLToPath } from "node:url"
import { listening, tlsServer } from "./support/sockets.js"

const example = fileURLToPath(new URL("../examples/happy-eyeballs.ts", import.meta.url))
const certificate = fileURLToPath(new URL("fixtures/tls/happy.test.pem", import.meta.url))

/** What `npm start -- ...` prints, and its status. */
const start = (...args: ReadonlyArray<string>) =>
  Effect.async<{ readonly status: number | null; readonly text: string }>((resume) => {
    const child = spawn(process.execPath, ["--import", "tsx", example, ...args], {
      env: { ...process.env, NODE_EXTRA_CA_CERTS: certificate },
      timeout: 30_000
    })
    let text = ""
    child.stdout.on("data", (data) => text += data)
    child.stderr.on("data", (data) => text += data)
    child.on("close", (status) => resume(Effect.succeed({ status, text })))
  })

describe("npm start -- HOST PORT [--tls]", () => {
  it.scopedLive("tells what the name resolves to, which address has won, and what the server says", () =>
    Effect.gen(function*() {
      const port = yield* listening(net.createServer((socket) => socket.write("220 welcome\n")), "127.0.0.1")
      const { status, text } = yield* start("127.0.0.1", String(port))
      strictEqual(status, 0)
      for (const part of ["winner 127.0.0.1", "connected to 127.0.0.1", "received \"220 welcome\"", "any kind: 0"]) {
        assertTrue(text.includes(part), `${part} in:\n${text}`)
      }
    }))

  it.scopedLive("with TLS: why an address lost is the certificate's error", () =>
    Effect.gen(function*() {
      const port = yield* listening(tlsServer("happy"), "127.0.0.1")
      const { status, text } = yield* start("localhost", String(port), "--tls")
      strictEqual(status, 1)
      assertTrue(/IPv4 after \d+ ms: 127.0.0.1/.test(text), text)
      assertTrue(text.includes("Hostname/IP does not match certificate's altnames"), text)
    }))

  it.live("a name that does not exist, a port that makes no sense, too few words", () =>
    Effect.gen(function*() {
      const nobody = yield* start("does-not-exist.invalid", "80")
      assertTrue(nobody.status === 1 && nobody.text.includes("it has no addresses"), nobody.text)
      const bad = yield* start("localhost", "99999")
      assertTrue(bad.status === 1 && bad.text.includes("PORT must be 1 to 65535, got 99999"), bad.text)
      const few = yield* start("localhost")
      assertTrue(few.status === 1 && few.text.includes("expected HOST and PORT"), few.text)
    }))

  it.scopedLive("counts all times from the start of the race", () =>
    Effect.gen(function*() {
      const port = yield* listening(net.createServer((socket) => socket.write("220 welcome\n")), "127.0.0.1")
      const { text } = yield* start("localhost", String(port))
      const time = (pattern: RegExp) => Number(pattern.exec(text)?.[1])
      const total = time(/^winner \S+ after (\d+) ms/m)
      strictEqual(time(/^connected to 127.0.0.1 after (\d+) ms/m), total, text)
      // The address is known before it is connected to. The process counts its sockets before the race, which takes longer.
      assertTrue(time(/^IPv4 after (\d+) ms: 127.0.0.1/m) <= total, text)
    }))
})
