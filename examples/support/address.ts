import * as Data from "effect/Data"
import * as Effect from "effect/Effect"
import * as dns from "node:dns"

/** A place to connect to. The host is a literal IP address: names are looked up before a race, not in it. */
export interface Address {
  readonly host: string
  readonly port: number
}

export class AddressError extends Data.TaggedError("AddressError")<{ readonly message: string }> {}

export const formatAddress = ({ host, port }: Address): string =>
  host.includes(":") ? `[${host}]:${port}` : `${host}:${port}`

export const parsePort = (input: string): Effect.Effect<number, AddressError> => {
  const port = Number(input)
  return /^\d+$/.test(input) && port >= 1 && port <= 65535
    ? Effect.succeed(port)
    : new AddressError({ message: `port must be 1 to 65535, got ${input}` })
}

/** Every address of a host, in the order in which the system's resolver gives them. */
export const resolve = (host: string, port: number): Effect.Effect<ReadonlyArray<Address>, AddressError> =>
  Effect.async((resume) => {
    dns.lookup(host, { all: true, verbatim: true }, (error, found) => {
      if (error !== null) {
        resume(new AddressError({ message: `no such host: ${host} (${error.code})` }))
      } else if (found.length === 0) {
        resume(new AddressError({ message: `no such host: ${host}` }))
      } else {
        resume(Effect.succeed(found.map(({ address }) => ({ host: address, port }))))
      }
    })
  })
