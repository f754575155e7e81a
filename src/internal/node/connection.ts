import * as Effect from "effect/Effect"
import { constVoid } from "effect/Function"
import { AsyncResource } from "node:async_hooks"
import * as net from "node:net"
import * as tls from "node:tls"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import { Checks } from "../options.js"
import { makeClock } from "./clock.js"
import { hold } from "./handle.js"
import { innerSocket, innerTlsSocket, type Options, type Relay } from "./inner.js"
import { needsNat64 } from "./nat64.js"
import { run } from "./promise.js"
import { connected, connectPlain, connectSecure, familyOf, secured, serverNameOf, withoutDot } from "./socket.js"
import { makeResolver } from "./system.js"

const check = new Checks("NodeHappyEyeballs")

/** Marks options that have passed through here before and come back by way of Node. */
const isRaced = Symbol("isRaced")

const decodeFamily = (family: unknown): HappyEyeballs.Family | undefined => {
  switch (family) {
    case undefined:
    case null:
    case 0:
      return undefined
    case "IPv4":
      return 4
    case "IPv6":
      return 6
    default:
      return check.oneOf("family", family as HappyEyeballs.Family, [4, 6])
  }
}

const hostOf = ({ host }: Options) => host || "localhost"

/** Ends the race: with the winner, whose connection the outer socket takes, or with an error. */
type Settle = (...result: [error: null, winner: net.Socket] | [error: Error, winner: null]) => void

interface Attempts {
  readonly isSecure: boolean
  readonly make: (address: HappyEyeballs.Address) => net.Socket
  readonly onStart?: (address: HappyEyeballs.Address) => void
  readonly onFailure?: (address: HappyEyeballs.Address, error: Error) => void
}

interface Racing {
  readonly stop: () => void
  readonly hold: (isHeld: boolean) => void
}

/** Races the addresses of a host. `hold` sets whether the timers of the race keep the process alive. */
const race = (
  options: Options,
  { isSecure, make, onFailure = constVoid, onStart = constVoid }: Attempts,
  settle: Settle
): Racing => {
  const { hints, localAddress, lookup } = options
  const happyEyeballs = options.happyEyeballs ?? {}
  const family = familyOf({ family: decodeFamily(options.family) ?? happyEyeballs.family, localAddress })
  const clock = makeClock()
  const connecting = HappyEyeballs.connect(
    { host: hostOf(options), port: Number(options.port) },
    (endpoint) =>
      Effect.suspend(() => {
        onStart(endpoint)
        const open = () => make(endpoint)
        return Effect.tapError(
          isSecure ? secured(open, happyEyeballs.connectionAttemptDelay) : connected(open),
          ({ cause }) => Effect.sync(() => onFailure(endpoint, cause))
        )
      }),
    { ...happyEyeballs, family }
  )
  const resolver = happyEyeballs.resolver ?? makeResolver({ hints, lookup })
  return { stop: run(Effect.withClock(connecting, clock), resolver, settle), hold: clock.hold }
}

type Answer = (error: Error | null, address?: string, family?: number) => void

/**
 * The buffer into which a socket reads with its option `onread`. A function would make a new buffer for each call, so
 * this keeps the last one.
 */
const sharedBuffer = (onread: net.OnReadOpts | undefined) => {
  if (typeof onread?.buffer !== "function") {
    return { onread, current: () => onread?.buffer as Uint8Array | undefined }
  }
  const { buffer, ...rest } = onread
  let current: Uint8Array | undefined
  return { onread: { ...rest, buffer: () => current = buffer() }, current: () => current }
}

/**
 * Makes a socket whose connection comes from a race. Node makes the socket and waits for its look-up. Meanwhile this
 * code races its own sockets, and then moves the winner's handle to the socket. Then Node does everything else, as for
 * any socket that has connected: events, timers, pending writes.
 *
 * Returns `undefined` if this version of Node lacks what that needs.
 */
const adopting = <S extends net.Socket>(
  options: Options,
  isSecure: boolean,
  make: (options: object) => S
): S | undefined => {
  const { current, onread } = sharedBuffer(options.onread)
  const host = hostOf(options)
  let answer: Answer | undefined
  const outer = make({
    ...options,
    [isRaced]: true,
    host,
    // An invalid value goes to Node, which throws.
    ...(typeof (options.autoSelectFamily ?? true) === "boolean" && { autoSelectFamily: false }),
    ...(typeof (options.lookup ?? constVoid) === "function" && {
      lookup: (_host: string, _options: object, callback: Answer) => answer = callback,
      // The sockets of the race check each address.
      ...(net.isIP(host) === 0 && { blockList: undefined })
    }),
    // The sockets of the race bind the local address and port.
    ...(net.isIP(options.localAddress ?? "") && { localAddress: undefined }),
    ...(typeof options.localPort === "number" && { localPort: undefined }),
    ...(onread && { onread })
  })
  /** Settings of the outer socket that the sockets of the race need, because they do the handshake. */
  const early: Early = {
    servername: options.servername,
    session: isSecure ? (outer as net.Socket as tls.TLSSocket).getSession() : undefined
  }
  const inners = new Map<net.Socket, Relay | undefined>()
  let isHeld = true
  let racing: Racing | undefined = undefined
  const held = hold(outer, {
    isNamed: answer !== undefined,
    isSecure,
    methods: isSecure ? earlyMethods(early) : {},
    onDestroy: () => {
      racing?.stop()
      // Destroy them at once: an interrupted fiber takes its time.
      inners.forEach((_, inner) => inner.destroy())
    },
    onHold: (held) => {
      isHeld = held
      racing?.hold(held)
      inners.forEach((_, inner) => held ? inner.ref() : inner.unref())
    }
  })
  if (held === undefined) {
    outer.destroy()
    return undefined
  }

  // Listeners run in the caller's async context. Inside a fiber, what they throw would be swallowed.
  const context = new AsyncResource("HappyEyeballs")
  const tell = (what: () => void) =>
    process.nextTick(() => {
      if (!outer.destroyed) {
        context.runInAsyncScope(what)
      }
    })

  let started = 0
  racing = race(options, {
    isSecure,
    make: (address) =>
      context.runInAsyncScope(() => {
        const [inner, relay] = isSecure
          ? innerTlsSocket({ ...options, ...early }, outer as net.Socket as tls.TLSSocket, address)
          : [innerSocket(options, address), undefined]
        inners.set(isHeld ? inner : inner.unref(), relay)
        inner.once("close", () => inners.delete(inner))
        return inner
      }),
    onStart: ({ address, family }) => {
      const isFirst = started++ === 0
      tell(() => {
        if (!isFirst) {
          // For the first address, Node emits these events itself, because its look-up gives that address.
          outer.emit("lookup", null, address, family, host)
          outer.emit("connectionAttempt", address, Number(options.port), family)
        } else if (answer !== undefined) {
          const first = answer
          held.answer(() => first(null, address, family))
        }
      })
    },
    onFailure: ({ address, family }, error) =>
      tell(() => outer.emit("connectionAttemptFailed", address, Number(options.port), family, error))
  }, (error, winner) => {
    process.nextTick(() => {
      if (outer.destroyed) {
        return void winner?.destroy()
      }
      context.runInAsyncScope(() => {
        if (error !== null) {
          return started === 0 && answer !== undefined ? answer(error) : void outer.destroy(error)
        }
        if (winner.destroyed) {
          return void outer.destroy(winner.errored ?? new Error("closed before it was used"))
        }
        const relay = inners.get(winner)
        relay?.data(outer)
        inners.clear()
        held.take(winner, current(), () => relay?.statuses(outer))
        early.onTake?.(outer)
      })
    })
  })
  return outer
}

/**
 * Does the same by documented means only. The look-up of the socket runs the race, closes the winner, and answers with
 * its address. Then Node connects to that address a second time. TLS is not part of this race.
 */
const probing = <S extends net.Socket>(options: Options, make: (options: object) => S): S => {
  const { localPort: _, ...probe } = options
  let stop = constVoid
  const socket = make({
    ...options,
    autoSelectFamily: false,
    host: hostOf(options),
    lookup: (_host: string, { all }: { readonly all?: boolean }, callback: (...result: Array<unknown>) => void) => {
      const racing = race(probe, {
        isSecure: false,
        make: (address) => innerSocket(probe, address)
      }, (error, winner) => {
        const { remoteAddress: address, remoteFamily } = winner ?? {}
        const family = remoteFamily === "IPv6" ? 6 : 4
        winner?.destroy()
        if (error !== null) {
          callback(error)
        } else if (all) {
          callback(null, [{ address, family }])
        } else {
          callback(null, address, family)
        }
      })
      stop = racing.stop
    }
  })
  return socket.once("close", () => stop())
}

interface Early {
  servername: string | undefined
  session: Buffer | undefined
  onTake?: (socket: net.Socket) => void
}

/** Replaces methods that Node allows before the handshake begins. */
const earlyMethods = (early: Early) => ({
  getCertificate: () => ({}),
  getPeerCertificate: () => ({}),
  setServername: (name: string) => void (early.servername = name),
  setSession: (session: Buffer | string) => void (early.session = Buffer.from(session as string, "latin1")),
  setMaxSendFragment: (size: number) => {
    early.onTake = (socket) => void (socket as tls.TLSSocket).setMaxSendFragment(size)
    return true
  }
})

const secureOptions = (options: Options): Options => ({
  ...options,
  // All sockets of the race share one.
  secureContext: options.secureContext ?? tls.createSecureContext({ ciphers: tls.DEFAULT_CIPHERS, ...options }),
  servername: options.servername === undefined ? serverNameOf(hostOf(options)) : withoutDot(options.servername)
})

/**
 * Whether there is anything to race. There is nothing for a path, for an existing socket, or behind a proxy of Node
 * (from Node 24 on). Arguments that Node rejects, such as a missing port, go to Node.
 *
 * A host that is an address usually goes to Node, too. Node cannot reach an IPv4 address by NAT64 or obey the time
 * limit, so these cases stay here.
 */
const isRace = (options: Options): boolean => {
  const { fd, handle, happyEyeballs, host, path, port, proxyEnv, socket, socketPath } = options
  if (isRaced in options || fd || handle || path || proxyEnv || socket || socketPath || !(Number(port) > 0)) {
    return false
  }
  return net.isIP(host ?? "") === 0 || happyEyeballs?.timeout !== undefined || needsNat64(host ?? "")
}

/**
 * Returns a socket at once and races for its connection. `make` makes a socket of this kind in Node's way.
 *
 * @internal
 */
export const raced = <S extends net.Socket>(
  given: Options,
  isSecure: boolean,
  make: (options: object) => S
): S => {
  if (!isRace(given)) {
    return make(given)
  }
  const options = isSecure ? secureOptions(given) : given
  // With `onread`, the caller would get data that arrives before the certificate is checked.
  const isAdopted = !(isSecure && options.onread)
  return (isAdopted ? adopting(options, isSecure, make) : undefined) ?? probing(options, make)
}

/**
 * Parses the arguments of `net.connect`, `tls.connect` and the agents' `createConnection`. They are options, a port and
 * perhaps a host and options, or a path.
 *
 * @internal
 */
export const normalize = <Listener = () => void>(
  args: ReadonlyArray<unknown>
): readonly [options: Options, listener: Listener | undefined] => {
  const [first, second, third] = args
  const last = args[args.length - 1]
  const listener = typeof last === "function" ? last as Listener : undefined
  if (typeof first === "object" && first !== null) {
    // Node also reads inherited options.
    const options: Record<PropertyKey, unknown> = { ...first }
    for (const name in first) {
      options[name] = Reflect.get(first, name)
    }
    return [options, listener]
  }
  const more = [second, third].find((value) => typeof value === "object" && value !== null)
  const isPath = typeof first === "string" && !(Number(first) >= 0)
  return [
    {
      ...more,
      ...(isPath ? { path: first } : typeof first === "undefined" || first === null ? {} : { port: first as number }),
      ...(typeof second === "string" && { host: second })
    },
    listener
  ]
}

/** @internal */
export const createConnection = (...args: ReadonlyArray<unknown>): net.Socket => {
  const [options, listener] = normalize(args)
  const socket = raced(options, false, (options) => connectPlain(options as net.NetConnectOpts))
  return listener === undefined ? socket : socket.once("connect", listener)
}

/** @internal */
export const createTlsConnection = (...args: ReadonlyArray<unknown>): tls.TLSSocket => {
  const [options, listener] = normalize(args)
  const socket = raced(options, true, (options) => connectSecure(options))
  return listener === undefined ? socket : socket.once("secureConnect", listener)
}
