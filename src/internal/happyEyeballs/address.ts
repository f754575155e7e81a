import * as Option from "effect/Option"
import type { Address, Family } from "../../HappyEyeballs.js"

const decimal = /^(0|[1-9]\d{0,2})$/
const hexadecimal = /^[0-9a-f]{1,4}$/i

/** Parses an IPv4 address into two groups of 16 bits. */
const parseIpv4 = (text: string): ReadonlyArray<number> | undefined => {
  const parts = text.split(".")
  const bytes = parts.map((part) => decimal.test(part) ? Number(part) : 256)
  const [a = 256, b = 256, c = 256, d = 256] = bytes
  return parts.length === 4 && bytes.every((byte) => byte < 256) ? [a << 8 | b, c << 8 | d] : undefined
}

/** Parses groups as they are written. An IPv4 address at the very end is two groups. */
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

/** Parses an IPv6 address without a zone into eight groups. */
const parseIpv6 = (text: string): ReadonlyArray<number> | undefined => {
  const [head = "", tail, ...more] = text.split("::")
  const before = parseGroups(head, tail === undefined)
  const after = tail === undefined ? [] : parseGroups(tail, true)
  // "::" stands for at least one group.
  const left = 8 - (before?.length ?? 9) - (after?.length ?? 9)
  return before === undefined || after === undefined || more.length > 0 || (tail === undefined ? left !== 0 : left < 1)
    ? undefined
    : [...before, ...Array<number>(left).fill(0), ...after]
}

// RFC 4291, section 2.5.5.2. Connecting to an IPv4-mapped address uses IPv4.
const mapped: ReadonlyArray<number> = [0, 0, 0, 0, 0, 0xffff]

/**
 * One public address of each family, to use when none is known. Addresses for documentation (RFC 5737, RFC 3849) do:
 * the system routes them like any address of the Internet.
 *
 * @internal
 */
export const standIns: { readonly [F in Family]: Address } = {
  4: { address: "192.0.2.1", family: 4 },
  6: { address: "2001:db8::1", family: 6 }
}

/** @internal */
export interface Parsed extends Address {
  /** Eight groups of 16 bits. An IPv4 address is IPv4-mapped. */
  readonly groups: ReadonlyArray<number>
  readonly zone: string | undefined
}

/** @internal */
export const parse = (text: string): Parsed | undefined => {
  const address = text.startsWith("[") && text.endsWith("]") ? text.slice(1, -1) : text
  const ipv4 = parseIpv4(address)
  if (ipv4 !== undefined) {
    return { address, family: 4, groups: [...mapped, ...ipv4], zone: undefined }
  }
  const [unscoped = "", zone, ...more] = address.split("%")
  const groups = zone === "" || more.length > 0 ? undefined : parseIpv6(unscoped)
  return groups && { address, family: mapped.every((group, index) => group === groups[index]) ? 4 : 6, groups, zone }
}

/** @internal */
export const fromText = (text: string): Option.Option<Address> =>
  Option.map(Option.fromNullable(parse(text)), ({ address, family }) => ({ address, family }))

/**
 * The addresses that share a prefix.
 *
 * @internal
 */
export interface Block {
  /** Eight groups of 16 bits. */
  readonly prefix: ReadonlyArray<number>
  /** How many bits of the prefix count. */
  readonly length: number
}

/**
 * Parses a block, such as `fc00::/7`. One of IPv4, such as `10.0.0.0/8`, becomes one of IPv4-mapped addresses.
 *
 * @internal
 */
export const block = (text: string): Block => {
  const [address = "", length] = text.split("/")
  return { prefix: parse(address)?.groups ?? [], length: Number(length) + (address.includes(":") ? 0 : 96) }
}

/**
 * How many leading bits two addresses share (RFC 6724, section 2.2).
 *
 * @internal
 */
export const commonPrefix = (a: ReadonlyArray<number>, b: ReadonlyArray<number>): number => {
  const index = a.findIndex((group, index) => group !== b[index])
  return index < 0 ? 128 : index * 16 + Math.clz32((a[index] ?? 0) ^ (b[index] ?? 0)) - 16
}

/** @internal */
export const isWithin = (groups: ReadonlyArray<number>, { length, prefix }: Block): boolean =>
  commonPrefix(prefix, groups) >= length

// RFC 1122, section 3.2.1.3; RFC 4291, section 2.5.3.
const loopback = [block("127.0.0.0/8"), block("::1/128")]

/** @internal */
export const isLoopbackGroups = (groups: ReadonlyArray<number>): boolean =>
  loopback.some((block) => isWithin(groups, block))

/**
 * Whether packets to the address stay on this machine.
 *
 * @internal
 */
export const isLoopback = ({ address }: Address): boolean => isLoopbackGroups(parse(address)?.groups ?? [])

/** The bytes of an address without its zone: 4 for IPv4, also if it is mapped, and 16 for IPv6. */
const bytesOf = ({ family, groups }: Parsed): ReadonlyArray<number> =>
  groups.slice(family === 4 ? 6 : 0).flatMap((group) => [group >> 8, group & 0xff])

/** @internal */
export const toBytes = (text: string): Option.Option<ReadonlyArray<number>> =>
  Option.map(Option.fromNullable(parse(text)), bytesOf)

/** The first of the longest runs of zeros, if it has at least two groups. */
const longestZeros = (groups: ReadonlyArray<number>): readonly [start: number, end: number] => {
  let longest: readonly [start: number, end: number] = [0, 0]
  for (let start = 0; start < groups.length; start++) {
    const length = groups.slice(start).findIndex((group) => group !== 0)
    const end = length < 0 ? groups.length : start + length
    if (end - start > Math.max(1, longest[1] - longest[0])) {
      longest = [start, end]
    }
  }
  return longest
}

/**
 * Spells an IPv6 address of 16 bytes as in RFC 5952, section 4.
 *
 * @internal
 */
export const fromBytes = (bytes: ReadonlyArray<number>): string => {
  const groups = Array.from({ length: 8 }, (_, index) => (bytes[2 * index] ?? 0) << 8 | (bytes[2 * index + 1] ?? 0))
  const spell = (part: ReadonlyArray<number>) => part.map((group) => group.toString(16)).join(":")
  const [start, end] = longestZeros(groups)
  return end === 0 ? spell(groups) : `${spell(groups.slice(0, start))}::${spell(groups.slice(end))}`
}

/**
 * A key that is equal for all spellings of one address.
 *
 * @internal
 */
export const keyOf = ({ address }: Address): string => {
  const parsed = parse(address)
  return parsed ? `${parsed.groups.join(":")}%${parsed.family === 6 ? parsed.zone : ""}` : address
}

/**
 * The order in which to try addresses: the families take turns, each in the order added, without duplicates. It works
 * one step at a time, so addresses found later still take their places.
 *
 * @internal
 */
export class Sequence<A extends Address> {
  private readonly waiting: { readonly [F in Family]: Array<A> } = { 4: [], 6: [] }
  private readonly known = new Set<string>()
  /** In the order taken. */
  readonly taken: Array<A> = []

  /** The owner may change `first` until an address is taken. */
  constructor(public first: Family, private readonly firstFamilyCount: number) {}

  /** Returns whether the address is new. */
  add(address: A): boolean {
    const key = keyOf(address)
    const isNew = !this.known.has(key)
    if (isNew) {
      this.known.add(key)
      this.waiting[address.family].push(address)
    }
    return isNew
  }

  /** The next address of a family. */
  head(family: Family): A | undefined {
    return this.waiting[family][0]
  }

  /**
   * The next address, without taking it. RFC 8305, section 4: first `firstFamilyCount` addresses of the first family,
   * then one of the other, then in turn. When a family runs out, the rest of the other follows.
   */
  peek(): A | undefined {
    const { first, taken } = this
    const other: Family = first === 6 ? 4 : 6
    const wanted = taken.length < this.firstFamilyCount || taken[taken.length - 1]?.family === other ? first : other
    return this.head(wanted) ?? this.head(wanted === first ? other : first)
  }

  take(address: A): void {
    this.waiting[address.family].shift()
    this.taken.push(address)
  }
}

/** @internal */
export const interleave = <A extends Address>(
  addresses: Iterable<A>,
  { firstFamilyCount, prefer }: { readonly firstFamilyCount: number; readonly prefer: Family | undefined }
): Array<A> => {
  const given = Array.from(addresses)
  const sequence = new Sequence<A>(prefer ?? given[0]?.family ?? 6, firstFamilyCount)
  given.forEach((address) => sequence.add(address))
  for (let next = sequence.peek(); next !== undefined; next = sequence.peek()) {
    sequence.take(next)
  }
  return sequence.taken
}
