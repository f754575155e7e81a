import { cpSync, rmSync } from "node:fs"
import { pathToFileURL } from "node:url"
import type * as Hedge from "../../src/Hedge.js"
import type * as StaggeredRace from "../../src/StaggeredRace.js"

/** A build of this package. */
export interface Library {
  readonly StaggeredRace: typeof StaggeredRace
  readonly Hedge: typeof Hedge
}

const copy = new URL("../../against/", import.meta.url)

/**
 * Copies the build of another checkout of this package beside our own, and returns its URL. There, it uses our copy of
 * `effect`. With a second copy, V8 would compile each copy for only half of the calls.
 */
export const copyBuild = (directory: string): URL => {
  rmSync(copy, { force: true, recursive: true })
  cpSync(new URL("build/", `${pathToFileURL(directory)}/`), copy, { recursive: true })
  return copy
}

export const loadLibrary = async (build: URL): Promise<Library> => {
  const [StaggeredRace, Hedge] = await Promise.all(
    ["StaggeredRace.js", "Hedge.js"].map((module) => import(new URL(module, build).href))
  )
  return { StaggeredRace, Hedge }
}
