/**
 * Connects to whichever of several addresses answers first, as browsers do (Happy Eyeballs, RFC 8305).
 *
 *     npm start                  races four addresses of this machine, each of which behaves in its own way
 *     npm start -- HOST PORT     races the addresses that the system's resolver gives for HOST
 */
import * as NodeCommandExecutor from "@effect/platform-node/NodeCommandExecutor"
import * as NodeFileSystem from "@effect/platform-node/NodeFileSystem"
import * as NodeRuntime from "@effect/platform-node/NodeRuntime"
import * as Cause from "effect/Cause"
import * as Console from "effect/Console"
import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Fiber from "effect/Fiber"
import * as Layer from "effect/Layer"
import * as Num from "effect/Number"
import * as Option from "effect/Option"
import type * as Scope from "effect/Scope"
import { StaggeredRace, Timeline } from "../src/index.js"
import { type Address, formatAddress, parsePort, resolve } from "./support/address.js"
import { blackHole } from "./support/blackHole.js"
import { connect, type Connection, ConnectionError } from "./support/connection.js"
import { firstUsable, listen, refuse } from "./support/listeners.js"
import { openSockets } from "./support/sockets.js"

class ExampleError extends Data.TaggedError("ExampleError")<{ readonly message: string }> {}

interface Candidate {
  readonly address: Address
  readonly label: string
  readonly connect: Effect.Effect<Connection, ConnectionError, Scope.Scope>
}

/** Races the candidates, prints what happened, and returns the winner's connection. */
const raceTo = (candidates: ReadonlyArray<Candidate>) =>
  Effect.gen(function*() {
    const ports = new Set(candidates.map(({ address }) => address.port))
    const connections = Effect.map(openSockets(ports), ({ connections }) => connections)

    const before = yield* connections
    // To count takes some milliseconds, so it is done when nothing else is due.
    const counting = yield* Effect.fork(Effect.delay(connections, "400 millis"))
    // The winner's socket belongs to the scope around the race. Those of the others are closed when it returns.
    const outcome = yield* StaggeredRace.outcome(candidates.map(({ connect }) => connect), { delay: "250 millis" })
    const after = yield* connections
    const during = yield* Fiber.interrupt(counting)

    const width = Num.clamp(process.stdout.columns || 100, { minimum: 40, maximum: 100 })
    yield* Console.log(Timeline.render(outcome, { labels: candidates.map(({ label }) => label), width }))
    if (Option.isNone(outcome.winner)) {
      return yield* new ExampleError({ message: "could not connect to any of these addresses" })
    }
    const connection = outcome.winner.value.value
    yield* Console.log(`\nconnected to ${formatAddress(connection.address)}`)
    yield* Console.log("sockets of this process to these addresses, as the system counts them:")
    yield* logCount("before the race", before)
    if (Exit.isSuccess(during)) {
      yield* logCount("400 ms into it", during.value)
    }
    yield* logCount("after it", after)
    if (after.length !== 1) {
      return yield* new ExampleError({ message: "the winner's socket, and no other, should be open after the race" })
    }
    return connection
  })

const logCount = (when: string, states: ReadonlyArray<string>) =>
  Console.log(`  ${when.padEnd(16)} ${states.length}  ${states.join(", ")}`.trimEnd())

/** Four addresses, and a server that is reached through the last of them. */
const demo = Effect.gen(function*() {
  const v4 = "127.0.0.1"
  const other = yield* firstUsable(["::1", "127.0.0.2", v4])

  // What counts as success is for the candidate to say. Here it is the server's greeting, not the mere connection.
  const candidate = (address: Address, behaviour: string): Candidate => ({
    address,
    label: `${formatAddress(address)} ${behaviour}`,
    connect: Effect.tap(connect(address), ({ readLine }) => readLine)
  })

  const swallows = yield* blackHole(other).pipe(
    Effect.map((address) => [candidate(address, "swallows")]),
    Effect.catchAll(({ message }) => Effect.as(Console.log(`no address that swallows connections: ${message}`), []))
  )
  const slow = yield* listen(other, { greeting: "welcome at last", greetAfter: "1 second" })
  const good = yield* listen(v4, { greeting: "welcome", greetAfter: 0 })
  const refuses = yield* refuse(v4)

  const connection = yield* raceTo([
    ...swallows,
    candidate(refuses, "refuses"),
    candidate(slow, "is slow"),
    candidate(good, "answers")
  ])
  yield* connection.writeLine("hello")
  yield* Console.log(`\nsent "hello", received "${yield* connection.readLine}"`)
})

const toAddresses = (addresses: ReadonlyArray<Address>) =>
  Effect.gen(function*() {
    // The delay is no timeout: it kills nothing. How long an address may take is for the candidate to say as well.
    const onTimeout = () => new ConnectionError({ message: "no answer within 10 seconds" })
    const connection = yield* raceTo(addresses.map((address) => ({
      address,
      label: address.host,
      connect: Effect.timeoutFail(connect(address), { duration: "10 seconds", onTimeout })
    })))
    // Many servers wait for the client to speak first.
    const greeting = yield* connection.readLine.pipe(Effect.timeout("500 millis"), Effect.option)
    yield* Console.log(Option.match(greeting, {
      onNone: () => "\nreceived nothing: the server waits for us to speak first",
      onSome: (line) => `\nreceived ${JSON.stringify(line)}`
    }))
  })

/** Runs an effect in a scope of its own, and when that has closed, however it ended, counts what is left open. */
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

const main = Effect.gen(function*() {
  const [host, port, ...rest] = process.argv.slice(2)
  if (host === undefined) {
    return yield* leavingNothingOpen(demo)
  }
  if (host === "" || port === undefined || rest.length > 0) {
    return yield* new ExampleError({ message: "usage: npm start, or npm start -- HOST PORT" })
  }
  const addresses = yield* resolve(host, yield* parsePort(port))
  yield* leavingNothingOpen(toAddresses(addresses))
})

const describe = (cause: Cause.Cause<{ readonly message: string }>) =>
  Option.match(Cause.failureOption(cause), { onNone: () => Cause.pretty(cause), onSome: ({ message }) => message })

main.pipe(
  Effect.tapErrorCause((cause) => Cause.isInterruptedOnly(cause) ? Effect.void : Console.error(describe(cause))),
  Effect.provide(Layer.provideMerge(NodeCommandExecutor.layer, NodeFileSystem.layer)),
  NodeRuntime.runMain({
    disableErrorReporting: true,
    teardown: (exit, onExit) => onExit(Exit.isSuccess(exit) ? 0 : Exit.isInterrupted(exit) ? 130 : 1)
  })
)
