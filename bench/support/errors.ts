/** The code of an error, or else of its cause, or else the name of the innermost cause. */
export const codeOf = (error: unknown): string => {
  const { cause, code, name } = error as { readonly cause?: unknown; readonly code?: unknown; readonly name?: string }
  return typeof code === "string" ? code : cause === undefined ? name ?? "unknown" : codeOf(cause)
}
