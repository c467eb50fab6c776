/** What is said of many measurements. */

/** The middle, the range of the middle half, and that of all. */
export interface Spread {
  readonly median: number;
  readonly low: number;
  readonly high: number;
  readonly min: number;
  readonly max: number;
}

export function spreadOf(values: readonly number[]): Spread {
  const sorted = values.toSorted((a, b) => a - b);
  const [min, low, median, high, max] = [0, 0.25, 0.5, 0.75, 1].map((share) => quantile(sorted, share));
  return { median, low, high, min, max };
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
