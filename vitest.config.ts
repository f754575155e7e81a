import { defineConfig } from "vitest/config"

// These tests send packets by the clock, so they run after the others, when nothing else uses the processors.
const wire = "test/**/*.wire.test.ts"

// These tests open the page in a browser, and run last.
const site = "site/test/**/*.test.ts"

// These tests run clients of other authors, and have time limits, so they run after the others.
const clients = "test/clients/**/*.test.ts"

export default defineConfig({
  test: {
    testTimeout: 60_000,
    // Tests that measure the heap need a process of their own, and `gc()`.
    pool: "forks",
    poolOptions: { forks: { execArgv: ["--expose-gc"] } },
    projects: [
      { extends: true, test: { name: "main", include: ["test/**/*.test.ts"], exclude: [wire, site, clients] } },
      { extends: true, test: { name: "clients", include: [clients], sequence: { groupOrder: 1 } } },
      {
        extends: true,
        test: {
          name: "wire",
          include: [wire],
          poolOptions: { forks: { singleFork: true } },
          sequence: { groupOrder: 2 }
        }
      },
      {
        extends: true,
        test: {
          name: "site",
          include: [site],
          globalSetup: "site/test/build.ts",
          poolOptions: { forks: { singleFork: true } },
          sequence: { groupOrder: 3 }
        }
      }
    ]
  }
})
