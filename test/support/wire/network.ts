import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import type * as Scope from "effect/Scope"
import { execFile, spawn } from "node:child_process"
import { accessSync, constants, existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from "node:fs"
import * as readline from "node:readline"
import { setTimeout as sleep } from "node:timers/promises"
import { fileURLToPath } from "node:url"

// Two network namespaces, joined by a wire that delays packets, loses them, or answers in the place of a host. The
// client is 10.99.0.1 and 2001:db8::1. All of 10.99.1.0/24 and 2001:db8:99::/48 is local to the server, so that each
// test can have addresses of its own; it is 10.99.0.2 and 2001:db8::2, too.

/** What the wire does to an address of the server. Without any of it, packets pass at once. */
export interface Fault {
  /** Milliseconds that the wire adds to a round trip: it holds what the server sends, and its own answers. */
  readonly delay?: number
  /** Nothing gets through, either way. */
  readonly drop?: boolean
  /** A SYN is answered by a reset, and does not get to the server. */
  readonly refuse?: boolean
  /** A SYN is answered by ICMP's "host unreachable", and does not get to the server. */
  readonly unreachable?: boolean
}

/** A TCP packet, as it came to the wire or, from "wire", left it. Of the server's, those with mere data are left out. */
export interface Packet {
  /** Milliseconds on the clock of `process.hrtime`. */
  readonly at: number
  readonly from: "client" | "server" | "wire"
  /** The one at the server's side. */
  readonly address: string
  readonly flags: "SYN" | "SYN-ACK" | "RST" | "FIN" | "ACK"
  readonly clientPort: number
  readonly serverPort: number
  /** It was lost, by `drop`. */
  readonly dropped?: true
}

export interface Network {
  /**
   * Sets the faults of all addresses, and forgets the packets of before. Those that are held already stay held, and
   * connections of before may go on: addresses that no test has used before tell them apart.
   */
  readonly faults: (faults: Readonly<Record<string, Fault>>) => Effect.Effect<void>
  /** The packets since the faults were set, with all that were sent before this is asked. */
  readonly packets: Effect.Effect<ReadonlyArray<Packet>>
  /** What to put before a command for it to run at the client's side; the command keeps the process id. */
  readonly client: ReadonlyArray<string>
  /** The same for the server's side. */
  readonly server: ReadonlyArray<string>
  /** Files in the place of those of `/etc`, by name, for programs that are started from now on at the client's side. */
  readonly etc: (files: Readonly<Record<string, string>>) => Effect.Effect<void>
  /** Commands of `ip`, at the client's side, where `DEVICE` is the wire. Its addresses are as before when the scope closes. */
  readonly configure: (commands: ReadonlyArray<string>) => Effect.Effect<void, never, Scope.Scope>
}

/** There can be no test network here: `message` says why. */
export class NetworkUnavailable extends Data.TaggedError("NetworkUnavailable")<{ readonly message: string }> {}

/** How long any command, and any answer of the wire, may take. */
const TIMEOUT = 10_000

const script = fileURLToPath(new URL("delay_line.py", import.meta.url))

const unavailable = (message: string) => new NetworkUnavailable({ message })

const lastLine = (text: string) => text.trimEnd().split("\n").at(-1) ?? ""

const check = Effect.suspend(() => {
  if (process.platform !== "linux") {
    return unavailable("A test network needs Linux.")
  }
  if (process.getuid?.() !== 0) {
    return unavailable("A test network needs root.")
  }
  try {
    accessSync("/dev/net/tun", constants.R_OK | constants.W_OK)
    return Effect.void
  } catch {
    return unavailable("A test network needs /dev/net/tun.")
  }
})

/** A command of iproute2. It is never left running: there is no interruption, but a time limit. */
const ip = (args: ReadonlyArray<string>, input: ReadonlyArray<string> = []) =>
  Effect.uninterruptible(Effect.async<string, NetworkUnavailable>((resume) => {
    const child = execFile("ip", args, { timeout: TIMEOUT, killSignal: "SIGKILL" }, (error, stdout, stderr) => {
      if (error === null) {
        resume(Effect.succeed(stdout))
      } else if (error.code === "ENOENT") {
        resume(unavailable("A test network needs the command `ip`, of iproute2."))
      } else {
        resume(unavailable(`\`ip ${args.join(" ")}\` failed: ${stderr.trim() || error.message}`))
      }
    })
    child.stdin?.on("error", constVoid)
    child.stdin?.end(input.join("\n"))
  }))

const kill = (pid: number) => {
  try {
    process.kill(pid, "SIGKILL")
  } catch {
    // It is gone already.
  }
}

/** Ends the processes of a namespace, and waits until they are gone. */
const empty = (namespace: string) =>
  Effect.iterate(100, {
    while: (rounds) => rounds > 0,
    body: (rounds) =>
      Effect.flatMap(ip(["netns", "pids", namespace]), (output) => {
        const pids = output.split("\n").filter((line) => line !== "").map(Number)
        pids.forEach(kill)
        return pids.length === 0 ? Effect.succeed(0) : Effect.promise(() => sleep(10, rounds - 1))
      })
  })

const remove = (namespace: string) =>
  Effect.zipRight(Effect.ignore(empty(namespace)), Effect.ignore(ip(["netns", "del", namespace])))

/** The namespaces of this process. */
const live = new Set<string>()

const isStale = (namespace: string) => {
  const pid = /^esr-(\d+)-\d+-(?:client|server)$/.exec(namespace)?.[1]
  return pid !== undefined && (Number(pid) === process.pid ? !live.has(namespace) : !existsSync(`/proc/${pid}`))
}

/** Removes what processes have left behind that were killed. */
const sweep = Effect.suspend(() =>
  Effect.forEach(existsSync("/run/netns") ? readdirSync("/run/netns").filter(isStale) : [], remove)
)

const namespace = (name: string) =>
  Effect.zipRight(
    Effect.acquireRelease(
      Effect.sync(() => live.add(name)),
      () => Effect.ensuring(remove(name), Effect.sync(() => live.delete(name)))
    ),
    ip(["netns", "add", name])
  )

const startDelayLine = (devices: ReadonlyArray<string>) => {
  const child = spawn("python3", [script, ...devices])
  let packets: Array<Packet> = []
  let syncs = 0
  let stderr = ""
  let ended: string | undefined
  const waiting = new Map<number, { readonly answered: () => void; readonly failed: (why: string) => void }>()

  const end = (why: string) => {
    ended ??= why
    waiting.forEach(({ failed }) => failed(why))
  }
  child.stdin.on("error", constVoid)
  child.stderr.on("data", (data) => stderr += data)
  child.on("error", ({ message }) => end(`A test network needs python3: ${message}.`))
  child.on("close", () => end(`The delay line has ended: ${lastLine(stderr)}`))
  readline.createInterface({ input: child.stdout }).on("line", (line) => {
    const message = JSON.parse(line) as Packet | { readonly sync: number }
    if ("sync" in message) {
      waiting.get(message.sync)?.answered()
    } else {
      packets.push(message)
    }
  })

  /** Sends a command; `take` is called when it is done, between the packets of before and those of after. */
  const command = <A>(message: object, take: () => A) =>
    Effect.async<A, NetworkUnavailable>((resume) => {
      const sync = syncs++
      const forget = () => {
        clearTimeout(timer)
        waiting.delete(sync)
      }
      const failed = (why: string) => {
        forget()
        resume(unavailable(why))
      }
      const timer = setTimeout(() => failed(`The delay line has not answered within ${TIMEOUT} ms.`), TIMEOUT)
      if (ended !== undefined) {
        return failed(ended)
      }
      waiting.set(sync, {
        answered: () => {
          forget()
          resume(Effect.succeed(take()))
        },
        failed
      })
      child.stdin.write(`${JSON.stringify({ ...message, sync })}\n`)
      return Effect.sync(forget)
    })

  return {
    ready: command({}, constVoid),
    faults: (faults: Readonly<Record<string, Fault>>) =>
      command({ faults }, () => {
        packets = []
      }),
    packets: command({}, () => [...packets]),
    stop: Effect.async<void>((resume) => {
      if (child.pid === undefined || child.exitCode !== null || child.signalCode !== null) {
        return resume(Effect.void)
      }
      child.once("exit", () => resume(Effect.void))
      child.kill("SIGKILL")
    })
  }
}

const batch = (namespace: string, commands: ReadonlyArray<string>) => ip(["-n", namespace, "-batch", "-"], commands)

const address = (namespace: string, device: string, host: number, routes: ReadonlyArray<string>) =>
  batch(namespace, [
    `addr add 10.99.0.${host}/24 dev ${device}`,
    `addr add 2001:db8::${host}/64 dev ${device} nodad`,
    ...routes
  ])

const setUp = (namespace: string, device: string, host: number, routes: ReadonlyArray<string>) =>
  ip(["link", "set", device, "netns", namespace]).pipe(
    Effect.zipRight(batch(namespace, [
      "link set lo up",
      // No link-local address, and so no packets but those of the tests.
      `link set ${device} addrgenmode none`,
      `link set ${device} mtu 1500 up`
    ])),
    Effect.zipRight(address(namespace, device, host, routes))
  )

let networks = 0

/** A network of its own, which is gone, with all processes that run in it, when the scope is closed. */
export const make: Effect.Effect<Network, NetworkUnavailable, Scope.Scope> = Effect.gen(function*() {
  yield* check
  yield* sweep
  const id = `${process.pid}-${networks++}`
  const [client, server] = [`esr-${id}-client`, `esr-${id}-server`]
  const [clientDevice, serverDevice] = [`esr${id}c`, `esr${id}s`]
  yield* namespace(client)
  yield* namespace(server)
  const line = yield* Effect.acquireRelease(
    Effect.sync(() => startDelayLine([clientDevice, serverDevice])),
    ({ stop }) => stop
  )
  yield* line.ready
  const routes = [`route add 10.99.0.0/16 dev ${clientDevice}`, `route add 2001:db8::/32 dev ${clientDevice}`]
  yield* setUp(client, clientDevice, 1, routes)
  // Addresses that are local as a whole need not be added one by one.
  yield* setUp(server, serverDevice, 2, [
    "route add local 10.99.1.0/24 dev lo",
    "route add local 2001:db8:99::/48 dev lo"
  ])
  // To bind to one of them is allowed for IPv4 only, without this.
  yield* ip(["netns", "exec", server, "sh", "-c", "echo 1 > /proc/sys/net/ipv6/ip_nonlocal_bind"])
  // `ip netns exec` mounts what is in there over `/etc`.
  const etc = `/etc/netns/${client}`
  yield* Effect.addFinalizer(() => Effect.sync(() => rmSync(etc, { force: true, recursive: true })))
  return {
    etc: (files) =>
      Effect.sync(() => {
        mkdirSync(etc, { recursive: true })
        for (const [name, content] of Object.entries(files)) {
          writeFileSync(`${etc}/${name}`, content)
        }
      }),
    configure: (commands) =>
      Effect.acquireRelease(
        batch(client, commands.map((command) => command.replace("DEVICE", clientDevice))),
        () =>
          batch(client, [`route flush dev ${clientDevice}`, `addr flush dev ${clientDevice}`]).pipe(
            Effect.zipRight(ip(["-n", client, "-6", "route", "flush", "dev", clientDevice])),
            Effect.zipRight(address(client, clientDevice, 1, routes)),
            Effect.orDie
          )
      ).pipe(Effect.orDie),
    faults: (faults) => Effect.orDie(line.faults(faults)),
    packets: Effect.orDie(line.packets),
    client: ["ip", "netns", "exec", client],
    server: ["ip", "netns", "exec", server]
  }
})
