import { describe, it } from "@effect/vitest"
import { assertTrue, deepStrictEqual, strictEqual } from "@effect/vitest/utils"
import * as Effect from "effect/Effect"
import { spawn } from "node:child_process"
import { fileURLToPath } from "node:url"
import { faults, progress, type Report, table, tooBusy } from "../../examples/support/hedgeReport.js"

const example = fileURLToPath(new URL("../../examples/hedge.ts", import.meta.url))

interface Ended {
  readonly status: number | null
  readonly out: string
  readonly err: string
}

/**
 * What `npm run demo:hedge -- ...` prints, and its status, when it has ended and its server, too, which writes to the
 * same pipes. It is interrupted as soon as it has printed `interruptAt`. Node gets `imports` first, and so does the server.
 */
const demo = (args: ReadonlyArray<string>, interruptAt?: string, imports: ReadonlyArray<string> = []) =>
  Effect.async<Ended>((resume) => {
    const nodeOptions = ["tsx", ...imports].flatMap((name) => ["--import", name])
    const child = spawn(process.execPath, [...nodeOptions, example, ...args], { timeout: 50_000 })
    let [out, err] = ["", ""]
    child.stdout.on("data", (data) => {
      const before = out
      out += data
      if (interruptAt !== undefined && out.includes(interruptAt) && !before.includes(interruptAt)) {
        child.kill("SIGINT")
      }
    })
    child.stderr.on("data", (data) => err += data)
    child.on("close", (status) => resume(Effect.succeed({ status, out, err })))
  })

const text = ({ err, out, status }: Ended) => `status ${status}\n${out}\n${err}`

/** Keeps a process busy for 20 milliseconds of 25. */
const busy = "data:text/javascript," + encodeURIComponent(
  "setInterval(() => { const end = performance.now() + 20; while (performance.now() < end) {} }, 25).unref()"
)

/** The rows of the table. */
const rows = (out: string) =>
  out.split("\n").flatMap((line) => {
    const [name = "", mode, ...cells] = line.split(/ {2,}/)
    const [, , , timedOut, , wins, aborted, seen] = cells.map(Number)
    return mode === "plain" || mode === "hedged"
      ? [{ name, mode, cells: cells.length, timedOut, wins, aborted, seen }]
      : []
  })

describe("npm run demo:hedge", () => {
  it.live(
    "three clients, each without hedging and with it: the counts add up, and nothing is left open",
    () =>
      Effect.gen(function*() {
        const ended = yield* demo(["--requests", "300", "--seed", "7"])
        const { err, out, status } = ended
        deepStrictEqual({ status, err }, { status: 0, err: "" }, text(ended))

        const found = rows(out)
        deepStrictEqual(
          found.map(({ cells, mode, name }) => [name, mode, cells]),
          ["fetch", "node:http", "undici"].flatMap((name) => [[name, "plain", 8], [name, "hedged", 8]])
        )
        for (const { aborted = NaN, mode, name, seen = NaN, timedOut = NaN, wins = NaN } of found) {
          const made = Number(new RegExp(`^${name}: (\\d+) hedges`, "m").exec(out)?.[1])
          // One of these requests stalls, so there is a hedge, and the budget is one for ten.
          assertTrue(
            mode === "plain"
              ? seen === 300 && timedOut > 0 && aborted > 0
              : made > 0 && made <= 30 && 300 + wins <= seen && seen <= 300 + made,
            `${name} ${mode} in:\n${out}`
          )
          // Without a terminal there are at most ten lines for each client, and the last of them is at the end.
          const lines = out.split("\n").filter((line) => line.startsWith(name) && /█.* plain p50/.test(line))
          assertTrue(lines.length > 0 && lines.length <= 10 && lines.at(-1)!.includes(" 600  plain"), lines.join("\n"))
        }
        // The policy's delay is 2 ms at least.
        const delays = Array.from(out.matchAll(/the delay was ([\d.]+) ms in the end/g), ([, delay]) => Number(delay))
        assertTrue(delays.length === 3 && delays.every((delay) => delay >= 2), out)
        assertTrue(out.includes("connections left open at the server: 0\n"), out)
        assertTrue(out.endsWith("sockets of this process at the end, of any kind: 0\n"), out)
      }),
    60_000
  )

  it.live.each<readonly [args: ReadonlyArray<string>, error: string]>([
    [["--requests", "many"], "--requests must be a whole number from 1 to 1000000, got \"many\"\n"],
    [["--requests", "0"], "--requests must be a whole number from 1 to 1000000, got \"0\"\n"],
    [["--seed", "1.5"], "--seed must be a whole number from 0 to 2147483647, got \"1.5\"\n"],
    [["--client", "fetch", "--client", "curl"], "--client must be one of fetch, node:http, undici, got \"curl\"\n"]
  ])("what makes no sense is named: %s", ([args, error]) =>
    Effect.gen(function*() {
      deepStrictEqual(yield* demo(args), { status: 1, out: "", err: error })
    }))

  it.live.each<readonly [args: ReadonlyArray<string>, name: string]>([
    [["--clients", "fetch"], "'--clients'"],
    [["--requests"], "'--requests <value>'"],
    [["--seed", "--client", "fetch"], "'--seed'"],
    [["2000"], "'2000'"]
  ])("what is no option, or lacks its value, is named: %s", ([args, name]) =>
    Effect.gen(function*() {
      const ended = yield* demo(args)
      assertTrue(ended.status === 1 && ended.out === "" && ended.err.includes(name), text(ended))
      assertTrue(ended.err.includes("npm run demo:hedge -- [options]\n"), text(ended))
    }))

  it.live.each(["--help", "-h"])("%s tells of each option, and runs nothing", (help) =>
    Effect.gen(function*() {
      const ended = yield* demo(["--requests", "many", help])
      deepStrictEqual({ status: ended.status, err: ended.err }, { status: 0, err: "" }, text(ended))
      deepStrictEqual(Array.from(ended.out.matchAll(/^ +(--[a-z]+)/gm), ([, option]) => option), [
        "--requests",
        "--seed",
        "--client",
        "--help"
      ])
      for (const part of ["from 1 to 1000000", "default 20000", "from 0 to 2147483647", "fetch, node:http, undici"]) {
        assertTrue(ended.out.includes(part), text(ended))
      }
    }))

  it.live(
    "on a machine that is too busy, it says so, and shows no latencies",
    () =>
      Effect.gen(function*() {
        const ended = yield* demo(["--requests", "30", "--client", "undici"], undefined, [busy])
        deepStrictEqual({ status: ended.status, err: ended.err }, { status: 0, err: "" }, text(ended))
        assertTrue(/^undici: too busy to measure: /m.test(ended.out), text(ended))
        assertTrue(/^undici +plain +- +- +- /m.test(ended.out), text(ended))
        assertTrue(/^undici +hedged +- +- +- /m.test(ended.out), text(ended))
      }),
    60_000
  )

  it.live(
    "an interruption in the middle: status 130, no table, and nothing is left open",
    () =>
      Effect.gen(function*() {
        const ended = yield* demo(["--requests", "5000", "--client", "fetch"], "fetch     █░")
        deepStrictEqual({ status: ended.status, err: ended.err }, { status: 130, err: "" }, text(ended))
        assertTrue(ended.out.endsWith("interrupted; sockets of this process at the end, of any kind: 0\n"), text(ended))
        strictEqual(ended.out.includes("p99.9"), false)
      }),
    60_000
  )

  describe("what does not add up, or tells nothing", () => {
    const answered = (times: number) => ({ requests: times, ends: new Map([["answered", times]]), quantile: () => 1 })
    const sound: Report = {
      client: "fetch",
      total: 100,
      lateness: 0.5,
      plain: answered(100),
      hedged: answered(100),
      hedging: { hedges: 10, wins: 5, denied: 0, delay: 1 },
      seen: {
        plain: { first: 100, hedges: 0, answered: 100, aborted: 0 },
        hedged: { first: 100, hedges: 8, answered: 101, aborted: 7 }
      }
    }
    const { hedged, plain } = sound.seen

    it.each<readonly [faults: ReadonlyArray<string>, change: Partial<Report>]>([
      [[], {}],
      [["2 x refused"], { plain: { ...sound.plain, ends: new Map([["answered", 98], ["refused", 2]]) } }],
      [["1 x refused"], { hedged: { ...sound.hedged, ends: new Map([["timed out", 99], ["refused", 1]]) } }],
      [
        ["without hedging, the server did not see each request once"],
        { seen: { hedged, plain: { ...plain, hedges: 1, answered: 101 } } }
      ],
      [
        ["the server saw more than the client sent"],
        { seen: { plain, hedged: { ...hedged, hedges: 11, answered: 104 } } }
      ],
      [
        ["more hedges won than the server saw"],
        { seen: { plain, hedged: { ...hedged, hedges: 4, answered: 100, aborted: 4 } } }
      ],
      [
        ["the client received more answers than the server sent"],
        { seen: { hedged, plain: { ...plain, answered: 99, aborted: 1 } } }
      ],
      [
        ["more hedges than the budget allows: 11 for 100 requests"],
        { hedging: { ...sound.hedging, hedges: 11 } }
      ],
      [
        ["some requests have no end at the server"],
        { seen: { plain, hedged: { ...hedged, aborted: 6 } } }
      ]
    ])("%j", (expected, change) => {
      deepStrictEqual(faults({ ...sound, ...change }, 0.1), expected.map((fault) => `fetch: ${fault}`))
    })

    it.each([
      [NaN, false],
      [4, false],
      [4.1, true]
    ])("where one answer in ten is %d ms late, that the machine is too busy: %s", (lateness, isBusy) => {
      const report = { ...sound, lateness }
      deepStrictEqual(
        tooBusy(report),
        isBusy
          ? [
            "fetch: too busy to measure: without hedging, this machine delayed one answer in ten by more than 4.1 ms " +
            "(the limit is 4 ms), so latencies would be those of the machine, and are not shown"
          ]
          : []
      )
      const latency = isBusy ? "-" : "1.0"
      assertTrue(progress(report).includes(`plain p50 ${latency} p99 ${latency}  hedged p50 ${latency} p99 ${latency}`))
      const cells = table([report]).split("\n").slice(1).map((row) => row.split(/ {2,}/).slice(2, 5))
      deepStrictEqual(cells, [[latency, latency, latency], [latency, latency, latency]])
    })
  })
})
