import type { DnsServerOptions } from "../../test/support/dnsServer.js"
import type { Job } from "./job.js"

/** The milliseconds that ours may take: in all, or beyond Node's own time in the same case. Or when it must fail. */
export type Goal =
  | { readonly within: number }
  | { readonly ofNode: number }
  | { readonly failsBetween: readonly [number, number] }

/** The addresses of a case's hosts: one of each family. */
export type Addresses = { readonly 4: string; readonly 6: string }

export interface Case {
  readonly name: string
  /** How the machine is set up: commands of `ip`, and files of `/etc`. */
  readonly ip?: ReadonlyArray<string>
  readonly etc?: Readonly<Record<string, string>>
  readonly resultOrder?: Job["resultOrder"]
  readonly answers?: (addresses: Addresses) => DnsServerOptions["table"][string]
  /** The families whose packets are dropped. */
  readonly dead?: ReadonlyArray<keyof Addresses>
  /**
   * The hosts to connect to: a few new ones in turn, for cases that take seconds, six new ones at once, or the same one
   * again and again. Default many new ones in turn.
   */
  readonly hosts?: "few" | "six at once" | "the same"
  /** The address of this machine on which a server listens. The client connects to `localhost`. */
  readonly local?: string
  /** The timeout that the client gets, in milliseconds. */
  readonly timeout?: number
  readonly goal: Goal
  /** The goal for the slowest connection, which gets its own row. */
  readonly worst?: Goal
}

const routes = ["route add 0.0.0.0/0 dev DEVICE", "route add ::/0 dev DEVICE"]
const withoutIPv6 = ["route add 0.0.0.0/0 dev DEVICE", "addr del 2001:db8::1/64 dev DEVICE"]

/** The set-up of a case that does not say its own. */
export const defaults = { ip: routes, resultOrder: "verbatim" } as const

const unanswered: Case = {
  name: "IPv4 only, AAAA not answered",
  ip: withoutIPv6,
  answers: (addresses: Addresses) => ({ A: [addresses[4]], AAAA: "DROP" }),
  goal: { ofNode: 3 },
  worst: { within: 100 }
}

const six = {
  name: "six hosts at once, AAAA 300 ms late",
  answers: (addresses: Addresses) => ({ A: [addresses[4]], AAAA: { after: 300, reply: [addresses[6]] } }),
  hosts: "six at once"
} as const

/** The cases for clients that connect. */
export const connections: ReadonlyArray<Case> = [
  unanswered,
  {
    name: "unique-local IPv6 only, IPv6 dead",
    ip: [...routes, "addr del 2001:db8::1/64 dev DEVICE", "addr add fd00:db8::1/64 dev DEVICE nodad"],
    dead: [6],
    goal: { ofNode: 3 }
  },
  { name: "ipv4first, IPv6 dead", resultOrder: "ipv4first", dead: [6], goal: { ofNode: 3 } },
  {
    name: "gai.conf: IPv4 first, IPv6 dead",
    etc: { "gai.conf": "precedence ::ffff:0:0/96  100\n" },
    dead: [6],
    goal: { ofNode: 3 }
  },
  {
    name: "no route for IPv6",
    ip: ["route add 0.0.0.0/0 dev DEVICE", "route del 2001:db8::/32 dev DEVICE"],
    goal: { ofNode: 3 }
  },
  { name: "localhost, listening on IPv4 only", local: "127.0.0.1", goal: { ofNode: 3 } },
  { name: "localhost, listening on IPv6", local: "::1", goal: { ofNode: 0.5 } },
  { name: "IPv6 dead, the same host again", dead: [6], hosts: "the same", goal: { within: 270 } },
  { ...six, goal: { within: 60 } }
]

/** The cases for clients that send requests. */
export const requests: ReadonlyArray<Case> = [
  unanswered,
  // RFC 8305, section 3: the client waits 50 ms for the AAAA answer before it uses IPv4.
  { ...six, goal: { within: 70 } },
  { name: "IPv6 dead, timeout of 1 s", dead: [6], hosts: "few", timeout: 1000, goal: { within: 270 } },
  {
    name: "all addresses dead, timeout of 1 s",
    dead: [4, 6],
    hosts: "few",
    timeout: 1000,
    goal: { failsBetween: [990, 1100] }
  }
]
