import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { spawn } from "node:child_process"
import { once } from "node:events"
import { text } from "node:stream/consumers"
import { fileURLToPath } from "node:url"
import { type Command, type Reading, readKeys } from "../../examples/replicas/keys.js"
import type { Results } from "../../examples/replicas/load.js"
import { picture, Recent } from "../../examples/replicas/picture.js"
import { table, tooBusy } from "../../examples/replicas/report.js"
import { hasPty, inTerminal } from "../support/pty.js"

const program = ["--import", "tsx", fileURLToPath(new URL("../../examples/replicas.ts", import.meta.url))]

/** What `npm run demo:replicas -- ...` prints without a terminal, and its status, when its servers have ended, too. */
const demo = (...args: ReadonlyArray<string>) =>
  Effect.promise(async () => {
    const child = spawn(process.execPath, [...program, ...args], { timeout: 110_000 })
    const [out, err, [status]] = await Promise.all([text(child.stdout), text(child.stderr), once(child, "close")])
    return { status, out, err }
  })

/** The names of the phases, and how many calls each way has made in them. */
const phases = (out: string) =>
  Array.from(
    out.matchAll(/^(\w.*?) +([\d,]+) +\S+ +\S+ +[\d,]+ +([\d,]+) +\S+ +\S+ +[\d,]+ *$/gm),
    ([, name = "", ...calls]) => ({ name, calls: calls.map((count) => Number(count.replaceAll(",", ""))) })
  )

const isNothingLeft = (out: string) =>
  out.includes("\ncalls left under way in the servers: 0\nprocesses of servers that still run: 0\n") &&
  out.includes("sockets of this process at the end, of any kind: 0\n")

describe("npm run demo:replicas", () => {
  it.live(
    "without a terminal, it plays its script, makes each call in both ways, and leaves nothing",
    () =>
      Effect.gen(function*() {
        const { err, out, status } = yield* demo("--seconds", "1")
        deepStrictEqual({ status, err }, { status: 0, err: "" }, out)
        const found = phases(out)
        deepStrictEqual(
          found.map(({ name }) => name),
          ["all well", "1 slow", "1 well", "2 stopped", "2 goes on", "3 killed", "3 started again", "all well", "all"],
          out
        )
        for (const { calls: [inTurn, hedged], name } of found) {
          assertTrue(inTurn! > 0 && hedged! > 0, `${name} in:\n${out}`)
        }
        const { calls: [inTurn, hedged] } = found.at(-1)!
        strictEqual(inTurn, hedged, out)
        assertTrue(isNothingLeft(out), out)
      }),
    120_000
  )

  // Where `CI` is set, a machine without it fails.
  it.scopedLive.skipIf(!hasPty && !process.env["CI"])(
    "in a terminal, keys make servers ill, it ends with q, and it gives the terminal back",
    () =>
      Effect.gen(function*() {
        const run = yield* inTerminal(program)
        yield* run.shows((lines) => lines.includes("q      ends"))
        for (const condition of ["slow", "stopped", "killed", "well"]) {
          run.press("2")
          const lines = yield* run.shows((lines) => lines.includes(`\n  2       ${condition} `))
          assertTrue(lines.includes(`\n  2       ${condition} `), lines)
        }
        // The key Home, which is no 1, and the end of another one, which is no q.
        run.press("\x1b[1~\x1bOq")
        run.press("3")
        yield* run.shows((lines) => lines.includes("\n  3       slow "))
        run.press("q")
        const status = yield* run.status
        const lines = yield* run.shows(() => true)
        strictEqual(status, 0, run.written())
        deepStrictEqual(
          phases(lines).map(({ name }) => name).filter((name) => name !== "all well"),
          ["2 slow", "2 stopped", "2 killed", "3 slow", "all"],
          lines
        )
        // Lines that are wider than the terminal are broken.
        assertTrue(isNothingLeft(`${lines}\n`), lines)
        assertTrue(/ icanon.* echo /s.test(lines), lines)
        assertTrue(run.written().lastIndexOf("\x1b[?25h") > run.written().lastIndexOf("\x1b[?25l"))
      }),
    120_000
  )

  it.live.each<readonly [args: ReadonlyArray<string>, error: string]>([
    [["--seconds", "0"], "--seconds must be a whole number from 1 to 3600, got \"0\"\n"],
    [["--seed", "many"], "--seed must be a whole number from 0 to 2147483647, got \"many\"\n"]
  ])("what makes no sense is named: %s", ([args, error]) =>
    Effect.gen(function*() {
      deepStrictEqual(yield* demo(...args), { status: 1, out: "", err: error })
    }))
})

describe("keys", () => {
  it.each<readonly [pieces: ReadonlyArray<string>, commands: ReadonlyArray<Command>, reading: Reading]>([
    [["1", "3", "2"], [0, 2, 1], "text"],
    [["12q"], [0, 1, "end"], "text"],
    [["Q"], ["end"], "text"],
    [["\x03"], ["end"], "text"],
    // There is no server of that number, nor a command of that letter.
    [["0459 x\r"], [], "text"],
    // Home, F5, an arrow, F1, and a paste.
    [["\x1b[1~\x1b[15~\x1b[A\x1bOP\x1b[200~2\x1b[201~"], [1], "text"],
    [["\x1b", "[1", "~", "1"], [0], "text"],
    [["\x1bO", "q", "q"], ["end"], "text"],
    // Escape alone, and with another key.
    [["\x1b", "1"], [0], "text"],
    [["\x1b\x1b[1~2"], [1], "text"],
    [["1\x1b"], [0], "escape"],
    [["\x1b[1"], [], "sequence"],
    [["\x1bO"], [], "last of a sequence"],
    [["\x1b[1\x03"], ["end"], "text"],
    [["\x1bO\x03"], ["end"], "text"]
  ])("%j ask for %j", (pieces, commands, reading) => {
    const read = { reading: "text" as Reading, commands: [] as ReadonlyArray<Command> }
    for (const piece of pieces) {
      const next = readKeys(3, read.reading, piece)
      read.reading = next.reading
      read.commands = [...read.commands, ...next.commands]
    }
    deepStrictEqual(read, { reading, commands })
  })
})

/** Calls of one way, of which some have failed. */
const figures = (requests: number, failed: number, p50: number, p99: number) => ({
  requests,
  ends: new Map([["answered", requests - failed], ["timed out", failed]]),
  quantile: (share: number) => share === 0.5 ? p50 : p99
})

const well: Results = { "in turn": figures(300, 0, 5.04, 56.2), "hedged": figures(300, 0, 4.96, 21.9) }
const stopped: Results = { "in turn": figures(1500, 500, 6.2, 1004), "hedged": figures(1499, 0, 5.1, 43) }
const none: Results = { "in turn": figures(0, 0, NaN, NaN), "hedged": figures(0, 0, NaN, NaN) }

describe("the picture", () => {
  const lines = picture({
    seconds: 12,
    servers: [
      {
        id: "1",
        condition: "well",
        picks: 1234,
        recent: 60,
        latency: Option.some(5.25),
        inFlight: 1,
        isOut: false
      },
      { id: "2", condition: "stopped", picks: 80, recent: 2, latency: Option.some(512.3), inFlight: 2, isOut: false },
      { id: "3", condition: "killed", picks: 0, recent: 0, latency: Option.none(), inFlight: 0, isOut: true }
    ],
    now: stopped,
    all: well,
    slowest: {
      "in turn": [...Array.from({ length: 60 }, () => 101), 100, 0, 20, Infinity],
      "hedged": [30, 101, 40, 0, 20, 25]
    },
    hedging: { hedges: 15, wins: 12, denied: 3, delay: 9 }
  })

  it("shows what is done to each server, what Replicas makes of it, and what becomes of the calls", () => {
    deepStrictEqual(lines, [
      "200 calls a second, and each is made in two ways:                          12 s",
      "  in turn           to one server after the other",
      "  Replicas, hedged  to the server that should be quickest; to another if late",
      "",
      "  server  state   hedged calls  in the last second    mean ms  in flight",
      "  1       well           1,234   60 #####...........      5.3          1",
      "  2       stopped           80    2 ................      512          2",
      "  3       killed             0    0 ................        -          0  out",
      "",
      "                    since the last change        since the start",
      "                     calls p50 ms p99 ms failed   calls p50 ms p99 ms failed",
      "  in turn            1,500    6.2  1,004    500     300    5.0   56.2      0",
      "  Replicas, hedged   1,499    5.1   43.0      0     300    5.0   21.9      0",
      "",
      "                    the slowest call of a second: . 100 ms  o more  X failed",
      "  in turn           oooooooooooooooooooooooooooooooooooooooooooooooooooo. .X",
      "  Replicas, hedged  .o. ..",
      "",
      "  hedges: 15, for 5.0 % of calls (the budget pays for 10 %); 12 came first",
      "",
      "  1 2 3  make that server slow, then stopped, then killed, and well again",
      "  q      ends"
    ])
  })

  it("fits a terminal of 80 columns and 24 lines", () => {
    deepStrictEqual(lines.filter((line) => line.length >= 80), [])
    assertTrue(lines.length <= 24)
  })

  it("counts the calls of the last second", () => {
    const recent = new Recent()
    const taken = [[0, 5], [500, 8], [1000, 10], [1200, 11], [1500, 20], [9000, 21]] as const
    deepStrictEqual(taken.map(([at, total]) => recent.add(at, [total, 7])), [
      [0, 0],
      [3, 0],
      [5, 0],
      [6, 0],
      [12, 0],
      [1, 0]
    ])
  })
})

describe("the table", () => {
  it("has a row for each phase that has calls, and one for all", () => {
    deepStrictEqual(
      table(
        [{ name: "all well", results: well }, { name: "nothing", results: none }, {
          name: "2 stopped",
          results: stopped
        }],
        { "in turn": figures(1800, 500, 5.6, 1004), "hedged": figures(1799, 0, 5, 39.4) }
      ).split("\n"),
      [
        "            in turn                       Replicas, hedged",
        "             calls p50 ms p99 ms failed    calls p50 ms p99 ms failed",
        "all well       300    5.0   56.2      0      300    5.0   21.9      0",
        "2 stopped    1,500    6.2  1,004    500    1,499    5.1   43.0      0",
        "all          1,800    5.6  1,004    500    1,799    5.0   39.4      0"
      ]
    )
  })

  it("shows calls that have no latency yet", () => {
    deepStrictEqual(
      table([], none).split("\n").at(-1),
      "all        0      -      -      0        0      -      -      0"
    )
  })
})

describe("a machine that is too busy", () => {
  const quiet = { lateness: 4, stall: 250 }

  it.each([
    [quiet, []],
    [{ lateness: NaN, stall: 0 }, []],
    [{ lateness: 5.25, stall: 99.6 }, [
      "too busy to judge: this machine delayed one answer in ten by 5.3 ms or more\n" +
      "(the limit is 4 ms), and one by 100 ms (the limit is 250 ms)"
    ]],
    [{ lateness: 1, stall: 251 }, [
      "too busy to judge: this machine delayed one answer in ten by 1.0 ms or more\n" +
      "(the limit is 4 ms), and one by 251 ms (the limit is 250 ms)"
    ]]
  ])("a machine of %j", (machine, expected) => {
    deepStrictEqual(tooBusy(machine), expected)
  })
})
