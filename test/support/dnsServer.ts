/**
 * A DNS server that answers A and AAAA queries over UDP from a table. In a test, take {@link dnsServer}. For a process
 * or a network namespace of its own, give the options as JSON on the command line or on standard input:
 *
 * ```sh
 * npx tsx test/support/dnsServer.ts '{ "host": "127.0.0.1", "port": 53, "table": { "happy.test": { "A": ["192.0.2.1"] } } }'
 * ```
 *
 * It prints a line, `listening on 127.0.0.1:53`, as soon as it answers, then each query, and runs until a signal ends it.
 */
import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as dgram from "node:dgram"
import * as fs from "node:fs"
import * as net from "node:net"
import { fileURLToPath } from "node:url"

/** Addresses; none of them where the name has no address of this type. Or what goes wrong: `DROP` answers nothing. */
type Reply = ReadonlyArray<string> | "DROP" | keyof typeof codes

/** A reply, at once or so many milliseconds later. */
type Answer = Reply | { readonly after: number; readonly reply: Reply }

export interface DnsServerOptions {
  readonly host: string
  /** Default: one that is free. */
  readonly port?: number
  /** Called for each query, such as `"AAAA happy.test"`. */
  readonly onQuery?: (query: string) => void
  /** By name, in small letters and without a dot at the end. A type that is left out has no addresses; a name, NXDOMAIN. */
  readonly table: { readonly [name: string]: { readonly A?: Answer; readonly AAAA?: Answer } }
}

export interface DnsServer {
  /** As `dns.setServers` takes it. */
  readonly address: string
  /** The queries so far, such as `"AAAA happy.test"`. */
  readonly asked: ReadonlyArray<string>
}

// RFC 1035, sections 3.2.2 and 4.1.1; RFC 3596, section 2.1.
const types = { A: 1, AAAA: 28 } as const
const codes = { SERVFAIL: 2, NXDOMAIN: 3, REFUSED: 5 } as const
const noError = 0
const isResponse = 0x8180
const headerLength = 12
const nameOfTheQuestion = 0xc000 | headerLength

const bytesOf = (address: string): ReadonlyArray<number> => {
  if (net.isIPv4(address)) {
    return address.split(".").map(Number)
  }
  // The URL spells it in one way: hexadecimal groups, at most one "::".
  const [head = [], tail = []] = new URL(`http://[${address}]`).hostname.slice(1, -1).split("::")
    .map((groups) => groups.split(":").filter((group) => group !== ""))
  const groups = [...head, ...Array<string>(8 - head.length - tail.length).fill("0"), ...tail]
  return groups.map((group) => Number.parseInt(group, 16)).flatMap((group) => [group >> 8, group & 255])
}

/** The name and the type that a query asks for, and where its question ends. */
const parseQuery = (query: Buffer) => {
  const labels: Array<string> = []
  let at = headerLength
  for (let length = query.readUInt8(at); length > 0; length = query.readUInt8(at)) {
    labels.push(query.toString("latin1", at + 1, at + 1 + length))
    at += 1 + length
  }
  const type = query.readUInt16BE(at + 1)
  return {
    name: labels.join(".").toLowerCase(),
    type: type === types.A ? "A" : type === types.AAAA ? "AAAA" : undefined,
    end: at + 5
  } as const
}

const record = (type: number, address: string): Buffer => {
  const data = bytesOf(address)
  const head = Buffer.alloc(12)
  head.writeUInt16BE(nameOfTheQuestion, 0)
  head.writeUInt16BE(type, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt32BE(60, 6)
  head.writeUInt16BE(data.length, 10)
  return Buffer.concat([head, Buffer.from(data)])
}

const response = (query: Buffer, end: number, type: number, reply: Exclude<Reply, "DROP">): Buffer => {
  const addresses = typeof reply === "string" ? [] : reply
  const head = Buffer.alloc(headerLength)
  query.copy(head, 0, 0, 2)
  head.writeUInt16BE(isResponse | (typeof reply === "string" ? codes[reply] : noError), 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(addresses.length, 6)
  const question = query.subarray(headerLength, end)
  return Buffer.concat([head, question, ...addresses.map((address) => record(type, address))])
}

/** Answers until the scope closes. */
export const dnsServer = (options: DnsServerOptions): Effect.Effect<DnsServer, Error, Scope.Scope> =>
  Effect.suspend(() => {
    const { host, onQuery, port = 0, table } = options
    const asked: Array<string> = []
    const delayed = new Set<NodeJS.Timeout>()
    const socket = dgram.createSocket(net.isIPv6(host) ? "udp6" : "udp4")
    socket.on("message", (query, client) => {
      const { end, name, type } = parseQuery(query)
      const question = `${type ?? "another type"} ${name}`
      asked.push(question)
      onQuery?.(question)
      const row = table[name]
      const answer = row === undefined ? "NXDOMAIN" : type === undefined ? [] : row[type] ?? []
      const { after, reply } = typeof answer === "object" && "reply" in answer ? answer : { after: 0, reply: answer }
      if (reply === "DROP") {
        return
      }
      const send = () => socket.send(response(query, end, types[type ?? "A"], reply), client.port, client.address)
      if (after === 0) {
        return send()
      }
      const timer = setTimeout(() => {
        delayed.delete(timer)
        send()
      }, after)
      delayed.add(timer)
    })
    const bind = Effect.async<DnsServer, Error>((resume) => {
      const fail = (error: Error) => socket.close(() => resume(Effect.fail(error)))
      socket.once("error", fail).bind(port, host, () => {
        const { address, port } = socket.off("error", fail).address()
        resume(Effect.succeed({ address: net.isIPv6(address) ? `[${address}]:${port}` : `${address}:${port}`, asked }))
      })
    })
    const stop = Effect.async<void>((resume) => {
      delayed.forEach((timer) => clearTimeout(timer))
      socket.close(() => resume(Effect.void))
    })
    return Effect.acquireRelease(bind, () => stop)
  })

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const options: DnsServerOptions = JSON.parse(process.argv[2] ?? fs.readFileSync(0, "utf8"))
  const serve = Effect.flatMap(dnsServer({ ...options, onQuery: console.log }), ({ address }) => {
    console.log(`listening on ${address}`)
    return Effect.never
  })
  await Effect.runPromise(Effect.scoped(serve))
}
