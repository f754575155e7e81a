import * as fs from "node:fs"
import { parse } from "../happyEyeballs/address.js"
import * as Precedence from "../happyEyeballs/precedence.js"

/**
 * The tables built into glibc: those of RFC 3484, plus labels for site-local, unique-local and Teredo addresses. Unlike
 * with RFC 6724, a unique-local destination comes before IPv4.
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

/** Parses as `strtoul` does: no digits mean zero. */
const toNumber = (text: string, max: number): number | undefined =>
  /^\d*$/.test(text) && Number(text) <= max ? Number(text) : undefined

/**
 * Parses a line without its keyword. Returns undefined if it is malformed. Labels and precedences take IPv6 prefixes.
 * Scopes take IPv4 prefixes, also written as IPv4-mapped.
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

/** glibc adds the rule of RFC 3484 for all other addresses. */
const tableOf = (
  rules: ReadonlyArray<Precedence.Rule>,
  builtIn: ReadonlyArray<Precedence.Rule>,
  rest: Precedence.Rule
): ReadonlyArray<Precedence.Rule> => rules.length === 0 ? builtIn : [...rules, rest]

/**
 * Parses `/etc/gai.conf`, see gai.conf(5). One line of a kind replaces the whole table of that kind. Malformed lines
 * are ignored, as in glibc.
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

/** Returns undefined if the file cannot be read. */
const read = (path: string): string | undefined => {
  try {
    return fs.readFileSync(path, "utf8")
  } catch {
    return undefined
  }
}

/**
 * Returns the policy by which the system sorts addresses.
 *
 * Only glibc has a file for it. musl, BSD, macOS and Windows have the tables of RFC 6724 built in. On the last three, an
 * administrator can change them, but reading the changes would need another program.
 *
 * @internal
 */
export const readPolicy = (platform: string, read: (path: string) => string | undefined): Precedence.Policy =>
  platform !== "linux" || read("/proc/self/maps")?.includes("/ld-musl-")
    ? Precedence.standard
    : parseConfiguration(read("/etc/gai.conf") ?? "", glibc)

let known: Precedence.Policy | undefined

/**
 * Read on first use, then kept, as in glibc.
 *
 * @internal
 */
export const policy = (): Precedence.Policy => known ??= readPolicy(process.platform, read)
