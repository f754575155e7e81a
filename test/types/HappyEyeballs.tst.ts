import type * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import type * as HttpClient from "@effect/platform/HttpClient"
import type * as Socket from "@effect/platform/Socket"
import * as Effect from "effect/Effect"
import type * as Layer from "effect/Layer"
import type * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"
import * as http from "node:http"
import type * as net from "node:net"
import type * as tls from "node:tls"
import { describe, expect, test } from "tstyche"
import { Agent, buildConnector } from "undici"
import * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as HappyEyeballsHttpClient from "../../src/HappyEyeballsHttpClient.js"
import * as HappyEyeballsSocket from "../../src/HappyEyeballsSocket.js"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"

declare const open: (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<"socket", "refused", "network">

const target = { host: "example.com", port: 443 }

describe("HappyEyeballs", () => {
  test("connect has the success of open, its errors in ConnectionFailed, and its requirements", () => {
    expect(HappyEyeballs.connect(target, open)).type.toBe<
      Effect.Effect<"socket", HappyEyeballs.ConnectionFailed<"refused">, "network" | HappyEyeballs.Resolver>
    >()
  })

  test("outcome never fails", () => {
    expect(HappyEyeballs.outcome(target, open)).type.toBe<
      Effect.Effect<HappyEyeballs.Outcome<"socket", "refused">, never, "network" | HappyEyeballs.Resolver>
    >()
  })

  test("ConnectionFailed can be caught by its tag, and knows the errors of each address", () => {
    const caught = HappyEyeballs.connect(target, open).pipe(
      Effect.catchTag("ConnectionFailed", ({ connections }) => Effect.succeed(connections))
    )
    expect(caught).type.toBe<
      Effect.Effect<
        "socket" | ReadonlyArray<HappyEyeballs.Connection<"refused">>,
        never,
        "network" | HappyEyeballs.Resolver
      >
    >()
  })

  test("resolve is a stream of addresses", () => {
    expect(HappyEyeballs.resolve("example.com")).type.toBe<
      Stream.Stream<HappyEyeballs.Address, HappyEyeballs.ResolutionFailed, HappyEyeballs.Resolver>
    >()
    expect(Stream.runCollect(HappyEyeballs.resolve("example.com", { family: 6 }))).type.not.toRaiseError()
  })

  test("interleave keeps what else an address has, data first and data last", () => {
    const addresses: Array<HappyEyeballs.Address & { readonly ttl: number }> = []
    expect(HappyEyeballs.interleave(addresses)).type.toBe<Array<HappyEyeballs.Address & { readonly ttl: number }>>()
    expect(HappyEyeballs.interleave({ prefer: 4 })(addresses)).type.toBe<
      Array<HappyEyeballs.Address & { readonly ttl: number }>
    >()
    expect(HappyEyeballs.interleave).type.not.toBeCallableWith(addresses, { prefer: 5 })
  })
})

describe("NodeHappyEyeballs", () => {
  type Failed = HappyEyeballs.ConnectionFailed<NodeHappyEyeballs.SocketFailed>

  test("connect and connectTls need a scope and a resolver", () => {
    expect(NodeHappyEyeballs.connect(target)).type.toBe<
      Effect.Effect<net.Socket, Failed, HappyEyeballs.Resolver | Scope.Scope>
    >()
    expect(NodeHappyEyeballs.connectTls(target, { ALPNProtocols: ["h2"], connectionAttemptDelay: "100 millis" })).type
      .toBe<Effect.Effect<tls.TLSSocket, Failed, HappyEyeballs.Resolver | Scope.Scope>>()
  })

  test("what would have a meaning of its own is no option", () => {
    expect(NodeHappyEyeballs.connect).type.not.toBeCallableWith(target, { lookup: () => {} })
    expect(NodeHappyEyeballs.connect).type.not.toBeCallableWith(target, { autoSelectFamily: true })
    expect(NodeHappyEyeballs.connect).type.not.toBeCallableWith(target, { signal: AbortSignal.abort() })
    expect<NodeHappyEyeballs.ConnectOptions>().type.toBeAssignableFrom<
      { family: 6; localAddress: string; noDelay: true }
    >()
  })

  test("promises", () => {
    expect(NodeHappyEyeballs.connectPromise({ ...target, signal: AbortSignal.abort() })).type.toBe<
      Promise<net.Socket>
    >()
    expect(NodeHappyEyeballs.connectTlsPromise({ ...target, ca: "" })).type.toBe<Promise<tls.TLSSocket>>()
  })

  test("agents and connectors fit where Node's and undici's own do", () => {
    expect(http.get).type.toBeCallableWith({ agent: new NodeHappyEyeballs.HttpAgent({ keepAlive: true }) })
    expect(new NodeHappyEyeballs.HttpsAgent({ ca: "", maxSockets: 1 })).type.toBeAssignableTo<http.Agent>()
    expect<NodeHappyEyeballs.HttpAgent>().type.toBe<http.Agent>()
    expect(Agent).type.toBeConstructableWith({ connect: NodeHappyEyeballs.connector(buildConnector({})) })
  })
})

describe("HappyEyeballsHttpClient and HappyEyeballsSocket", () => {
  test("a Socket that needs a resolver, and layers that need nothing", () => {
    expect(HappyEyeballsSocket.make(target, { openTimeout: "5 seconds" })).type.toBe<
      Effect.Effect<Socket.Socket, never, HappyEyeballs.Resolver>
    >()
    expect(HappyEyeballsHttpClient.layer).type.toBe<Layer.Layer<HttpClient.HttpClient>>()
    expect(HappyEyeballsHttpClient.layerUndici).type.toBe<Layer.Layer<HttpClient.HttpClient>>()
    expect(HappyEyeballsHttpClient.layerAgent({ keepAlive: true })).type.toBe<Layer.Layer<NodeHttpClient.HttpAgent>>()
    expect(HappyEyeballsHttpClient.layerDispatcher({ connect: { ca: "" }, pipelining: 1 })).type.toBe<
      Layer.Layer<NodeHttpClient.Dispatcher>
    >()
  })
})
