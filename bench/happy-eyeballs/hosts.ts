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
    // The folder has other files, so it must stay.
  }
}

/**
 * Gives a network namespace its own hosts file. Programs that `ip netns exec NAME` starts from now on see the files of
 * `/etc/netns/NAME` in `/etc`.
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
