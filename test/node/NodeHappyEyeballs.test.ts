import { describe, it } from "@effect/vitest"
import { assertInstanceOf, assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Option from "effect/Option"
import * as Scheduler from "effect/Scheduler"
import type * as Scope from "effect/Scope"
import dns from "node:dns"
import { once } from "node:events"
import * as http from "node:http"
import * as https from "node:https"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import type { TLSSocket } from "node:tls"
import { Agent, buildConnector, request } from "undici"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { ca, knows, leavingNoSocket, listening, openSockets, pem, tlsServer } from "../support/sockets.js"

const withAddresses = (...addresses: ReadonlyArray<string>) =>
  Effect.provideService(HappyEyeballs.Resolver, knows(...addresses))

const live = (name: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test())), 20_000)

/** Unlike `once` of `node:events`, it does not mind an error meanwhile. */
const event = (emitter: NodeJS.EventEmitter, name: string) =>
  new Promise<void>((resume) => emitter.once(name, () => resume()))

const codes = (error: HappyEyeballs.ConnectionFailed<NodeHappyEyeballs.SocketFailed>) =>
  error.connections.map(({ address, cause }) => {
    const failure = Option.getOrUndefined(cause)
    return failure?._tag === "Fail" ? `${address} ${failure.error.code}` : `${address} ${failure?._tag}`
  })

const notThePin = new Error("not the pin")

const target = (port: number) => ({ host: "happy.test", port })

describe("NodeHappyEyeballs", () => {
  describe("connect", () => {
    live("gives a socket that is connected, and destroys it with the scope", () =>
      Effect.gen(function*() {
        const port = yield* listening(net.createServer((socket) => socket.write("hello")), "127.0.0.3")
        const socket = yield* Effect.scoped(Effect.gen(function*() {
          const socket = yield* NodeHappyEyeballs.connect(target(port))
          strictEqual(socket.remoteAddress, "127.0.0.3")
          const [data] = yield* Effect.promise(() => once(socket, "data"))
          strictEqual(String(data), "hello")
          return socket
        })).pipe(withAddresses("127.0.0.2", "127.0.0.3"))
        assertTrue(socket.destroyed)
      }))

    live("an error that nobody listens to is in the socket, and ends no process", () =>
      Effect.gen(function*() {
        const server = net.createServer((socket) => socket.once("data", () => socket.resetAndDestroy()))
        const port = yield* listening(server, "127.0.0.3")
        const socket = yield* NodeHappyEyeballs.connect(target(port)).pipe(withAddresses("127.0.0.3"))
        socket.write("anything")
        yield* Effect.promise(() => event(socket, "close"))
        strictEqual((socket.errored as NodeJS.ErrnoException).code, "ECONNRESET")
      }))

    live("none connected: Node's own errors, address by address", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(NodeHappyEyeballs.connect(target(1))).pipe(
          withAddresses("::1", "127.0.0.2", "127.0.0.3")
        )
        deepStrictEqual(codes(error), ["::1 ECONNREFUSED", "127.0.0.2 ECONNREFUSED", "127.0.0.3 ECONNREFUSED"])
        assertTrue(error.message.includes("connect ECONNREFUSED 127.0.0.2:1"))
      }))

    live("with an own address, addresses of its family alone are tried", () =>
      Effect.gen(function*() {
        const port = yield* listening(net.createServer(), "127.0.0.3")
        const socket = yield* NodeHappyEyeballs.connect(target(port), { localAddress: "127.0.0.9" }).pipe(
          withAddresses("::1", "127.0.0.3")
        )
        strictEqual(socket.localAddress, "127.0.0.9")
        const error = yield* Effect.flip(NodeHappyEyeballs.connect(target(1), { localAddress: "::1" })).pipe(
          withAddresses("::1", "127.0.0.3")
        )
        deepStrictEqual(codes(error), ["::1 ECONNREFUSED"])
      }))

    it.live("without a scope, it dies of that, and blames no address", () =>
      Effect.gen(function*() {
        const connects = [NodeHappyEyeballs.connect(target(1)), NodeHappyEyeballs.connectTls(target(1))]
        for (const connect of connects) {
          const exit = yield* Effect.exit(withAddresses("127.0.0.2")(connect as Effect.Effect<never>))
          assertTrue(Exit.isFailure(exit) && Cause.isDie(exit.cause))
          assertTrue(String(Cause.squash(exit.cause)).includes("Service not found: effect/Scope"))
        }
      }))

    live("a socket that cannot even be made is a failure of its address", () =>
      Effect.gen(function*() {
        const error = yield* Effect.flip(
          NodeHappyEyeballs.connect(target(80), { localAddress: "no address" })
        ).pipe(withAddresses("127.0.0.2", "127.0.0.3"))
        deepStrictEqual(codes(error), ["127.0.0.2 ERR_INVALID_IP_ADDRESS", "127.0.0.3 ERR_INVALID_IP_ADDRESS"])
      }))
  })

  describe("connectTls", () => {
    live("sends the name, agrees on a protocol, and checks the certificate", () =>
      Effect.gen(function*() {
        const port = yield* listening(tlsServer("happy", { ALPNProtocols: ["h2"] }), "127.0.0.3")
        const socket = yield* NodeHappyEyeballs.connectTls(target(port), { ALPNProtocols: ["http/1.1", "h2"], ca })
          .pipe(
            withAddresses("127.0.0.3")
          )
        deepStrictEqual(
          [socket.authorized, socket.alpnProtocol, socket.servername, socket.remoteAddress],
          [true, "h2", "happy.test", "127.0.0.3"]
        )
      }))

    live("an address with another host's certificate, or without TLS, loses", () =>
      Effect.gen(function*() {
        const port = yield* listening(tlsServer("happy"), "127.0.0.4")
        yield* listening(tlsServer("other"), "127.0.0.2", port)
        yield* listening(net.createServer((socket) => socket.end("no TLS\n")), "127.0.0.3", port)
        const outcome = yield* HappyEyeballs.outcome(target(port), NodeHappyEyeballs.openTls({ ca })).pipe(
          withAddresses("127.0.0.2", "127.0.0.3", "127.0.0.4")
        )
        deepStrictEqual(outcome.connections.map(({ address, result }) => [address, result]), [
          ["127.0.0.2", "failed"],
          ["127.0.0.3", "failed"],
          ["127.0.0.4", "won"]
        ])
        const [first, second] = outcome.connections.map(({ cause }) =>
          Option.getOrThrow(Option.orElseSome(cause, () => null))
        )
        assertTrue(first?._tag === "Fail" && first.error.code === "ERR_TLS_CERT_ALTNAME_INVALID")
        assertTrue(second?._tag === "Fail" && second.error.message !== "")
      }))

    live(
      "without a name to send, the certificate is checked against the host all the same",
      () =>
        Effect.gen(function*() {
          const port = yield* listening(tlsServer("happy"), "127.0.0.3")
          const connect = (host: string) =>
            NodeHappyEyeballs.connectTls({ host, port }, { ca, servername: "" }).pipe(withAddresses("127.0.0.3"))
          strictEqual((yield* connect("happy.test")).authorized, true)
          const error = yield* Effect.flip(connect("sad.test"))
          deepStrictEqual(codes(error), ["127.0.0.3 ERR_TLS_CERT_ALTNAME_INVALID"])
        })
    )

    live("a dot at the end of the name is not sent", () =>
      Effect.gen(function*() {
        const port = yield* listening(tlsServer("happy"), "127.0.0.3")
        const socket = yield* NodeHappyEyeballs.connectTls({ host: "happy.test.", port }, { ca }).pipe(
          withAddresses("127.0.0.3")
        )
        deepStrictEqual([(socket as { servername?: string }).servername, socket.authorized], ["happy.test", true])
        const withoutOption: NodeHappyEyeballs.ConnectTlsOptions = { ca, servername: undefined }
        const other = yield* NodeHappyEyeballs.connectTls({ host: "happy.test", port }, withoutOption).pipe(
          withAddresses("127.0.0.3")
        )
        strictEqual((other as { servername?: string }).servername, "happy.test")
      }))

    live("it does not matter when the fiber hears of what has happened", () =>
      Effect.gen(function*() {
        const port = yield* listening(tlsServer("happy"), "127.0.0.3")
        const late = Scheduler.make((task) => void setTimeout(task, 5))
        const socket = yield* NodeHappyEyeballs.connectTls(target(port), { ca }).pipe(
          withAddresses("127.0.0.3"),
          Effect.withScheduler(late),
          Effect.withMaxOpsBeforeYield(12),
          Effect.timeout("15 seconds")
        )
        strictEqual(socket.authorized, true)
      }))

    it.live("a handshake's delay that makes no sense is a defect that names it", () =>
      Effect.gen(function*() {
        const exit = yield* Effect.exit(
          Effect.scoped(NodeHappyEyeballs.connectTls(target(443), { handshakeDelay: -1 }))
        )
          .pipe(withAddresses("127.0.0.2"))
        assertTrue(exit._tag === "Failure" && exit.cause._tag === "Die")
        strictEqual(
          (exit.cause.defect as Error).message,
          "NodeHappyEyeballs: option \"handshakeDelay\" must be a duration of zero or more, got -1"
        )
      }))

    live(
      "a handshake that hangs: the next address is tried after the handshake's delay, and wins",
      () =>
        Effect.gen(function*() {
          const port = yield* listening(tlsServer("happy"), "127.0.0.3")
          yield* listening(net.createServer(), "127.0.0.2", port)
          const socket = yield* NodeHappyEyeballs.connectTls(target(port), {
            ca,
            handshakeDelay: 20,
            connectionAttemptDelay: 10
          })
            .pipe(withAddresses("127.0.0.2", "127.0.0.3"))
          strictEqual(socket.remoteAddress, "127.0.0.3")
        })
    )
  })

  describe("makeResolver", () => {
    live("asks the system, family by family", () =>
      Effect.gen(function*() {
        const resolver = NodeHappyEyeballs.makeResolver()
        deepStrictEqual(yield* resolver.query("127.0.0.7", 4), ["127.0.0.7"])
        const error = yield* Effect.flip(resolver.query("does-not-exist.invalid", 6))
        deepStrictEqual([error.family, error.host], [6, "does-not-exist.invalid"])
        assertTrue(error.message.includes("getaddrinfo"), error.message)
      }))

    live("asks a function in its place, which may know only one address, or throw", () =>
      Effect.gen(function*() {
        const asked: Array<unknown> = []
        const one = NodeHappyEyeballs.makeResolver({
          hints: dns.ADDRCONFIG,
          lookup: (host, options, callback) => {
            asked.push(host, { ...options })
            callback(null, "192.0.2.1", 4)
          }
        })
        deepStrictEqual(yield* one.query("happy.test", 4), ["192.0.2.1"])
        deepStrictEqual(asked, ["happy.test", { all: true, family: 4, hints: dns.ADDRCONFIG }])
        const { lookup } = dns
        dns.lookup = Object.assign(
          (...[, , callback]: Parameters<net.LookupFunction>) => callback(null, [{ address: "192.0.2.2", family: 4 }]),
          { __promisify__: lookup.__promisify__ }
        ) as typeof lookup
        const replaced = yield* Effect.ensuring(
          NodeHappyEyeballs.makeResolver().query("happy.test", 4),
          Effect.sync(() => dns.lookup = lookup)
        )
        deepStrictEqual(replaced, ["192.0.2.2"])
        const throws = NodeHappyEyeballs.makeResolver({
          lookup: () => {
            throw new Error("no network")
          }
        })
        const error = yield* Effect.flip(throws.query("happy.test", 6))
        strictEqual(error.message, "no IPv6 addresses of happy.test: no network")
        const odd = NodeHappyEyeballs.makeResolver({
          lookup: (_, __, callback) => setImmediate(callback as () => void)
        })
        assertTrue((yield* Effect.flip(odd.query("happy.test", 6))).message.includes("undefined"))
      }))
  })

  describe("connectPromise", () => {
    const failure = (promise: Promise<unknown>) => Effect.promise(() => promise.then(() => undefined, (error) => error))

    live("gives a socket that is the caller's, also with TLS", () =>
      Effect.gen(function*() {
        const resolver = knows("127.0.0.2", "127.0.0.3")
        const port = yield* listening(net.createServer(), "127.0.0.3")
        const socket = yield* Effect.promise(() => NodeHappyEyeballs.connectPromise({ ...target(port), resolver }))
        const tlsPort = yield* listening(tlsServer("happy"), "127.0.0.3")
        const secure = yield* Effect.promise(() =>
          NodeHappyEyeballs.connectTlsPromise({ ...target(tlsPort), ca, resolver })
        )
        deepStrictEqual([socket.readyState, secure.authorized], ["open", true])
        socket.destroy()
        secure.destroy()
      }))

    live("one failure is Node's own error; several are one with a code and a message", () =>
      Effect.gen(function*() {
        const one = yield* failure(NodeHappyEyeballs.connectPromise({ ...target(1), resolver: knows("127.0.0.2") }))
        deepStrictEqual([one.code, one.syscall, one.address], ["ECONNREFUSED", "connect", "127.0.0.2"])
        const two = yield* failure(
          NodeHappyEyeballs.connectPromise({ ...target(1), resolver: knows("127.0.0.2", "127.0.0.3") })
        )
        assertInstanceOf(two, AggregateError)
        deepStrictEqual(two.errors.map(({ address }) => address), ["127.0.0.2", "127.0.0.3"])
        strictEqual((two as NodeJS.ErrnoException).code, "ECONNREFUSED")
        assertTrue(two.message.includes("127.0.0.3"))
        const none = yield* failure(NodeHappyEyeballs.connectPromise({ host: "does-not-exist.invalid", port: 1 }))
        strictEqual(none.syscall, "getaddrinfo")
        const empty = yield* failure(NodeHappyEyeballs.connectPromise({ ...target(1), resolver: knows() }))
        deepStrictEqual(
          [empty.message, empty.code, empty.hostname],
          ["could not connect to happy.test port 1: it has no addresses", "ENOTFOUND", "happy.test"]
        )
        const bad = yield* failure(NodeHappyEyeballs.connectPromise(target(-1)))
        assertTrue(bad.message.includes("\"port\""))
      }))

    live("a signal stops it, before and meanwhile, and not afterwards", () =>
      Effect.gen(function*() {
        const resolver: HappyEyeballs.Resolver["Type"] = { query: () => Effect.never }
        const reason = "enough"
        const connect = (signal: AbortSignal) => NodeHappyEyeballs.connectPromise({ ...target(1), resolver, signal })
        let asked = 0
        const early = NodeHappyEyeballs.connectPromise({
          ...target(1),
          resolver: { query: () => Effect.sync(() => void asked++).pipe(Effect.as([])) },
          signal: AbortSignal.abort(reason)
        })
        deepStrictEqual([yield* failure(early), asked], [reason, 0])
        const controller = new AbortController()
        const connecting = failure(connect(controller.signal))
        setImmediate(() => controller.abort(reason))
        strictEqual(yield* connecting, reason)
        const port = yield* listening(net.createServer(), "127.0.0.3")
        const last = new AbortController()
        const record = () => Effect.sync(() => queueMicrotask(() => last.abort(reason)))
        const connected = NodeHappyEyeballs.connectPromise({
          ...target(port),
          history: { order: Effect.succeed, record },
          resolver: knows("127.0.0.3"),
          signal: last.signal
        })
        strictEqual(yield* failure(connected), reason)
        const late = new AbortController()
        const socket = yield* Effect.promise(() =>
          NodeHappyEyeballs.connectPromise({ ...target(port), resolver: knows("127.0.0.3"), signal: late.signal })
        )
        late.abort()
        strictEqual(socket.readyState, "open")
        socket.destroy()
      }))
  })

  describe("a certificate that is not trusted", () => {
    const promise = (target: HappyEyeballs.Target, options: NodeHappyEyeballs.ConnectTlsOptions) =>
      Effect.flip(Effect.tryPromise({
        try: () => NodeHappyEyeballs.connectTlsPromise({ ...target, ...options, resolver }),
        catch: (error) => error as NodeJS.ErrnoException
      }))
    const resolver = knows("127.0.0.2", "127.0.0.3", "127.0.0.4")

    live("is final, and the error that the caller sees", () =>
      Effect.gen(function*() {
        const port = yield* listening(tlsServer("other"), "127.0.0.3")
        yield* listening(tlsServer("happy"), "127.0.0.4", port)
        const failed = yield* Effect.flip(NodeHappyEyeballs.connectTls(target(port), { ca })).pipe(
          Effect.provideService(HappyEyeballs.Resolver, resolver)
        )
        const code = "ERR_TLS_CERT_ALTNAME_INVALID"
        deepStrictEqual([failed._tag === "ConnectionFailed" && failed.decidedBy, failed.code], ["fatal", code])
        strictEqual((yield* promise(target(port), { ca })).code, code)
        strictEqual((yield* promise(target(port), { ca: [] })).code, "DEPTH_ZERO_SELF_SIGNED_CERT")
      }))

    live("lets the next be tried, if the caller says so", () =>
      Effect.gen(function*() {
        const port = yield* listening(tlsServer("other"), "127.0.0.3")
        yield* listening(tlsServer("happy"), "127.0.0.4", port)
        const socket = yield* NodeHappyEyeballs.connectTls(target(port), { ca, fatal: () => false }).pipe(
          Effect.provideService(HappyEyeballs.Resolver, resolver)
        )
        strictEqual(socket.remoteAddress, "127.0.0.4")
      }))
  })

  live("each family comes from an address of its own, if it is told to", () =>
    Effect.gen(function*() {
      const seen: Array<string | undefined> = []
      const server = http.createServer(({ socket }, response) => {
        seen.push(socket.remoteAddress)
        response.end()
      })
      const port = yield* listening(server, "127.0.0.3")
      const resolver = knows("::1", "127.0.0.3")
      const localAddresses = { 4: "127.0.0.9" }
      const socket = yield* NodeHappyEyeballs.connect(target(port), { localAddresses }).pipe(
        Effect.provideService(HappyEyeballs.Resolver, resolver)
      )
      const happyEyeballs = { localAddresses, resolver }
      const agent = new NodeHappyEyeballs.HttpAgent({ happyEyeballs })
      const dispatcher = new Agent({ connect: NodeHappyEyeballs.connector(buildConnector({}), happyEyeballs) })
      yield* Effect.promise(async () => {
        const [response] = await once(http.get({ ...target(port), agent }), "response")
        await once(response.resume(), "end")
        await (await request(`http://happy.test:${port}/`, { dispatcher })).body.text()
        await dispatcher.destroy()
      })
      deepStrictEqual([socket.localAddress, ...seen], ["127.0.0.9", "127.0.0.9", "127.0.0.9"])
    }))

  live("a time limit is an error with a code, wherever it is set", () =>
    Effect.gen(function*() {
      const resolver = { query: () => Effect.never }
      const happyEyeballs = { resolver, timeout: 20 }
      const error = (socket: NodeJS.EventEmitter) =>
        Effect.promise(async () => (await once(socket, "error"))[0] as NodeJS.ErrnoException)
      const agents = {
        http: new NodeHappyEyeballs.HttpAgent({ happyEyeballs }),
        https: new NodeHappyEyeballs.HttpsAgent({ happyEyeballs })
      }
      const errors = yield* Effect.all([
        error(NodeHappyEyeballs.createConnection({ ...target(1), happyEyeballs })),
        error(NodeHappyEyeballs.createTlsConnection({ ...target(1), happyEyeballs })),
        error(http.get({ ...target(1), agent: agents.http })),
        error(https.get({ ...target(1), agent: agents.https })),
        Effect.flip(Effect.tryPromise({
          try: () => NodeHappyEyeballs.connectPromise({ ...target(1), resolver, timeout: 20 }),
          catch: (error) => error as NodeJS.ErrnoException
        }))
      ], { concurrency: "unbounded" })
      deepStrictEqual(
        errors.map(({ code, message }) => [code, message.split("\n")[0]]),
        errors.map(() => [
          "ETIMEDOUT",
          "could not connect to happy.test port 1 in time"
        ])
      )
    }))

  /** Every case runs with Node's own agent and with ours, and the whole transcripts have to be the same. */
  describe("HttpAgent behaves as Node's own", () => {
    interface Bench {
      readonly agent: http.Agent
      readonly port: number
      readonly log: Array<string>
      readonly get: (path: string, options?: http.RequestOptions) => http.ClientRequest
    }

    const addresses: Record<string, string> = { "happy.test": "127.0.0.3", "refused.test": "127.0.0.2" }

    /** `hangs.test` is never resolved. */
    const lookup: net.LookupFunction = (host, { all }, callback) => {
      const address = addresses[host]
      if (address !== undefined) {
        setImmediate(() => all ? callback(null, [{ address, family: 4 }]) : callback(null, address, 4))
      }
    }

    const cases: ReadonlyArray<
      readonly [name: string, options: http.AgentOptions, run: (bench: Bench) => Promise<unknown>]
    > = [
      ["keeps connections alive", { keepAlive: true }, async ({ get }) => {
        for (const path of ["/a", "/b", "/c"]) {
          await event(get(path), "end")
        }
      }],
      ["closes them without keepAlive", {}, async ({ get }) => {
        await event(get("/a"), "end")
        await event(get("/b"), "end")
      }],
      ["has no more than maxSockets at once", { maxSockets: 1, keepAlive: true }, async ({ agent, get, log }) => {
        const all = ["/a", "/b", "/c"].map((path) => event(get(path), "end"))
        log.push(`${Object.values(agent.sockets).flat().length} sockets`)
        await Promise.all(all)
      }],
      [
        "fails what waits for a connection, one by one",
        { maxSockets: 1 },
        ({ get }) => Promise.all(["/a", "/b", "/c"].map((path) => event(get(path, { host: "refused.test" }), "close")))
      ],
      ["fails what waits when the connections of others end", { maxSockets: 2 }, async ({ get }) => {
        const all = [get("/hang"), get("/hang?2"), get("/b"), get("/c")].map((request) => event(request, "close"))
        await new Promise((resume) => setTimeout(resume, 30))
        const last = get("/die", { host: "127.0.0.3" })
        await Promise.all([...all, event(last, "close")])
      }],
      [
        "a connection ends and another becomes free while one waits",
        { maxSockets: 2, keepAlive: true },
        ({ get }) => Promise.all(["/end", "/slow", "/b", "/c"].map((path) => event(get(path), "close")))
      ],
      ["destroyed while it waits for its turn", { maxSockets: 1 }, async ({ get }) => {
        const first = get("/slow")
        const second = get("/b")
        const third = get("/c")
        second.destroy(new Error("no patience"))
        second.destroy(new Error("none at all"))
        await Promise.all([first, second, third].map((request) => event(request, "close")))
      }],
      ["refused", {}, ({ get }) => event(get("/a", { host: "refused.test" }), "close")],
      ["destroyed while it connects", { maxSockets: 1 }, async ({ get, log }) => {
        const request = get("/a", { host: "hangs.test" })
        setTimeout(() => request.destroy(new Error("changed my mind")), 5)
        await event(request, "close")
        log.push(`destroyed: ${request.destroyed}`)
      }],
      ["destroyed without a reason while it connects", {}, async ({ get }) => {
        const request = get("/a", { host: "hangs.test" })
        setTimeout(() => request.destroy(), 5)
        await event(request, "close")
      }],
      ["a signal while it connects", {}, async ({ get }) => {
        const controller = new AbortController()
        const request = get("/a", { host: "hangs.test", signal: controller.signal })
        setTimeout(() => controller.abort(), 5)
        await event(request, "close")
      }],
      ["destroyed at once", {}, async ({ get }) => {
        const request = get("/a")
        request.destroy()
        await event(request, "close")
      }],
      ["one is destroyed while another waits for its place", { maxSockets: 1 }, async ({ get }) => {
        const first = get("/a", { host: "hangs.test" })
        const second = get("/b", { host: "hangs.test" })
        setTimeout(() => first.destroy(new Error("first")), 5)
        await event(first, "close")
        setTimeout(() => second.destroy(new Error("second")), 5)
        await event(second, "close")
      }],
      ["the agent is destroyed while it connects", {}, async ({ agent, get }) => {
        const request = get("/a", { host: "hangs.test" })
        setTimeout(() => agent.destroy(), 5)
        await event(request, "close")
      }],
      ["times out while it connects", {}, async ({ get }) => {
        const request = get("/a", { host: "hangs.test", timeout: 10 })
        await event(request, "timeout")
        request.destroy(new Error("too slow"))
        await event(request, "close")
      }],
      [
        "times out while it connects, by its own timeout and not the agent's",
        { timeout: 3000 },
        async ({ get, log }) => {
          const request = get("/a", { host: "hangs.test", timeout: 10 })
          const agents = setTimeout(() => log.push("late"), 1000)
          await event(request, "timeout")
          clearTimeout(agents)
          request.destroy(new Error("too slow"))
          await event(request, "close")
        }
      ],
      ["aborted at once, as one does no more", {}, async ({ get }) => {
        const request = get("/a")
        request.abort()
        await event(request, "close")
      }],
      ["aborted while it connects, as one does no more", {}, async ({ get }) => {
        const request = get("/a", { host: "hangs.test" })
        setTimeout(() => request.abort(), 5)
        await event(request, "close")
      }],
      ["times out while the answer is awaited", {}, async ({ get }) => {
        const request = get("/hang", { timeout: 30 })
        await event(request, "timeout")
        request.destroy(new Error("too slow"))
        await event(request, "close")
      }],
      ["the agent's own timeout", { timeout: 30 }, async ({ get }) => {
        const request = get("/hang")
        await event(request, "timeout")
        request.destroy(new Error("too slow"))
        await event(request, "close")
      }],
      ["a literal address", {}, ({ get }) => event(get("/a", { host: "127.0.0.3" }), "end")],
      ["an own address", {}, ({ get }) => event(get("/from", { localAddress: "127.0.0.9" }), "end")]
    ]

    /** Which of their connections ends first is for the system to say. */
    const inAnyOrder = new Set([
      "fails what waits when the connections of others end",
      "a connection ends and another becomes free while one waits"
    ])

    const transcript = (
      agent: http.Agent & { readonly protocol?: string },
      run: (bench: Bench) => Promise<unknown>,
      port: number,
      request: typeof http.request,
      isInAnyOrder: boolean,
      more: https.RequestOptions = {}
    ) =>
      Effect.promise(async () => {
        const log: Array<string> = []
        const get = (path: string, options: http.RequestOptions = {}) => {
          const call = request({ host: "happy.test", port, path, agent, lookup, ...more, ...options })
          call
            .on("error", (error: NodeJS.ErrnoException) => log.push(`${path} error ${error.code} ${error.message}`))
            .on("timeout", () => log.push(`${path} timeout`))
            .on("close", () => log.push(`${path} close`))
            .on("socket", (socket: net.Socket) => {
              log.push(`${path} socket, ${socket.connecting ? "connecting" : "connected"}`)
              if (socket.connecting) {
                for (const name of ["lookup", "connect", "ready", "secureConnect", "timeout"]) {
                  socket.on(name, () => log.push(`${path} socket ${name}`))
                }
              }
            })
            .on("response", (response: http.IncomingMessage) => {
              let body = ""
              response.setEncoding("utf8").on("data", (text) => body += text).on("end", () => {
                log.push(`${path} ${response.statusCode} ${body} ${call.reusedSocket ? "reused" : "new"}`)
                call.emit("end")
              })
            })
          return call.end()
        }
        await run({ agent, get, log, port })
        const count = (lists: NodeJS.ReadOnlyDict<ReadonlyArray<unknown>>) => Object.values(lists).flat().length
        await new Promise((resume) => setTimeout(resume, 20))
        const { totalSocketCount } = agent as http.Agent & { readonly totalSocketCount: number }
        log.push(`${count(agent.sockets)} busy, ${count(agent.freeSockets)} free, ${count(agent.requests)} waiting`)
        log.push(`${totalSocketCount} in all`)
        agent.destroy()
        await new Promise((resume) => setTimeout(resume, 5))
        const lines = log.map((line) => line.replaceAll(String(port), "PORT"))
        return isInAnyOrder ? lines.sort() : lines
      })

    const handlerOf = (server: () => http.Server): http.RequestListener => (request, response) => {
      const body = request.url === "/from"
        ? request.socket.remoteAddress
        : `hello ${request.headers.host?.split(":")[0]}`
      if (request.url === "/die") {
        server().close().closeAllConnections()
      } else if (request.url === "/slow") {
        setTimeout(() => response.end(body), 20)
      } else if (request.url === "/end") {
        response.end(body, () => request.socket.end())
      } else if (!request.url?.startsWith("/hang")) {
        response.end(body)
      }
    }

    for (const [name, options, run] of cases) {
      live(name, () =>
        Effect.gen(function*() {
          const seen = (agent: http.Agent) =>
            Effect.scoped(Effect.gen(function*() {
              const server: http.Server = http.createServer(handlerOf(() => server))
              return yield* transcript(
                agent,
                run,
                yield* listening(server, "127.0.0.3"),
                http.request,
                inAnyOrder.has(name)
              )
            }))
          deepStrictEqual(
            yield* seen(new NodeHappyEyeballs.HttpAgent(options)),
            yield* seen(new http.Agent(options))
          )
        }))

      live(`${name}; with TLS`, () =>
        Effect.gen(function*() {
          const more = { ca, rejectUnauthorized: !name.includes("literal") && !name.includes("fails what waits when") }
          const seen = (agent: https.Agent) =>
            Effect.scoped(Effect.gen(function*() {
              const credentials = { key: pem("happy"), cert: pem("happy") }
              const server: https.Server = https.createServer(credentials, handlerOf(() => server))
              return yield* transcript(
                agent,
                run,
                yield* listening(server, "127.0.0.3"),
                https.request,
                inAnyOrder.has(name),
                more
              )
            }))
          deepStrictEqual(
            yield* seen(new NodeHappyEyeballs.HttpsAgent(options)),
            yield* seen(new https.Agent(options))
          )
        }))
    }
  })

  live(
    "HttpsAgent: a connection that is asked for by port, host and options gets all three",
    () =>
      Effect.gen(function*() {
        const port = yield* listening(tlsServer("happy"), "127.0.0.3")
        const agent = new NodeHappyEyeballs.HttpsAgent()
        const create = agent.createConnection.bind(agent) as unknown as (...args: ReadonlyArray<unknown>) => TLSSocket
        const socket = create(port, "127.0.0.3", { ca, servername: "happy.test" })
        yield* Effect.promise(() => once(socket, "secureConnect"))
        deepStrictEqual([socket.authorized, (socket as { servername?: string }).servername], [true, "happy.test"])
        socket.destroy()
      })
  )

  describe("HttpAgent races", () => {
    live("over whichever address answers, also for those that waited for a place", () =>
      Effect.gen(function*() {
        const port = yield* listening(http.createServer((_, response) => response.end("hello")), "127.0.0.3")
        const agent = new NodeHappyEyeballs.HttpAgent({
          happyEyeballs: { resolver: knows("127.0.0.2", "127.0.0.3") },
          keepAlive: true,
          maxSockets: 1
        })
        const get = () =>
          Effect.async<string | undefined, Error>((resume) => {
            http.get({ ...target(port), agent }, (response) => {
              const { remoteAddress } = response.socket
              response.resume().on("end", () => resume(Effect.succeed(remoteAddress)))
            }).on("error", (error) => resume(Effect.fail(error)))
          })
        const answers = yield* Effect.all([get(), get(), get()], { concurrency: "unbounded" })
        deepStrictEqual(answers, ["127.0.0.3", "127.0.0.3", "127.0.0.3"])
        agent.destroy()
      }))

    live("with TLS, whose sessions are resumed", () =>
      Effect.gen(function*() {
        const server = https.createServer({ key: pem("happy"), cert: pem("happy") }, (_, response) =>
          response.end("hello"))
        const port = yield* listening(server, "127.0.0.3")
        const agent = new NodeHappyEyeballs.HttpsAgent({ ca, happyEyeballs: { resolver: knows("127.0.0.3") } })
        const isResumed = Effect.promise(() =>
          new Promise<boolean>((resume, fail) => {
            https.get({ ...target(port), agent }, (response) => {
              const isReused = (response.socket as TLSSocket).isSessionReused()
              response.resume().on("end", () =>
                resume(isReused))
            }).on("error", fail)
          })
        )
        deepStrictEqual([yield* isResumed, yield* isResumed, yield* isResumed], [false, true, true])
      }))

    live("over one family, where the request says so", () =>
      Effect.gen(function*() {
        const port = yield* listening(http.createServer((_, response) => response.end("hello")), "127.0.0.3")
        const agent = new NodeHappyEyeballs.HttpAgent({ happyEyeballs: { resolver: knows("::1", "127.0.0.3") } })
        const [error] = yield* Effect.promise(() => once(http.get({ ...target(port), agent, family: 6 }), "error"))
        deepStrictEqual([error.code, error.address], ["ECONNREFUSED", "::1"])
      }))

    live("over no addresses where there is a path of the file system", () =>
      Effect.gen(function*() {
        const socketPath = join(tmpdir(), `${process.pid}.happy-agent.sock`)
        const server = yield* Effect.acquireRelease(
          Effect.sync(() => http.createServer((_, response) => response.end("by path")).listen(socketPath)),
          (server) => Effect.async<void>((resume) => void server.close(() => resume(Effect.void)))
        )
        yield* Effect.promise(() => once(server, "listening"))
        const resolver = { query: () => Effect.dieMessage("asked") }
        const agent = new NodeHappyEyeballs.HttpAgent({ happyEyeballs: { resolver } })
        const [response] = yield* Effect.promise(() => once(http.get({ socketPath, agent }), "response"))
        strictEqual(response.statusCode, 200)
        yield* Effect.promise(() => once(response.resume(), "end"))
      }))

    live("an option that makes no sense is an error of the request", () =>
      Effect.gen(function*() {
        const agent = new NodeHappyEyeballs.HttpAgent({ happyEyeballs: { connectionAttemptDelay: 1 } })
        const [error] = yield* Effect.promise(() => once(http.get({ ...target(80), agent }), "error"))
        assertTrue(error.message.includes("connectionAttemptDelay"))
        yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 5)))
        deepStrictEqual([(agent as unknown as { totalSocketCount: number }).totalSocketCount, { ...agent.sockets }], [
          0,
          {}
        ])
      }))

    live(
      "a socket that closes between its win and the hand-over is an error of the request",
      () =>
        Effect.gen(function*() {
          const server = net.createServer((socket) => setTimeout(() => socket.resetAndDestroy(), 5))
          const port = yield* listening(server, "127.0.0.3")
          const history = { order: Effect.succeed, record: () => Effect.sleep("40 millis") }
          const agent = new NodeHappyEyeballs.HttpAgent({ happyEyeballs: { history, resolver: knows("127.0.0.3") } })
          const [error] = yield* Effect.promise(() => once(http.get({ ...target(port), agent }), "error"))
          strictEqual(error.code, "ECONNRESET")
          yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 5)))
          deepStrictEqual({ ...agent.sockets }, {})
        })
    )

    live("a pin on the socket of the request is checked, and is final", () =>
      Effect.gen(function*() {
        const server = https.createServer({ key: pem("happy"), cert: pem("happy") }, (_, response) => response.end())
        const port = yield* listening(server, "127.0.0.3")
        const agent = new NodeHappyEyeballs.HttpsAgent({
          ca,
          happyEyeballs: { resolver: knows("127.0.0.2", "127.0.0.3") }
        })
        const request = https.get({ ...target(port), agent })
        request.on("socket", (socket) => socket.on("secureConnect", () => socket.destroy(notThePin)))
        const [error] = yield* Effect.promise(() => once(request, "error"))
        strictEqual(error, notThePin)
      }))

    live(
      "with a Host header that is no name, the certificate is checked against the host all the same",
      () =>
        Effect.gen(function*() {
          const server = https.createServer({ key: pem("happy"), cert: pem("happy") }, (_, response) => response.end())
          const port = yield* listening(server, "127.0.0.3")
          const status = (host: string) =>
            Effect.async<unknown>((resume) => {
              const agent = new NodeHappyEyeballs.HttpsAgent({ ca, happyEyeballs: { resolver: knows("127.0.0.3") } })
              https.get({ host, port, agent, headers: { host: "192.0.2.1" } }, (response) => {
                response.resume().on("end", () => resume(Effect.succeed(response.statusCode)))
              }).on("error", (error: NodeJS.ErrnoException) => resume(Effect.succeed(error.code)))
            })
          deepStrictEqual([yield* status("happy.test"), yield* status("sad.test")], [
            200,
            "ERR_TLS_CERT_ALTNAME_INVALID"
          ])
        })
    )
  })

  describe("connector", () => {
    const answered = (url: string, connect: NodeHappyEyeballs.Connector) =>
      Effect.acquireUseRelease(
        Effect.sync(() => new Agent({ connect })),
        (dispatcher) => Effect.tryPromise(async () => (await request(url, { dispatcher })).body.text()),
        (dispatcher) => Effect.promise(() => dispatcher.destroy())
      )

    live("races for undici", () =>
      Effect.gen(function*() {
        const port = yield* listening(http.createServer((_, response) => response.end("hello")), "127.0.0.3")
        const resolver = knows("127.0.0.2", "127.0.0.3")
        const connect = NodeHappyEyeballs.connector(buildConnector({}), { resolver })
        strictEqual(yield* answered(`http://happy.test:${port}/`, connect), "hello")
      }))

    live("with TLS, and the name that was asked for", () =>
      Effect.gen(function*() {
        const server = https.createServer(
          { key: pem("happy"), cert: pem("happy") },
          (_, response) => response.end("hello")
        )
        const port = yield* listening(server, "127.0.0.3")
        yield* listening(net.createServer((socket) => socket.end("no TLS\n")), "127.0.0.2", port)
        const resolver = knows("127.0.0.2", "127.0.0.3")
        const connect = NodeHappyEyeballs.connector(buildConnector({ ca }), { resolver })
        strictEqual(yield* answered(`https://happy.test:${port}/`, connect), "hello")
      }))

    live("with TLS, a certificate that is not trusted is final", () =>
      Effect.gen(function*() {
        const port = yield* listening(tlsServer("other"), "127.0.0.2")
        yield* listening(tlsServer("happy"), "127.0.0.3", port)
        const connect = NodeHappyEyeballs.connector(buildConnector({ ca }), {
          resolver: knows("127.0.0.2", "127.0.0.3")
        })
        const { error } = yield* Effect.flip(answered(`https://happy.test:${port}/`, connect))
        strictEqual((error as NodeJS.ErrnoException).code, "ERR_TLS_CERT_ALTNAME_INVALID")
      }))

    live("a look-up that does not answer is a time-out that undici knows", () =>
      Effect.gen(function*() {
        const resolver = { query: () => Effect.never }
        const connect = NodeHappyEyeballs.connector(buildConnector({}), { resolver, timeout: 20 })
        const { error } = yield* Effect.flip(answered("http://happy.test:1/", connect))
        const { code, name } = error as NodeJS.ErrnoException
        deepStrictEqual([name, code], ["ConnectTimeoutError", "UND_ERR_CONNECT_TIMEOUT"])
      }))

    live("with TLS, and a name of the connector's own", () =>
      Effect.gen(function*() {
        const server = https.createServer(
          { key: pem("happy"), cert: pem("happy") },
          (_, response) => response.end("hello")
        )
        const port = yield* listening(server, "127.0.0.3")
        const named = buildConnector({ ca, servername: "happy.test" })
        const connect = NodeHappyEyeballs.connector(named, { resolver: knows("127.0.0.3") })
        strictEqual(yield* answered(`https://alias.test:${port}/`, connect), "hello")
      }))

    live("with TLS, a dot at the end of the name is not sent, as by an agent", () =>
      Effect.gen(function*() {
        const names: Array<string | false | null> = []
        const server = https.createServer({ key: pem("happy"), cert: pem("happy") }, (_, response) =>
          response.end("hello"))
        server.on("secureConnection", ({ servername }) =>
          names.push(servername))
        const port = yield* listening(server, "127.0.0.3")
        const resolver = knows("127.0.0.3")
        const connect = NodeHappyEyeballs.connector(buildConnector({ ca }), { resolver })
        strictEqual(yield* answered(`https://happy.test.:${port}/`, connect), "hello")
        const agent = new NodeHappyEyeballs.HttpsAgent({ ca, happyEyeballs: { resolver } })
        yield* Effect.promise(async () => {
          const [response] = await once(https.get(`https://happy.test.:${port}/`, { agent }), "response")
          response.resume()
          await once(response, "end")
        })
        agent.destroy()
        deepStrictEqual(names, ["happy.test", "happy.test"])
      }))

    live("a connector that gives no socket back is raced all the same", () =>
      Effect.gen(function*() {
        const port = yield* listening(http.createServer((_, response) => response.end("hello")), "127.0.0.3")
        const build = buildConnector({})
        const sockets: Array<net.Socket> = []
        const silent: NodeHappyEyeballs.Connector = (options, callback) => {
          build(options as buildConnector.Options, (...[error, socket]) => {
            if (error === null) {
              sockets.push(socket)
              callback(null, socket)
            } else {
              callback(error, null)
            }
          })
        }
        const connect = NodeHappyEyeballs.connector(silent, { resolver: knows("127.0.0.2", "127.0.0.3") })
        strictEqual(yield* answered(`http://happy.test:${port}/`, connect), "hello")
        deepStrictEqual(sockets.map(({ destroyed }) => destroyed), [true])
      }))

    live(
      "a connector that gives no socket back: one that is ready too late is destroyed",
      () =>
        Effect.gen(function*() {
          const port = yield* listening(net.createServer(), "127.0.0.2")
          yield* listening(net.createServer(), "127.0.0.3", port)
          const late = yield* Deferred.make<net.Socket>()
          const slow: NodeHappyEyeballs.Connector = ({ host, hostname }, callback) => {
            strictEqual(host, "happy.test")
            const socket = net.connect({ host: hostname, port })
            socket.on("connect", () =>
              setTimeout(() => {
                callback(null, socket)
                if (hostname === "127.0.0.2") {
                  Deferred.unsafeDone(late, Effect.succeed(socket))
                }
              }, hostname === "127.0.0.2" ? 60 : 0))
          }
          const resolver = knows("127.0.0.2", "127.0.0.3")
          const connect = NodeHappyEyeballs.connector(slow, { connectionAttemptDelay: 10, resolver })
          const socket = yield* Effect.async<net.Socket, Error>((resume) => {
            connect(
              { hostname: "happy.test", port: String(port), protocol: "http:" },
              (error, socket) => resume(error === null ? Effect.succeed(socket) : Effect.fail(error))
            )
          })
          strictEqual(socket.remoteAddress, "127.0.0.3")
          assertTrue((yield* Deferred.await(late)).destroyed)
          socket.destroy()
        })
    )

    live("refused everywhere: an error with a code", () =>
      Effect.gen(function*() {
        const connect = NodeHappyEyeballs.connector(buildConnector({}), { resolver: knows("127.0.0.2", "127.0.0.3") })
        const { error } = yield* Effect.flip(answered("http://happy.test:1/", connect))
        assertInstanceOf(error, AggregateError)
        strictEqual((error as NodeJS.ErrnoException).code, "ECONNREFUSED")
        assertTrue(error.message.includes("127.0.0.3"))
      }))
  })

  describe("interrupted at any moment, there is nothing left", () => {
    /** Lets the event loop turn so often. */
    const turns = (count: number): Effect.Effect<void> =>
      Effect.promise(async () => {
        for (let turn = 0; turn < count; turn++) {
          await new Promise((resume) => setImmediate(resume))
        }
      })

    const cases: ReadonlyArray<
      readonly [name: string, connect: (port: number, tlsPort: number) => Effect.Effect<unknown, unknown, Scope.Scope>]
    > = [
      ["connect", (port) => withAddresses("127.0.0.2", "127.0.0.3")(NodeHappyEyeballs.connect(target(port)))],
      [
        "connectTls",
        (_, port) => withAddresses("127.0.0.2", "127.0.0.3")(NodeHappyEyeballs.connectTls(target(port), { ca }))
      ],
      ["connectPromise", (port) =>
        Effect.acquireRelease(
          Effect.interruptible(Effect.tryPromise((signal) =>
            NodeHappyEyeballs.connectPromise({ ...target(port), resolver: knows("127.0.0.2", "127.0.0.3"), signal })
          )),
          (socket) =>
            Effect.sync(() => socket.destroy())
        )],
      ["HttpAgent", (port) =>
        Effect.gen(function*() {
          const agent = yield* Effect.acquireRelease(
            Effect.sync(() =>
              new NodeHappyEyeballs.HttpAgent({ happyEyeballs: { resolver: knows("127.0.0.2", "127.0.0.3") } })
            ),
            (agent) => Effect.sync(() => agent.destroy())
          )
          yield* Effect.async<void>((resume) => {
            const request = http.get({ ...target(port), agent }, (response) =>
              response.resume().on("end", () => resume(Effect.void)))
            request.on("error", () => {})
            return Effect.sync(() =>
              request.destroy()
            )
          })
        })]
    ]

    for (const [name, connect] of cases) {
      live(name, () =>
        Effect.gen(function*() {
          const port = yield* listening(http.createServer((_, response) => response.end("hello")), "127.0.0.3")
          const tlsPort = yield* listening(tlsServer("happy"), "127.0.0.3")
          const open = openSockets()
          for (let moment = 0; moment < 40; moment++) {
            const fiber = yield* Effect.fork(Effect.scoped(connect(port, tlsPort)))
            yield* turns(moment)
            yield* Fiber.interrupt(fiber)
            // The server needs a while to learn that its clients have gone.
            yield* Effect.iterate(0, {
              while: (tries) => tries < 1000 && openSockets() > open,
              body: (tries) => Effect.as(turns(1), tries + 1)
            })
            strictEqual(openSockets(), open, `after ${moment} turns`)
          }
        }))
    }
  })
})
