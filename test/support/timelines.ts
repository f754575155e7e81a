import { readFileSync } from "node:fs"
import type { Row } from "./scenario.js"

/** A race recorded from CPython's `asyncio.staggered` on a virtual clock. Times are milliseconds. */
export interface Timeline {
  readonly delay: number | null
  readonly candidates: ReadonlyArray<Row>
  readonly interruptAt: number | null
  readonly expect: {
    readonly winner: number | null
    readonly failures: ReadonlyArray<"failed" | "interrupted" | null> | null
    readonly interrupted: boolean
    readonly endedAt: number
    readonly started: ReadonlyArray<readonly [number, number]>
    readonly ended: ReadonlyArray<readonly [number, string, number]>
  }
}

export const timelines: ReadonlyArray<Timeline> = JSON.parse(
  readFileSync(new URL("../fixtures/asyncio-staggered.json", import.meta.url), "utf8")
)
