import * as Effect from "effect/Effect"
import * as Option from "effect/Option"
import { drawing } from "../../bench/hedging/draws.js"
import * as Hedge from "../../src/Hedge.js"
import { Simulation } from "../../test/support/eventClock.js"

/** A stream of requests, and what hedging may cost. Shares are percent. */
export interface Traffic {
  /** The share of answers that are slow. */
  readonly slow: number
  /** How many hedges there are to be for a hundred requests, at most. */
  readonly budget: number
  /** Whether every answer is slow for a while. */
  readonly brownOut: boolean
}

export const usualTraffic: Traffic = { slow: 4, budget: 5, brownOut: false }

/** How the servers answer, and what the policy is. Times are milliseconds. */
export const service = {
  seconds: 60,
  perSecond: 20,
  /** An answer takes this long at least, and as much again on average. */
  latency: 5,
  /** What a slow one takes besides. */
  slowness: 400,
  /** The seconds in which a brown-out begins and is over. */
  brownOut: [20, 40],
  quantile: 0.95,
  maxDelay: 100,
  burst: 3,
  seed: 1
} as const

export interface Answer {
  readonly millis: number
  readonly isSlow: boolean
}

/** A request: when it arrives, and how the servers answer it and its hedge. */
export interface Request {
  readonly at: number
  readonly answers: readonly [first: Answer, hedge: Answer]
}

export const requestsOf = ({ slow }: Traffic): ReadonlyArray<Request> => {
  const draw = drawing(service.seed)
  const answer = (): Answer => {
    const isSlow = draw() * 100 < slow
    return { isSlow, millis: Math.round(service.latency - service.latency * Math.log(draw())) }
  }
  return Array.from({ length: service.seconds * service.perSecond }, (_, i) => ({
    at: i * 1000 / service.perSecond,
    answers: [answer(), answer()]
  }))
}

export const isInBrownOut = ({ brownOut }: Traffic, at: number): boolean =>
  brownOut && at >= service.brownOut[0] * 1000 && at < service.brownOut[1] * 1000

/** How long the answer takes to a request that is sent at this time. */
export const timeOf = ({ isSlow, millis }: Answer, traffic: Traffic, at: number): number =>
  millis + (isSlow || isInBrownOut(traffic, at) ? service.slowness : 0)

/** What became of a request. */
export interface Call {
  readonly at: number
  readonly latency: number
  /** When its hedge was sent, if it was. */
  readonly hedgedAt: number | undefined
}

/** What the policy says of itself after a second. */
interface Sample {
  /** How many hedges the budget can pay for. None where it is unlimited. */
  readonly tokens: number | undefined
  /** The delay of the next call, once enough calls are known. */
  readonly delay: number | undefined
}

export interface Stream {
  readonly calls: ReadonlyArray<Call>
  readonly samples: ReadonlyArray<Sample>
}

/** Sends all requests through a policy, in simulated time. */
const send = (traffic: Traffic, budget: Hedge.BudgetOptions | "unlimited"): Stream => {
  const simulation = new Simulation()
  const calls: Array<Call> = []
  const samples: Array<Sample> = []
  const call = ({ answers, at }: Request, index: number, policy: Hedge.Policy) =>
    Effect.suspend(() => {
      let sent = 0
      let hedgedAt: number | undefined
      const request = Effect.suspend(() => {
        const isHedge = sent++ > 0
        hedgedAt = isHedge ? simulation.now : undefined
        return Effect.sleep(timeOf(answers[isHedge ? 1 : 0], traffic, simulation.now))
      })
      return Effect.map(Hedge.hedge(request, policy), () => {
        calls[index] = { at, latency: simulation.now - at, hedgedAt }
      })
    })
  const sample = (policy: Hedge.Policy) =>
    Effect.map(Hedge.stats(policy), ({ budget, keys }) => {
      samples.push({
        tokens: Option.getOrUndefined(Option.map(budget, ({ tokens }) => tokens)),
        delay: keys[0] && Option.getOrUndefined(Option.getRight(keys[0].delay))
      })
    })
  const policy = Hedge.make({
    delay: Hedge.percentile(service.quantile, { max: service.maxDelay }),
    budget
  })
  simulation.fork(Effect.map(policy, (policy) => {
    requestsOf(traffic).forEach((request, index) =>
      simulation.after(request.at, () => simulation.fork(call(request, index, policy)))
    )
    for (let second = 1; second <= service.seconds; second++) {
      simulation.after(second * 1000, () => simulation.fork(sample(policy)))
    }
  }))
  simulation.advanceTo(Infinity)
  return { calls, samples }
}

/** The same requests three times: without hedges, with a budget for them, and with as many as are due. */
export interface Comparison {
  readonly traffic: Traffic
  readonly plain: ReadonlyArray<Call>
  readonly hedged: Stream
  readonly unlimited: Stream
}

export const compare = (traffic: Traffic): Comparison => ({
  traffic,
  plain: requestsOf(traffic).map(({ answers: [first], at }) => ({
    at,
    latency: timeOf(first, traffic, at),
    hedgedAt: undefined
  })),
  hedged: send(traffic, { ratio: traffic.budget / 100, burst: service.burst }),
  unlimited: send(traffic, "unlimited")
})

/** How many hedges were sent for a hundred of these requests. */
export const loadOf = (calls: ReadonlyArray<Call>): number =>
  100 * calls.filter(({ hedgedAt }) => hedgedAt !== undefined).length / Math.max(1, calls.length)

/** The requests that arrived in a second. */
export const inSecond = (calls: ReadonlyArray<Call>, second: number): ReadonlyArray<Call> =>
  calls.slice(second * service.perSecond, (second + 1) * service.perSecond)
