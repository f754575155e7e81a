import * as Arr from "effect/Array"
import * as Option from "effect/Option"
import { type Block, block, fromBytes, isWithin, parse, toBytes } from "./address.js"

/**
 * IPv4 addresses by way of IPv6: the addresses that a NAT64 translates. The DNS server of an IPv6-only network gives
 * them in the place of a name's missing IPv6 addresses (DNS64, RFC 6147). Nobody gives them for an IPv4 literal, so that
 * the host makes them itself, of the network's prefix (RFC 8305, section 7.1).
 */
type Bytes = ReadonlyArray<number>

/** Where the four bytes of an IPv4 address are in an IPv6 address. */
type Place = Bytes

/**
 * A prefix of a NAT64: the bytes of an IPv6 address, zero after the prefix, and where the IPv4 address goes.
 *
 * @internal
 */
export interface Prefix {
  /** Bits. */
  readonly length: number
  readonly bytes: Bytes
  readonly place: Place
}

/** RFC 6052, section 2.2: bits 64 to 71 are zero, whatever the prefix, and the IPv4 address goes around them. */
const u = 8

/** RFC 6052, section 2.2: the IPv4 address follows the prefix. */
const formats = [32, 40, 48, 56, 64, 96].map((length) => ({
  length,
  place: Arr.range(length / 8, 15).filter((at) => at !== u).slice(0, 4)
}))

const key = String

/** RFC 7050, section 3: the address is searched on all octet boundaries, for what is there by chance. */
const places: ReadonlyArray<Place> = Arr.dedupeWith(
  [...Arr.range(0, 12).map((start) => Arr.range(start, start + 3)), ...formats.map(({ place }) => place)],
  (a, b) => key(a) === key(b)
)

const read = (bytes: Bytes, place: Place): Bytes => place.map((at) => bytes[at] ?? 0)

/**
 * The name to ask for. RFC 7050, sections 2.2 and 3: it has no IPv6 address of its own, so that one which is answered has
 * been synthesized, of one of the name's two IPv4 addresses. The dot keeps search domains out.
 *
 * @internal
 */
export const wellKnownName = "ipv4only.arpa."

/** RFC 7050, section 2.2. */
const wellKnownAddresses: ReadonlyArray<Bytes> = [[192, 0, 0, 170], [192, 0, 0, 171]]

/** RFC 6052, section 2.2: a prefix of 96 bits has these bits too. */
const isReservedZero = (bytes: Bytes) => bytes[u] === 0

/**
 * The prefixes of which the addresses of {@link wellKnownName} were made, in their order.
 *
 * RFC 7050, section 3: an address with two instances of the well-known IPv4 address does not tell which of them is a part
 * of the prefix. Then all are searched for the other well-known IPv4 address.
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

/** Of this host, of this link, or of no single host: loopback, link-local and multicast addresses, and the like. */
const near = ["0.0.0.0/8", "127.0.0.0/8", "169.254.0.0/16", "224.0.0.0/4", "240.0.0.0/4"].map(block)

/** RFC 5735, section 3, as RFC 6890 has it today, and {@link near}. Relays of 6to4 (192.88.99.0/24) are global. */
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

/** Whether it is an IPv4 address, and in none of the blocks. */
const isOutside = (blocks: ReadonlyArray<Block>) => (address: string): boolean => {
  const { family, groups = [] } = parse(address) ?? {}
  return family === 4 && !blocks.some((block) => isWithin(groups, block))
}

/**
 * Whether an IPv4 address may be in another network.
 *
 * @internal
 */
export const isFar = isOutside(near)

const isGlobal = isOutside(notGlobal)

/** RFC 6052, section 2.1: 64:ff9b::/96. */
const isWellKnown = ({ bytes, length }: Prefix): boolean =>
  length === 96 && key(bytes) === key([0, 0x64, 0xff, 0x9b, ...Array<number>(12).fill(0)])

/**
 * The IPv6 address of an IPv4 address. RFC 6052, section 2.3: the bytes after the prefix and the address are zero.
 * Section 3.1: the Well-Known Prefix is for global addresses alone.
 *
 * @internal
 */
export const synthesize = (prefix: Prefix, address: string): Option.Option<string> =>
  Option.map(
    Option.filter(toBytes(address), (ipv4) => ipv4.length === 4 && (!isWellKnown(prefix) || isGlobal(address))),
    (ipv4) => fromBytes(prefix.bytes.map((byte, at) => ipv4[prefix.place.indexOf(at)] ?? byte))
  )
