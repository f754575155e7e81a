import { createRequire } from "node:module"
import type { Way } from "./job.js"

export interface Column {
  readonly name: Way | "asyncio" | "curl"
  readonly description: string
  /** The column of Node's own that the goal compares with. Only columns with a goal have it. */
  readonly beside?: Way
}

const versionOf = (name: string) =>
  (createRequire(import.meta.url)(`${name}/package.json`) as { readonly version: string }).version
const node = `Node ${process.versions.node}`

/** The columns of the first table. */
export const connecting = (
  versions: { readonly curl: string | undefined; readonly python3: string | undefined }
): ReadonlyArray<Column> => [
  { name: "ours", description: "NodeHappyEyeballs.createConnection", beside: "net.connect" },
  { name: "ours, DNS", description: "the same with the resolver NodeHappyEyeballs.makeDnsResolver()" },
  { name: "ours, history", description: "the same with a history, NodeHappyEyeballs.makeHistory()" },
  { name: "net.connect", description: `net.connect of ${node}` },
  // `python3` is always there, because the wire needs it, too.
  {
    name: "asyncio",
    description: `asyncio.open_connection of ${versions.python3}, with happy_eyeballs_delay=0.25`
  },
  ...versions.curl === undefined ? [] : [{ name: "curl", description: versions.curl } as const]
]

/** The columns of the second table. */
export const requesting: ReadonlyArray<Column> = [
  {
    name: "ours, fetch",
    description: `Node's fetch, with NodeHappyEyeballs.connector for the global dispatcher's connections (undici ${
      versionOf("undici")
    })`,
    beside: "fetch"
  },
  { name: "fetch", description: `fetch of ${node} (undici ${process.versions["undici"]})` },
  { name: "ours, http", description: "http.get with a NodeHappyEyeballs.HttpAgent", beside: "http" },
  { name: "http", description: `http.get of ${node} with an http.Agent` },
  { name: "ours, axios", description: "axios with a NodeHappyEyeballs.HttpAgent", beside: "axios" },
  { name: "axios", description: `axios ${versionOf("axios")}` }
]
