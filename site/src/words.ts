import * as Cause from "effect/Cause"
import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import { ticks } from "../../src/internal/timeline/layout.js"
import { nature, type Summary } from "./days.js"
import { type Call, type Comparison, inSecond, isInBrownOut, loadOf, service } from "./hedging.js"
import { percentile } from "./percentile.js"
import { decisionOf, endOf, killedEarly, type Report, timeOfAttempts } from "./rivals.js"
import type { Event, Outcome, Run } from "./run.js"
import type { Scenario } from "./scenario.js"

export interface EventLine {
  readonly at: number
  readonly tag: Event["_tag"]
  /** Empty for what concerns no single candidate. */
  readonly who: string
  readonly what: string
}

type Names = (index: number) => string

export const namesOf = ({ candidates }: Scenario): Names => (index) => candidates[index]?.name ?? `#${index}`

const reasons = {
  first: "starts first",
  delay: "starts: the delay has passed",
  failure: "starts: the newest has failed"
}

const decisions = {
  success: "the race starts nothing more, and interrupts its losers",
  failures: "all have failed",
  interruption: "the caller was interrupted: the race interrupts its attempts",
  fatal: "a failure was fatal",
  timeout: "the time is over",
  defect: "the schedule died"
}

export const lineOf = (event: Event, names: Names): EventLine => {
  const line = (what: string) => ({
    at: event.at,
    tag: event._tag,
    who: "index" in event ? names(event.index) : "",
    what
  })
  switch (event._tag) {
    case "Started":
      return line(
        reasons[event.startedBy] + (Option.isSome(event.heldBackBy) ? `; it was due at ${event.dueAt} ms` : "")
      )
    case "Failed":
      return line(`fails: ${Cause.squash(event.cause)}`)
    case "Won":
      return line("succeeds first: it wins")
    case "Decided":
      return line(decisions[event.by])
    case "Lost":
      return line("has ended: lost")
    case "SucceededLate":
      return line("succeeds late: its value is dropped")
    case "SourceFailed":
      return line("there are no more candidates")
  }
}

export const linesOf = ({ events, scenario }: Run): ReadonlyArray<EventLine> =>
  events.map((event) => lineOf(event, namesOf(scenario)))

const many = (count: number, noun: string) => `${count} ${noun}${count === 1 ? "" : "s"}`

/** When the last thing happened. */
const lastOf = ({ events }: Run): number => events.at(-1)?.at ?? 0

const list = new Intl.ListFormat("en", { type: "conjunction" })

/** The names of the attempts that have started and not ended. */
const runningOf = ({ events, scenario }: Run): string => {
  const running = new Set<number>()
  for (const event of events) {
    if (event._tag === "Started") {
      running.add(event.index)
    } else if ("index" in event) {
      running.delete(event.index)
    }
  }
  return list.format(Array.from(running, namesOf(scenario)))
}

/** How a race under way stands. */
export const standOf = (run: Run): string =>
  run.state === "hanging"
    ? `Hangs on ${runningOf(run)}: nothing is left to start or to end. Interrupt it.`
    : run.events.some(({ _tag }) => _tag === "Decided")
    ? `Decided. Still cleaning up: ${runningOf(run) || "nobody"}.`
    : `Racing on ${runningOf(run)}.`

/** How a race has gone, in a sentence or two. */
export const summaryOf = (run: Run): string => {
  const { events, outcome, scenario } = run
  const last = lastOf(run)
  if (run.state === "hanging") {
    return "What runs hangs, and nothing is left to start: this race goes on until it is interrupted."
  }
  if (outcome === undefined) {
    const at = events.find(({ _tag }) => _tag === "Decided")?.at ?? last
    return `Interrupted after ${at} ms. ${
      last > at ? `The last attempt had cleaned up after ${last} ms.` : "Nothing was left to clean up."
    }`
  }
  const started = many(outcome.attempts.length, "attempt")
  if (Option.isNone(outcome.winner)) {
    return `Nobody wins: ${started}, and the last has failed after ${outcome.endedAt} ms.`
  }
  const returns = outcome.endedAt > outcome.decidedAt
    ? ` The race returns after ${outcome.endedAt} ms, when its losers have cleaned up.`
    : last > outcome.endedAt
    ? ` Its losers have cleaned up after ${last} ms, in the background.`
    : ""
  const name = namesOf(scenario)(outcome.winner.value.index)
  return `${name} wins after ${outcome.decidedAt} ms, with ${started} of ${
    many(scenario.candidates.length, "candidate")
  } started.${returns}`
}

/** An outcome as it could be written down. */
export const textOf = ({ attempts, decidedAt, decidedBy, pending, endedAt, startedAt, winner }: Outcome): string => {
  const some = <A>(option: Option.Option<A>, text: (value: A) => string) =>
    Option.match(option, { onNone: () => "none", onSome: (value) => `{ ${text(value)} }` })
  const rows = attempts.map(({ dueAt, endedAt, exit, index, result, startedAt, startedBy }) =>
    `    { index: ${index}, result: "${result}",
      startedBy: "${startedBy}", dueAt: ${dueAt},
      startedAt: ${startedAt}, endedAt: ${endedAt},
      exit: ${exitOf(exit)} }`
  )
  return `{
  winner: ${some(winner, ({ index, value }) => `index: ${index}, value: ${JSON.stringify(value)}`)},
  attempts: [
${rows.join(",\n")}
  ],
  startedAt: ${startedAt},
  decidedAt: ${decidedAt}, endedAt: ${endedAt},
  decidedBy: "${decidedBy}", pending: ${some(pending, ({ dueAt }) => `dueAt: ${dueAt}`)}
}`
}

const exitOf = Exit.match({
  onSuccess: (value) => JSON.stringify(value),
  onFailure: (cause: Cause.Cause<unknown>) =>
    Cause.isInterruptedOnly(cause) ? "interrupted" : `failed: ${JSON.stringify(Cause.squash(cause))}`
})

const time = (millis: number, never: string) => Number.isFinite(millis) ? `${millis} ms` : never

/** When a racer has its answer, and which; and when it returns, where it waits for others to clean up first. */
export const answerOf = (report: Report, names: Names): string => {
  const { answersAt, winner } = report
  if (!Number.isFinite(answersAt)) {
    return "never answers"
  }
  if (winner === undefined) {
    return `fails after ${answersAt} ms`
  }
  const decidedAt = decisionOf(report)
  const returns = decidedAt < answersAt ? `, returns after ${answersAt} ms` : ""
  return `${names(winner)} after ${decidedAt} ms${returns}`
}

/** What an answer costs: a row of the table below the picture. */
export const costOf = (report: Report, scenario: Scenario): ReadonlyArray<string> => {
  const killed = killedEarly(report, scenario).map(({ at, candidate, missing }) =>
    `${candidate.name} at ${at} ms${missing === undefined ? "" : `, ${missing} ms before its answer`}`
  )
  return [
    answerOf(report, namesOf(scenario)),
    `${report.spans.length} of ${scenario.candidates.length}`,
    killed.length === 0 ? "none" : killed.join("; "),
    time(timeOfAttempts(report), "no end to it")
  ]
}

/** What an answer costs, beside its picture. */
export const loadLineOf = ({ spans, ...report }: Report, { candidates }: Scenario): string =>
  `${spans.length} of ${candidates.length} started, ${time(timeOfAttempts({ spans, ...report }), "endless")} of work`

/** The time that pictures of all of them share, with some room for the marks at the ends of bars. */
export const axisOf = (reports: ReadonlyArray<Report>): number => Math.max(1, endOf(reports)) * 1.08

/** The milliseconds to mark on an axis, five of them at most after zero, as in the library's own pictures. */
export const ticksOf = (span: number): ReadonlyArray<number> => ticks(span, 5).filter(Number.isInteger)

const wait = (millis: number) => time(Math.round(millis), "no answer")

const perDay = (sum: number, digits: number) => (sum / nature.days).toFixed(digits)

/** How a rule did in a hundred days: a row of the table. */
export const daysRowOf = ({ answers, attempts, work }: Summary): ReadonlyArray<string> => [
  `${answers.filter(Number.isFinite).length} of ${nature.days} days`,
  perDay(attempts, 2),
  `${perDay(work, 0)} ms`,
  wait(percentile(answers, 0.5)),
  wait(percentile(answers, 0.99))
]

/** How a hundred days are drawn. */
export const drawnHow = `On each of ${nature.days} days, each candidate is ill with the chance that you set here. ` +
  "Half of those that are ill hang, half fail. A healthy one answers after " +
  `${nature.latency} ms and a random rest, which is ${nature.latency} ms on average (exponential). On ` +
  `${nature.slowDays * 100} % of the days the network is slow, and everything takes ${nature.slowness} ms longer. ` +
  `Whoever is interrupted cleans up for ${nature.cleanUp} ms. The caller gives up after ${nature.patience / 1000} s.`

const share = (percent: number) => `${percent.toFixed(1)} %`

/** How a stream of requests went: the rows of the table. */
export const streamRowsOf = ({ hedged, plain, traffic, unlimited }: Comparison) => {
  const row = (name: string, calls: ReadonlyArray<Call>): ReadonlyArray<string> => [
    name,
    ...[0.5, 0.95, 0.99].map((q) => wait(percentile(calls.map(({ latency }) => latency), q))),
    `+ ${share(loadOf(calls))}`,
    traffic.brownOut ? `+ ${share(loadOf(calls.filter(({ at }) => isInBrownOut(traffic, at))))}` : "no brown-out"
  ]
  return [
    row("no hedges", plain),
    row(`hedges, budget of ${traffic.budget} %`, hedged.calls),
    row("hedges, no budget", unlimited.calls)
  ]
}

/** What was sent in a second, and what the policy knew at its end. */
export const secondOf = ({ hedged: { calls, samples } }: Comparison, second: number): string => {
  const sent = inSecond(calls, second)
  const hedges = sent.filter(({ hedgedAt }) => hedgedAt !== undefined).length
  const { delay = NaN, tokens = NaN } = samples[second] ?? {}
  return `Second ${second + 1} of ${service.seconds}: ${many(sent.length, "request")}, ${many(hedges, "hedge")}. ` +
    `The budget can pay for ${tokens.toFixed(1)} more. The delay is ${delay.toFixed(0)} ms.`
}

/** How answers are drawn. */
export const servedHow = `${service.perSecond} requests a second, for ${service.seconds} s. An answer takes ` +
  `${service.latency} ms and a random rest, which is ${service.latency} ms on average (exponential); a slow one takes ` +
  `${service.slowness} ms more. The hedge goes to another replica, so its answer is drawn anew. In a brown-out, from ` +
  `second ${service.brownOut[0]} to ${
    service.brownOut[1]
  }, every answer is slow. These servers do not get slower under ` +
  "load; real ones do, and then hedges without a budget make a brown-out worse."

/** The policy, as it is written in a program. */
export const policyOf = (budget: number): string =>
  `const policy = yield* Hedge.make({
  delay: Hedge.percentile(${service.quantile}, { max: "${service.maxDelay} millis" }),
  budget: { ratio: ${budget / 100}, burst: ${service.burst} }
})

const answer = yield* request.pipe(Hedge.hedge(policy))
`
