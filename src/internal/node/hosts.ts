import * as Option from "effect/Option"
import * as fs from "node:fs"
import type { Address, Family } from "../../HappyEyeballs.js"
import { fromText } from "../happyEyeballs/address.js"

/** Addresses by name. */
type Hosts = ReadonlyMap<string, ReadonlyArray<Address>>

/** Makes names comparable: case and a dot at the end do not matter. */
const canonical = (name: string): string => name.toLowerCase().replace(/\.$/, "")

/** Parses the lines of `hosts(5)`: an address, a name, and more names. `#` begins a comment. */
const parse = (text: string): Hosts => {
  const hosts = new Map<string, Array<Address>>()
  for (const line of text.split("\n")) {
    const [first = "", ...names] = line.replace(/#.*/, "").trim().split(/\s+/)
    for (const address of Option.toArray(fromText(first))) {
      for (const name of names.map(canonical)) {
        hosts.set(name, [...hosts.get(name) ?? [], address])
      }
    }
  }
  return hosts
}

const none: Hosts = new Map()

/**
 * Reads a hosts file again when its time or size changes. It reads synchronously, because Node's asynchronous calls
 * wait for a thread. As in the system's own resolver, a file that cannot be read has no names.
 */
const reader = (path: string): () => Hosts => {
  let read = { stamp: "", hosts: none }
  return () => {
    try {
      const { mtimeMs, size } = fs.statSync(path)
      const stamp = `${mtimeMs} ${size}`
      if (stamp !== read.stamp) {
        read = { stamp, hosts: parse(fs.readFileSync(path, "utf8")) }
      }
      return read.hosts
    } catch {
      return none
    }
  }
}

/** RFC 6761, section 6.3: always loopback, never a query. */
const isLocalhost = (name: string): boolean => name === "localhost" || name.endsWith(".localhost")

const loopback: { readonly [F in Family]: string } = { 4: "127.0.0.1", 6: "::1" }

/** @internal */
export const defaultHostsFile = (): string =>
  process.platform === "win32"
    ? `${process.env["SystemRoot"] ?? "C:\\Windows"}\\System32\\drivers\\etc\\hosts`
    : "/etc/hosts"

/**
 * Returns addresses that are known without a query. A name in the hosts file counts as known for both families, even if
 * it has addresses of one only. `files dns` in nsswitch.conf works in the same way.
 *
 * @internal
 */
export const localAddresses = (hostsFile: string) => {
  const read = reader(hostsFile)
  return (host: string, family: Family): Option.Option<ReadonlyArray<string>> => {
    const name = canonical(host)
    return isLocalhost(name)
      ? Option.some([loopback[family]])
      : Option.map(
        Option.fromNullable(read().get(name)),
        (addresses) => addresses.filter((address) => address.family === family).map(({ address }) => address)
      )
  }
}
