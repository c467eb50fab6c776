/** What is said of many measurements. */

/** The middle, and the range of the middle half. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  return { median: quantile(sorted, 0.5), low: quantile(sorted, 0.25), high: quantile(sorted, 0.75) };
}

/** Of a sorted list that is not empty; between two elements where it falls between them. */
function quantile(sorted: readonly number[], share: number): number {
  const at = share * (sorted.length - 1);
  const below = sorted[Math.floor(at)];
  const above = sorted[Math.ceil(at)];
  return round(below + (above - below) * (at - Math.floor(at)));
}

/** Three digits after the point are more than any measurement here is good for. */
function round(value: number): number {
  return Math.round(value * 1000) / 1000;
}
