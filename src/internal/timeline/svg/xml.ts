import { isMark, isWide, type Measure } from "../words.js"

/** @internal */
export type Attributes = Readonly<globalThis.Record<string, string | number>>

const entities: Readonly<globalThis.Record<string, string>> = { "&": "&amp;", "<": "&lt;", ">": "&gt;", "\"": "&quot;" }

const escape = (text: string) => text.replace(/[&<>"]/g, (char) => entities[char] ?? char)

// Nobody sees less than a tenth of a pixel, and short numbers keep the file small.
const write = (value: string | number) =>
  typeof value === "number" ? String(Math.round(value * 10) / 10) : escape(value)

/** @internal */
export const element = (name: string, attributes: Attributes = {}, children: ReadonlyArray<string> = []): string => {
  const head = [name, ...Object.entries(attributes).map(([key, value]) => `${key}="${write(value)}"`)].join(" ")
  return children.length === 0 ? `<${head}/>` : `<${head}>${children.join("")}</${name}>`
}

/** @internal */
export const text = (content: string, attributes: Attributes, name = "text"): string =>
  element(name, attributes, [escape(content)])

// Widths in ems, no less than in the widest font that `system-ui` and similar names stand for.
const advances: ReadonlyArray<readonly [RegExp, number]> = [
  [/[\ufdfa-\ufdfd\p{sc=Cuneiform}]/u, 12],
  [/[ijl'|.,:;! ]/, 0.36],
  [/[IJfrt()[\]{}/\\"`-]/, 0.47],
  [/[mMW@%]/, 1.08],
  [/[#+<=>^~&w]/, 0.86],
  [/[a-z0-9$?_*]/, 0.65],
  [/[A-Z]/, 0.8],
  [/\p{Emoji_Presentation}/u, 1.4],
  [/\p{sc=Latin}/u, 0.9]
]

/**
 * Estimates the width of a character in pixels. The font is unknown, so the estimate is an upper bound.
 *
 * @internal
 */
export const pixels = (fontSize: number): Measure => {
  const known = new Map<string, number>()
  const ems = (char: string) =>
    isMark(char) ? 0 : advances.find(([pattern]) => pattern.test(char))?.[1] ?? (isWide(char) ? 1.05 : 1.2)
  return (char) => {
    const size = known.get(char) ?? ems(char) * fontSize
    known.set(char, size)
    return size
  }
}
