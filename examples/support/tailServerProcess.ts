/** A server with a heavy tail, in a process of its own, so that its client does not slow it down. See tailServer.ts. */
import * as http from "node:http"
import type { Socket } from "node:net"
import { fate } from "./fate.js"
import { type Answer, type Counts, noCounts, type Question } from "./tailServer.js"

const seed = Number(process.argv[2])
/** By run: the first part of the path. */
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
  const attempt = Number(request.headers["x-hedge-attempt"] ?? 0)
  const { millis, stalls } = fate(seed, Number(number), attempt)
  const body = `answer to ${number}`

  count(run, attempt === 0 ? "first" : "hedges")
  let timer = setTimeout(() => {
    response.writeHead(200, { "content-length": body.length })
    if (stalls) {
      response.write(body.slice(0, 5))
      // A client that waits this long has no timeout.
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

/** Waits until clients have closed the connections in use. A client that gives up a request must do so. */
const close = (done: (left: number) => void) => {
  // Clients keep unused connections for later requests, and Node counts them as in use.
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
  // A parent that has died sends no "close". It may die before this listener exists, so `listen` checks again.
  .on("disconnect", () => process.exit())
  // Ctrl-C reaches both processes, and the parent ends this one.
  .on("SIGINT", () => {})

// With a timeout, a connection could close just as a request comes: a failure that has nothing to do with the tail.
server.keepAliveTimeout = 0
server.listen(0, "127.0.0.1", () => {
  if (!process.connected) {
    process.exit()
  }
  const address = server.address()
  tell({ id: 0, port: typeof address === "object" && address !== null ? address.port : 0 })
})
