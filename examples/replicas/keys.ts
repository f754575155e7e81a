/** What a key asks for: something to be done to a replica, by its place, or the end. */
export type Command = number | "end"

/** Where the reader is: in plain text, after an escape character, or in a sequence that one has begun. */
export type Reading = "text" | "escape" | "sequence" | "last"

const endings = new Set(["q", "Q", "\x03"])

/**
 * Reads what a terminal sends. Keys such as Home and F1 send sequences that contain digits and letters, perhaps in two
 * pieces, and they are no commands.
 */
export const readKeys = (
  replicas: number,
  reading: Reading,
  text: string
): { readonly reading: Reading; readonly commands: ReadonlyArray<Command> } => {
  const commands: Array<Command> = []
  for (const key of text) {
    if (reading === "escape" && (key === "[" || key === "O")) {
      // `O` announces one more character, `[` any number of them up to a letter or `~`.
      reading = key === "O" ? "last" : "sequence"
    } else if (key === "\x1b") {
      reading = "escape"
    } else if (reading === "sequence" && key !== "\x03") {
      reading = key >= "@" && key <= "~" ? "text" : "sequence"
    } else if (reading === "last" && key !== "\x03") {
      reading = "text"
    } else {
      reading = "text"
      const place = "123456789".slice(0, replicas).indexOf(key)
      if (endings.has(key)) {
        commands.push("end")
      } else if (place >= 0) {
        commands.push(place)
      }
    }
  }
  return { reading, commands }
}
