// `npm run mutants` changes the core in one place at a time, and lists the changes that no test of `test/race` notices.
// For one file: `npm run mutants -- --mutate src/internal/race/rules.ts`. The whole core takes an hour.
export default {
  mutate: ["src/internal/race/*.ts"],
  testRunner: "vitest",
  vitest: { configFile: "scripts/mutants/vitest.config.mjs" },
  plugins: ["@stryker-mutator/vitest-runner"],
  coverageAnalysis: "perTest",
  concurrency: 2,
  timeoutMS: 5_000,
  tempDirName: ".stryker",
  reporters: ["progress", "clear-text"],
  clearTextReporter: { allowColor: false, logTests: false, reportTests: false },
  thresholds: { high: 95, low: 90, break: 90 }
}
