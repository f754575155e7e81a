import * as http from "node:http"
import * as https from "node:https"
import type * as net from "node:net"
import type { Duplex } from "node:stream"
import { raced } from "./connection.js"

type Callback = (error: Error | null, socket: Duplex) => void

/** How Node's agents connect. TypeScript's declarations leave out the arguments that come before the options. */
type Connect = (this: http.Agent, options: object, callback?: Callback) => net.Socket

/** The options of the agent and of the request, which an agent passes on; or a port and a host before them. */
const optionsOf = (args: ReadonlyArray<unknown>): object => {
  const [port, host] = args
  return Object.assign(
    {},
    args.find((value) => typeof value === "object" && value !== null),
    typeof port === "number" && { port },
    typeof host === "string" && { host }
  )
}

const createConnection = (
  agent: http.Agent,
  connect: unknown,
  isSecure: boolean,
  args: ReadonlyArray<unknown>
): net.Socket => {
  const callback = args.find((value) => typeof value === "function") as Callback | undefined
  return raced(optionsOf(args), isSecure, (options) => (connect as Connect).call(agent, options, callback))
}

/** @internal */
export class HttpAgent extends http.Agent {
  override createConnection(...args: ReadonlyArray<unknown>): net.Socket {
    return createConnection(this, super.createConnection, false, args)
  }
}

/** @internal */
export class HttpsAgent extends https.Agent {
  override createConnection(...args: ReadonlyArray<unknown>): net.Socket {
    return createConnection(this, super.createConnection, true, args)
  }
}
