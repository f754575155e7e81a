/**
 * The program that `npm run test:runtimes` runs on each runtime. For each part, it prints a line of JSON with the name
 * and the error, if any.
 */
import { FetchHttpClient, HttpClient } from "@effect/platform"
import { Effect, Layer } from "effect"
import { HappyEyeballs, Hedge, StaggeredRace } from "effect-staggered-race"
import * as HedgedHttpClient from "effect-staggered-race/HedgedHttpClient"
import * as NodeHappyEyeballs from "effect-staggered-race/NodeHappyEyeballs"
import assert from "node:assert"
import { once } from "node:events"
import * as fs from "node:fs"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import * as tls from "node:tls"
import { Agent, buildConnector, fetch as undiciFetch, setGlobalDispatcher } from "undici"

// A host with two addresses. Nothing listens at the first, so a part that does not race, or bypasses our resolver,
// fails.
const host = "happy.test"
const resolver: HappyEyeballs.Resolver["Type"] = {
  query: (_, family) => Effect.succeed(family === 4 ? ["127.0.0.9", "127.0.0.1"] : [])
}
const racing = { happyEyeballs: { resolver, timeout: "5 seconds" } } as const

const portOf = async (server: net.Server) => {
  await once(server.listen(0, "127.0.0.1"), "listening")
  return (server.address() as net.AddressInfo).port
}
const greet = (socket: net.Socket) => void socket.on("error", () => {}).end("welcome")
const answer = (_: http.IncomingMessage, response: http.ServerResponse) => void response.end("welcome")
const plain = () => portOf(net.createServer(greet))
const web = () => portOf(http.createServer(answer))

// `runtimes.ts` copies this program, and the certificate beside it.
const pem = fs.readFileSync(new URL("happy.test.pem", import.meta.url), "utf8")
const secure = () => portOf(tls.createServer({ key: pem, cert: pem }, greet))

const greeted = async (socket: net.Socket) => {
  const [data] = await once(socket, "data")
  socket.destroy()
  assert.strictEqual(String(data), "welcome")
}
const get = (send: (callback: (response: http.IncomingMessage) => void) => http.ClientRequest) =>
  new Promise<void>((resolve, reject) =>
    send((response) => response.on("data", (data) => (assert.strictEqual(String(data), "welcome"), resolve())))
      .on("error", reject)
  )
const dispatcher = () => new Agent({ connect: NodeHappyEyeballs.connector(buildConnector({}), { resolver }) })

const parts: Record<string, () => Promise<void>> = {
  "StaggeredRace.race": async () => {
    const log: Array<string> = []
    const loser = Effect.acquireRelease(
      Effect.sync(() => log.push("acquired")),
      () => Effect.sync(() => log.push("released"))
    ).pipe(Effect.zipRight(Effect.never))
    const program = StaggeredRace.race([loser, Effect.succeed("won")], { delay: "20 millis" })
    const logged = Effect.tap(program, (value) => log.push(value))
    await Effect.runPromise(Effect.scoped(logged))
    assert.deepStrictEqual(log, ["acquired", "released", "won"])
  },
  "Hedge.hedge": async () => {
    let requests = 0
    const request = Effect.suspend(() => ++requests === 2 ? Effect.never : Effect.succeed(requests))
    const program = Effect.gen(function*() {
      // A hedge costs one token. The first call pays in one token, so the second call can afford a hedge.
      const policy = yield* Hedge.make({ delay: "20 millis", budget: { ratio: 1 } })
      return [yield* Hedge.hedge(request, policy), yield* Hedge.hedge(request, policy)]
    })
    assert.deepStrictEqual(await Effect.runPromise(program), [1, 3])
  },
  "HedgedHttpClient, over the global fetch": async () => {
    let requests = 0
    const port = await portOf(http.createServer((_, response) => {
      if (++requests > 1) response.end("welcome")
    }))
    const policy = { delay: "20 millis", budget: { ratio: 1 } } as const
    const client = Layer.provide(HedgedHttpClient.layer(policy), FetchHttpClient.layer)
    const text = Effect.flatMap(HttpClient.get(`http://127.0.0.1:${port}/`), ({ text }) => text)
    assert.strictEqual(await Effect.runPromise(Effect.provide(text, client)), "welcome")
  },
  "connect": async () =>
    Effect.runPromise(
      NodeHappyEyeballs.connect({ host, port: await plain() }).pipe(
        Effect.flatMap((socket) => Effect.promise(() => greeted(socket))),
        Effect.scoped,
        Effect.provideService(HappyEyeballs.Resolver, resolver)
      )
    ),
  "connectPromise": async () =>
    greeted(await NodeHappyEyeballs.connectPromise({ host, port: await plain(), resolver, timeout: "5 seconds" })),
  "connectTlsPromise": async () =>
    greeted(
      await NodeHappyEyeballs.connectTlsPromise({ host, port: await secure(), ca: pem, resolver, timeout: "5 seconds" })
    ),
  "a certificate that is not trusted is final": async () => {
    const port = await secure()
    const turned = { query: () => Effect.succeed(["127.0.0.1", "127.0.0.9"]) }
    const error = await NodeHappyEyeballs.connectTlsPromise({ host, port, resolver: turned }).then(
      () => assert.fail("connected"),
      (error: Error) => error
    )
    assert.ok(!error.message.includes("addresses tried: 2"), error.message)
  },
  "createConnection": async () => greeted(NodeHappyEyeballs.createConnection({ host, port: await plain(), ...racing })),
  "createTlsConnection": async () =>
    greeted(NodeHappyEyeballs.createTlsConnection({ host, port: await secure(), ca: pem, ...racing })),
  "connectionAttempt, an event for each address": async () => {
    const socket = NodeHappyEyeballs.createConnection({ host, port: await plain(), ...racing })
    const seen: Array<string> = []
    socket.on("connectionAttempt", (address: string) => seen.push(address))
    await greeted(socket)
    assert.deepStrictEqual(seen, ["127.0.0.9", "127.0.0.1"])
  },
  "HttpAgent": async () => {
    const port = await web()
    const agent = new NodeHappyEyeballs.HttpAgent(racing)
    await get((callback) => http.get({ host, port, agent }, callback))
  },
  "HttpsAgent": async () => {
    const port = await portOf(https.createServer({ key: pem, cert: pem }, answer))
    const agent = new NodeHappyEyeballs.HttpsAgent({ ca: pem, ...racing })
    await get((callback) => https.get({ host, port, agent }, callback))
  },
  "connector, with the fetch of undici": async () => {
    const response = await undiciFetch(`http://${host}:${await web()}/`, { dispatcher: dispatcher() })
    assert.strictEqual(await response.text(), "welcome")
  },
  // Must come last, because it changes the dispatcher of the whole process.
  "connector, with the global fetch": async () => {
    setGlobalDispatcher(dispatcher())
    const response = await fetch(`http://${host}:${await web()}/`)
    assert.strictEqual(await response.text(), "welcome")
  }
}

for (const [part, run] of Object.entries(parts)) {
  const error = await Effect.runPromise(
    Effect.tryPromise({ try: run, catch: String }).pipe(
      Effect.timeoutFail({ duration: "5 seconds", onTimeout: () => "no end within 5 s" }),
      Effect.match({ onFailure: (error) => error, onSuccess: () => undefined })
    )
  )
  console.log(JSON.stringify({ part, error }))
}
console.log("end")
process.exit()
