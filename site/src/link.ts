import * as Either from "effect/Either"
import { type Climate, usualClimate } from "./days.js"
import { type Traffic, usualTraffic } from "./hedging.js"
import { quote } from "./quote.js"
import {
  type Candidate,
  type Delay,
  leastDelay,
  type Limited,
  limits,
  paces,
  results,
  type Scenario,
  troubleWithName
} from "./scenario.js"

/**
 * A scenario as the fragment of a link, made to be read:
 *
 * `#v=1&delay=250&candidate=2001:db8::1,hangs,-,30&candidate=192.0.2.1,succeeds,160,10`
 *
 * Options that have their default are left out. Whatever does not belong there is an error: a link that is half
 * understood would show another race than the one that was meant.
 */
export interface Link {
  readonly view: View
  readonly scenario: Scenario
  readonly climate: Climate
  readonly traffic: Traffic
}

export const views = ["race", "compare", "days", "hedging"] as const

export type View = typeof views[number]

const version = "1"

const switches = ["off", "on"] as const

/** What a link leaves out is as usual. */
export const linkOf = (scenario: Scenario, view: View = "race"): Link => ({
  view,
  scenario,
  climate: usualClimate,
  traffic: usualTraffic
})

export const encode = ({ climate: { ill, seed }, scenario, traffic, view }: Link): string => {
  const { candidates, concurrency, delay, losers, minDelay } = scenario
  const { brownOut, budget, slow } = traffic
  const fields = [
    ["v", version],
    ...(view === "race" ? [] : [["view", view]]),
    [
      "delay",
      delay.pace === "fixed"
        ? `${delay.millis}`
        : [delay.pace, ...(delay.millis === null ? [] : [delay.millis])].join(":")
    ],
    ...(minDelay === 0 ? [] : [["minDelay", minDelay]]),
    ...(concurrency === "unbounded" ? [] : [["concurrency", concurrency]]),
    ...(losers === "await" ? [] : [["losers", losers]]),
    ...(ill === usualClimate.ill ? [] : [["ill", ill]]),
    ...(seed === usualClimate.seed ? [] : [["seed", seed]]),
    ...(slow === usualTraffic.slow ? [] : [["slow", slow]]),
    ...(budget === usualTraffic.budget ? [] : [["budget", budget]]),
    ...(brownOut === usualTraffic.brownOut ? [] : [["brownOut", brownOut ? "on" : "off"]]),
    ...candidates.map(({ cleanUp, latency, name, result }) => [
      "candidate",
      [escape(name), result, latency ?? "-", cleanUp].join(",")
    ])
  ]
  return `#${fields.map((field) => field.join("=")).join("&")}`
}

/** Left says which field is wrong, and what its value is. No fragment at all is no link: `undefined`. */
export const decode = (fragment: string): Either.Either<Link, string> | undefined =>
  /^#?$/.test(fragment) ? undefined : Either.try({
    try: () => read(fragment.replace(/^#/, "")),
    catch: (error) => {
      if (error instanceof BadLink) {
        return error.message
      }
      throw error
    }
  })

class BadLink extends Error {}

const fail = (field: string, value: string, trouble: string): never => {
  throw new BadLink(`${field}: ${quote(value)} ${trouble}.`)
}

const names = [
  "v",
  "view",
  "delay",
  "minDelay",
  "concurrency",
  "losers",
  "ill",
  "seed",
  "slow",
  "budget",
  "brownOut",
  "candidate"
]

const read = (text: string): Link => {
  const fields = text.split("&").map((part) => {
    const [, name = part, value = ""] = /^([^=]*)=(.*)$/s.exec(part) ?? []
    return names.includes(name) ? { name, value } : fail("the link", part, "is not a field that this page knows")
  })
  const all = (name: string) => fields.filter((field) => field.name === name).map(({ value }) => value)
  const optional = <A>(name: string, fallback: A, parse: (value: string) => A): A => {
    const [value, again] = all(name)
    return again !== undefined
      ? fail(name, again, "is there a second time")
      : value === undefined
      ? fallback
      : parse(value)
  }
  const required = <A>(name: string, parse: (value: string) => A): A =>
    all(name).length === 0 ? fail(name, "", "is missing") : optional<A | undefined>(name, undefined, parse) as A

  required(
    "v",
    (value) => value === version || fail("v", value, `is a version that this page does not know, which is ${version}`)
  )
  const view = optional("view", "race", oneOf("view", views))
  const delay = required("delay", delayOf)
  const number = (name: Limited, fallback: number) => optional(name, fallback, whole(name, name))
  const minDelay = number("minDelay", 0)
  const concurrency = optional<Scenario["concurrency"]>("concurrency", "unbounded", whole("concurrency", "concurrency"))
  const losers = optional("losers", "await", oneOf("losers", ["await", "background"] as const))
  const climate = { ill: number("ill", usualClimate.ill), seed: number("seed", usualClimate.seed) }
  const traffic = {
    slow: number("slow", usualTraffic.slow),
    budget: number("budget", usualTraffic.budget),
    brownOut: optional<boolean>(
      "brownOut",
      usualTraffic.brownOut,
      (value) => oneOf("brownOut", switches)(value) === "on"
    )
  }
  const listed = all("candidate")
  const [least, most] = limits.candidates
  if (listed.length < least || listed.length > most) {
    fail("candidate", `${listed.length} of them`, `is not a number from ${least} to ${most}`)
  }
  const candidates = listed.map(candidateOf)
  return { view, scenario: { candidates, delay, minDelay, concurrency, losers }, climate, traffic }
}

const whole = (label: string, limited: Limited, least: number = limits[limited][0]) => (value: string): number => {
  const most = limits[limited][1]
  const number = Number(value)
  return /^(0|[1-9]\d*)$/.test(value) && number >= least && number <= most
    ? number
    : fail(label, value, `is not a whole number from ${least} to ${most}`)
}

const oneOf = <const A extends string>(label: string, allowed: ReadonlyArray<A>) => (value: string): A =>
  allowed.find((one) => one === value) ?? fail(label, value, `is none of ${allowed.join(", ")}`)

const delayOf = (value: string): Delay => {
  if (!/^[a-z]/.test(value)) {
    return { pace: "fixed", millis: whole("delay", "delay")(value) }
  }
  const [, word = value, first] = /^([^:]*):(.*)$/s.exec(value) ?? []
  const pace = oneOf("delay", paces.filter((pace) => pace !== "fixed"))(word)
  if (pace === "infinite") {
    return first === undefined
      ? { pace, millis: null }
      : fail("delay", value, "has no milliseconds where it is infinite")
  }
  return { pace, millis: whole("delay", "delay", leastDelay(pace))(first ?? "") }
}

const candidateOf = (value: string, index: number): Candidate => {
  const label = `candidate ${index + 1}`
  const parts = value.split(",")
  const [escaped = "", word = "", time = "", tail = ""] = parts
  if (parts.length !== 4) {
    fail(label, value, "is not a name, a result, a latency and a clean-up time, with commas between them")
  }
  const name = unescape(`${label}, name`, escaped)
  const trouble = troubleWithName(name)
  if (trouble !== undefined) {
    fail(`${label}, name`, name, trouble)
  }
  const result = oneOf(`${label}, result`, results)(word)
  const latency = result !== "hangs"
    ? whole(`${label}, latency`, "latency")(time)
    : time === "-"
    ? null
    : fail(`${label}, latency`, time, "is not “-”, and one that hangs has none")
  return { name, result, latency, cleanUp: whole(`${label}, clean-up`, "cleanUp")(tail) }
}

// More than has to be: a link also goes where brackets, stars and quotes end it.
const escape = (name: string): string =>
  encodeURIComponent(name)
    .replace(/[!'()*~_]/g, (char) => `%${char.charCodeAt(0).toString(16).toUpperCase()}`)
    .replaceAll("%3A", ":").replaceAll("%2F", "/").replaceAll("%20", "+")

const unescape = (label: string, escaped: string): string => {
  try {
    return decodeURIComponent(escaped.replaceAll("+", " "))
  } catch {
    return fail(label, escaped, "cannot be decoded")
  }
}
