import * as Effect from "effect/Effect"
import type * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import { Simulation, type Variant } from "../../test/support/eventClock.js"
import { effectOf, optionsOf } from "./effects.js"
import type { Scenario } from "./scenario.js"

export type Event = StaggeredRace.RaceEvent<string, string>

export type Outcome = StaggeredRace.Outcome<string, string>

/**
 * - `running`: something will still happen
 * - `hanging`: nothing happens any more unless the race is interrupted
 * - `over`: the race has returned, and its losers have ended
 */
export type State = "running" | "hanging" | "over"

/** One run of the race of a scenario. */
export class Run {
  readonly events: Array<Event> = []
  private readonly simulation: Simulation
  private readonly fiber: Fiber.RuntimeFiber<Outcome>
  private exit: Exit.Exit<Outcome> | undefined

  constructor(readonly scenario: Scenario, clock: Variant = {}) {
    this.simulation = new Simulation(clock)
    this.fiber = this.simulation.fork(StaggeredRace.outcome(scenario.candidates.map(effectOf), {
      ...optionsOf(scenario),
      onEvent: (event) => Effect.sync(() => this.events.push(event))
    }))
    this.fiber.addObserver((exit) => this.exit = exit)
  }

  get now(): number {
    return this.simulation.now
  }

  get state(): State {
    return !this.simulation.isQuiet ? "running" : this.exit === undefined ? "hanging" : "over"
  }

  /** `undefined` while the race runs, and after an interruption. */
  get outcome(): Outcome | undefined {
    return this.exit?._tag === "Success" ? this.exit.value : undefined
  }

  get wasInterrupted(): boolean {
    return this.exit?._tag === "Failure"
  }

  advanceTo(time: number): void {
    this.simulation.advanceTo(time)
  }

  /** Interrupts the race. It ends when its attempts have cleaned up. */
  interrupt(): void {
    if (this.exit === undefined) {
      this.simulation.interrupt(this.fiber)
    }
  }

  /** Ends a run that nobody looks at any more. An attempt that hangs would stay for good. */
  discard(): void {
    this.interrupt()
    this.advanceTo(Infinity)
  }
}

/** Runs a scenario until nothing more happens by itself. If an attempt hangs, the run goes on for a quarter more. */
export const runAtOnce = (scenario: Scenario, clock?: Variant): Run => {
  const run = new Run(scenario, clock)
  run.advanceTo(Infinity)
  if (run.state === "hanging") {
    run.advanceTo(Math.ceil(run.now * 1.25) + 100)
  }
  return run
}
