/**
 * The order of destination addresses (RFC 6724, section 6), without Effect and without asking the system.
 *
 * It omits rules 3 (deprecated sources), 4 (home addresses) and 7 (native transport), because only the kernel has the
 * facts for them.
 */
import type { Family } from "../../HappyEyeballs.js"
import { type Block, block, commonPrefix, isLoopbackGroups, isWithin, parse, type Parsed } from "./address.js"

/**
 * A value for all addresses of a block.
 *
 * @internal
 */
export interface Rule extends Block {
  readonly value: number
}

/**
 * RFC 6724, section 2.1. In each table the longest matching prefix decides, and the first of equally long ones.
 *
 * @internal
 */
export interface Policy {
  readonly labels: ReadonlyArray<Rule>
  readonly precedences: ReadonlyArray<Rule>
  /** Blocks of IPv4-mapped addresses. */
  readonly scopes: ReadonlyArray<Rule>
}

/**
 * A destination, and the address from which the system would send to it.
 *
 * @internal
 */
export interface Pair {
  readonly destination: string
  /** None if the destination has no route. */
  readonly source: string | undefined
}

/**
 * Makes a rule for a prefix, such as `fc00::/7`.
 *
 * @internal
 */
export const rule = (prefix: string, value: number): Rule => ({ ...block(prefix), value })

// RFC 4291, section 2.7. Unicast addresses use the same values (RFC 6724, section 3.1).
const linkLocal = 2
const siteLocal = 5
const global = 14

/**
 * RFC 6724, section 3.2: private IPv4 addresses are global, too.
 *
 * @internal
 */
export const scopes: ReadonlyArray<Rule> = [
  rule("::ffff:169.254.0.0/112", linkLocal),
  rule("::ffff:127.0.0.0/104", linkLocal),
  rule("::ffff:0.0.0.0/96", global)
]

const table: ReadonlyArray<readonly [prefix: string, precedence: number, label: number]> = [
  ["::1/128", 50, 0],
  ["::/0", 40, 1],
  ["::ffff:0:0/96", 35, 4],
  ["2002::/16", 30, 2],
  ["2001::/32", 5, 5],
  ["fc00::/7", 3, 13],
  ["::/96", 1, 3],
  ["fec0::/10", 1, 11],
  ["3ffe::/16", 1, 12]
]

/**
 * RFC 6724, section 2.1.
 *
 * @internal
 */
export const standard: Policy = {
  labels: table.map(([prefix, , label]) => rule(prefix, label)),
  precedences: table.map(([prefix, precedence]) => rule(prefix, precedence)),
  scopes
}

const valueOf = (rules: ReadonlyArray<Rule>, groups: ReadonlyArray<number>): number | undefined => {
  let best: Rule | undefined
  for (const rule of rules) {
    if (isWithin(groups, rule) && !(best !== undefined && best.length >= rule.length)) {
      best = rule
    }
  }
  return best?.value
}

const scopeOf = ({ family, groups }: Parsed, policy: Policy): number => {
  const [first = 0] = groups
  if (family === 4) {
    return valueOf(policy.scopes, groups) ?? global
  }
  // RFC 6724, section 3.1: a multicast address contains its scope.
  if (first >> 8 === 0xff) {
    return first & 0xf
  }
  // RFC 6724, section 3.4: the loopback address has link-local scope.
  return isLoopbackGroups(groups) || first >> 6 === 0xfe80 >> 6
    ? linkLocal
    : first >> 6 === 0xfec0 >> 6
    ? siteLocal
    : global
}

interface Ranked<P> {
  readonly pair: P
  readonly family: Family | undefined
  /** The values for rules 1 to 8, in their order. The greater value wins. */
  readonly rank: ReadonlyArray<number>
  /** The value for rule 9, in bits. The length of the source's prefix is unknown, so all bits count. */
  readonly inCommon: number
}

const rankOf = <P extends Pair>(pair: P, policy: Policy): Ranked<P> => {
  const destination = parse(pair.destination)
  if (destination === undefined) {
    // A text that is not an address is unreachable, so it comes after all addresses.
    return { pair, family: undefined, rank: [-1], inCommon: 0 }
  }
  const source = pair.source === undefined ? undefined : parse(pair.source)
  const scope = scopeOf(destination, policy)
  const label = valueOf(policy.labels, destination.groups)
  return {
    pair,
    family: destination.family,
    rank: [
      // Rule 1: avoid unusable destinations.
      Number(source !== undefined),
      // Rule 2: prefer matching scope.
      Number(source !== undefined && scopeOf(source, policy) === scope),
      // Rule 5: prefer matching label.
      Number(source !== undefined && valueOf(policy.labels, source.groups) === label),
      // Rule 6: prefer higher precedence.
      valueOf(policy.precedences, destination.groups) ?? 0,
      // Rule 8: prefer smaller scope.
      -scope
    ],
    inCommon: source === undefined ? 0 : commonPrefix(source.groups, destination.groups)
  }
}

const compare = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  const index = a.findIndex((value, index) => value !== b[index])
  return index < 0 ? 0 : (b[index] ?? 0) - (a[index] ?? 0)
}

/**
 * Sorts pairs into the order in which to try their destinations.
 *
 * Rule 9 (longest prefix) applies to IPv6 only. For IPv4, shared bits say little about distance, and sorting by them
 * defeats round-robin DNS. Rule 9 does not compare the families, so applied pair by pair it could order three addresses
 * in a circle. So it only reorders, among themselves, IPv6 addresses that rules 1 to 8 rank equal. Everything else
 * keeps its order (rule 10).
 *
 * @internal
 */
export const sort = <P extends Pair>(pairs: ReadonlyArray<P>, policy: Policy): ReadonlyArray<P> => {
  const ranked = pairs.map((pair) => rankOf(pair, policy)).sort((a, b) => compare(a.rank, b.rank))
  const nearest = ranked.filter(({ family }) => family === 6)
    .sort((a, b) => compare(a.rank, b.rank) || b.inCommon - a.inCommon)
  let next = 0
  return ranked.map((level) => (level.family === 6 ? nearest[next++] ?? level : level).pair)
}
