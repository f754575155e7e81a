import { assertTrue } from "@effect/vitest/utils"
import * as Cause from "effect/Cause"
import type * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import * as FiberId from "effect/FiberId"
import * as Option from "effect/Option"
import * as Stream from "effect/Stream"
import * as StaggeredRace from "../../src/StaggeredRace.js"
import * as Timeline from "../../src/Timeline.js"
import { runEvents, Simulation } from "./eventClock.js"

type Drawable = StaggeredRace.Outcome<unknown, unknown, unknown> | Timeline.Running

export const succeed = (latency: Duration.DurationInput) => Effect.delay(Effect.succeed("ok"), latency)

export const fail = (error: unknown, latency: Duration.DurationInput) => Effect.delay(Effect.fail(error), latency)

export const hang = (cleanUp: Duration.DurationInput) => Effect.onInterrupt(Effect.never, () => Effect.sleep(cleanUp))

/** Runs a real race on a discrete-event clock. */
export const run = <A, E>(race: Effect.Effect<A, E>): Effect.Effect<A, E> => Effect.suspend(() => runEvents(race).exit)

/**
 * Runs a real race on a discrete-event clock and draws its events up to `at`, or interrupts it at `interruptAt` if that
 * is earlier.
 */
const watch = <A, E>(
  candidates: Iterable<Effect.Effect<A, E>>,
  options: StaggeredRace.Options<A, E>,
  { at, interruptAt = Infinity }: { readonly at: number; readonly interruptAt?: number }
) =>
  Effect.sync(() => {
    const simulation = new Simulation()
    const events: Array<StaggeredRace.RaceEvent<A, E>> = []
    const onEvent = (event: StaggeredRace.RaceEvent<A, E>) => Effect.sync(() => events.push(event))
    const fiber = simulation.fork(StaggeredRace.race(candidates, { ...options, onEvent }))
    simulation.advanceTo(Math.min(at, interruptAt))
    if (interruptAt < at) {
      simulation.interrupt(fiber)
      simulation.advanceTo(at)
    }
    const seen = Timeline.soFar([...events], at)
    simulation.interrupt(fiber)
    simulation.advanceTo(Infinity)
    assertTrue(fiber.unsafePoll() !== null)
    return seen
  })

export interface Scene {
  readonly name: string
  readonly race: Effect.Effect<Drawable>
  readonly labels?: ReadonlyArray<string>
  readonly maxRows?: number
  readonly unit?: Timeline.Unit
}

const outcome = StaggeredRace.outcome

const late: Drawable = {
  winner: Option.some({ index: 1, value: "ok" }),
  exit: Exit.succeed("ok"),
  attempts: [
    {
      index: 0,
      dueAt: 0,
      heldBackBy: Option.none(),
      startedAt: 0,
      endedAt: 160,
      progressedAt: Option.none(),
      startedBy: "first",
      result: "late",
      exit: Exit.succeed("late")
    },
    {
      index: 1,
      dueAt: 20,
      heldBackBy: Option.none(),
      startedAt: 20,
      endedAt: 100,
      progressedAt: Option.none(),
      startedBy: "delay",
      result: "won",
      exit: Exit.succeed("ok")
    },
    {
      index: 2,
      dueAt: 40,
      heldBackBy: Option.none(),
      startedAt: 40,
      endedAt: 100,
      progressedAt: Option.none(),
      startedBy: "delay",
      result: "late",
      exit: Exit.succeed("late")
    },
    {
      index: 3,
      dueAt: 60,
      heldBackBy: Option.none(),
      startedAt: 60,
      endedAt: 130,
      progressedAt: Option.none(),
      startedBy: "delay",
      result: "lost",
      exit: Exit.failCause(Cause.sequential(Cause.interrupt(FiberId.none), Cause.die(new Error("could not close"))))
    }
  ],
  sourceFailure: Option.none(),
  startedAt: 0,
  decidedAt: 100,
  endedAt: 160,
  decidedBy: "success",
  pending: Option.none()
}

const addresses = ["2001:db8::1:443", "192.0.2.1:443", "2001:db8::2:443", "192.0.2.2:443"]

/** Races that together show everything a picture can show. */
export const scenes: ReadonlyArray<Scene> = [
  {
    name: "winner",
    race: run(outcome([fail("connection refused", 150), hang(100), succeed(300)], { delay: "250 millis" })),
    labels: ["ams", "fra", "lon"]
  },
  {
    name: "happy-eyeballs",
    race: run(outcome([hang(0), fail(new Error("connect ECONNREFUSED"), 31), hang(0), succeed(42)], { delay: 250 })),
    labels: addresses
  },
  {
    name: "held-back",
    race: run(outcome([fail("timed out", 300), hang(0), succeed(100)], { delay: 100, concurrency: 2 }))
  },
  {
    name: "min-delay",
    race: run(outcome(
      [fail("refused", 1), fail("refused", 1), fail("refused", 1), succeed(20)],
      { delay: 250, minDelay: 10 }
    ))
  },
  { name: "pending", race: run(outcome([hang(20), succeed(250), succeed(1)], { delay: 100, concurrency: 2 })) },
  { name: "late", race: Effect.succeed(late) },
  {
    name: "background",
    race: run(outcome([hang(200), hang(50), succeed(100)], { delay: 100, losers: "background" }))
  },
  {
    name: "cleaning-up",
    race: watch([hang(200), hang(50), succeed(100)], { delay: 100, losers: "background" }, { at: 400 })
  },
  {
    name: "all-failed",
    race: run(outcome(
      [fail({ _tag: "Refused" }, 120), fail("timed out", 90), Effect.delay(Effect.die(new Error("boom")), 40)],
      { delay: "1 second" }
    ))
  },
  {
    name: "fatal",
    race: run(outcome(
      [hang(50), fail("401 unauthorized", 90), succeed(100)],
      { delay: 60, fatal: (cause) => Cause.isFailure(cause) }
    ))
  },
  {
    name: "running",
    race: watch([hang(50), fail("refused", 90), hang(0), hang(0)], { delay: 250, concurrency: 3 }, { at: 700 }),
    labels: ["ams", "fra", "lon", "nyc"]
  },
  {
    name: "interrupted",
    race: watch([hang(300), fail("refused", 90), hang(100)], { delay: 200 }, { at: 650, interruptAt: 500 })
  },
  { name: "one", race: run(outcome([succeed("12 seconds")], { delay: 1 })), labels: ["only"] },
  {
    name: "thousand",
    race: run(outcome(
      Array.from({ length: 1000 }, (_, i) => i === 990 ? succeed(90) : i % 3 ? fail(`refused ${i}`, 7) : hang(200)),
      { delay: 10 }
    )),
    maxRows: 9
  },
  { name: "none", race: run(outcome<Effect.Effect<string>>([], { delay: 10 })) },
  {
    name: "source-failure",
    race: run(StaggeredRace.outcomeStream(
      Stream.concat(Stream.make(fail("unreachable", 30), hang(0), succeed(90)), Stream.fail("the list broke off")),
      { delay: 10 }
    )),
    unit: "seconds"
  },
  {
    name: "hostile",
    race: run(outcome(
      [
        fail("<script>alert(1)</script> & \x1b[2J\u202e\u0000 日本語のとても長いメッセージ 👍👍👍 ]]>", 40),
        hang(30),
        succeed(9)
      ],
      { delay: 30 }
    )),
    labels: [
      "an.example.with.a.long.name.example.org:443 WWWWWWWWWW",
      "a<b>&\"c\" url(#x)",
      "\u0645\u0631\u062d\u0628\u0627"
    ]
  }
]
