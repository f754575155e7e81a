import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/race/*.test.ts"],
    exclude: [
      // These measure, so each needs a process of its own.
      "test/race/{bytes,leaks,quiet,scale}.test.ts",
      // These take longest. If the others miss a mutant, run these on it by hand.
      "test/race/{asyncio,interleavings,interruption,model,processClock,telemetry,values}.test.ts"
    ],
    env: { RUNS: "400", SEED: "1" },
    testTimeout: 20_000
  }
})
