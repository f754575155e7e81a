import * as Option from "effect/Option"
import type { Address, Family } from "../HappyEyeballs.js"

const decimal = /^(0|[1-9]\d{0,2})$/
const hexadecimal = /^[0-9a-f]{1,4}$/i

/** The two 16-bit groups of an IPv4 address. */
const parseIpv4 = (text: string): ReadonlyArray<number> | undefined => {
  const parts = text.split(".")
  const bytes = parts.map((part) => decimal.test(part) ? Number(part) : 256)
  const [a = 256, b = 256, c = 256, d = 256] = bytes
  return parts.length === 4 && bytes.every((byte) => byte < 256) ? [a << 8 | b, c << 8 | d] : undefined
}

/** Groups as they are written; an IPv4 address, at the very end, is two. */
const parseGroups = (text: string, isEnd: boolean): ReadonlyArray<number> | undefined => {
  const groups: Array<number> = []
  const parts = text === "" ? [] : text.split(":")
  for (const [index, part] of parts.entries()) {
    const tail = isEnd && index === parts.length - 1 ? parseIpv4(part) : undefined
    if (tail !== undefined) {
      groups.push(...tail)
    } else if (hexadecimal.test(part)) {
      groups.push(Number.parseInt(part, 16))
    } else {
      return undefined
    }
  }
  return groups
}

/** The eight groups of an IPv6 address without a zone. */
const parseIpv6 = (text: string): ReadonlyArray<number> | undefined => {
  const [head = "", tail, ...more] = text.split("::")
  const before = parseGroups(head, tail === undefined)
  const after = tail === undefined ? [] : parseGroups(tail, true)
  // What "::" leaves out is one group at least.
  const left = 8 - (before?.length ?? 9) - (after?.length ?? 9)
  return before === undefined || after === undefined || more.length > 0 || (tail === undefined ? left !== 0 : left < 1)
    ? undefined
    : [...before, ...Array<number>(left).fill(0), ...after]
}

interface Parsed extends Address {
  /** The same for two spellings of one address. */
  readonly key: string
}

const parse = (text: string): Parsed | undefined => {
  const address = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text
  const ipv4 = parseIpv4(address)
  if (ipv4 !== undefined) {
    return { address, family: 4, key: ipv4.join(".") }
  }
  const [unscoped = "", zone, ...more] = address.split("%")
  const groups = zone === "" || more.length > 0 ? undefined : parseIpv6(unscoped)
  if (groups === undefined) {
    return undefined
  }
  // IPv4-mapped (RFC 4291, section 2.5.5.2): whoever connects to it does so over IPv4.
  return groups.slice(0, 6).join(":") === "0:0:0:0:0:65535"
    ? { address, family: 4, key: groups.slice(6).join(".") }
    : { address, family: 6, key: [groups.join(":"), zone].join("%") }
}

/** @internal */
export const fromText = (text: string): Option.Option<Address> =>
  Option.map(Option.fromNullable(parse(text)), ({ address, family }) => ({ address, family }))

/** @internal */
export const keyOf = ({ address }: Address): string => parse(address)?.key ?? address

/**
 * What is still to be tried, of each family in the resolver's order.
 *
 * @internal
 */
export type Queues<A> = { readonly [F in Family]: Array<A> }

/**
 * Which family is next. RFC 8305, section 4: `firstFamilyCount` addresses of the first family, one of the other, then
 * in turn, and what is left of the longer list at the end. Said as one step, so that addresses that become known later
 * fall into place.
 *
 * @internal
 */
export const nextFamily = (
  queues: Queues<unknown>,
  tried: ReadonlyArray<Address>,
  first: Family,
  firstFamilyCount: number
): Family | undefined => {
  const other: Family = first === 6 ? 4 : 6
  const wanted = tried.length < firstFamilyCount || tried[tried.length - 1]?.family === other ? first : other
  const rest: Family = wanted === 6 ? 4 : 6
  return queues[wanted].length > 0 ? wanted : queues[rest].length > 0 ? rest : undefined
}

/** @internal */
export const interleave = <A extends Address>(
  addresses: Iterable<A>,
  { firstFamilyCount, prefer }: { readonly firstFamilyCount: number; readonly prefer: Family | undefined }
): Array<A> => {
  const queues: Queues<A> = { 4: [], 6: [] }
  const known = new Set<string>()
  let first = prefer
  for (const address of addresses) {
    const key = keyOf(address)
    if (!known.has(key)) {
      known.add(key)
      first ??= address.family
      queues[address.family].push(address)
    }
  }
  const order: Array<A> = []
  for (;;) {
    const family = nextFamily(queues, order, first ?? 6, firstFamilyCount)
    const next = family === undefined ? undefined : queues[family].shift()
    if (next === undefined) {
      return order
    }
    order.push(next)
  }
}
