import type { Candidate, Delay, Scenario } from "./scenario.js"

/** The text of a program that runs the same race and draws it. */
export const programOf = ({ candidates, concurrency, delay, losers, minDelay }: Scenario): string => {
  const options = [
    `delay: ${delayOf(delay)}`,
    ...(minDelay === 0 ? [] : [`minDelay: ${millis(minDelay)}`]),
    ...(concurrency === "unbounded" ? [] : [`concurrency: ${concurrency}`]),
    ...(losers === "await" ? [] : [`losers: "${losers}"`])
  ]
  const pace = delay.pace === "infinite" ? ["Duration"] : delay.pace === "fixed" ? [] : ["Schedule"]
  return `import { ${["Console", "Effect", ...pace].sort().join(", ")} } from "effect"
import { StaggeredRace, Timeline } from "effect-staggered-race"

const candidates = [
${list(candidates.map(candidateOf), 2)}
]

const labels = [
${list(candidates.map(({ name }) => JSON.stringify(name)), 2)}
]

const program = Effect.gen(function*() {
  const outcome = yield* StaggeredRace.outcome(candidates, {
${list(options, 4)}
  })
  yield* Console.log(Timeline.render(outcome, { labels }))
})

await Effect.runPromise(program)
`
}

const list = (items: ReadonlyArray<string>, indent: number): string =>
  items.map((item) => " ".repeat(indent) + item).join(",\n")

const millis = (time: number): string => `"${time} millis"`

const delayOf = ({ millis: time, pace }: Delay): string =>
  time === null ? "Duration.infinity" : pace === "fixed" ? millis(time) : `Schedule.${pace}(${millis(time)})`

const candidateOf = ({ cleanUp, latency, name, result }: Candidate): string => {
  const work = result === "hangs"
    ? "Effect.never"
    : result === "succeeds"
    ? `Effect.succeed(${JSON.stringify(`answer of ${name}`)})`
    : `Effect.fail("unavailable")`
  const steps = [
    ...(latency === null || latency === 0 ? [] : [`Effect.delay(${millis(latency)})`]),
    ...(cleanUp === 0 ? [] : [`Effect.onInterrupt(() => Effect.sleep(${millis(cleanUp)}))`])
  ]
  return steps.length === 0 ? work : `${work}.pipe(\n${list(steps, 4)}\n  )`
}
