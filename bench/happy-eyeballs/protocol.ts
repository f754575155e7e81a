/** The ways to connect of `client.ts`. */
export type Way = "connectPromise" | "connector" | "net.connect" | "fetch"

/** What came of it, in a contender's own words; without a code, nothing had when the time was up. */
export type Reply = { readonly connected: true } | { readonly connected: false; readonly code?: string }

/** How long each contender is given: milliseconds. */
export const limit = 5_000
