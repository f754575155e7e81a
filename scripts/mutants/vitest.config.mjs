import { defineConfig } from "vitest/config"

export default defineConfig({
  test: {
    include: ["test/race/*.test.ts"],
    exclude: [
      // These measure, and need a process of their own.
      "test/race/{bytes,leaks,quiet,scale}.test.ts",
      // These take longest. What the others do not notice can be tried on them by hand.
      "test/race/{asyncio,interleavings,interruption,model,processClock,telemetry,values}.test.ts"
    ],
    env: { RUNS: "400", SEED: "1" },
    testTimeout: 20_000
  }
})
