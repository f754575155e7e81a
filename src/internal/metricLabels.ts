import * as MetricLabel from "effect/MetricLabel"

/** Of more indices a metric that is tagged with them would have no end. */
const indices = 8

/** @internal */
export const indexTag = (index: number): string => index < indices ? `${index}` : "more"

type Tags = ReadonlyArray<MetricLabel.MetricLabel>

/**
 * What metrics are tagged with. A metric finds its place by the very array, so each is made once.
 *
 * @internal
 */
export class Labels {
  private static readonly byAdded = new WeakMap<Tags, Labels>()
  private readonly tagged = new Map<string, Labels>()

  private constructor(readonly all: Tags) {}

  /** Those that callers add to all metrics. */
  static of(added: Tags): Labels {
    const labels = Labels.byAdded.get(added) ?? new Labels(added)
    Labels.byAdded.set(added, labels)
    return labels
  }

  and(key: string, value: string): Labels {
    const tag = `${key}=${value}`
    const known = this.tagged.get(tag)
    if (known !== undefined) {
      return known
    }
    const made = new Labels([...this.all, MetricLabel.make(key, value)])
    this.tagged.set(tag, made)
    return made
  }
}
