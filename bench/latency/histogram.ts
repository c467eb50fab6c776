/**
 * How often a call took how long: counts in buckets whose width grows with the time, 16 to an octave, so that a
 * time is known within 6 % and recording one is an increment. Whole nanoseconds, up to 4 seconds.
 */

const STEPS = 16;
const STEP_BITS = 4;
const OCTAVES = 32 - STEP_BITS;
const LONGEST = 2 ** 32 - 1;

/** What is kept of a histogram: it goes from process to process. */
export interface Recorded {
  /** One for each bucket, up to the last that has any. */
  readonly counts: readonly number[];
  /** Exact, unlike what the buckets say. */
  readonly max: number;
}

export class Histogram {
  private readonly counts = new Float64Array((OCTAVES + 1) * STEPS);
  private max = 0;

  /** Makes no garbage, and takes a few steps: it runs between two measurements. */
  record(nanoseconds: number): void {
    this.counts[bucketOf(nanoseconds)]++;
    if (nanoseconds > this.max) this.max = nanoseconds;
  }

  clear(): void {
    this.counts.fill(0);
    this.max = 0;
  }

  get recorded(): Recorded {
    const length = this.counts.findLastIndex((count) => count > 0) + 1;
    return { counts: [...this.counts.subarray(0, length)], max: this.max };
  }
}

/** The bucket of a time: below 16 one for each nanosecond, then 16 for each doubling. */
export function bucketOf(nanoseconds: number): number {
  const time = Math.min(Math.max(Math.round(nanoseconds), 0), LONGEST);
  if (time < STEPS) return time;
  const shift = 31 - STEP_BITS - Math.clz32(time);
  return shift * STEPS + (time >>> shift);
}

/** The shortest time of a bucket. */
export function startOf(bucket: number): number {
  if (bucket < 2 * STEPS) return bucket;
  const shift = Math.floor(bucket / STEPS) - 1;
  return (bucket - shift * STEPS) * 2 ** shift;
}

export function merged(parts: readonly Recorded[]): Recorded {
  const length = Math.max(...parts.map(({ counts }) => counts.length));
  const counts = Array.from({ length }, (_, bucket) =>
    parts.reduce((total, part) => total + (part.counts[bucket] ?? 0), 0),
  );
  return { counts, max: Math.max(...parts.map(({ max }) => max)) };
}

export function totalOf({ counts }: Recorded): number {
  return counts.reduce((total, count) => total + count, 0);
}

/** A time that at least this share of the calls took no longer than: the end of a bucket, or the maximum. */
export function quantileOf(recorded: Recorded, share: number): number {
  const rank = Math.max(1, Math.ceil(share * totalOf(recorded)));
  let seen = 0;
  const bucket = recorded.counts.findIndex((count) => {
    seen += count;
    return seen >= rank;
  });
  return Math.min(startOf(bucket + 1) - 1, recorded.max);
}

/** The counts of whole octaves. Element n: how many took from 2^n to 2^(n+1) - 1 nanoseconds; the first one also has 0. */
export function octavesOf({ counts }: Recorded): number[] {
  const octaves = Array.from({ length: octaveOf(counts.length - 1) + 1 }, () => 0);
  for (const [bucket, count] of counts.entries()) octaves[octaveOf(bucket)] += count;
  return octaves;
}

function octaveOf(bucket: number): number {
  return 31 - Math.clz32(startOf(bucket) | 1);
}
