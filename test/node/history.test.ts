import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual, throws } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import * as TestClock from "effect/TestClock"
import * as http from "node:http"
import os from "node:os"
import type * as HappyEyeballs from "../../src/HappyEyeballs.js"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { knows, leavingNoSocket, listening } from "../support/sockets.js"

const host = "happy.test"

describe("NodeHappyEyeballs.makeHistory", () => {
  it.live.each(["::1", "127.0.0.2"])(
    "a later connection does not try an address that was refused: %s",
    (refused) =>
      Effect.gen(function*() {
        const counts: Record<string, number> = { [refused]: 0, "127.0.0.3": 0 }
        const serverOf = (address: string) =>
          http.createServer((_, response) => response.end("hello")).on("connection", () => counts[address]!++)
        const port = yield* listening(serverOf("127.0.0.3"), "127.0.0.3")
        const history = NodeHappyEyeballs.makeHistory()
        const resolver = knows(refused, "127.0.0.3")
        const connected = (options: HappyEyeballs.ConnectOptions) =>
          Effect.promise(async () => {
            const socket = await NodeHappyEyeballs.connectPromise({ host, port, resolver, ...options })
            const { remoteAddress } = socket
            // The server has counted it when it has answered.
            await new Promise((resume) => socket.on("close", resume).resume().end("GET / HTTP/1.0\r\n\r\n"))
            return remoteAddress
          })
        strictEqual(yield* connected({ history }), "127.0.0.3")
        deepStrictEqual(counts, { [refused]: 0, "127.0.0.3": 1 })

        // From here on it would connect.
        yield* listening(serverOf(refused), refused, port)
        strictEqual(yield* connected({ history }), "127.0.0.3")
        deepStrictEqual(counts, { [refused]: 0, "127.0.0.3": 2 })

        // An agent that has the same history knows as much.
        const agent = new NodeHappyEyeballs.HttpAgent({ happyEyeballs: { history, resolver } })
        yield* Effect.promise(() =>
          new Promise<void>((resume, fail) => {
            http.get({ host, port, agent }, (response) => response.resume().on("end", resume)).on("error", fail)
          })
        )
        deepStrictEqual(counts, { [refused]: 0, "127.0.0.3": 3 })

        strictEqual(yield* connected({}), refused)
        deepStrictEqual(counts, { [refused]: 1, "127.0.0.3": 3 })
      }).pipe(Effect.scoped, leavingNoSocket),
    20_000
  )

  describe("the machine's addresses", () => {
    const addressOf = (address: string, internal = false) => ({ address, internal }) as os.NetworkInterfaceInfo

    /** Replaces what the system tells of its interfaces, and counts how often it is asked. */
    const withInterfaces = <A, E>(
      use: (
        state: { interfaces: () => Record<string, Array<os.NetworkInterfaceInfo>>; asked: number }
      ) => Effect.Effect<
        A,
        E
      >
    ) =>
      Effect.acquireUseRelease(
        Effect.sync(() => {
          const given = os.networkInterfaces
          const state = { interfaces: () => ({ eth0: [addressOf("192.0.2.9")] }), asked: 0 }
          os.networkInterfaces = () => {
            state.asked++
            return state.interfaces()
          }
          return { given, state }
        }),
        ({ state }) => use(state),
        ({ given }) => Effect.sync(() => os.networkInterfaces = given)
      )

    const addresses: ReadonlyArray<HappyEyeballs.Address> = [
      { address: "192.0.2.1", family: 4 },
      { address: "192.0.2.2", family: 4 }
    ]

    const learn = (history: HappyEyeballs.History) =>
      history.record([{
        ...addresses[1]!,
        startedAt: 0,
        endedAt: 1,
        progressedAt: Option.none(),
        result: "won",
        cause: Option.none()
      }], { host, port: 443 })

    const knowsIt = (history: HappyEyeballs.History) =>
      Effect.map(history.order(addresses, host, 443), ([first]) => first === addresses[1])

    it.effect.each<readonly [name: string, interfaces: () => Record<string, Array<os.NetworkInterfaceInfo>>, boolean]>([
      ["another address: forgotten", () => ({ eth0: [addressOf("192.0.2.10")] }), false],
      ["one more", () => ({ eth0: [addressOf("192.0.2.9")], wlan0: [addressOf("2001:db8::9")] }), false],
      ["none", () => ({}), false],
      ["the same, by another interface: known", () => ({ eth1: [addressOf("192.0.2.9")] }), true],
      [
        "of loopback, and of the link",
        () => ({
          lo: [addressOf("127.0.0.1", true), addressOf("::1", true)],
          veth0: [addressOf("fe80::1")],
          eth0: [addressOf("192.0.2.9"), addressOf("fe80::2")]
        }),
        true
      ]
    ])("when they change: %s", ([, interfaces, isKnown]) =>
      withInterfaces((state) =>
        Effect.gen(function*() {
          const history = NodeHappyEyeballs.makeHistory()
          yield* learn(history)
          assertTrue(yield* knowsIt(history))
          state.interfaces = interfaces
          yield* TestClock.adjust(1000)
          strictEqual(yield* knowsIt(history), isKnown)
        })
      ))

    it.effect("are listed once a second, by the clock, also one that is set back", () =>
      withInterfaces((state) =>
        Effect.gen(function*() {
          const history = NodeHappyEyeballs.makeHistory({ timeToLive: "1 hour" })
          const asked: Array<number> = []
          for (const at of [0, 0, 999, 1000, 1999, 2000, 9000, 8001, 8000, 8000]) {
            yield* TestClock.setTime(at)
            yield* knowsIt(history)
            asked.push(state.asked)
          }
          deepStrictEqual(asked, [1, 1, 1, 2, 2, 3, 4, 4, 5, 5])
        })
      ))

    it.effect("cannot be listed: that is no other network", () =>
      withInterfaces((state) =>
        Effect.gen(function*() {
          state.interfaces = () => {
            throw new Error("not permitted")
          }
          const history = NodeHappyEyeballs.makeHistory()
          yield* learn(history)
          yield* TestClock.adjust(1000)
          assertTrue(yield* knowsIt(history))
        })
      ))

    it.effect("are not asked for where the caller tells networks apart", () =>
      withInterfaces((state) =>
        Effect.gen(function*() {
          let network = "home"
          const history = NodeHappyEyeballs.makeHistory({ network: Effect.sync(() => network) })
          yield* learn(history)
          assertTrue(yield* knowsIt(history))
          network = "train"
          strictEqual(yield* knowsIt(history), false)
          strictEqual(state.asked, 0)
        })
      ))
  })

  it.each<readonly [options: unknown, message: string]>([
    [null, "NodeHappyEyeballs: options must be an object with a capacity, a timeToLive or a network, got null"],
    [{ capacity: 1.5 }, "HappyEyeballs: option \"capacity\" must be a whole number of at least 1, got 1.5"],
    [{ network: "home" }, "HappyEyeballs: option \"network\" must be an effect, got \"home\""]
  ])("what makes no sense is named: %o", (options, message) => {
    throws(() => NodeHappyEyeballs.makeHistory(options as HappyEyeballs.HistoryOptions), (error) => {
      assertTrue(error instanceof Error)
      strictEqual(error.message, message)
    })
  })
})
