/** The least value that the share `q` of all does not exceed. */
export const percentile = (values: ReadonlyArray<number>, q: number): number =>
  values.slice().sort((a, b) => a - b)[Math.max(0, Math.ceil(q * values.length) - 1)] ?? NaN
