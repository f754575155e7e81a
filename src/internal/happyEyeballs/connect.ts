import * as Arr from "effect/Array"
import * as Chunk from "effect/Chunk"
import * as Effect from "effect/Effect"
import * as Either from "effect/Either"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import * as StaggeredRace from "../../StaggeredRace.js"
import { watch } from "../observe.js"
import { Checks } from "../options.js"
import * as staggeredRace from "../race/outcome.js"
import { fromText, interleave as interleaveAddresses, isLoopback } from "./address.js"
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

const decodeRace = <E>(options: HappyEyeballs.ConnectOptions<E>) => {
  const { connectionAttemptDelay: input = connectionAttemptDelay, fatal, timeout = Infinity } = options
  const delay = check.millis("connectionAttemptDelay", input)
  check.that(
    delay >= connectionAttemptDelayMin && delay <= connectionAttemptDelayMax,
    "connectionAttemptDelay",
    input,
    "from 10 milliseconds to 2 seconds (RFC 8305, section 8)"
  )
  check.functions({ fatal })
  return { delay, fatal, timeout: check.millis("timeout", timeout) }
}

/** Drops entries that are not addresses, because `open` would resolve them again. */
const parseAnswer = (host: string, family: HappyEyeballs.Family, texts: ReadonlyArray<string>): Answer => {
  const [bad, addresses] = Arr.partitionMap(texts, (text) =>
    // A resolver in JavaScript may answer with anything.
    Either.fromOption(fromText(String(text)), () => `"${text}" is not an IP address`))
  const failure = bad.length === 0
    ? undefined
    : new HappyEyeballs.QueryFailed({ host, family, cause: new Error(bad.join(", ")) })
  return { addresses, failure }
}

/** What a history knows about one target. */
interface Known {
  readonly prefer: Effect.Effect<HappyEyeballs.Family | undefined> | undefined
  readonly order: (
    addresses: ReadonlyArray<HappyEyeballs.Address>
  ) => Effect.Effect<ReadonlyArray<HappyEyeballs.Address>>
}

const nothingKnown: Known = { prefer: undefined, order: Effect.succeed }

const resolutionOf = (
  host: string,
  options: HappyEyeballs.ResolveOptions,
  known = nothingKnown
): Effect.Effect<Resolution, never, HappyEyeballs.Resolver> =>
  Effect.map(HappyEyeballs.Resolver, (resolver) => {
    const { families, prefer, ...decoded } = decodeResolve(options)
    const settings = {
      ...decoded,
      prefer: prefer === undefined ? known.prefer : Effect.succeed(prefer),
      leads: resolver.leads?.bind(resolver)
    }
    const answerOf = (family: HappyEyeballs.Family) => (texts: ReadonlyArray<string>) => {
      const { addresses, failure } = parseAnswer(host, family, texts)
      return addresses.length === 0 && failure !== undefined
        ? Effect.fail(failure)
        : Effect.map(known.order(addresses), (addresses): Answer => ({ addresses, failure }))
    }
    const literal = Option.getOrUndefined(fromText(host))
    if (literal === undefined) {
      const query = (family: HappyEyeballs.Family) =>
        Effect.flatMap(resolver.query(host, family, families), answerOf(family))
      return new Resolution(query, families, settings)
    }
    // The host is already an address, so there is no query. RFC 8305, section 7.1: addresses that reach an IPv4 host by
    // NAT64 take their places like the answer to a query.
    const given = Effect.succeed<Answer>({ addresses: [literal], failure: undefined })
    const { synthesize } = resolver
    return literal.family === 4 && synthesize !== undefined && families.includes(6)
      ? new Resolution(
        (family) => family === 4 ? given : Effect.flatMap(synthesize(literal.address), answerOf(6)),
        [6, 4],
        settings
      )
      : new Resolution(() => given, [literal.family], settings)
  })

const knownBy = (history: HappyEyeballs.History, target: HappyEyeballs.Target): Known => ({
  prefer: history.leads === undefined
    ? undefined
    : Effect.suspend(() => history.leads?.(target) ?? Effect.succeedNone).pipe(
      Effect.map((family) => decodeFamily("history.leads", Option.getOrUndefined(family))),
      Effect.catchAllCause((cause) =>
        Effect.as(Effect.logDebug("HappyEyeballs: history.leads failed", cause), undefined)
      )
    ),
  order: (addresses) => history.order(addresses, target.host, target.port)
})

/**
 * `left` is what remains of the time limit, in milliseconds. With nothing left, a history that does not wait still
 * learns: dead addresses have used up the time.
 */
const recordIn = (
  history: HappyEyeballs.History,
  connections: ReadonlyArray<HappyEyeballs.Connection<unknown>>,
  target: HappyEyeballs.Target,
  left: number
): Effect.Effect<unknown> => {
  const record = Effect.suspend(() => history.record(connections, target))
  return Effect.catchAllCause(
    left === Infinity ? record : Effect.timeoutOption(Effect.interruptible(record), left),
    (cause) => Effect.logDebug("HappyEyeballs: history.record failed", cause)
  )
}

/** @internal */
export const resolve = (
  host: string,
  options: HappyEyeballs.ResolveOptions = {}
): Stream.Stream<HappyEyeballs.Address, HappyEyeballs.ResolutionFailed, HappyEyeballs.Resolver> =>
  Stream.unwrap(Effect.map(resolutionOf(host, options), (resolution) =>
    Stream.concat(
      Stream.fromPull(resolution.open),
      Stream.unwrap(Effect.sync(() =>
        resolution.given.length > 0
          ? Stream.empty
          : Stream.fail(new HappyEyeballs.ResolutionFailed({ host, failures: resolution.failures }))
      ))
    )))

// The names follow OpenTelemetry's semantic conventions.
const attributesOf = ({ host, port }: HappyEyeballs.Target, address: HappyEyeballs.Address | undefined) => ({
  "server.address": host,
  "server.port": port,
  ...(address && {
    "network.peer.address": address.address,
    "network.peer.port": port,
    "network.type": `ipv${address.family}`
  })
})

/**
 * Sends a message to the race, if this runs inside an attempt.
 *
 * @internal
 */
export const tellRace = (tell: (attempt: StaggeredRace.CurrentAttempt) => Effect.Effect<void>): Effect.Effect<void> =>
  Effect.flatMap(StaggeredRace.CurrentAttempt, Option.match({ onNone: () => Effect.void, onSome: tell }))

/**
 * The least gap between attempts protects the network (RFC 8305, section 5). An attempt that sent nothing needs no gap.
 *
 * @internal
 */
export const owesNoDelay: Effect.Effect<void> = tellRace(({ waiveMinDelay }) => waiveMinDelay)

/** @internal */
export const outcome = <A, E, R>(
  target: HappyEyeballs.Target,
  open: (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<A, E, R>,
  options: HappyEyeballs.ConnectOptions<E> = {}
): Effect.Effect<HappyEyeballs.Outcome<A, E>, never, R | HappyEyeballs.Resolver> =>
  Effect.flatMap(
    Effect.suspend(() => {
      const { host } = decodeTarget(target)
      return resolutionOf(host, options, options.history && knownBy(options.history, target))
    }),
    (resolution) => {
      const { delay, fatal, timeout } = decodeRace(options)
      const candidateOf = (address: HappyEyeballs.Address) => {
        const attempt = Effect.suspend(() => open({ host: target.host, port: target.port, ...address }))
        return isLoopback(address) ? Effect.zipRight(owesNoDelay, attempt) : attempt
      }
      // Each attempt pulls one address as it starts, so the indices agree.
      const race = staggeredRace.outcomePull(
        Effect.map(resolution.open, Effect.map(Chunk.map(candidateOf))),
        { delay, minDelay: connectionAttemptDelayMin, fatal },
        watch((index) => attributesOf(target, resolution.given[index])),
        timeout
      )
      return Effect.flatMap(race, (outcome) => {
        const connections = Arr.zipWith(
          outcome.attempts,
          resolution.given,
          (attempt, address): HappyEyeballs.Connection<E> => ({
            ...address,
            startedAt: attempt.startedAt,
            endedAt: attempt.endedAt,
            progressedAt: attempt.progressedAt,
            result: attempt.result,
            cause: Exit.causeOption(attempt.exit)
          })
        )
        const report = {
          ...outcome,
          connections,
          resolution: resolution.failures,
          unanswered: resolution.unanswered
        }
        return options.history === undefined
          ? Effect.succeed(report)
          : Effect.as(
            recordIn(options.history, connections, target, timeout - Math.max(outcome.endedAt - outcome.startedAt, 0)),
            report
          )
      })
    }
  )

/** @internal */
export const connect = <A, E, R>(
  target: HappyEyeballs.Target,
  open: (endpoint: HappyEyeballs.Endpoint) => Effect.Effect<A, E, R>,
  options?: HappyEyeballs.ConnectOptions<E>
): Effect.Effect<A, HappyEyeballs.ConnectionFailed<E>, R | HappyEyeballs.Resolver> =>
  Effect.flatMap(
    outcome(target, open, options),
    ({ connections, decidedBy, exit, resolution, unanswered, winner }) =>
      Option.match(winner, {
        onNone: () => {
          const { host, port } = target
          return Effect.fail(
            new HappyEyeballs.ConnectionFailed<E>({ host, port, decidedBy, exit, connections, resolution, unanswered })
          )
        },
        onSome: ({ value }) => Effect.succeed(value)
      })
  )
