/** A server with a heavy tail, in a process of its own: its client's work does not make it slower. See tailServer.ts. */
import * as http from "node:http"
import type { Socket } from "node:net"
import { fate } from "./fate.js"
import { type Answer, type Counts, noCounts, type Question } from "./tailServer.js"

const seed = Number(process.argv[2])
/** By the first part of the path, which says what a request is part of. */
const counts: Record<string, Counts> = {}
const count = (run: string, what: keyof Counts) => {
  const before = counts[run] ?? noCounts
  counts[run] = { ...before, [what]: before[what] + 1 }
}

/** Connections without a request so far. */
const unused = new Set<Socket>()

const server = http.createServer((request, response) => {
  unused.delete(request.socket)
  const [, run = "", number = ""] = (request.url ?? "").split("/").map(decodeURIComponent)
  const copy = Number(request.headers["x-hedge-attempt"] ?? 0)
  const { millis, stalls } = fate(seed, Number(number), copy)
  const body = `answer to ${number}`

  count(run, copy === 0 ? "first" : "copies")
  let timer = setTimeout(() => {
    response.writeHead(200, { "content-length": body.length })
    if (stalls) {
      response.write(body.slice(0, 5))
      // Whoever has waited for that long has no timeout.
      timer = setTimeout(() => response.destroy(), 30_000)
    } else {
      response.end(body)
    }
  }, millis)
  response.on("close", () => {
    clearTimeout(timer)
    count(run, response.writableFinished ? "answered" : "aborted")
  })
})

server.on("connection", (socket) => {
  unused.add(socket)
  socket.on("close", () => unused.delete(socket))
})

/** Waits for the connections that are in use: whoever has given up a request has closed its connection, too. */
const close = (done: (left: number) => void) => {
  // Clients keep them for later. For Node they are in use.
  unused.forEach((socket) => socket.destroy())
  const giveUp = setTimeout(() => server.getConnections((_, left) => done(left)), 2000)
  server.close(() => {
    clearTimeout(giveUp)
    done(0)
  })
}

const tell = (answer: Answer, done = () => {}) => process.send?.(answer, undefined, undefined, done)

process
  .on("message", ({ id, text }: Question) =>
    text === "counts"
      ? tell({ id, counts })
      : close((left) => tell({ id, counts, left }, () => process.exit())))
  // The parent says when it is over. If it has died, nobody does; it may have died before this.
  .on("disconnect", () => process.exit())
  // Ctrl-C is sent to both.
  .on("SIGINT", () => {})

// A connection that is closed just as a request comes is a failure that has nothing to do with the tail.
server.keepAliveTimeout = 0
server.listen(0, "127.0.0.1", () => {
  if (!process.connected) {
    process.exit()
  }
  const address = server.address()
  tell({ id: 0, port: typeof address === "object" && address !== null ? address.port : 0 })
})
