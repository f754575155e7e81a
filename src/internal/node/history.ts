import * as Clock from "effect/Clock"
import * as Effect from "effect/Effect"
import os from "node:os"
import * as HappyEyeballs from "../../HappyEyeballs.js"
import { Checks } from "../options.js"

const check = new Checks("NodeHappyEyeballs")

/** In milliseconds. Listing the addresses takes 40 microseconds, and more with each interface. */
const listedEvery = 1000

/**
 * The addresses of the machine in its networks. Link-local ones (`fe80::`) do not count. They are the same in every
 * network, and change with each container.
 */
const addresses = (): string => {
  try {
    return Object.values(os.networkInterfaces()).flatMap((interfaces = []) =>
      interfaces.flatMap(({ address, internal }) => internal || address.startsWith("fe80:") ? [] : [address])
    ).sort().join()
  } catch {
    // Some systems hide the interfaces from a program. Then the network never changes.
    return ""
  }
}

const makeNetwork = (): Effect.Effect<string> => {
  let listed = ""
  let listedAt = -Infinity
  return Effect.map(Clock.currentTimeMillis, (now) => {
    if (Math.abs(now - listedAt) >= listedEvery) {
      listed = addresses()
      listedAt = now
    }
    return listed
  })
}

/** @internal */
export const makeHistory = (options: HappyEyeballs.HistoryOptions = {}): HappyEyeballs.History => {
  const { network = makeNetwork(), ...rest } = check.object("options", options, "a capacity, a timeToLive or a network")
  return HappyEyeballs.makeHistory({ ...rest, network })
}
