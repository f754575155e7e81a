import { build } from "vite"

/** Builds the page once, for all tests of it. */
export const setup = async (): Promise<void> => {
  await build({ configFile: "site/vite.config.ts", logLevel: "warn" })
}
