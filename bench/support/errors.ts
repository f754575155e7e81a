/** What an error, or the cause it was made of, calls itself: its code, else its name. */
export const codeOf = (error: unknown): string => {
  const { cause, code, name } = error as { readonly cause?: unknown; readonly code?: unknown; readonly name?: string }
  return typeof code === "string" ? code : cause === undefined ? name ?? "unknown" : codeOf(cause)
}
