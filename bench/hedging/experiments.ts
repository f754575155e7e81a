import { isMainThread, parentPort, workerData } from "node:worker_threads"
import { brownOut } from "./brownOut.js"
import { calibration } from "./calibration.js"
import { few } from "./few.js"
import { hang } from "./hang.js"
import { oracle } from "./oracle.js"
import { queues } from "./queues.js"
import { replicas } from "./replicas.js"
import type { Section } from "./section.js"
import { shift } from "./shift.js"
import { singleR } from "./singleR.js"

/** In the order of the report. */
export const experiments = { oracle, calibration, shift, brownOut, queues, singleR, hang, few, replicas }

export type Name = keyof typeof experiments

/** What a thread runs. It answers with a `Section`. */
export interface Work {
  readonly name: Name
  readonly scale: number
}

if (!isMainThread) {
  const { name, scale }: Work = workerData
  const section: Section = experiments[name](scale)
  parentPort?.postMessage(section)
}
