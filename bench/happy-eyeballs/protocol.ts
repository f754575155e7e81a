/** The ways in which `client.ts` can connect. */
export type Way = "connectPromise" | "connector" | "net.connect" | "fetch"

/** What a contender reports. `code` is its own word for the error, and absent if the time was up. */
export type Reply = { readonly connected: true } | { readonly connected: false; readonly code?: string }

/** The time that each contender has to connect, in milliseconds. */
export const limit = 5_000
