import * as Effect from "effect/Effect"
import * as Scope from "effect/Scope"
import { besideAsyncio, cases } from "./cases.js"
import { asyncio } from "./rivals/asyncio.js"
import { compare } from "./support/measure.js"

const quick = process.argv.includes("--quick")
const only = process.argv.find((arg) => arg.startsWith("--only="))?.slice(7)
const plan = { rounds: 9, sampleMicros: quick ? 25_000 : 100_000 }
const scope = Effect.runSync(Scope.make())
const python = await Effect.runPromise(Scope.extend(asyncio, scope))
await Effect.runPromise(Effect.gen(function*() {
  const all = [...cases, ...(python ? besideAsyncio(python) : [])]
  for (const { against, goal, name, ours, theirs } of all) {
    if (only !== undefined && !new RegExp(only).test(name + " | " + against)) continue
    if (only === undefined && (/00000|5000/.test(name))) continue
    const t = Date.now()
    const m = yield* compare(ours, theirs, plan)
    console.log(
      `${(m.ratio / (goal ?? NaN)).toFixed(2).padStart(5)} ${m.ratio.toFixed(2).padStart(6)} (${
        m.spread.map((x) => x.toFixed(2)).join("-")
      }) goal ${goal} ${m.ours.toFixed(1).padStart(9)} ${m.theirs.toFixed(1).padStart(9)} ${name} | ${against} ${
        ((Date.now() - t) / 1000).toFixed(1)
      } s`
    )
  }
}))
process.exit(0)
