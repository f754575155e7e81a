/** What a key asks for: something to be done to a server, by its place, or the end. */
export type Command = number | "end"

/** What the next character belongs to. A key such as Home sends a sequence, which may come in pieces. */
export type Reading = "text" | "escape" | "sequence" | "last of a sequence"

const interrupt = "\x03"
const escape = "\x1b"

const after = (reading: Reading, key: string): Reading => {
  if (key === escape) {
    return "escape"
  }
  switch (reading) {
    case "text":
    case "last of a sequence":
      return "text"
    case "escape":
      return key === "[" ? "sequence" : key === "O" ? "last of a sequence" : "text"
    case "sequence":
      return key >= "@" && key <= "~" || key === interrupt ? "text" : "sequence"
  }
}

const commandOf = (key: string, servers: number): ReadonlyArray<Command> => {
  const place = "123456789".slice(0, servers).indexOf(key)
  return key === "q" || key === "Q" || key === interrupt ? ["end"] : place < 0 ? [] : [place]
}

/** Reads what a terminal sends. Digits and letters inside of a sequence are no commands. */
export const readKeys = (
  servers: number,
  reading: Reading,
  text: string
): { readonly reading: Reading; readonly commands: ReadonlyArray<Command> } => {
  const commands: Array<Command> = []
  for (const key of text) {
    const next = after(reading, key)
    const isText = next === "text" && (reading === "text" || reading === "escape")
    if (isText || key === interrupt) {
      commands.push(...commandOf(key, servers))
    }
    reading = next
  }
  return { reading, commands }
}
