import { setTimeout as sleep } from "node:timers/promises"
import { knows } from "../sockets.js"
import { type Kind, useOf } from "./uses.js"

// Uses one client, leaves it while it connects to what is dead, and has nothing more to do. So it ends, if nothing holds
// it. Else it tells what does.

/** What the program is told. */
export interface Task {
  readonly kind: Kind
  readonly name: string
  readonly plain: number
  /** None where the client's TLS is not raced. */
  readonly secure?: number
  readonly dead: { readonly address: string; readonly port: number }
}

/** In milliseconds. It is less than what is kept alive lives, and more than what clients give their own sockets to close. */
const patience = 3000

const { dead, kind, name, plain, secure }: Task = JSON.parse(process.argv[2] ?? "")

const use = await useOf(kind, name)

const resolver = knows("127.0.0.2", "127.0.0.3")
console.log(await use({ happyEyeballs: { resolver }, port: plain, secure: false }))
if (secure !== undefined) {
  console.log(await use({ happyEyeballs: { resolver }, port: secure, secure: true }))
}

const controller = new AbortController()
const happyEyeballs = { resolver: knows(dead.address) }
use({ happyEyeballs, port: dead.port, secure: false, signal: controller.signal }).then(
  (answer) => console.log(`the dead has answered: ${answer}`),
  () => {}
)
await sleep(100)
controller.abort()
setTimeout(() => {
  const holding = process.getActiveResourcesInfo().filter((name) => name !== "PipeWrap" && name !== "TCPSocketWrap")
  console.log(`held by ${holding.join(" ")}`)
  process.exit(1)
}, patience).unref()
