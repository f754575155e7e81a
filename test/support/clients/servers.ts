import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Schedule from "effect/Schedule"
import type * as Scope from "effect/Scope"
import { createServer } from "mysql2"
import { execFileSync, spawn } from "node:child_process"
import { once } from "node:events"
import * as fs from "node:fs"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import pg from "pg"
import { SMTPServer } from "smtp-server"
import { listening, pem } from "../sockets.js"

// The servers that drivers talk to. They listen on 127.0.0.3.

const address = "127.0.0.3"

/** A program that is not on this machine, or does not start. */
class ServerUnavailable extends Data.TaggedError("ServerUnavailable")<{
  readonly message: string
  readonly isMissing: boolean
}> {}

/** Whether a program is not on this machine, so that its tests may be skipped. */
export const isMissing = (error: Error): boolean => error instanceof ServerUnavailable && error.isMissing

/** The ports of a server. */
interface Ports {
  readonly plain: number
  /** Where TLS is spoken from the first byte on: another one, if TLS is not asked for by the protocol. */
  readonly secure: number
}

/** A server that is a process of its own. */
export interface Program extends Ports {
  readonly address: string
  readonly pid: number
}

const freePort = Effect.suspend(() => Effect.scoped(listening(net.createServer(), address)))

const directory = Effect.acquireRelease(
  Effect.sync(() => fs.mkdtempSync(join(tmpdir(), "clients-"))),
  (path) => Effect.sync(() => fs.rmSync(path, { recursive: true, force: true }))
)

const find = (program: string, ...directories: ReadonlyArray<string>) =>
  Effect.suspend(() => {
    const paths = [...(process.env["PATH"] ?? "").split(":"), ...directories].map((path) => join(path, program))
    const path = paths.find((path) => fs.existsSync(path))
    return path === undefined
      ? new ServerUnavailable({ message: `There is no \`${program}\`.`, isMissing: true })
      : Effect.succeed(path)
  })

const answers = (port: number) =>
  Effect.async<void, Error>((resume) => {
    const socket = net.connect(port, address)
    socket
      .once("connect", () => {
        socket.destroy()
        resume(Effect.void)
      })
      .once("error", (error) => resume(Effect.fail(error)))
  })

/** Starts a program, and waits until it answers. It is killed when the scope closes. */
const start = (
  command: string,
  args: ReadonlyArray<string>,
  ports: Ports,
  {
    answered = Effect.zip(answers(ports.plain), answers(ports.secure)),
    signal = "SIGINT",
    uid
  }: {
    readonly answered?: Effect.Effect<unknown, Error>
    readonly signal?: NodeJS.Signals
    readonly uid?: number | undefined
  } = {}
) =>
  Effect.gen(function*() {
    const child = yield* Effect.acquireRelease(
      Effect.sync(() => spawn(command, args, { stdio: "ignore", ...(uid !== undefined && { uid }) })),
      (child) =>
        Effect.promise(async () => {
          if (child.exitCode === null && child.kill(signal)) {
            await once(child, "exit")
          }
        })
    )
    yield* Effect.retry(answered, Schedule.spaced("20 millis")).pipe(
      Effect.timeoutFail({
        duration: "20 seconds",
        onTimeout: () =>
          new ServerUnavailable({
            message: `\`${command} ${args.join(" ")}\` does not answer (${child.exitCode})`,
            isMissing: false
          })
      })
    )
    return { ...ports, address, pid: child.pid! }
  })

/** PostgreSQL has a process for each connection. */
const childrenOf = (pid: number) =>
  fs.readFileSync(`/proc/${pid}/task/${pid}/children`, "utf8").split(" ").filter(Boolean).map(Number)

/** Lets a program hang: it keeps its connections, and answers nothing. */
export const hang = ({ pid }: Program): Effect.Effect<void> =>
  Effect.sync(() => {
    // As long as it hangs, it starts no other, and those that end stay in its list.
    process.kill(pid, "SIGSTOP")
    childrenOf(pid).forEach((child) => process.kill(child, "SIGSTOP"))
  })

/** Lets it go on, if it hangs. */
export const goOn = ({ pid }: Program): Effect.Effect<void> =>
  Effect.sync(() => {
    process.kill(pid, "SIGSTOP")
    childrenOf(pid).forEach((child) => process.kill(child, "SIGCONT"))
    process.kill(pid, "SIGCONT")
  })

/** A key and a certificate for `happy.test`, as files of one's own. */
const keyIn = (directory: string, uid?: number) => {
  const path = join(directory, "happy.pem")
  fs.writeFileSync(path, pem("happy"), { mode: 0o600 })
  if (uid !== undefined) {
    fs.chownSync(directory, uid, -1)
    fs.chownSync(path, uid, -1)
  }
  return path
}

type Start<A> = Effect.Effect<A, ServerUnavailable | Error, Scope.Scope>

/** A server, once it runs. */
export type Server = Start<Ports>

export const redis: Start<Program> = Effect.gen(function*() {
  const command = yield* find("redis-server")
  const path = keyIn(yield* directory)
  const ports = { plain: yield* freePort, secure: yield* freePort }
  const settings = {
    bind: address,
    port: ports.plain,
    "tls-port": ports.secure,
    "tls-cert-file": path,
    "tls-key-file": path,
    "tls-ca-cert-file": path,
    "tls-auth-clients": "no",
    save: ""
  }
  return yield* start(command, Object.entries(settings).flatMap(([name, value]) => [`--${name}`, `${value}`]), ports)
})

export const mosquitto: Start<Program> = Effect.gen(function*() {
  const command = yield* find("mosquitto", "/usr/sbin")
  const folder = yield* directory
  const path = keyIn(folder)
  const ports = { plain: yield* freePort, secure: yield* freePort }
  const config = join(folder, "mosquitto.conf")
  const lines = [
    "user root",
    "allow_anonymous true",
    `listener ${ports.plain} ${address}`,
    `listener ${ports.secure} ${address}`,
    `certfile ${path}`,
    `keyfile ${path}`
  ]
  fs.writeFileSync(config, lines.join("\n"))
  return yield* start(command, ["-c", config], ports)
})

/** PostgreSQL does not run as root. */
const postgresUser = () =>
  process.getuid?.() === 0 ? Number(execFileSync("id", ["-u", "postgres"], { encoding: "utf8" })) : undefined

export const postgres: Start<Program> = Effect.gen(function*() {
  const versions = "/usr/lib/postgresql"
  const binaries = fs.existsSync(versions)
    ? fs.readdirSync(versions).map((version) => join(versions, version, "bin"))
    : []
  const initdb = yield* find("initdb", ...binaries)
  const command = yield* find("postgres", ...binaries)
  const uid = postgresUser()
  const folder = yield* directory
  const path = keyIn(folder, uid)
  const port = yield* freePort
  const data = join(folder, "data")
  execFileSync(initdb, ["-D", data, "-U", "postgres", "--auth=trust", "--no-sync"], {
    stdio: "ignore",
    cwd: folder,
    ...(uid !== undefined && { uid })
  })
  const settings = {
    listen_addresses: address,
    port,
    unix_socket_directories: "",
    fsync: "off",
    ssl: "on",
    ssl_cert_file: path,
    ssl_key_file: path
  }
  // It takes connections before it answers them.
  const answered = Effect.tryPromise(async () => {
    const client = new pg.Client({ host: address, port, user: "postgres" })
    await client.connect()
    await client.end()
  })
  return yield* start(
    command,
    ["-D", data, ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`])],
    { plain: port, secure: port },
    // It ends all of its processes at once, and waits for no client.
    { answered, uid, signal: "SIGQUIT" }
  )
})

/** What mysql2 tests itself with. */
export const mysql: Server = Effect.gen(function*() {
  const port = yield* freePort
  const server = createServer(() => {})
  const connections = new Set<net.Socket>()
  server.on("connection", (connection) => {
    connections.add(connection.stream)
    connection.on("error", () => {})
    connection.serverHandshake({
      protocolVersion: 10,
      serverVersion: "8.0.0",
      connectionId: 1,
      statusFlags: 2,
      characterSet: 8,
      capabilityFlags: 0xffffff
    })
    connection.on("query", () => {
      // Packets are counted from each query on.
      Object.assign(connection, { sequenceId: 1 })
      connection.writeTextResult([{ answer: "42" }], [{
        catalog: "def",
        schema: "",
        table: "",
        orgTable: "",
        name: "answer",
        orgName: "answer",
        characterSet: 33,
        columnLength: 8,
        columnType: 253,
        flags: 0,
        decimals: 0
      }])
      Object.assign(connection, { sequenceId: 0 })
    })
  })
  yield* Effect.acquireRelease(
    Effect.async<void>((resume) => {
      const listen: (port: number, address: string, listening: () => void) => void = server.listen.bind(server)
      listen(port, address, () => resume(Effect.void))
    }),
    () =>
      Effect.async<void>((resume) => {
        server.close(() => resume(Effect.void))
        connections.forEach((connection) => connection.destroy())
      })
  )
  return { plain: port, secure: port }
})

export const smtp: Server = Effect.gen(function*() {
  const serve = (secure: boolean) => {
    const server = new SMTPServer({
      secure,
      key: pem("happy"),
      cert: pem("happy"),
      authOptional: true,
      onData: (stream, _session, done) => void stream.resume().once("end", () => done(null, "42"))
    })
    return Effect.acquireRelease(
      Effect.async<number>((resume) => {
        server.on("error", () => {})
        const listening = server.listen(0, address, () => {
          const bound = listening.address()
          resume(Effect.succeed(typeof bound === "object" && bound !== null ? bound.port : 0))
        })
      }),
      () => Effect.async<void>((resume) => server.close(() => resume(Effect.void)))
    )
  }
  return { plain: yield* serve(false), secure: yield* serve(true) }
})
