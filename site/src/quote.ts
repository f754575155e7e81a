/** What nobody sees, and what turns the direction of the text around it. */
export const hidden = /[\p{Cc}\p{Cf}\p{Cs}\p{Zl}\p{Zp}\p{Default_Ignorable_Code_Point}]/u

const hiddenEach = new RegExp(hidden, "gu")

const most = 60

/** A value as a message shows it: not endless, and with its hidden characters written out. */
export const quote = (value: string): string => {
  const chars = Array.from(value)
  const text = chars.length > most ? `${chars.slice(0, most).join("")}…` : value
  return `“${text.replace(hiddenEach, (char) => `\\u{${char.codePointAt(0)?.toString(16)}}`)}”`
}
