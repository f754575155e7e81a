import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { acceptedConnections } from "./listeners.js"

/** The TCP sockets that this process holds open. */
export interface OpenSockets {
  /** The state of each connection to the given port, also of one that is not yet established. */
  readonly connections: ReadonlyArray<string>
  /** How many sockets are open, of any kind: with listeners and their ends of connections. */
  readonly total: number
}

/** Asks the system which sockets are open, because a count of our own could be wrong. */
export const openSockets = (port?: number): Effect.Effect<OpenSockets> =>
  Effect.orElse(Effect.try(() => fromProc(port)), () => fromNode)

/**
 * Linux lists the descriptors of a process as links such as `socket:[123]`, and all sockets by that number. This reads
 * both in one synchronous step, so that this process opens and closes nothing in between.
 */
const fromProc = (port: number | undefined): OpenSockets => {
  const own = new Set(fs.readdirSync("/proc/self/fd").map(linkOf))
  const tables = ["/proc/self/net/tcp", "/proc/self/net/tcp6"].filter((path) => fs.existsSync(path))
  const sockets = tables
    .flatMap((path) => parseTable(fs.readFileSync(path, "utf8")))
    .filter(({ inode }) => own.has(`socket:[${inode}]`))
  const connections = sockets.filter(({ remotePort }) => remotePort === port).map(({ state }) => state)
  return { connections: connections.sort(), total: sockets.length }
}

const linkOf = (descriptor: string): string => {
  try {
    return fs.readlinkSync(`/proc/self/fd/${descriptor}`)
  } catch {
    // The list holds the descriptor that read the directory, which is closed by now.
    return ""
  }
}

const parseTable = (table: string) =>
  table.trim().split("\n").slice(1).map((row) => {
    const [, , remote = "", state = "", , , , , , inode = ""] = row.trim().split(/\s+/)
    return {
      remotePort: parseInt(remote.slice(remote.indexOf(":") + 1), 16),
      state: states[parseInt(state, 16) - 1] ?? state,
      inode
    }
  })

// In the order of the kernel's numbers, from 1.
const states = [
  "ESTABLISHED",
  "SYN_SENT",
  "SYN_RECV",
  "FIN_WAIT1",
  "FIN_WAIT2",
  "TIME_WAIT",
  "CLOSE",
  "CLOSE_WAIT",
  "LAST_ACK",
  "LISTEN",
  "CLOSING"
]

/** On other systems only Node can tell, and it knows neither ports nor states. */
const fromNode: Effect.Effect<OpenSockets> = Effect.gen(function*() {
  // A listener hears a moment later that a client has gone.
  yield* Effect.sleep("50 millis")
  const resources = process.getActiveResourcesInfo()
  const count = (name: string) => resources.filter((resource) => resource === name).length
  const sockets = count("TCPSocketWrap")
  return {
    connections: Array.from({ length: sockets - acceptedConnections.size }, () => "open"),
    total: sockets + count("TCPServerWrap")
  }
})
