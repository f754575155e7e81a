import * as Effect from "effect/Effect"
import * as fs from "node:fs"
import { acceptedConnections } from "./listeners.js"

/** The TCP sockets that this process holds open. */
export interface OpenSockets {
  /** The state of each connection, also half made, to the port asked about. */
  readonly connections: ReadonlyArray<string>
  /** How many there are of all kinds: listeners and their ends of connections too. */
  readonly total: number
}

/** Asks the system which sockets are open, where a tally of our own might be wrong. */
export const openSockets = (port?: number): Effect.Effect<OpenSockets> =>
  Effect.orElse(Effect.try(() => fromProc(port)), () => fromNode)

/**
 * Linux lists a process's descriptors as links such as `socket:[123]`, and all sockets by that number. Read in one
 * synchronous step: nothing in this process opens or closes meanwhile.
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
    // The descriptor that listed the directory is in the list, and closed by now.
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

// In the order of their numbers in the kernel, from 1.
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

/** Elsewhere only Node itself is there to be asked, which knows neither ports nor states. */
const fromNode: Effect.Effect<OpenSockets> = Effect.gen(function*() {
  // A listener learns a moment later that a client has gone.
  yield* Effect.sleep("50 millis")
  const resources = process.getActiveResourcesInfo()
  const count = (name: string) => resources.filter((resource) => resource === name).length
  const sockets = count("TCPSocketWrap")
  return {
    connections: Array.from({ length: sockets - acceptedConnections.size }, () => "open"),
    total: sockets + count("TCPServerWrap")
  }
})
