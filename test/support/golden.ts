import { strictEqual } from "@effect/vitest/utils"
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs"

const directory = new URL("../fixtures/timeline/", import.meta.url)

/** Compares the content with a file in test/fixtures/timeline. If UPDATE is set, it writes the file first. */
export const matches = (name: string, content: string): void => {
  const file = new URL(name, directory)
  if (process.env.UPDATE !== undefined) {
    mkdirSync(directory, { recursive: true })
    writeFileSync(file, content)
  }
  strictEqual(content, existsSync(file) ? readFileSync(file, "utf8") : `no file ${name}: run the test with UPDATE=1`)
}
