import * as fs from "node:fs"
import { parse } from "../happyEyeballs/address.js"
import * as Precedence from "../happyEyeballs/precedence.js"

/**
 * The tables that glibc has built in: those of RFC 3484, with labels for site-local, unique-local and Teredo addresses.
 * They differ from RFC 6724's for a unique-local destination, which glibc tries before IPv4.
 *
 * @internal
 */
export const glibc: Precedence.Policy = {
  labels: [
    Precedence.rule("::1/128", 0),
    Precedence.rule("::/0", 1),
    Precedence.rule("2002::/16", 2),
    Precedence.rule("::/96", 3),
    Precedence.rule("::ffff:0:0/96", 4),
    Precedence.rule("fec0::/10", 5),
    Precedence.rule("fc00::/7", 6),
    Precedence.rule("2001::/32", 7)
  ],
  precedences: [
    Precedence.rule("::1/128", 50),
    Precedence.rule("::/0", 40),
    Precedence.rule("2002::/16", 30),
    Precedence.rule("::/96", 20),
    Precedence.rule("::ffff:0:0/96", 10)
  ],
  scopes: Precedence.scopes
}

/** As `strtoul` reads it: no digits are zero. */
const toNumber = (text: string, max: number): number | undefined =>
  /^\d*$/.test(text) && Number(text) <= max ? Number(text) : undefined

/**
 * A line without its keyword; undefined if it is malformed. Labels and precedences are for IPv6 prefixes. Scopes are for
 * IPv4 prefixes, also written as IPv4-mapped.
 */
const parseRule = (keyword: string, prefix: string, digits: string): Precedence.Rule | undefined => {
  const slash = prefix.indexOf("/")
  const text = slash < 0 ? prefix : prefix.slice(0, slash)
  const address = parse(text)
  const isDotted = !text.includes(":")
  if (
    address === undefined || address.address !== text || address.zone !== undefined ||
    (keyword === "scopev4" ? address.family === 6 : isDotted)
  ) {
    return undefined
  }
  const most = isDotted ? 32 : 128
  const bits = slash < 0 ? most : toNumber(prefix.slice(slash + 1), most)
  const value = toNumber(digits, 0x7fffffff)
  if (bits === undefined || value === undefined) {
    return undefined
  }
  const length = bits + 128 - most
  return keyword === "scopev4" && length < 96 ? undefined : { prefix: address.groups, length, value }
}

/** Where a table says nothing of all other addresses, glibc adds that of RFC 3484. */
const tableOf = (
  rules: ReadonlyArray<Precedence.Rule>,
  builtIn: ReadonlyArray<Precedence.Rule>,
  rest: Precedence.Rule
): ReadonlyArray<Precedence.Rule> => rules.length === 0 ? builtIn : [...rules, rest]

/**
 * The policy of `/etc/gai.conf`, see gai.conf(5). A single line of a kind replaces the whole table of that kind.
 * Malformed lines are ignored, as glibc does.
 *
 * @internal
 */
export const parseConfiguration = (text: string, builtIn: Precedence.Policy): Precedence.Policy => {
  const rules = (keyword: string) =>
    text.split("\n").flatMap((line) => {
      const [word, prefix = "", value = ""] = line.replace(/#.*/s, "").trim().split(/\s+/)
      const rule = word === keyword ? parseRule(keyword, prefix, value) : undefined
      return rule === undefined ? [] : [rule]
    })
  return {
    labels: tableOf(rules("label"), builtIn.labels, Precedence.rule("::/0", 1)),
    precedences: tableOf(rules("precedence"), builtIn.precedences, Precedence.rule("::/0", 40)),
    scopes: tableOf(rules("scopev4"), builtIn.scopes, Precedence.rule("::ffff:0:0/96", 14))
  }
}

/** Undefined where the file cannot be read. */
const read = (path: string): string | undefined => {
  try {
    return fs.readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/**
 * The policy by which the system orders addresses.
 *
 * Only glibc has a file for it. musl has the tables of RFC 6724 built in, and so have BSD, macOS and Windows, where an
 * administrator's changes cannot be read without running a program.
 *
 * @internal
 */
export const readPolicy = (platform: string, read: (path: string) => string | undefined): Precedence.Policy =>
  platform !== "linux" || read("/proc/self/maps")?.includes("/ld-musl-")
    ? Precedence.standard
    : parseConfiguration(read("/etc/gai.conf") ?? "", glibc)

let known: Precedence.Policy | undefined

/**
 * Read when it is first asked for, and kept, as glibc does.
 *
 * @internal
 */
export const policy = (): Precedence.Policy => known ??= readPolicy(process.platform, read)
