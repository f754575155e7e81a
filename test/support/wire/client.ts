import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as NodeSocket from "@effect/platform-node/NodeSocket"
import * as HttpClient from "@effect/platform/HttpClient"
import * as Cause from "effect/Cause"
import * as Deferred from "effect/Deferred"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Layer from "effect/Layer"
import * as Option from "effect/Option"
import * as fs from "node:fs"
import * as net from "node:net"
import * as readline from "node:readline"
import * as HappyEyeballs from "../../../src/HappyEyeballs.js"
import * as HappyEyeballsHttpClient from "../../../src/HappyEyeballsHttpClient.js"
import * as HappyEyeballsSocket from "../../../src/HappyEyeballsSocket.js"
import * as NodeHappyEyeballs from "../../../src/NodeHappyEyeballs.js"
import { ca, openSockets } from "../sockets.js"
import { type Command, type Connect, type Form, ports, type Reply } from "./peers.js"

// Connects as it is told on standard input, line by line, and tells what came of it, until that ends.

const host = "happy.test"

/** Each family answers so long after the one before it in the list; the first, after the first query. */
const resolverOf = ({ addresses, answers = [[6, 0], [4, 0]] }: Connect): HappyEyeballs.Resolver["Type"] => {
  let answered: Map<HappyEyeballs.Family, Promise<void>> | undefined
  const begin = () => {
    let last = Promise.resolve()
    return new Map(answers.map(([family, after]) => {
      last = last.then(() => after === 0 ? undefined : new Promise((resume) => setTimeout(resume, after)))
      return [family, last]
    }))
  }
  return {
    query: (host, family) =>
      Effect.zipRight(
        Effect.promise(() => (answered ??= begin()).get(family) ?? Promise.resolve()),
        answers.some(([asked, , fails]) => asked === family && fails)
          ? new HappyEyeballs.QueryFailed({ host, family, cause: new Error("SERVFAIL") })
          : Effect.succeed(addresses.filter((address) => net.isIP(address) === family))
      )
  }
}

const provideResolver = (job: Connect) => Effect.provideService(HappyEyeballs.Resolver, resolverOf(job))

const get = (
  job: Connect,
  layer: (happyEyeballs: NodeHappyEyeballs.PlainOptions) => Layer.Layer<HttpClient.HttpClient>
) => {
  let winner = ""
  const history: HappyEyeballs.History = {
    order: Effect.succeed,
    record: (connections) =>
      Effect.sync(() => winner = connections.find(({ result }) => result === "won")?.address ?? "")
  }
  return HttpClient.get(`http://${host}:${ports.http}/`).pipe(
    Effect.flatMap(({ text }) => text),
    Effect.provide(layer({ resolver: resolverOf(job), history })),
    Effect.map(() => winner)
  )
}

/** Connects in each of the forms that there are, and gives the address that it has been connected to. */
const forms: Record<Form, (job: Connect) => Effect.Effect<string, unknown>> = {
  plain: (job) =>
    NodeHappyEyeballs.connect({ host, port: ports.plain }).pipe(
      Effect.map(({ remoteAddress = "" }) => remoteAddress),
      Effect.scoped,
      provideResolver(job)
    ),
  tls: (job) =>
    NodeHappyEyeballs.connectTls({ host, port: ports.tls }, { ca }).pipe(
      Effect.map(({ remoteAddress = "" }) => remoteAddress),
      Effect.scoped,
      provideResolver(job)
    ),
  socket: (job) =>
    Effect.gen(function*() {
      const address = yield* Deferred.make<string>()
      const socket = yield* HappyEyeballsSocket.make({ host, port: ports.plain })
      const write = yield* socket.writer
      yield* Effect.fork(write("hello"))
      const echoed = () =>
        Effect.flatMap(Effect.serviceOption(NodeSocket.NetSocket), (socket) =>
          Deferred.succeed(address, Option.getOrUndefined(socket)?.remoteAddress ?? ""))
      yield* Effect.raceFirst(socket.run(echoed), Deferred.await(address))
      return yield* Deferred.await(address)
    }).pipe(Effect.scoped, provideResolver(job)),
  http: (job) =>
    get(
      job,
      (happyEyeballs) =>
        Layer.provide(NodeHttpClient.layerWithoutAgent, HappyEyeballsHttpClient.layerAgent({ happyEyeballs }))
    ),
  undici: (job) =>
    get(job, (happyEyeballs) =>
      Layer.provide(
        NodeHttpClient.layerUndiciWithoutDispatcher,
        HappyEyeballsHttpClient.layerDispatcher({ happyEyeballs })
      ))
}

const connect = async (job: Connect): Promise<string> => {
  const exit = await Effect.runPromiseExit(
    forms[job.form](job),
    job.interruptAfter === undefined ? {} : { signal: AbortSignal.timeout(job.interruptAfter) }
  )
  return Exit.match(exit, {
    onFailure: (cause) => Cause.isInterruptedOnly(cause) ? "interrupted" : `failed: ${Cause.pretty(cause)}`,
    onSuccess: (address) => address
  })
}

/** States as in the kernel's `tcp_states.h`. */
const synSent = "02"

const count = () => ({
  sockets: openSockets(),
  synSent:
    ["tcp", "tcp6"].flatMap((table) =>
      fs.readFileSync(`/proc/self/net/${table}`, "utf8").split("\n").filter((row) => row.split(/\s+/)[4] === synSent)
    ).length
})

readline.createInterface({ input: process.stdin })
  .on("line", async (line) => {
    const { command, id } = JSON.parse(line) as { readonly id: number; readonly command: Command }
    const reply: Reply = "form" in command ? { result: await connect(command) } : count()
    process.stdout.write(`${JSON.stringify({ id, reply })}\n`)
  })
  .on("close", () => process.exit())
process.stdout.write(`${JSON.stringify({ ready: true })}\n`)
