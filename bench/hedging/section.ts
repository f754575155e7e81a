import type { Panel } from "./plots.js"

/** What one experiment has shown. */
export interface Section {
  readonly title: string
  /** Titles, then rows. */
  readonly table: ReadonlyArray<ReadonlyArray<string>>
  /** What did not come out as it must. */
  readonly missed: ReadonlyArray<string>
  readonly plot?: { readonly file: string; readonly description: string; readonly panels: ReadonlyArray<Panel> }
}

/** An experiment; a `scale` below one makes it shorter. */
export type Experiment = (scale: number) => Section

/** What a figure may be off by in a shorter experiment, if that is its tolerance in the whole one: there is more noise. */
export const wider = (tolerance: number, scale: number): number => tolerance / Math.sqrt(scale)

export const millis = (value: number): string => value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en")

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`
