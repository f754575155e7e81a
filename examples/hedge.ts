/**
 * Hedged requests to a server with a heavy tail: what they gain, what they cost, and what they leave behind.
 *
 *     npm run demo:hedge
 *     npm run demo:hedge -- --help
 *
 * The server runs in a process of its own on this machine (support/tailServerProcess.ts). Each client sends the same
 * requests with hedging and without it, in turns, so that other work of the machine affects both. If the machine is too
 * busy, the demo shows no latencies: they would be those of the machine.
 */
import * as NodeHttpClient from "@effect/platform-node/NodeHttpClient"
import * as FetchHttpClient from "@effect/platform/FetchHttpClient"
import * as HttpClient from "@effect/platform/HttpClient"
import type * as HttpClientError from "@effect/platform/HttpClientError"
import * as HttpClientRequest from "@effect/platform/HttpClientRequest"
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Effect from "effect/Effect"
import { identity } from "effect/Function"
import * as Layer from "effect/Layer"
import * as Schedule from "effect/Schedule"
import { readCommand } from "../scripts/command.js"
import * as HedgedHttpClient from "../src/HedgedHttpClient.js"
import { Hedge } from "../src/index.js"
import { DemoError, leavingNothingOpen, runDemo } from "./support/demo.js"
import { fate } from "./support/fate.js"
import { faults, progress, report, runOf, table, tooBusy } from "./support/hedgeReport.js"
import { measured } from "./support/measured.js"
import { screen } from "./support/screen.js"
import type { ServerError } from "./support/serverProcess.js"
import { type TailServer, tailServer } from "./support/tailServer.js"
import { describeWhole, parseWhole } from "./support/wholes.js"

const clients = {
  "fetch": FetchHttpClient.layer,
  // The agent of `NodeHttpClient.layer` opens a connection for each request. This one keeps connections, as others do.
  "node:http": Layer.provide(NodeHttpClient.layerWithoutAgent, NodeHttpClient.makeAgentLayer({ keepAlive: true })),
  "undici": NodeHttpClient.layerUndici
}

type ClientName = keyof typeof clients

interface Options {
  readonly requests: number
  readonly seed: number
  readonly names: ReadonlyArray<ClientName>
}

/** How many requests run at once: few enough for a machine with two processors to answer them in time. */
const concurrency = 6
/** Ends a request that stalls. Its latency is then the time that the caller has waited. */
const timeout = "1 second"
const turns = 10

// The server is slow for a little more than 5 % of requests. With this quantile, those exceed the delay, and most others
// do not. The budget pays for all slow requests, and for some that a busy machine makes late.
const quantile = 0.92
const ratio = 0.1

const makePolicy = (name: string) =>
  Hedge.make({
    name,
    // Soon forgets the slow requests of the warm-up.
    delay: Hedge.percentile(quantile, { min: "2 millis", max: timeout, window: "5 seconds" }),
    budget: { ratio }
  })

type Call = (request: HttpClientRequest.HttpClientRequest) => Effect.Effect<string, HttpClientError.HttpClientError>

/** Sends all requests of a client, without hedging and with it, in turns. */
const send = (
  name: ClientName,
  { requests, seed }: Options,
  { origin }: TailServer,
  afterTurn: Effect.Effect<void, ServerError>
) =>
  Effect.gen(function*() {
    const client = yield* HttpClient.HttpClient
    const policy = yield* makePolicy(name)

    const plain: Call = (request) => Effect.flatMap(client.execute(request), ({ text }) => text)
    // Reading is part of the race, so a body that stalls gets a hedge, too.
    const hedged: Call = HedgedHttpClient.hedgeRead(client, policy, ({ text }) => text)

    const measure = (run: string, call: Call, serverTime?: (number: number) => number) => {
      const measuredRun = measured(run)
      return (number: number) =>
        call(HttpClientRequest.get(`${origin}/${encodeURIComponent(run)}/${number}`)).pipe(
          Effect.map((text) => text === `answer to ${number}` ? "answered" : "a wrong answer"),
          Effect.timeoutTo({ duration: timeout, onSuccess: identity, onTimeout: () => "timed out" }),
          Effect.catchAll(({ message }) => Effect.succeed(message)),
          (ended) => measuredRun(ended, serverTime?.(number))
        )
    }
    const calls = [
      measure(runOf(name, "plain"), plain, (number) => fate(seed, number, 0).millis),
      measure(runOf(name, "hedged"), hedged)
    ]

    for (const turn of Arr.chunksOf(Arr.range(0, requests - 1), Math.ceil(requests / turns))) {
      for (const call of calls) {
        yield* Effect.forEach(turn, call, { concurrency, discard: true })
      }
      yield* afterTurn
    }
  }).pipe(Effect.provide(clients[name]))

const demo = (options: Options) =>
  Effect.gen(function*() {
    const { names, requests, seed } = options
    const server = yield* tailServer(seed)
    yield* Console.log(intro(options))

    const line = (name: ClientName) =>
      Effect.map(Effect.flatMap(server.counts, (counts) => report(name, requests, counts)), progress)

    if (process.stdout.isTTY) {
      const show = screen()
      const redraw = Effect.flatMap(Effect.forEach(names, line), show)
      yield* Effect.forEach(names, (name) => send(name, options, server, Effect.void), { discard: true }).pipe(
        Effect.raceFirst(Effect.repeat(redraw, Schedule.spaced("200 millis")))
      )
      yield* redraw
    } else {
      yield* Effect.forEach(
        names,
        (name) => send(name, options, server, Effect.flatMap(line(name), Console.log)),
        { discard: true }
      )
    }

    const { counts, left } = yield* server.close
    const reports = yield* Effect.forEach(names, (name) => report(name, requests, counts))
    yield* Console.log(`\n${table(reports)}\n`)
    for (const { client, hedged, hedging, seen } of reports) {
      const unsent = hedged.requests + hedging.hedges - seen.hedged.first - seen.hedged.hedges
      yield* Console.log(
        `${client}: ${hedging.hedges} hedges, of which ${unsent} lost before they were sent; ` +
          `the budget denied ${hedging.denied} more; the delay was ${hedging.delay.toFixed(1)} ms in the end`
      )
    }
    yield* Effect.forEach(reports.flatMap(tooBusy), (line) => Console.log(line), { discard: true })
    yield* Console.log(`connections left open at the server: ${left}`)
    const found = reports.flatMap((report) => faults(report, ratio))
    const all = left === 0 ? found : [...found, "connections are left open at the server"]
    return all.length === 0 ? undefined : yield* new DemoError({ message: all.join("\n") })
  })

const intro = ({ names, requests, seed }: Options) =>
  [
    `${requests.toLocaleString("en")} requests over ${names.join(", ")}, without hedging and with it; seed ${seed}`,
    "the server: 2 to 6 ms; ten times as long for 5 % of requests; 0.2 % stall in the middle of the body",
    `the policy: a hedge when a request is slower than ${100 * quantile} %, for ${100 * ratio} % of requests at most`,
    `milliseconds; each request, hedged or not, times out after ${timeout}\n`
  ].join("\n")

const wholes = {
  requests: { least: 1, most: 1_000_000, otherwise: 20_000 },
  seed: { least: 0, most: 2 ** 31 - 1, otherwise: 2 }
}

const isClientName = (name: string): name is ClientName => Object.hasOwn(clients, name)
const clientNames = Object.keys(clients).filter(isClientName)

const parseClient = (name: string) =>
  isClientName(name)
    ? Effect.succeed(name)
    : new DemoError({ message: `--client must be one of ${clientNames.join(", ")}, got "${name}"` })

const usage = [
  "Hedged requests to a server with a heavy tail: what they gain, what they cost, and what they leave behind.",
  "",
  "npm run demo:hedge -- [options]",
  "",
  "  --requests N   how many requests each client sends without hedging, and then with hedging:",
  `                 ${describeWhole(wholes.requests)}`,
  `  --seed N       decides which requests are slow: ${describeWhole(wholes.seed)}`,
  `  --client NAME  the client that sends them: ${clientNames.join(", ")}; may be repeated; default all`,
  "  --help, -h     this text"
].join("\n")

const { options: given } = readCommand(usage, {
  requests: { type: "string" },
  seed: { type: "string" },
  client: { type: "string", multiple: true }
})

const parseOptions = Effect.gen(function*() {
  return {
    requests: yield* parseWhole("requests", wholes.requests, given.requests),
    seed: yield* parseWhole("seed", wholes.seed, given.seed),
    names: Arr.dedupe(yield* Effect.forEach(given.client ?? clientNames, parseClient))
  }
})

runDemo(Effect.flatMap(parseOptions, (options) => leavingNothingOpen(demo(options))))
