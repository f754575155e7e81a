import type { Candidate, Scenario } from "./scenario.js"

export interface Preset {
  readonly id: string
  readonly title: string
  /** What to see in it, in a sentence or two. */
  readonly about: string
  readonly scenario: Scenario
}

const succeeds = (name: string, latency: number, cleanUp: number): Candidate => ({
  name,
  result: "succeeds",
  latency,
  cleanUp
})
const fails = (name: string, latency: number, cleanUp: number): Candidate => ({
  name,
  result: "fails",
  latency,
  cleanUp
})
const hangs = (name: string, cleanUp: number): Candidate => ({ name, result: "hangs", latency: null, cleanUp })

const every = (millis: number) => ({ pace: "fixed", millis } as const)

const plain = { minDelay: 0, concurrency: "unbounded", losers: "await" } as const

const goodDay: Preset = {
  id: "good-day",
  title: "A good day",
  about: "All four replicas are healthy. The first answers before the delay has passed, so the race starts no other. " +
    "Under Compare, see what the same answer costs where all four start at once; under 100 days, what bad days cost.",
  scenario: {
    ...plain,
    candidates: [
      succeeds("replica a", 40, 5),
      succeeds("replica b", 60, 5),
      succeeds("replica c", 45, 5),
      succeeds("replica d", 70, 5)
    ],
    delay: every(100)
  }
}

const deadIPv6: Preset = {
  id: "dead-ipv6",
  title: "IPv6 is dead",
  about:
    "Happy Eyeballs, RFC 8305. The first address never answers, and never refuses. After 250 ms the race tries the " +
    "next one beside it, which answers.",
  scenario: {
    ...plain,
    candidates: [
      hangs("2001:db8::1", 30),
      succeeds("192.0.2.1", 160, 10),
      hangs("2001:db8::2", 30),
      succeeds("192.0.2.2", 120, 10)
    ],
    delay: every(250)
  }
}

export const presets: readonly [Preset, ...ReadonlyArray<Preset>] = [
  goodDay,
  deadIPv6,
  {
    id: "far-away",
    title: "A host far away",
    about:
      "The only address that works takes 320 ms, longer than the delay. The race does not kill it, and it wins. Under " +
      "Compare, see what happens where the delay is a timeout.",
    scenario: {
      ...plain,
      candidates: [succeeds("198.51.100.7", 320, 10), fails("2001:db8::7", 30, 10)],
      delay: every(250)
    }
  },
  {
    id: "slow-replica",
    title: "A slow replica",
    about: "A hedged request, as in The Tail at Scale. The first request is late, so a hedge goes to another replica " +
      "after 95 ms. The race interrupts the slow request, which takes a while to let go.",
    scenario: {
      ...plain,
      candidates: [succeeds("replica a", 700, 120), succeeds("replica b", 140, 40)],
      delay: every(95)
    }
  },
  {
    id: "fallbacks",
    title: "A chain of fallbacks",
    about: "The delay is infinite, so only a failure starts the next: one after the other, and no request in vain.",
    scenario: {
      ...plain,
      candidates: [fails("cache", 30, 10), fails("replica", 180, 40), succeeds("origin", 260, 60)],
      delay: { pace: "infinite", millis: null }
    }
  },
  {
    id: "mirrors",
    title: "Two at a time",
    about:
      "At most two downloads at once, and at least 60 ms between two starts. A mirror that is due waits for a place: " +
      "the dotted line.",
    scenario: {
      candidates: [
        fails("ams", 340, 30),
        hangs("fra", 80),
        fails("lon", 20, 30),
        succeeds("nyc", 230, 50),
        succeeds("sgp", 500, 50)
      ],
      delay: every(120),
      minDelay: 60,
      concurrency: 2,
      losers: "await"
    }
  },
  {
    id: "rarer-hedges",
    title: "Rarer hedges",
    about:
      "A schedule gives the delays: 80 ms, 160, 320. The race returns at the decision, and its losers clean up in " +
      "the background.",
    scenario: {
      ...plain,
      candidates: [
        succeeds("request", 900, 200),
        hangs("first hedge", 120),
        succeeds("second hedge", 410, 80),
        succeeds("third hedge", 200, 80)
      ],
      delay: { pace: "exponential", millis: 80 },
      losers: "background"
    }
  }
]

export const standard = goodDay
