import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as FiberRef from "effect/FiberRef"
import * as HashSet from "effect/HashSet"
import * as Logger from "effect/Logger"
import * as LogLevel from "effect/LogLevel"
import * as Option from "effect/Option"
import * as Runtime from "effect/Runtime"
import * as Supervisor from "effect/Supervisor"
import { inspect } from "node:util"
import { EventClock } from "../eventClock.js"
import { seeded } from "../random.js"
import { makeProgram, mayWait, pick, type Program, type Race, type Random, simpler } from "./races.js"
import { Run } from "./run.js"
import { RandomScheduler } from "./scheduler.js"
import type { Seen } from "./seen.js"

const mostSteps = 20_000

export interface Explored {
  readonly faults: ReadonlyArray<string>
  readonly races: ReadonlyArray<Seen>
  readonly interrupted: boolean
}

/**
 * Runs a program by a random schedule until nothing can happen any more: which fiber goes on, where it yields, when time
 * passes and when the caller is interrupted is up to chance.
 */
const runProgram = (program: Program, random: Random): Explored => {
  const run = new Run(program)
  const clock = new EventClock({ order: pick(random, "fifo", "lifo"), wakes: pick(random, "one", "instant") })
  const scheduler = new RandomScheduler(random)
  const supervisor = Supervisor.unsafeTrack()
  const interruptAfter = random() < 0.5 ? Math.floor(2 ** (random() * 8)) : Infinity
  const interruptAt = random() < 0.2 ? Math.floor(random() * 20) : Infinity
  /** How often time passes while there is something to do. */
  const haste = pick(random, 0, 0, 0.02)
  const unhandled = Logger.make(({ message }) => run.faults.push(`it logs ${message}`))
  let interrupted = false
  try {
    const fiber = Runtime.runFork(
      Runtime.defaultRuntime,
      Effect.exit(run.effect).pipe(
        Effect.supervised(supervisor),
        Effect.withClock(clock),
        Effect.locally(FiberRef.currentLoggers, HashSet.make(unhandled)),
        Effect.withUnhandledErrorLogLevel(Option.some(LogLevel.Error))
      ),
      { scheduler }
    )
    const hasEnded = () => fiber.unsafePoll() !== null
    const interrupt = () => {
      interrupted = true
      run.onInterrupt()
      fiber.unsafeInterruptAsFork(FiberId.none)
    }
    for (let steps = 0;; steps++) {
      if (steps > mostSteps) {
        throw new Error("it goes on for ever")
      }
      if (!interrupted && !hasEnded() && (steps >= interruptAfter || clock.now >= interruptAt)) {
        interrupt()
      }
      const timeMayPass = clock.next() < Infinity
      if (!scheduler.isIdle && !(timeMayPass && random() < haste)) {
        scheduler.step()
      } else if (timeMayPass) {
        clock.advance()
      } else if (!hasEnded() && !interrupted) {
        run.check(mayWait(program.race), "it hangs")
        interrupt()
      } else {
        break
      }
    }
    const exit = fiber.unsafePoll()
    run.check(exit !== null, "it hangs when it is interrupted")
    if (exit !== null) {
      run.check(!run.mustEndInterrupted || Exit.isInterrupted(Exit.flatten(exit)), "the interruption is swallowed")
      run.checkAtEnd()
    }
    const alive = Effect.runSync(supervisor.value).filter((fiber) => fiber.unsafePoll() === null).length
    run.check(alive === 0, `${alive} fibers are alive`)
    run.check(clock.sleepers.length === 0, `${clock.sleepers.length} sleeps are pending`)
  } catch (thrown) {
    run.faults.push(thrown instanceof Error ? `${thrown.stack}` : String(thrown))
  }
  return { faults: run.faults, races: run.races, interrupted }
}

const programOf = (seed: number, losers: Race["losers"]) => makeProgram(seeded(seed), losers)

const scheduleOf = (seed: number) => seed ^ 0x5bd1e995

/** Runs the program of a seed by the schedule of that seed. */
export const explore = (seed: number, losers: Race["losers"]): Explored =>
  runProgram(programOf(seed, losers), seeded(scheduleOf(seed)))

/** A fault without the names and numbers of the race in which it was found. */
const kindOf = (fault: string): string => fault.replace(/: [A-Z].*/s, "").replace(/[\d/:,]+/g, "#")

/** The simplest program with the same fault that can be found from that of a seed, to read and to debug. */
export const simplify = (seed: number, losers: Race["losers"], fault: string): string => {
  const kind = kindOf(fault)
  const schedules = [scheduleOf(seed), ...Array.from({ length: 200 }, (_, index) => index)]
  let found = { program: programOf(seed, losers), schedule: scheduleOf(seed), faults: [fault] as ReadonlyArray<string> }
  const fails = (program: Program): boolean => {
    for (const schedule of [found.schedule, ...schedules]) {
      const { faults } = runProgram(program, seeded(schedule))
      if (faults.some((fault) => kindOf(fault) === kind)) {
        found = { program, schedule, faults }
        return true
      }
    }
    return false
  }
  const deadline = Date.now() + 10_000
  let isSimpler = true
  while (isSimpler) {
    isSimpler = false
    for (const program of simpler(found.program) as Iterable<Program>) {
      if (Date.now() > deadline) {
        break
      }
      if (fails(program)) {
        isSimpler = true
        break
      }
    }
  }
  return inspect(found, { depth: null, breakLength: 120, compact: 10 })
}
