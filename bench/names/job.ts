/** The timeout of a connection or a request, in milliseconds, unless its case sets a shorter one. */
export const limit = 10_000

/** The ways in which `client.ts` can connect. */
export type Way =
  | "ours"
  | "ours, DNS"
  | "ours, history"
  | "net.connect"
  | "ours, fetch"
  | "fetch"
  | "ours, http"
  | "http"
  | "ours, axios"
  | "axios"

/** What a client gets on its command line. For each host, it writes an `Outcome` as a line of JSON. */
export interface Job {
  readonly way: Way
  /** The hosts to connect to first, in turn. They do not count: they give V8 time to compile. */
  readonly warmUps: ReadonlyArray<string>
  readonly hosts: ReadonlyArray<string>
  /** Whether to connect to all hosts at once, instead of in turn. */
  readonly atOnce: boolean
  readonly port: number
  readonly resultOrder: "ipv4first" | "verbatim"
  /** In milliseconds. Each way applies it with its own option. */
  readonly timeout: number
}

export interface Outcome {
  /** The milliseconds until it connected, was answered, or failed. */
  readonly took: number
  /** Why it failed, if it did. */
  readonly failed?: string
}
