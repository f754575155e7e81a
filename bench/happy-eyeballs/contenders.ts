import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { createRequire } from "node:module"
import { fileURLToPath } from "node:url"
import type { Network } from "../../test/support/wire/network.js"
import { ports } from "../../test/support/wire/peers.js"
import { nextLine, type ProgramFailed, start, tsx } from "../../test/support/wire/programs.js"
import { run, versionOf } from "../support/processes.js"
import { limit, type Reply, type Way } from "./protocol.js"

export interface Contender {
  readonly name: string
  readonly description: string
  readonly isOurs: boolean
  /** Starts a process that serves all trials, on the client's side. Returns how to connect to a host. */
  readonly start: (
    client: Network["client"]
  ) => Effect.Effect<(host: string) => Effect.Effect<Reply, ProgramFailed>, ProgramFailed, Scope.Scope>
}

const inNode = (way: Way): Contender["start"] => (client) =>
  Effect.map(
    start([...client, ...tsx(new URL("client.ts", import.meta.url)), way]),
    (program) => (host) => Effect.map(program.answer(nextLine(program, host)), (line) => JSON.parse(line) as Reply)
  )

const undici = createRequire(import.meta.url)("undici/package.json") as { readonly version: string }

const node: ReadonlyArray<Contender> = [
  {
    name: "ours",
    description: "NodeHappyEyeballs.connectPromise",
    isOurs: true,
    start: inNode("connectPromise")
  },
  {
    name: "ours, fetch",
    description:
      `Node's fetch, with NodeHappyEyeballs.connector for the global dispatcher's connections (undici ${undici.version})`,
    isOurs: true,
    start: inNode("connector")
  },
  {
    name: "net.connect",
    description: `net.connect of Node ${process.versions.node}, as it is by default`,
    isOurs: false,
    start: inNode("net.connect")
  },
  {
    name: "fetch",
    description: `fetch of Node ${process.versions.node} (undici ${process.versions["undici"]}), as it is by default`,
    isOurs: false,
    start: inNode("fetch")
  }
]

const curl = (version: string): Contender => ({
  name: "curl",
  description: `${version}, as it is by default`,
  isOurs: false,
  // Not `--max-time`: curl would divide it among the addresses of a family, and give each less than its default.
  start: (client) =>
    Effect.succeed((host) =>
      Effect.map(
        run([...client, "curl", "-q", "--silent", "--noproxy", "*", `http://${host}:${ports.http}/`], limit),
        ({ code }) =>
          code === 0 ? { connected: true } : code === undefined
            ? { connected: false }
            : { connected: false, code: `exit code ${code}` }
      )
    )
})

const openConnection = fileURLToPath(new URL("open_connection.py", import.meta.url))

const asyncio = (version: string): Contender => ({
  name: "asyncio",
  description: `asyncio.open_connection of ${version}, with happy_eyeballs_delay=0.25: ` +
    "without it, one address is tried after the other",
  isOurs: false,
  start: (client) =>
    Effect.succeed((host) =>
      Effect.map(
        // Twice the limit, because Python needs time to start.
        run([...client, "python3", openConnection, host, `${ports.plain}`, `${limit / 1000}`], 2 * limit),
        ({ code, stdout }) => {
          const word = stdout.trim()
          return word === "connected" ? { connected: true } : code === 0 && word === ""
            ? { connected: false }
            : { connected: false, code: word || `exit code ${code}` }
        }
      )
    )
})

/** The contenders that this machine has, and the names of those that it lacks. */
export const contenders = Effect.map(
  Effect.all({ curl: versionOf("curl"), python3: versionOf("python3") }),
  (versions) => ({
    present: [
      ...node,
      ...(versions.curl === undefined ? [] : [curl(versions.curl)]),
      ...(versions.python3 === undefined ? [] : [asyncio(versions.python3)])
    ],
    absent: Object.entries(versions).flatMap(([command, version]) => version === undefined ? [command] : [])
  })
)
