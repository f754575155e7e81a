import * as Arr from "effect/Array"
import * as Cause from "effect/Cause"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import { watch } from "../observe.js"
import { Checks } from "../options.js"
import * as staggeredRace from "../race/outcome.js"
import { fromText, interleave as interleaveAddresses } from "./address.js"
import { type Answer, Resolution } from "./resolution.js"

// RFC 8305, section 8, in milliseconds.
const resolutionDelay = 50
/** @internal */
export const connectionAttemptDelay = 250
const connectionAttemptDelayMin = 10
const connectionAttemptDelayMax = 2000

const check = new Checks("HappyEyeballs")

const decodeFamily = (option: string, family: HappyEyeballs.Family | undefined) =>
  family === undefined ? family : check.oneOf<HappyEyeballs.Family>(option, family, [4, 6])

const decodeOrder = ({ firstFamilyCount = 1, prefer }: HappyEyeballs.InterleaveOptions) => ({
  firstFamilyCount: check.whole("firstFamilyCount", firstFamilyCount, 1),
  prefer: decodeFamily("prefer", prefer)
})

/** @internal */
export const interleave = <A extends HappyEyeballs.Address>(
  addresses: Iterable<A>,
  options: HappyEyeballs.InterleaveOptions = {}
): Array<A> => interleaveAddresses(addresses, decodeOrder(options))

const bothFamilies: ReadonlyArray<HappyEyeballs.Family> = [6, 4]

const decodeResolve = (options: HappyEyeballs.ResolveOptions) => {
  const { firstFamilyCount, prefer } = decodeOrder(options)
  const family = decodeFamily("family", options.family)
  return {
    families: family === undefined ? bothFamilies : [family],
    firstFamilyCount,
    prefer,
    resolutionDelay: check.millis("resolutionDelay", options.resolutionDelay ?? resolutionDelay)
  }
}

const decodeTarget = (target: HappyEyeballs.Target): HappyEyeballs.Target => {
  const { host, port } = check.object("the target", target, "a host and a port")
  check.that(typeof host === "string" && host !== "", "host", host, "a name or an address")
  check.whole("port", port, 1, 65535)
  return target
}

const decodeDelay = ({ connectionAttemptDelay: input = connectionAttemptDelay }: HappyEyeballs.ConnectOptions) => {
  const delay = check.millis("connectionAttemptDelay", input)
  check.that(
    delay >= connectionAttemptDelayMin && delay <= connectionAttemptDelayMax,
    "connectionAttemptDelay",
    input,
    "from 10 milliseconds to 2 seconds (RFC 8305, section 8)"
  )
  return delay
}

/** `open` would resolve a text that is no address once more, so it is left out. */
const parseAnswer = (host: string, family: HappyEyeballs.Family, texts: ReadonlyArray<string>): Answer => {
  const [bad, addresses] = Arr.partitionMap(texts, (text) =>
    // A resolver in JavaScript may answer with anything.
    Either.fromOption(fromText(String(text)), () => `"${text}" is no address`))
  const failure = bad.length === 0
    ? undefined
    : new HappyEyeballs.QueryFailed({ host, family, cause: new Error(bad.join(", ")) })
  return { addresses, failure }
}

const resolutionOf = (
  host: string,
  options: HappyEyeballs.ResolveOptions,
  history?: HappyEyeballs.History
): Effect.Effect<Resolution, never, HappyEyeballs.Resolver> =>
  Effect.map(HappyEyeballs.Resolver, (resolver) => {
    const { families, prefer, ...decoded } = decodeResolve(options)
    const settings = {
      ...decoded,
      leads: (addresses: ReadonlyArray<HappyEyeballs.Address>) =>
        prefer === undefined && resolver.leads !== undefined
          ? resolver.leads(addresses)
          : Effect.succeed(prefer ?? 6)
    }
    const query = (family: HappyEyeballs.Family) =>
      Effect.flatMap(resolver.query(host, family, families), (texts) => {
        const { addresses, failure } = parseAnswer(host, family, texts)
        return addresses.length === 0 && failure !== undefined
          ? Effect.fail(failure)
          : Effect.map(
            history?.order(addresses, host) ?? Effect.succeed(addresses),
            (addresses): Answer => ({ addresses, failure })
          )
      })
    return Option.match(fromText(host), {
      onNone: () => new Resolution(query, families, settings),
      // The host is an address already, so the resolver is not asked.
      onSome: (address) =>
        new Resolution(
          () => Effect.succeed({ addresses: [address], failure: undefined }),
          [address.family],
          settings
        )
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

// The names are those of OpenTelemetry's semantic conventions.
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
      // The resolution gives one address per attempt, as it starts, so the indices agree.
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
