import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import * as settings from "../options.js"
import * as staggeredRace from "../race/outcome.js"
import { watch } from "../raceTelemetry.js"
import { fromText, interleave as interleaveAddresses } from "./address.js"
import { Resolution } from "./resolution.js"

// RFC 8305, section 8, in milliseconds.
const resolutionDelay = 50
/** @internal */
export const connectionAttemptDelay = 250
const connectionAttemptDelayMin = 10
const connectionAttemptDelayMax = 2000

const invalid = (option: string, value: unknown, expected: string) =>
  settings.invalid(option, value, expected, "HappyEyeballs")

const decodeMillis = (option: string, input: unknown) => settings.decodeMillis(option, input, "HappyEyeballs")

const isFamily = (family: unknown): family is HappyEyeballs.Family => family === 4 || family === 6

const decodeOrder = ({ firstFamilyCount = 1, prefer }: HappyEyeballs.InterleaveOptions) => {
  if (!(Number.isInteger(firstFamilyCount) && firstFamilyCount >= 1)) {
    throw invalid("firstFamilyCount", firstFamilyCount, "a whole number of at least 1")
  }
  if (prefer !== undefined && !isFamily(prefer)) {
    throw invalid("prefer", prefer, "4 or 6")
  }
  return { firstFamilyCount, prefer }
}

/** @internal */
export const interleave = <A extends HappyEyeballs.Address>(
  addresses: Iterable<A>,
  options: HappyEyeballs.InterleaveOptions = {}
): Array<A> => interleaveAddresses(addresses, decodeOrder(options))

const bothFamilies: ReadonlyArray<HappyEyeballs.Family> = [6, 4]

const decodeResolve = (options: HappyEyeballs.ResolveOptions) => {
  const { firstFamilyCount, prefer = 6 } = decodeOrder(options)
  const { family } = options
  if (family !== undefined && !isFamily(family)) {
    throw invalid("family", family, "4 or 6")
  }
  return {
    families: family === undefined ? bothFamilies : [family],
    firstFamilyCount,
    prefer,
    resolutionDelay: decodeMillis("resolutionDelay", options.resolutionDelay ?? resolutionDelay)
  }
}

const decodeTarget = (target: HappyEyeballs.Target): HappyEyeballs.Target => {
  const { host, port } = target
  if (typeof host !== "string" || host === "") {
    throw invalid("host", host, "a name or an address")
  }
  if (!(Number.isInteger(port) && port >= 1 && port <= 65535)) {
    throw invalid("port", port, "a whole number from 1 to 65535")
  }
  return target
}

const decodeDelay = ({ connectionAttemptDelay: input = connectionAttemptDelay }: HappyEyeballs.ConnectOptions) => {
  const delay = decodeMillis("connectionAttemptDelay", input)
  if (delay < connectionAttemptDelayMin || delay > connectionAttemptDelayMax) {
    throw invalid("connectionAttemptDelay", input, "from 10 milliseconds to 2 seconds (RFC 8305, section 8)")
  }
  return delay
}

const resolutionOf = (
  host: string,
  options: HappyEyeballs.ResolveOptions,
  history?: HappyEyeballs.History
): Effect.Effect<Resolution, never, HappyEyeballs.Resolver> =>
  Effect.map(HappyEyeballs.Resolver, (resolver) => {
    const { families, ...settings } = decodeResolve(options)
    const answers = (family: HappyEyeballs.Family) =>
      Effect.flatMap(resolver.query(host, family), (answer) =>
        // What is no address would be resolved once more by whoever connects to it.
        Effect.forEach(answer, (text) =>
          Effect.mapError(fromText(text), () =>
            new HappyEyeballs.QueryFailed({ host, family, cause: new Error(`"${text}" is no address`) }))))
    const query = history === undefined
      ? answers
      : (family: HappyEyeballs.Family) =>
        Effect.flatMap(answers(family), (addresses) => history.order(addresses, host))
    return Option.match(fromText(host), {
      onNone: () => new Resolution(query, families, settings),
      // A literal is asked of nobody.
      onSome: (address) => new Resolution(() => Effect.succeed([address]), [address.family], settings)
    })
  })

/** @internal */
export const resolve = (
  host: string,
  options: HappyEyeballs.ResolveOptions = {}
): Stream.Stream<HappyEyeballs.Address, HappyEyeballs.ResolutionFailed, HappyEyeballs.Resolver> =>
  Stream.unwrap(Effect.map(resolutionOf(host, options), (resolution) =>
    Stream.concat(
      resolution.addresses,
      Stream.unwrap(Effect.sync(() =>
        resolution.given.length > 0
          ? Stream.empty
          : Stream.fail(new HappyEyeballs.ResolutionFailed({ host, failures: resolution.failures }))
      ))
    )))

// By the semantic conventions of OpenTelemetry.
const attributesOf = ({ host, port }: HappyEyeballs.Target, address: HappyEyeballs.Address | undefined) => ({
  "server.address": host,
  "server.port": port,
  ...(address && {
    "network.peer.address": address.address,
    "network.peer.port": port,
    "network.type": `ipv${address.family}`
  })
})

/** @internal */
export const outcome = <A, E, R>(
  target: HappyEyeballs.Target,
  open: (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<A, E, R>,
  options: HappyEyeballs.ConnectOptions = {}
): Effect.Effect<HappyEyeballs.Outcome<A, E>, never, R | HappyEyeballs.Resolver> =>
  Effect.flatMap(
    Effect.suspend(() => resolutionOf(decodeTarget(target).host, options, options.history)),
    (resolution) => {
      const candidates = Stream.map(
        resolution.addresses,
        (address) => Effect.suspend(() => open({ host: target.host, port: target.port, ...address }))
      )
      // One address is given for each attempt, as it starts.
      const race = staggeredRace.outcomeStream(candidates, {
        delay: decodeDelay(options),
        minDelay: connectionAttemptDelayMin
      }, watch((index) => attributesOf(target, resolution.given[index])))
      return Effect.flatMap(race, (outcome) => {
        const connections = Arr.zipWith(
          outcome.attempts,
          resolution.given,
          (attempt, address): HappyEyeballs.Connection<E> => ({
            ...address,
            startedAt: attempt.startedAt,
            endedAt: attempt.endedAt,
            result: attempt.result,
            cause: Exit.causeOption(attempt.exit)
          })
        )
        const recorded = Effect.suspend(() => options.history?.record(connections, target) ?? Effect.void)
        return Effect.as(
          Effect.catchAllCause(recorded, (cause) => Effect.logDebug("HappyEyeballs: history.record failed", cause)),
          { ...outcome, connections, resolution: resolution.failures }
        )
      })
    }
  )

/** @internal */
export const connect = <A, E, R>(
  target: HappyEyeballs.Target,
  open: (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<A, E, R>,
  options?: HappyEyeballs.ConnectOptions
): Effect.Effect<A, HappyEyeballs.ConnectionFailed<E>, R | HappyEyeballs.Resolver> =>
  Effect.flatMap(outcome(target, open, options), ({ connections, resolution, winner }) =>
    Option.match(winner, {
      onNone: () =>
        Effect.fail(
          new HappyEyeballs.ConnectionFailed<E>({ host: target.host, port: target.port, connections, resolution })
        ),
      onSome: ({ value }) => Effect.succeed(value)
    }))

const reason = (cause: Cause.Cause<unknown>): string =>
  Cause.prettyErrors(cause).map(({ message }) => message).join("; ") || "interrupted"

const shown = 16

/** @internal */
export const describeResolution = ({ failures, host }: HappyEyeballs.ResolutionFailed): string =>
  [`${host} has no addresses`, ...failures.map(reason)].join("\n  ")

/** @internal */
export const describeConnections = (
  { connections, host, port, resolution }: HappyEyeballs.ConnectionFailed<unknown>
): string => {
  const begin = connections[0]?.startedAt ?? 0
  const width = Math.max(...connections.map(({ address }) => address.length))
  const lines = connections.slice(0, shown).map(({ address, cause, endedAt, startedAt }) => {
    const why = Option.match(cause, { onNone: () => "no reason", onSome: reason })
    return `${address.padEnd(width)}  ${startedAt - begin} ms to ${endedAt - begin} ms: ${why}`
  })
  const left = connections.length - lines.length
  return [
    connections.length === 0
      ? `could not connect to ${host} port ${port}: it has no addresses`
      : `could not connect to ${host} port ${port}; addresses tried: ${connections.length}`,
    ...lines,
    ...(left > 0 ? [`and ${left} more`] : []),
    ...resolution.map(reason)
  ].join("\n  ")
}
