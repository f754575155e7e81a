import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual, throws } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import { AsyncLocalStorage } from "node:async_hooks"
import { execFile, spawn } from "node:child_process"
import { once } from "node:events"
import * as net from "node:net"
import { tmpdir } from "node:os"
import { join } from "node:path"
import { setTimeout as sleep } from "node:timers/promises"
import * as tls from "node:tls"
import { fileURLToPath } from "node:url"
import { promisify } from "node:util"
import * as NodeHappyEyeballs from "../../src/NodeHappyEyeballs.js"
import { ca, knows, leavingNoSocket, listening, pem, tlsServer } from "../support/sockets.js"

const live = (name: string, test: () => Effect.Effect<unknown, unknown, Scope.Scope>) =>
  it.live(name, () => leavingNoSocket(Effect.scoped(test())), 20_000)

const lookups: Record<string, ReadonlyArray<string>> = {
  "happy.test": ["127.0.0.3"],
  "refused.test": ["127.0.0.2"]
}

/** `hangs.test` is never resolved, and what is not known does not exist. */
const lookup: net.LookupFunction = (host, { all }, callback) => {
  if (host === "hangs.test") {
    return
  }
  const [address = ""] = lookups[host] ?? []
  setImmediate(() => {
    if (address === "") {
      const error = Object.assign(new Error(`getaddrinfo ENOTFOUND ${host}`), { code: "ENOTFOUND" })
      callback(error, all ? [] : "", 4)
    } else if (all) {
      callback(null, [{ address, family: 4 }])
    } else {
      callback(null, address, 4)
    }
  })
}

type Options = Partial<NodeHappyEyeballs.CreateTlsConnectionOptions & NodeHappyEyeballs.CreateConnectionOptions>
type Connect = (options: Options, listener?: () => void) => net.Socket

/** How to make a socket at once. */
interface Way {
  readonly plain: Connect
  readonly secure: Connect
}

const node: Way = {
  plain: (options, listener) => net.connect(options as net.NetConnectOpts, listener),
  secure: (options, listener) => tls.connect(options, listener)
}

const ours: Way = {
  plain: (options, listener) => NodeHappyEyeballs.createConnection(options as net.TcpNetConnectOpts, listener),
  secure: (options, listener) => NodeHappyEyeballs.createTlsConnection(options, listener)
}

const events = [
  "lookup",
  "connectionAttempt",
  "connectionAttemptFailed",
  "connectionAttemptTimeout",
  "connect",
  "ready",
  "secureConnect",
  "session",
  "keylog",
  "OCSPResponse",
  "timeout",
  "data",
  "end",
  "finish",
  "error",
  "close"
]

const say = (value: unknown): string =>
  value instanceof Error
    ? `${value.name} ${(value as NodeJS.ErrnoException).code} ${value.message}`
    : Buffer.isBuffer(value)
    ? value.toString()
    : String(value)

/**
 * Every event, with what it tells; without a listener of ours, so that a socket flows, and reads, only when a test wants
 * it. Node does not tell of a session that nobody listens for.
 */
const transcribe = (socket: net.Socket, log: Array<string>) => {
  const emit = socket.emit.bind(socket)
  socket.emit = (name: string, ...args: ReadonlyArray<unknown>) => {
    if (events.includes(name) && (name !== "session" || socket.listenerCount(name) > 0)) {
      const isOpaque = name === "session" || name === "keylog"
      log.push([name, ...isOpaque ? [] : args.map(say)].join(" "))
    }
    return emit(name, ...args)
  }
  socket.on("error", () => {})
  return socket
}

/** Unlike `once` of `node:events`, it does not mind an error meanwhile. */
const event = (emitter: NodeJS.EventEmitter, name: string) =>
  new Promise<void>((resume) => emitter.once(name, () => resume()))

interface Bench {
  readonly log: Array<string>
  /** What the server has read, and how many handshakes it has done. */
  readonly heard: { readonly text: () => string; readonly secure: () => number }
  readonly port: number
  readonly connect: (options?: Options, listener?: () => void) => net.Socket
}

type Run = (bench: Bench) => Promise<unknown>

interface Case {
  readonly server?: (socket: net.Socket) => void
  readonly only?: "plain" | "secure"
  /** The events of the race, or the server, tell that an address is connected to twice, or that Node knows of one only. */
  readonly tellsOfTheRace?: true
  readonly tls?: tls.TlsOptions
  readonly run: Run
}

const echo = (socket: net.Socket) => void socket.pipe(socket)

const connected = (socket: net.Socket) => event(socket, "encrypted" in socket ? "secureConnect" : "connect")

const read = async (socket: net.Socket) => {
  let text = ""
  socket.setEncoding("utf8").on("data", (data) => text += data)
  await event(socket, "close")
  return text
}

const cases: Record<string, Case> = {
  "is a socket, before and after": {
    run: async ({ connect, log, port }) => {
      const socket = connect()
      const facts = () => {
        const { bytesRead, connecting, destroyed, localAddress, pending, readyState, remoteAddress, remoteFamily } =
          socket
        const secure = socket as tls.TLSSocket & { readonly secureConnecting?: boolean; readonly servername?: string }
        return [
          socket instanceof net.Socket,
          socket instanceof tls.TLSSocket,
          connecting,
          pending,
          readyState,
          destroyed,
          remoteAddress,
          remoteFamily,
          socket.remotePort === port,
          localAddress,
          bytesRead > 0,
          secure.encrypted,
          secure.authorized,
          secure.authorizationError,
          secure.alpnProtocol,
          secure.secureConnecting,
          secure.servername,
          ...socket.connecting ? [] : [secure.getProtocol?.(), secure.isSessionReused?.()],
          (secure.getPeerCertificate?.() as any)?.subject?.CN
        ].join(" ")
      }
      log.push(facts())
      await connected(socket)
      log.push(facts(), `${(socket.address() as net.AddressInfo).address}`)
      socket.destroy()
      log.push(facts())
      await event(socket, "close")
    }
  },
  "calls its listener, and closes when both have ended": {
    run: async ({ connect, log }) => {
      const socket = connect({}, () => {
        log.push("listener")
        socket.write("hello")
      })
      socket.once("data", () => socket.end())
      await event(socket, "close")
    }
  },
  "takes every call before it is connected": {
    run: async ({ connect, log }) => {
      const socket = connect()
      log.push(
        [
          socket.setNoDelay(),
          socket.setKeepAlive(true, 1000),
          socket.setTimeout(5000),
          socket.pause(),
          socket.resume(),
          socket.unref(),
          socket.ref()
        ].map((returned) => returned === socket).join(" ")
      )
      await connected(socket)
      log.push(`timeout ${socket.timeout}`)
      socket.destroy()
      await event(socket, "close")
    }
  },
  "sends what was written before it was connected, and then its end": {
    run: async ({ connect, log }) => {
      const socket = connect()
      socket.write("a", () => log.push("written"))
      socket.write("b")
      log.push(`${socket.bytesWritten} bytes`)
      socket.end("c")
      log.push(await read(socket), `${socket.bytesWritten} bytes, ${socket.bytesRead}`)
    }
  },
  "ends before it is connected": {
    only: "plain",
    run: async ({ connect }) => {
      const socket = connect().resume()
      socket.end()
      await event(socket, "close")
    }
  },
  "is destroyed at once": {
    run: async ({ connect }) => {
      const socket = connect()
      socket.destroy()
      await event(socket, "close")
    }
  },
  "is destroyed as it learns the address": {
    run: async ({ connect }) => {
      const socket = connect()
      socket.once("lookup", () => socket.destroy(new Error("no more")))
      await event(socket, "close")
    }
  },
  "is destroyed as it connects": {
    tellsOfTheRace: true,
    run: async ({ connect }) => {
      const socket = connect()
      socket.once("connect", () => socket.destroy())
      await event(socket, "close")
    }
  },
  "is destroyed while the name is looked up": {
    run: async ({ connect }) => {
      const socket = connect({ host: "hangs.test" })
      setTimeout(() => socket.destroy(new Error("enough")), 5)
      await event(socket, "close")
    }
  },
  "is aborted while the name is looked up": {
    run: async ({ connect }) => {
      const controller = new AbortController()
      const socket = connect({ host: "hangs.test", signal: controller.signal } as Options)
      setTimeout(() => controller.abort(), 5)
      await event(socket, "close")
    }
  },
  "times out by its option while the name is looked up, again and again": {
    run: async ({ connect }) => {
      const socket = connect({ host: "hangs.test", timeout: 5 })
      await event(socket, "timeout")
      socket.destroy()
      await event(socket, "close")
    }
  },
  "times out by setTimeout while the name is looked up": {
    run: async ({ connect, log }) => {
      const socket = connect({ host: "hangs.test" })
      socket.setTimeout(5, () => log.push(`connecting ${socket.connecting}`))
      await event(socket, "timeout")
      socket.destroy()
      await event(socket, "close")
    }
  },
  "times out when there is nothing to read": {
    server: () => {},
    run: async ({ connect }) => {
      const socket = connect()
      socket.setTimeout(20)
      await event(socket, "timeout")
      socket.destroy()
      await event(socket, "close")
    }
  },
  "is refused": {
    tellsOfTheRace: true,
    run: ({ connect }) => event(connect({ host: "refused.test" }), "close")
  },
  "has a name that does not exist": {
    run: ({ connect }) => event(connect({ host: "nobody.test" }), "close")
  },
  "reads what the server has said first, whenever it is asked": {
    server: (socket) => void socket.end("hello"),
    run: async ({ connect, log }) => {
      const socket = connect()
      await connected(socket)
      await sleep(20)
      log.push(await read(socket))
    }
  },
  "is paused before it is connected": {
    server: (socket) => void socket.end("hello"),
    run: async ({ connect, log }) => {
      const socket = connect().pause()
      socket.on("data", () => {})
      await connected(socket)
      await sleep(20)
      log.push("resumes")
      socket.resume()
      await event(socket, "close")
    }
  },
  "goes on writing when the server has ended, with allowHalfOpen": {
    only: "plain",
    server: (socket) => {
      socket.once("data", () => socket.end("bye"))
    },
    run: async ({ connect, log }) => {
      const socket = connect({ allowHalfOpen: true })
      socket.write("hello")
      socket.resume()
      await event(socket, "end")
      log.push(`writable ${socket.writable}`)
      socket.end("after")
      await event(socket, "close")
    }
  },
  "is reset": {
    server: (socket) => {
      socket.once("data", () => (socket as tls.TLSSocket).encrypted ? socket.destroy() : socket.resetAndDestroy())
    },
    run: async ({ connect }) => {
      const socket = connect().resume()
      socket.write("x")
      await event(socket, "close")
    }
  },
  "resets": {
    only: "plain",
    run: async ({ connect }) => {
      const socket = connect()
      await connected(socket)
      socket.resetAndDestroy()
      await event(socket, "close")
    }
  },
  "reads into a buffer": {
    run: async ({ connect, log }) => {
      let text = ""
      const socket = connect({
        onread: {
          buffer: Buffer.alloc(16),
          callback: (length, buffer) => {
            text += Buffer.from(buffer.subarray(0, length)).toString()
            return true
          }
        }
      })
      socket.end("a text of more than sixteen bytes")
      await event(socket, "close")
      log.push(text)
    }
  },
  "reads into buffers that it asks for": {
    run: async ({ connect, log }) => {
      let text = ""
      const socket = connect({
        onread: {
          buffer: () => Buffer.alloc(16),
          callback: (length, buffer) => {
            text += Buffer.from(buffer.subarray(0, length)).toString()
            return true
          }
        }
      })
      socket.end("a text of more than sixteen bytes")
      await event(socket, "close")
      log.push(text)
    }
  },
  "tells its listeners in the context of the caller": {
    run: async ({ connect, log }) => {
      const context = new AsyncLocalStorage<string>()
      await context.run("caller", async () => {
        const socket = connect()
        for (const name of ["lookup", "connect", "secureConnect", "data", "end", "close"]) {
          socket.on(name, () => log.push(`${name} in ${context.getStore()}`))
        }
        socket.end("x")
        await event(socket, "close")
      })
    }
  },
  "has an address of its own, and a port": {
    only: "plain",
    tellsOfTheRace: true,
    run: async ({ connect, log }) => {
      const probe = net.createServer().listen(0, "127.0.0.9")
      await once(probe, "listening")
      const { port: localPort } = probe.address() as net.AddressInfo
      probe.close()
      await event(probe, "close")
      const socket = connect({ localAddress: "127.0.0.9", localPort })
      await connected(socket)
      log.push(`${socket.localAddress} ${socket.localPort === localPort}`)
      socket.resetAndDestroy()
      await event(socket, "close")
    }
  },
  "connects to an address": {
    run: async ({ connect }) => {
      const socket = connect({ host: "127.0.0.3", servername: "happy.test" })
      socket.end("x")
      socket.resume()
      await event(socket, "close")
    }
  },
  "is wrapped before it is connected": {
    only: "plain",
    tellsOfTheRace: true,
    server: (socket) => {
      const secure = new tls.TLSSocket(socket, { isServer: true, key: pem("happy"), cert: pem("happy") })
      secure.on("error", () => {}).pipe(secure)
    },
    run: async ({ connect, log }) => {
      const inner = connect()
      inner.emit = net.Socket.prototype.emit.bind(inner) as typeof inner.emit
      const socket = transcribe(tls.connect({ socket: inner, ca, servername: "happy.test" }), log)
      socket.write("hello")
      await event(socket, "data")
      socket.end()
      await event(socket, "close")
    }
  },
  "writes nothing before the certificate is accepted": {
    only: "secure",
    server: () => {},
    run: async ({ connect, heard, log }) => {
      for (const options of [{ ca: [] }, { servername: "sad.test" }]) {
        const socket = connect(options)
        socket.write("secret")
        await event(socket, "close")
      }
      await sleep(20)
      log.push(`heard ${heard.text()}`)
    }
  },
  "writes nothing if it is destroyed as it is secure": {
    only: "secure",
    server: () => {},
    run: async ({ connect, heard, log }) => {
      const socket = connect()
      socket.write("secret")
      socket.once("connect", () => socket.once("secureConnect", () => socket.destroy(new Error("not the pin"))))
      await event(socket, "close")
      await sleep(20)
      log.push(`heard ${heard.text()}`)
    }
  },
  "ends, and says nothing of itself, before the certificate is accepted": {
    only: "secure",
    tls: { requestCert: true, rejectUnauthorized: false },
    run: async ({ connect, heard, log }) => {
      const socket = connect({ ca: [], key: pem("happy"), cert: pem("happy") })
      socket.end()
      await event(socket, "close")
      await sleep(20)
      // The end waits for the certificate, too.
      log.splice(0, log.length, ...log.filter((line) => line !== "finish"), `secure ${heard.secure()}`)
    }
  },
  "is destroyed as it hears of the server's certificate": {
    only: "secure",
    run: async ({ connect }) => {
      const socket = connect({ requestOCSP: true } as Options)
      socket.once("OCSPResponse", () => socket.destroy())
      await event(socket, "close")
    }
  },
  "is told of a session and a size before it is connected": {
    only: "secure",
    run: async ({ connect, log }) => {
      const first = connect() as tls.TLSSocket
      let session = Buffer.alloc(0)
      first.on("session", (given) => session = given)
      first.write("x")
      await event(first, "data")
      first.destroy()
      await event(first, "close")
      const second = connect({ servername: "" }) as tls.TLSSocket & {
        readonly setServername: (name: string) => void
        readonly setSession: (session: Buffer) => void
      }
      second.setServername("happy.test")
      second.setSession(session)
      log.push(`${second.setMaxSendFragment(1024)} ${JSON.stringify(second.getPeerCertificate())}`)
      second.end("x")
      second.resume()
      await connected(second)
      log.push(`${second.isSessionReused()} ${second.servername}`)
      await event(second, "close")
    }
  },
  "has inherited options": {
    only: "plain",
    run: async ({ connect }) => {
      const options = Object.create({ host: "happy.test", allowHalfOpen: false })
      const socket = connect(options)
      socket.end("x")
      socket.resume()
      await event(socket, "close")
    }
  },
  "resumes a session": {
    only: "secure",
    run: async ({ connect, log }) => {
      for (const maxVersion of ["TLSv1.2", "TLSv1.3"] as const) {
        const first = connect({ maxVersion }) as tls.TLSSocket
        let session: Buffer | undefined
        first.on("session", (given) => session = given)
        first.write("x")
        await event(first, "data")
        first.destroy()
        await event(first, "close")
        const second = connect({ maxVersion, session }) as tls.TLSSocket
        await connected(second)
        log.push(`${maxVersion} reused ${second.isSessionReused()}`)
        second.destroy()
        await event(second, "close")
      }
    }
  },
  "shows its keys": {
    only: "secure",
    run: async ({ connect, log }) => {
      const socket = connect()
      socket.on("keylog", () => {})
      socket.end("x")
      socket.resume()
      await event(socket, "close")
      // The handshake is a part of the race, and is done before the socket is connected.
      log.sort()
    }
  },
  "has a certificate of somebody else": {
    only: "secure",
    run: ({ connect }) => event(connect({ servername: "sad.test" }), "close")
  },
  "has a certificate that nobody knows": {
    only: "secure",
    run: ({ connect }) => event(connect({ ca: [] }), "close")
  },
  "has a certificate that the caller does not take": {
    only: "secure",
    run: async ({ connect, log }) => {
      const checkServerIdentity = (host: string, { subject }: tls.PeerCertificate) => {
        log.push(`checks ${host} ${subject.CN}`)
        return Object.assign(new Error("not the pin"), { code: "PIN" })
      }
      await event(connect({ checkServerIdentity }), "close")
    }
  },
  "takes any certificate, if it is told to": {
    only: "secure",
    run: async ({ connect, log }) => {
      const socket = connect({ ca: [], rejectUnauthorized: false }) as tls.TLSSocket
      await connected(socket)
      log.push(`${socket.authorized} ${socket.authorizationError}`)
      socket.destroy()
      await event(socket, "close")
    }
  },
  "agrees on a protocol": {
    only: "secure",
    tls: { ALPNProtocols: ["h2", "http/1.1"] },
    run: async ({ connect, log }) => {
      const socket = connect({ ALPNProtocols: ["http/1.1"] }) as tls.TLSSocket
      await connected(socket)
      log.push(`${socket.alpnProtocol} ${socket.exportKeyingMaterial(8, "x", Buffer.alloc(0)).length}`)
      socket.destroy()
      await event(socket, "close")
    }
  },
  "negotiates anew": {
    only: "secure",
    tls: { maxVersion: "TLSv1.2" },
    run: async ({ connect, log }) => {
      const socket = connect() as tls.TLSSocket
      await connected(socket)
      await new Promise<void>((resume) =>
        socket.renegotiate({}, (error) => {
          log.push(`renegotiated ${error}`)
          resume()
        })
      )
      socket.end("x")
      socket.resume()
      await event(socket, "close")
    }
  },
  "sends a lot both ways": {
    run: async ({ connect, log }) => {
      const socket = connect()
      const sent = Buffer.alloc(2 << 20, "abcdefg")
      const received: Array<Buffer> = []
      let count = 0
      socket.emit = net.Socket.prototype.emit.bind(socket) as typeof socket.emit
      socket.on("data", (data) => {
        received.push(data)
        if (count++ % 7 === 0) {
          socket.pause()
          setTimeout(() => socket.resume(), 1)
        }
      })
      socket.end(sent)
      await event(socket, "close")
      log.push(`the same: ${Buffer.concat(received).equals(sent)}`)
    }
  }
}

const transcript = (way: Way, isSecure: boolean, { run, server = echo, tls: tlsOptions }: Case) =>
  Effect.gen(function*() {
    const log: Array<string> = []
    const listener = isSecure
      ? tlsServer("happy", { allowHalfOpen: true, ...tlsOptions } as tls.TlsOptions).on("secureConnection", server)
      : net.createServer({ allowHalfOpen: true }, server)
    const port = yield* listening(listener, "127.0.0.3")
    const connect = (options: Options = {}, called?: () => void) => {
      const own = { host: "happy.test", port, lookup, ...isSecure && { ca, servername: "happy.test" }, ...options }
      return transcribe(way[isSecure ? "secure" : "plain"](own, called), log)
    }
    let connections = 0
    listener.on("connection", () => connections++)
    let text = ""
    let secure = 0
    listener.on("secureConnection", (socket: net.Socket) => {
      secure++
      socket.on("data", (data) => text += data)
    })
    listener.on("OCSPRequest", (_certificate, _issuer, answer) => answer(null, Buffer.from("status")))
    const heard = { text: () => text, secure: () => secure }
    yield* Effect.promise(() => run({ connect, heard, log, port }))
    return { connections, lines: log.map((line) => line.replaceAll(String(port), "PORT")) }
  }).pipe(Effect.scoped)

/** As in a version of Node that is not as we know it. */
const withoutRef = Effect.forEach([node.plain, node.secure], (connect) =>
  Effect.acquireRelease(
    Effect.sync(() => {
      const socket = connect({ host: "hangs.test", port: 1, lookup })
      const prototype: object = Object.getPrototypeOf((socket as unknown as { readonly _handle: object })._handle)
      socket.destroy()
      const descriptor = Object.getOwnPropertyDescriptor(prototype, "ref")
      Object.defineProperty(prototype, "ref", { configurable: true, value: undefined })
      return { descriptor, prototype }
    }),
    ({ descriptor, prototype }) =>
      Effect.sync(() => {
        Reflect.deleteProperty(prototype, "ref")
        Object.defineProperties(prototype, descriptor === undefined ? {} : { ref: descriptor })
      })
  ))

describe("createConnection", () => {
  for (const [name, given] of Object.entries(cases)) {
    for (const isSecure of [false, true]) {
      if (given.only === (isSecure ? "plain" : "secure")) {
        continue
      }
      live(`${name}${isSecure ? ", with TLS" : ""}: as Node's own`, () =>
        Effect.gen(function*() {
          const theirs = yield* transcript(node, isSecure, given)
          // A buffer to read into is no place for what comes before the certificate is judged.
          const isTwice = isSecure && name.startsWith("reads into")
          deepStrictEqual(yield* transcript(ours, isSecure, given), isTwice ? { ...theirs, connections: 2 } : theirs)
        }))

      if (!given.tellsOfTheRace) {
        live(
          `${name}${isSecure ? ", with TLS" : ""}: where Node lacks what we know it by`,
          () =>
            Effect.gen(function*() {
              const theirs = yield* transcript(node, isSecure, given)
              yield* withoutRef
              deepStrictEqual((yield* transcript(ours, isSecure, given)).lines, theirs.lines)
            })
        )
      }
    }
  }
})

/** What is told of a socket, and of what it was to write, in this order. */
const destroyedAsSecured = (port: number) =>
  new Promise<ReadonlyArray<string>>((resume) => {
    const log: Array<string> = []
    const socket = NodeHappyEyeballs.createTlsConnection({ host: "happy.test", port, ca, lookup })
    socket
      .once("secureConnect", () => socket.destroy(new Error("not pinned")))
      .on("error", (error) => log.push(say(error)))
      .on("close", () => log.push("close"))
    socket.write("hello", (error) => resume([...log, say(error)]))
  })

describe("createConnection races", () => {
  const race = (isSecure: boolean, options: Options, log: Array<string> = []) =>
    transcribe(
      ours[isSecure ? "secure" : "plain"]({ host: "happy.test", ...isSecure && { ca }, ...options }),
      log
    )

  for (const isSecure of [false, true]) {
    const withTls = isSecure ? ", with TLS" : ""
    const server = () => isSecure ? tlsServer("happy") : net.createServer()

    live(`the next address when one is refused, and tells of each${withTls}`, () =>
      Effect.gen(function*() {
        const port = yield* listening(server(), "127.0.0.3")
        const log: Array<string> = []
        const resolver = knows("127.0.0.2", "127.0.0.3")
        const socket = race(isSecure, { port, happyEyeballs: { resolver } }, log)
        yield* Effect.promise(() => connected(socket))
        const { remoteAddress } = socket
        socket.destroy()
        yield* Effect.promise(() => event(socket, "close"))
        deepStrictEqual([remoteAddress, ...log.map((line) => line.replaceAll(String(port), "PORT"))], [
          "127.0.0.3",
          "lookup null 127.0.0.2 4 happy.test",
          "connectionAttempt 127.0.0.2 PORT 4",
          "connectionAttemptFailed 127.0.0.2 PORT 4 Error ECONNREFUSED connect ECONNREFUSED 127.0.0.2:PORT",
          "lookup null 127.0.0.3 4 happy.test",
          "connectionAttempt 127.0.0.3 PORT 4",
          "connect",
          "ready",
          ...isSecure ? ["secureConnect"] : [],
          "close false"
        ])
      }))

    live(`several failures are one error with all of them${withTls}`, () =>
      Effect.gen(function*() {
        const socket = race(isSecure, { port: 1, happyEyeballs: { resolver: knows("127.0.0.2", "127.0.0.3") } })
        yield* Effect.promise(() => event(socket, "close"))
        const error = socket.errored as AggregateError & NodeJS.ErrnoException
        deepStrictEqual([error.code, error.errors.map(({ address }) => address)], ["ECONNREFUSED", [
          "127.0.0.2",
          "127.0.0.3"
        ]])
      }))

    live(`destroyed at any moment, it leaves nothing${withTls}`, () =>
      Effect.gen(function*() {
        const port = yield* listening(server(), "127.0.0.3")
        const resolver = knows("127.0.0.2", "127.0.0.3")
        for (const millis of [0, 1, 2, 5, 8, 9, 10, 11, 12, 13, 14, 15, 16, 18, 20]) {
          const socket = race(isSecure, { port, happyEyeballs: { resolver } })
          yield* Effect.sleep(millis)
          socket.destroy()
          yield* Effect.promise(() => event(socket, "close"))
        }
      }))
  }

  live("a handshake that hangs holds the process only if the socket does", () =>
    Effect.gen(function*() {
      const port = yield* listening(net.createServer(() => {}), "127.0.0.3")
      const exit = (isHeld: boolean) =>
        Effect.promise(() =>
          new Promise((resume) => {
            const child = spawn(process.execPath, [
              "--import",
              "tsx",
              fileURLToPath(new URL("../support/hanging.ts", import.meta.url)),
              JSON.stringify({ isHeld, port })
            ])
            child.on("exit", (code, signal) => resume(signal ?? code))
            setTimeout(() => child.kill("SIGKILL"), isHeld ? 3000 : 10_000).unref()
          })
        )
      deepStrictEqual(yield* Effect.all([exit(false), exit(true)], { concurrency: 2 }), [0, "SIGKILL"])
    }))

  live("what is not written, as the socket is destroyed, is told of when it has closed", () =>
    Effect.gen(function*() {
      const port = yield* listening(tlsServer("happy"), "127.0.0.3")
      const unwritten = "Error ERR_SOCKET_CLOSED closed before it was secure"
      deepStrictEqual(
        yield* Effect.promise(() => destroyedAsSecured(port)),
        ["Error undefined not pinned", "close", unwritten]
      )
    }))

  live("an address that takes connections and does not speak TLS loses to one that does", () =>
    Effect.gen(function*() {
      const port = yield* listening(net.createServer(() => {}), "127.0.0.2")
      yield* listening(tlsServer("happy"), "127.0.0.3", port)
      const resolver = knows("127.0.0.2", "127.0.0.3")
      const socket = race(true, { port, happyEyeballs: { connectionAttemptDelay: 20, resolver } })
      yield* Effect.promise(() => connected(socket))
      deepStrictEqual([socket.remoteAddress, (socket as tls.TLSSocket).authorized], ["127.0.0.3", true])
      socket.destroy()
      yield* Effect.promise(() => event(socket, "close"))
    }))

  for (const addresses of [["127.0.0.2", "127.0.0.3"], ["127.0.0.3", "127.0.0.4"]]) {
    live(`a wrong certificate is final, and the only error: ${addresses.join(", ")}`, () =>
      Effect.gen(function*() {
        const port = yield* listening(tlsServer("other"), "127.0.0.3")
        let connections = 0
        yield* listening(tlsServer("happy").on("connection", () => connections++), "127.0.0.4", port)
        const socket = race(true, { port, happyEyeballs: { resolver: knows(...addresses) } })
        yield* Effect.promise(() => event(socket, "close"))
        const error = socket.errored as NodeJS.ErrnoException
        deepStrictEqual([error.code, connections], ["ERR_TLS_CERT_ALTNAME_INVALID", 0])
      }))
  }

  live(
    "where Node lacks what we know it by, the address that wins is connected to once more",
    () =>
      Effect.gen(function*() {
        yield* withoutRef
        let connections = 0
        const port = yield* listening(net.createServer().on("connection", () => connections++), "127.0.0.3")
        const socket = race(false, { port, happyEyeballs: { resolver: knows("127.0.0.2", "127.0.0.3") } })
        yield* Effect.promise(() => connected(socket))
        yield* Effect.promise(() => new Promise((resume) => setTimeout(resume, 10)))
        deepStrictEqual([socket.remoteAddress, connections], ["127.0.0.3", 2])
        socket.destroy()
        yield* Effect.promise(() => event(socket, "close"))
      })
  )

  live("one family, by whatever name Node takes for it, and no other", () =>
    Effect.gen(function*() {
      for (const [family, address] of [[6, "::1"], ["IPv6", "::1"], [4, "127.0.0.2"], ["IPv4", "127.0.0.2"]]) {
        const happyEyeballs = { resolver: knows("::1", "127.0.0.2") }
        const socket = race(false, { port: 1, family: family as 4, happyEyeballs })
        yield* Effect.promise(() => event(socket, "close"))
        strictEqual((socket.errored as unknown as { readonly address: string }).address, address)
      }
      throws(() => race(false, { port: 1, family: 5 }), (error) => {
        assertTrue(error instanceof Error && error.message.includes("option \"family\" must be 4 or 6, got 5"))
      })
      throws(() => race(false, { port: 65536 }), (error) => {
        assertTrue((error as NodeJS.ErrnoException).code === "ERR_SOCKET_BAD_PORT")
      })
    }))

  live("replaces net.connect and tls.connect for all of a process", () =>
    Effect.gen(function*() {
      const child = Effect.promise(() =>
        promisify(execFile)(process.execPath, [
          "--import",
          "tsx",
          fileURLToPath(new URL("../support/replacing.ts", import.meta.url))
        ], { timeout: 10_000 })
      )
      strictEqual((yield* child).stdout, "hello hello hello hello\n")
    }))

  live("takes the arguments of net.connect and of tls.connect", () =>
    Effect.gen(function*() {
      const port = yield* listening(net.createServer((socket) => socket.end()), "127.0.0.1")
      const path = join(tmpdir(), `${process.pid}.happy-connect.sock`)
      const byPath = net.createServer((socket) => socket.end()).listen(path)
      yield* Effect.acquireRelease(
        Effect.promise(() => once(byPath, "listening")),
        () => Effect.async<void>((resume) => void byPath.close(() => resume(Effect.void)))
      )
      const sockets = [
        (listener: () => void) => NodeHappyEyeballs.createConnection({ port, family: 4 }, listener),
        (listener: () => void) => NodeHappyEyeballs.createConnection(port, "127.0.0.1", listener),
        (listener: () => void) => NodeHappyEyeballs.createConnection(path, listener)
      ]
      for (const make of sockets) {
        yield* Effect.promise(() =>
          new Promise<void>((resume) => {
            const socket = make(() => socket.on("close", () => resume()).resume())
          })
        )
      }
      const tlsPort = yield* listening(tlsServer("happy"), "127.0.0.1")
      yield* Effect.promise(() =>
        new Promise<void>((resume) => {
          const socket = NodeHappyEyeballs.createTlsConnection(
            tlsPort,
            "127.0.0.1",
            { ca, servername: "happy.test" },
            () => socket.on("close", () => resume()).destroy()
          )
        })
      )
    }))
})
