import * as Exit from "effect/Exit"
import * as Option from "effect/Option"
import * as Tracer from "effect/Tracer"
import { shape } from "./scenario.js"

/** A span that records every call, and how often it was ended. */
export class RecordedSpan implements Tracer.Span {
  readonly _tag = "Span"
  readonly spanId: string
  readonly traceId = "trace"
  readonly sampled = true
  readonly attributes = new Map<string, unknown>()
  readonly links: Array<Tracer.SpanLink>
  status: Tracer.SpanStatus
  ends = 0

  constructor(
    index: number,
    readonly name: string,
    readonly parent: Option.Option<Tracer.AnySpan>,
    readonly context: Tracer.Span["context"],
    links: ReadonlyArray<Tracer.SpanLink>,
    readonly startTime: bigint,
    readonly kind: Tracer.SpanKind
  ) {
    this.spanId = `${index}`
    this.links = [...links]
    this.status = { _tag: "Started", startTime }
  }

  end(endTime: bigint, exit: Exit.Exit<unknown, unknown>): void {
    this.ends++
    this.status = { _tag: "Ended", startTime: this.startTime, endTime, exit }
  }

  attribute(key: string, value: unknown): void {
    this.attributes.set(key, value)
  }

  event(): void {}

  addLinks(links: ReadonlyArray<Tracer.SpanLink>): void {
    this.links.push(...links)
  }
}

const millis = (nanos: bigint) => Number(nanos) / 1e6

const how = (exit: Exit.Exit<unknown, unknown>) =>
  Exit.isSuccess(exit) ? "ok" : Exit.isInterrupted(exit) ? "interrupted" : `failed ${shape(exit.cause)}`

/** One span without its parent and children: name, times, end, attributes. */
export const described = ({ attributes, name, status }: Tracer.Span): string => {
  const when = status._tag === "Ended"
    ? `@${millis(status.startTime)}-${millis(status.endTime)} ${how(status.exit)}`
    : `@${millis(status.startTime)} has not ended`
  return [`${name} ${when}`, ...Array.from(attributes, ([key, value]) => `${key}=${value}`)].join(" ")
}

/** A tracer that records its spans. */
export class Recorder {
  readonly spans: Array<RecordedSpan> = []

  readonly tracer = Tracer.make({
    span: (name, parent, context, links, startTime, kind) => {
      const span = new RecordedSpan(this.spans.length, name, parent, context, links, startTime, kind)
      this.spans.push(span)
      return span
    },
    context: (f) => f()
  })

  named(name: string): ReadonlyArray<RecordedSpan> {
    return this.spans.filter((span) => span.name === name)
  }

  /** All spans, each under its parent, in the order of their creation. */
  tree(): ReadonlyArray<string> {
    const below = (parent: Tracer.Span | undefined, indent: string): ReadonlyArray<string> =>
      this.spans.filter((span) => Option.getOrUndefined(span.parent) === parent).flatMap((span) => [
        `${indent}${described(span)}`,
        ...below(span, `${indent}  `)
      ])
    return below(undefined, "")
  }
}
