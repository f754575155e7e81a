import * as Either from "effect/Either"
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
}

export const views = ["race", "compare"] as const

export type View = typeof views[number]

const version = "1"

export const encode = ({ scenario, view }: Link): string => {
  const { candidates, concurrency, delay, losers, minDelay } = scenario
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

const names = ["v", "view", "delay", "minDelay", "concurrency", "losers", "candidate"]

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
  const minDelay = optional("minDelay", 0, whole("minDelay", "minDelay"))
  const concurrency = optional<Scenario["concurrency"]>("concurrency", "unbounded", whole("concurrency", "concurrency"))
  const losers = optional("losers", "await", oneOf("losers", ["await", "background"] as const))
  const listed = all("candidate")
  const [least, most] = limits.candidates
  if (listed.length < least || listed.length > most) {
    fail("candidate", `${listed.length} of them`, `is not a number from ${least} to ${most}`)
  }
  return { view, scenario: { candidates: listed.map(candidateOf), delay, minDelay, concurrency, losers } }
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
