// Random races, as plain data: they can be printed, made simpler and run again.

export type Random = () => number

export type Step =
  /** Holds a resource. It takes time to acquire and to release. */
  | { readonly _: "hold"; readonly acquiring: number; readonly releasing: number }
  | { readonly _: "sleep"; readonly millis: number }
  | { readonly _: "yield"; readonly times: number }
  | { readonly _: "progress"; readonly millis: number }
  /** Changes a `FiberRef`. */
  | { readonly _: "ref" }
  /** Forks a child that holds a resource of its own. */
  | { readonly _: "fork"; readonly scoped: boolean; readonly millis: number; readonly releasing: number }
  /** Forks a child that cannot be interrupted and ends when the attempt's scope closes. */
  | { readonly _: "latched" }
  | { readonly _: "race"; readonly race: Race; readonly recovers: boolean }

export interface Candidate {
  readonly steps: ReadonlyArray<Step>
  readonly end: "ok" | "fail" | "die" | "interrupt" | "hang"
  readonly uninterruptible: boolean
  /** How long its clean-up takes after an interruption. */
  readonly cleanup: number
}

type Source =
  | { readonly _: "array" | "set" }
  | { readonly _: "generator"; readonly end: "end" | "throw"; readonly throwsOnReturn: boolean }
  | {
    readonly _: "stream"
    readonly gap: number
    readonly chunk: number
    readonly end: "end" | "fail" | "die" | "never"
    readonly releasing: number
  }

export interface Race {
  readonly candidates: ReadonlyArray<Candidate>
  readonly source: Source
  readonly delay:
    | number
    | { readonly delays: ReadonlyArray<number>; readonly slow: number; readonly end: "done" | "die" }
  readonly minDelay: number
  readonly concurrency: number
  readonly fatal: "never" | "defects" | "throws"
  readonly losers: "await" | "background"
  readonly handler: "plain" | "slow" | "fails" | "dies"
  readonly as: "race" | "outcome"
}

export interface Program {
  readonly race: Race
  /** Whether the race stands in a scope. If not, each candidate has its own. */
  readonly scoped: boolean
  readonly parallelFinalizers: boolean
  readonly uninterruptible: boolean
  /** How long the program uses what it won. */
  readonly use: number
}

export const pick = <A>(random: Random, ...options: ReadonlyArray<A>): A =>
  options[Math.floor(random() * options.length)]!

const times = <A>(count: number, make: () => A): ReadonlyArray<A> => Array.from({ length: count }, make)

const makeStep = (random: Random, depth: number, isFinite: boolean): Step => {
  const sleep = (): Step => ({ _: "sleep", millis: pick(random, 0, 0, 1, 2, 3, 5, 8) })
  const kind = random()
  return kind < 0.3
    ? { _: "hold", acquiring: pick(random, 0, 0, 0, 1, 4), releasing: pick(random, 0, 0, 0, 2, 6) }
    : kind < 0.55
    ? sleep()
    : kind < 0.65
    ? { _: "yield", times: pick(random, 1, 2, 5) }
    : kind < 0.72
    ? { _: "ref" }
    : kind < 0.78
    ? { _: "progress", millis: pick(random, 0, 2, 5, 10) }
    : kind < 0.88
    ? { _: "fork", scoped: random() < 0.4, millis: pick(random, 0, 2, 5, Infinity), releasing: pick(random, 0, 0, 3) }
    : kind < 0.91 && !isFinite
    ? { _: "latched" }
    : depth > 0
    ? { _: "race", race: makeRace(random, depth - 1, isFinite), recovers: random() < 0.3 }
    : sleep()
}

const makeCandidate = (random: Random, depth: number, isRaceFinite: boolean): Candidate => {
  const uninterruptible = random() < 0.08
  const isFinite = isRaceFinite || uninterruptible
  const hangs = isFinite ? [] : ["hang", "hang"] as const
  return {
    steps: times(pick(random, 0, 1, 1, 2, 2, 3, 4), () => makeStep(random, depth, isFinite)),
    end: pick(random, "ok", "ok", "fail", "fail", "fail", "die", "interrupt", ...hangs),
    uninterruptible,
    cleanup: pick(random, 0, 0, 0, 1, 5)
  }
}

const makeSource = (random: Random, isFinite: boolean): Source => {
  const _ = pick(random, "array", "array", "array", "set", "generator", "stream", "stream")
  switch (_) {
    case "generator":
      return { _, end: pick(random, "end", "end", "throw"), throwsOnReturn: random() < 0.1 }
    case "stream":
      return {
        _,
        gap: pick(random, 0, 0, 1, 4),
        chunk: pick(random, 1, 1, 3),
        end: pick(random, "end", "end", "end", "fail", "die", ...(isFinite ? [] : ["never"] as const)),
        releasing: pick(random, 0, 0, 2)
      }
    default:
      return { _ }
  }
}

const makeRace = (random: Random, depth: number, isFinite: boolean, losers?: Race["losers"]): Race => ({
  candidates: times(pick(random, 1, 2, 2, 3, 3, 4, 5), () => makeCandidate(random, depth, isFinite)),
  source: makeSource(random, isFinite),
  delay: random() < 0.75
    ? pick(random, 0, 0, 1, 2, 4, 8, Infinity)
    : {
      delays: times(pick(random, 1, 2, 4), () => pick(random, 0, 1, 3, 6)),
      slow: pick(random, 0, 0, 0, 2),
      end: pick(random, "done", "done", "done", "die")
    },
  minDelay: pick(random, 0, 0, 0, 1, 3),
  concurrency: pick(random, Infinity, Infinity, Infinity, 1, 2, 3),
  fatal: pick(random, "never", "never", "never", "defects", "throws"),
  losers: losers ?? pick(random, "await", "await", "background"),
  handler: pick(random, "plain", "plain", "plain", "slow", "fails", "dies"),
  as: pick(random, "race", "outcome", "outcome")
})

/** A race of which most attempts succeed in the same turn. */
const makeBurst = (race: Race): Race => ({
  ...race,
  candidates: race.candidates.map((candidate) => ({ ...candidate, steps: candidate.steps.slice(0, 1), end: "ok" })),
  delay: 0,
  minDelay: 0,
  concurrency: Infinity
})

/** A race in a program that uses its result. Where nothing can interrupt it, all of it comes to an end by itself. */
export const makeProgram = (random: Random, losers: Race["losers"]): Program => {
  const uninterruptible = random() < 0.05
  const race = makeRace(random, 1, uninterruptible, losers)
  return {
    race: random() < 0.15 ? makeBurst(race) : race,
    scoped: random() < 0.85,
    parallelFinalizers: random() < 0.1,
    uninterruptible,
    use: pick(random, 0, 0, 1, 5)
  }
}

/** Whether a race can wait for ever, until it is interrupted. A winner's child that waits for its scope is waited for. */
export const mayWait = (race: Race): boolean =>
  (race.source._ === "stream" && race.source.end === "never") ||
  race.candidates.some(({ end, steps }) =>
    end === "hang" || steps.some((step) => step._ === "latched" || (step._ === "race" && mayWait(step.race)))
  )

const simplest: Readonly<Record<string, string>> = {
  background: "await",
  outcome: "race",
  slow: "plain",
  fails: "plain",
  dies: "plain",
  defects: "never",
  throws: "never"
}

/** Copies of a program, or of a part of it, each simpler in one place. */
export function* simpler(part: unknown): Iterable<unknown> {
  if (typeof part === "number" && part > 0 && part < Infinity) {
    yield 0
  } else if (part === true) {
    yield false
  } else if (typeof part === "string" && part in simplest) {
    yield simplest[part]
  } else if (Array.isArray(part)) {
    for (const index of part.keys()) {
      yield part.filter((_, other) => other !== index)
      for (const one of simpler(part[index])) {
        yield part.map((other, at) => at === index ? one : other)
      }
    }
  } else if (typeof part === "object" && part !== null) {
    for (const [key, value] of Object.entries(part)) {
      if (key === "source" && value._ !== "array") {
        yield { ...part, source: { _: "array" } }
      }
      if (key === "delay" && typeof value === "object") {
        yield { ...part, delay: 0 }
      }
      if (key === "race") {
        yield* innerRaces(value).map((race) => ({ ...part, race }))
      }
      for (const one of simpler(value)) {
        if (key !== "candidates" || !Array.isArray(one) || one.length > 0) {
          yield { ...part, [key]: one }
        }
      }
    }
  }
}

const innerRaces = ({ candidates }: Race): ReadonlyArray<Race> =>
  candidates.flatMap(({ steps }) => steps.flatMap((step) => step._ === "race" ? [step.race] : []))
