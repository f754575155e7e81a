import type { Panel } from "./plots.js"

/** The result of one experiment. */
export interface Section {
  readonly title: string
  /** The first row is the head. */
  readonly table: ReadonlyArray<ReadonlyArray<string>>
  /** One line for each figure that is out of its limits. */
  readonly missed: ReadonlyArray<string>
  /** A table for a guide, between marks with the name of the experiment. */
  readonly guide?: { readonly page: string; readonly table: Section["table"] }
  readonly plot?: { readonly file: string; readonly description: string; readonly panels: ReadonlyArray<Panel> }
}

/** A `scale` below one makes the experiment shorter. */
export type Experiment = (scale: number) => Section

/** The tolerance of a shorter experiment: its figures have more noise. */
export const wider = (tolerance: number, scale: number): number => tolerance / Math.sqrt(scale)

export const millis = (value: number): string => value < 100 ? value.toFixed(1) : Math.round(value).toLocaleString("en")

export const percent = (share: number): string => `${(100 * share).toFixed(share < 0.1 ? 2 : 1)} %`
