import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { createInterface } from "node:readline"
import { fileURLToPath } from "node:url"
import type { Subject } from "../support/measure.js"

const script = fileURLToPath(new URL("../../../bench/rivals/asyncio_race.py", import.meta.url))

export interface Asyncio {
  readonly version: string
  readonly subject: (race: string) => Subject
}

/** CPython's own, in a child that lives as long as the scope; nothing where there is no `python3` that has it. */
export const asyncio = Effect.acquireRelease(
  Effect.sync(() => spawn("python3", [script], { stdio: ["pipe", "pipe", "ignore"] }).on("error", () => {})),
  (child) => Effect.sync(() => child.kill())
).pipe(Effect.flatMap((child) => {
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const line = Effect.promise(async () => {
    const { done, value } = await lines.next()
    return done === true ? undefined : value
  })
  return Effect.map(line, (version): Asyncio | undefined =>
    version === undefined ? undefined : {
      version,
      subject: (race) => (runs) =>
        Effect.sync(() => child.stdin.write(`${race} ${runs}\n`)).pipe(
          Effect.zipRight(line),
          Effect.flatMap((answer) =>
            answer === undefined
              ? Effect.dieMessage(`python3 ended before it had run ${race}`)
              : Effect.succeed(Number(answer))
          )
        )
    })
}))
