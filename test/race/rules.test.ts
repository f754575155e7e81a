import { afterEach, describe, it } from "@effect/vitest"
import { setImmediate } from "node:timers/promises"
import { assert } from "vitest"
import { explore, type Options } from "../support/orders.js"

type Grid = { readonly [Name in keyof Options]: ReadonlyArray<Options[Name]> }

const some: Grid = {
  delay: [2],
  minDelay: [1],
  concurrency: [2],
  size: ["known"],
  asksWhy: [false],
  setsBack: [false],
  holdsBack: [false],
  withholds: [false]
}
const every: Grid = { ...some, minDelay: [0, 1], concurrency: [1, 2, Infinity], size: ["known", "unknown"] }

const grids: Readonly<Record<string, Grid>> = {
  "where only failures start the next": { ...every, delay: [Infinity] },
  "with a delay": { ...every, delay: [2] },
  "all at once": { ...every, delay: [0] },
  "with delays that are told after the start": { ...some, delay: ["told"], minDelay: [0, 1] },
  "of a source that finds more than it said": { ...some, minDelay: [0, 1], size: ["changing"] },
  "of a source that says too much": { ...some, size: ["too high"] },
  "that tell what has held back a start": { ...some, minDelay: [0, 1], concurrency: [1, 2], asksWhy: [true] },
  "where attempts hold back the next start": {
    ...some,
    delay: [0, 2, Infinity],
    minDelay: [0],
    holdsBack: [true]
  },
  "of a source that withholds candidates until the newest attempt fails": {
    ...some,
    withholds: [true]
  },
  "of a source that withholds candidates, where attempts hold back the next start": {
    ...some,
    delay: [0, 2],
    minDelay: [0],
    holdsBack: [true],
    withholds: [true]
  },
  "by a clock that is set back": { ...some, minDelay: [0], setsBack: [true] }
}

const optionsOf = (grid: Grid): ReadonlyArray<Options> =>
  grid.delay.flatMap((delay) =>
    grid.minDelay.flatMap((minDelay) =>
      grid.concurrency.flatMap((concurrency) =>
        grid.size.flatMap((size) =>
          grid.asksWhy.flatMap((asksWhy) =>
            grid.setsBack.flatMap((setsBack) =>
              grid.holdsBack.flatMap((holdsBack) =>
                grid.withholds.map((withholds) => ({
                  delay,
                  minDelay,
                  concurrency,
                  size,
                  asksWhy,
                  setsBack,
                  holdsBack,
                  withholds
                }))
              )
            )
          )
        )
      )
    )
  )

// Every order of events of races of three candidates: starts, failures, successes, fatal failures, progress, starts that
// are held back, timers that fire early or late and are gone at once or later, sources that answer at once or later, end,
// or withhold a candidate, interruption, and time.
describe("the rules hold in every order of events", () => {
  let states = 0

  // Vitest gives up a process that does not answer for a minute.
  afterEach(() => setImmediate())

  for (const [name, grid] of Object.entries(grids)) {
    it(name, () => {
      for (const options of optionsOf(grid)) {
        states += explore(options)
      }
    })
  }

  it("in more than 600,000 states", () => {
    console.log(`the rules hold in ${states.toLocaleString("en")} states`)
    assert.isAbove(states, 600_000)
  })
})
