import * as http from "node:http"
import * as https from "node:https"
import type * as net from "node:net"
import type { Duplex } from "node:stream"
import { normalize, raced } from "./connection.js"

type Callback = (error: Error | null, socket: Duplex) => void

/** How Node's agents connect. TypeScript's declarations omit the arguments before the options. */
type Connect = (this: http.Agent, options: object, callback?: Callback) => net.Socket

const createConnection = (
  agent: http.Agent,
  connect: unknown,
  isSecure: boolean,
  args: ReadonlyArray<unknown>
): net.Socket => {
  const [options, callback] = normalize<Callback>(args)
  return raced(options, isSecure, (options) => (connect as Connect).call(agent, options, callback))
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
