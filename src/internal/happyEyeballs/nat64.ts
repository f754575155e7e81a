import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import { type Block, block, fromBytes, isWithin, parse, toBytes } from "./address.js"

/**
 * IPv4 by way of IPv6: the addresses that a NAT64 translates.
 *
 * For a name without IPv6 addresses, the DNS server of an IPv6-only network answers with them (DNS64, RFC 6147). For an
 * IPv4 literal nobody does. So the host makes them itself from the prefix of the network (RFC 8305, section 7.1).
 */
type Bytes = ReadonlyArray<number>

/** The positions of the four bytes of an IPv4 address inside an IPv6 address. */
type Place = Bytes

/**
 * A prefix of a NAT64: the bytes of an IPv6 address, zero after the prefix, and the place of the IPv4 address.
 *
 * @internal
 */
export interface Prefix {
  /** In bits. */
  readonly length: number
  readonly bytes: Bytes
  readonly place: Place
}

/** RFC 6052, section 2.2: bits 64 to 71 are always zero, and the IPv4 address skips them. */
const u = 8

/** RFC 6052, section 2.2: the IPv4 address follows the prefix. */
const formats = [32, 40, 48, 56, 64, 96].map((length) => ({
  length,
  place: Arr.range(length / 8, 15).filter((at) => at !== u).slice(0, 4)
}))

const key = String

/** RFC 7050, section 3: search for the address at every byte, to notice one that is there by chance. */
const places: ReadonlyArray<Place> = Arr.dedupeWith(
  [...Arr.range(0, 12).map((start) => Arr.range(start, start + 3)), ...formats.map(({ place }) => place)],
  (a, b) => key(a) === key(b)
)

const read = (bytes: Bytes, place: Place): Bytes => place.map((at) => bytes[at] ?? 0)

/**
 * The name to ask for. RFC 7050, sections 2.2 and 3: it has two IPv4 addresses and no IPv6 address. So any IPv6 answer
 * was made from one of the two. The dot at the end prevents search domains.
 *
 * @internal
 */
export const wellKnownName = "ipv4only.arpa."

/** RFC 7050, section 2.2. */
const wellKnownAddresses: ReadonlyArray<Bytes> = [[192, 0, 0, 170], [192, 0, 0, 171]]

/** RFC 6052, section 2.2: a prefix of 96 bits includes these bits, so they must be zero there, too. */
const isReservedZero = (bytes: Bytes) => bytes[u] === 0

/**
 * Finds the prefixes from which the addresses of {@link wellKnownName} were made, in their order.
 *
 * RFC 7050, section 3: if an address contains the well-known IPv4 address twice, one of the two belongs to the prefix,
 * and nothing tells which. Then search all addresses for the other well-known IPv4 address.
 *
 * @internal
 */
export const findPrefixes = (answers: Iterable<string>): ReadonlyArray<Prefix> => {
  const addresses = Arr.filterMap(answers, toBytes).filter((bytes) => bytes.length === 16)
  for (const wellKnown of wellKnownAddresses) {
    const found = addresses.map((bytes) => places.filter((place) => key(read(bytes, place)) === key(wellKnown)))
    const prefixes = addresses.filter(isReservedZero).flatMap((bytes) =>
      formats
        .filter(({ place }) => key(read(bytes, place)) === key(wellKnown))
        .map(({ length, place }) => ({ length, place, bytes: bytes.map((byte, at) => at < length / 8 ? byte : 0) }))
    )
    if (prefixes.length > 0 && found.every((places) => places.length < 2)) {
      return Arr.dedupeWith(prefixes, (a, b) => a.length === b.length && key(a.bytes) === key(b.bytes))
    }
  }
  return []
}

/** Addresses of this host, of this link, or of no single host: loopback, link-local, multicast, and the like. */
const near = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"].map(block)

/** RFC 5735, section 3, as updated by RFC 6890, and {@link near}. Relays of 6to4 (192.88.99.0/24) are global. */
const notGlobal = [
  ...near,
  ...[
    "10.0.0.0/8",
    "100.64.0.0/10",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24"
  ].map(block)
]

/** Whether an address is IPv4 and in none of the blocks. */
const isOutside = (blocks: ReadonlyArray<Block>) => (address: string): boolean => {
  const { family, groups = [] } = parse(address) ?? {}
  return family === 4 && !blocks.some((block) => isWithin(groups, block))
}

/**
 * Whether an address is IPv4 and may be in another network.
 *
 * @internal
 */
export const isFar = isOutside(near)

const isGlobal = isOutside(notGlobal)

/** RFC 6052, section 2.1: 64:ff9b::/96. */
const isWellKnown = ({ bytes, length }: Prefix): boolean =>
  length === 96 && key(bytes) === key([0, 0x64, 0xff, 0x9b, ...Array<number>(12).fill(0)])

/**
 * Makes the IPv6 address for an IPv4 address. RFC 6052, section 2.3: all bytes after the prefix and the address are
 * zero. Section 3.1: the Well-Known Prefix is for global addresses only.
 *
 * @internal
 */
export const synthesize = (prefix: Prefix, address: string): Option.Option<string> =>
  Option.map(
    Option.filter(toBytes(address), (ipv4) => ipv4.length === 4 && (!isWellKnown(prefix) || isGlobal(address))),
    (ipv4) => fromBytes(prefix.bytes.map((byte, at) => ipv4[prefix.place.indexOf(at)] ?? byte))
  )
