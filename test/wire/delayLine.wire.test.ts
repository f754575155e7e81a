import { it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Fiber from "effect/Fiber"
import { execFileSync, spawn, spawnSync } from "node:child_process"
import { once } from "node:events"
import { readdirSync, readFileSync } from "node:fs"
import * as readline from "node:readline"
import * as Network from "../support/wire/network.js"
import { describeNetwork } from "../support/wire/suite.js"

// The wire itself, before other tests rely on it.

const PORT = 8080

/** Tells each client the address that it has come to. */
const server = `
  require("node:net")
    .createServer((socket) => socket.on("error", () => {}).end(socket.localAddress))
    .listen(${PORT}, process.argv[1], () => console.log("{}"))
`

/** Connects, and gives up after a while. */
const client = `
  const [host, patience] = process.argv.slice(1)
  const begun = process.hrtime.bigint()
  const socket = require("node:net").connect({ host, port: ${PORT}, autoSelectFamily: false })
  let after
  const happened = () => after ??= Number(process.hrtime.bigint() - begun) / 1e6
  const end = (result) => {
    happened()
    clearTimeout(timer)
    socket.destroy()
    console.log(JSON.stringify({ result, after }))
  }
  const timer = setTimeout(end, Number(patience), "gave up")
  socket.on("connect", happened).on("data", (data) => end(String(data))).on("error", ({ code }) => end(code))
`

interface Result {
  readonly result: string
  readonly after: number
}

/** Runs a program of Node until the scope is closed, and waits for its first line. */
const node = (side: ReadonlyArray<string>, program: string, ...args: ReadonlyArray<string>) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const [command = "", ...prefix] = side
      return spawn(command, [...prefix, process.execPath, "-e", program, ...args], {
        stdio: ["ignore", "pipe", "inherit"],
        timeout: 30_000,
        killSignal: "SIGKILL"
      })
    }),
    (child) =>
      Effect.async<void>((resume) => {
        if (child.exitCode !== null || child.signalCode !== null) {
          return resume(Effect.void)
        }
        child.once("exit", () => resume(Effect.void))
        child.kill("SIGKILL")
      })
  ).pipe(
    Effect.flatMap((child) =>
      Effect.async<Result>((resume) => {
        readline.createInterface({ input: child.stdout })
          .once("line", (line) => resume(Effect.sync(() => JSON.parse(line))))
          .once("close", () => resume(Effect.dieMessage("The program has ended without a line.")))
      })
    )
  )

const brief = ({ dropped, flags, from }: Network.Packet) => `${from} ${flags}${dropped ? " dropped" : ""}`

interface Row {
  readonly name: string
  readonly fault?: Network.Fault
  /** When the client gives up, in milliseconds. */
  readonly patience?: number
  /** What the client sees; null: that it has come to the address that it meant. */
  readonly result: string | null
  /** When it sees it. */
  readonly after: number
  /** All packets; of a connection those of the handshake. */
  readonly packets: ReadonlyArray<string>
}

const handshake = ["client SYN", "server SYN-ACK", "client ACK"]
const refused = { result: "ECONNREFUSED", packets: ["client SYN", "wire RST"] }
const unreachable = { result: "EHOSTUNREACH", packets: ["client SYN"] }
const gaveUp = "gave up"

const rows: ReadonlyArray<Row> = [
  { name: "passes packets", result: null, after: 0, packets: handshake },
  { name: "delays the answer", fault: { delay: 100 }, result: null, after: 100, packets: handshake },
  { name: "refuses", fault: { refuse: true }, after: 0, ...refused },
  { name: "refuses late", fault: { refuse: true, delay: 100 }, after: 100, ...refused },
  { name: "is unreachable", fault: { unreachable: true }, after: 0, ...unreachable },
  { name: "is unreachable late", fault: { unreachable: true, delay: 100 }, after: 100, ...unreachable },
  {
    name: "loses packets",
    fault: { drop: true },
    patience: 300,
    result: gaveUp,
    after: 300,
    packets: ["client SYN dropped"]
  },
  {
    name: "shows the reset for an answer that comes too late",
    fault: { delay: 300 },
    patience: 50,
    result: gaveUp,
    after: 50,
    packets: ["client SYN", "server SYN-ACK", "client RST"]
  }
]

/** The namespaces, devices and processes of this process' networks. */
const traces = () => {
  const commands = readdirSync("/proc").filter((name) => /^\d+$/.test(name)).map((pid) => {
    try {
      return readFileSync(`/proc/${pid}/cmdline`, "utf8")
    } catch {
      return ""
    }
  })
  const devices = readFileSync("/proc/net/dev", "utf8").split("\n").map((line) => line.split(":")[0] ?? "")
  return [...readdirSync("/run/netns"), ...devices, ...commands].filter((name) =>
    name.includes(`esr-${process.pid}-`) || name.includes(`esr${process.pid}-`)
  ).sort()
}

describeNetwork("wire", Effect.succeed, (network) => {
  it.scopedLive.each(rows.map((row, index): readonly [string, Row, number] => [row.name, row, index]))(
    "%s",
    ([, row, index]) =>
      Effect.gen(function*() {
        const { client: clientSide, faults, packets, server: serverSide } = yield* network
        const addresses = [`10.99.1.${index + 1}`, `2001:db8:99::${index + 1}`]
        yield* node(serverSide, server, "::")
        yield* faults(Object.fromEntries(addresses.map((address) => [address, row.fault ?? {}])))
        const results = yield* Effect.forEach(
          addresses,
          (address) => node(clientSide, client, address, String(row.patience ?? 5000)),
          { concurrency: "unbounded" }
        )
        if (row.patience !== undefined) {
          yield* Effect.sleep((row.fault?.delay ?? 0) + 50)
        }
        const seen = yield* packets
        addresses.forEach((address, index) => {
          const { after, result } = results[index] ?? { after: NaN, result: "" }
          // The server is bound to `::`, and sees an address of IPv4 as one that is mapped.
          strictEqual(result.replace("::ffff:", ""), row.result ?? address)
          assertTrue(after >= row.after - 1 && after < row.after + 1000, `after ${after} ms`)
          const exchange = seen.filter((packet) => packet.address === address).map(brief)
          deepStrictEqual(row.result === null ? exchange.slice(0, 3) : exchange, row.packets)
        })
      })
  )

  it.scopedLive("forgets the packets of before when the faults are set", () =>
    Effect.gen(function*() {
      const { client: clientSide, faults, packets } = yield* network
      const exchange = Effect.map(packets, (seen) => seen.filter(({ address }) => address === "10.99.1.99").map(brief))
      yield* faults({})
      strictEqual((yield* node(clientSide, client, "10.99.1.99", "5000")).result, "ECONNREFUSED")
      deepStrictEqual(yield* exchange, ["client SYN", "server RST"])
      yield* faults({})
      deepStrictEqual(yield* exchange, [])
    }))

  it.scopedLive("lets servers be bound to single addresses", () =>
    Effect.gen(function*() {
      const { client: clientSide, faults, server: serverSide } = yield* network
      yield* faults({})
      for (const address of ["10.99.1.98", "2001:db8:99::98"]) {
        yield* node(serverSide, server, address)
        strictEqual((yield* node(clientSide, client, address, "5000")).result, address)
      }
    }))

  it.live("ends the processes that run in it, and leaves nothing behind", () =>
    Effect.gen(function*() {
      const before = traces()
      const ended = yield* Effect.scoped(Effect.gen(function*() {
        const { server } = yield* Network.make
        // Two namespaces, and the delay line; its devices are in the namespaces.
        strictEqual(traces().length, before.length + 3)
        const child = spawn(server[0] ?? "", [...server.slice(1), "sh", "-c", "echo; sleep 60"])
        yield* Effect.promise(() => once(child.stdout, "data"))
        return new Promise((resolve) => child.on("exit", (_, signal) => resolve(signal)))
      }))
      deepStrictEqual(traces(), before)
      strictEqual(yield* Effect.promise(() => ended), "SIGKILL")
    }))

  it.live("leaves nothing behind when it is interrupted half way", () =>
    Effect.gen(function*() {
      const before = traces()
      for (const duration of [0, 2, 10, 20, 40, 80, 120, 160]) {
        const fiber = yield* Effect.fork(Effect.scoped(Effect.zipRight(Network.make, Effect.never)))
        yield* Effect.sleep(duration)
        yield* Fiber.interrupt(fiber)
        deepStrictEqual(traces(), before)
      }
    }))

  it.scopedLive("removes what a process has left behind that was killed", () =>
    Effect.gen(function*() {
      const leftover = `esr-${spawnSync("true").pid}-0-client`
      execFileSync("ip", ["netns", "add", leftover])
      yield* Network.make
      assertTrue(!readdirSync("/run/netns").includes(leftover))
    }))
})
