import * as Context from "effect/Context"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import type * as Fiber from "effect/Fiber"
import { constVoid } from "effect/Function"
import * as Runtime from "effect/Runtime"
import * as Scope from "effect/Scope"
import * as Stream from "effect/Stream"

// Floors: programs that do only what the rules of a race demand of one case. They are not races. They know what will
// happen, start nothing when a timer fires, and release nothing when they are interrupted.

type Candidate = Effect.Effect<string, string>

class Index extends Context.Tag("Index")<Index, number>() {}

const starter = Effect.withFiberRuntime<
  (candidate: Candidate, index: number) => Fiber.RuntimeFiber<Exit.Exit<string, string>>
>(
  (caller, { runtimeFlags }) => {
    const runtime = Runtime.make({ context: caller.currentContext, fiberRefs: caller.getFiberRefs(), runtimeFlags })
    return Effect.succeed((candidate, index) =>
      Runtime.runFork(Runtime.provideService(runtime, Index, index), Effect.exit(Effect.interruptible(candidate)))
    )
  }
)

/** Starts a fiber per candidate, with its index. The first success interrupts the others and waits for them. */
export const atOnce = (candidates: ReadonlyArray<Candidate>): Candidate =>
  Effect.flatMap(starter, (start) =>
    Effect.fiberIdWith((id) =>
      Effect.async<string, string>((resume) => {
        let running = candidates.length
        let winner: Exit.Exit<string, string> | undefined
        const fibers = candidates.map(start)
        for (const fiber of fibers) {
          fiber.addObserver((ended) => {
            const exit = Exit.flatten(ended)
            running--
            if (winner === undefined && Exit.isSuccess(exit)) {
              winner = exit
              for (const other of fibers) {
                other.unsafeInterruptAsFork(id)
              }
            }
            if (running === 0 && winner !== undefined) {
              resume(winner)
            }
          })
        }
      })
    ))

/** Starts one fiber with its index, and a timer beside it. It sets no FiberRef that children would inherit. */
export const first = (candidate: Candidate, millis: number): Candidate =>
  Effect.uninterruptibleMask((restore) =>
    Effect.flatMap(starter, (start) => {
      const fiber = start(candidate, 0)
      const ended = fiber.unsafePoll()
      const waited = ended ?? restore(Effect.async<Exit.Exit<string, string>>((resume) => {
        const timer = setTimeout(constVoid, millis)
        fiber.addObserver((exit) => {
          clearTimeout(timer)
          resume(exit)
        })
      }))
      return Effect.flatten(waited)
    })
  )

/** Starts each candidate when the previous one has failed, and keeps all failures. */
export const inTurn = (candidates: ReadonlyArray<Candidate>): Candidate =>
  Effect.flatMap(starter, (start) => {
    const exits: Array<Exit.Exit<string, string>> = []
    const last = () => exits[exits.length - 1]
    const next = Effect.async<void>((resume) => {
      start(candidates[exits.length] ?? Effect.fail("none"), exits.length).addObserver((exit) => {
        exits.push(Exit.flatten(exit))
        resume(Effect.void)
      })
    })
    const all = Effect.whileLoop({
      while: () => exits.length < candidates.length && last()?._tag !== "Success",
      body: () => next,
      step: constVoid
    })
    return Effect.flatMap(all, () => last() ?? Effect.fail("none"))
  })

/** Opens a stream, pulls once and closes it. A stream costs this before the first candidate starts. */
export const pullOnce = <A>(stream: Stream.Stream<A>): Effect.Effect<unknown, unknown> =>
  Effect.flatMap(Scope.make(), (scope) =>
    Effect.zipRight(
      Effect.flatten(Scope.extend(Stream.toPull(stream), scope)),
      Scope.close(scope, Exit.void)
    ))
