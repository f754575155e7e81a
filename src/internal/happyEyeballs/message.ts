import * as Cause from "effect/Cause"
import * as Option from "effect/Option"
import type * as HappyEyeballs from "../../HappyEyeballs.js"

const reason = (cause: Cause.Cause<unknown>): string =>
  Cause.prettyErrors(cause).map(({ message }) => message).join("; ") || "interrupted"

const shown = 16

/** @internal */
export const describeResolution = ({ failures, host }: HappyEyeballs.ResolutionFailed): string =>
  [`${host} has no addresses`, ...failures.map(reason)].join("\n  ")

/** @internal */
export const describeConnections = (
  { connections, decidedBy, host, port, resolution, unanswered }: HappyEyeballs.ConnectionFailed<unknown>
): string => {
  const begin = connections[0]?.startedAt ?? 0
  const width = Math.max(...connections.map(({ address }) => address.length))
  const isTimedOut = decidedBy === "timeout"
  const lines = connections.slice(0, shown).map(({ address, cause, endedAt, progressedAt, result, startedAt }) => {
    const why = isTimedOut && result === "lost"
      ? Option.match(progressedAt, {
        onNone: () => "no answer",
        onSome: (at) => `connected by ${at - begin} ms, and then no answer`
      })
      : Option.match(cause, { onNone: () => "no reason", onSome: reason })
    return `${address.padEnd(width)}  ${startedAt - begin} ms to ${endedAt - begin} ms: ${why}`
  })
  const left = connections.length - lines.length
  const what = `could not connect to ${host} port ${port}${isTimedOut ? " in time" : ""}`
  return [
    connections.length > 0
      ? `${what}; addresses tried: ${connections.length}`
      : isTimedOut
      ? what
      : `${what}: it has no addresses`,
    ...lines,
    ...(left > 0 ? [`and ${left} more`] : []),
    ...resolution.map(reason),
    ...(isTimedOut ? unanswered.map((family) => `IPv${family} addresses of ${host}: no answer`) : [])
  ].join("\n  ")
}
