/**
 * Replicas that you make slow, stop and kill while calls go on, with `Replicas.hedge` and without it.
 *
 *     npm run demo:replicas
 *     npm run demo:replicas -- --help
 *
 * Three servers run in processes of their own on this machine (replicas/serverProcess.ts). Every call is made twice at
 * the same time: to the servers in turn, and hedged. In a terminal, keys decide what happens to the servers. Elsewhere, a
 * script does. In the end, no process runs, and no socket is open.
 */
import * as Arr from "effect/Array"
import * as Console from "effect/Console"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as FiberSet from "effect/FiberSet"
import * as Queue from "effect/Queue"
import * as Schedule from "effect/Schedule"
import { readCommand } from "../scripts/command.js"
import { Hedge, Replicas } from "../src/index.js"
import { client } from "./replicas/client.js"
import { type Reading, readKeys } from "./replicas/keys.js"
import { type Gets, interval, load, type Phase, results, timeout, turn } from "./replicas/load.js"
import { hedges, picture, ratio, table } from "./replicas/picture.js"
import { faults, Recent, tooBusy } from "./replicas/report.js"
import { conditions, type Server, server, type Treatment, treatments } from "./replicas/server.js"
import { DemoError, leavingNothingOpen, runDemo } from "./support/demo.js"
import { keyboard } from "./support/keyboard.js"
import { hedging } from "./support/measured.js"
import { wholeScreen } from "./support/screen.js"
import type { ServerError } from "./support/serverProcess.js"
import { describeWhole, parseWhole } from "./support/wholes.js"

interface Options {
  readonly seconds: number
  readonly seed: number
}

// The servers are slow for 5 % of calls. With this quantile, those exceed the delay, and most others do not.
const quantile = 0.9

/** What the script does to the servers, by place. The first phase has no step, and the last one does nothing. */
const script: ReadonlyArray<readonly [name: string, does?: readonly [place: number, treatment: Treatment]]> = [
  ["1 slow", [0, "slow"]],
  ["1 well", [0, "well"]],
  ["2 stopped", [1, "stopped"]],
  ["2 goes on", [1, "well"]],
  ["3 killed", [2, "killed"]],
  ["3 started again", [2, "well"]],
  ["all well"]
]

const demo = ({ seconds, seed }: Options) =>
  Effect.gen(function*() {
    yield* Console.log("starting three servers ...")
    const servers = yield* Effect.all(Arr.makeBy(3, () => server(seed)), { concurrency: "unbounded" })
    const clients = yield* Effect.forEach(servers, ({ port }) => client(port))
    const makeGets = Effect.fnUntraced(function*(name: string) {
      const policy = yield* Hedge.make({
        name,
        delay: Hedge.percentile(quantile, { max: "100 millis" }),
        budget: { ratio }
      })
      const replicas = yield* Replicas.make(
        clients.map((target, index) => ({ id: `${index + 1}`, target })),
        // Here, a minute is a second. Elsewhere, leave it at 10 seconds.
        { halfLife: "1 second" }
      )
      const gets: Gets = {
        "in turn": (id) => clients[turn(id, clients.length)]!.Get({ id, attempt: 0 }),
        "hedged": (id) => Replicas.hedge(replicas, (client, attempt) => client.Get({ id, attempt }), policy)
      }
      return { gets, replicas }
    })
    // The first calls of a process are slow, and none of a replica. What they teach is forgotten.
    const { gets: unused } = yield* makeGets("warm-up")
    yield* Effect.forEach(Arr.range(1, 200), (id) => Effect.zip(unused["in turn"](id), unused.hedged(id)), {
      concurrency: 3
    })

    const { gets, replicas } = yield* makeGets("demo")
    const calls = yield* load(servers, gets)
    const treat = (place: number, treatment: Treatment) => servers[place]?.treat(treatment) ?? Effect.void
    const resultsOf = (phase: Phase) => Effect.map(results(phase), (results) => ({ name: phase.name, results }))

    const recent = new Recent()
    const draw = Effect.gen(function*() {
      const states = yield* Replicas.states(replicas)
      const rates = recent.add(performance.now(), states.map(({ picks }) => picks))
      return picture({
        seconds: calls.seconds(),
        rate: 1000 / interval,
        servers: states.map((state, index) => ({
          ...state,
          condition: servers[index]?.condition.name ?? "",
          rate: rates[index] ?? 0
        })),
        now: yield* results(calls.phases.at(-1)!),
        all: yield* results(),
        slowest: calls.slowest,
        hedging: yield* hedging("demo")
      })
    })

    /** Draws, and does what the keys say, until one ends it. */
    const live = Effect.gen(function*() {
      const keys = yield* keyboard
      const show = yield* wholeScreen
      const treating = yield* FiberSet.make<void, ServerError>()
      const pressed = servers.map(() => 0)
      let reading: Reading = "text"
      const press = (place: number) => {
        const times = (pressed[place] ?? 0) + 1
        pressed[place] = times
        return Effect.zipRight(
          treat(place, treatments[times % treatments.length]!),
          Effect.sync(() => calls.begin(describe(servers)))
        )
      }
      const obey: Effect.Effect<void> = Effect.gen(function*() {
        while (true) {
          const read = readKeys(servers.length, reading, yield* Queue.take(keys))
          reading = read.reading
          for (const command of read.commands) {
            if (command === "end") {
              return
            }
            // A server that starts takes a while, and other keys do not wait for it.
            yield* FiberSet.run(treating, press(command))
          }
        }
      })
      const redraw = Effect.repeat(Effect.flatMap(draw, show), Schedule.spaced("200 millis"))
      yield* Effect.raceFirst(obey, Effect.raceFirst(redraw, FiberSet.join(treating)))
    }).pipe(Effect.scoped)

    const play = Effect.gen(function*() {
      yield* Console.log(intro(seed))
      let before: ReadonlyArray<number> = servers.map(() => 0)
      const wait = Effect.gen(function*() {
        yield* Effect.sleep(Duration.seconds(seconds))
        const picks = (yield* Replicas.states(replicas)).map(({ picks }) => picks)
        const sent = picks.map((total, index) => `${total - (before[index] ?? 0)}`.padStart(5)).join("")
        before = picks
        yield* Console.log(`${`${calls.seconds()} s`.padStart(5)}  ${calls.phases.at(-1)!.name.padEnd(16)}${sent}`)
      })
      yield* wait
      for (const [name, does] of script) {
        if (does !== undefined) {
          yield* treat(...does)
        }
        calls.begin(name)
        yield* wait
      }
    })

    yield* process.stdin.isTTY && process.stdout.isTTY ? live : play
    yield* calls.end
    const left = (yield* Effect.forEach(servers, ({ settle }) => settle)).reduce((sum, left) => sum + left, 0)

    const all = yield* results()
    const phases = yield* Effect.forEach(calls.phases, resultsOf)
    yield* Console.log(`\n${table(phases.filter(({ results }) => results.hedged.requests > 0), all)}\n`)
    yield* Console.log(hedges(yield* hedging("demo"), all.hedged.requests))
    const machine = yield* calls.machine
    yield* Effect.forEach(tooBusy(machine), (line) => Console.log(line), { discard: true })
    yield* Console.log(`calls left under way in the servers: ${left}`)
    const found = faults(machine, calls.unexpected(), left)
    return found.length === 0 ? undefined : yield* new DemoError({ message: found.join("\n") })
  })

const describe = (servers: ReadonlyArray<Server>) =>
  servers.flatMap(({ condition }, index) => condition === conditions.well ? [] : [`${index + 1} ${condition.name}`])
    .join(", ") || "all well"

const intro = (seed: number) =>
  [
    `${1000 / interval} calls a second go to three servers in two ways at once; seed ${seed}`,
    "in turn: to one server after the other, without hedges",
    `Replicas, hedged: a hedge when a call is slower than ${100 * quantile} %, for ${100 * ratio} % of calls at most`,
    `the servers: 2 to 6 ms, ten times as long for 5 % of calls; a call fails after ${timeout}`,
    "\nwhat happens, and how many calls Replicas sends to servers 1, 2 and 3:"
  ].join("\n")

const wholes = {
  seconds: { least: 1, most: 3600, otherwise: 3 },
  seed: { least: 0, most: 2 ** 31 - 1, otherwise: 2 }
}

const usage = [
  "Replicas that you make slow, stop and kill while calls go on, with hedges and without them.",
  "",
  "npm run demo:replicas -- [options]",
  "",
  "In a terminal, keys decide what happens: 1 to 3 make that server slow, then stopped, killed, and well again, and q",
  "ends. Elsewhere, it plays a script.",
  "",
  `  --seconds N  how long each phase of the script takes: ${describeWhole(wholes.seconds)}`,
  `  --seed N     decides which calls are slow: ${describeWhole(wholes.seed)}`,
  "  --help, -h   this text"
].join("\n")

const { options: given } = readCommand(usage, { seconds: { type: "string" }, seed: { type: "string" } })

runDemo(
  Effect.all({
    seconds: parseWhole("seconds", wholes.seconds, given.seconds),
    seed: parseWhole("seed", wholes.seed, given.seed)
  }).pipe(Effect.flatMap((options) => leavingNothingOpen(demo(options))))
)
