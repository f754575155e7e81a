import * as NodeCommandExecutor from "@effect/platform-node/NodeCommandExecutor"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Clock from "effect/Clock"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Num from "effect/Number"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import type * as net from "node:net"
import * as tls from "node:tls"
import { readCommand } from "../scripts/command.js"
import { HappyEyeballs, Timeline } from "../src/index.js"
import * as NodeHappyEyeballs from "../src/NodeHappyEyeballs.js"
import { blackHole } from "./support/blackHole.js"
import { readLine, writeLine } from "./support/lines.js"
import { listen, usable } from "./support/listeners.js"
import { openSockets } from "./support/sockets.js"

const usage =
  `npm start -- [HOST PORT [--tls]]: connects to whichever of a host's addresses answers first, as browsers do (Happy
Eyeballs, RFC 8305)

Without HOST and PORT, it connects to a host with four addresses on this machine. Each address behaves in its own way.

  HOST PORT   connects to this host, and shows its addresses and what became of each
  --tls       speaks TLS to the host
  --help, -h  this text

All times count from the start of the race, which begins with the look-ups.`

const { options: { tls: withTls = false }, words } = readCommand(usage, { tls: { type: "boolean" } }, { words: true })

class ExampleError extends Data.TaggedError("ExampleError")<{ readonly message: string }> {}

const describe = (cause: Cause.Cause<{ readonly message: string }>) =>
  Option.match(Cause.failureOption(cause), { onNone: () => Cause.pretty(cause), onSome: ({ message }) => message })

/** The answer of a look-up, as text, and its time by the `Clock`. */
interface Answer {
  readonly at: number
  readonly family: HappyEyeballs.Family
  readonly text: string
}

/** Races a host's addresses, prints what happened, and returns the winner's socket. */
const connect = <S extends net.Socket, E extends { readonly message: string }>(
  target: HappyEyeballs.Target,
  open: (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<S, E, Scope.Scope>,
  label: (address: string) => string = (address) => address,
  answers: ReadonlyArray<Answer> = []
) =>
  Effect.gen(function*() {
    const connections = Effect.map(openSockets(target.port), ({ connections }) => connections)

    const before = yield* connections
    // Counting takes some milliseconds, so it runs at a time when nothing else is due.
    const counting = yield* Effect.fork(Effect.delay(connections, "400 millis"))
    // The winner's socket belongs to the scope around the race. All other sockets are closed when the race returns.
    const outcome = yield* HappyEyeballs.outcome(target, open)
    const after = yield* connections
    const during = yield* Fiber.interrupt(counting)

    const width = Num.clamp(process.stdout.columns || 100, { minimum: 40, maximum: 100 })
    for (const { at, family, text } of answers) {
      yield* Console.log(`IPv${family} after ${at - outcome.startedAt} ms: ${text}`)
    }
    const labels = outcome.connections.map(({ address }) => label(address))
    yield* Console.log(`\n${Timeline.render(outcome, { labels, width })}`)
    const winner = outcome.connections.find(({ result }) => result === "won")
    if (Option.isNone(outcome.winner) || winner === undefined) {
      return yield* new HappyEyeballs.ConnectionFailed({ ...target, ...outcome })
    }
    yield* Effect.forEach(outcome.connections, ({ address, cause }) =>
      Option.exists(cause, (cause) =>
          !Cause.isInterruptedOnly(cause))
        ? Console.log(`${label(address)}: ${Option.match(cause, { onNone: () => "", onSome: describe })}`)
        : Effect.void)
    yield* Console.log(`\nconnected to ${winner.address} after ${outcome.decidedAt - outcome.startedAt} ms`)
    yield* Console.log("sockets of this process to this host, as the system counts them:")
    yield* logCount("before the race", before)
    if (Exit.isSuccess(during)) {
      yield* logCount("400 ms into it", during.value)
    }
    yield* logCount("after it", after)
    if (after.length !== 1) {
      return yield* new ExampleError({ message: "only the winner's socket should be open after the race" })
    }
    return outcome.winner.value.value
  })

const logCount = (when: string, states: ReadonlyArray<string>) =>
  Console.log(`  ${when.padEnd(16)} ${states.length}  ${states.join(", ")}`.trimEnd())

/** Connects to a host with four addresses. Only the last one leads to a healthy server. */
const demo = Effect.gen(function*() {
  // On a machine that lacks some of these addresses, the host has fewer.
  const [good = "127.0.0.1", slow, refuses] = yield* usable(["127.0.0.4", "127.0.0.3", "127.0.0.2", "127.0.0.1"])
  const [swallows] = yield* usable(["::1", "127.0.0.5"])

  const port = yield* listen(good, 0, { greeting: "welcome", greetAfter: 0 })
  const behaviours = new Map([[good, "answers"]])
  if (slow !== undefined) {
    yield* listen(slow, port, { greeting: "welcome at last", greetAfter: "1 second" })
    behaviours.set(slow, "is slow")
  }
  if (refuses !== undefined) {
    behaviours.set(refuses, "refuses")
  }
  const address = Option.flatMap(Option.fromNullable(swallows), HappyEyeballs.address)
  if (Option.isSome(address)) {
    yield* blackHole(address.value, port).pipe(
      Effect.tap(Effect.sync(() => behaviours.set(address.value.address, "swallows"))),
      Effect.catchAll(({ message }) => Console.log(`no address that swallows connections: ${message}`))
    )
  }
  const addresses = Array.from(behaviours.keys()).reverse().flatMap((text) =>
    Option.toArray(HappyEyeballs.address(text))
  )
  const resolver = HappyEyeballs.Resolver.of({
    query: (_host, family) =>
      Effect.succeed(addresses.filter((address) => address.family === family).map(({ address }) => address))
  })

  // The candidate decides what counts as success. Here it is the server's greeting, not only the connection.
  const greeted = (endpoint: HappyEyeballs.Endpoint) => Effect.tap(NodeHappyEyeballs.open()(endpoint), readLine)

  const socket = yield* connect(
    { host: "four-addresses.test", port },
    greeted,
    (text) => `${text} ${behaviours.get(text)}`
  ).pipe(Effect.provideService(HappyEyeballs.Resolver, resolver))
  yield* writeLine(socket, "hello")
  yield* Console.log(`\nsent "hello", received "${yield* readLine(socket)}"`)
})

/** The system's resolver, which also records its answers. The outcome tells later when the race began. */
const notingResolver = (answers: Array<Answer>): HappyEyeballs.Resolver["Type"] => {
  const system = NodeHappyEyeballs.makeResolver()
  return {
    ...system,
    query: (host, family, families) =>
      system.query(host, family, families).pipe(
        Effect.onExit((exit) =>
          Effect.map(Clock.currentTimeMillis, (at) => {
            const text = Exit.match(exit, {
              onFailure: (cause) => Cause.prettyErrors(cause).map(({ message }) => message).join("; ") || "not needed",
              onSuccess: (addresses) => addresses.join(", ") || "none"
            })
            answers.push({ at, family, text })
          })
        )
      )
  }
}

const describeTls = (socket: tls.TLSSocket) => {
  const { issuer, subject, valid_to } = socket.getPeerCertificate()
  return [
    `${socket.getProtocol()}, ${socket.getCipher().name}, ALPN: ${socket.alpnProtocol || "none"}`,
    `certificate for ${subject.CN} by ${issuer.O ?? issuer.CN}, valid to ${valid_to}`
  ].join("\n")
}

const tool = (target: HappyEyeballs.Target) =>
  Effect.gen(function*() {
    const answers: Array<Answer> = []
    // The delay is not a timeout: it ends no attempt. The candidate limits how long an address may take.
    const open = (endpoint: HappyEyeballs.Endpoint): ReturnType<ReturnType<typeof NodeHappyEyeballs.open>> =>
      withTls
        ? NodeHappyEyeballs.openTls({ ALPNProtocols: ["h2", "http/1.1"] })(endpoint)
        : NodeHappyEyeballs.open()(endpoint)
    const limited = (endpoint: HappyEyeballs.Endpoint) =>
      Effect.timeoutFail(open(endpoint), {
        duration: "10 seconds",
        onTimeout: () => new ExampleError({ message: "no answer within 10 seconds" })
      })
    const socket = yield* connect(target, limited, undefined, answers).pipe(
      Effect.provideService(HappyEyeballs.Resolver, notingResolver(answers))
    )
    if (socket instanceof tls.TLSSocket) {
      return yield* Console.log(`\n${describeTls(socket)}`)
    }
    // Many servers wait for the client to speak first.
    const greeting = yield* readLine(socket).pipe(Effect.timeout("500 millis"), Effect.option)
    yield* Console.log(Option.match(greeting, {
      onNone: () => "\nreceived nothing: the server waits for us to speak first",
      onSome: (line) => `\nreceived ${JSON.stringify(line)}`
    }))
  })

/** Runs an effect in its own scope. After the scope has closed, fails if a socket is still open. */
const leavingNothingOpen = <A, E, R>(effect: Effect.Effect<A, E, R>) =>
  Effect.uninterruptibleMask((restore) =>
    Effect.gen(function*() {
      const exit = yield* Effect.exit(restore(Effect.scoped(effect)))
      const { total } = yield* openSockets()
      yield* Console.log(
        `${Exit.isInterrupted(exit) ? "interrupted; " : ""}sockets of this process at the end, of any kind: ${total}`
      )
      return total === 0 ? yield* exit : yield* new ExampleError({ message: "no socket should be open at the end" })
    })
  )

const parsePort = (input: string): Effect.Effect<number, ExampleError> =>
  /^\d{1,5}$/.test(input) && Number(input) >= 1 && Number(input) <= 65535
    ? Effect.succeed(Number(input))
    : new ExampleError({ message: `PORT must be 1 to 65535, got ${input}` })

const main = Effect.gen(function*() {
  const [host, port, ...rest] = words
  if (host === undefined && !withTls) {
    return yield* leavingNothingOpen(demo)
  }
  if (!host || port === undefined || rest.length > 0) {
    return yield* new ExampleError({ message: `expected HOST and PORT, and nothing else\n\n${usage}` })
  }
  yield* leavingNothingOpen(tool({ host, port: yield* parsePort(port) }))
})

main.pipe(
  Effect.tapErrorCause((cause) => Cause.isInterruptedOnly(cause) ? Effect.void : Console.error(describe(cause))),
  Effect.provide(Layer.provideMerge(NodeCommandExecutor.layer, NodeFileSystem.layer)),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? 0 : Exit.isInterrupted(exit) ? 130 : 1)
  })
)
