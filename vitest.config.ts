import { defineConfig } from "vitest/config"

// Tests on a network of their own send packets by the clock, so they run when no other tests are using the processors.
const wire = "test/**/*.wire.test.ts"

// Tests of the page, in a browser: after the others as well.
const site = "site/test/**/*.test.ts"

export default defineConfig({
  test: {
    testTimeout: 60_000,
    // Tests that measure the heap need a process of their own and `gc()`.
    pool: "forks",
    poolOptions: { forks: { execArgv: ["--expose-gc"] } },
    projects: [
      { extends: true, test: { name: "main", include: ["test/**/*.test.ts"], exclude: [wire, site] } },
      {
        extends: true,
        test: {
          name: "wire",
          include: [wire],
          poolOptions: { forks: { singleFork: true } },
          sequence: { groupOrder: 1 }
        }
      },
      {
        extends: true,
        test: {
          name: "site",
          include: [site],
          poolOptions: { forks: { singleFork: true } },
          sequence: { groupOrder: 2 }
        }
      }
    ]
  }
})
