import * as Effect from "effect/Effect"
import type * as Scope from "effect/Scope"
import * as fs from "node:fs"

const parent = "/etc/netns"

export interface Host {
  readonly name: string
  readonly addresses: ReadonlyArray<string>
}

const removeDirectory = (path: string) => {
  try {
    fs.rmdirSync(path)
  } catch {
    // Others have something there.
  }
}

/**
 * Gives a namespace names of its own: what is in `/etc/netns/NAME` is seen in `/etc` by all that `ip netns exec NAME`
 * starts from now on.
 */
export const make = (namespace: string, hosts: ReadonlyArray<Host>): Effect.Effect<void, never, Scope.Scope> => {
  const directory = `${parent}/${namespace}`
  const lines = hosts.flatMap(({ addresses, name }) => addresses.map((address) => `${address} ${name}\n`))
  return Effect.acquireRelease(
    Effect.sync(() => {
      fs.mkdirSync(directory, { recursive: true })
      fs.writeFileSync(`${directory}/hosts`, lines.join(""))
    }),
    () =>
      Effect.sync(() => {
        fs.rmSync(directory, { recursive: true, force: true })
        removeDirectory(parent)
      })
  )
}
