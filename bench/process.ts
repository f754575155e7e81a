import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as Scope from "effect/Scope"
import { parseArgs } from "node:util"
import { beside, besideAsyncio, type Case, casesOf } from "./cases.js"
import { asyncio } from "./rivals/asyncio.js"
import { loadLibrary } from "./support/library.js"
import { type Plan, sample, type Subject, warmUp } from "./support/measure.js"
import type { Samples } from "./support/report.js"

// One of the processes of main.ts. It measures all cases in turn and prints the samples as JSON. `--turn` decides which
// case comes first.

const { values: { against, only, quick = false, turn = "0" } } = parseArgs({
  options: {
    against: { type: "string" },
    only: { type: "string" },
    quick: { type: "boolean" },
    turn: { type: "string" }
  }
})

const plan: Plan = quick
  ? { rounds: 5, sampleMicros: 35_000 }
  : { rounds: 8, sampleMicros: against === undefined ? 100_000 : 50_000 }

const subjects = ({ floor, ours, theirs }: Case): ReadonlyArray<Subject> =>
  floor === undefined ? [ours, theirs] : [ours, theirs, floor]

const measure = (self: Case): Effect.Effect<Samples> =>
  Effect.map(
    sample(subjects(self), self.rounds === undefined ? plan : { rounds: self.rounds, sampleMicros: 0 }),
    (samples) => {
      const [ours = [], theirs = [], floor] = samples.map((list, index) =>
        list.map((micros) => micros / (self.parts?.[index] ?? 1))
      )
      return { case: self.name, against: self.against, goal: self.goal, ours, theirs, floor }
    }
  )

/** Whether this process runs a case. Only the first process runs the cases that take seconds. */
const isChosen = ({ long = false, name }: Case) =>
  (!long || !quick && turn === "0") && (only === undefined || name.includes(only))

const scope = Effect.runSync(Scope.make())

const cases = Effect.gen(function*() {
  const library = yield* Effect.promise(() => loadLibrary(new URL("../src/", import.meta.url)))
  if (against !== undefined) {
    const other = yield* Effect.promise(() => loadLibrary(new URL(against)))
    return beside(casesOf(library), casesOf(other))
  }
  // Python's process gets a scope of its own, because the races must run without one.
  const python = yield* Scope.extend(asyncio, scope)
  return [...casesOf(library), ...(python ? besideAsyncio(library, python) : [])]
})

const program = Effect.gen(function*() {
  const chosen = (yield* cases).filter(isChosen)
  const first = Math.floor(Number(turn) * chosen.length / 5)
  const ordered = [...chosen.slice(first), ...chosen.slice(0, first)]
  // All cases run before the first sample. Else V8 would compile the code for one case alone, unlike in a program.
  yield* Effect.forEach(
    ordered.filter(({ long }) => long !== true),
    (self) => Effect.forEach(subjects(self), (subject) => warmUp(subject, 30_000))
  )
  return yield* Effect.forEach(ordered, measure)
})

console.log(JSON.stringify(await Effect.runPromise(program)))
await Effect.runPromise(Scope.close(scope, Exit.void))
