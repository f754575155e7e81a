/** Milliseconds that a connection or a request has, where its case gives it no fewer. */
export const limit = 10_000

/** The ways of `client.ts`. */
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

/** What a client is told on its command line. It writes an `Outcome` as a line of JSON for each of the hosts. */
export interface Job {
  readonly way: Way
  /** To be connected to first, in turn. What a process compiles as it connects first is not of interest. */
  readonly warmUps: ReadonlyArray<string>
  readonly hosts: ReadonlyArray<string>
  /** All hosts at once, rather than in turn. */
  readonly atOnce: boolean
  readonly port: number
  readonly resultOrder: "ipv4first" | "verbatim"
  /** Milliseconds, by the means of the way itself. */
  readonly timeout: number
}

export interface Outcome {
  /** Milliseconds until connected, answered or failed. */
  readonly took: number
  /** Why it failed. */
  readonly failed?: string
}
